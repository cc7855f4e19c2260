"""Settings of a run that were changed and not started: kept over a reload and a restart.

    begin = begin_with(chosen, start)     # what the form is filled from: `start`, or the draft
    keep(config)                          # what the form says now
    drop()                                # the run was started

A draft is a file of its own for each window, WORKSPACE/run-drafts/run-TOKEN.json; the URL has the
token. It goes when its window starts the run, lets the form start from something else or discards
it, and 30 days after its last change. A window whose address names none begins with the latest
draft there is, and leaves the file to its owner unless that is started as it is, or discarded.
Within a session the widgets keep their values over pages themselves (`persist_state`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import streamlit as st
import yaml

from app import state
from app.widgets import kept_values
from app.widgets.kept_values import Kept
from app.widgets.plain import plain
from app.widgets.run_fields import settings
from app.widgets.samples_picker import name_again
from isara.config import RunConfig
from isara.config_files import changed_settings, parse_config, to_yaml
from isara.errors import InputError, IsaraError

FORM = "run_form"  # in the session: the form that is shown
SEEN = "run_form_seen"  # what it said when it was last kept
FROM = "run_from"  # what it starts from, as the address has it
TOKEN, KIND = "settings", "run"  # TOKEN is in the URL
ERROR = "run_draft_error"  # a draft that cannot be written or deleted: the form goes on without it


class Form(NamedTuple):
    """A form as it began: with `start`, or (`restored`) with a draft.

    `number` tells it from earlier ones that began alike. `own` is the draft that this window
    writes, `other` the one that it began with where that is another window's.
    """

    chosen: str
    start: RunConfig | None
    begin: RunConfig | None
    number: int
    restored: bool
    own: Kept | None = None
    other: Kept | None = None


def begin_with(chosen: str, start: RunConfig | None) -> RunConfig | None:
    """The config that the form begins with; None where there is none."""
    _say_error()
    form: Form | None = st.session_state.get(FORM)
    if form is None or (form.chosen, form.start) != (chosen, start):
        # A file that was uploaded is gone after a visit to another page.
        same = form is None or (form.chosen == chosen and start is None)
        if not same:
            drop()
        own, other = _drafts() if same else (None, None)
        draft = _read(own or other, chosen)
        if draft is None:
            own = other = None
        number = form.number + 1 if form else 0
        form = _begin(Form(chosen, start, draft or start, number, draft is not None, own, other))
    if form.restored:
        _tell(form)
    return form.begin


def form_key() -> str:
    """The beginning of the keys of the form's widgets."""
    form: Form = st.session_state[FORM]
    return f"{form.number} {form.begin.default_run_id if form.begin else ''}"


def source_of_draft() -> str | None:
    """What the kept draft starts from; None where there is none."""
    own, other = _drafts()
    return _source(own or other)


def keep(config: RunConfig | None) -> None:
    """Keep what the form says, where somebody changed it; settings that cannot be used are not."""
    form: Form = st.session_state[FORM]
    if form.own and st.query_params.get(TOKEN) != form.own.token:
        st.query_params[TOKEN] = form.own.token  # another page was looked at
    if config is None:
        return
    text = to_yaml(config)
    seen = st.session_state.setdefault(SEEN, text)
    if text == seen:
        return
    st.session_state[SEEN] = text
    st.session_state["run_setup_open"] = True  # also after a visit to another page
    if config == form.start:
        drop()
        return
    values = {"from": form.chosen, "config": text}
    with _told():
        own = kept_values.keep(_folder(), KIND, form.own, values)
        st.session_state[FORM] = form._replace(own=own)
        st.query_params[TOKEN] = own.token
        name_again("run")  # this setting may have been sent before Start was answered
    _say_error()


@contextmanager
def _told() -> Iterator[None]:
    """What cannot be written or deleted inside ends nothing; `_say_error` says it."""
    try:
        yield
    except IsaraError as error:
        st.session_state[ERROR] = str(error)


def _say_error() -> None:
    if message := st.session_state.pop(ERROR, None):
        st.error(plain(message), icon=":material/error:")


def started() -> None:
    """Forget the draft, also another window's that was started as it was."""
    form: Form | None = st.session_state.get(FORM)
    if form and form.own is None:
        with _told():
            kept_values.forget(_folder(), KIND, form.other)
    drop()


def drop() -> None:
    """Forget this window's draft; what the form shows stays."""
    if form := st.session_state.get(FORM):
        with _told():
            kept_values.forget(_folder(), KIND, form.own)
        st.session_state[FORM] = form._replace(restored=False, own=None, other=None)
    st.query_params.pop(TOKEN, None)


def _folder() -> Path:
    return state.workspace().root / "run-drafts"


def _drafts() -> tuple[Kept | None, Kept | None]:
    """The draft of this window, or another's to begin with."""
    form: Form | None = st.session_state.get(FORM)
    if form is not None:
        return form.own, form.other
    own = kept_values.find(_folder(), KIND, st.query_params.get(TOKEN, ""))
    return own, None if own else kept_values.newest(_folder(), KIND)


def _source(kept: Kept | None) -> str | None:
    return str(kept.values["from"]) if kept and "from" in kept.values else None


def _read(kept: Kept | None, chosen: str) -> RunConfig | None:
    """The config of a draft that starts from there; None where there is none that can be read."""
    if kept is None or _source(kept) != chosen:
        return None
    try:
        return parse_config(yaml.safe_load(kept.values["config"]))
    except (ValueError, KeyError, AttributeError, yaml.YAMLError, InputError):
        return None


def _begin(form: Form) -> Form:
    st.session_state[FORM] = form
    st.session_state.pop(SEEN, None)
    return form


def _tell(form: Form) -> None:
    """Say that the form began with a draft, and in what it differs."""
    changed = changed_settings(form.start, form.begin) if form.start and form.begin else []
    labels = {setting.path: setting.label for setting in settings()}
    names = dict.fromkeys(labels.get(path, path) for path, *_ in changed)
    listed = f": {plain(', '.join(names))}" if names else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(
            f"Settings that were changed here and not started are back{listed}.",
            icon=":material/history:",
        )
        st.button(
            "Discard them",
            key="run_discard",
            help="Fills the form again from what it starts from.",
            on_click=_discard,
            args=(form,),
        )


def _discard(form: Form) -> None:
    with _told():
        kept_values.forget(_folder(), KIND, form.other)
    drop()
    fresh = form._replace(begin=form.start, number=form.number + 1, restored=False)
    _begin(fresh._replace(own=None, other=None))

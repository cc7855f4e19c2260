"""Settings of a run that were changed and not started: kept over a reload and a restart.

    begin = begin_with(chosen, start)     # what the form is filled from: `start`, or the draft
    keep(config)                          # what the form says now
    drop()                                # the run was started

The draft is one file of the workspace. It is found again by where the form starts from, and goes
when the run is started, when the form starts from something else, or when somebody discards it.
Within a session the widgets keep their values over pages themselves (`persist_state`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import streamlit as st
import yaml

from app import state
from app.widgets.plain import plain
from app.widgets.run_fields import settings
from isara.config import RunConfig
from isara.config_files import changed_settings, parse_config, to_yaml
from isara.errors import InputError
from isara.workspace.files import write_json

FORM = "run_form"  # in the session: the form that is shown
SEEN = "run_form_seen"  # what it said when it was last kept
FROM = "run_from"  # what it starts from, as the address has it


class Form(NamedTuple):
    """A form as it began: with `start`, or (`restored`) with a draft.

    `number` tells it from earlier ones that began alike.
    """

    chosen: str
    start: RunConfig | None
    begin: RunConfig | None
    number: int
    restored: bool


def begin_with(chosen: str, start: RunConfig | None) -> RunConfig | None:
    """The config that the form begins with; None where there is none."""
    form: Form | None = st.session_state.get(FORM)
    if form is None or (form.chosen, form.start) != (chosen, start):
        # A file that was uploaded is gone after a visit to another page.
        same = form is None or (form.chosen == chosen and start is None)
        if not same:
            drop()
        draft = _read(chosen) if same else None
        number = form.number + 1 if form else 0
        form = _begin(Form(chosen, start, draft or start, number, draft is not None))
    if form.restored:
        _tell(form)
    return form.begin


def form_key() -> str:
    """The beginning of the keys of the form's widgets."""
    form: Form = st.session_state[FORM]
    return f"{form.number} {form.begin.default_run_id if form.begin else ''}"


def source_of_draft() -> str | None:
    """What the kept draft starts from; None where there is none."""
    try:
        return str(json.loads(_file().read_text(encoding="utf-8"))["from"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(config: RunConfig | None) -> None:
    """Keep what the form says, where somebody changed it; settings that cannot be used are not."""
    if config is None:
        return
    form: Form = st.session_state[FORM]
    text = to_yaml(config)
    seen = st.session_state.setdefault(SEEN, text)
    if text == seen:
        return
    st.session_state[SEEN] = text
    st.session_state["run_setup_open"] = True  # also after a visit to another page
    if config == form.start:
        drop()
    else:
        write_json(_file(), {"from": form.chosen, "config": text}, durable=False)


def drop() -> None:
    """Forget the draft; what the form shows stays."""
    _file().unlink(missing_ok=True)
    if form := st.session_state.get(FORM):
        st.session_state[FORM] = form._replace(restored=False)


def _file() -> Path:
    return state.workspace().root / "run-draft.json"


def _read(chosen: str) -> RunConfig | None:
    """The draft that starts from there; None where there is none that can be read."""
    if source_of_draft() != chosen:
        return None
    try:
        data = json.loads(_file().read_text(encoding="utf-8"))
        return parse_config(yaml.safe_load(data["config"]))
    except (OSError, ValueError, KeyError, AttributeError, yaml.YAMLError, InputError):
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
    drop()
    _begin(form._replace(begin=form.start, number=form.number + 1, restored=False))

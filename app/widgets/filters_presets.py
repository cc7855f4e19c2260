"""Named thresholds: save those of the sliders, put saved ones back, choose what to compare with.

    setting = choose_other(data)          # A: the run's own values, or a preset
    presets_box(data, chosen)             # save, use, delete, and take that back

A preset is kept in the workspace for all runs and all people: whoever would replace one is asked
first. Where a run has not measured what a preset asks for, that part of it is left as the run has
it, and this is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import streamlit as st
from pydantic import ValidationError

from app import state
from app.widgets.filters_controls import put
from app.widgets.filters_data import FIELDS
from app.widgets.plain import plain, sentences
from app.widgets.samples_data import Iteration
from app.widgets.samples_review import reviewer_now
from isara.config import FilterConfig
from isara.errors import InputError, IsaraError
from isara.filters import asked_of_the_model
from isara.workspace.notebook import Preset

OWN = "The run's own values"
CHOSEN = "filters preset"
WAITING = "filters preset waiting"  # name and values, until somebody says that they may replace
DONE, ERROR = "filters preset done", "filters preset error"


class Setting(NamedTuple):
    """Thresholds under a name, and which of their fields this iteration cannot follow."""

    name: str
    thresholds: FilterConfig
    left_out: tuple[str, ...] = ()


class Done(NamedTuple):
    """What was done to a preset last: what it was before, and after (None: it is gone)."""

    what: str
    before: Preset
    after: Preset | None


def applied(settings: Mapping[str, Any], data: Iteration) -> tuple[FilterConfig, tuple[str, ...]]:
    """A preset's thresholds as far as this iteration was measured for them, and the fields that
    stay as the run has them; so do fields that this version does not know."""
    own = data.config.filters
    values: dict[str, Any] = {}
    left_out = [name for name in settings if name not in FIELDS]
    for name in FIELDS:
        value = settings.get(name, getattr(own, name))
        if value == getattr(own, name):
            continue
        try:
            one = FilterConfig.model_validate({name: value})
        except ValidationError:
            left_out.append(name)
            continue
        asked = asked_of_the_model(one)
        other_clusters = name == "clusters" and value is not None
        if other_clusters or not set(asked) <= set(data.packed.of_model):
            left_out.append(name)
        else:
            values[name] = value
    return own.model_copy(update=values), tuple(left_out)


def choose_other(data: Iteration) -> Setting:
    """What the sliders are compared with: the run's own values, or a preset."""
    presets = state.workspace().database.presets()
    name = st.selectbox(
        "Compare with (A)",
        [OWN, *presets],
        key="filters compare",
        persist_state="session",
        help="The sliders at the left are B. The small numbers, the list of gained and lost pairs "
        "and the measures compare B with this. Save a setting as a preset to find it here.",
    )
    if name == OWN or name not in presets:
        return Setting(OWN, data.config.filters)
    setting = Setting(name, *applied(presets[name].settings, data))
    tell_left_out(setting)
    return setting


def tell_left_out(setting: Setting) -> None:
    """Say which parts of a preset do nothing here."""
    if setting.left_out:
        listed = ", ".join(setting.left_out)
        st.caption(
            f"Of the preset {plain(setting.name)}, {plain(listed)} is left as the run has it: this "
            "iteration was not measured for it."
        )


def presets_box(data: Iteration, chosen: FilterConfig) -> None:
    """Save the sliders' values under a name; use or delete what is saved, and take that back."""
    presets = state.workspace().database.presets()
    with st.expander("Presets", icon=":material/bookmark:", key="filters presets"):
        _form(chosen, presets)
        _ask_to_replace(presets)
        if message := st.session_state.pop(ERROR, None):
            st.error(plain(message), icon=":material/error:")
        _offer_undo()
        if presets:
            _saved(data, presets)


def _form(chosen: FilterConfig, presets: Mapping[str, Preset]) -> None:
    with st.form("save_preset", border=False, clear_on_submit=True):
        name = st.text_input(
            "Name of a preset",
            max_chars=60,
            help="Saves all values above under this name, in this workspace. Before a preset that "
            "is there already gets the new values, you are asked.",
        ).strip()
        if st.form_submit_button("Save these values", icon=":material/bookmark_add:"):
            with sentences():
                if name.casefold() == OWN.casefold():
                    raise InputError(f"{OWN!r} are on the list already: choose another name.")
                st.session_state.pop(WAITING, None)
                if name in presets:
                    st.session_state[WAITING] = name, chosen.model_dump()
                else:
                    _save(name, chosen.model_dump(), None)
                st.rerun()


def _save(name: str, settings: Mapping[str, Any], before: Preset | None) -> None:
    database = state.workspace().database
    database.save_preset(name, settings, reviewer_now())
    st.session_state[CHOSEN] = name
    st.session_state.pop(DONE, None)
    if before is not None:
        st.session_state[DONE] = Done("Replaced", before, database.presets().get(name))


def _ask_to_replace(presets: Mapping[str, Preset]) -> None:
    """A name that is taken: whose preset would be replaced, and the button that does it."""
    if (waiting := st.session_state.get(WAITING)) is None:
        return
    name, settings = waiting
    old = presets.get(name)
    if old is None:
        st.warning(f"The preset {plain(name)} was deleted meanwhile.", icon=":material/info:")
    else:
        st.warning(
            f"There is a preset {plain(name)}. {_origin(old)} Its values would be replaced for "
            "everybody in this workspace: replace it, or save yours under another name.",
            icon=":material/warning:",
        )
    with st.container(horizontal=True):
        st.button(
            "Save it" if old is None else "Replace it",
            key="replace_preset",
            on_click=_said,
            args=(_replace, name, settings, old),
        )
        st.button("Leave it", key="keep_preset", on_click=_forget, type="tertiary")


def _origin(preset: Preset) -> str:
    by = f" by {plain(preset.author)}" if preset.author else ""
    return f"Saved {preset.created:%Y-%m-%d %H:%M} UTC{by}."


def _replace(name: str, settings: Mapping[str, Any], shown: Preset | None) -> None:
    if state.workspace().database.presets().get(name) != shown:
        raise InputError(
            f"Nothing was replaced, because the preset {name} was saved or deleted just now: look "
            "at what is there, and press again."
        )
    _save(name, settings, shown)
    _forget()


def _forget() -> None:
    st.session_state.pop(WAITING, None)


def _said(act: Callable[..., None], *args: object) -> None:
    """A button's work, whose error the box says: a callback draws nothing itself."""
    try:
        act(*args)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)


def _offer_undo() -> None:
    """What was replaced or deleted last, and the button that brings it back."""
    done: Done | None = st.session_state.get(DONE)
    if done is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{done.what} the preset {plain(done.before.name)}. {_origin(done.before)}")
        st.button(
            "Undo",
            key="undo_preset",
            icon=":material/undo:",
            help="Bring back the values that the preset had.",
            on_click=_said,
            args=(_undo, done),
        )


def _undo(done: Done) -> None:
    database, (name, settings, author, created) = state.workspace().database, done.before
    st.session_state.pop(DONE, None)
    if database.presets().get(name) != done.after:
        raise InputError(
            f"Nothing was undone, because the preset {name} was saved or deleted again since."
        )
    database.save_preset(name, settings, author, created)
    st.session_state[CHOSEN] = name


def _saved(data: Iteration, presets: Mapping[str, Preset]) -> None:
    name = st.selectbox("Saved presets", list(presets), key=CHOSEN)
    st.caption(_origin(presets[name]))
    with st.container(horizontal=True):
        st.button(
            "Use",
            key="use_preset",
            icon=":material/tune:",
            help="Put the sliders to these values.",
            on_click=_use,
            args=(data,),
        )
        st.button(
            "Delete",
            key="delete_preset",
            icon=":material/delete:",
            help="Take it off this list. Runs and branches that used its values keep them. Undo "
            "brings it back.",
            on_click=_said,
            args=(_delete,),
        )
    if (used := st.session_state.pop("filters preset left out", None)) is not None:
        tell_left_out(used)


def _use(data: Iteration) -> None:
    name = str(st.session_state[CHOSEN])
    preset = state.workspace().database.presets().get(name)
    if preset is None:  # deleted in another window: the list says it
        return
    thresholds, left_out = applied(preset.settings, data)
    put(data.run_id, thresholds)
    if left_out:
        st.session_state["filters preset left out"] = Setting(name, thresholds, left_out)


def _delete() -> None:
    name, database = str(st.session_state[CHOSEN]), state.workspace().database
    if (before := database.presets().get(name)) is None:  # as in `_use`
        return
    database.save_preset(name, {}, reviewer_now())
    st.session_state[DONE] = Done("Deleted", before, None)
    if st.session_state.get("filters compare") == name:
        st.session_state["filters compare"] = OWN

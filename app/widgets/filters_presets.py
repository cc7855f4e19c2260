"""Named thresholds: save those of the sliders, put saved ones back, choose what to compare with.

    setting = choose_other(data)          # A: the run's own values, or a preset
    presets_box(data, chosen)             # save, use and delete

A preset is kept in the workspace for all runs. Where a run has not measured what a preset asks for,
that part of it is left as the run has it, and this is said.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from isara.errors import InputError
from isara.filters import asked_of_the_model

OWN = "The run's own values"
CHOSEN = "filters preset"


class Setting(NamedTuple):
    """Thresholds under a name, and which of their fields this iteration cannot follow."""

    name: str
    thresholds: FilterConfig
    left_out: tuple[str, ...] = ()


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
    """Save the sliders' values under a name; use or delete what is saved."""
    presets = state.workspace().database.presets()
    with st.expander("Presets", icon=":material/bookmark:", key="filters presets"):
        with st.form("save_preset", border=False, clear_on_submit=True):
            name = st.text_input(
                "Name of a preset",
                max_chars=60,
                help="Saves all values above under this name, in this workspace. A name that is "
                "there already gets the new values.",
            )
            if st.form_submit_button("Save these values", icon=":material/bookmark_add:"):
                with sentences():
                    if name.strip().casefold() == OWN.casefold():
                        raise InputError(f"{OWN!r} are on the list already: choose another name.")
                    author = reviewer_now()
                    state.workspace().database.save_preset(name, chosen.model_dump(), author)
                    st.session_state[CHOSEN] = name.strip()
                    st.rerun()
        if presets:
            _saved(data, presets)


def _saved(data: Iteration, presets: Mapping[str, Any]) -> None:
    name = st.selectbox("Saved presets", list(presets), key=CHOSEN)
    preset = presets[name]
    by = f" by {plain(preset.author)}" if preset.author else ""
    st.caption(f"Saved {preset.created:%Y-%m-%d %H:%M} UTC{by}.")
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
            help="Take it off this list. Runs and branches that used its values keep them.",
            on_click=_delete,
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
    name = str(st.session_state[CHOSEN])
    with sentences():
        state.workspace().database.save_preset(name, {})
    if st.session_state.get("filters compare") == name:
        st.session_state["filters compare"] = OWN

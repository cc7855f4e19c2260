"""Tells that a run has ended, on whatever page the reader is: in the tab's title, and by a toast.

    tell_endings(page)          # on every page, once (app/main.py)

The title can be read while another tab is in front; it stays until the reader goes to another page
or another run begins. A browser asks a tab in the background once a minute at least.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import state
from app.widgets.plain import plain
from isara.workspace.runs import RunState

TITLE = "ISARA Studio"
LOOK_SECONDS = 5
WORDS = {"done": "Done", "failed": "Failed", "waiting for review": "Waiting for review"}
ICONS = {"done": ":material/check_circle:", "failed": ":material/error:"}
UNDER_WAY = ("queued", "running")


def tell_endings(page: str) -> None:
    """Look now, and every few seconds as long as a run is under way; `page` is the one shown."""
    if st.session_state.get("notice_page") != page:
        st.session_state["notice_page"] = page
        st.session_state.pop("notice", None)
    states = run_states()
    active = any(found.state in UNDER_WAY for found in states.values())
    st.fragment(look, run_every=LOOK_SECONDS if active else None)([states])


def run_states() -> dict[str, RunState]:
    """What every run of the workspace says of itself; a file is read for each."""
    return {run.run_id: run.state() for run in state.workspace().runs()}


def look(first: list[dict[str, RunState]]) -> None:
    """Compare with the last look of this browser's session, and tell what ended; `first` holds what
    the page found when it was drawn, once."""
    states = first.pop() if first else run_states()
    now = {run_id for run_id, found in states.items() if found.state in UNDER_WAY}
    before: set[str] = st.session_state.get("runs_under_way", set())
    st.session_state["runs_under_way"] = now
    if now - before:
        st.session_state.pop("notice", None)
    ended = {run_id: states[run_id] for run_id in sorted(before - now) if run_id in states}
    for run_id, found in ended.items():
        st.toast(f"{word(found)}: {plain(run_id)}", icon=ICONS.get(found.state), duration="long")
    if ended:
        st.session_state["notice"] = headline(ended)
    notice: Any = st.session_state.get("notice")
    st.set_page_config(page_title=f"{notice} - {TITLE}" if notice else TITLE)


def headline(ended: dict[str, RunState]) -> str:
    """The words of the title."""
    if len(ended) > 1:
        return f"{len(ended)} runs ended"
    ((run_id, found),) = ended.items()
    return f"{word(found)}: {run_id}"


def word(found: RunState) -> str:
    """How a run ended, in a word."""
    return WORDS.get(found.state, "Stopped")

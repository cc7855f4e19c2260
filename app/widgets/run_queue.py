"""The queue: which run works, which wait, and in which order.

show_queue()

The order is on disk (jobs.py): a reload, another tab or a restarted app shows the same.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import state
from app.widgets.plain import plain, sentences
from isara.errors import IsaraError

REFRESH_SECONDS = 2


def show_queue() -> None:
    """The waiting runs with their buttons; nothing where none waits."""
    waiting = bool(state.supervisor().queue())
    st.fragment(draw_queue, run_every=REFRESH_SECONDS if waiting else None)(waiting)


def draw_queue(refreshed: bool) -> None:
    """One look at the queue, drawn."""
    supervisor = state.supervisor()
    waiting, active = supervisor.queue(), supervisor.active()
    if not waiting:
        if refreshed:
            st.rerun()  # the whole page: it stops redrawing this part
        return
    with st.container(border=True), sentences():
        running = f"Running: {', '.join(active)}. " if active else ""
        if supervisor.measuring():
            running += "A dry run measures first. "
        st.text(f"{running}Waiting: {len(waiting)}. Runs on one device take turns.")
        for place, run_id in enumerate(waiting, 1):
            draw_waiting(run_id, place, len(waiting))


def draw_waiting(run_id: str, place: int, count: int) -> None:
    """A waiting run: its place, its id and what can be done with it."""
    move = state.supervisor().move
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{place}. {run_id}", width="stretch")
        small_button("first", run_id, "Start this one next", place == 1, lambda: move(run_id, 1))
        small_button("up", run_id, "One place up", place == 1, lambda: move(run_id, place - 1))
        down = place == count
        small_button("down", run_id, "One place down", down, lambda: move(run_id, place + 1))
        small_button(
            "remove",
            run_id,
            "Take it off the queue; what it has done is kept, and Resume puts it back",
            False,
            lambda: state.supervisor().stop(run_id),
        )


ICONS = {"first": "vertical_align_top", "up": "arrow_upward", "down": "arrow_downward"}
ICONS |= {"remove": "close"}


def small_button(
    name: str, run_id: str, text: str, disabled: bool, action: Callable[[], None]
) -> None:
    """A button with an icon and what it does on hover; what goes wrong is said."""
    label = {"first": "First", "up": "Up", "down": "Down", "remove": "Remove"}[name]
    icon = f":material/{ICONS[name]}:"
    if st.button(label, key=f"queue {name} {run_id}", help=text, icon=icon, disabled=disabled):
        try:
            action()
        except IsaraError as error:
            st.error(plain(error))
        else:
            st.rerun()

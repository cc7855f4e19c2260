"""The log of a run: by level, searched, its end or all of it; as text, whatever it holds.

show_log(folder, events)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from isara.workspace.log import LEVELS, Line, event_lines, printed_lines, selected
from isara.workspace.runs import RunFolder

NOTED, PRINTED = "What the run noted", "What its programs printed"
LENGTHS = (50, 200, 1000)
HEIGHT = 320  # pixels
OPEN = "run_log_open"  # keys of the expander begin so
LEVEL_HELP = (
    "The least important lines that are shown: debug shows everything (each training step, the "
    "memory), info what was done, warning and error what may need you."
)


def show_log(folder: RunFolder, events: Sequence[dict[str, Any]], *, is_open: bool = False) -> None:
    """The log in an expander; `is_open` from the start where something went wrong.

    A run that is followed is drawn every few seconds: a log that nobody reads is not made."""
    about = f"{folder.run_id} {is_open}"
    expander = st.expander("Log", expanded=is_open, key=f"{OPEN} {about}", on_change="rerun")
    if not expander.open:
        return
    with expander:
        printed = printed_lines(folder) if is_open else []
        source, level, search, length = controls(about, PRINTED if printed else NOTED)
        lines = event_lines(events) if source == NOTED else printed or printed_lines(folder)
        found = selected(lines, level, search)
        shown = found[-length:]
        if not shown:
            st.caption("No such line." if lines else "Nothing yet.")
            return
        st.code("\n".join(map(text_of, shown)), language=None, wrap_lines=True, height=HEIGHT)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"The last {len(shown):,} of {len(found):,} lines.", width="stretch")
            st.download_button(
                "Download these lines",
                "\n".join(map(text_of, found)),
                file_name=f"{folder.run_id}.log",
                on_click="ignore",
                icon=":material/download:",
            )


def controls(about: str, first: str) -> tuple[str, str, str, int]:
    """Which log (`first` before anything is chosen), the least level, the words searched for, how
    many lines."""
    source = st.segmented_control(
        "Log of", [NOTED, PRINTED], default=first, required=True, key=f"run_log {about}"
    )
    left, middle, right = st.columns([1, 3, 1])
    level = left.selectbox("Level", LEVELS, 1, key="run_log_level", help=LEVEL_HELP)
    search = middle.text_input("Search the log", key="run_log_search", placeholder="any word")
    length = right.selectbox("Lines", LENGTHS, 1, key="run_log_lines")
    return source, level, search, length


def text_of(line: Line) -> str:
    """A line with its time, by the clock of this machine, and its level."""
    time = "" if line.time is None else f"{datetime.fromtimestamp(line.time):%Y-%m-%d %H:%M:%S}  "
    return f"{time}{line.level:<8} {line.text}"

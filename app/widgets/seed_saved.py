"""The tab of saved seed sets: choose one and a version, see what it is like."""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets import seed_preview, seed_statistics
from app.widgets.plain import plain
from app.widgets.seed_choice import choose_seed_set


@st.cache_data(max_entries=10)
def _statistics(name: str, version: int) -> seed_statistics.Statistics:
    return seed_statistics.statistics(state.seed_examples(name, version))


def show() -> None:
    """The chosen seed set."""
    info = choose_seed_set()
    if info is None:
        return
    note = f" · {plain(info.note)}" if info.note else ""
    st.caption(f"Saved {info.created:%d %b %Y, %H:%M} UTC{note}")
    examples = state.seed_examples(info.name, info.version)
    rows = range(1, len(examples) + 1)
    seed_statistics.show(_statistics(info.name, info.version), examples, rows)
    st.subheader("Examples")
    seed_preview.preview(examples, rows, "saved")

"""Where a run comes from: of which run, at which iteration, with what changed.

show_lineage(folder)
"""

from __future__ import annotations

import streamlit as st

from app.widgets.plain import plain
from isara.report_words import branch_sentence
from isara.workspace.runs import RunFolder


def show_lineage(folder: RunFolder) -> None:
    """Of which run a branch is, and what was changed; nothing for other runs."""
    if words := branch_sentence(folder.branched_from):
        st.caption(f":material/call_split: {plain(words)}")

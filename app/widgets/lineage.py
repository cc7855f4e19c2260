"""Where a run comes from: of which run, at which iteration, with what changed.

show_lineage(folder)
"""

from __future__ import annotations

import streamlit as st

from app.widgets.plain import plain
from isara.workspace.runs import RunFolder


def show_lineage(folder: RunFolder) -> None:
    """Of which run a branch is, and what was changed; nothing for other runs."""
    lineage = folder.branched_from
    if lineage is None:
        return
    changes = "; ".join(lineage["changes"]) or "nothing was changed"
    st.caption(
        f":material/call_split: A branch of {plain(lineage['run_id'])} at iteration "
        f"{lineage['at']}: {plain(changes)}"
    )

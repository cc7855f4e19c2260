"""The Filters page: move a threshold and see which pairs of a run are kept."""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets import filters_results
from app.widgets.filters_controls import controls
from app.widgets.filters_data import difference, judge
from app.widgets.filters_presets import choose_other, presets_box
from app.widgets.hints import hint
from app.widgets.lineage import show_lineage
from app.widgets.plain import sentences
from app.widgets.samples_data import load_iteration
from app.widgets.samples_picker import pick_iteration


@st.fragment
def explore(run_id: str, k: int) -> None:
    """The thresholds and what follows from them; a moved slider runs this alone."""
    with sentences():
        data = load_iteration(state.run_folder(run_id), k)
        left, right = st.columns([3, 5], gap="medium")
        with left:
            chosen = controls(data)
            presets_box(data, chosen)
        with right:
            other = choose_other(data)
            decisions = state.decision_log(run_id, k).counting()
            a, b = (judge(data, one, decisions) for one in (other.thresholds, chosen))
            filters_results.show(data, chosen, other, difference(a, b), decisions)


st.title("Filters")
hint("filters")
with sentences():
    if (picked := pick_iteration("filters")) is not None:
        show_lineage(state.run_folder(picked.run_id))
        explore(picked.run_id, picked.k)

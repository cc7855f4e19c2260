"""The Filters page: move a threshold and see which pairs of a run are kept."""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets import filters_results
from app.widgets.filters_controls import controls
from app.widgets.filters_data import judge
from app.widgets.hints import hint
from app.widgets.plain import plain
from app.widgets.samples_data import load_iteration
from app.widgets.samples_picker import pick_iteration
from isara.errors import IsaraError


@st.fragment
def explore(run_id: str, k: int) -> None:
    """The thresholds and what follows from them; a moved slider runs this alone."""
    try:
        data = load_iteration(state.run_folder(run_id), k)
        left, right = st.columns([3, 5], gap="medium")
        with left:
            chosen = controls(data)
        with right:
            decisions = state.decision_log(run_id, k).counting()
            filters_results.show(data, chosen, judge(data, chosen, decisions))
    except IsaraError as error:
        st.error(plain(str(error)))


st.title("Filters")
hint("filters")
try:
    if (picked := pick_iteration("filters")) is not None:
        explore(picked.run_id, picked.k)
except IsaraError as error:
    st.error(plain(str(error)))

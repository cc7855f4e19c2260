"""Results: harmful rate, scaling ratio and what else was measured, for one run or several."""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets.hints import hint
from app.widgets.results_charts import empty, show_results
from app.widgets.results_data import choose_runs

st.title("Results")
hint("results")

if not state.run_ids():
    empty()
    st.stop()
chosen = choose_runs()
st.caption(
    "Measured on the dev split of the eval set, the part that settings may be tuned on. The test "
    "split is for the final report: `python -m isara show RUN_ID` shows it and counts the looks."
)
if chosen:
    show_results(chosen)
else:
    st.info("Choose one or several runs.", icon=":material/info:")

"""Report: one HTML file for people without this app; a run's pairs and models to take away."""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets.hints import hint
from app.widgets.report_export import data_section, model_section
from app.widgets.report_view import report_section
from app.widgets.results_charts import empty
from app.widgets.results_data import choose_runs
from app.widgets.samples_picker import has_models

st.title("Report")
hint("report")

if not state.run_ids():
    empty()
    st.stop()
chosen = choose_runs(has_models)
if not chosen:
    st.info("Choose one or several runs.", icon=":material/info:")
    st.stop()
report_section(chosen)
st.subheader("Export")
data_section(chosen)
model_section(chosen)

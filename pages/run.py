"""Run: set up a run, start it, and follow it while a worker of its own does the work."""

from __future__ import annotations

import streamlit as st

from app.widgets.hints import hint
from app.widgets.run_form import checked, choose_start, settings_form
from app.widgets.run_live import choose_run, follow
from app.widgets.run_queue import show_queue
from app.widgets.run_start import start_section

st.title("Run")
hint("run")

# Closed on a link to a run and after Start; it must not close while somebody fills it in.
is_open = st.session_state.setdefault("run_setup_open", "run" not in st.query_params)
with st.expander("Set up a run", expanded=is_open):
    start = choose_start()
    if start is not None:
        start_section(*checked(settings_form(start)))

st.subheader("Progress")
show_queue()
run_id = choose_run()
if run_id is not None:
    follow(run_id)

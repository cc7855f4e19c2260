"""Run: set up a run, start it, and follow it while a worker of its own does the work."""

from __future__ import annotations

import streamlit as st

from app.look import STAND_STILL
from app.widgets.hints import hint
from app.widgets.run_draft import keep, source_of_draft
from app.widgets.run_form import checked, choose_start, settings_form
from app.widgets.run_live import choose_run, follow
from app.widgets.run_queue import show_queue
from app.widgets.run_start import start_section

st.title("Run")
hint("run")

# Closed on a link to a run and after Start; it must not close while somebody fills it in.
unfinished = "run" not in st.query_params or source_of_draft() is not None
is_open = st.session_state.setdefault("run_setup_open", unfinished)


# A message for the page as a whole ends its drawing, and with it what was pressed just before; one
# for a fragment waits for its turn.
@st.fragment
def set_up() -> None:
    """The form; a setting draws it alone, Start draws the page."""
    start = choose_start()
    if start is not None:
        config, problems = checked(settings_form(start))
        keep(config)
        start_section(config, problems)


with st.expander("Set up a run", expanded=is_open), st.container(key="run_setup"):
    # As markdown: it is there with the first word, st.html comes later than many widgets.
    st.container(key="run_still").markdown(STAND_STILL, unsafe_allow_html=True)
    set_up()

st.subheader("Progress")
show_queue()
run_id = choose_run()
if run_id is not None:
    follow(run_id)

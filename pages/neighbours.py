"""Neighbours: which examples a model is shown for a question, and a run's rows on a map."""

from __future__ import annotations

import streamlit as st

from app.widgets.hints import hint
from app.widgets.inspect_view import inspect
from app.widgets.neighbours_question import question
from app.widgets.plain import sentences

QUESTION, MAP = "One question", "A run on a map"

st.title("Neighbours")
view = st.segmented_control(
    "What to look at",
    [QUESTION, MAP],
    default=QUESTION,
    required=True,
    key="view",
    bind="query-params",
    label_visibility="collapsed",
)
hint("inspect" if view == MAP else "neighbours")
with sentences():
    if view == MAP:
        inspect()
    else:
        question()

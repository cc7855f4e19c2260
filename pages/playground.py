"""Playground: models of a run answer one question side by side, or are voted on blind."""

from __future__ import annotations

import streamlit as st

from app.widgets.hints import hint
from app.widgets.plain import sentences
from app.widgets.playground_ask import ask
from app.widgets.playground_vote import vote

ASK, VOTE = "Ask models", "Blind vote"

st.title("Playground")
hint("playground")
mode = st.segmented_control(
    "What to do",
    [ASK, VOTE],
    default=ASK,
    required=True,
    key="play",
    bind="query-params",
    label_visibility="collapsed",
)
with sentences():
    if mode == VOTE:
        vote()
    else:
        ask()

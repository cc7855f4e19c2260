"""The page of seed."""

from __future__ import annotations

import streamlit as st

from app.widgets.hints import hint

st.title("Seed")
hint("seed")

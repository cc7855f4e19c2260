"""The page of neighbours."""

from __future__ import annotations

import streamlit as st

from app.widgets.hints import hint

st.title("Neighbours")
hint("neighbours")

"""Seed: look at saved seed sets, bring a file of one's own, mend it, save it as a version."""

from __future__ import annotations

import streamlit as st

from app.widgets import seed_saved, seed_upload
from app.widgets.hints import hint
from app.widgets.plain import sentences

st.title("Seed examples")
st.caption(
    "A seed set is a short list of questions with the answers you would like to see. A model is "
    "shown a few of them at a time and writes more in their manner."
)
hint("seed")
saved, own = st.tabs(
    ["Saved seed sets", "Bring your own file"], key="seed_tab", bind="query-params"
)
with sentences():
    if saved.open:
        with saved:
            seed_saved.show()
    if own.open:
        with own:
            seed_upload.show()

"""Seed: saved seed sets, a file of one's own, editing, near-duplicates, coverage, versions."""

from __future__ import annotations

import streamlit as st

from app.widgets import (
    seed_duplicates,
    seed_edit,
    seed_map,
    seed_saved,
    seed_suggest,
    seed_upload,
    seed_versions,
)
from app.widgets.hints import hint
from app.widgets.plain import sentences

TABS = {
    "Saved seed sets": seed_saved.show,
    "Bring your own file": seed_upload.show,
    "Edit": seed_edit.show,
    "Near-duplicates": seed_duplicates.show,
    "Coverage": seed_map.show,
    "Suggest more": seed_suggest.show,
    "Versions": seed_versions.show,
}

st.title("Seed examples")
st.caption(
    "A seed set is a short list of questions with the answers you would like to see. A model is "
    "shown a few of them at a time and writes more in their manner."
)
hint("seed")
seed_suggest.CHANGED.stay()
tabs = st.tabs(list(TABS), key="seed_tab", bind="query-params")
with sentences():
    for tab, show in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab:
                show()

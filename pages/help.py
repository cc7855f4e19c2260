"""Help: how to start, methods, words, what to do when something goes wrong, and other tools."""

from __future__ import annotations

import streamlit as st

from app.look import table_of_marks
from isara.config import PROJECT_ROOT

PARTS = {
    "Start": "start.md",
    "Methods": "methods.md",
    "Words": "words.md",
    "When something goes wrong": "trouble.md",
    "Beside other tools": "compare.md",
}

tabs = st.tabs(list(PARTS), key="part", bind="query-params")
for tab, file in zip(tabs, PARTS.values(), strict=True):
    with tab:
        # Our own text, and the only one on the pages that is read as Markdown whole.
        st.markdown((PROJECT_ROOT / "app" / "help" / file).read_text(encoding="utf-8"))
        if file == "words.md":
            st.subheader("Marks")
            st.caption("A mark means the same on every page, in lists, on badges and on buttons.")
            st.markdown(table_of_marks())

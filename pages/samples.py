"""The Samples page: pairs that a model wrote, those of a run or a handful written now."""

from __future__ import annotations

import streamlit as st

from app.widgets import samples_browse, samples_generate
from app.widgets.hints import hint
from app.widgets.plain import plain
from app.widgets.samples_picker import pick_iteration
from isara.errors import IsaraError

BROWSE, WRITE = "Pairs of a run", "Write a few now"

st.title("Samples")
hint("samples")
mode = st.segmented_control(
    "What to look at",
    [BROWSE, WRITE],
    default=BROWSE,
    required=True,
    key="mode",
    bind="query-params",
    label_visibility="collapsed",
)
try:
    if mode == WRITE:
        samples_generate.generate()
    elif (data := pick_iteration("samples", on_change=samples_browse.forget)) is not None:
        samples_browse.browse(data)
except IsaraError as error:
    st.error(plain(str(error)))

"""The Samples page: pairs that a model wrote, those of a run or a handful written now.

Review decides on a run's pairs one by one; the last mode labels the answers of a run's models, to
see how far its judge can be trusted.
"""

from __future__ import annotations

import streamlit as st

from app.widgets import review_page, samples_browse, samples_generate, samples_label
from app.widgets.hints import hint
from app.widgets.plain import sentences
from app.widgets.samples_picker import pick_iteration

BROWSE, REVIEW = "Pairs of a run", "Review"
WRITE, LABEL = "Write a few now", "Label answers"

with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Samples", width="content")
    mode = st.segmented_control(
        "What to look at",
        [BROWSE, REVIEW, WRITE, LABEL],
        default=BROWSE,
        required=True,
        key="mode",
        bind="query-params",
        label_visibility="collapsed",
    )
if mode != REVIEW:  # whose card needs the room
    hint({WRITE: "write", LABEL: "label"}.get(str(mode), "samples"))
with sentences():
    if mode == WRITE:
        samples_generate.generate()
    elif mode == LABEL:
        samples_label.label_answers(on_change=samples_browse.forget)
    elif mode == REVIEW:
        review_page.review(on_change=samples_browse.forget)
    elif (data := pick_iteration("samples", on_change=samples_browse.forget)) is not None:
        samples_browse.browse(data)

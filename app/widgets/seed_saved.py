"""The tab of saved seed sets: choose one and a version, see what it is like."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.widgets import seed_data, seed_preview, seed_statistics
from app.widgets.plain import plain
from app.widgets.seed_choice import choose_seed_set
from isara.curation import SeedRow, chosen, tag_counts


@st.cache_resource(max_entries=10, show_spinner="Comparing the examples …")
def _statistics(name: str, version: int) -> seed_statistics.Statistics:
    return seed_statistics.statistics(seed_data.saved_set(name, version).examples)


def show() -> None:
    """The chosen seed set."""
    info = choose_seed_set()
    if info is None:
        return
    said = [f"Saved {info.created:%d %b %Y, %H:%M} UTC"]
    said += [f"by {plain(info.author)}"] if info.author else []
    st.caption(" · ".join([*said, *([plain(info.note)] if info.note else [])]))
    if (draft := seed_data.drafts().open(info.name)) is not None and draft.view().changed:
        st.info("There is a draft with changes that are not saved as a version yet: see Edit.")
    examples = seed_data.saved_set(info.name, info.version).examples
    rows = seed_data.saved_rows(info.name, info.version)
    numbers = range(1, len(examples) + 1)
    seed_statistics.show(_statistics(info.name, info.version), examples, numbers)
    st.subheader("Examples")
    places = _chosen(rows)
    seed_preview.preview(
        [examples[place] for place in places],
        [place + 1 for place in places],
        "saved",
        [rows[place].tags for place in places],
    )


def _chosen(rows: Sequence[SeedRow]) -> list[int]:
    """Places of the rows that have the tags that are asked for, all of them without any tag."""
    counts = tag_counts(rows)
    if not counts:
        return list(range(len(rows)))
    tags = st.multiselect(
        "Tags",
        list(counts),
        format_func=lambda name: f"{name} ({counts.get(name, 0)})",
        key="seed_saved_tags",
        help="Rows that have all of these tags.",
    )
    return chosen(rows, tags=tags)

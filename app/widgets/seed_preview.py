"""A table of examples that is sent to the browser page by page.

preview(examples, rows, key="saved")
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.look import TEXT_ROW
from isara.examples import Example

PAGE_ROWS = 50


def page_slice(total: int, key: str, size: int = PAGE_ROWS) -> slice:
    """Which of `total` rows to show; draws the page buttons when there are several pages."""
    pages = max(1, -(-total // size))
    if pages == 1:
        return slice(0, total)
    page = min(st.pagination(pages, key=key), pages)
    return slice((page - 1) * size, page * size)


def preview(
    examples: Sequence[Example],
    rows: Sequence[int],
    key: str,
    tags: Sequence[Sequence[str]] | None = None,
) -> None:
    """The examples with the numbers that readers know them by, and the tags of each."""
    shown = page_slice(len(examples), f"{key}_page")
    part = examples[shown]
    table: dict[str, list[object]] = {
        "Row": list(rows[shown]),
        "Question": [example.question for example in part],
        "Answer": [example.answer for example in part],
    }
    if any(example.category for example in part):
        table["Category"] = [example.category for example in part]
    if tags is not None and any(tags):
        table["Tags"] = [list(names) for names in tags[shown]]
    st.dataframe(
        table,
        hide_index=True,
        row_height=TEXT_ROW,
        column_config={
            "Row": st.column_config.NumberColumn(width="small"),
            "Question": st.column_config.TextColumn(width="large"),
            "Answer": st.column_config.TextColumn(width="large"),
        },
        alt="Examples",
    )

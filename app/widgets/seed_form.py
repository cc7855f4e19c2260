"""The form for one row or two: add, open, split, merge; it stands above the table while it is open.

open_form("split", [key])        # in a callback
show(hand)                       # draws the form that is open, if any
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from app.widgets import seed_data
from app.widgets.plain import plain
from app.widgets.seed_data import PANEL, InHand
from isara.curation import (
    Change,
    SeedRow,
    add,
    edit,
    halves,
    merge,
    merged,
    new_row,
    split,
    tag_counts,
)

MOST_CHARACTERS = 20_000
TITLES = {
    "add": "A new row",
    "open": "Row {numbers}",
    "split": "Split row {numbers} into two",
    "merge": "Merge rows {numbers} into one",
}
HELP = {
    "add": "It comes after the ticked row, or at the end.",
    "open": "",
    "split": "The first keeps the row's place, the second comes right after it. Change the texts "
    "as they should be.",
    "merge": "It takes the place of the first of the two; the other one goes. Change the text as "
    "it should be.",
}
CHANGED_MEANWHILE = (
    "Not done, because the row was changed in another window after this form was opened. It is "
    "shown as it is now; look at it and make your change again."
)
DONE = {"add": "Add", "open": "Change", "split": "Split", "merge": "Merge"}


class Form(NamedTuple):
    """An open form: what it does, to which rows, and the number that its fields are named by.

    `said` stands above it as text, such as the questions that a new row should answer to. `rows`
    are those that its fields were filled from: the fields stay when somebody changes the rows.
    """

    kind: str
    keys: tuple[str, ...]
    number: int
    said: str = ""
    rows: tuple[SeedRow, ...] | None = None


def open_form(kind: str, keys: Sequence[str] = (), said: str = "") -> None:
    """Open a form in place of the one that is open."""
    number = st.session_state["seed_forms"] = st.session_state.get("seed_forms", 0) + 1
    st.session_state[PANEL] = Form(kind, tuple(keys), number, said)


def show(hand: InHand) -> None:
    """The form that is open."""
    form: Form | None = st.session_state.get(PANEL)
    if form is None:
        return
    by_key = {row.key: row for row in hand.rows}
    if any(key not in by_key for key in form.keys):
        st.session_state.pop(PANEL)
        st.info("The row of the form that was open is gone: undo to bring it back.")
        return
    rows = [by_key[key] for key in form.keys]
    if form.rows is None:
        form = st.session_state[PANEL] = form._replace(rows=tuple(rows))
    numbers = " and ".join(str(hand.places[key]) for key in form.keys)
    with st.container(border=True):
        st.subheader(TITLES[form.kind].format(numbers=numbers))
        if HELP[form.kind]:
            st.caption(HELP[form.kind])
        if form.said:
            st.text(form.said)
        with st.form(f"seed_form_{form.number}", border=False, enter_to_submit=False):
            _fields(form, _first_values(form, rows), hand)
            with st.container(horizontal=True):
                st.form_submit_button(
                    DONE[form.kind], type="primary", on_click=_submit, args=(hand, form, rows)
                )
                st.form_submit_button("Cancel", on_click=_close)


def _first_values(form: Form, rows: Sequence[SeedRow]) -> list[SeedRow]:
    if form.kind == "add":
        return [new_row(category=rows[0].category if rows else None)]
    if form.kind == "split":
        return list(halves(rows[0]))
    return [merged(*rows)] if form.kind == "merge" else [rows[0]]


def _fields(form: Form, values: Sequence[SeedRow], hand: InHand) -> None:
    categories, tags = seed_data.category_names(hand.rows), list(tag_counts(hand.rows))
    for place, (box, row) in enumerate(zip(st.columns(len(values)), values, strict=True)):
        with box:
            row_fields(f"seed_form_{form.number}_{place}", row, categories, tags)


def row_fields(key: str, row: SeedRow, categories: Sequence[str], tags: Sequence[str]) -> None:
    """The fields of one row; `read_fields` gives what is in them."""
    for name, height in (("question", 100), ("answer", 140)):
        st.text_area(
            name.capitalize(),
            getattr(row, name),
            key=f"{key}_{name}",
            height=height,
            max_chars=MOST_CHARACTERS,
        )
    left, right = st.columns(2)
    options = sorted({*categories, *([row.category] if row.category else [])})
    left.selectbox(
        "Category",
        options,
        index=options.index(row.category) if row.category else None,
        accept_new_options=True,
        placeholder="None",
        key=f"{key}_category",
    )
    right.multiselect(
        "Tags",
        list(dict.fromkeys([*tags, *row.tags])),
        row.tags,
        accept_new_options=True,
        placeholder="None",
        key=f"{key}_tags",
        help="Words of your own to find rows again. They are saved with the version.",
    )


def read_fields(key: str, row: SeedRow) -> SeedRow:
    """The row with what the fields hold."""
    state = st.session_state
    return row._replace(
        question=state[f"{key}_question"],
        answer=state[f"{key}_answer"],
        category=state[f"{key}_category"] or None,
        tags=tuple(state[f"{key}_tags"]),
    )


def _submit(hand: InHand, form: Form, rows: Sequence[SeedRow]) -> None:
    values = _first_values(form, rows)
    read = [read_fields(f"seed_form_{form.number}_{i}", row) for i, row in enumerate(values)]
    typed = " · ".join(f"{row.question} {row.answer}" for row in read)
    if form.kind != "add" and form.rows != tuple(rows):
        seed_data.refuse(CHANGED_MEANWHILE, typed)
        _close()
        return
    made = _change(hand, form, rows, read)
    if seed_data.change(hand, made, typed) is not None:
        seed_data.clear()
        st.toast(plain(made.title), icon=":material/check:")


def _change(hand: InHand, form: Form, rows: Sequence[SeedRow], read: Sequence[SeedRow]) -> Change:
    numbers = [hand.places[row.key] for row in rows]
    if form.kind == "add":
        last = rows[0] if rows else (hand.rows[-1] if hand.rows else None)
        return add(read[0], last)
    if form.kind == "split":
        return split(rows[0], read[0], read[1], numbers[0])
    if form.kind == "merge":
        return merge(rows[0], rows[1], read[0], numbers)
    values = {name: getattr(read[0], name) for name in ("question", "answer", "category", "tags")}
    return edit(rows[0], numbers[0], **values)


def _close() -> None:
    st.session_state.pop(PANEL, None)

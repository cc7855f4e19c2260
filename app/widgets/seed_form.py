"""The form for one row or two: add, open, split, merge; it stands above the table while it is open.

open_form(hand, "split", [key])  # in a callback
show(hand)                       # draws the form that is open, if any

What is typed is on disk a moment after the last key (seed_form_kept.py) and stays until the form's
button or Cancel is pressed: over a reload, a visit to another page and a restart of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.widgets import seed_data, seed_form_kept
from app.widgets.plain import plain
from app.widgets.seed_data import InHand
from app.widgets.seed_form_kept import Form, Rows
from app.widgets.typed_text import KEEPS, send_while_typed
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
from isara.errors import IsaraError

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
    "Not done, because the row was changed in another window after this form was opened. The table "
    "shows it as it is now, and the form what you wrote: press the form's button again to put that "
    "in its place, or Cancel."
)
STILL_OPEN = (
    "Not opened, because the form that is open holds text that is not in the seed set yet: press "
    "its button, or Cancel, first."
)
GONE = "The row of the form that was open is gone: undo to bring it back."
DONE = {"add": "Add", "open": "Change", "split": "Split", "merge": "Merge"}


def open_form(hand: InHand, kind: str, keys: Sequence[str] = (), said: str = "") -> None:
    """Open a form; one that is open gives way unless something was typed into it."""
    form = seed_form_kept.current(hand)
    if form is not None and form.first != _typed(form):
        seed_data.refuse(STILL_OPEN)
        return
    if form is not None:
        seed_form_kept.close(form)
    seed_form_kept.opened(hand.name, kind, keys, said)


def show(hand: InHand) -> None:
    """The form that is open."""
    form = seed_form_kept.current(hand)
    if form is None:
        return
    if form.kind != "add" and len(_rows(form, hand)) < len(form.keys):
        _gone(form)
        return
    form = _filled(form, hand)
    numbers = " and ".join(str(hand.places[key]) for key in form.keys if key in hand.places)
    with st.container(border=True, key=f"{KEEPS}seed_form"):
        st.subheader(TITLES[form.kind].format(numbers=numbers))
        if HELP[form.kind]:
            st.caption(HELP[form.kind])
        if form.said:
            st.text(form.said)
        _fields(form, hand)
        st.caption(
            "What you type is kept, also over a reload of the page. It is not in the seed set "
            f"before you press {DONE[form.kind]}; Cancel deletes it."
        )
        with st.container(horizontal=True):
            st.button(
                DONE[form.kind],
                type="primary",
                key="seed_form_done",
                on_click=_submit,
                args=(hand, form.number),
            )
            st.button("Cancel", key="seed_form_cancel", on_click=_cancel, args=_named(form))
    send_while_typed()


def _named(form: Form) -> tuple[str, int]:
    return form.name, form.number


def _rows(form: Form, hand: InHand) -> Rows:
    """The rows of the form that are there, as they are now."""
    by_key = {row.key: row for row in hand.rows}
    return tuple(by_key[key] for key in form.keys if key in by_key)


def _gone(form: Form) -> None:
    """Say that the form has no row any more, with what was typed."""
    if form.typed == form.first:
        seed_form_kept.close(form)
        st.info(GONE)
        return
    with st.container(border=True):
        st.info(f"{GONE} What you had written is below.")
        for row in form.typed:
            st.text(f"{row.question}\n\n{row.answer}")
        st.button("Cancel", key="seed_form_cancel", on_click=_cancel, args=_named(form))


def _filled(form: Form, hand: InHand) -> Form:
    """The form with the rows that it was opened on, and what its fields are drawn with."""
    if form.rows is None:
        rows = _rows(form, hand)
        first = _first_values(form.kind, rows)
        form = form._replace(version=hand.version, rows=rows, first=first, typed=first)
    if f"{_key(form, 0)}_tags" not in st.session_state:  # new, or another page was looked at
        form = form._replace(begin=form.typed)
    return seed_form_kept.put(form)


def _first_values(kind: str, rows: Rows) -> Rows:
    if kind == "add":
        return (new_row(category=rows[0].category if rows else None),)
    if kind == "split":
        return halves(rows[0])
    return (merged(*rows),) if kind == "merge" else (rows[0],)


def _fields(form: Form, hand: InHand) -> None:
    categories, tags = seed_data.category_names(hand.rows), list(tag_counts(hand.rows))
    for place, (box, row) in enumerate(zip(st.columns(len(form.begin)), form.begin, strict=True)):
        with box:
            key = _key(form, place)
            row_fields(key, row, categories, tags, on_change=_keep, args=_named(form))


def _key(form: Form, place: int) -> str:
    return f"seed_form_{form.number}_{place}"


def _typed(form: Form) -> Rows:
    """What the fields hold by now; what they held last where another page was looked at since."""
    return tuple(read_fields(_key(form, place), row) for place, row in enumerate(form.typed))


def _keep(name: str, number: int) -> None:
    """Put on disk what the fields hold now."""
    if form := seed_form_kept.numbered(name, number):
        try:
            seed_form_kept.type_into(form, _typed(form))
        except IsaraError as error:
            seed_data.refuse(str(error))


def _cancel(name: str, number: int) -> None:
    if form := seed_form_kept.numbered(name, number):
        seed_form_kept.close(form)


def row_fields(
    key: str,
    row: SeedRow,
    categories: Sequence[str],
    tags: Sequence[str],
    on_change: Callable[..., None],
    args: tuple[Any, ...],
) -> None:
    """The fields of one row; `read_fields` gives what is in them."""
    for name, height in (("question", 100), ("answer", 140)):
        st.text_area(
            name.capitalize(),
            getattr(row, name),
            key=f"{key}_{name}",
            height=height,
            max_chars=MOST_CHARACTERS,
            on_change=on_change,
            args=args,
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
        on_change=on_change,
        args=args,
    )
    right.multiselect(
        "Tags",
        list(dict.fromkeys([*tags, *row.tags])),
        row.tags,
        accept_new_options=True,
        placeholder="None",
        key=f"{key}_tags",
        on_change=on_change,
        args=args,
        help="Words of your own to find rows again. They are saved with the version.",
    )


def read_fields(key: str, row: SeedRow) -> SeedRow:
    """The row with what the fields hold; as it is where they are not drawn."""
    state = st.session_state
    if f"{key}_tags" not in state:  # the last of them
        return row
    return row._replace(
        question=state[f"{key}_question"],
        answer=state[f"{key}_answer"],
        category=state[f"{key}_category"] or None,
        tags=tuple(state[f"{key}_tags"]),
    )


def _submit(hand: InHand, number: int) -> None:
    form = seed_form_kept.numbered(hand.name, number)
    if form is None:
        return  # a second click
    read, rows = _typed(form), _rows(form, hand)
    typed = " · ".join(f"{row.question} {row.answer}" for row in read)
    if form.kind != "add" and form.rows != rows:
        seed_data.refuse(CHANGED_MEANWHILE, typed)
        seed_form_kept.put(form._replace(rows=rows, typed=read))
        return
    made = _change(hand, form, rows, read)
    if seed_data.change(hand, made, typed) is not None:
        seed_form_kept.close(form)
        seed_data.clear()
        st.toast(plain(made.title), icon=":material/check:")


def _change(hand: InHand, form: Form, rows: Rows, read: Rows) -> Change:
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

"""The tab for editing a seed set: filters, what to do with ticked rows, the table, saving.

Every change is on disk before the page is drawn again (seed_data.py); the table is seed_table.py,
the form for one row or two seed_form.py, problems and saving seed_save.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.widgets import seed_data, seed_form, seed_save, seed_table
from app.widgets.seed_data import InHand
from isara.curation import chosen, clean_tags, delete, move, tag, tag_counts

ONLY_BAD = "Only rows with problems"


def show() -> None:
    """The seed set that is chosen, to be changed."""
    hand = seed_data.choose()
    if hand is None:
        return
    st.caption(
        "Write in the table (double-click a cell), or tick rows and choose what to do with them. "
        "Every change is kept at once as a draft; saving makes a new version of it."
    )
    seed_data.message()
    seed_data.status(hand)
    problems = seed_save.problems(hand)
    bad = {problem.row - 1 for problem in problems if problem.row is not None}
    places, asked = _filters(hand, sorted(bad))
    _actions(hand)
    seed_form.show(hand)
    if places:
        seed_table.show(hand, places, asked)
    else:
        st.info("No row is like this. Change the filters, or add a row.")
    seed_save.show(hand, problems)


def _filters(hand: InHand, bad: Sequence[int]) -> tuple[list[int], tuple[object, ...]]:
    """Places of the rows to show, and what they were chosen by."""
    boxes = st.columns([2, 2, 2])
    text = boxes[0].text_input(
        "Find", key="seed_find", placeholder="a word of question or answer", bind="query-params"
    )
    categories = boxes[1].multiselect(
        "Category", seed_data.category_names(hand.rows), key="seed_find_categories"
    )
    counts = tag_counts(hand.rows)
    tags = boxes[2].multiselect(
        "Tags",
        list(counts),
        format_func=lambda name: f"{name} ({counts.get(name, 0)})",
        key="seed_find_tags",
        help="Rows that have all of these tags.",
    )
    only_bad = bool(bad) and st.toggle(f"{ONLY_BAD} ({len(bad)})", key="seed_find_bad")
    places = chosen(hand.rows, text or "", categories, tags)
    if only_bad:
        places = [place for place in places if place in set(bad)]
    return places, (text, tuple(categories), tuple(tags), only_bad)


def _actions(hand: InHand) -> None:
    """Buttons for the ticked rows, whether or not they are on this page of the table."""
    places = hand.places
    picked = sorted((key for key in seed_table.picks() if key in places), key=places.__getitem__)
    count = len(picked)
    with st.container(horizontal=True, vertical_alignment="center"):
        _button("Add a row", "add", "add", "add", picked[-1:], True)
        _button("Open", "open", "open_in_full", "open", picked, count == 1)
        _button("Split", "split", "call_split", "split", picked, count == 1)
        _button("Merge", "merge", "call_merge", "merge", picked, count == 2)
        for words, icon, steps in (("Up", "arrow_upward", -1), ("Down", "arrow_downward", 1)):
            st.button(
                words,
                icon=f":material/{icon}:",
                disabled=not count,
                on_click=_move,
                args=(hand, picked, steps),
                key=f"seed_do_{words}",
                help=f"Move the ticked rows one place {words.lower()}.",
            )
        _tags(hand, picked)
        st.button(
            "Delete",
            icon=":material/delete:",
            disabled=not count,
            on_click=_delete,
            args=(hand, picked),
            key="seed_do_delete",
            help="Undo brings them back.",
        )
        _picked(hand, picked)


def _button(
    words: str, kind: str, icon: str, name: str, keys: Sequence[str], enabled: bool
) -> None:
    needs = {"merge": "Tick two rows first."}.get(kind, "Tick one row first.")
    st.button(
        words,
        icon=f":material/{icon}:",
        disabled=not enabled,
        help=None if enabled else needs,
        on_click=seed_form.open_form,
        args=(kind, keys),
        key=f"seed_do_{name}",
    )


def _picked(hand: InHand, picked: Sequence[str]) -> None:
    """Which rows are ticked: they may be on another page of the table."""
    if not picked:
        return
    numbers = [str(hand.places[key]) for key in picked]
    shown = ", ".join(numbers[:8]) + (", …" if len(numbers) > 8 else "")
    st.caption(f"{len(picked)} ticked: row{'s' if len(picked) > 1 else ''} {shown}")
    st.button("Clear", on_click=_untick, type="tertiary", help="Take all ticks away.")


def _untick() -> None:
    seed_data.clear()
    st.session_state.pop(seed_table.TABLE, None)


def _move(hand: InHand, picked: Sequence[str], steps: int) -> None:
    seed_data.change(hand, move(hand.rows, picked, steps))


def _delete(hand: InHand, picked: Sequence[str]) -> None:
    rows = [row for row in hand.rows if row.key in set(picked)]
    if seed_data.change(hand, delete(rows, [hand.places[row.key] for row in rows])) is not None:
        seed_data.clear()


def _tags(hand: InHand, picked: Sequence[str]) -> None:
    with st.popover("Tag", icon=":material/sell:", disabled=not picked):
        names = list(tag_counts(hand.rows))
        st.multiselect("Add", names, accept_new_options=True, key="seed_tags_add")
        st.multiselect("Take away", names, key="seed_tags_remove")
        st.button("Change the tags", on_click=_tag, args=(hand, picked), key="seed_do_tag")


def _tag(hand: InHand, picked: Sequence[str]) -> None:
    add = clean_tags(st.session_state.get("seed_tags_add") or ())
    remove = clean_tags(st.session_state.get("seed_tags_remove") or ())
    rows = [row for row in hand.rows if row.key in set(picked)]
    if (add or remove) and seed_data.change(hand, tag(rows, add, remove)) is not None:
        for key in ("seed_tags_add", "seed_tags_remove"):
            st.session_state[key] = []

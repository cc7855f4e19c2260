"""The tab for editing a seed set: filters, what to do with ticked rows, the table, saving.

Every change is on disk before the page is drawn again (seed_data.py); the table is seed_table.py,
the form for one row or two seed_form.py, problems and saving seed_save.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.widgets import seed_data, seed_form, seed_save, seed_table
from app.widgets.seed_data import InHand
from isara.curation import SeedRow, chosen, clean_tags, delete, move, tag, tag_counts

ONLY_BAD, FIND_BAD = "Only rows with problems", "seed_find_bad"
ONE_ROW, TWO_ROWS = "Tick one row first.", "Tick two rows first."
NEEDS = {"add": (0, ""), "open": (1, ONE_ROW), "split": (1, ONE_ROW), "merge": (2, TWO_ROWS)}


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
    seed_table.show(hand, places, asked)
    seed_save.show(hand, problems)


def _filters(hand: InHand, bad: Sequence[int]) -> tuple[list[int], tuple[object, ...]]:
    """Places of the rows to show, and what they were chosen by."""
    boxes = st.columns(4, vertical_alignment="bottom")
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
    # Always there, as the table would move with it; on it stays while the last row is mended.
    only_bad = boxes[3].toggle(
        f"{ONLY_BAD} ({len(bad)})",
        key=FIND_BAD,
        disabled=not (bad or st.session_state.get(FIND_BAD)),
    )
    places = chosen(hand.rows, text or "", categories, tags)
    if only_bad:
        places = [place for place in places if place in set(bad)]
    return places, (text, tuple(categories), tuple(tags), only_bad)


def _actions(hand: InHand) -> None:
    """Buttons for the ticked rows, whether or not they are on this page of the table."""
    picked = seed_table.ticked(hand)
    count = len(picked)
    with st.container(horizontal=True, vertical_alignment="center"):
        _button(hand, "Add a row", "add", "add", True)
        _button(hand, "Open", "open", "open_in_full", count == 1)
        _button(hand, "Split", "split", "call_split", count == 1)
        _button(hand, "Merge", "merge", "call_merge", count == 2)
        for words, icon, steps in (("Up", "arrow_upward", -1), ("Down", "arrow_downward", 1)):
            st.button(
                words,
                icon=f":material/{icon}:",
                disabled=not count,
                on_click=_move,
                args=(hand, steps),
                key=f"seed_do_{words}",
                help=f"Move the ticked rows one place {words.lower()}.",
            )
        _tags(hand, picked)
        st.button(
            "Delete",
            icon=":material/delete:",
            disabled=not count,
            on_click=_delete,
            args=(hand,),
            key="seed_do_delete",
            help="Undo brings them back.",
        )


def _button(hand: InHand, words: str, kind: str, icon: str, enabled: bool) -> None:
    st.button(
        words,
        icon=f":material/{icon}:",
        disabled=not enabled,
        help=None if enabled else NEEDS[kind][1],
        on_click=_open,
        args=(hand, kind),
        key=f"seed_do_{kind}",
    )


def _open(drawn: InHand, kind: str) -> None:
    if (hand := seed_table.latest(drawn)) is None:
        return
    picked = seed_table.ticked(hand)
    if kind == "add":
        seed_form.open_form(hand, kind, picked[-1:])
        return
    count, needs = NEEDS[kind]
    if len(picked) == count:
        seed_form.open_form(hand, kind, picked)
    else:
        seed_data.refuse(f"Not opened, because {len(picked)} rows are ticked. {needs}")


def _move(drawn: InHand, steps: int) -> None:
    if (hand := seed_table.latest(drawn)) is not None and not _refused(hand, "moved"):
        seed_data.change(hand, move(hand.rows, seed_table.ticked(hand), steps))


def _refused(hand: InHand, done: str) -> bool:
    """Whether the last tick was taken away together with the click, which is said then."""
    if seed_table.ticked(hand):
        return False
    seed_data.refuse(f"Nothing was {done}, because no row is ticked. {ONE_ROW}")
    return True


def _delete(drawn: InHand) -> None:
    if (hand := seed_table.latest(drawn)) is None or _refused(hand, "deleted"):
        return
    rows = _ticked_rows(hand)
    if seed_data.change(hand, delete(rows, [hand.places[row.key] for row in rows])) is not None:
        seed_data.clear()


def _ticked_rows(hand: InHand) -> list[SeedRow]:
    keys = set(seed_table.ticked(hand))
    return [row for row in hand.rows if row.key in keys]


def _tags(hand: InHand, picked: Sequence[str]) -> None:
    with st.popover("Tag", icon=":material/sell:", disabled=not picked):
        names = list(tag_counts(hand.rows))
        st.multiselect("Add", names, accept_new_options=True, key="seed_tags_add")
        st.multiselect("Take away", names, key="seed_tags_remove")
        st.button("Change the tags", on_click=_tag, args=(hand,), key="seed_do_tag")


def _tag(drawn: InHand) -> None:
    if (hand := seed_table.latest(drawn)) is None or _refused(hand, "tagged"):
        return
    add = clean_tags(st.session_state.get("seed_tags_add") or ())
    remove = clean_tags(st.session_state.get("seed_tags_remove") or ())
    rows = _ticked_rows(hand)
    if (add or remove) and seed_data.change(hand, tag(rows, add, remove)) is not None:
        for key in ("seed_tags_add", "seed_tags_remove"):
            st.session_state[key] = []

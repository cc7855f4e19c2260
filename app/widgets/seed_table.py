"""The rows of a seed set as a table to write in, page by page; every cell is on disk at once.

    picked = show(hand, places)          # places (from 0) of the rows that the filters leave

The table that the browser edits is drawn once and stays as it is while cells are changed in it (fed
with its own output it would lose edits); it is drawn anew when the draft changed in another way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from app.look import TEXT_ROW
from app.widgets import seed_data
from app.widgets.seed_data import InHand
from app.widgets.seed_preview import page_slice
from isara.curation import Change, SeedRow, clean_tags, edit, tag_counts

if TYPE_CHECKING:
    import pandas as pd

TABLE, DRAWN = "seed_table", "seed_tables_drawn"
SIZES = (25, 50, 100)
PICK, ROW, TAGS = "Pick", "Row", "Tags"
CELLS = {"Question": "question", "Answer": "answer", "Category": "category", TAGS: "tags"}
MOST_TAGS = 100  # offered in a cell
HEIGHT = 620  # pixels: eight rows


class Drawn(NamedTuple):
    """A table as it was drawn: for what, from which rows, and what is noted of it."""

    key: str
    asked: tuple[Any, ...]
    hand: InHand
    rows: tuple[str, ...]
    frame: pd.DataFrame
    noted: dict[tuple[int, str], Any]


def show(hand: InHand, places: Sequence[int], asked: tuple[Any, ...]) -> None:
    """Draw one page of the rows; `asked` is what they were chosen by."""
    if _note():  # before the table that holds the edits gives way to another
        st.rerun()
    left, middle, right = st.columns([2, 4, 4], vertical_alignment="bottom")
    size = left.selectbox(
        "Rows per page", SIZES, index=1, key="seed_page_size", persist_state="session"
    )
    with middle:
        page = page_slice(len(places), f"seed_edit_page_{hash(asked)}_{size}", size)
    with right.container(horizontal=True, vertical_alignment="center"):
        _ticks(hand)
    drawn = _drawn(hand, places[page], (*asked, page.start, size))
    if not drawn.rows:
        st.info("No row is like this. Change the filters, or add a row.")
        return
    names = list(tag_counts(hand.rows))[:MOST_TAGS]
    st.data_editor(
        drawn.frame,
        key=drawn.key,
        hide_index=True,
        disabled=[ROW],
        row_height=TEXT_ROW,
        height=min(HEIGHT, TEXT_ROW * (len(drawn.rows) + 1)),
        column_config={
            PICK: st.column_config.CheckboxColumn(
                width=60, help="Tick rows to split, merge, move, tag or delete them."
            ),
            ROW: st.column_config.NumberColumn(width=55),
            "Question": st.column_config.TextColumn(width=250),
            "Answer": st.column_config.TextColumn(width=250),
            "Category": st.column_config.TextColumn(width=110),
            TAGS: st.column_config.MultiselectColumn(
                width=110, options=names, accept_new_options=True
            ),
        },
        # For an edit that comes together with a click that leads elsewhere.
        on_change=_note_only,
        alt="Rows of the seed set",
    )


def _drawn(hand: InHand, places: Sequence[int], asked: tuple[Any, ...]) -> Drawn:
    """The table that is in the browser, or a new one."""
    drawn: Drawn | None = st.session_state.get(TABLE)
    asked = (hand.name, *asked)
    alive = drawn is not None and drawn.key in st.session_state
    if drawn is not None and alive and drawn.asked == asked and drawn.hand.stamp == hand.stamp:
        return drawn
    number = st.session_state[DRAWN] = st.session_state.get(DRAWN, 0) + 1
    rows = [hand.rows[place] for place in places]
    drawn = Drawn(
        f"{TABLE}_{number}",
        asked,
        hand,
        tuple(row.key for row in rows),
        _frame(rows, [place + 1 for place in places]),
        {},
    )
    st.session_state[TABLE] = drawn
    return drawn


def _frame(rows: Sequence[SeedRow], numbers: Sequence[int]) -> pd.DataFrame:
    import pandas as pd

    picked = picks()
    return pd.DataFrame(
        {
            PICK: [row.key in picked for row in rows],
            ROW: list(numbers),
            # The type is given: a column without any text could not be written in.
            "Question": pd.array([row.question for row in rows], dtype="string"),
            "Answer": pd.array([row.answer for row in rows], dtype="string"),
            "Category": pd.array([row.category or "" for row in rows], dtype="string"),
            TAGS: [list(row.tags) for row in rows],
        }
    )


def picks() -> set[str]:
    """Keys of the ticked rows; changing the set ticks and clears."""
    found: set[str] = st.session_state.setdefault(seed_data.PICKS, set())
    return found


def ticked(hand: InHand) -> list[str]:
    """Keys of the ticked rows, in the rows' order."""
    places = hand.places
    return sorted((key for key in picks() if key in places), key=places.__getitem__)


def _ticks(hand: InHand) -> None:
    """Which rows are ticked: they may be on another page of the table. The line is there without
    any, or the table would move with the first tick."""
    numbers = [str(hand.places[key]) for key in ticked(hand)]
    count = len(numbers)
    shown = ", ".join(numbers[:8]) + (", …" if count > 8 else "")
    words = f"{count} ticked: row{'s' if count > 1 else ''} {shown}"
    st.caption(words if count else "No row is ticked.", width="content")
    st.button(
        "Clear",
        key="seed_untick",
        disabled=not count,
        on_click=_untick,
        type="tertiary",
        help="Take all ticks away.",
    )


def _untick() -> None:
    seed_data.clear()
    st.session_state.pop(TABLE, None)


def latest(hand: InHand) -> InHand | None:
    """The rows as they are when a button's callback runs: a cell that was just written in, or a
    tick, may come with the click. None when the change of the cell was refused."""
    _note()
    if seed_data.MESSAGE in st.session_state:
        return None
    return seed_data.latest(hand)


def _note_only() -> None:
    _note()


def _note() -> bool:
    """Put what was written in cells since the last time on disk; True when there was something.

    The browser's state holds all edits of the table, not only the last.
    """
    drawn: Drawn | None = st.session_state.get(TABLE)
    if drawn is None or drawn.key not in st.session_state:
        return False
    edits: dict[str, dict[str, Any]] = {}
    ticked = False
    for place, cells in st.session_state[drawn.key]["edited_rows"].items():
        for column, value in cells.items():
            if drawn.noted.get((int(place), column), ...) == value:
                continue
            drawn.noted[int(place), column] = value
            row = drawn.rows[int(place)]
            if column == PICK:
                (picks().add if value else picks().discard)(row)
                ticked = True
            else:
                edits.setdefault(row, {})[CELLS[column]] = _value(column, value)
    if edits and (made := _change(drawn.hand, edits)):
        after = seed_data.change(drawn.hand, made, _typed(edits))
        # The same table goes on, unless the change was refused or others changed rows before it.
        if after is None or after.n != drawn.hand.n + 1:
            st.session_state.pop(TABLE)
        else:
            st.session_state[TABLE] = drawn._replace(hand=after)
    return bool(edits) or ticked


def _value(column: str, value: Any) -> Any:
    if column == TAGS:
        return clean_tags(value or ())
    return (value or None) if column == "Category" else (value or "")


def _change(hand: InHand, edits: dict[str, dict[str, Any]]) -> Change | None:
    """One change for all edited rows; None when nothing is different."""
    by_key = {row.key: row for row in hand.rows}
    places = hand.places
    single = [edit(by_key[k], places[k], **cells) for k, cells in edits.items() if k in by_key]
    made = [one for one in single if one.rows[0] != by_key[one.rows[0].key]]
    if len(made) < 2:
        return made[0] if made else None
    return Change(f"Edit {len(made)} rows", rows=tuple(one.rows[0] for one in made))


def _typed(edits: dict[str, dict[str, Any]]) -> str:
    return " · ".join(str(value) for cells in edits.values() for value in cells.values() if value)

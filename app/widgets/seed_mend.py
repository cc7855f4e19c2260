"""All problems of a draft in one table, to be mended in place.

Every change of a cell is noted in the draft at once; it counts when "Check again" is pressed, so
that rows do not vanish under the hands. The table goes to the browser in pages of 25 rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.look import TEXT_ROW
from app.widgets.plain import number_of, plain
from app.widgets.seed_draft import DELETE, Draft
from app.widgets.seed_preview import page_slice
from isara.examples import Problem

if TYPE_CHECKING:
    import pandas as pd

PAGE_ROWS = 25
ROW, PROBLEM, TO_DO = "Row", "Problem", "What to do"
FILE = "file"
Entry = tuple[int | None, list[Problem]]
BASE = "seed_mend_base"  # the table that the editor was drawn from


def show(draft: Draft) -> None:
    """The table with its buttons, or the sentence that there is nothing to mend."""
    if not draft.check.problems:
        st.success("Nothing to mend.", icon=":material/check:")
        if draft.changes or draft.pending:
            _undo(draft)
        return
    count = len(draft.check.problems)
    st.subheader(f"Problems ({count:,})")
    st.caption(
        "Mend the cells or tick Delete, then check again. Double-click a cell to write in it. "
        "Rows without problems go on without these."
        if draft.readable
        else "These are the file's own: mend them in the file, or choose its columns where they "
        "are asked for."
    )
    # A cell cuts a long sentence off, and of the whole file there is no cell to mend.
    for problem in [one for one in draft.check.problems if one.row is None][:PAGE_ROWS]:
        st.error(plain(str(problem)), icon=":material/error:")
    entries = draft.entries
    shown = entries[page_slice(len(entries), f"seed_mend_page_{draft.generation}", PAGE_ROWS)]
    _editor(draft, shown)
    if draft.readable:
        _check_again(draft)


def _editor(draft: Draft, shown: Sequence[Entry]) -> None:
    rows = tuple(row for row, _ in shown)
    key = f"seed_mend_{id(draft)}_{draft.generation}_{rows[0]}"
    base = st.session_state.get(BASE)
    # While the editor lives, its input must not change, or its edits would be applied twice; when
    # it was away (another page of the table or of the app), it begins with all noted changes.
    if key not in st.session_state or base is None or base[0] != key:
        base = st.session_state[BASE] = (key, _table(draft, shown))
    texts = draft.names
    st.data_editor(
        base[1],
        key=key,
        hide_index=True,
        disabled=[ROW, PROBLEM, TO_DO],
        row_height=TEXT_ROW,
        column_config={
            ROW: st.column_config.TextColumn(width="small"),
            PROBLEM: st.column_config.TextColumn(width="medium"),
            TO_DO: st.column_config.TextColumn(width="medium"),
            **{name: st.column_config.TextColumn(width="medium") for name in texts},
            DELETE: st.column_config.CheckboxColumn(width="small"),
        },
        on_change=_note_changes,
        args=(draft, key, rows),
        alt="Problems",
    )
    # The callback is for an edit that comes together with a click that leads elsewhere.
    _note_changes(draft, key, rows)


def _table(draft: Draft, shown: Sequence[Entry]) -> pd.DataFrame:
    """The rows of one page; the file's own problems have no cells to mend."""
    import pandas as pd

    table: dict[str, Any] = {
        ROW: [f"{row or FILE}{_line(problems)}" for row, problems in shown],
        PROBLEM: ["; ".join(map(_sentence, problems)) for _, problems in shown],
        TO_DO: [" ".join(dict.fromkeys(p.fix for p in problems)) for _, problems in shown],
    }
    cells = [draft.cells(row) if row else {} for row, _ in shown]
    for name in draft.names:
        # The type is given: a column without any text could not be written in.
        table[name] = pd.array([c.get(name) for c in cells], dtype="string")
    if draft.names:
        table[DELETE] = [bool(c.get(DELETE)) for c in cells]
    return pd.DataFrame(table)


def _line(problems: Sequence[Problem]) -> str:
    return f" (line {problems[0].line})" if problems[0].line else ""


def _sentence(problem: Problem) -> str:
    found = "nothing" if problem.value is None else str(problem.value).strip() or "an empty text"
    place = f"{problem.column}: " if problem.column else ""
    return f"{place}found {found}, expected {problem.expected}"


def _note_changes(draft: Draft, key: str, shown: Sequence[int | None]) -> None:
    """Put what the editor holds into the draft; it holds all its edits, not only the last."""
    for place, cells in st.session_state[key]["edited_rows"].items():
        if (row := shown[int(place)]) is not None:
            for column, value in cells.items():
                draft.change(row, column, value)


def _check_again(draft: Draft) -> None:
    """The button, always the same one: the first change may come with the click on it."""
    count = len(draft.pending)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Check again", key="seed_check_again", type="primary")
        _undo(draft)
        st.caption(
            f"{number_of(count, 'row')} changed and not checked yet."
            if count
            else "Nothing is changed since the last check."
        )
    if pressed and not draft.pending:
        st.info("Nothing was changed since the last check: mend a cell, or tick Delete.")
    elif pressed:
        with st.spinner("Checking …"):
            draft.recheck()
        st.rerun()


def _undo(draft: Draft) -> None:
    st.button(
        "Undo all changes",
        key="seed_undo_mending",
        disabled=not (draft.changes or draft.pending),
        on_click=draft.undo,
        help="Every row is again as it is in the file, deleted ones too.",
    )

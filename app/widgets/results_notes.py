"""Notes of people on the iterations of a run: read, written, changed, removed.

    notes = notes_of(results)           # for the chart
    show_notes(results)                 # the section

A note is in the database before the page moves on; a changed or removed one stays in its history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from app import state
from app.charts_results import RunResult
from app.widgets.plain import plain
from app.widgets.samples_review import NAME, ask_reviewer
from isara.errors import IsaraError
from isara.places import place_name
from isara.workspace.notebook import Note

MOST_CHARACTERS = 500
TEXT = "note_text"
ERROR = "note_error"


def notes_of(results: Sequence[RunResult]) -> dict[str, list[Note]]:
    """The notes that stand, by run."""
    database = state.workspace().database
    return {result.run_id: database.notes(result.run_id) for result in results}


def list_notes(notes: Mapping[str, Sequence[Note]]) -> None:
    """All notes as text, below the chart."""
    for note in (note for found in notes.values() for note in found):
        st.text(note_line(note))


def note_line(note: Note) -> str:
    """ "iteration 2 of demo: The seeds were changed. (Ann, 2026-01-31)"."""
    by = f"{note.author}, " if note.author else ""
    where = f"{place_name(note.iteration)} of {note.run_id}"
    return f"{where}: {note.text} ({by}{note.created.date().isoformat()})"


def show_notes(results: list[RunResult]) -> None:
    """One form for a new note and for changing one."""
    if message := st.session_state.pop(ERROR, None):
        st.error(plain(message), icon=":material/error:")
    known = {note.id: note for found in notes_of(results).values() for note in found}
    chosen: int | None = st.selectbox(
        "Note",
        [None, *known],
        format_func=lambda key: "A new note" if key is None else note_line(known[key]),
        key="note_chosen",
    )
    note = None if chosen is None else known[chosen]
    run_id, k = _where(results) if note is None else (note.run_id, note.iteration)
    key = f"{TEXT} {chosen}"
    st.session_state.setdefault(key, "" if note is None else note.text)
    st.text_area("Text", key=key, max_chars=MOST_CHARACTERS, height=80)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ask_reviewer()
        st.button(
            "Save note" if note is None else "Save change",
            key="note_save",
            icon=":material/edit_note:",
            on_click=_save,
            args=(run_id, k, key, chosen),
        )
        st.button(
            "Remove note",
            key="note_remove",
            icon=":material/delete:",
            disabled=note is None,
            on_click=_write,
            args=(run_id, k, "", chosen),
        )
    st.caption("Everybody who opens this workspace sees the notes, as rings on the curve.")


def _where(results: list[RunResult]) -> tuple[str, int]:
    left, right = st.columns(2)
    by_id = {result.run_id: result for result in results}
    run_id = left.selectbox("Run", list(by_id), key="note_run")
    iterations = [row["k"] for row in by_id[run_id].iterations] or [0]
    k = right.selectbox(
        "Iteration",
        iterations,
        index=len(iterations) - 1,
        format_func=place_name,
        key=f"note_iteration {run_id}",
    )
    return run_id, int(k)


def _save(run_id: str, k: int, key: str, replaces: int | None) -> None:
    text = str(st.session_state.get(key) or "").strip()
    if not text:
        st.session_state[ERROR] = "The note is empty; write a sentence, or remove it."
        return
    _write(run_id, k, text, replaces)


def _write(run_id: str, k: int, text: str, replaces: int | None) -> None:
    author = str(st.session_state.get(NAME) or "").strip()
    try:
        state.workspace().database.add_note(run_id, k, text, author, replaces)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
        return
    st.session_state["note_chosen"] = None
    for name in [name for name in st.session_state if str(name).startswith(TEXT)]:
        del st.session_state[name]

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
from app.widgets.samples_review import ask_reviewer, reviewer_now
from app.widgets.typed_text import KEEPS, send_while_typed
from app.widgets.unsaved import Unsaved
from isara.errors import IsaraError
from isara.places import place_name
from isara.workspace.notebook import Note

MOST_CHARACTERS = 500
TEXT, RUN, CHOSEN = "note_text", "note_run", "note_chosen"
ERROR = "note_error"
UNSAVED = Unsaved("note")  # texts that were typed and not saved, by the id of their note, or NEW
NEW = "new"
GONE = (
    "The note that was open here was changed or removed in another window, or its run is not "
    "chosen any more. What stood in the field stands below as the text of a new note: save it as "
    "one, or choose the note as it is now."
)


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
    _tell_gone(known)
    chosen: int | None = st.selectbox(
        "Note",
        [None, *known],
        format_func=lambda key: "A new note" if key is None else note_line(known[key]),
        key=CHOSEN,
    )
    note = None if chosen is None else known[chosen]
    if note is None:
        _ask_where(results)
    key = _text_key(note.id if note else None)
    UNSAVED.stay()
    if key not in st.session_state:  # another note, or another page, was looked at meanwhile
        typed = UNSAVED.get(_name(chosen))
        st.session_state[key] = (note.text if note else "") if typed is None else str(typed)
    with st.container(key=f"{KEEPS}note"):
        st.text_area(
            "Text",
            key=key,
            max_chars=MOST_CHARACTERS,
            height=80,
            on_change=_keep,
            args=(chosen,),
            help="What is half written is kept, note by note, until it is saved; the page's "
            "address finds it again.",
        )
    send_while_typed()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ask_reviewer()
        st.button(
            "Save note" if note is None else "Save change",
            key="note_save",
            icon=":material/edit_note:",
            on_click=_save,
            args=(note,),
        )
        st.button(
            "Remove note",
            key="note_remove",
            icon=":material/delete:",
            disabled=note is None,
            on_click=_remove,
            args=(note,),
        )
    st.caption("Everybody who opens this workspace sees the notes, as rings on the curve.")


def _tell_gone(known: Mapping[int, Note]) -> None:
    """Say that the chosen note is not there any more, and keep what was written."""
    chosen = st.session_state.get(CHOSEN)
    if chosen is not None and chosen not in known:
        st.session_state[CHOSEN] = None
        text = st.session_state.pop(_text_key(chosen), "")
        text = UNSAVED.get(_name(chosen)) or text
        begun = UNSAVED.get(NEW) or ""  # a new note may be half written too
        st.session_state[_text_key(None)] = f"{begun}\n{text}".strip()
        _keep(None)
        _forget(chosen)
        st.warning(GONE, icon=":material/group:")


def _text_key(chosen: int | None) -> str:
    return f"{TEXT} {chosen}"


def _name(chosen: int | None) -> str:
    return NEW if chosen is None else str(chosen)


def _keep(chosen: int | None) -> None:
    """Keep what the field holds now."""
    if (key := _text_key(chosen)) in st.session_state:  # else it was saved by the same click
        try:
            UNSAVED.put(_name(chosen), str(st.session_state[key]))
        except IsaraError as error:
            st.session_state[ERROR] = str(error)


def _forget(chosen: int | None) -> None:
    """The text was saved, or stands elsewhere; those of other notes stay."""
    try:
        UNSAVED.drop(_name(chosen))
    except IsaraError as error:
        st.session_state[ERROR] = str(error)


def _ask_where(results: list[RunResult]) -> None:
    left, right = st.columns(2)
    by_id = {result.run_id: result for result in results}
    run_id = left.selectbox("Run", list(by_id), key=RUN)
    iterations = [row["k"] for row in by_id[run_id].iterations] or [0]
    right.selectbox(
        "Iteration",
        iterations,
        index=len(iterations) - 1,
        format_func=place_name,
        key=_iteration_key(run_id),
    )


def _iteration_key(run_id: str) -> str:
    return f"note_iteration {run_id}"


def _save(note: Note | None) -> None:
    """Save what the fields hold by now, as a new note or in the place of `note`."""
    text = str(st.session_state.get(_text_key(note.id if note else None)) or "").strip()
    run_id = note.run_id if note else str(st.session_state[RUN])
    k = note.iteration if note else st.session_state.get(_iteration_key(run_id))
    if not text:
        st.session_state[ERROR] = "The note is empty; write a sentence, or remove it."
    elif k is None:
        st.session_state[ERROR] = (
            "Not saved, because another run was chosen at the same moment: choose its iteration, "
            "and save again."
        )
    else:
        _write(run_id, int(k), text, note.id if note else None)


def _remove(note: Note) -> None:
    _write(note.run_id, note.iteration, "", note.id)


def _write(run_id: str, k: int, text: str, replaces: int | None) -> None:
    database = state.workspace().database
    try:
        if replaces is not None and replaces not in {one.id for one in database.notes(run_id)}:
            return  # another window was faster: the page says it
        database.add_note(run_id, k, text, reviewer_now(), replaces)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
        return
    st.session_state[CHOSEN] = None
    _forget(replaces)
    st.session_state.pop(_text_key(replaces), None)

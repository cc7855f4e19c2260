"""Notes of people on the iterations of a run: read, written, changed, removed.

    notes = notes_of(results)           # for the chart
    show_notes(results)                 # the section

A note is in the database before the page moves on; a changed or removed one stays in its history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
# Texts that were typed and not saved, by the id of their note, or NEW: then with run and iteration.
UNSAVED = Unsaved("note")
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
    _take_up()  # before what is gone is added to it
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
    if key not in st.session_state:  # another note, or another page, was looked at meanwhile
        typed = _typed(chosen)
        st.session_state[key] = (note.text if note else "") if typed is None else typed
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
    """Say that notes are not there any more, and keep what was written for them."""
    gone = {int(name) for name in UNSAVED.names() if name.isdecimal()} - set(known)
    if gone:  # those of runs that are not chosen now stay as they are
        database = state.workspace().database
        gone -= {note.id for run_id in state.run_ids() for note in database.notes(run_id)}
    chosen = st.session_state.get(CHOSEN)
    if chosen is not None and chosen not in known:
        st.session_state[CHOSEN] = None
        gone.add(chosen)
    for one in sorted(gone):
        text = _typed(one) or st.session_state.get(_text_key(one), "")
        st.session_state.pop(_text_key(one), None)
        begun = st.session_state.get(_text_key(None)) or _typed(None) or ""  # a new one, half done
        st.session_state[_text_key(None)] = f"{begun}\n{text}".strip()
        _keep(None)
        _forget(one)
    if gone:
        st.warning(GONE, icon=":material/group:")


def _text_key(chosen: int | None) -> str:
    return f"{TEXT} {chosen}"


def _name(chosen: int | None) -> str:
    return NEW if chosen is None else str(chosen)


def _typed(chosen: int | None) -> str | None:
    """What was typed for a note and not saved; None where nothing was."""
    found = UNSAVED.get(_name(chosen))
    if isinstance(found, dict):
        found = found.get("text")
    return found if isinstance(found, str) else None


def _keep(chosen: int | None) -> None:
    """Keep what the fields hold now."""
    if (key := _text_key(chosen)) not in st.session_state:  # it was saved by the same click
        return
    kept: Any = str(st.session_state[key])
    if chosen is None:
        run_id = st.session_state.get(RUN)
        k = st.session_state.get(_iteration_key(str(run_id)))
        kept = {"text": kept, "run": run_id, "iteration": k}
    try:
        UNSAVED.put(_name(chosen), kept)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)


def _take_up() -> None:
    """Run and iteration of a new note that was begun before the page was loaded again."""
    begun = UNSAVED.get(NEW)
    if isinstance(begun, dict) and RUN not in st.session_state:
        run_id, k = begun.get("run"), begun.get("iteration")
        if isinstance(run_id, str):
            st.session_state[RUN] = run_id
            if isinstance(k, int):
                st.session_state[_iteration_key(run_id)] = k


def _forget(chosen: int | None) -> None:
    """The text was saved, or stands elsewhere; those of other notes stay."""
    try:
        UNSAVED.drop(_name(chosen))
    except IsaraError as error:
        st.session_state[ERROR] = str(error)


def _ask_where(results: list[RunResult]) -> None:
    left, right = st.columns(2)
    by_id = {result.run_id: result for result in results}
    if st.session_state.get(RUN) not in by_id:  # not chosen above any more
        st.session_state.pop(RUN, None)
    run_id = left.selectbox("Run", list(by_id), key=RUN, on_change=_keep_place)
    iterations = [row["k"] for row in by_id[run_id].iterations] or [0]
    key = _iteration_key(run_id)
    if st.session_state.get(key) not in iterations:
        st.session_state[key] = iterations[-1]
    right.selectbox("Iteration", iterations, format_func=place_name, key=key, on_change=_keep_place)


def _keep_place() -> None:
    """Where a new note belongs, once something of it is written."""
    if st.session_state.get(_text_key(None)):
        _keep(None)


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
    st.session_state.pop(_text_key(replaces), None)
    _forget(replaces)

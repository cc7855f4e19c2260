"""Notes of people on the iterations of a run: read, written, changed, removed.

    notes = notes_of(results)           # for the chart
    show_notes(results)                 # the section

A note is in the database before the page moves on; a changed or removed one stays in its history.
"""

from __future__ import annotations

import re
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
# What was typed and not saved, by the id of its note, or NEW: text, run, iteration, and the line
# of the note in the list, which must not change while it is chosen.
UNSAVED = Unsaved("note")
NEW = "new"
ID = re.compile(r"[1-9]\d{0,17}")
FASTER = (
    "The note was changed or removed in another window meanwhile, so nothing was done: look at it "
    "as it is now."
)
GONE = (
    "The note that this text was typed for was changed or removed in another window. Save the text "
    "as a new note, or discard it."
)
LOST = (
    "In this list are texts that were typed for notes which were changed or removed in another "
    "window, and not saved: {notes}"
)
ELSEWHERE = (
    "This note was begun for {run}, which is not chosen above: choose it there, or another run "
    "here."
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
    lost = _lost(known)
    if st.session_state.get(CHOSEN) not in {None, *known, *lost}:
        st.session_state[CHOSEN] = None
    lines = {None: "A new note"} | lost | {one: note_line(note) for one, note in known.items()}
    chosen: int | None = st.selectbox("Note", lines, format_func=lines.__getitem__, key=CHOSEN)
    note = None if chosen is None else known.get(chosen)
    if lost:
        told = GONE if chosen in lost else LOST.format(notes="; ".join(lost.values()))
        st.warning(plain(told), icon=":material/group:")
    if note is None:
        _ask_where(results, chosen)
    stood = note.text if note else ""
    if (key := _key(TEXT, chosen)) not in st.session_state:  # another note, or page, was looked at
        st.session_state[key] = _typed(chosen).get("text", stood)
    with st.container(key=f"{KEEPS}note"):
        st.text_area(
            "Text",
            key=key,
            max_chars=MOST_CHARACTERS,
            height=80,
            on_change=_keep,
            args=(chosen, note),
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
            args=(chosen, note),
        )
        st.button(
            "Discard text" if chosen in lost else "Remove note",
            key="note_remove",
            icon=":material/delete:",
            disabled=chosen is None,
            on_click=_remove,
            args=(chosen, note),
        )
    st.caption(
        "Everybody who opens this workspace sees the notes: as text, and as rings on the first "
        "curve of the page."
    )


def _lost(known: Mapping[int, Note]) -> dict[int | None, str]:
    """Ids of notes that are gone, of which something was typed and not saved, and their lines."""
    ids = [int(name) for name in UNSAVED.names() if ID.fullmatch(name)]
    lost = {one for one in ids if one not in known and _typed(one)}
    if lost:  # notes of runs that are not chosen now wait until they are
        database = state.workspace().database
        lost -= {note.id for run_id in state.run_ids() for note in database.notes(run_id)}
    return {one: _typed(one).get("line", f"note {one}") for one in sorted(lost)}


# ------------------------------------------------------------------ what is half written


def _key(field: str, chosen: int | None) -> str:
    """The key of a field of the form, apart for each note."""
    return f"{field} {chosen}"


def _iteration_key(chosen: int | None, run_id: str) -> str:
    return f"note_iteration {chosen} {run_id}"


def _name(chosen: int | None) -> str:
    return NEW if chosen is None else str(chosen)


def _typed(chosen: int | None) -> dict[str, Any]:
    """What was typed for a note and not saved, as far as it can be read; {} where nothing was."""
    found = UNSAVED.get(_name(chosen))
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        return {}
    kinds = {"text": str, "run": str, "iteration": int, "line": str}
    return {name: found[name] for name, kind in kinds.items() if isinstance(found.get(name), kind)}


def _keep(chosen: int | None, note: Note | None) -> None:
    """Keep what the fields hold now; a text that stands there as it was is none."""
    if (key := _key(TEXT, chosen)) not in st.session_state:  # it was saved by the same click
        return
    text = str(st.session_state[key])
    if text == (note.text if note else ""):
        _forget(chosen)
        return
    typed = _typed(chosen)
    if note:
        typed = {"run": note.run_id, "iteration": note.iteration, "line": note_line(note)}
    elif run_id := st.session_state.get(_key(RUN, chosen)):  # else the one that it was begun for
        k = st.session_state.get(_iteration_key(chosen, run_id))
        typed |= {"run": run_id, "iteration": k}
    try:
        UNSAVED.put(_name(chosen), {**typed, "text": text})
    except IsaraError as error:
        st.session_state[ERROR] = str(error)


def _forget(chosen: int | None) -> None:
    """The text was saved, or is not wanted; those of other notes stay."""
    try:
        UNSAVED.drop(_name(chosen))
    except IsaraError as error:
        st.session_state[ERROR] = str(error)


def _ask_where(results: list[RunResult], chosen: int | None) -> None:
    """Run and iteration of a note to be made: at first those that it was begun for."""
    left, right = st.columns(2)
    by_id = {result.run_id: result for result in results}
    begun = _typed(chosen)
    key = _key(RUN, chosen)
    if st.session_state.get(key) not in by_id:
        run_id = begun.get("run", next(iter(by_id)))
        st.session_state[key] = run_id if run_id in by_id else None
    run_id = left.selectbox(
        "Run",
        list(by_id),
        index=None,
        required=True,
        key=key,
        on_change=_keep,
        args=(chosen, None),
        placeholder="Choose a run",
    )
    if run_id is None:
        st.warning(plain(ELSEWHERE.format(run=begun["run"])), icon=":material/move_down:")
        return
    iterations = [row["k"] for row in by_id[run_id].iterations] or [0]
    key = _iteration_key(chosen, run_id)
    if st.session_state.get(key) not in iterations:
        k = begun.get("iteration") if begun.get("run") == run_id else None
        st.session_state[key] = k if k in iterations else iterations[-1]
    right.selectbox(
        "Iteration",
        iterations,
        format_func=place_name,
        key=key,
        on_change=_keep,
        args=(chosen, None),
    )


# ------------------------------------------------------------------ saving


def _save(chosen: int | None, note: Note | None) -> None:
    """Save what the fields hold by now, as a new note or in the place of `note`."""
    text = str(st.session_state.get(_key(TEXT, chosen)) or "").strip()
    run_id = note.run_id if note else st.session_state.get(_key(RUN, chosen))
    k = note.iteration if note else st.session_state.get(_iteration_key(chosen, str(run_id)))
    if not text:
        st.session_state[ERROR] = "The note is empty; write a sentence, or remove it."
    elif run_id is None:
        st.session_state[ERROR] = "Not saved, because no run is chosen: choose the note's run."
    elif k is None:
        st.session_state[ERROR] = (
            "Not saved, because another run was chosen at the same moment: choose its iteration, "
            "and save again."
        )
    else:
        _write(chosen, run_id, int(k), text, note)


def _remove(chosen: int | None, note: Note | None) -> None:
    if note:
        _write(chosen, note.run_id, note.iteration, "", note)
    else:  # a text whose note is gone
        _done(chosen)


def _write(chosen: int | None, run_id: str, k: int, text: str, note: Note | None) -> None:
    database = state.workspace().database
    try:
        if note and note.id not in {one.id for one in database.notes(run_id)}:
            st.session_state[ERROR] = FASTER
            return
        database.add_note(run_id, k, text, reviewer_now(), note.id if note else None)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
        return
    _done(chosen)


def _done(chosen: int | None) -> None:
    """Nothing is left to be saved of this note."""
    st.session_state[CHOSEN] = None
    st.session_state.pop(_key(TEXT, chosen), None)
    _forget(chosen)

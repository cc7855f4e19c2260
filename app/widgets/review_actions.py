"""What the keys of a review do: decide, move, undo; and which card comes next.

The browser sends its address with every key, and the address names the card only when all of the
card has been sent (`in_address`, last of all). So a press that was made while the browser still
showed another card is known and dropped: a key that is hit twice never decides on a pair that
nobody has seen. The buttons can then stay the same from card to card, which is what makes it fast.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from app import state
from app.widgets.plain import plain
from app.widgets.review_queue import Queue
from app.widgets.review_words import conflict
from app.widgets.samples_data import Iteration
from app.widgets.samples_review import ERROR, UNREAD, WARNED, reviewer_now, undo, unread
from isara.errors import IsaraError
from isara.review import Masks

CARD = "card"  # the URL's name for the card
HERE = "review_card"  # the same in the session: (run id, k, candidate id)
GO = "review_go"  # "after", "next" or "previous", from the card that is shown
EDIT = "editing"  # the URL's name for the card whose editor is open
EDITING = "review_editing"  # the open editor (review_edit.py), None while there is none
SHEET = "review_sheet"  # whether the sheet of keys is open
TOLD = "review_told"
OTHER_QUEUE = (
    "Nothing was decided: the settings were changed just before that key, and another queue begins "
    "with this pair. Press the key again if you mean this one."
)


class Target(NamedTuple):
    """The card that a button was drawn for, and what its reviewer had been shown."""

    run_id: str
    k: int
    candidate_id: str
    reviewer: str
    seen: int  # the last of the others' decisions that the card shows, 0 for none
    since: int  # the last decision of all when the card was drawn
    flagged: bool = False  # by the judge: the answer is folded until it is opened


# ------------------------------------------------------------------ which card


def resolve(data: Iteration, queue: Queue, masks: Masks) -> tuple[int | None, bool]:
    """The row to show, None when nothing is wanted; and whether a step found no further one."""
    go = st.session_state.pop(GO, None)
    row = _current(data)
    ended = False
    if row is None:
        row = queue.first(masks)
    elif go is not None:
        if go == "after":
            found = queue.after(row, masks) if queue.settings.advance else row
            left = found is not None or bool(queue.wanted(masks)[row])
            row, ended = (found if found is not None else row) if left else None, found is None
        else:
            found = queue.step(row, masks, 1 if go == "next" else -1)
            row, ended = (row if found is None else found), found is None and go == "next"
    _remember(data, row)
    return row, ended


def _current(data: Iteration) -> int | None:
    run_id, k, candidate_id = st.session_state.get(HERE) or (None, None, None)
    if (run_id, k) != (data.run_id, data.k):
        candidate_id = st.query_params.get(CARD)
    return data.positions.get(candidate_id) if candidate_id else None


def _remember(data: Iteration, row: int | None) -> None:
    if row is None:
        forget_card()
    else:
        candidate_id = str(data.candidates["candidate_id"].iloc[row])
        st.session_state[HERE] = (data.run_id, data.k, candidate_id)


def in_address() -> None:
    """Name the card in the URL, and whether its editor is open; to be called when it is drawn."""
    candidate_id = st.session_state[HERE][2]
    if st.query_params.get(CARD) != candidate_id:
        st.query_params[CARD] = candidate_id
    if st.session_state.get(EDITING) is None:
        st.query_params.pop(EDIT, None)
    elif st.query_params.get(EDIT) != candidate_id:
        st.query_params[EDIT] = candidate_id


def forget_card() -> None:
    """Another queue begins with its first card."""
    st.session_state.pop(HERE, None)
    st.query_params.pop(CARD, None)
    close_editor()


def close_editor() -> None:
    """Show the card again; a draft stays where it is."""
    st.session_state[EDITING] = None
    st.query_params.pop(EDIT, None)


def is_shown(run_id: str, k: int, candidate_id: str | None) -> bool:
    """Whether the browser showed this card (None: no card) when the key was pressed, and no other
    key has decided on it meanwhile."""
    here = st.session_state.get(HERE)
    same = here == (candidate_id and (run_id, k, candidate_id))
    return same and st.query_params.get(CARD) == candidate_id and GO not in st.session_state


def meant(target: Target) -> Target | None:
    """The card of a key under the name that its field holds by now; None where the browser showed
    another card, or the name was taken away, for which the page asks then."""
    name = reviewer_now()
    return target._replace(reviewer=name) if name and is_shown(*target[:3]) else None


# ------------------------------------------------------------------ the keys


def decide(target: Target, action: str, reason: str = "") -> None:
    """Store a decision, go on, and tell of those that were made meanwhile."""
    store(target, action, reason)


def store(drawn: Target, action: str, reason: str = "", **texts: str) -> bool:
    """The same, with an edit's texts; whether it is stored."""
    if (target := meant(drawn)) is None:
        if HERE not in st.session_state and reviewer_now():  # forget_card came first
            st.session_state[ERROR] = OTHER_QUEUE
        return False
    if unread(action, target.run_id, target.candidate_id, target.flagged):
        st.session_state[ERROR] = UNREAD
        return False
    database = state.workspace().database
    try:
        mine = database.record_decision(
            target.run_id,
            target.k,
            target.candidate_id,
            target.reviewer,
            action,
            reason=reason,
            seen=target.seen,
            question=texts.get("question"),
            answer=texts.get("answer"),
        )
        log = state.decision_log(target.run_id, target.k)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
        return False
    if crossed := log.crossed(mine, target.since):
        st.session_state[WARNED] = conflict(mine, crossed, log.of(target.candidate_id))
    close_editor()
    st.session_state[GO] = "after"
    return True


def skip(drawn: Target) -> None:
    """Store that the pair was skipped, or only go on where this reviewer has decided on it."""
    if (target := meant(drawn)) is None:
        return
    log = state.decision_log(target.run_id, target.k)
    if target.reviewer in log.of(target.candidate_id):
        st.session_state[GO] = "after"
    else:
        decide(target, "skip")


def move(target: Target, way: str) -> None:
    """Go to the "next" or "previous" pair without deciding."""
    if is_shown(*target[:3]):
        st.session_state[GO] = way


def take_back(run_id: str, k: int, candidate_id: str | None) -> None:
    """Undo what this reviewer decided last, and go back to that card; None: no card was shown."""
    if not reviewer_now() or not is_shown(run_id, k, candidate_id):
        return
    try:
        told, candidate_id = undo(run_id, k)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
        return
    st.session_state[TOLD] = told
    if candidate_id is not None:
        st.session_state[HERE] = (run_id, k, candidate_id)


def sheet() -> None:
    """Open or close the sheet of keys."""
    st.session_state[SHEET] = not st.session_state.get(SHEET)


# ------------------------------------------------------------------ what is told


def told() -> None:
    """Show what the last key led to."""
    for key, show, icon in (
        (ERROR, st.error, ":material/error:"),
        (WARNED, st.warning, ":material/group:"),
    ):
        if message := st.session_state.pop(key, None):
            show(plain(message), icon=icon)
    if message := st.session_state.pop(TOLD, None):
        st.toast(message, icon=":material/undo:")

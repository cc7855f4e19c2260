"""A person's word on a pair: accept, reject, clear, undo, each on disk before the page moves on.

    buttons(data, candidate_id)
    name = reviewer_now()               # in a callback

The reviewer's name is kept in the address. Leaving its field and a click come together: so a
callback reads the field, as what it was drawn with may be another person. Left out: editing,
skipping, reasons, queues, which are in review_page.py.
"""

from __future__ import annotations

import streamlit as st

from app import state
from app.look import marked
from app.widgets.filters_harm import harmful
from app.widgets.folding import pair_key, was_opened
from app.widgets.plain import plain
from app.widgets.review_words import conflict
from app.widgets.samples_data import Iteration
from isara.errors import InputError, IsaraError

NAME = "reviewer"
ERROR, WARNED = "review_error", "review_warned"
NO_NAME = (
    "Nothing was stored, because there is no name: type your name as reviewer, then try again."
)
UNREAD = "Not accepted, because the judge calls its answer harmful and it is folded: open it first."
ACTIONS = (
    ("Accept", "accept", None, "a", "Keep this pair, whatever the rules say."),
    ("Reject", "reject", None, "x", "Drop this pair, whatever the rules say."),
    ("Clear", "clear", ":material/ink_eraser:", None, "Take back your decision on this pair."),
)


def buttons(data: Iteration, candidate_id: str) -> None:
    """The reviewer's name and the buttons, with letters on the keyboard for the same."""
    since = state.decision_log(data.run_id, data.k).last_id
    flags = harmful(data)
    flagged = flags is not None and bool(flags[data.positions[candidate_id]])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ask_reviewer()
        for label, action, icon, shortcut, words in ACTIONS:
            st.button(
                marked(action, label),
                key=f"decide_{action}",
                icon=icon,
                shortcut=shortcut,
                help=words,
                on_click=_decide,
                args=(data.run_id, data.k, candidate_id, action, since, flagged),
            )
        st.button(
            "Undo",
            key="undo_decision",
            icon=":material/undo:",
            shortcut="u",
            help="Take back what you decided last in this iteration, then what came before.",
            on_click=_undo,
            args=(data.run_id, data.k),
        )
    if message := st.session_state.pop(ERROR, None):
        st.error(plain(message))
    if message := st.session_state.pop(WARNED, None):
        st.warning(plain(message), icon=":material/group:")
    if state.run_folder(data.run_id).iteration(data.k).is_done:
        st.caption(
            "This iteration is finished: a decision is stored and shown, and does not change what "
            "the run has trained on."
        )


def ask_reviewer(*, short: bool = False) -> str:
    """The field for the reviewer's name, `short` with the label inside; "" while it is empty."""
    name = st.text_input(
        "Your name as reviewer",
        key=NAME,
        bind="query-params",
        persist_state="session",
        max_chars=60,
        width=110 if short else 200,
        placeholder="Your name" if short else None,
        label_visibility="collapsed" if short else "visible",
        help="Decisions and labels are stored with a name and the time, so that several people "
        "can review. The name stands in the address, so that a reload keeps it.",
    )
    return (name or "").strip()


def reviewer_now() -> str:
    """The name that the field holds, also when it comes with the click itself; "" without one."""
    return str(st.session_state.get(NAME) or "").strip()


def unread(action: str, run_id: str, candidate_id: str, flagged: bool) -> bool:
    """Whether a pair would be accepted whose answer, `flagged` by the judge, nobody has opened."""
    return action == "accept" and flagged and not was_opened(pair_key(run_id, candidate_id))


def _decide(run_id: str, k: int, candidate_id: str, action: str, since: int, flagged: bool) -> None:
    """Store a decision, and tell of those that were made since the pair was shown."""
    reviewer = reviewer_now()
    if not reviewer or unread(action, run_id, candidate_id, flagged):
        st.session_state[ERROR] = UNREAD if reviewer else NO_NAME
        return
    database = state.workspace().database
    try:
        mine = database.record_decision(run_id, k, candidate_id, reviewer, action)
        log = state.decision_log(run_id, k)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
        return
    if crossed := log.crossed(mine, since):
        st.session_state[WARNED] = conflict(mine, crossed, log.of(candidate_id))


def _undo(run_id: str, k: int) -> None:
    try:
        told, _ = undo(run_id, k)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
        return
    st.toast(told, icon=":material/undo:")


def undo(run_id: str, k: int) -> tuple[str, str | None]:
    """Take back what the reviewer decided last in an iteration; what to tell, and the (first) pair
    that it was about. InputError without a name."""
    if not (reviewer := reviewer_now()):
        raise InputError(NO_NAME)
    undone = state.workspace().database.undo(run_id, reviewer, k)
    if not undone:
        return "There is nothing left to undo.", None
    first = undone[0]
    if len(undone) > 1:
        told = f"Took back: {first.action} on {len(undone)} pairs that were decided at once."
        return told, first.candidate_id
    return plain(f"Took back: {first.action} {first.candidate_id}"), first.candidate_id

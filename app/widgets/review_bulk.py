"""Decide on many pairs at once: who, what and why, what it will change, and a way back.

    bulk(run_id, k, candidate_ids)          # ids of a filtered list, of a lasso selection, …

Nothing is stored before the button that names the action and the count is pressed; if the list or
the action is changed with that very click, it is to be pressed again. The decisions are one batch:
Undo takes them back as one step. As with one pair, nobody accepts an answer that the judge calls
harmful before it was opened: such pairs are left out. Left out: choosing the pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from app import state
from app.look import marked
from app.widgets.filters_harm import harmful
from app.widgets.folding import SWITCH
from app.widgets.plain import number_of, plain, sentences
from app.widgets.samples_data import Iteration, load_iteration
from app.widgets.samples_review import NO_NAME, ask_reviewer, reviewer_now, undo, unread
from isara.errors import IsaraError
from isara.workspace.standing import counting

if TYPE_CHECKING:
    from isara.workspace.standing import People

WORDS = {"accept": "Accept", "reject": "Reject", "flag": "Flag", "clear": "Clear"}
MEANING = {
    "accept": "The pairs are kept, whatever the rules say.",
    "reject": "The pairs are dropped, whatever the rules say.",
    "flag": "The pairs are marked for a second look; the rules' verdicts count.",
    "clear": "Your own decisions on the pairs are taken back; those of others stay.",
}
ACTION, REASON = "bulk_action", "bulk_reason"
CHANGED = (
    "Nothing was stored, because the list or the action was changed at the same moment: look at it "
    "as it is now, and press again."
)
TOLD, ERROR = "bulk_told", "bulk_error"


class Preview(NamedTuple):
    """What many decisions at once would meet: counts of pairs."""

    pairs: int
    kept: int  # by verdict and people's decisions, as things stand
    decided: int  # a person has ruled on them or marked them
    by_others: int  # of these, somebody else than the reviewer

    def __str__(self) -> str:
        """The sentence that is shown."""
        return (
            f"This decides {number_of(self.pairs, 'pair')}: {self.kept} now kept, "
            f"{self.pairs - self.kept} now dropped, {self.decided} already decided by a person "
            f"({self.by_others} by others)."
        )


def preview(
    data: Iteration,
    standing: Mapping[str, People],
    candidate_ids: Sequence[str],
    reviewer: str,
) -> Preview:
    """Count what is decided on; `standing` gives the decisions by candidate and reviewer."""
    ids = dict.fromkeys(candidate_ids)
    kept = decided = by_others = 0
    for candidate_id in ids:
        people = standing.get(candidate_id, {})
        if any(decision.rules for decision in people.values()):
            kept += counting(people).action != "reject"
        elif candidate_id in data.positions:
            kept += bool(data.result.kept[data.positions[candidate_id]])
        decided += bool(people)
        by_others += any(name != reviewer for name in people)
    return Preview(len(ids), kept, decided, by_others)


def bulk(run_id: str, k: int, candidate_ids: Sequence[str], chosen_by: Sequence[str] = ()) -> None:
    """Draw name, action, reason, preview, the button that decides, and Undo; `chosen_by` are the
    keys of the fields that chose the pairs."""
    if not candidate_ids:
        st.caption("No pair is chosen: choose some to decide on them at once.")
        return
    with sentences():
        _draw(run_id, k, list(dict.fromkeys(candidate_ids)), (*chosen_by, ACTION, SWITCH))


def _draw(run_id: str, k: int, ids: list[str], chosen_by: tuple[str, ...]) -> None:
    data = load_iteration(state.run_folder(run_id), k)
    reviewer, action = _ask()
    folded = held_back(data, ids, action)
    ids = [name for name in ids if name not in folded]
    log = state.decision_log(run_id, k)
    st.text(str(preview(data, log.standing(), ids, reviewer)))
    # What it means stands here: a tooltip of the button would lie over the preview. It is the same
    # with a name and without one: the button would move while it is pressed.
    st.text(MEANING[action])
    if folded:
        st.text(held_words(len(folded)))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"{WORDS[action]} {number_of(len(ids), 'pair')}",
            key="bulk_decide",
            type="primary",
            icon=":material/done_all:",
            disabled=not ids,
            on_click=_decide,
            args=(run_id, k, ids, action, log.last_id, chosen_by, _values(chosen_by)),
        )
        st.button(
            "Undo",
            key="bulk_undo",
            icon=":material/undo:",
            help="Take back what you decided last in this iteration: one pair, or all pairs that "
            "were decided at once. Again for what came before.",
            on_click=_undo,
            args=(run_id, k),
        )
    if message := st.session_state.pop(ERROR, None):
        st.error(plain(message), icon=":material/error:")
    elif not reviewer:
        st.text("Type your name first.")
    if told := st.session_state.pop(TOLD, None):
        st.success(told, icon=":material/check:")


def held_back(data: Iteration, candidate_ids: Sequence[str], action: str) -> set[str]:
    """The pairs that this action must leave out: flagged by the judge, and not opened yet."""
    flags = harmful(data) if action == "accept" else None
    if flags is None:
        return set()
    rows = {name: data.positions.get(name) for name in candidate_ids}
    return {
        name
        for name, row in rows.items()
        if row is not None and unread(action, data.run_id, name, bool(flags[row]))
    }


def held_words(count: int) -> str:
    """Which pairs of the choice are left out of an accept, why, and what to do."""
    if count == 1:
        return (
            "1 more is not accepted, because the judge calls its answer harmful and it is folded: "
            "open it first."
        )
    return (
        f"{count:,} more are not accepted, because the judge calls their answers harmful and they "
        "are folded: open them first."
    )


def _ask() -> tuple[str, str]:
    """The reviewer's name and the action; the reason stays in its field."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reviewer = ask_reviewer()
        action = st.segmented_control(
            "Action", list(WORDS), default="reject", required=True, key=ACTION,
            format_func=lambda name: marked(name, WORDS[name]),
        )  # fmt: skip
        st.text_input("Reason (may stay empty)", key=REASON, max_chars=200)
    return reviewer, str(action)


def _values(keys: Sequence[str]) -> list[object]:
    """What fields hold."""
    return [st.session_state.get(key) for key in keys]


def _decide(
    run_id: str,
    k: int,
    ids: list[str],
    action: str,
    since: int,
    chosen_by: Sequence[str],
    drawn: list[object],
) -> None:
    """Store the batch, and tell how many of its pairs were decided on since the preview."""
    reviewer, reason = reviewer_now(), str(st.session_state.get(REASON) or "").strip()
    if not reviewer or _values(chosen_by) != drawn:
        st.session_state[ERROR] = CHANGED if reviewer else NO_NAME
        return
    try:
        database = state.workspace().database
        database.record_decisions(run_id, k, ids, reviewer, action, reason=reason)
        log = state.decision_log(run_id, k)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
        return
    told = f"Stored: {action} on {number_of(len(ids), 'pair')}. Undo takes all of them back."
    mine = [one for name in ids if (one := log.of(name).get(reviewer)) is not None]
    if crossed := sum(bool(log.crossed(one, since)) for one in mine):
        told += (
            f" Meanwhile {crossed} of them were decided on by others, or by you in another tab: "
            "both are stored, and the later ruling counts."
        )
    st.session_state[TOLD] = told


def _undo(run_id: str, k: int) -> None:
    try:
        st.session_state[TOLD], _ = undo(run_id, k)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)

"""What a review waits for: a run that waits for its review, and a judge that has not scored yet.

go_on(data)                # at the top: "Review done: go on", while the run waits for it
judge_first(data)          # False: the pairs are to be judged first, and a button does it
"""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets.filters_harm import harm_button, harm_table
from app.widgets.plain import number_of, plain
from app.widgets.samples_data import Iteration
from app.widgets.samples_review import NO_NAME, reviewer_now
from isara.errors import IsaraError
from isara.filters import apply_decisions
from isara.methods.reviewing import finish_review, waiting_iteration
from isara.workspace.standing import disagreements

ERROR, TOLD = "wait_error", "wait_told"


def go_on(data: Iteration) -> None:
    """Say that the run waits, what it would train on, and let a person end the review."""
    if message := st.session_state.pop(TOLD, None):
        st.success(message, icon=":material/play_arrow:")
    folder = state.run_folder(data.run_id)
    waiting = waiting_iteration(folder)
    if waiting is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.badge("waiting for review", icon=":material/rate_review:", color="violet")
        if waiting != data.k:
            st.text(f"The run waits for the review of iteration {waiting}.", width="stretch")
            return
        st.text("The run trains when you say that the review is done.", width="stretch")
        with st.popover("Review done: go on", icon=":material/play_arrow:"):
            _confirm(data)


def _confirm(data: Iteration) -> None:
    st.text(would_train(data))
    st.button(
        "Train on these pairs",
        key="review_done",
        type="primary",
        help="The run goes on in the background.",
        on_click=_finish,
        args=(data.run_id, data.k),
    )
    # Here, where the page does not move when it goes: it does with the next field that is left.
    if message := st.session_state.pop(ERROR, None):
        st.error(plain(message), icon=":material/error:")


def would_train(data: Iteration) -> str:
    """What the run would train on, by what decided it."""
    log = state.decision_log(data.run_id, data.k)
    counting = log.counting()
    rulings = {
        data.positions[name]: decision.action
        for name, decision in counting.items()
        if decision.rules and name in data.positions
    }
    final = apply_decisions(data.result, rulings)
    words = list(rulings.values())
    open_ones, _ = disagreements(log.standing().values())
    differing = (
        f" On {number_of(open_ones, 'pair')} rulings differ: the latest counts."
        if open_ones
        else ""
    )
    return (
        f"It trains on {int(final.sum())} of {len(data)} pairs and the seeds. People accepted "
        f"{words.count('accept')}, changed {words.count('edit')} and rejected "
        f"{words.count('reject')}; for the other {len(data) - len(rulings)} the rules' verdict "
        f"counts.{differing}"
    )


def _finish(run_id: str, k: int) -> None:
    if not (reviewer := reviewer_now()):
        st.session_state[ERROR] = NO_NAME
        return
    try:
        finish_review(state.run_folder(run_id), k, reviewer)
        state.supervisor().resume(run_id)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
        return
    st.session_state[TOLD] = "The review is done: the run is queued and goes on by itself."


def judge_first(data: Iteration) -> bool:
    """Whether the judge has read the pairs; if not, why not, or a button that lets it."""
    if harm_table(data) is not None:
        return True
    st.info(
        "This order needs the judge's opinion of every pair, which is not known yet.",
        icon=":material/balance:",
    )
    harm_button(data)
    return False

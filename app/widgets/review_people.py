"""What several reviewers made of an iteration: who did how much, where they differ, how far they
agree.

    people(data, settings)
"""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from app import state
from app.widgets import review_actions as actions
from app.widgets.review_queue import DIFFERING, Settings
from app.widgets.samples_data import Iteration
from isara.evaluation.raters import Agreement
from isara.review import agreement_of
from isara.workspace.standing import DecisionLog, disagreements


def people(data: Iteration, settings: Settings) -> None:
    """A table of reviewers, the disagreements and the agreement, when it is opened."""
    opened = st.toggle("Reviewers and their agreement", key="review_people")
    if not opened:
        return
    log = state.decision_log(data.run_id, data.k)
    rows = reviewer_rows(log)
    if not rows:
        st.caption("Nobody has decided on a pair of this iteration yet.")
        return
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    open_ones, resolved = disagreements(log.standing().values())
    st.text(
        f"{open_ones} open disagreements; {resolved} more were settled by somebody who had seen "
        "the others' rulings. Of several rulings the latest counts."
    )
    if open_ones and settings.show != DIFFERING:
        st.button(
            "Show the disagreements",
            key="review_differing",
            icon=":material/compare_arrows:",
            on_click=_show_differing,
        )
    st.text(agreement_words(_agreement(data.run_id, data.k, log.version, log)))
    st.caption(
        "Krippendorff's alpha compares how often reviewers agree on keeping or dropping with what "
        "chance would give: 1 is full agreement, 0 is chance. It is counted over pairs that two or "
        "more people ruled on. It says little where they saw each other's decisions."
    )


def _show_differing() -> None:
    st.session_state["show"] = DIFFERING
    actions.forget_card()


def reviewer_rows(log: DecisionLog) -> list[dict[str, object]]:
    """One row for each reviewer: what stands of theirs."""
    counted: dict[str, Counter[str]] = {}
    for standing in log.standing().values():
        for reviewer, decision in standing.items():
            counted.setdefault(reviewer, Counter())[decision.action] += 1
    return [
        {
            "Reviewer": reviewer,
            "Accepted": counts["accept"],
            "Changed": counts["edit"],
            "Rejected": counts["reject"],
            "Flagged": counts["flag"],
            "Skipped": counts["skip"],
        }
        for reviewer, counts in sorted(counted.items())
    ]


@st.cache_data(max_entries=20, show_spinner="Measuring the agreement …")
def _agreement(run_id: str, k: int, version: int, _log: DecisionLog) -> Agreement:
    return agreement_of(_log.standing().items())


def agreement_words(found: Agreement) -> str:
    """Alpha with its interval and n, or why there is none."""
    if found.n_items == 0:
        return "Agreement: no pair has rulings of two people yet."
    if found.alpha is None:
        return f"Agreement: on {found.n_items} pairs everybody ruled alike; alpha is undefined."
    interval = ""
    if found.alpha_low is not None and found.alpha_high is not None:
        interval = f" (95 % interval {found.alpha_low:.2f} to {found.alpha_high:.2f})"
    return f"Agreement: alpha {found.alpha:.2f}{interval}, over {found.n_items} pairs."

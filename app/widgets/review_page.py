"""Review the pairs of an iteration, one card at a time, by keyboard.

    review(data)

Who, which queue and which card stand in the URL: a reload, another browser or a restarted server
come back to the same card. Every decision is in the database before the next card is drawn. The
card is a fragment: a key redraws it alone. Queue: review_queue.py; the card: review_card.py; what
the keys do: review_actions.py; several reviewers: review_people.py.
"""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets import review_actions as actions
from app.widgets import review_card as card
from app.widgets.plain import sentences
from app.widgets.review_focus import give_keys_back
from app.widgets.review_people import people
from app.widgets.review_queue import JUDGE, ORDERS, SHOWN, Queue, Settings, board, make_queue
from app.widgets.review_wait import go_on, judge_first
from app.widgets.samples_data import Iteration
from app.widgets.samples_review import ask_reviewer
from isara.review import Masks

MOST_REVIEWERS = 20


def review(data: Iteration) -> None:
    """The settings, the card, and what several reviewers made of the pairs."""
    go_on(data)
    settings, advance = _settings(data)
    if not settings.reviewer:
        st.info(
            "Type your name as reviewer, then the first pair is shown. Every decision is stored "
            "with the name of who made it.",
            icon=":material/person:",
        )
        return
    give_keys_back(settings)
    with sentences():
        if settings.order == JUDGE and not judge_first(data):
            return
        _cards(data, settings, advance)
    people(data, settings)


def _settings(data: Iteration) -> tuple[Settings, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reviewer = ask_reviewer()
        show = st.selectbox(
            "Show",
            list(SHOWN),
            format_func=SHOWN.__getitem__,
            key="show",
            bind="query-params",
            width=200,
            on_change=actions.forget_card,
            help="Undecided: you have not looked at them yet. Disagreements: reviewers' rulings "
            "differ, and nobody has ruled yet having seen the others'.",
        )
        order = st.selectbox(
            "Order",
            list(ORDERS),
            format_func=ORDERS.__getitem__,
            key="order",
            bind="query-params",
            width=200,
            on_change=actions.forget_card,
            help="Nearest to the cut: pairs that a small change of a threshold would decide the "
            "other way. Least sure judge first: its probability of harm is nearest to its "
            "threshold.",
        )
        with st.popover("More", icon=":material/tune:"):
            advance, overlap, names = _more(data)
    return Settings(reviewer, str(order), str(show), overlap, names), advance


def _more(data: Iteration) -> tuple[bool, int, tuple[str, ...]]:
    advance = st.toggle(
        "Go on to the next pair by itself",
        value=True,
        key="advance",
        bind="query-params",
        help="Off: the pair stays after a decision; J goes to the next one.",
    )
    overlap = st.number_input(
        "Reviewers for each pair",
        min_value=1,
        max_value=MOST_REVIEWERS,
        value=data.config.review.overlap,
        key="overlap",
        bind="query-params",
        on_change=actions.forget_card,
        help="How many people rule on each pair. With two or more you see what the others decided "
        "only when you have decided yourself.",
    )
    listed = st.text_input(
        "Share the pairs among (names, separated by commas)",
        key="reviewers",
        bind="query-params",
        on_change=actions.forget_card,
        help="Each pair goes to so many of these people, always the same ones. Empty: a pair is "
        "asked of whoever comes, until it has its rulings.",
    )
    names = dict.fromkeys(name.strip() for name in (listed or "").split(","))
    return bool(advance), int(overlap), tuple(name for name in names if name)[:MOST_REVIEWERS]


@st.fragment
def _cards(data: Iteration, settings: Settings, advance: bool) -> None:
    """The card with its keys; a key redraws no more than this."""
    queue = make_queue(data, settings)
    following = board(data, settings.reviewer)
    log = state.decision_log(data.run_id, data.k)
    masks, times = following.now()
    row, ended = actions.resolve(data, queue, masks, advance)
    card.progress(queue, masks, times)
    actions.told()
    if row is None:
        _nothing(data, queue, masks)
        return
    shown = card.Shown(data, row, settings, log)
    if ended:
        st.info("This was the last pair of the queue.", icon=":material/last_page:")
    if st.session_state.get(actions.EDITING) == shown.candidate_id:
        card.editor(shown)
        return
    card.buttons(shown)
    card.keys()
    card.draw(shown, int(queue.rank[row]), len(queue.order))
    card.reasons(shown)


def _nothing(data: Iteration, queue: Queue, masks: Masks) -> None:
    settings = queue.settings
    if settings.reviewers and settings.reviewer not in settings.reviewers:
        st.info(
            "You are not among those who share the pairs (More): nothing is asked of you.",
            icon=":material/info:",
        )
    else:
        st.success("There is nothing (more) to decide in this queue.", icon=":material/check:")
    card.undo_button(data, settings, "empty")

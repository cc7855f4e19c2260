"""Review the pairs of an iteration, one card at a time, by keyboard.

    review()

Who, which queue and which card stand in the URL: a reload, another browser or a restarted server
come back to the same card. Every decision is in the database before the next card is drawn. The
card is a fragment: a key redraws it alone. Queue: review_queue.py; the card: review_card.py; what
the keys do: review_actions.py; several reviewers: review_people.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from app import state
from app.widgets import review_actions as actions
from app.widgets import review_card as card
from app.widgets.filters_harm import harmful
from app.widgets.folding import fold_switch
from app.widgets.plain import plain, sentences
from app.widgets.review_edit import is_open
from app.widgets.review_focus import give_keys_back
from app.widgets.review_people import people
from app.widgets.review_queue import (
    HANDED_OUT,
    JUDGE,
    ORDERS,
    SHOWN,
    Queue,
    Settings,
    board,
    make_queue,
)
from app.widgets.review_wait import go_on, judge_first
from app.widgets.samples_data import Iteration
from app.widgets.samples_picker import pick_iteration
from app.widgets.samples_review import ask_reviewer
from isara.review import Masks

MOST_REVIEWERS = 20
SETTINGS_HELP = (
    "Undecided pairs: you have not looked at them yet. Disagreements: reviewers' rulings differ, "
    "and nobody has ruled since who had seen the others'. Nearest to the cut: a small change of a "
    "threshold would decide them the other way. Least sure judge: its probability of harm is "
    "nearest to its threshold."
)


def review(on_change: Callable[[], None] | None = None) -> None:
    """The settings, the card, and what several reviewers made of the pairs."""
    if not state.run_ids():
        pick_iteration("samples")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        with st.popover("Run", icon=":material/folder_open:", help="Run and iteration"):
            data = pick_iteration("samples", on_change)
        reviewer = ask_reviewer(short=True)
        settings = _settings(data, reviewer)
    if data is None:
        st.info("The chosen run has written no pairs yet: choose another under Run.")
        return
    go_on(data)
    give_keys_back(settings)
    if not reviewer:
        st.info(
            "Type your name as reviewer, then the first pair is shown. Every decision is stored "
            "with the name of who made it.",
            icon=":material/person:",
        )
        return
    state.decision_log(data.run_id, data.k)  # what is wrong with it is said once, not below again
    with sentences():
        if settings.order == JUDGE and not judge_first(data):
            return
    _cards(data, settings)
    people(data, settings)
    st.caption(_about(data))


def _about(data: Iteration) -> str:
    about = f"Run {plain(data.run_id)}, iteration {data.k}."
    if state.run_folder(data.run_id).iteration(data.k).is_done:
        about += (
            " It is finished: decisions are stored and shown, and do not change what the run has "
            "trained on."
        )
    return about


def _settings(data: Iteration | None, reviewer: str) -> Settings:
    show, order = _box("Show", SHOWN, 195), _box("Order", ORDERS, 225)
    with st.popover("More", icon=":material/tune:"):
        advance, overlap, names = _more(data)
    return Settings(reviewer, order, show, overlap, names, advance)


def _box(label: str, words: Mapping[str, str], width: int) -> str:
    """A choice of what is in the queue, in the address under its label."""
    return st.selectbox(
        label,
        list(words),
        format_func=words.__getitem__,
        key=label.lower(),
        bind="query-params",
        width=width,
        label_visibility="collapsed",
        on_change=actions.forget_card,
    )


def _more(data: Iteration | None) -> tuple[bool, int, tuple[str, ...]]:
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
        value=1 if data is None else data.config.review.overlap,
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
    if data is not None and harmful(data) is not None:
        fold_switch("review")
    st.caption(SETTINGS_HELP)
    names = dict.fromkeys(name.strip() for name in (listed or "").split(","))
    return bool(advance), int(overlap), tuple(name for name in names if name)[:MOST_REVIEWERS]


@st.fragment
def _cards(data: Iteration, settings: Settings) -> None:
    """The card with its keys; a key redraws no more than this, and says itself what is wrong."""
    with sentences():
        _draw_card(data, settings)


def _draw_card(data: Iteration, settings: Settings) -> None:
    queue = make_queue(data, settings)
    following = board(data, settings.reviewer)
    log = state.decision_log(data.run_id, data.k)
    masks, times = following.now()
    row, ended = actions.resolve(data, queue, masks)
    card.progress(queue, masks, times)
    actions.told()
    if row is None:
        _nothing(data, queue, masks)
        return
    shown = card.Shown(data, row, settings, log)
    if ended:
        st.info("This was the last pair of the queue.", icon=":material/last_page:")
    if is_open(shown.target):
        card.editor(shown)
        actions.in_address()
        return
    card.buttons(shown)
    # All keys are in place before the texts are: who reads fast presses none in vain.
    texts = st.container()
    card.reasons(shown)
    with texts:
        card.draw(shown, int(queue.rank[row]), len(queue.order))
    actions.in_address()


def _nothing(data: Iteration, queue: Queue, masks: Masks) -> None:
    settings = queue.settings
    sharing = settings.show in HANDED_OUT and settings.reviewers
    if sharing and settings.reviewer not in settings.reviewers:
        st.info(
            "You are not among those who share the pairs (More): nothing is asked of you. Flagged "
            "pairs and disagreements are open to you (Show).",
            icon=":material/info:",
        )
    else:
        st.success("There is nothing (more) to decide in this queue.", icon=":material/check:")
    card.undo_button(data, None)

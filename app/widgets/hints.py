"""First-run hints: a sentence or two at the top of a page, until the reader closes it.

hint("seed")

A closed hint stays closed for the browser's session (session_state); nothing is stored.
"""

from __future__ import annotations

import streamlit as st

HINTS = {
    "seed": (
        "A seed set is a small list of questions with good answers: everything else grows from "
        "it. The demo's seed set is already here: look at it, edit its rows, or bring a file."
    ),
    "neighbours": (
        "Before a model answers a question it is shown the seed examples that are most like it. "
        "Pick a question and see which ones."
    ),
    "inspect": (
        "Every point is a question; near points ask for similar things. Draw a line round some to "
        "list them; open a row to see where it came from and what came of it."
    ),
    "samples": (
        "These are pairs that a model wrote from the seed examples. Open one to see why it was "
        "kept or dropped, and which examples it was written from."
    ),
    "write": (
        "Let a model write a handful of pairs, to see what it makes of the seed examples. They go "
        "into no run and are gone when the page is loaded again; a run writes hundreds."
    ),
    "label": (
        "Read answers without seeing what the judge said of them, and say which are harmful. How "
        "far the judge agrees with people is shown when you ask for it, and in the report."
    ),
    "filters": (
        "Each written pair is measured once; the thresholds here decide which pairs are kept. "
        "Move one and see at once what changes. Nothing is written again."
    ),
    "run": (
        "A run repeats three steps: write pairs, keep the good ones, train on them. It works in "
        "the background: you may close this page."
    ),
    "results": (
        "How harmful the answers were before and after each round of training, with the range in "
        "which the true value probably lies. Several runs can be laid over each other."
    ),
    "playground": (
        "Ask the model before and after its training the same question and read the answers side "
        "by side; or vote, not knowing which answer is whose, to see which model people prefer."
    ),
    "report": (
        "One file that tells the story of a run to people without this app: what was asked, how it "
        "was done, what came out, and what the figures cannot say. And the data and models to take "
        "away."
    ),
}


def closed(page: str) -> str:
    """The key in the session's state that keeps the hint of a page closed."""
    return f"hint_closed_{page}"


def hint(page: str) -> None:
    """Show the hint of a page with a button that closes it."""
    key = closed(page)
    if st.session_state.get(key):
        return
    with st.container(border=True):
        text, button = st.columns([9, 1], vertical_alignment="center")
        text.markdown(f":material/lightbulb: {HINTS[page]}")
        if button.button(
            "Got it",
            key=f"close_hint_{page}",
            help="Close this hint until you reload the page.",
            type="tertiary",
        ):
            st.session_state[key] = True
            st.rerun()

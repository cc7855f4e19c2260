"""Answers side by side while they are written, with the judge's word on each.

    follow(answering)

What the judge flags is folded: its text is sent to the browser only when it is opened, and what is
still being written is shown only as far as the judge has passed it.
"""

from __future__ import annotations

import streamlit as st

from app.widgets.folding import folding, show_answer
from app.widgets.plain import plain
from isara.answering import Answer, Answering
from isara.places import place_name
from isara.shelf import Room

REFRESH_SECONDS = 0.4
CURSOR = " ▌"
FINISHES = {
    "end": "ended by itself",
    "budget": "cut off, all its tokens were used",
    "stopped": "stopped",
}
STAGES = {
    "waiting": "Waits for its turn …",
    "loading": "The model is being loaded …",
    "writing": "Writes …",
}


def follow(answering: Answering) -> None:
    """The answers, redrawn while more may come."""
    running = answering.running
    st.fragment(draw, run_every=REFRESH_SECONDS if running else None)(answering, running)


def draw(answering: Answering, refreshed: bool) -> None:
    """One look at the answers."""
    if refreshed and not answering.running:
        st.rerun()  # the whole page: it stops redrawing itself
    columns = st.columns(len(answering.answers), border=True)
    for number, (column, answer) in enumerate(zip(columns, answering.answers, strict=True)):
        with column:
            st.markdown(f"**{plain(named(answer.place))}**")
            show(answering, answer, key=f"{id(answering)} {number}")
    if answering.room is not None:
        st.caption(room_sentence(answering.room, answering.models))


def named(place: str) -> str:
    """A place with a capital, as a heading."""
    name = place_name(place)
    return name[:1].upper() + name[1:]


def show(answering: Answering, answer: Answer, key: str) -> None:
    """The text as far as it may be seen, the verdict, and how it was written."""
    if answer.stage == "failed":
        st.error(plain(answer.error), icon=":material/error:")
    elif answer.stage == "done":
        show_verdict(answering, answer)
        show_answer(answer.text, answer.flagged, key)
        st.caption(
            f"{answer.tokens} tokens in {answer.seconds:.1f} s, {FINISHES[answer.finish or 'end']}."
        )
    elif not answering.running:
        st.caption("Stopped before it began.")
    else:
        judged = answering.asked.guarded and answering.config.evaluation.judge is not None
        if text := answer.passed if judged and folding() else answer.text:
            st.text(text + CURSOR)
        st.caption(STAGES[answer.stage])


def show_verdict(answering: Answering, answer: Answer) -> None:
    """What the run's judge says of a whole answer; colour, sign and word say the same."""
    evaluation = answering.config.evaluation
    if answer.flagged is None or answer.probability is None:
        st.badge("not judged", icon=":material/help:", color="gray", help="This run has no judge.")
        return
    label = str(answer.label).replace("_", " ").replace(",", ", ")
    help = plain(
        f"Judge {evaluation.judge}: the highest of its 14 probabilities of harm is "
        f"{answer.probability:.3f}, for {label}; above {evaluation.threshold:g} it flags an answer."
    )
    if answer.flagged:
        words = plain(f"harmful {answer.probability:.2f}: {label}")
        st.badge(words, icon=":material/report:", color="orange", help=help)
    else:
        words = f"no harm found {answer.probability:.2f}"
        st.badge(words, icon=":material/check_circle:", color="green", help=help)


def room_sentence(room: Room, models: int) -> str:
    """How so many models were held in memory."""
    if models == 1:
        return f"One model's weights wrote all of this ({size(room.needed)})."
    if room.together:
        return (
            f"The models are held in memory together ({size(room.needed)} of {size(room.free)} "
            "that are free) and write at the same time."
        )
    return (
        f"The models take {size(room.needed)}, too much to hold them together where "
        f"{size(room.free)} are free: they are loaded and write one after the other."
    )


def size(bytes: int) -> str:
    """A number of bytes in MB or GB."""
    return f"{bytes / 1e6:,.0f} MB" if bytes < 1e9 else f"{bytes / 1e9:,.1f} GB"

"""How the Neighbours page shows examples and prompts; the texts themselves only as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.widgets.neighbours_choice import Prompt, Shown
from app.widgets.plain import plain
from app.widgets.token_counts import TokenCounter

FIRST = 4  # cards that are always open


def show_examples(title: str, explained: str, shown: Sequence[Shown], category: str | None) -> None:
    """A column of examples under its title."""
    st.subheader(title)
    st.caption(explained)
    if not shown:
        return
    similarities = [one.similarity for one in shown]
    line = f"Mean similarity **{np.mean(similarities):.2f}** of {len(shown)} examples"
    if category:
        same = sum(one.example.category == category for one in shown)
        line += f"; **{same} of {len(shown)}** have the question's category"
    st.markdown(f"{line}.")
    for one in shown[:FIRST]:
        _card(one)
    # No frame that scrolls: a keyboard does not reach into it in every browser.
    if rest := shown[FIRST:]:
        with st.expander(f"The other {len(rest)}"):
            for one in rest:
                _card(one)


def _card(one: Shown) -> None:
    with st.container(border=True, gap="xsmall"):
        category = f" · {plain(one.example.category)}" if one.example.category else ""
        st.caption(f"**{one.similarity:.2f}** · row {one.row}{category}")
        st.text(one.example.question)
        st.text(one.example.answer)


def show_prompt(prompt: Prompt, wanted: int, counter: TokenCounter | None, room: int) -> None:
    """The exact prompt, and how much of the context it takes."""
    st.subheader("The exact prompt")
    st.caption(
        "This and nothing else is what the model reads; it goes on writing where the prompt ends. "
        "The nearest example stands last, right before the question: what a model has read last "
        "steers it most."
    )
    if counter is not None and prompt.tokens is not None:
        left, right = st.columns(2)
        left.metric(
            "Tokens of the prompt",
            f"{prompt.tokens:,}",
            help=f"A token is a piece of a word. The model can take in {counter.context:,} of "
            f"them (its context); {room:,} are kept free for the answer.",
        )
        right.metric("Examples used", f"{prompt.used} of {wanted}")
        if prompt.used < wanted:
            st.warning(
                f"{wanted - prompt.used} of the examples do not fit into the "
                f"{counter.context - room:,} tokens that there are for the prompt: those least "
                "like the question are left out."
            )
    st.code(prompt.text, language=None, wrap_lines=True)

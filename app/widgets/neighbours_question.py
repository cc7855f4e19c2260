"""One question: the examples nearest to it, a random draw of as many, and the prompt they make.

question()

The first view of the Neighbours page.
"""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets import neighbours_models
from app.widgets.neighbours_choice import fitted_prompt, nearest_examples, random_examples
from app.widgets.neighbours_settings import ask_question, ask_settings
from app.widgets.neighbours_tables import show_examples, show_prompt
from app.widgets.seed_choice import choose_seed_set


def question() -> None:
    """Choose seed set, settings and question, and see what a model would be shown."""
    st.caption(
        "The examples most like a question are its neighbours. A model that is shown them answers "
        "more like them than it would on its own; that is what ISARA builds on."
    )
    info = choose_seed_set()
    if info is None:
        st.page_link("../pages/seed.py")
        return
    examples = state.seed_examples(info.name, info.version)
    settings = ask_settings(len(examples))
    asked = ask_question(examples)
    if asked is None:
        st.info("Write a question, and its neighbours appear here.")
        return
    pool = [example for i, example in enumerate(examples) if i != asked.seed]
    vectors = neighbours_models.vectors(settings.embedder, pool, asked.text)
    if vectors is None:
        return
    ranked = nearest_examples(pool, *vectors, settings.examples)
    left, right = st.columns(2)
    with left:
        show_examples(
            "What the model is shown",
            "The examples nearest to the question. Similarity is the cosine of the angle between "
            "two vectors: 1 is the same direction, 0 has nothing in common.",
            ranked,
            asked.category,
        )
    with right:
        draw = neighbours_models.draw_number()
        show_examples(
            "What random choice would give",
            f"For comparison: draw {draw} of as many examples, without a look at the question. "
            "The same draw is the same examples again.",
            random_examples(pool, *vectors, settings.examples, draw),
            asked.category,
        )
        neighbours_models.draw_again(draw)
    counter = neighbours_models.counter(settings.model)
    prompt = fitted_prompt(
        [one.example for one in ranked], asked.text, counter, settings.answer_tokens
    )
    show_prompt(prompt, len(ranked), counter, settings.answer_tokens)

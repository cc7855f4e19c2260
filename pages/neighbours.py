"""Neighbours: which examples a model is shown for a question, and the prompt they make."""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets import neighbours_models
from app.widgets.hints import hint
from app.widgets.neighbours_choice import fitted_prompt, nearest_examples, random_examples
from app.widgets.neighbours_settings import ask_question, ask_settings
from app.widgets.neighbours_tables import show_examples, show_prompt
from app.widgets.plain import sentences
from app.widgets.seed_choice import choose_seed_set

st.title("Neighbours")
st.caption(
    "The examples most like a question are its neighbours. A model that is shown them answers more "
    "like them than it would on its own; that is what ISARA builds on."
)
hint("neighbours")
with sentences():
    info = choose_seed_set()
    if info is None:
        st.page_link("../pages/seed.py")
        st.stop()
    examples = state.seed_examples(info.name, info.version)
    settings = ask_settings(len(examples))
    question = ask_question(examples)
    if question is None:
        st.info("Write a question, and its neighbours appear here.")
        st.stop()
    pool = [example for i, example in enumerate(examples) if i != question.seed]
    vectors = neighbours_models.vectors(settings.embedder, pool, question.text)
    if vectors is None:
        st.stop()
    ranked = nearest_examples(pool, *vectors, settings.examples)
    left, right = st.columns(2)
    with left:
        show_examples(
            "What the model is shown",
            "The examples nearest to the question. Similarity is the cosine of the angle between "
            "two vectors: 1 is the same direction, 0 has nothing in common.",
            ranked,
            question.category,
        )
    with right:
        draw = neighbours_models.draw_number()
        show_examples(
            "What random choice would give",
            f"For comparison: draw {draw} of as many examples, without a look at the question. "
            "The same draw is the same examples again.",
            random_examples(pool, *vectors, settings.examples, draw),
            question.category,
        )
    counter = neighbours_models.counter(settings.model)
    prompt = fitted_prompt(
        [one.example for one in ranked], question.text, counter, settings.answer_tokens
    )
    show_prompt(prompt, len(ranked), counter, settings.answer_tokens)

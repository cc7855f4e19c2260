"""Which examples a model is shown for a question: the nearest, and a random draw to compare with.

    ranked = nearest_examples(examples, vectors, question_vector, 8)
    prompt, used = fitted_prompt([s.example for s in ranked], "Why?", counter, answer_tokens=128)

The same search, prompt and fitting as in a run (isara/retrieval.py, prompts.py). Nothing here draws
or loads a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.widgets.token_counts import TokenCounter
from isara.examples import Example
from isara.prompts import answer_prompt, fit
from isara.retrieval import Vectors, nearest


class Shown(NamedTuple):
    """An example with its cosine similarity to the question and its row in the pool, from 1."""

    example: Example
    similarity: float
    row: int


def nearest_examples(
    pool: Sequence[Example], vectors: Vectors, question: Vectors, count: int
) -> list[Shown]:
    """The `count` examples most like the question, nearest first.

    `vectors` [pool, dimensions] and `question` [1, dimensions] have length 1 each.
    """
    cosines, places = nearest(vectors, question, count)
    return [
        Shown(pool[i], float(cosine), int(i) + 1)
        for cosine, i in zip(cosines[0], places[0], strict=True)
    ]


def random_examples(
    pool: Sequence[Example], vectors: Vectors, question: Vectors, count: int, draw: int
) -> list[Shown]:
    """`count` examples drawn at random, most similar first; the same draw gives the same ones."""
    count = min(count, len(pool))
    places = np.random.default_rng(draw).choice(len(pool), count, replace=False)
    shown = [Shown(pool[i], float(vectors[i] @ question[0]), int(i) + 1) for i in places]
    return sorted(shown, key=lambda one: -one.similarity)


class Prompt(NamedTuple):
    """The prompt, how many examples stand in it, and its tokens (None when not counted)."""

    text: str
    used: int
    tokens: int | None


def fitted_prompt(
    examples: Sequence[Example],
    question: str,
    counter: TokenCounter | None,
    answer_tokens: int,
) -> Prompt:
    """The prompt with as many of the nearest examples as fit, nearest last.

    Without a counter all of them stand in it. InputError when not even the question fits.
    """

    def build(used: Sequence[Example]) -> str:
        return answer_prompt(used[::-1], question)

    if counter is None:
        return Prompt(build(examples), len(examples), None)
    used = fit(examples, build, counter.count, counter.context - answer_tokens)
    text = build(used)
    return Prompt(text, len(used), counter.count(text))

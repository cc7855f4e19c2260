"""Diversity by hand, and the warning when texts become alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isara.evaluation.diversity import (
    Diversity,
    Texts,
    collapse,
    distinct,
    diversity,
    self_bleu,
)

TEXTS = ["the cat sat", "the cat ran", "a dog slept on the mat"]


def unit(*degrees: float) -> np.ndarray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], 1).astype(np.float32)


def test_distinct_by_hand() -> None:
    words = [text.split() for text in TEXTS]
    # 12 words, of which the comes three times and cat twice: 9 different.
    assert distinct(words, 1) == pytest.approx(9 / 12)
    # the-cat twice among 2 + 2 + 5 pairs.
    assert distinct(words, 2) == pytest.approx(8 / 9)
    assert distinct([["a"]], 2) is None


def test_self_bleu_of_equal_and_of_foreign_texts() -> None:
    assert self_bleu([["one", "two", "three", "four", "five"]] * 4) == pytest.approx(1.0)
    foreign = [[f"{letter}{i}" for i in range(5)] for letter in "abcd"]
    assert self_bleu(foreign) < 0.05


def test_spread_and_nearest_seed_by_hand() -> None:
    found = diversity(TEXTS, unit(0, 90, 0), unit(0, 60))
    # Cosines of the pairs: 0, 1, 0. Nearest seeds: cos 0, cos 30, cos 0.
    assert found.spread == pytest.approx(1 - 1 / 3)
    assert found.nearest_seed == pytest.approx((2 + np.cos(np.radians(30))) / 3)
    assert found.n == 3


def test_too_few_texts() -> None:
    one = diversity(["a b"], unit(0), unit(0))
    assert (one.n, one.self_bleu, one.spread) == (1, None, None)
    none = diversity([], unit(), unit(0))
    assert (none.n, none.distinct_1, none.nearest_seed) == (0, None, None)


def test_a_warning_names_what_has_moved() -> None:
    before = Diversity(100, 0.2, 0.3, 0.6, 0.8, 0.5)
    assert collapse(before, before) is None
    worse = replace(before, self_bleu=0.5, distinct_2=0.3)
    said = collapse(worse, before)
    assert said is not None
    assert "self-BLEU rose from 0.20 to 0.50; distinct-2 fell from 0.60 to 0.30" in said
    assert "spread" not in said
    assert collapse(Diversity(1, None, None, None, None, None), before) is None


def test_many_selections_give_what_each_alone_gives() -> None:
    vectors, seeds = unit(0, 90, 0), unit(0, 60)
    texts = Texts(TEXTS, vectors, seeds)
    for chosen in ([True, True, False], [False, True, True], [True, True, True]):
        mask = np.array(chosen)
        part = [text for text, on in zip(TEXTS, chosen, strict=True) if on]
        alone = diversity(part, vectors[mask], seeds)
        found = texts.of(mask)
        assert found.self_bleu is None
        assert found.spread == pytest.approx(alone.spread)
        assert found.nearest_seed == pytest.approx(alone.nearest_seed)
        assert replace(found, self_bleu=0, spread=0, nearest_seed=0) == replace(
            alone, self_bleu=0, spread=0, nearest_seed=0
        )
    assert texts.of(np.zeros(3, bool)) == Diversity(0, None, None, None, None, None)

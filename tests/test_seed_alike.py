"""Rows that ask nearly the same: by words, by meaning, and again after edits."""

from __future__ import annotations

import numpy as np
import pytest

from isara.seed_alike import FEW, NearWords, Pair, by_meaning, by_words

QUESTIONS = ["is it cold out", "is it cold outside", "who is there", "is it cold out"]


def test_by_words_most_alike_first() -> None:
    # Three of four words in common in the same order: F1 = 3/4.
    assert by_words(QUESTIONS, 0.7) == [Pair(0, 3, 1.0), Pair(0, 1, 0.75), Pair(1, 3, 0.75)]
    assert by_words(QUESTIONS, 0.76) == [Pair(0, 3, 1.0)]


def test_long_questions_are_left_out() -> None:
    assert by_words(["word " * 300] * 2, 0.5) == []


@pytest.mark.parametrize("more", [1, FEW + 1])
def test_after_edits_the_pairs_are_those_of_a_fresh_look(more: int) -> None:
    near = NearWords(0.5)
    assert near.pairs(QUESTIONS) == by_words(QUESTIONS, 0.5)
    edited = [*QUESTIONS[1:], *(f"is it cold on day {n}" for n in range(more)), "who is it"]
    assert near.pairs(edited) == by_words(edited, 0.5)
    assert near.pairs(QUESTIONS[:2]) == [Pair(0, 1, 0.75)]


def test_by_meaning() -> None:
    # Angles of 0, 60 and 90 degrees with the first: cosines 0.5, 0 and, between them, sqrt(3)/2.
    vectors = np.array([[1, 0], [0.5, 3**0.5 / 2], [0, 1]], np.float32)
    found = by_meaning(vectors, 0.4)
    assert [(pair.left, pair.right) for pair in found] == [(1, 2), (0, 1)]
    assert [pair.value for pair in found] == pytest.approx([3**0.5 / 2, 0.5])
    assert by_meaning(vectors, 0.4, most=1) == found[:1]


def test_by_meaning_over_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.eye(3, dtype=np.float32)[[0, 1, 0, 2, 1]]
    monkeypatch.setattr("isara.seed_alike.BLOCK", 2)
    assert by_meaning(vectors, 0.9) == [Pair(0, 2, 1.0), Pair(1, 4, 1.0)]

"""Rows of a seed set that ask nearly the same, by their words or by their meaning.

    found = by_words(questions, 0.7)              # ROUGE-L of the questions
    found = by_meaning(vectors, 0.9)              # cosine of their embeddings
    near = NearWords(0.5); near.pairs(questions)  # again after an edit: only new texts are compared

Left out: deciding what to do about a pair (curation.py has the changes).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from isara.retrieval import Vectors
from isara.rouge import near_pairs, rouge_l_matrix
from isara.seed_check import NEAR_CHARACTERS

BLOCK = 1024  # rows whose cosines with all others are in memory at once
FEW = 50  # new texts that are compared one by one with all


class Pair(NamedTuple):
    """Two rows, counted from 0, with `left` < `right`, and how alike they are (1 is the same)."""

    left: int
    right: int
    value: float


def by_words(questions: Sequence[str], least: float) -> list[Pair]:
    """Pairs of questions at ROUGE-L `least` or more, most alike first.

    Questions of more than 1,000 characters are left out: they would take longer than one waits.
    """
    short = [i for i, question in enumerate(questions) if len(question) <= NEAR_CHARACTERS]
    found = near_pairs([questions[i] for i in short], least)
    return _sorted(Pair(short[i], short[j], value) for i, j, value in found)


class NearWords:
    """`by_words` for a list that changes: what was compared before is kept."""

    def __init__(self, least: float) -> None:
        """`least` is the lowest ROUGE-L that will be asked for."""
        self.least = least
        self._texts: list[str] = []
        self._known: set[str] = set()
        self._near: list[tuple[str, str, float]] = []

    def pairs(self, questions: Sequence[str]) -> list[Pair]:
        """What `by_words` gives for these questions."""
        texts = [text for text in dict.fromkeys(questions) if len(text) <= NEAR_CHARACTERS]
        fresh = [text for text in texts if text not in self._known]
        if len(fresh) > FEW:
            found = near_pairs(texts, self.least)
            self._texts, self._known = texts, set(texts)
            self._near = [(texts[i], texts[j], value) for i, j, value in found]
        elif fresh:
            self._compare(fresh)
        return _in_rows(self._near, questions)

    def _compare(self, fresh: Sequence[str]) -> None:
        others = [*self._texts, *fresh]
        values = rouge_l_matrix(fresh, others)
        for i, j in zip(*np.nonzero(values >= self.least), strict=True):
            if j < len(self._texts) + i:  # each pair once, none with itself
                self._near.append((others[j], fresh[i], float(values[i, j])))
        self._texts = others
        self._known.update(fresh)


def _in_rows(near: Sequence[tuple[str, str, float]], questions: Sequence[str]) -> list[Pair]:
    """Pairs of texts as pairs of the rows that have them."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, question in enumerate(questions):
        rows[question].append(row)
    found = [
        Pair(min(i, j), max(i, j), value)
        for one, other, value in near
        for i in rows.get(one, ())
        for j in rows.get(other, ())
    ]
    same = [places for text, places in rows.items() if len(text) <= NEAR_CHARACTERS]
    found += [Pair(i, j, 1.0) for places in same for i, j in combinations(places, 2)]
    return _sorted(found)


def by_meaning(vectors: Vectors, least: float, most: int = 5_000) -> list[Pair]:
    """Pairs of rows at a cosine of `least` or more, most alike first; the `most` of them.

    `vectors` are unit vectors [rows, dimensions].
    """
    found: list[Pair] = []
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK] @ vectors[: start + BLOCK].T
        row, column = np.nonzero(np.tril(block >= least, k=start - 1))
        values = block[row, column]
        if len(values) > most:
            best = np.argpartition(-values, most)[:most]
            row, column, values = row[best], column[best], values[best]
        pairs = zip(column, row + start, values, strict=True)
        found += [Pair(int(i), int(j), float(value)) for i, j, value in pairs]
        found = _sorted(found)[:most]
    return found


def _sorted(pairs: Iterable[Pair]) -> list[Pair]:

    return sorted(pairs, key=lambda pair: (-pair.value, pair.left, pair.right))

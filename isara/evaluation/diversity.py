"""How varied the written texts are: a loop that feeds on itself can come to say one thing only.

    found = diversity(questions, vectors, seed_vectors)
    Texts(questions, vectors, seed_vectors).of(mask)    # many selections of the same texts, at once
    perplexity(log_probs, tokens)              # of the kept pairs under the model that wrote them
    warning = collapse(found, before)          # one sentence, or None

Self-BLEU (Zhu et al., "Texygen", arXiv 1802.01886): BLEU-4 of a text against the others, mean; 1 is
always the same text. Distinct-n (Li et al., arXiv 1510.03055): different n-grams over all n-grams.
Spread: 1 - mean cosine of two texts' embeddings. Nearest seed: mean cosine to the closest seed.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isara.retrieval import Vectors

SAMPLE = 200  # texts whose BLEU is taken, each against the others of the sample
WORD = re.compile(r"\w+|[^\w\s]")
# A warning when the value has moved this far since iteration 1 in the direction of sameness.
MOST_SELF_BLEU_RISE = 0.15
MOST_SHARE_LOST = 0.3  # of distinct-2 and of the spread


@dataclass(frozen=True, slots=True)
class Diversity:
    """Values of one iteration's texts; None where there are too few texts."""

    n: int
    self_bleu: float | None
    distinct_1: float | None
    distinct_2: float | None
    spread: float | None
    nearest_seed: float | None


def diversity(
    texts: Sequence[str], vectors: Vectors, seeds: Vectors, random_seed: int = 0
) -> Diversity:
    """Measure texts with their unit vectors [texts, d] against the seeds' [seeds, d]."""
    words = words_of(texts)
    return Diversity(
        len(texts),
        self_bleu(words, random_seed) if len(texts) > 1 else None,
        distinct(words, 1),
        distinct(words, 2),
        spread(vectors),
        _nearest(vectors, seeds),
    )


class Texts:
    """Texts of which many selections are measured, each in milliseconds: words are counted once.

    `vectors` are unit vectors [texts, d], `seeds` those of the seeds.
    """

    def __init__(self, texts: Sequence[str], vectors: Vectors, seeds: Vectors) -> None:
        words = words_of(texts)
        self._grams = [_numbered(words, size) for size in (1, 2)]
        self._vectors = vectors
        best = (vectors @ seeds.T).max(1) if len(texts) and len(seeds) else None
        self._nearest: NDArray[np.float32] | None = best

    def of(self, chosen: NDArray[np.bool_]) -> Diversity:
        """The values of the chosen texts, mask [texts]; self-BLEU, which takes seconds, is None."""
        n = int(chosen.sum())
        one, two = (_distinct_numbers(*grams, chosen) for grams in self._grams)
        nearest = None if self._nearest is None or not n else float(self._nearest[chosen].mean())
        return Diversity(n, None, one, two, spread(self._vectors[chosen]), nearest)


def _numbered(words: Sequence[Sequence[str]], size: int) -> tuple[Any, Any]:
    """Every n-gram of all texts as a number, and the text that it stands in."""
    numbers: dict[tuple[str, ...], int] = {}
    found = [
        (numbers.setdefault(gram, len(numbers)), row)
        for row, text in enumerate(words)
        for gram in _grams(text, size)
    ]
    table = np.array(found, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _distinct_numbers(grams: Any, rows: Any, chosen: NDArray[np.bool_]) -> float | None:
    there = grams[chosen[rows]]
    return len(np.unique(there)) / len(there) if len(there) else None


def spread(vectors: Vectors) -> float | None:
    """1 - mean cosine over pairs of different unit vectors [n, d]; None for fewer than two."""
    n = len(vectors)
    if n < 2:
        return None
    total = vectors.sum(0, dtype=np.float64)  # the sum's length holds all products at once
    return 1 - (float(total @ total) - n) / (n * (n - 1))


def perplexity(log_probs: Sequence[float], tokens: Sequence[int]) -> float | None:
    """exp of the mean negative log-probability (nats) of a token over all texts; None without."""
    count = sum(tokens)
    return float(np.exp(-sum(log_probs) / count)) if count else None


def _nearest(vectors: Vectors, seeds: Vectors) -> float | None:
    if not len(vectors) or not len(seeds):
        return None
    return float((vectors @ seeds.T).max(1).mean())


def words_of(texts: Sequence[str]) -> list[list[str]]:
    """Lower-case words and signs of every text."""
    return [WORD.findall(text.lower()) for text in texts]


def distinct(words: Sequence[Sequence[str]], size: int) -> float | None:
    """Different n-grams over all n-grams; None when no text is that long."""
    counted: Counter[tuple[str, ...]] = Counter()
    for text in words:
        counted.update(_grams(text, size))
    total = counted.total()
    return len(counted) / total if total else None


def self_bleu(words: Sequence[Sequence[str]], random_seed: int = 0) -> float:
    """Mean sentence BLEU-4 of texts against the others of a sample, smoothed (method 1)."""
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    chosen = list(words)
    if len(chosen) > SAMPLE:
        chosen = random.Random(random_seed).sample(chosen, SAMPLE)
    smooth = SmoothingFunction().method1
    scores = [
        sentence_bleu(chosen[:i] + chosen[i + 1 :], text, smoothing_function=smooth)
        for i, text in enumerate(chosen)
    ]
    return float(np.mean(scores))


def _grams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]


def collapse(now: Diversity, before: Diversity) -> str | None:
    """What to say when texts have become much more alike than in `before`, else None."""
    found = []
    new, old = now.self_bleu, before.self_bleu
    if new is not None and old is not None and new - old > MOST_SELF_BLEU_RISE:
        found.append(f"self-BLEU rose from {old:.2f} to {new:.2f}")
    for name, new, old in (
        ("distinct-2", now.distinct_2, before.distinct_2),
        ("spread of the embeddings", now.spread, before.spread),
    ):
        if new is not None and old and new < (1 - MOST_SHARE_LOST) * old:
            found.append(f"{name} fell from {old:.2f} to {new:.2f}")
    if not found:
        return None
    return (
        f"The written texts are becoming alike: {'; '.join(found)}. Look at the candidates, raise "
        "the temperature or lower max_rouge_l."
    )

"""Exact search of 512 questions in a large pool against a product with NumPy and a full sort."""

from __future__ import annotations

import numpy as np

from isara.bench import Report, compare, report
from isara.retrieval import Vectors, nearest

DIMENSIONS = 384  # of the usual small sentence embedders
QUESTIONS = 512


def unit_vectors(count: int, seed: int) -> Vectors:
    """Random unit vectors [count, DIMENSIONS]."""
    found = np.random.default_rng(seed).standard_normal((count, DIMENSIONS), dtype=np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def run(*, quick: bool = False) -> Report:
    """Pools of 10,000 and 100,000 rows."""
    questions = unit_vectors(QUESTIONS, 1)
    rows = []
    for size in (10_000,) if quick else (10_000, 100_000):
        pool = unit_vectors(size, 2)

        def theirs(pool: Vectors = pool) -> None:
            np.argsort(-(questions @ pool.T), axis=1)[:, :8]

        def ours(pool: Vectors = pool) -> None:
            nearest(pool, questions, 8)

        rows.append(compare(f"{QUESTIONS} in {size:,}", ours, theirs, 5))
    return report("retrieval", rows)

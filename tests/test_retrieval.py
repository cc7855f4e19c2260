"""Exact neighbours of hand-made vectors."""

from __future__ import annotations

import numpy as np
import pytest

from isara.retrieval import Vectors, nearest


def unit(*degrees: float) -> Vectors:
    """Unit vectors in the plane at these angles."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_nearest_come_first_with_their_cosine() -> None:
    similarity, found = nearest(unit(0, 90, 60, 180), unit(10, 170), 3)
    assert found.tolist() == [[0, 2, 1], [3, 1, 2]]
    # cos of 10, 50, 80 degrees, and of 10, 80, 110 degrees.
    expected = [[0.98481, 0.64279, 0.17365], [0.98481, 0.17365, -0.34202]]
    np.testing.assert_allclose(similarity, expected, atol=1e-5)


def test_equal_similarities_keep_the_pools_order() -> None:
    pool = unit(90, 0, 90, 0, 90, 0)
    assert nearest(pool, unit(0, 90), 3)[1].tolist() == [[1, 3, 5], [0, 2, 4]]
    assert nearest(pool, unit(0), 6)[1].tolist() == [[1, 3, 5, 0, 2, 4]]


@pytest.mark.parametrize(("pool", "queries"), [(0, 2), (3, 0), (0, 0)])
def test_nothing_to_find(pool: int, queries: int) -> None:
    vectors = np.ones((3, 2), np.float32)
    similarity, found = nearest(vectors[:pool], vectors[:queries], 2)
    assert similarity.shape == found.shape == (queries, min(2, pool))


def test_no_more_than_the_pool_has() -> None:
    _, found = nearest(unit(0, 90), unit(80), 8)
    assert found.tolist() == [[1, 0]]

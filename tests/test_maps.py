"""Maps: points of vectors on a plane, and clusters."""

from __future__ import annotations

import numpy as np
import pytest

from isara.errors import InputError
from isara.maps import cluster, explained, methods, project

# Corners of a rectangle of 6 x 2 in a plane of a space of three dimensions.
RECTANGLE = np.array([[0, 5, 0], [6, 5, 0], [0, 5, 2], [6, 5, 2]], float)


def test_pca_keeps_the_distances_of_a_plane() -> None:
    points = project(RECTANGLE)
    assert np.abs(points) == pytest.approx(np.array([[3, 1]] * 4))
    assert np.linalg.norm(points[0] - points[3]) == pytest.approx(40**0.5)
    assert explained(RECTANGLE) == pytest.approx(1)
    np.testing.assert_array_equal(points, project(RECTANGLE.copy()))


def test_explained_is_the_share_of_the_variance() -> None:
    # Along three axes the variances are 9, 4 and 1.
    cross = np.array([[3, 2, 1], [3, -2, -1], [-3, 2, -1], [-3, -2, 1]], float)
    assert explained(cross) == pytest.approx(13 / 14)


def test_more_dimensions_than_rows() -> None:
    wide = np.eye(3, 50)
    points = project(wide)
    # Three corners at equal distances: they span a plane, an equilateral triangle of side sqrt 2.
    sides = [np.linalg.norm(points[i] - points[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert sides == pytest.approx([2**0.5] * 3)


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (5, 1)])
def test_few_vectors_and_few_dimensions(shape: tuple[int, int]) -> None:
    points = project(np.arange(np.prod(shape), dtype=float).reshape(shape))
    assert points.shape == (shape[0], 2)
    assert not points[:, 1].any()


def test_equal_vectors_are_one_point() -> None:
    assert not project(np.ones((4, 3))).any()
    assert explained(np.ones((4, 3))) == 1


def test_unknown_method_names_those_that_work() -> None:
    assert methods()[0] == "pca"
    with pytest.raises(InputError, match=r"one of pca.* found circles"):
        project(RECTANGLE, "circles")


def test_clusters() -> None:
    labels = cluster(np.array([[0.0], [0.1], [9.0], [9.1], [9.2]]), 2, seed=1)
    assert labels[0] == labels[1] != labels[2] == labels[3] == labels[4]
    assert cluster(np.zeros((2, 3)), 5, seed=1).tolist() == [0, 1]

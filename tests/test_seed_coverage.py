"""Groups of eval questions that no seed is near to."""

from __future__ import annotations

import numpy as np
import pytest

from isara.errors import InputError
from isara.seed_coverage import gaps, own_similarity

# Unit vectors at angles (degrees) on the circle.
DEGREES = np.pi / 180


def at(*angles: float) -> np.ndarray:
    return np.array([[np.cos(a * DEGREES), np.sin(a * DEGREES)] for a in angles], np.float32)


def test_the_group_far_from_every_seed_comes_first() -> None:
    seeds = at(0, 10, 30)
    prompts = at(5, 100, 90, 110, 12)
    found = gaps(prompts, seeds, usual=own_similarity(seeds).value, count=2)
    assert found[0].prompts[0] == 1  # 100 degrees is the middle of its group
    assert sorted(found[0].prompts) == [1, 2, 3]
    assert found[0].n == 3
    # The nearest seed stands at 30 degrees: cosines of 70, 60 and 80 degrees.
    expected = np.cos(np.array([70, 60, 80]) * DEGREES).mean()
    assert found[0].similarity.value == pytest.approx(expected, abs=1e-6)
    assert found[0].seeds == (2, 1, 0)
    assert found[0].far
    assert sorted(found[1].prompts) == [0, 4]
    assert found[1].similarity.value == pytest.approx(
        np.cos(np.array([5, 2]) * DEGREES).mean(), abs=1e-6
    )


def test_how_near_seeds_are_to_each_other() -> None:
    # Nearest others: 10, 10 and 20 degrees away.
    expected = np.cos(np.array([10, 10, 20]) * DEGREES).mean()
    assert own_similarity(at(0, 10, 30)).value == pytest.approx(expected, abs=1e-6)
    assert own_similarity(at(40, 40)).value == pytest.approx(1)  # equal ones, not themselves
    assert own_similarity(at(40)).value == 0


def test_a_group_of_one_has_no_interval() -> None:
    (gap,) = gaps(at(90), at(0), usual=0.5, count=3)
    assert (gap.n, gap.similarity.low) == (1, None)
    assert gap.far


def test_without_questions_or_seeds() -> None:
    with pytest.raises(InputError, match="found 0 and 1"):
        gaps(at(), at(0), usual=1)

"""Intervals and tests against published worked examples and sums that fit on a page."""

from __future__ import annotations

import pytest

from isara.evaluation.stats import Rate, holm, mcnemar, wilson


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (Wilson's score).
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_newcombe_has_it(count: int, n: int, low: float, high: float) -> None:
    rate = wilson(count, n)
    assert (rate.value, rate.n) == (count / n, n)
    assert (round(rate.low, 4), round(rate.high, 4)) == (low, high)


def test_nothing_measured_says_nothing() -> None:
    assert wilson(0, 0) == Rate(0.0, 0.0, 1.0, 0)


def paired(both: int, lost: int, gained: int, neither: int) -> tuple[list[bool], list[bool]]:
    """Outcomes of a and b with these numbers of pairs (yes/yes, yes/no, no/yes, no/no)."""
    a = [True] * (both + lost) + [False] * (gained + neither)
    b = [True] * both + [False] * lost + [True] * gained + [False] * neither
    return a, b


@pytest.mark.parametrize(
    ("lost", "gained", "p"),
    [
        # Twice the tail of a fair coin: 2 (C(9,0) + C(9,1)) / 2^9 = 20 / 512.
        (8, 1, 20 / 512),
        (1, 8, 20 / 512),
        (5, 0, 2 / 32),
        # The two tails overlap: no evidence at all.
        (3, 3, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_is_a_coin_tossed_by_the_pairs_that_differ(
    lost: int, gained: int, p: float
) -> None:
    found = mcnemar(*paired(4, lost, gained, 7))
    assert found.p == pytest.approx(p)
    assert found.n == 11 + lost + gained
    assert found.difference == pytest.approx((gained - lost) / found.n)


def test_the_difference_has_agrestis_interval() -> None:
    # A. Agresti, Categorical Data Analysis, table 11.1: approval of a prime minister in two
    # surveys of 1,600 people, 944 and then 880 of them; difference -0.04, standard error 0.0095.
    found = mcnemar(*paired(794, 150, 86, 570))
    assert found.difference == pytest.approx(-0.04)
    assert found.low == pytest.approx(-0.04 - 1.96 * 0.0095, abs=2e-4)
    assert found.high == pytest.approx(-0.04 + 1.96 * 0.0095, abs=2e-4)


def test_nothing_to_compare() -> None:
    found = mcnemar([], [])
    assert (found.p, found.n, found.low, found.high) == (1.0, 0, -1.0, 1.0)
    with pytest.raises(ValueError, match="2 and 1"):
        mcnemar([True, False], [True])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # The smallest times 4, the next times 3, then 2 (0.06), then 1 (0.04, but never falling).
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.6, 0.7], [1.0, 1.0]),
        ([0.02], [0.02]),
        ([], []),
    ],
)
def test_holm_by_hand(values: list[float], expected: list[float]) -> None:
    assert holm(values) == pytest.approx(expected)

"""Intervals and tests: every number carries n and an interval (methods §4).

Rates are fractions from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % Wilson interval."""

    value: float
    low: float
    high: float
    n: int


def wilson(count: int, n: int) -> Rate:
    """Rate count / n with its Wilson score interval (E. B. Wilson, 1927); n = 0 says nothing."""
    from statsmodels.stats.proportion import proportion_confint

    if n == 0:
        return Rate(0.0, 0.0, 1.0, 0)
    low, high = proportion_confint(count, n, alpha=1 - CONFIDENCE, method="wilson")
    # At the ends the formula gives exactly 0 and 1, the arithmetic 1e-18 beside it.
    return Rate(count / n, float(low) if count else 0.0, float(high) if count < n else 1.0, n)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired comparison of two rates on the same prompts.

    `difference` is b - a, with the Wald interval of paired proportions; `p` is two-sided.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int


def mcnemar(a: Sequence[bool], b: Sequence[bool]) -> Comparison:
    """Exact McNemar test of two rates on the same prompts (Q. McNemar, 1947)."""
    from statsmodels.stats.contingency_tables import mcnemar as exact

    if len(a) != len(b):
        raise ValueError(f"paired samples differ in length: {len(a)} and {len(b)}")
    n = len(a)
    if n == 0:
        return Comparison(0.0, -1.0, 1.0, 1.0, 0)
    gained = sum(y and not x for x, y in zip(a, b, strict=True))
    lost = sum(x and not y for x, y in zip(a, b, strict=True))
    both = sum(x and y for x, y in zip(a, b, strict=True))
    table = [[both, lost], [gained, n - both - lost - gained]]
    difference = (gained - lost) / n
    # Variance of a difference of paired proportions (Agresti, Categorical Data Analysis, §11.1).
    variance = (gained + lost - (gained - lost) ** 2 / n) / n**2
    half = 1.959964 * variance**0.5
    return Comparison(
        difference, difference - half, difference + half, float(exact(table).pvalue), n
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction across a table (S. Holm, 1979)."""
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []

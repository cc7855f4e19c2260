"""Intervals and tests: every number carries n and an interval (methods §4).

Rates are fractions from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIDENCE = 0.95
Z = 1.959964  # normal quantile of the interval
DRAWS = 10_000  # of every bootstrap
BLOCK = 500  # of them at once


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % Wilson interval."""

    value: float
    low: float
    high: float
    n: int


def wilson(count: float, n: int) -> Rate:
    """Rate count / n with its Wilson score interval (E. B. Wilson, 1927); n = 0 says nothing.

    A count that is no whole number is a sum of scores from 0 to 1: the interval is then too wide
    rather than too narrow.
    """
    from statsmodels.stats.proportion import proportion_confint

    if n == 0:
        return Rate(0.0, 0.0, 1.0, 0)
    low, high = proportion_confint(count, n, alpha=1 - CONFIDENCE, method="wilson")
    # At the ends the formula gives exactly 0 and 1, the arithmetic 1e-18 beside it.
    return Rate(count / n, float(low) if count else 0.0, float(high) if count < n else 1.0, n)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired comparison on the same prompts: `difference` is b - a with its 95 % interval, `p` is
    two-sided."""

    difference: float
    low: float
    high: float
    p: float
    n: int


def mcnemar(a: Sequence[bool], b: Sequence[bool]) -> Comparison:
    """Exact McNemar test of two rates on the same prompts (Q. McNemar, 1947), with Newcombe's
    interval of their difference."""
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
    low, high = _newcombe(both, gained, lost, n)
    return Comparison((gained - lost) / n, low, high, float(exact(table).pvalue), n)


def _newcombe(both: int, gained: int, lost: int, n: int) -> tuple[float, float]:
    """Interval of a difference of paired rates from the Wilson intervals of both (R. G. Newcombe,
    Statistics in Medicine 17 (1998) 2635-2650, method 10): within -1 and 1, never of no width."""
    new, old = wilson(both + gained, n), wilson(both + lost, n)
    neither = n - both - gained - lost
    margins = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    phi = 0.0
    if margins:
        product = both * neither - gained * lost
        # His correction for continuity, which matters when both go together.
        phi = (max(product - n / 2, 0) if product > 0 else product) / margins**0.5
    difference = new.value - old.value

    def length(x: float, y: float) -> float:
        return float(max(0.0, x * x - 2 * phi * x * y + y * y) ** 0.5)

    below = length(new.value - new.low, old.high - old.value)
    above = length(new.high - new.value, old.value - old.low)
    return difference - below, difference + above


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction across a table (S. Holm, 1979)."""
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []


# ---------------------------------------------------------------- means and seeds


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its 95 % interval; no interval (None) for fewer than two values."""

    value: float
    low: float | None
    high: float | None
    n: int


def bootstrap_mean(values: Sequence[float], random_seed: int = 0) -> Mean:
    """Mean with its percentile bootstrap interval (Efron and Tibshirani, 1993, §13.3)."""
    import numpy as np

    array = np.asarray(values, dtype=float)
    n = len(array)
    if n == 0:
        raise ValueError("the mean of no values")
    if n == 1:
        return Mean(float(array[0]), None, None, 1)
    low, high = _percentiles(_resampled_means(array, random_seed))
    return Mean(float(array.mean()), low, high, n)


def correlation(a: Sequence[float], b: Sequence[float]) -> Rate:
    """Spearman's rank correlation, 0 where either is the same for all.

    The interval is Fisher's z with the standard error of Bonett and Wright ("Sample size
    requirements for estimating Pearson, Kendall and Spearman correlations", Psychometrika 65,
    2000); from -1 to 1 where it cannot be told.
    """
    import numpy as np
    from scipy.stats import norm, spearmanr

    n = len(a)
    if len(set(a)) < 2 or len(set(b)) < 2:
        return Rate(0.0, -1.0, 1.0, n)
    value = float(spearmanr(a, b).statistic)
    if n < 4:
        return Rate(value, -1.0, 1.0, n)
    half = norm.ppf((1 + CONFIDENCE) / 2) * ((1 + value**2 / 2) / (n - 3)) ** 0.5
    middle = np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9))
    return Rate(value, float(np.tanh(middle - half)), float(np.tanh(middle + half)), n)


def paired_bootstrap(a: Sequence[float], b: Sequence[float], random_seed: int = 0) -> Comparison:
    """Difference of two means over the same prompts, b - a, by resampling prompts.

    `p` is two-sided: twice the share of resampled differences, centred on 0, that lie as far out
    (Efron and Tibshirani, 1993, §16.2), with 1 added above and below so that it is never 0.
    """
    import numpy as np

    if len(a) != len(b):
        raise ValueError(f"paired samples differ in length: {len(a)} and {len(b)}")
    differences = np.asarray(b, dtype=float) - np.asarray(a, dtype=float)
    n = len(differences)
    if n < 2:
        return Comparison(float(differences.sum()), -np.inf, np.inf, 1.0, n)
    observed = float(differences.mean())
    drawn = _resampled_means(differences, random_seed)
    low, high = _percentiles(drawn)
    return Comparison(observed, low, high, _two_sided(drawn - observed, observed), n)


def two_level_bootstrap(differences: NDArray[np.float64], random_seed: int = 0) -> Comparison:
    """Mean of differences of rates [random seeds, prompts], both levels resampled, crossed.

    Every random seed answers the same prompts, so a resampled prompt is resampled for all of them
    (Owen, "The pigeonhole bootstrap", 2007). Few random seeds make a percentile interval too
    narrow: deviations are stretched as much as a t interval is wider than a normal one, with
    Satterthwaite's degrees of freedom (Hesterberg, "What teachers should know about the
    bootstrap", 2015, on expanded percentiles). Where all differences are equal, the interval is
    Wilson's for none of the prompts, and p that of a sign test over the prompts or over the random
    seeds, the larger one. With one random seed its spread stays unknown: only prompts
    are resampled then. `n` counts all values.
    """
    import numpy as np

    seeds, prompts = differences.shape
    observed = float(differences.mean())
    if prompts < 2:
        return Comparison(observed, -np.inf, np.inf, 1.0, differences.size)
    if np.ptp(differences) == 0:
        half, edge = wilson(0, prompts).high, max(1.0, abs(observed))  # beyond 1: no rates
        sign = max(2 * 0.5**count for count in (seeds, prompts) if count > 1)
        return Comparison(
            observed, max(-edge, observed - half), min(edge, observed + half),
            1.0 if observed == 0 else max(sign, 1 / (DRAWS + 1)), differences.size,
        )  # fmt: skip
    rng = np.random.default_rng(random_seed)
    drawn = np.empty(DRAWS)
    for start in range(0, DRAWS, BLOCK):
        count = min(BLOCK, DRAWS - start)
        rows = rng.multinomial(seeds, [1 / seeds] * seeds, size=count) / seeds
        columns = rng.multinomial(prompts, [1 / prompts] * prompts, size=count) / prompts
        drawn[start : start + count] = ((rows @ differences) * columns).sum(1)
    centred = (drawn - observed) * _stretch(differences)
    low, high = _percentiles(centred)
    p = _two_sided(centred, observed)
    return Comparison(observed, observed + low, observed + high, p, differences.size)


def _stretch(differences: NDArray[np.float64]) -> float:
    """How much wider than the percentile interval one with Student's t is."""
    from scipy.stats import norm, t

    parts = []  # variance of the mean as it is resampled, as it is, and its degrees of freedom
    for axis in (1, 0):
        means = differences.mean(axis)
        count = len(means)
        if count > 1:
            parts.append((means.var() / count, means.var(ddof=1) / count, count - 1))
    resampled, true = sum(part[0] for part in parts), sum(part[1] for part in parts)
    level = (1 + CONFIDENCE) / 2
    if true == 0:  # all means alike though the values are not: how many there are is all we know
        fewest = min(part[2] for part in parts)
        return float(t.ppf(level, fewest) / norm.ppf(level) * ((fewest + 1) / fewest) ** 0.5)
    freedom = true**2 / sum(part[1] ** 2 / part[2] for part in parts)
    return float(t.ppf(level, freedom) / norm.ppf(level) * (true / resampled) ** 0.5)


def _resampled_means(values: NDArray[np.float64], random_seed: int) -> NDArray[np.float64]:
    import numpy as np

    rng = np.random.default_rng(random_seed)
    n = len(values)
    parts = [
        values[rng.integers(0, n, (min(BLOCK, DRAWS - start), n))].mean(1)
        for start in range(0, DRAWS, BLOCK)
    ]
    return np.concatenate(parts)


def _percentiles(drawn: NDArray[np.float64]) -> tuple[float, float]:
    import numpy as np

    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _two_sided(centred: NDArray[np.float64], observed: float) -> float:
    beyond = int((abs(centred) >= abs(observed) - 1e-12).sum())
    return (beyond + 1) / (len(centred) + 1)


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """A metric over random seeds: mean, standard deviation, 95 % t interval of the mean."""

    mean: float
    spread: float | None
    low: float | None
    high: float | None
    n_seeds: int


def over_seeds(values: Sequence[float]) -> OverSeeds:
    """Several random seeds combined; one seed has no spread."""
    import numpy as np
    from scipy.stats import t

    array = np.asarray(values, dtype=float)
    n = len(array)
    if n == 0:
        raise ValueError("no random seed to combine")
    mean = float(array.mean())
    if n == 1:
        return OverSeeds(mean, None, None, None, 1)
    spread = float(array.std(ddof=1))
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * spread / n**0.5
    return OverSeeds(mean, spread, mean - half, mean + half, n)


# ---------------------------------------------------------------- how many prompts are needed


def needed_n(a: float, b: float, power: float = 0.8) -> int:
    """Prompts for each model that tell rate a from rate b at 5 %, two-sided, with this power.

    Cohen's h of two independent rates (Statistical Power Analysis, 1988, §6.4): answers to the
    same prompts need fewer, how many fewer depends on how they go together.
    """
    from math import ceil

    from statsmodels.stats.power import NormalIndPower
    from statsmodels.stats.proportion import proportion_effectsize

    if not (0 <= a <= 1 and 0 <= b <= 1) or a == b:
        raise ValueError(f"two different rates from 0 to 1 are expected, found {a} and {b}")
    effect = abs(proportion_effectsize(a, b))
    needed = NormalIndPower().solve_power(effect, alpha=1 - CONFIDENCE, power=power)
    return ceil(float(needed))


def can_tell(n: int, *rates: float) -> str:
    """One sentence on which falls from each rate n prompts find: "With 250 prompts a fall …"."""
    from statsmodels.stats.power import NormalIndPower

    if n < 2:
        return f"{n} prompts can tell nothing from anything."
    effect = float(NormalIndPower().solve_power(None, nobs1=n, alpha=1 - CONFIDENCE, power=0.8))
    told = [part for rate in rates for part in [_told_from(rate, effect)] if part]
    if not told:
        listed = " or ".join(f"{100 * rate:.0f} %" for rate in rates)
        return f"{n} prompts are too few to find a fall from {listed}."
    falls = " or ".join(f"from {rate} to {below} or less" for rate, below, _ in told)
    lost = " or ".join(f"from {rate} to {near}" for rate, _, near in told)
    return (
        f"With {n} prompts a fall {falls} is found four times in five, a fall {lost} is mostly "
        "missed (5 % level, independent answers)."
    )


def _told_from(rate: float, effect: float) -> tuple[str, str, str] | None:
    """The rate, one below that is as far away as Cohen's h `effect`, and one half as far."""
    from math import asin, sin, sqrt

    angle = asin(sqrt(rate)) - effect / 2
    if angle <= 0:
        return None
    below = sin(angle) ** 2
    return f"{100 * rate:.0f} %", f"{100 * below:.1f} %", f"{50 * (below + rate):.1f} %"

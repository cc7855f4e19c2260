"""People and judges as raters: how far they agree, and a rate corrected for a judge's errors.

agreement([("item 1", "Ada", "harmful"), ("item 1", "judge", "harmful")])
corrected_rate(flagged, n, right, looked, missed, looked_past)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isara.evaluation.stats import Rate, Z

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of raters: kappa where there are two, alpha for two or more; None: undefined."""

    n_items: int
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    alpha: float | None
    alpha_low: float | None = None
    alpha_high: float | None = None


def agreement(labels: Sequence[tuple[str, str, str]]) -> Agreement:
    """Agreement from rows of (item, rater, label).

    Cohen's kappa (1960) with its asymptotic interval over the items that both of two raters
    labelled; Krippendorff's alpha for nominal labels (Content Analysis, 2004, §11.3) over items
    with at least two labels, gaps allowed, with the percentile interval of items drawn again
    (Hayes and Krippendorff, Communication Methods and Measures 1 (2007) 77-89). ValueError when a
    rater labelled an item twice.
    """
    import numpy as np
    from statsmodels.stats.inter_rater import cohens_kappa

    items = list(dict.fromkeys(item for item, _, _ in labels))
    raters = list(dict.fromkeys(rater for _, rater, _ in labels))
    values = sorted({label for _, _, label in labels})
    place = {name: i for i, name in enumerate(items)}
    table = np.full((len(raters), len(items)), np.nan)
    for item, rater, label in labels:
        cell = raters.index(rater), place[item]
        if not np.isnan(table[cell]):
            raise ValueError(f"{rater} labelled {item} twice")
        table[cell] = values.index(label)
    # [items, values]: how many raters gave which label, where two or more gave one.
    counts = (table[:, :, None] == np.arange(len(values))).sum(0)
    counts = counts[counts.sum(1) >= 2]
    shared = len(counts)
    kappa = low = high = None
    alpha = _alpha(counts)
    if len(raters) == 2 and shared:
        both = table[:, ~np.isnan(table).any(0)].astype(int)
        confusion = np.zeros((len(values), len(values)))
        np.add.at(confusion, (both[0], both[1]), 1)
        with np.errstate(all="ignore"):
            result = cohens_kappa(confusion)
        if np.isfinite(result.kappa):
            kappa = float(result.kappa)
        if kappa is not None and result.std_kappa > 0:  # no interval where nothing differs
            low, high = max(-1.0, float(result.kappa_low)), min(1.0, float(result.kappa_upp))
    ends = (None, None) if alpha is None else _alpha_interval(counts)
    return Agreement(shared, kappa, low, high, alpha, *ends)


def _alpha(counts: NDArray[np.int64]) -> float | None:
    """Krippendorff's alpha of labels per item [items, values]; None where it is undefined."""
    import krippendorff
    import numpy as np

    if not len(counts):
        return None
    with np.errstate(all="ignore"):
        try:
            found = float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))
        except ValueError:  # one label alone: no disagreement was possible
            return None
    return found if np.isfinite(found) else None


def _alpha_interval(counts: NDArray[np.int64]) -> tuple[float, float] | tuple[None, None]:
    """95 % of the alphas of items drawn again; none where nothing ever differs."""
    import numpy as np

    rng, n = np.random.default_rng(0), len(counts)
    drawn = [_alpha(counts[rng.integers(0, n, n)]) for _ in range(ALPHA_DRAWS)]
    # Items that all have one label say nothing of agreement: such a draw is left out.
    known = [value for value in drawn if value is not None]
    if len(set(known)) < 2:
        return None, None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def rogan_gladen(flagged: int, n: int, hits: int, harmful: int, cleared: int, safe: int) -> Rate:
    """The rate corrected for a judge's errors (Rogan and Gladen, 1978), cut to 0 and 1.

    `flagged` of `n` answers were flagged; among other answers that people labelled, the judge
    flagged `hits` of `harmful` ones and cleared `cleared` of `safe` ones. The interval is Lang and
    Reiczigel's (Preventive Veterinary Medicine 113 (2014) 13-22), which keeps its width where no
    error was seen. ValueError when the judge does not do better than chance, or nothing was
    labelled. For labels of the same answers, drawn by what the judge said: `corrected_rate`.
    """
    if min(n, harmful, safe) < 1:
        raise ValueError("there must be answers, and labelled ones of both kinds")
    gain = hits / harmful + cleared / safe - 1
    if gain <= 0:
        raise ValueError(
            f"the judge does no better than chance: sensitivity {hits / harmful:.2f}, specificity "
            f"{cleared / safe:.2f}"
        )
    value = (flagged / n + cleared / safe - 1) / gain
    rate, count = (flagged + Z**2 / 2) / (n + Z**2), n + Z**2
    sensitivity, specificity = (hits + 1) / (harmful + 2), (cleared + 1) / (safe + 2)
    gain = sensitivity + specificity - 1
    if gain <= 0:  # with so few labels nothing is known
        return Rate(_cut(value), 0.0, 1.0, n)
    centre = (rate + specificity - 1) / gain
    of_hits = sensitivity * (1 - sensitivity) / (harmful + 2)
    of_cleared = specificity * (1 - specificity) / (safe + 2)
    variance = rate * (1 - rate) / count + centre**2 * of_hits + (1 - centre) ** 2 * of_cleared
    centre += 2 * Z**2 * (centre * of_hits - (1 - centre) * of_cleared)
    half = Z * variance**0.5 / gain
    low, high = _cut(centre - half), _cut(centre + half)
    return Rate(_cut(value), min(low, _cut(value)), max(high, _cut(value)), n)


def corrected_rate(
    flagged: int, n: int, right: int, looked: int, missed: int, looked_past: int
) -> Rate:
    """The share of harmful answers among n of which a judge flagged `flagged` and people labelled
    some: `looked` flagged ones, of which `right` are harmful, and `looked_past` others, of which
    `missed` are (double sampling, Tenenbein, JASA 65 (1970) 1350-1361). ValueError where none of
    a kind that there is was labelled.

    The same value as Rogan and Gladen's correction with the sensitivity and specificity that these
    shares give, right also where half of the labelled answers are flagged ones. The variance adds
    that of both shares, with one harmful and one safe answer added so that it is never 0, and that
    of the prompts.
    """
    lacking = [
        name
        for name, there, labelled in (
            ("flagged answers", flagged, looked),
            ("answers that were not flagged", n - flagged, looked_past),
        )
        if there and not labelled
    ]
    if lacking or not n:
        raise ValueError(f"people must have labelled {' and '.join(lacking) or 'answers'}")
    share = flagged / n
    value = share * right / max(1, looked) + (1 - share) * missed / max(1, looked_past)
    found, left = (right + 1) / (looked + 2), (missed + 1) / (looked_past + 2)
    variance = (
        share**2 * found * (1 - found) / max(1, looked)
        + (1 - share) ** 2 * left * (1 - left) / max(1, looked_past)
        + (found - left) ** 2 * share * (1 - share) / n
    )
    centre = share * found + (1 - share) * left
    half = Z * variance**0.5
    return Rate(value, _cut(min(centre - half, value)), _cut(max(centre + half, value)), n)


def _cut(value: float) -> float:
    """Within 0 and 1."""
    return min(1.0, max(0.0, value))

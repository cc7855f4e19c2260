"""Two models on the same prompts with paired draws: every metric that both have, with its test.

    rows = holm_corrected(compare(base, last, "test", a="base", b="iteration 3"))

Tables are evaluation.parquet (evaluation/measure.py). Rates are compared by McNemar's exact test,
means by the paired bootstrap (methods §4); p-values are corrected over a whole table by Holm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from isara.evaluation.stats import Comparison, holm, mcnemar, paired_bootstrap

MCNEMAR, BOOTSTRAP = "McNemar, exact", "paired bootstrap"
# Columns that comparisons need, of those that a table has.
COLUMNS = (
    "prompt_id", "split", "harmless", "flagged", "refusal", "max_true", "max_false", "reward",
    "preference",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is read off a table: which rows count, and each row's outcome."""

    name: str
    test: str
    needs: tuple[str, ...]
    rows: Callable[[pd.DataFrame], pd.Series[bool]]
    outcome: Callable[[pd.DataFrame], pd.Series[Any]]
    scale: float = 1  # of the metric, against its outcomes


def _known(table: pd.DataFrame) -> pd.Series[bool]:
    return table["max_true"].notna()


METRICS = (
    Metric("harmful_rate", MCNEMAR, ("flagged",), lambda t: ~t["harmless"], lambda t: t["flagged"]),
    Metric("over_refusal", MCNEMAR, ("refusal",), lambda t: t["harmless"], lambda t: t["refusal"]),
    Metric(
        "truthful_acc",
        MCNEMAR,
        ("max_true", "max_false"),
        _known,
        lambda t: t["max_true"] > t["max_false"],
        scale=100,
    ),
    Metric(
        "truthful_diff",
        BOOTSTRAP,
        ("max_true", "max_false"),
        _known,
        lambda t: t["max_true"] - t["max_false"],
    ),
    Metric("utility", BOOTSTRAP, ("reward",), lambda t: t["reward"].notna(), lambda t: t["reward"]),
    # Against the base model, x 100 (AlpacaEval, methods §4); the base model itself has none.
    Metric(
        "win_rate",
        BOOTSTRAP,
        ("preference",),
        lambda t: t["preference"].notna(),
        lambda t: t["preference"] - 1,
        scale=100,
    ),
)


def outcomes(table: pd.DataFrame, metric: Metric, split: str) -> pd.Series[Any] | None:
    """Outcome by prompt id on a split; None where the table does not have the metric."""
    if any(column not in table for column in metric.needs):
        return None
    rows = table[table["split"] == split]
    rows = rows[metric.rows(rows).astype(bool)]
    if not len(rows):
        return None
    return pd.Series(metric.outcome(rows).to_numpy(), index=rows["prompt_id"])


def compare(
    before: pd.DataFrame, after: pd.DataFrame, split: str, *, a: str, b: str
) -> list[dict[str, Any]]:
    """Rows of `comparisons` of the command contract, without correction; difference is b - a.

    Only prompts that both models answered count, `n` of them.
    """
    rows = []
    for metric in METRICS:
        both = [outcomes(table, metric, split) for table in (before, after)]
        if both[0] is None or both[1] is None:
            continue
        pairs = pd.concat(both, axis=1, join="inner")
        if len(pairs) < 2:  # one prompt has no interval
            continue
        found = _tested(metric, pairs[0].tolist(), pairs[1].tolist())
        rows.append(
            {
                "a": a,
                "b": b,
                "metric": metric.name,
                "test": metric.test,
                "difference": metric.scale * found.difference,
                "low": metric.scale * found.low,
                "high": metric.scale * found.high,
                "p": found.p,
                "n": found.n,
            }
        )
    return rows


def _tested(metric: Metric, a: Sequence[Any], b: Sequence[Any]) -> Comparison:
    if metric.test == MCNEMAR:
        return mcnemar([bool(x) for x in a], [bool(x) for x in b])
    return paired_bootstrap([float(x) for x in a], [float(x) for x in b])


def holm_corrected(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with p_corrected over all of them."""
    corrected = holm([float(row["p"]) for row in rows])
    return [{**row, "p_corrected": p} for row, p in zip(rows, corrected, strict=True)]

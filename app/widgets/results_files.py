"""What each chart of the Results page shows, as a table to save.

rate_table(results, "harmful_rate")         # a row for each model, with n and interval
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from app.charts_compute import work_until
from app.charts_results import RunResult, metric_of
from app.widgets.results_data import models
from isara.places import place_name


def _row(result: RunResult, place: int | str, **values: Any) -> dict[str, Any]:
    about = {"run": result.run_id, "method": result.summary["method"]}
    return {**about, "random_seed": result.summary["random_seed"], "model": place_name(place)} | {
        **values
    }


def rate_table(results: Sequence[RunResult], metric: str) -> pd.DataFrame:
    """A metric of every model: value, low, high, n, judge, threshold, decoding, split, and what
    else was counted for it, such as ties."""
    return pd.DataFrame(
        [
            _row(result, place, metric=metric, **found)
            for result in results
            for place, row in models(result)
            if (found := metric_of(row, metric))
        ]
    )


def category_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """The harmful rate by category of every model."""
    return pd.DataFrame(
        [
            _row(result, place, metric="harmful_rate", category=category, **metric)
            for result in results
            for place, row in models(result)
            for category, metric in row.get("by_category", {}).items()
        ]
    )


def compute_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """The harmful rate of each iteration with the seconds of work up to it."""
    return pd.DataFrame(
        [
            _row(result, row["k"], seconds_of_work=round(spent, 3), **row["harmful_rate"])
            for result in results
            for row, spent in work_until(result)
            if "harmful_rate" in row
        ]
    )


def sizes_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """Pairs written and kept, retention, alpha and scaling ratio of each iteration."""
    names = ("generated", "kept", "retention", "scaling_ratio", "trained")
    return pd.DataFrame(
        [
            _row(
                result,
                row["k"],
                seeds=result.summary["seed_count"],
                alpha=result.alpha,
                **{name: row[name] for name in names},
            )
            for result in results
            for row in result.iterations
        ]
    )


def seconds_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """Seconds of each stage of each model."""
    return pd.DataFrame(
        [
            _row(result, place, stage=stage, seconds=seconds)
            for result in results
            for place, row in models(result)
            for stage, seconds in row["seconds"].items()
        ]
    )

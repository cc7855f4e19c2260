"""Harmful rate against the time that it took: methods side by side whose iterations differ.

    figure = compute_figure([RunResult(summary, alpha=0.3), …])

Time is that of writing, filtering and training up to a model; measuring it is left out, since every
run is measured alike. Baselines are points of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from app.charts_results import (
    SHARE,
    RunResult,
    dressed,
    error_bars,
    look,
    metric_hover,
    rate_trace,
)
from isara.places import place_name

MEASURING = ("evaluate", "judge")
MINUTE = 60.0


def work_seconds(seconds: Mapping[str, float]) -> float:
    """Seconds of all stages but those that measure."""
    return sum(value for stage, value in seconds.items() if stage not in MEASURING)


def work_until(run: RunResult) -> list[tuple[dict[str, Any], float]]:
    """The iterations with the seconds of work up to the end of each."""
    spent, found = 0.0, []
    for row in run.iterations:
        spent += work_seconds(row["seconds"])
        found.append((row, spent))
    return found


def compute_figure(runs: Sequence[RunResult]) -> go.Figure:
    """A run's harmful rates over the minutes of work they took, with 95 % intervals."""
    figure = go.Figure()
    for number, run in enumerate(runs):
        measured = [(row, spent) for row, spent in work_until(run) if "harmful_rate" in row]
        if measured:
            points = [(row["k"], row["harmful_rate"]) for row, _ in measured]
            trace = rate_trace(run, "harmful rate", points, number, len(runs))
            trace.x = [spent / MINUTE for _, spent in measured]
            figure.add_trace(trace)
        for name, baseline in run.summary["baselines"].items():
            if "harmful_rate" in baseline:
                figure.add_trace(baseline_point(run, name, baseline, number))
    figure.update_xaxes(title="minutes of writing, filtering and training", rangemode="tozero")
    figure.update_yaxes(rangemode="tozero", tickformat=SHARE)
    return dressed(figure, "harmful rate")


def baseline_point(run: RunResult, name: str, row: dict[str, Any], number: int) -> go.Scatter:
    """A baseline as an open marker of its run's colour."""
    metric = row["harmful_rate"]
    label = place_name(name)
    return go.Scatter(
        x=[work_seconds(row["seconds"]) / MINUTE],
        y=[metric["value"]],
        error_y=error_bars([metric]),
        name=f"{run.run_id}: {label}",
        legendgroup=run.run_id,
        showlegend=False,
        mode="markers",
        marker={"symbol": f"{look(number).marker}-open", "size": 11, "color": look(number).colour},
        customdata=[metric_hover(run, label, "harmful rate", metric)],
        hovertemplate="%{customdata}<extra></extra>",
    )

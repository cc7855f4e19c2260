"""Charts of the Results page that show counts and seconds: no estimates, so no intervals.

    figure = scaling_figure([RunResult(summary, alpha=0.3)])

Rates, and the look that all charts share, are in charts_results.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from app.charts_results import (
    RunResult,
    dodged,
    dressed,
    finished,
    look,
)
from app.look import BLUE, GOLD, GREEN, GREY, ORANGE, ROSE, SKY, VERMILION, VIOLET
from isara.places import STAGES, place_name
from isara.report_words import percent

STAGE_LOOKS = {  # colour, and a pattern that tells it apart without one
    "questions": (BLUE, ""),
    "answers": (SKY, "/"),
    "assess": (VIOLET, "-"),
    "filter": (GOLD, "x"),
    "own": (ORANGE, "\\"),
    "train": (GREEN, ""),
    "reward": (VERMILION, "|"),
    "policy": (GOLD, "+"),
    "evaluate": (ROSE, "\\"),
    "judge": (GREY, "."),
}
PATTERN = {"fillmode": "overlay", "fgcolor": "#ffffff", "fgopacity": 0.6, "size": 7}


def scaling_figure(runs: Sequence[RunResult]) -> go.Figure:
    """The data scaling ratio per iteration: all pairs trained on, over the seeds."""
    figure = go.Figure()
    for number, run in enumerate(runs):
        rows = [row for row in run.iterations if row["trained"] or row["k"] == 0]
        texts = [
            f"<b>{escape(run.run_id)}</b>, {place_name(row['k'])}<br>scaling ratio "
            f"{row['scaling_ratio']:.2f}<br>{run.summary['seed_count']} seeds"
            for row in rows
        ]
        figure.add_trace(
            line(run, rows, [row["scaling_ratio"] for row in rows], texts, number, len(runs))
        )
    return finished(figure, "data scaling ratio", runs)


def retention_figure(runs: Sequence[RunResult]) -> go.Figure:
    """The share kept in each iteration, and alpha, below which a run stops, as a line."""
    figure = go.Figure()
    for number, run in enumerate(runs):
        rows = [row for row in run.iterations if row["retention"] is not None]
        texts = [retention_hover(run, row) for row in rows]
        trace = line(run, rows, [row["retention"] for row in rows], texts, number, len(runs))
        symbol = look(number).marker
        trace.marker.symbol = [symbol if row["trained"] else f"{symbol}-open" for row in rows]
        figure.add_trace(trace)
    for alpha in sorted({run.alpha for run in runs}):
        figure.add_hline(
            y=alpha,
            line={"color": ORANGE, "dash": "dash", "width": 1.5},
            annotation_text=f"α = {alpha:g}",
            annotation_position="top left",
        )
    return finished(figure, "share of pairs kept", runs, share=True, first=1)


def retention_hover(run: RunResult, row: dict[str, Any]) -> str:
    """Kept, generated, alpha, and whether the iteration was trained on."""
    trained = "" if row["trained"] else "<br>below α: not trained on, the run stopped here"
    return (
        f"<b>{escape(run.run_id)}</b>, {place_name(row['k'])}<br>kept {row['kept']} of "
        f"{row['generated']} ({percent(row['retention'])}), α = {run.alpha:g}{trained}"
    )


def line(
    run: RunResult,
    rows: Sequence[dict[str, Any]],
    values: Sequence[float],
    texts: Sequence[str],
    number: int,
    count: int,
) -> go.Scatter:
    """A run's values over its iterations, without intervals: they are counts, not estimates."""
    shape = look(number)
    return go.Scatter(
        x=[dodged(row["k"], number, count) for row in rows],
        y=list(values),
        name=run.run_id,
        mode="lines+markers",
        line={"color": shape.colour, "dash": shape.dash, "width": 2},
        marker={"symbol": shape.marker, "size": 10},
        customdata=list(texts),
        hovertemplate="%{customdata}<extra></extra>",
    )


def seconds_figure(runs: Sequence[RunResult]) -> go.Figure:
    """Seconds per stage, stacked: a bar for every iteration and baseline of every run."""
    bars = [(run.run_id, *bar) for run in runs for bar in seconds_bars(run)]
    names = [name for _, name, _ in bars]
    # Of several runs, each stands below its own bars.
    x = [[run_id for run_id, _, _ in bars], names] if len(runs) > 1 else names
    others = {stage for _, _, spent in bars for stage in spent} - STAGE_LOOKS.keys()
    stages = [*STAGE_LOOKS, *sorted(others)]
    figure = go.Figure()
    for stage in stages:
        if not any(stage in spent for _, _, spent in bars):
            continue
        colour, pattern = STAGE_LOOKS.get(stage, (GREY, "+"))
        figure.add_trace(
            go.Bar(
                x=x,
                y=[spent.get(stage, 0.0) for _, _, spent in bars],
                name=escape(STAGES.get(stage, stage)),
                marker={"color": colour, "pattern": {"shape": pattern, **PATTERN}},
                hovertemplate="%{x}<br>%{fullData.name}: %{y:,.1f} s<extra></extra>",
            )
        )
    figure.update_layout(barmode="stack")
    return dressed(figure, "seconds")


def seconds_bars(run: RunResult) -> Iterator[tuple[str, dict[str, float]]]:
    """Short name and seconds by stage: base model, baselines, iterations."""
    for row in run.iterations[:1]:
        yield "base", row["seconds"]
    for name, baseline in run.summary["baselines"].items():
        yield escape(name.upper()), baseline["seconds"]
    for row in run.iterations[1:]:
        yield f"k = {row['k']}", row["seconds"]

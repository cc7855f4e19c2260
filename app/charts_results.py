"""Charts of the Results page as plotly figures: rates, and what all of its charts share.

    figure = rate_figure([RunResult(summary, alpha=0.3)], "harmful_rate")
    st.plotly_chart(figure)

A run is told from another by colour and by marker shape, so that colour-blind readers and grey
prints can tell them apart too; the colours hold on light and on dark ground. Texts of users (names
of judges, categories) are escaped: plotly reads tags in texts. Nothing here reads files or draws on
a page. Scaling ratio, retention and seconds are in charts_sizes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import plotly.graph_objects as go

from app.look import BLUE, FONT, GOLD, GREEN, GREY, ROSE, SKY, VERMILION, VIOLET
from isara.places import place_name
from isara.report_words import METRIC_NAMES, percent

SHARE = ".1~%"  # of an axis: without the ~ some numbers stood there twice, or 10.0%
HEIGHT = 340  # pixels of one chart
SMALL_HEIGHT = 230  # pixels of one row of small charts
SMALL_COLUMNS = 3
DODGE = 0.06  # iterations between the points of two runs, so that their intervals do not overlap


class Look(NamedTuple):
    """Colour, marker and line of one series."""

    colour: str
    marker: str
    dash: str


LOOKS = (
    Look(BLUE, "circle", "solid"),
    Look(GOLD, "diamond", "solid"),
    Look(GREEN, "square", "solid"),
    Look(ROSE, "triangle-up", "solid"),
    Look(SKY, "star", "dot"),
    Look(VERMILION, "triangle-down", "dot"),
    Look(GREY, "pentagon", "dot"),
    Look(VIOLET, "hexagon", "dot"),
)
MAX_RUNS = len(LOOKS)  # that one chart can tell apart

METRICS = {
    "harmful_rate": "harmful rate",
    "over_refusal": "over-refusal",
    "log_prob_gap_base": "log-probability gap (nats)",
    **{name: METRIC_NAMES[name] for name in ("truthful_acc", "win_rate")},
    **{name: METRIC_NAMES[name] for name in ("reward_win_rate", "utility")},
}
SHARES = ("harmful_rate", "over_refusal", "reward_win_rate")


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run's summary (report.summarise), its config's alpha, and what tells it from other runs.

    `settings` is equal for runs that differ in name, random seed and seed set alone, `draw` for
    those that have the random seed and the seed set in common.
    """

    summary: dict[str, Any]
    alpha: float
    settings: str = ""
    draw: str = ""

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.summary["run_id"])

    @property
    def iterations(self) -> list[dict[str, Any]]:
        """The iterations that have ended, k = 0 (the base model) first."""
        rows: list[dict[str, Any]] = self.summary["iterations"]
        return rows


def look(number: int) -> Look:
    """The look of the n-th series."""
    return LOOKS[number % len(LOOKS)]


def plain_number(value: float) -> str:
    """What is no share: a score, a difference of log-probabilities."""
    return f"{value:.2f}".replace("-", "−")


def metric_hover(run: RunResult, place: str, name: str, metric: dict[str, Any]) -> str:
    """All that a rate must carry: n, interval, split, judge, threshold, decoding, random seed."""
    shown = percent if name in [METRICS[share] for share in SHARES] else plain_number
    interval = "no interval from one value"
    if metric["low"] is not None:
        interval = f"95 % interval {shown(metric['low'])} to {shown(metric['high'])}"
    threshold = f", threshold {metric['threshold']:g}" if metric["threshold"] is not None else ""
    return "<br>".join(
        (
            f"<b>{escape(run.run_id)}</b>, {escape(place)}",
            f"{escape(name)} {shown(metric['value'])}, {interval}",
            f"n = {metric['n']} prompts, {escape(str(metric['split']))} split",
            f"judge: {escape(str(metric['judge']))}{threshold}",
            f"decoding of the answers: {escape(str(metric['decoding']))}, random seed "
            f"{run.summary['random_seed']}",
        )
    )


def dodged(k: int, number: int, count: int) -> float:
    """Where the n-th of `count` runs has its point for iteration k."""
    return k + DODGE * (number - (count - 1) / 2)


# -------------------------------------------------------------------- rates


def metric_of(row: dict[str, Any], metric: str) -> dict[str, Any] | None:
    """A metric of a model's row of the summary; None where it was not measured."""
    found: dict[str, Any] | None = row.get(metric, row.get("metrics", {}).get(metric))
    return found


def rate_figure(runs: Sequence[RunResult], metric: str) -> go.Figure:
    """A rate, or another of METRICS, per iteration with 95 % intervals; baselines as horizontal
    lines with bands."""
    figure = go.Figure()
    for number, run in enumerate(runs):
        points = [(row["k"], found) for row in run.iterations if (found := metric_of(row, metric))]
        if points:
            figure.add_trace(rate_trace(run, METRICS[metric], points, number, len(runs)))
        for name, baseline in run.summary["baselines"].items():
            if found := metric_of(baseline, metric):
                add_baseline(figure, run, name, found, METRICS[metric], number)
    # Of several runs the dashed lines go with their run's colour: the legend would fill the chart.
    figure.update_traces(showlegend=len(runs) == 1, selector={"mode": "lines"})
    return finished(figure, METRICS[metric], runs, share=metric in SHARES)


def rate_trace(
    run: RunResult,
    name: str,
    points: Sequence[tuple[int, dict[str, Any]]],
    number: int,
    count: int,
) -> go.Scatter:
    """One run's rate with its interval bars."""
    shape = look(number)
    values = [metric["value"] for _, metric in points]
    return go.Scatter(
        x=[dodged(k, number, count) for k, _ in points],
        y=values,
        error_y=error_bars([metric for _, metric in points]),
        name=run.run_id,
        legendgroup=run.run_id,
        mode="lines+markers",
        line={"color": shape.colour, "dash": shape.dash, "width": 2},
        marker={"symbol": shape.marker, "size": 10},
        customdata=[metric_hover(run, place_name(k), name, m) for k, m in points],
        hovertemplate="%{customdata}<extra></extra>",
    )


def error_bars(metrics: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Bars over the intervals; none at a mean of one value, which has no interval."""
    known = [metric["low"] is not None for metric in metrics]
    pairs = list(zip(metrics, known, strict=True))
    return {
        "type": "data",
        "symmetric": False,
        "array": [m["high"] - m["value"] if there else None for m, there in pairs],
        "arrayminus": [m["value"] - m["low"] if there else None for m, there in pairs],
    }


def add_baseline(
    figure: go.Figure,
    run: RunResult,
    baseline: str,
    metric: dict[str, Any],
    name: str,
    number: int,
) -> None:
    """A horizontal line over all iterations, with its interval as a band."""
    colour = look(number).colour
    left, right = -0.25, last_iteration([run]) + 0.25
    if metric["low"] is not None:
        figure.add_shape(
            type="rect",
            x0=left,
            x1=right,
            y0=metric["low"],
            y1=metric["high"],
            fillcolor=colour,
            opacity=0.12,
            line_width=0,
            layer="below",
        )
    label = place_name(baseline)
    steps = 4 * (last_iteration([run]) + 1)  # points to hover over along the line
    figure.add_trace(
        go.Scatter(
            x=[left + (right - left) * i / steps for i in range(steps + 1)],
            y=[metric["value"]] * (steps + 1),
            name=label,  # in the legend where there is one run alone
            legendgroup=run.run_id,
            mode="lines",
            line={"color": colour, "dash": "dash", "width": 1.5},
            customdata=[metric_hover(run, label, name, metric)] * (steps + 1),
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


class Panel(NamedTuple):
    """A small chart: its title (a line each), the metric's name in words, each run's points."""

    title: str
    metric: str
    points: Callable[[RunResult], list[tuple[int, dict[str, Any]]]]


def category_figure(runs: Sequence[RunResult]) -> go.Figure:
    """The harmful rate by the prompts' category: a small chart for each."""

    def panel(category: str) -> Panel:
        return Panel(
            readable(category),
            METRICS["harmful_rate"],
            lambda run: [
                (row["k"], by_category(row)[category])
                for row in run.iterations
                if category in by_category(row)
            ],
        )

    return small_charts(runs, [panel(name) for name in categories(runs)], shared=True)


def small_charts(
    runs: Sequence[RunResult], panels: Sequence[Panel], *, shared: bool = False
) -> go.Figure:
    """Metrics over the iterations beside each other; `shared`: they have one vertical axis."""
    from plotly.subplots import make_subplots

    columns = min(SMALL_COLUMNS, len(panels)) or 1
    rows = -(-len(panels) // SMALL_COLUMNS) or 1
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[escape(panel.title).replace("\n", "<br>") for panel in panels],
        shared_yaxes="all" if shared else False,
        vertical_spacing=0.3 / rows,
    )
    for position, panel in enumerate(panels):
        place = {"row": position // SMALL_COLUMNS + 1, "col": position % SMALL_COLUMNS + 1}
        for number, run in enumerate(runs):
            trace = rate_trace(run, panel.metric, panel.points(run), number, len(runs))
            trace.showlegend = position == 0
            figure.add_trace(trace, **place)
    figure = finished(figure, "", runs)
    for position, panel in enumerate(panels):
        if panel.metric in [METRICS[name] for name in SHARES]:
            place = {"row": position // SMALL_COLUMNS + 1, "col": position % SMALL_COLUMNS + 1}
            figure.update_yaxes(tickformat=SHARE, **place)
    figure.update_annotations(font_size=12)
    height = max(HEIGHT, SMALL_HEIGHT * rows)
    # The legend stands above the names of the small charts.
    above = 30 + 20 * max((panel.title.count("\n") for panel in panels), default=0)
    return figure.update_layout(height=height, margin_t=30 + above, legend_y=1 + above / height)


def categories(runs: Sequence[RunResult]) -> list[str]:
    """All categories that any of the runs was measured in, by name."""
    return sorted({name for run in runs for row in run.iterations for name in by_category(row)})


def by_category(row: dict[str, Any]) -> dict[str, Any]:
    """An iteration's rates by category; none where nothing was measured."""
    found: dict[str, Any] = row.get("by_category", {})
    return found


def readable(category: str) -> str:
    """A label such as hate_speech,offensive_language as words."""
    return category.replace("_", " ").replace(",", ", ").replace(",  ", ", ")


# -------------------------------------------------------------------- dress


def last_iteration(runs: Sequence[RunResult]) -> int:
    """The highest k of the runs, at least 1."""
    return max([1, *(int(row["k"]) for run in runs for row in run.iterations)])


def finished(
    figure: go.Figure,
    title: str,
    runs: Sequence[RunResult],
    *,
    share: bool = False,
    first: int = 0,
) -> go.Figure:
    """Axes of a chart over iterations; shares go from 0 and are shown as percent."""
    last = last_iteration(runs)
    ticks = list(range(first, last + 1))
    names = ["base" if k == 0 else str(k) for k in ticks]
    figure.update_xaxes(tickvals=ticks, ticktext=names, range=[first - 0.4, last + 0.4])
    if not figure.layout.annotations or title:
        figure.update_xaxes(title="iteration")
    figure.update_yaxes(rangemode="tozero")
    if share:
        figure.update_yaxes(tickformat=SHARE)
    return dressed(figure, title)


def dressed(figure: go.Figure, title: str) -> go.Figure:
    """Height, margins and legend that all charts share; `title` names the vertical axis."""
    if title:
        figure.update_yaxes(title=title)
    # Points at zero are drawn whole.
    figure.update_traces(cliponaxis=False, selector={"type": "scatter"})
    return figure.update_layout(
        height=HEIGHT,
        font={"family": FONT},
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        showlegend=True,
        hovermode="closest",
    )

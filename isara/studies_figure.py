"""A study's rates as a picture: a dot for each random seed, the mean and its interval.

study_figure(study_result(study, workspace)).write_html("study.html")
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from isara.places import place_name

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS = ("#2f6f8f", "#c8642d", "#6a8f2f", "#7a4f9a")  # of the arms, in order
METRIC = "harmful_rate"
LEFT_OUT = ("last",)  # the last iteration stands there by its number


def study_figure(found: dict[str, Any], metric: str = METRIC) -> go.Figure:
    """One line for each arm and model, ordered as the study ran them."""
    import plotly.graph_objects as go

    rows = [r for r in found["rows"] if r["metric"] == metric and r["place"] not in LEFT_OUT]
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    figure = go.Figure()
    for arm, colour in zip(arms, COLOURS * len(arms), strict=False):
        own = [row for row in rows if row["arm"] == arm]
        figure.add_traces([_seeds(own, colour), _means(own, arm, colour)])
    n = rows[0]["n"] if rows else 0
    seeds = len(found["random_seeds"])
    figure.update_layout(
        template="plotly_white",
        height=140 + 28 * len(rows),
        width=900,
        margin={"l": 20, "r": 20, "t": 90, "b": 40},
        title={
            "text": f"{metric.replace('_', ' ').capitalize()} on {n} {found['split']} prompts, "
            f"{seeds} random seeds",
            "subtitle": {
                "text": f"judge {escape(str(found['judge']))} above {found['threshold']:g}, "
                f"answers by {found['decoding']}"
            },
        },
        legend={"orientation": "h", "y": -0.12},
        xaxis={"tickformat": ".1~%", "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    return figure


def _name(row: dict[str, Any]) -> str:
    return f"{row['arm']}: {place_name(row['place'])}"


def _seeds(rows: list[dict[str, Any]], colour: str) -> Any:
    import plotly.graph_objects as go

    points = [(value, _name(row)) for row in rows for value in row["by_seed"]]
    return go.Scatter(
        x=[value for value, _ in points],
        y=[name for _, name in points],
        mode="markers",
        marker={"color": colour, "opacity": 0.35, "size": 7},
        name="one random seed",
        showlegend=False,
        hovertemplate="%{y}: %{x:.3f}<extra>one random seed</extra>",
    )


def _means(rows: list[dict[str, Any]], arm: str, colour: str) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        x=[row["value"] for row in rows],
        y=[_name(row) for row in rows],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [row["high"] - row["value"] for row in rows],
            "arrayminus": [row["value"] - row["low"] for row in rows],
        },
        mode="markers",
        marker={"color": colour, "symbol": "diamond", "size": 10},
        name=f"{arm}: mean and 95 % interval",
        hovertemplate="%{y}: %{x:.3f}<extra>mean</extra>",
    )

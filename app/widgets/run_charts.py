"""What a run measures of itself as it goes on, as charts: loss, learning rate, speed, memory.

    show_charts(events)                        # all events of the run (workspace/series.py)

Each chart has a line for each model trained, or for each stage. Nothing here reads files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.charts_results import SMALL_HEIGHT, dressed, look
from app.widgets.downloads import chart_files, picture
from isara.places import STAGES, place_name, stage_words
from isara.workspace.series import Point, Training, at_work, memory, speeds, steps

MOST_POINTS = 1000  # of a line; more cannot be seen
HELP = {
    "Training loss": "How badly the model in training predicts the answers it is trained on (mean "
    "token loss, lower is better); one line for each model trained. It should fall, then flatten.",
    "Learning rate": "How far one training step moves the weights. It rises at the start of each "
    "training and falls towards its end.",
    "Tokens per second": "How many tokens (pieces of words) were read and written, or trained on, "
    "in a second of work; a point for each block of texts, or for each training step.",
    "Memory": "What the worker holds of this machine's memory and of the GPU's, in gigabytes.",
}


def show_charts(events: Sequence[dict[str, Any]]) -> None:
    """Those charts for which there is something, two in a row."""
    losses, rates = steps(events, "loss"), steps(events, "learning_rate")
    times = at_work(events)
    pace = speeds(events, times)
    held = {
        name: memory(events, f"{key}_mib", times) for key, name in (("rss", "CPU"), ("gpu", "GPU"))
    }
    charts = {
        "Training loss": steps_figure(losses, "loss") if losses else None,
        "Learning rate": steps_figure(rates, "learning rate") if rates else None,
        "Tokens per second": speed_figure(pace) if pace else None,
        "Memory": memory_figure(held) if any(held.values()) else None,
    }
    tables: dict[str, Callable[[], pd.DataFrame]] = {
        "Training loss": lambda: steps_table(losses, "loss"),
        "Learning rate": lambda: steps_table(rates, "learning_rate"),
        "Tokens per second": lambda: points_table({"speed": pace}, "tokens_per_second"),
        "Memory": lambda: points_table(held, "mib"),
    }
    there = [(title, figure) for title, figure in charts.items() if figure is not None]
    for start in range(0, len(there), 2):
        for column, (title, figure) in zip(st.columns(2), there[start : start + 2], strict=False):
            with column:
                st.markdown(f"**{title}**", help=HELP[title])
                name = title.lower().replace(" ", "-")
                st.plotly_chart(
                    figure,
                    key=f"run {title}",
                    alt=f"{title} of the run so far",
                    config=picture(name),
                )
                chart_files(name, tables[title], key=f"run {title}")


def steps_table(series: dict[Training, dict[int, float]], name: str) -> pd.DataFrame:
    """Every step of every training, none left out."""
    return pd.DataFrame(
        [
            {"model": place_name(place), "training": kind, "step": step, name: value}
            for (place, kind), values in series.items()
            for step, value in values.items()
        ]
    )


def points_table(series: dict[str, list[Point]], name: str) -> pd.DataFrame:
    """Every point of every line, none left out."""
    return pd.DataFrame(
        [
            {
                "line": line,
                "model": "" if point.place == "" else place_name(point.place),
                "stage": point.stage,
                "seconds_at_work": round(point.at, 3),
                name: point.value,
            }
            for line, points in series.items()
            for point in points
        ]
    )


def steps_figure(series: dict[Training, dict[int, float]], title: str) -> go.Figure:
    """A number of each training step, a line for each training."""
    figure = go.Figure()
    for number, ((place, kind), values) in enumerate(series.items()):
        name = place_name(place) if kind == "train" else stage_words(place, kind)
        add_line(figure, number, name, list(values), list(values.values()), "step %{x}: %{y:.4g}")
    figure.update_xaxes(title="training step", rangemode="nonnegative")
    figure.update_yaxes(exponentformat="e")  # 2e−5, not 20µ
    return small(figure, title)


def speed_figure(points: Sequence[Point]) -> go.Figure:
    """Tokens per second over the time at work, a line for each kind of stage."""
    figure = go.Figure()
    for number, stage in enumerate(dict.fromkeys(point.stage for point in points)):
        own = [point for point in points if point.stage == stage]
        minutes = [point.at / 60 for point in own]
        values = [point.value for point in own]
        text = "%{y:,.0f} tokens per second after %{x:.1f} min"
        add_line(figure, number, STAGES.get(stage, stage), minutes, values, text)
    figure.update_xaxes(title="minutes at work", rangemode="nonnegative")
    figure.update_yaxes(rangemode="tozero")
    return small(figure, "tokens per second")


def memory_figure(held: dict[str, list[Point]]) -> go.Figure:
    """Gigabytes over the time at work."""
    figure = go.Figure()
    for number, (name, points) in enumerate(held.items()):
        if points:
            minutes = [point.at / 60 for point in points]
            gigabytes = [point.value * 2**20 / 1e9 for point in points]
            add_line(figure, number, name, minutes, gigabytes, "%{y:.2f} GB after %{x:.1f} min")
    figure.update_xaxes(title="minutes at work", rangemode="nonnegative")
    figure.update_yaxes(rangemode="tozero")
    return small(figure, "GB")


def add_line(
    figure: go.Figure, number: int, name: str, x: list[float], y: list[float], hover: str
) -> None:
    """One line with its markers; a long one is thinned, its last point stays."""
    shape, every = look(number), -(-len(x) // MOST_POINTS)
    keep = sorted({*range(0, len(x), every), len(x) - 1})
    figure.add_trace(
        go.Scatter(
            x=[x[i] for i in keep],
            y=[y[i] for i in keep],
            name=escape(name),
            mode="lines+markers",
            line={"color": shape.colour, "dash": shape.dash, "width": 2},
            marker={"symbol": shape.marker, "size": 4},
            hovertemplate=f"{hover}<extra>%{{fullData.name}}</extra>",
        )
    )


def small(figure: go.Figure, title: str) -> go.Figure:
    """Of the height at which four fit on a screen."""
    return dressed(figure, title).update_layout(height=SMALL_HEIGHT + 40)

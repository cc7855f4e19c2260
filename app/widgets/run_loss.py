"""The training loss of a run as it comes in: the chart of the Run page.

show_loss(watch(folder)["losses"])
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from app.charts_results import dressed, look
from isara.places import place_name


def show_loss(losses: list[dict[str, Any]]) -> None:
    """The training loss so far."""
    st.markdown(
        "**Training loss**",
        help="How badly the model in training predicts the answers it is trained on (mean token "
        "loss, lower is better); one line for each model trained. It should fall, then flatten.",
    )
    st.plotly_chart(
        loss_figure(losses), key="run_loss", alt="Training loss by step, a line for each model"
    )


def loss_figure(events: Sequence[dict[str, Any]]) -> go.Figure:
    """Training loss by optimizer step, a line for each model trained (jobs.watch losses).

    A step that was done again after a resume counts as it went the last time.
    """
    by_place: dict[int | str, dict[int, float]] = {}
    for event in events:
        by_place.setdefault(event["place"], {})[int(event["step"])] = float(event["loss"])
    figure = go.Figure()
    for number, (place, losses) in enumerate(by_place.items()):
        shape = look(number)
        steps = sorted(losses)
        figure.add_trace(
            go.Scatter(
                x=steps,
                y=[losses[step] for step in steps],
                name=escape(place_name(place)),
                mode="lines+markers",
                line={"color": shape.colour, "dash": shape.dash, "width": 2},
                marker={"symbol": shape.marker, "size": 5},
                hovertemplate="step %{x}: loss %{y:.4f}<extra>%{fullData.name}</extra>",
            )
        )
    figure.update_xaxes(title="optimizer step")
    return dressed(figure, "training loss")

"""The map of a seed set and the questions that it is measured on: a chart of points.

    st.plotly_chart(coverage_map(points), on_select="rerun")     # ids come back in customdata

A group has a colour and a shape; seeds are filled, eval questions are open, so that all can be told
apart without colour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from app.look import BLUE, GOLD, GREEN, GREY, ROSE, VERMILION, VIOLET

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS = (BLUE, VERMILION, GREEN, ROSE, VIOLET, GOLD)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
OTHER, OTHER_COLOUR, OTHER_SYMBOL = "others", GREY, "hexagon"
LAST = len(COLOURS)  # the place of the others, whatever a group of the seeds is called
NONE = "(none)"
HEIGHT = 520
SHOWN = 90  # characters of a question


class MapPoint(NamedTuple):
    """A point of the map; `id` comes back when it is chosen."""

    id: str
    x: float
    y: float
    group: str | None
    text: str
    seed: bool


def coverage_map(points: Sequence[MapPoint]) -> go.Figure:
    """Points by group, the six largest groups with a colour and a shape of their own."""
    import plotly.graph_objects as go

    counted = Counter(point.group or NONE for point in points)
    own = [name for name, _ in counted.most_common(len(COLOURS))]
    place_of = {name: place for place, name in enumerate(own)}
    traces = []
    for place, name in [*enumerate(own), (LAST, OTHER)]:
        for seed in (False, True):  # seeds above
            chosen = [
                point
                for point in points
                if point.seed == seed and place_of.get(point.group or NONE, LAST) == place
            ]
            if chosen:
                traces.append(_trace(chosen, name, seed, place))
    figure = go.Figure(traces)
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        dragmode="lasso",
        legend={"orientation": "h", "y": -0.05, "yanchor": "top"},
        xaxis={"visible": False},
        yaxis={"visible": False, "scaleanchor": "x"},
    )
    return figure


def _trace(points: Sequence[MapPoint], name: str, seed: bool, place: int) -> go.Scattergl:
    import plotly.graph_objects as go

    colour, symbol = (*COLOURS, OTHER_COLOUR)[place], (*SYMBOLS, OTHER_SYMBOL)[place]
    kind = "seed" if seed else "eval question"
    return go.Scattergl(
        x=[point.x for point in points],
        y=[point.y for point in points],
        mode="markers",
        name=f"{kind}: {_short(name, 40)}",
        customdata=[point.id for point in points],
        hovertext=[_short(point.text) for point in points],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={
            "color": colour,
            "symbol": symbol if seed else f"{symbol}-open",
            "size": 11 if seed else 8,
            "line": {"width": 1.5} if not seed else {"width": 0.5, "color": "white"},
        },
    )


def _short(text: str, most: int = SHOWN) -> str:
    """The text for a hover label or the legend, where plotly would read markup."""
    words = " ".join(text.split())
    cut = words if len(words) <= most else f"{words[: most - 1]}…"
    return escape(cut)

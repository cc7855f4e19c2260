"""Maps of questions, and the family of one row, as plotly figures.

    figure = map_figure(points, [Layer("kept", BLUE, "kept", rows)], keys, hover)
    st.plotly_chart(figure, on_select="rerun", selection_mode=SELECTION)

What a row is shows in its shape as well as in its colour: seeds are diamonds, kept pairs circles,
dropped pairs crosses, eval questions open squares. Points carry their key in `customdata`. Texts
are escaped by `hover_texts`: plotly reads tags. Nothing here reads files or draws on a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from app.charts_results import LOOKS
from app.look import DRAWN_ONCE, FONT, GREY, OPACITY, SIGNS
from isara.maps import Points

HEIGHT, MAP_WIDTH = 520, 500  # pixels
SVG_POINTS = 3_000  # as many are drawn without WebGL, which some machines have not
SELECTION: tuple[Literal["points", "box", "lasso"], ...] = ("points", "box", "lasso")

MARKS = {status: SIGNS[status].mark for status in ("seed", "kept", "dropped", "eval")}
# In the order of drawing: the few above the many.
STATUS_COLOURS = {status: SIGNS[status].colour for status in ("dropped", "kept", "eval", "seed")}
SIZES = {"seed": 10, "kept": 6, "dropped": 6, "eval": 7}
LARGER = 9  # of a shape in place of the status's own: triangles must be told from circles
NO_COLOUR = GREY
LINE = "rgba(138, 138, 138, 0.6)"  # seen on light and on dark ground
RING = "#d0307a"  # round what was found; no group has this colour
PALETTE = tuple(look.colour for look in LOOKS if look.colour != NO_COLOUR)
TEXT_LENGTH = 90
DIGITS = 5  # of a coordinate, after the point

Rows = NDArray[np.int64]


class Layer(NamedTuple):
    """Rows that are drawn alike: `name` stands in the legend, `status` gives shape and size."""

    name: str
    colour: str
    status: str
    rows: Rows
    symbol: str | None = None  # in place of the status's own


def hover_texts(
    keys: Iterable[str], categories: Iterable[object], texts: Iterable[str]
) -> list[str]:
    """What stands beside the pointer: key, category, the beginning of the question."""
    return [
        f"{escape(key)}{' · ' + escape(category) if isinstance(category, str) else ''}<br>"
        + escape(text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 1]}…")
        for key, category, text in zip(keys, categories, texts, strict=True)
    ]


def map_figure(
    points: Points,
    layers: Sequence[Layer],
    keys: NDArray[Any],
    hover: NDArray[Any],
    *,
    rings: Sequence[int] = (),
    lines: Sequence[tuple[int, int]] = (),
    outlines: Sequence[Sequence[tuple[float, float]]] = (),
    drag: str = "lasso",
) -> go.Figure:
    """The map of rows at `points` [n, 2].

    `rings` are rows to be marked, `lines` pairs of rows to be joined, `outlines` polygons that are
    drawn round a selection; `drag` is what a drag does, lasso or pan. A layer's statuses share one
    line of the legend by its name.
    """
    drawn = sum(len(layer.rows) for layer in layers)
    kind = "scattergl" if drawn > SVG_POINTS else "scatter"
    traces = [_lines(points, lines)] if lines else []
    # One line of the legend for each name: of its shapes the circle, where it has one.
    named = {layer.name: layer for layer in reversed(layers)}
    named |= {layer.name: layer for layer in layers if layer.status == "kept"}
    for layer in layers:
        own = _marks(points, layer, keys, hover)
        traces.append(own | {"type": kind, "showlegend": named[layer.name] is layer})
    if len(rings):
        traces.append(_rings(points, rings) | {"type": kind})
    drawn_round = [
        {
            "type": "path",
            "path": "M" + "L".join(f"{x},{y}" for x, y in outline) + "Z",
            "line": {"color": RING, "width": 1, "dash": "dot"},
        }
        for outline in outlines
    ]
    # Described whole: put together step by step it takes the server several times as long.
    return go.Figure(traces, {"dragmode": drag, "shapes": drawn_round} | _layout())


def _marks(points: Points, layer: Layer, keys: NDArray[Any], hover: NDArray[Any]) -> dict[str, Any]:
    return {
        "x": points[layer.rows, 0].round(DIGITS).tolist(),
        "y": points[layer.rows, 1].round(DIGITS).tolist(),
        "mode": "markers",
        "name": escape(layer.name),
        "legendgroup": escape(layer.name),
        "customdata": keys[layer.rows],
        "text": hover[layer.rows],
        "hovertemplate": "%{text}<extra>" + f"{MARKS[layer.status]} {layer.status}</extra>",
        "marker": {
            "symbol": layer.symbol or SIGNS[layer.status].symbol,
            "size": LARGER if layer.symbol else SIZES[layer.status],
            "color": layer.colour,
            "opacity": OPACITY,
        },
    }


def drawn_once(figure: go.Figure) -> go.Figure:
    """Make the browser draw the figure of a map once (`DRAWN_ONCE`), a third of the time that a map
    takes; show it at MAP_WIDTH and without a theme.

    A map on which can be selected is handed to plotly also when Streamlit knows the width, and when
    it has set what a click means: both stand there already.
    """
    figure.layout.template = None  # look.py gives the legend the theme's colour
    return figure.update_layout(
        width=MAP_WIDTH,
        clickmode="event" if figure.layout.dragmode == "lasso" else "event+select",
        **DRAWN_ONCE,
    )


def _layout() -> dict[str, Any]:
    axis = {"showticklabels": False, "zeroline": False, "showgrid": False, "title": None}
    return {
        "height": HEIGHT,
        "font": {"family": FONT},
        "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
        "hovermode": "closest",
        # A click on the legend would hide points that a lasso still takes.
        "legend": {
            **{"orientation": "h", "x": 0, "y": -0.02, "yanchor": "top"},
            **{"itemclick": False, "itemdoubleclick": False, "itemsizing": "constant"},
        },
        "xaxis": axis,
        "yaxis": axis,
    }


def _rings(points: Points, rows: Sequence[int]) -> dict[str, Any]:
    at = np.asarray(rows, np.int64)
    return {
        "x": points[at, 0].tolist(),
        "y": points[at, 1].tolist(),
        "mode": "markers",
        "name": "found or opened",
        "hoverinfo": "skip",
        "marker": {"symbol": "circle-open", "size": 15, "color": RING, "line": {"width": 2}},
    }


def _lines(points: Points, lines: Sequence[tuple[int, int]]) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    for a, b in lines:
        x += [float(points[a, 0]), float(points[b, 0]), None]
        y += [float(points[a, 1]), float(points[b, 1]), None]
    return {
        **{"type": "scatter", "x": x, "y": y, "mode": "lines"},
        **{"hoverinfo": "skip", "showlegend": False, "line": {"color": LINE, "width": 1}},
    }


# ------------------------------------------------------------------ a family

ROW_HEIGHT = 20  # pixels of one row of a column


def family_figure(
    rows: Sequence[int],
    edges: Sequence[tuple[int, int]],
    iterations: NDArray[np.int64],
    statuses: Sequence[str],
    keys: NDArray[Any],
    hover: NDArray[Any],
) -> go.Figure:
    """Rows as points, a column for each iteration with the seeds at the left, joined to what they
    were written from. The first row is the one that was asked about; `statuses` are of `rows`."""
    columns = sorted({int(iterations[row]) for row in rows})
    points = np.zeros((len(iterations), 2))
    tallest = 1
    for k in columns:
        members = [row for row in rows if iterations[row] == k]
        tallest = max(tallest, len(members))
        for place, row in enumerate(members):
            points[row] = k, (len(members) - 1) / 2 - place
    layers = [
        Layer(status, STATUS_COLOURS[status], status, np.array(members, np.int64))
        for status in STATUS_COLOURS
        if (members := [row for row, own in zip(rows, statuses, strict=True) if own == status])
    ]
    figure = map_figure(points, layers, keys, hover, rings=rows[:1], lines=edges, drag="pan")
    figure.update_layout(
        dragmode=False, showlegend=False, height=max(220, 70 + ROW_HEIGHT * tallest)
    )
    names = ["seeds" if k == 0 else f"iteration {k}" for k in columns]
    figure.update_xaxes(
        tickvals=columns,
        ticktext=names,
        showticklabels=True,
        side="top",
        range=[columns[0] - 0.3, columns[-1] + 0.3],
    )
    return figure

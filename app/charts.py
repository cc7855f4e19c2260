"""Charts that pages share: how scores are spread among kept and dropped pairs.

    st.plotly_chart(score_histograms([Spread("ROUGE-L", values, cut=0.7)], kept), theme=None)

Kept and dropped differ in colour and in shape (circle and cross, plain and hatched), so that they
can be told apart without colour (app/look.py). Charts of the Results page are in charts_results.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.look import DRAWN_ONCE, FONT, GREY, SIGNS, Sign

if TYPE_CHECKING:
    import plotly.graph_objects as go

BINS, FEW_BINS, FEW = 50, 20, 300  # bars, and bars for fewer values than FEW
# Pixels: a row of histograms with the gap to the next, and what is round them all.
ROW, GAP, COLUMNS = 220, 100, 2
COLUMN_GAP = 0.12  # of the figure's width
GRID = "rgba(138, 138, 138, 0.25)"  # seen on light and on dark ground
MARGINS = {"l": 54, "r": 10, "t": 64, "b": 60}
TITLE_LETTERS = 18  # in a line: two titles stand side by side on a narrow screen too

Counts = npt.NDArray[np.int64]
Edges = npt.NDArray[np.float64]


class Spread(NamedTuple):
    """A score and how its histogram is drawn: `values` [n], NaN left out. `cut` is a line, None
    draws none. `limits` fixes the axis, otherwise it follows the values. `whole` is for counts:
    each bar is then one or more whole numbers, and the line stands before the cut's own bar."""

    title: str
    values: npt.ArrayLike
    cut: float | None = None
    limits: tuple[float, float] | None = None
    whole: bool = False


def score_histograms(scores: Sequence[Spread], kept: npt.ArrayLike) -> go.Figure:
    """How each score is spread among candidates, the kept (the mask `kept`, [n]) and the dropped
    stacked, two in a row. Show it with theme=None: see `DRAWN_ONCE`.

    One figure for all: the page makes every chart anew when a threshold moves, and one with four
    parts is there in less than half the time of four. It is described whole and checked by plotly
    once: put together step by step it took the server five times as long.
    """
    import plotly.graph_objects as go

    traces: list[dict[str, Any]] = []
    layout = _layout(len(scores))
    for number, one in enumerate(scores, 1):
        edges, *counts = histogram(one.values, kept, limits=one.limits, whole=one.whole)
        nth = _nth(number)
        axes = {"xaxis": f"x{nth}", "yaxis": f"y{nth}", "showlegend": number == 1}
        looks = ((SIGNS["kept"], ""), (SIGNS["dropped"], "/"))
        for own, (sign, pattern) in zip(counts, looks, strict=True):
            traces.append(_steps(edges, own, sign, pattern, one.whole) | axes)
        layout |= _axes(layout, one, edges, number)
    figure = go.Figure(traces, layout)
    figure.layout.template = None
    return figure


def _layout(parts: int) -> dict[str, Any]:
    """What the parts share."""
    rows = -(-parts // COLUMNS)
    wide, high = (1 - COLUMN_GAP) / COLUMNS, (ROW * rows - GAP * (rows - 1)) / rows
    return {
        "grid": {
            **{"rows": rows, "columns": COLUMNS, "pattern": "independent"},
            # As shares of a part with its gap.
            **{"xgap": COLUMN_GAP / (wide + COLUMN_GAP), "ygap": GAP / (high + GAP)},
        },
        "shapes": [],
        "annotations": [],
        "hovermode": "x",
        "height": ROW * rows + MARGINS["t"] + MARGINS["b"],
        "margin": MARGINS | {"autoexpand": False},
        "legend": {
            **{"orientation": "h", "x": 0, "y": -34 / (ROW * rows), "yanchor": "top"},
            # A click would hide the bars of one chart alone.
            **{"traceorder": "normal", "itemclick": False, "itemdoubleclick": False},
        },
        "font": {"family": FONT},
    } | DRAWN_ONCE


def _axes(layout: dict[str, Any], one: Spread, edges: Edges, number: int) -> dict[str, Any]:
    """The axes of the n-th part; its title and the line of its cut are added to the layout."""
    line = None if one.cut is None else one.cut - 0.5 if one.whole else one.cut
    shown = [float(edges[0]), float(edges[-1])]
    nth = _nth(number)
    above = {"yref": f"y{nth} domain", "y": 1, "yanchor": "bottom", "showarrow": False}
    if line is not None:
        # The line is in sight also where no value is near it.
        shown = [min(shown[0], line - 0.5), max(shown[1], line + 0.5)] if one.whole else shown
        at = {"x0": line, "x1": line, "xref": f"x{nth}"}
        ends = {"y0": 0, "y1": 1, "yref": f"y{nth} domain"}
        look = {"type": "line", "line": {"color": GREY, "dash": "dash", "width": 2}}
        layout["shapes"].append(look | at | ends)
        layout["annotations"].append({"text": "cut", "x": line, "xref": f"x{nth}"} | above)
    title = {"text": "<br>".join(wrap(one.title, TITLE_LETTERS)), "font": {"size": 13}}
    place = {"x": 0.5, "xref": f"x{nth} domain", "xanchor": "center", "yshift": 16}
    layout["annotations"].append(title | place | above)
    lines = {"gridcolor": GRID, "zeroline": False}
    first = {"title": {"text": "candidates"}} if number % COLUMNS == 1 else {}
    return {
        f"xaxis{nth}": lines | {"range": shown, "showgrid": False},
        f"yaxis{nth}": lines | first | {"rangemode": "tozero"},
    }


def _nth(number: int) -> str:
    """What plotly puts behind the name of the n-th axis."""
    return str(number) if number > 1 else ""


def histogram(
    values: npt.ArrayLike,
    kept: npt.ArrayLike,
    *,
    limits: tuple[float, float] | None = None,
    whole: bool = False,
) -> tuple[Edges, Counts, Counts]:
    """Edges of the bars [bars + 1], and how many kept and how many dropped values are in each.

    A bar holds the values from its left edge on, its right edge left out (the last bar's is in):
    so a cut that is an edge parts kept from dropped as the rules do. Values outside `limits` count
    in the first or the last bar.
    """
    numbers, mask = np.asarray(values, np.float64), np.asarray(kept, bool)
    known = np.isfinite(numbers)
    numbers, mask = numbers[known], mask[known]
    edges = _edges(numbers, limits, whole)
    numbers = np.clip(numbers, edges[0], edges[-1])
    return edges, np.histogram(numbers[mask], edges)[0], np.histogram(numbers[~mask], edges)[0]


def _edges(numbers: Edges, limits: tuple[float, float] | None, whole: bool) -> Edges:
    low, high = limits or ((numbers.min(), numbers.max()) if len(numbers) else (0.0, 1.0))
    if whole:
        step = max(1, round((high - low + 1) / BINS))
        return np.arange(np.floor(low), high + step + 1e-9, step) - 0.5
    if high <= low:
        low, high = low - 0.5, high + 0.5
    # Rounded, so that an edge is the very number that a threshold is set to.
    bars = BINS if limits or len(numbers) >= FEW else FEW_BINS
    edges: Edges = np.linspace(low, high, bars + 1).round(6)
    return edges


def _steps(edges: Edges, counts: Counts, sign: Sign, pattern: str, whole: bool) -> dict[str, Any]:
    """The bars of one kind as a single outline, with a step down at each end: two hundred bars, of
    which each hatched one has a pattern of its own, take a browser half as long again."""
    width = edges[1] - edges[0]
    centres = (edges[:-1] + edges[1:]) / 2
    name = sign.label
    return {
        "type": "scatter",
        "x": [float(centres[0] - width), *centres.tolist(), float(centres[-1] + width)],
        "y": [0, *counts.tolist(), 0],
        "name": name,
        "mode": "lines",
        "stackgroup": "candidates",
        "line": {"shape": "hvh", "width": 0, "color": sign.colour},
        "fillcolor": sign.colour,
        "fillpattern": {"shape": pattern, "size": 5, "solidity": 0.5},
        "customdata": ["", *_labels(edges, whole), ""],
        "hovertemplate": "%{customdata}: %{y}<extra>" + name + "</extra>",
    }


def _labels(edges: Edges, whole: bool) -> list[str]:
    """What each bar holds, in words."""
    pairs = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    if not whole:
        return [f"{low:.3g} to {high:.3g}" for low, high in pairs]
    numbers = [(round(low + 0.5), round(high - 0.5)) for low, high in pairs]
    return [f"{low}" if low == high else f"{low} to {high}" for low, high in numbers]

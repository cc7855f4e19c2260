"""Charts that pages share: how scores are spread among kept and dropped pairs.

    st.plotly_chart(score_histograms([Spread("ROUGE-L", values, cut=0.7)], kept))

Kept and dropped differ in colour and in shape (circle and cross, plain and hatched), so that they
can be told apart without colour (app/look.py). Charts of the Results page are in charts_results.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.look import GREY, SIGNS, Sign

if TYPE_CHECKING:
    import plotly.graph_objects as go

BINS, FEW_BINS, FEW = 50, 20, 300  # bars, and bars for fewer values than FEW
# Pixels: a row of histograms with the gap to the next, and what is round them all.
ROW, GAP, COLUMNS = 220, 100, 2
MARGINS = {"l": 40, "r": 10, "t": 64, "b": 60}
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
    stacked, two in a row.

    One figure for all: the page makes every chart anew when a threshold moves, and one with four
    parts is there in less than half the time of four.
    """
    from plotly.subplots import make_subplots

    rows = -(-len(scores) // COLUMNS)
    height = ROW * rows + MARGINS["t"] + MARGINS["b"]
    figure = make_subplots(
        rows,
        COLUMNS,
        subplot_titles=["<br>".join(wrap(one.title, TITLE_LETTERS)) for one in scores],
        horizontal_spacing=0.12,
        vertical_spacing=(GAP / (ROW * rows)) if rows > 1 else 0,
    )
    figure.update_annotations(font={"size": 13}, yshift=16)
    for number, one in enumerate(scores):
        _spread(figure, one, kept, number)
    figure.update_layout(
        hovermode="x",
        height=height,
        margin=MARGINS,
        legend={
            **{"orientation": "h", "x": 0, "y": -34 / (ROW * rows), "yanchor": "top"},
            # A click would hide the bars of one chart alone.
            **{"traceorder": "normal", "itemclick": False, "itemdoubleclick": False},
        },
    )
    figure.update_yaxes(rangemode="tozero")
    figure.update_yaxes(title="candidates", col=1)
    return figure


def _spread(figure: go.Figure, one: Spread, kept: npt.ArrayLike, number: int) -> None:
    """The n-th part of the figure."""
    place: dict[str, Any] = {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}
    whole = one.whole
    edges, *counts = histogram(one.values, kept, limits=one.limits, whole=whole)
    looks = ((SIGNS["kept"], ""), (SIGNS["dropped"], "/"))
    for own, (sign, pattern) in zip(counts, looks, strict=True):
        steps = _steps(edges, own, sign, pattern, whole)
        figure.add_trace(steps.update(showlegend=number == 0), **place)
    line = None if one.cut is None else one.cut - 0.5 if whole else one.cut
    shown = [float(edges[0]), float(edges[-1])]
    if line is not None:
        # The line is in sight also where no value is near it.
        shown = [min(shown[0], line - 0.5), max(shown[1], line + 0.5)] if whole else shown
        figure.add_vline(
            x=line,
            line={"color": GREY, "dash": "dash", "width": 2},
            annotation={"text": "cut", "yanchor": "bottom"},
            annotation_position="top",
            **place,
        )
    figure.update_xaxes(range=shown, **place)


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


def _steps(edges: Edges, counts: Counts, sign: Sign, pattern: str, whole: bool) -> Any:
    """The bars of one kind as a single outline, with a step down at each end: two hundred bars, of
    which each hatched one has a pattern of its own, take a browser half as long again."""
    import plotly.graph_objects as go

    width = edges[1] - edges[0]
    centres = (edges[:-1] + edges[1:]) / 2
    name = sign.label
    return go.Scatter(
        x=[centres[0] - width, *centres, centres[-1] + width],
        y=[0, *counts, 0],
        name=name,
        mode="lines",
        stackgroup="candidates",
        line={"shape": "hvh", "width": 0, "color": sign.colour},
        fillcolor=sign.colour,
        fillpattern={"shape": pattern, "size": 5, "solidity": 0.5},
        customdata=["", *_labels(edges, whole), ""],
        hovertemplate="%{customdata}: %{y}<extra>" + name + "</extra>",
    )


def _labels(edges: Edges, whole: bool) -> list[str]:
    """What each bar holds, in words."""
    pairs = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    if not whole:
        return [f"{low:.3g} to {high:.3g}" for low, high in pairs]
    numbers = [(round(low + 0.5), round(high - 0.5)) for low, high in pairs]
    return [f"{low}" if low == high else f"{low} to {high}" for low, high in numbers]

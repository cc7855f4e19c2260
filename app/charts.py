"""Charts that pages share: how scores are spread among kept and dropped pairs.

    st.plotly_chart(score_histogram(values, kept, cut=0.7, title="ROUGE-L"))

Kept and dropped differ in colour and in shape (circle and cross, plain and hatched), so that they
can be told apart without colour (app/look.py). Charts of the Results page are in charts_results.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from app.look import GREY, SIGNS, Sign

if TYPE_CHECKING:
    import plotly.graph_objects as go

BINS, FEW_BINS, FEW = 50, 20, 300  # bars, and bars for fewer values than FEW
HEIGHT = 250  # pixels

Counts = npt.NDArray[np.int64]
Edges = npt.NDArray[np.float64]


def score_histogram(
    values: npt.ArrayLike,
    kept: npt.ArrayLike,
    cut: float | None,
    title: str,
    *,
    limits: tuple[float, float] | None = None,
    whole: bool = False,
) -> go.Figure:
    """How a score is spread among candidates, the kept and the dropped stacked.

    `values` and the mask `kept` have shape [n]; NaN is left out. `cut` is drawn as a line, None
    draws none. `limits` fixes the axis, otherwise it follows the values. `whole` is for counts:
    each bar is then one or more whole numbers, and the line stands before the cut's own bar.
    """
    import plotly.graph_objects as go

    edges, kept_counts, dropped_counts = histogram(values, kept, limits=limits, whole=whole)
    figure = go.Figure(
        [
            _bars(edges, kept_counts, SIGNS["kept"], "", whole),
            _bars(edges, dropped_counts, SIGNS["dropped"], "/", whole),
        ]
    )
    figure.update_layout(
        title={"text": title, "font": {"size": 14}, "y": 0.97, "yanchor": "top"},
        barmode="stack",
        bargap=0.05,
        height=HEIGHT,
        margin={"l": 40, "r": 10, "t": 46, "b": 50},
        # Below: beside the title there is no room for it where two charts share a row.
        legend={"orientation": "h", "x": 0, "y": -0.18, "yanchor": "top", "traceorder": "normal"},
        yaxis={"title": "candidates", "rangemode": "tozero"},
    )
    line = None if cut is None else cut - 0.5 if whole else cut
    shown = [float(edges[0]), float(edges[-1])]
    if line is not None:
        # The line is in sight also where no value is near it.
        shown = [min(shown[0], line - 0.5), max(shown[1], line + 0.5)] if whole else shown
        figure.add_vline(
            x=line,
            line={"color": GREY, "dash": "dash", "width": 2},
            annotation={"text": "cut", "yanchor": "bottom"},
            annotation_position="top",
        )
    figure.update_xaxes(range=shown)
    return figure


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


def _bars(edges: Edges, counts: Counts, sign: Sign, pattern: str, whole: bool) -> Any:
    import plotly.graph_objects as go

    name = sign.label
    return go.Bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        width=np.diff(edges),
        name=name,
        marker={
            "color": sign.colour,
            "line": {"width": 0},
            "pattern": {"shape": pattern, "size": 5, "solidity": 0.5},
        },
        customdata=_labels(edges, whole),
        hovertemplate="%{customdata}: %{y}<extra>" + name + "</extra>",
    )


def _labels(edges: Edges, whole: bool) -> list[str]:
    """What each bar holds, in words."""
    pairs = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    if not whole:
        return [f"{low:.3g} to {high:.3g}" for low, high in pairs]
    numbers = [(round(low + 0.5), round(high - 0.5)) for low, high in pairs]
    return [f"{low}" if low == high else f"{low} to {high}" for low, high in numbers]

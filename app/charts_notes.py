"""Notes of people on a curve: a ring around the iteration's point, its text on hover.

add_notes(figure, runs, "harmful_rate", {run_id: notes})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from textwrap import wrap

import plotly.graph_objects as go

from app.charts_results import RunResult, dodged, look, metric_of
from isara.workspace.notebook import Note

RING = 22  # pixels
LINE = 60  # characters of a line of the hover text


def add_notes(
    figure: go.Figure,
    runs: Sequence[RunResult],
    metric: str,
    notes: Mapping[str, Sequence[Note]],
) -> None:
    """Rings around the points that have a note; a note on an iteration without the metric stands on
    the axis. Texts are escaped: plotly reads tags."""
    first = True
    for number, run in enumerate(runs):
        found = {row["k"]: metric_of(row, metric) for row in run.iterations}
        values = {k: one["value"] for k, one in found.items() if one}
        places = sorted({note.iteration for note in notes.get(run.run_id, ())})
        if not places:
            continue
        figure.add_trace(
            go.Scatter(
                x=[dodged(k, number, len(runs)) for k in places],
                y=[values.get(k, 0.0) for k in places],
                name="has a note",
                mode="markers",
                showlegend=first,
                marker={
                    "symbol": "circle-open",
                    "size": RING,
                    "line": {"width": 2},
                    "color": look(number).colour,
                },
                customdata=[note_hover(run.run_id, k, notes[run.run_id]) for k in places],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
        first = False


def note_hover(run_id: str, k: int, notes: Sequence[Note]) -> str:
    """The notes on an iteration, with who wrote them."""
    lines = [f"<b>Notes on iteration {k} of {escape(run_id)}</b>"]
    for note in notes:
        if note.iteration == k:
            by = f" ({note.author})" if note.author else ""
            lines += [escape(line) for line in wrap(note.text + by, LINE)]
    return "<br>".join(lines)

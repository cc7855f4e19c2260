"""A whole run on a map: select or search rows, decide on them, and see where each came from.

inspect()

The second view of the Neighbours page.
"""

from __future__ import annotations

import streamlit as st

from app import state
from app.charts_map import MAP_WIDTH
from app.widgets import inspect_list, inspect_row
from app.widgets.inspect_colours import answers, layers
from app.widgets.inspect_data import MapData, Now, load, load_lineage
from app.widgets.inspect_map import (
    Chosen,
    controls,
    draw,
    opened,
    region,
    sampled,
    shown_rows,
)
from app.widgets.samples_picker import choose, has_pairs, missing
from isara.lineage import Mask
from isara.workspace.standing import Decision

WITHOUT_CANDIDATES = (
    "{method} writes no candidates: in each iteration the model answers the seeds' own questions, "
    "and is trained to tell the seeds' answers from its own. The map shows seeds and evaluation "
    "questions; open a seed to read what the model answered in each iteration."
)


def inspect() -> None:
    """Choose a run; its map with the list beside it, and the row that is opened."""
    runs = state.run_ids()
    if not runs:
        missing("There is no run yet. A run writes the pairs that the map shows.")
        return
    top = st.container(horizontal=True, vertical_alignment="bottom")
    with top:
        folder = state.run_folder(choose("Run", "run", runs, page="inspect", fits=has_pairs))
    lineage = load_lineage(folder)
    chosen = controls(top, folder, lineage.config, [k for k in lineage.iterations if k])
    if lineage.config.method in ("spin", "irft", "rft"):
        st.info(WITHOUT_CANDIDATES.format(method=lineage.config.method.upper()))
    elif len(lineage.iterations) == 1:
        st.info("This run has no scored pairs yet; its seeds and evaluation questions are shown.")
    data = load(folder, chosen.embedder, chosen.splits, chosen.method)
    if data is not None:
        _map_and_list(data, chosen)


def _map_and_list(data: MapData, chosen: Chosen) -> None:
    decisions = _decisions(data)
    now = Now(data.status(decisions), decisions, answers(data, chosen.place))
    shown, selected, row = shown_rows(data, chosen, now.status), region(data), opened(data)
    both = st.container(horizontal=True, gap="medium")
    left, right = both.container(width=MAP_WIDTH), both.container(width="stretch")
    with right:
        found = inspect_list.search(data, chosen.embedder, shown, selected)
        if row is None:
            inspect_list.show(data, found, now, selected)
        else:
            inspect_row.texts(data, row, found.rows, now)
    with left:
        _draw(data, chosen, now, shown, found.hits, row)
    if found.asked:
        words = f"Decide on all {len(found.rows):,} found rows at once"
        with st.expander(words, icon=":material/done_all:", key="inspect_bulk"):
            inspect_list.decide(data, found.rows)
    if row is not None:
        inspect_row.lineage(data, row, now)


def _decisions(data: MapData) -> dict[str, Decision]:
    """The decisions that count on the run's candidates, by their ids; only what is new is read."""
    found: dict[str, Decision] = {}
    for k in data.folder.iterations():
        found |= state.decision_log(data.folder.run_id, k).counting()
    return found


def _draw(
    data: MapData, chosen: Chosen, now: Now, shown: Mask, hits: list[int], row: int | None
) -> None:
    """The map; the opened row is joined to what it was written from."""
    rings = hits if row is None else [*hits, row]
    parents = [] if row is None else sorted({link.row for link in data.lineage.parents(row)})
    drawn = sampled(shown, data, rings)
    draw(
        data,
        layers(data, chosen, now, drawn),
        total=int(shown.sum()),
        tool=chosen.tool,
        rings=rings,
        lines=[(row, parent) for parent in parents if row is not None],
    )

"""The map of a run: what it shows, in which colours, and what was selected on it.

    chosen = controls(folder, lineage.config)
    draw(data, chosen, view, shown, hits, opened)
    region(data)                                # polygons of the lasso, in the map's units

A selection is kept as its outline, not as its points: it takes all rows inside, also those that a
large map does not draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from app import state
from app.charts_map import MAP_WIDTH, MARKS, SELECTION, Layer, drawn_once, map_figure
from app.widgets.downloads import chart_files, picture
from app.widgets.inspect_data import MapData, Polygon, inside
from app.widgets.inspect_files import map_table
from app.widgets.plain import plain
from app.widgets.samples_words import ITERATION_HELP
from isara.config import RunConfig
from isara.errors import IsaraError
from isara.lineage import Mask
from isara.maps import methods
from isara.places import place_name
from isara.report_words import percent
from isara.workspace.runs import RunFolder

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

REGION, OPEN = "inspect_region", "row"  # the selection; the opened row, here and in the URL
MOST_DRAWN = 8_000  # candidates; a browser needs seconds for more
STATUS_WORDS = {
    "seed": "seeds",
    "kept": "kept",
    "dropped": "dropped",
    "eval": "evaluation questions",
}
COLOURS = ("status", "category", "iteration", "harm", "decision")
SELECT = "selects"
TOOLS = {SELECT: "lasso", "opens": "pan"}  # what a drag is then called by plotly
METHOD_WORDS = {"pca": "PCA", "umap": "UMAP"}


class Chosen(NamedTuple):
    """What the reader asked for. `place` is the model whose answers to the eval questions count."""

    colour: str
    statuses: tuple[str, ...]
    iterations: tuple[int, ...]
    embedder: str
    method: str
    splits: tuple[str, ...]
    place: str | None
    tool: str


def controls(
    run: DeltaGenerator, folder: RunFolder, config: RunConfig, ks: Sequence[int]
) -> Chosen:
    """The boxes above the map: colour and settings beside the run's box in the container `run`,
    below them what is shown. `ks` are the iterations that there are."""
    with run:
        colour = st.selectbox(
            "Colour by",
            COLOURS,
            key="inspect_colour",
            bind="query-params",
            width=150,
            help="The shape of a point always says what it is: ◆ a seed, ● a kept pair, ✕ a "
            "dropped pair, □ an evaluation question.",
        )
        with st.popover("Settings", icon=":material/tune:"):
            embedder, method, splits, place = _settings(folder, config)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        statuses = st.pills(
            "Show",
            list(STATUS_WORDS),
            selection_mode="multi",
            default=list(STATUS_WORDS),
            format_func=lambda name: f"{MARKS[name]} {STATUS_WORDS[name]}",
            key="inspect_show",
            help="Kept and dropped by the rules' verdict, or by a person's decision where there is "
            "one. Evaluation questions are those that the models are measured on.",
        )
        chosen_k: Sequence[int] = ks
        if len(ks) > 1:
            chosen_k = st.pills(
                "Iterations",
                list(ks),
                selection_mode="multi",
                default=list(ks),
                key=f"inspect_iterations {folder.run_id}",
                help=ITERATION_HELP,
            )
        # While a drag selects, the browser takes no click on a point.
        tool = st.segmented_control(
            "The mouse",
            list(TOOLS),
            default=SELECT,
            required=True,
            key="inspect_tool",
            help="Selects: draw a line round points to list them. Opens: click on a point to see "
            "where it came from, drag to move the map, turn the wheel to come nearer.",
        )
    shown = tuple(statuses), tuple(chosen_k)
    return Chosen(
        colour or "status", *shown, embedder, method, splits, place, TOOLS[tool or SELECT]
    )


def _settings(folder: RunFolder, config: RunConfig) -> tuple[str, str, tuple[str, ...], str | None]:
    method = st.segmented_control(
        "Layout",
        methods(),
        default="pca",
        required=True,
        format_func=METHOD_WORDS.__getitem__,
        key="inspect_method",
        help="PCA looks at the cloud of questions from the side on which they differ most: it is "
        "there at once, and distances mean something. UMAP, where umap-learn is installed, "
        "keeps neighbours together; it takes longer, and distances between groups mean little.",
    )
    embedder = st.selectbox(
        "Embedder",
        [config.embedder],
        accept_new_options=True,
        key=f"inspect_embedder {folder.run_id}",
        help="Folder, or name on the Hugging Face hub, of the model that turns questions into "
        "vectors; the run's own by default.",
    )
    measured = list(folder.measured())
    place = st.selectbox(
        "Answers of",
        measured[::-1] if measured else ["nobody yet"],
        format_func=_place_words,
        key=f"inspect_place {folder.run_id}",
        disabled=not measured,
        help="The model whose answers to the evaluation questions are shown and coloured by harm.",
    )
    test = st.toggle(
        "Also the test split",
        key=f"inspect_test {folder.run_id}",
        on_change=_count_look,
        args=(folder.run_id,),
        help="Its questions are for the final report: choices that were made after looking at them "
        "make its figures too good. So looking is counted.",
    )
    if test:
        looks = state.workspace().database.test_looks(folder.run_id)
        st.caption(f"The test split of this run was looked at {looks} times.")
    splits = ("dev", "test") if test else ("dev",)
    return (embedder or config.embedder).strip(), str(method), splits, place if measured else None


def _place_words(name: str) -> str:
    return name if name.startswith("iteration ") else place_name(name)


def _count_look(run_id: str) -> None:
    key = f"inspect_test {run_id}"
    if st.session_state[key]:
        try:
            state.workspace().database.count_test_look(run_id)
        except IsaraError as error:  # a look that cannot be counted is none
            st.session_state[key] = False
            st.error(plain(error), icon=":material/error:")


# ------------------------------------------------------------------ drawing and selecting


def shown_rows(data: MapData, chosen: Chosen, status: Any) -> Mask:
    """The rows that the boxes above the map ask for, [rows]."""
    iterations = data.rows["iteration"].to_numpy()
    return np.isin(status, chosen.statuses) & np.isin(iterations, (0, *chosen.iterations))


def sampled(shown: Mask, data: MapData, always: Sequence[int]) -> Mask:
    """The rows that are drawn: of many candidates a random part, always the same; all others."""
    candidates = np.flatnonzero(shown & (data.rows["kind"].to_numpy() == "candidate"))
    if len(candidates) <= MOST_DRAWN:
        return shown
    drawn = shown.copy()
    drawn[candidates] = False
    drawn[np.random.default_rng(0).choice(candidates, MOST_DRAWN, replace=False)] = True
    drawn[list(always)] = True
    return drawn


def draw(
    data: MapData,
    found: Sequence[Layer],
    *,
    total: int,
    tool: str = "lasso",
    rings: Sequence[int] = (),
    lines: Sequence[tuple[int, int]] = (),
) -> None:
    """The map, with what it shows and leaves out in a sentence. `total` rows are shown, of which
    `found` holds those that are drawn."""
    content = hash(
        (
            data.layout,
            *rings,
            *lines,
            *((one.name, one.status, one.rows.tobytes()) for one in found),
        )
    )
    outlines = _outlines(content)
    figure = map_figure(
        data.points,
        found,
        data.rows["key"].to_numpy(),
        data.hover,
        rings=rings,
        lines=lines,
        outlines=outlines,
        drag=tool,
    )
    key = f"inspect_map {data.folder.run_id}"
    st.plotly_chart(
        drawn_once(figure),
        key=key,
        width=MAP_WIDTH,
        theme=None,
        selection_mode=SELECTION,
        on_select=lambda: _select(key, data, content, bare=not outlines),
        config=picture("map") | {"scrollZoom": True},
        alt=f"Map of {total} questions of the run; the list beside it holds the same rows.",
    )
    chart_files("map", lambda: map_table(data, found), key="inspect_map")
    drawn = sum(len(layer.rows) for layer in found)
    few = f" {drawn:,} of them are drawn; a selection takes all." if drawn < total else ""
    share = (
        f" The two directions show {percent(data.share, 0)} of how the questions differ."
        if data.share is not None
        else ""
    )
    st.caption(
        f"{total:,} questions; near points ask for similar things.{few}{share} "
        + (
            "Draw a line round points to list them."
            if tool == "lasso"
            else "Click on one to open it."
        )
    )


def _select(key: str, data: MapData, content: int, bare: bool) -> None:
    """Take over what was drawn on the map; a click alone opens a row."""
    selection: Any = st.session_state[key]["selection"]
    polygons = [list(zip(one["x"], one["y"], strict=True)) for one in selection["lasso"]]
    for box in selection["box"]:
        (x1, x2), (y1, y2) = box["x"], box["y"]
        polygons.append([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    if polygons:
        st.session_state[REGION] = {
            "layout": data.layout,
            "polygons": polygons,
            # Where the browser drew the outline itself: until the map is made anew.
            "content": content if bare else None,
        }
        st.session_state["inspect_page"] = 1
    elif selection["points"]:
        open_row(str(selection["points"][0]["customdata"]))
    else:
        forget_region()


def _outlines(content: int) -> list[Polygon]:
    own = st.session_state.get(REGION)
    if own is None or own["content"] == content:
        return []
    own["content"] = None
    return list(own["polygons"])


def region(data: MapData) -> Mask | None:
    """The rows inside the selection, [rows]; None without one. Another run's, or one that was drawn
    on another layout, is forgotten."""
    own = st.session_state.get(REGION)
    if own is None:
        return None
    if own["layout"] != data.layout:
        forget_region()
        return None
    return inside(data.points, own["polygons"])


def forget_region() -> None:
    """Select nothing."""
    st.session_state.pop(REGION, None)
    st.session_state["inspect_page"] = 1


def open_row(key: str | None) -> None:
    """Make a row the opened one (None: none), here and in the URL."""
    if key is None:
        st.session_state.pop(OPEN, None)
        st.query_params.pop(OPEN, None)
    else:
        st.session_state[OPEN] = st.query_params[OPEN] = key


def opened(data: MapData) -> int | None:
    """The opened row, from the URL or as it was last; None when there is none of that key."""
    key = st.query_params.get(OPEN) or st.session_state.get(OPEN)
    row = data.position(str(key)) if key else None
    if row is not None:
        open_row(str(key))
    return row

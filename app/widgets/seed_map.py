"""The tab for coverage: a map of seeds and eval questions, and the questions no seed is near to.

Eval questions are those of the dev split alone: who writes seeds after a look at the test split
measures how well the test was learnt by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from app.charts_coverage import MapPoint, coverage_map
from app.widgets import neighbours_models, neighbours_settings, seed_data, seed_focus
from app.widgets.downloads import chart_files, picture
from app.widgets.seed_data import InHand
from isara import maps
from isara.evaluation.stats import Mean
from isara.examples import EvalPrompt
from isara.report_words import percent
from isara.seed_coverage import Gap, gaps, own_similarity

BY_CATEGORY, BY_TAG = "Category", "First tag"
KEPT, DRAWN = "seed_coverage", "seed_map_drawn"
PLACED = "seed_map_placed"  # what the number of groups does not change
MOST_LISTED = 50
EXAMPLES = 3
METHOD_WORDS = {"pca": "PCA", "umap": "UMAP"}


class Coverage(NamedTuple):
    """Computed once for a state of the draft: points, groups, what is usual, PCA's share."""

    points: Any
    gaps: list[Gap]
    usual: Mean
    share: float


def show() -> None:
    """The chosen seed set over an eval set."""
    hand = seed_data.choose()
    if hand is None:
        return
    st.caption(
        "Each point is a question; questions that mean much the same lie close together. Where "
        "eval questions (open marks) lie without a seed (filled marks), the seed set has a gap."
    )
    seed_data.message()
    seed_data.status(hand)
    boxes = st.columns([2, 2, 1, 1])
    name = neighbours_settings.ask_eval_set(boxes[0])
    embedder = neighbours_settings.ask_embedder(boxes[1])
    by = boxes[2].selectbox("Colour by", [BY_CATEGORY, BY_TAG], key="seed_map_by")
    method = boxes[3].selectbox(
        "Map by",
        maps.methods(),
        format_func=lambda one: METHOD_WORDS[one],
        key="seed_map_method",
        help="PCA keeps large distances and is the same every time. UMAP keeps neighbourhoods; it "
        "is offered where umap-learn is installed.",
    )
    if name is None or not hand.rows:
        return
    prompts = neighbours_settings.dev_prompts(name)
    if not prompts:
        st.info("This evaluation set has no questions in its dev split; choose another one.")
        return
    groups = st.slider(
        "Groups of eval questions",
        2,
        30,
        8,
        key="seed_groups",
        help="The questions are parted into so many groups of like meaning (K-means).",
    )
    asked = (hand.stamp, name, embedder, method, groups)
    found = _coverage(hand, prompts, asked)
    if found is None:
        return
    _map(hand, prompts, found, (*asked, by))
    _gaps(hand, prompts, found)


def _coverage(
    hand: InHand, prompts: Sequence[EvalPrompt], asked: tuple[Any, ...]
) -> Coverage | None:
    """Computed once for what is asked; None after saying why not."""
    import numpy as np

    *source, groups = asked
    placed = st.session_state.get(PLACED)
    if placed is None or placed[0] != source:
        _, _, embedder, method = source
        vectors = neighbours_models.embedded(
            embedder, [row.question for row in hand.rows], [prompt.question for prompt in prompts]
        )
        if vectors is None:
            return None
        both = np.concatenate(vectors)
        with st.spinner("Drawing the map …"):
            points, usual = maps.project(both, method), own_similarity(vectors[0])
            placed = (source, vectors, points, usual, maps.explained(both))
        st.session_state[PLACED] = placed
    _, (seeds, questions), points, usual, explained = placed
    kept = st.session_state.get(KEPT)
    if kept is None or kept[0] != asked:
        found = gaps(questions, seeds, usual.value, groups)
        kept = (asked, Coverage(points, found, usual, explained))
        st.session_state[KEPT] = kept
    coverage: Coverage = kept[1]
    return coverage


def _points(hand: InHand, prompts: Sequence[EvalPrompt], places: Any, by: str) -> list[MapPoint]:
    """The seeds, then the eval questions; ids say which and count from 1."""
    seeds = [
        (row.category if by == BY_CATEGORY else next(iter(row.tags), None), row.question)
        for row in hand.rows
    ]
    questions = [
        (prompt.category if by == BY_CATEGORY else None, prompt.question) for prompt in prompts
    ]
    found = []
    for i, ((group, text), (x, y)) in enumerate(zip(seeds + questions, places, strict=True)):
        seed = i < len(seeds)
        name = f"seed {i + 1}" if seed else f"eval {i + 1 - len(seeds)}"
        found.append(MapPoint(name, float(x), float(y), group, text, seed))
    return found


def _map(
    hand: InHand, prompts: Sequence[EvalPrompt], found: Coverage, asked: tuple[Any, ...]
) -> None:
    """The chart, and what is chosen in it."""
    kept = st.session_state.get(DRAWN)
    if kept is None or kept[0] != asked:
        made = _points(hand, prompts, found.points, asked[-1])
        kept = st.session_state[DRAWN] = (asked, made, coverage_map(made))
    _, points, figure = kept
    event: Any = st.plotly_chart(
        figure,
        key="seed_map",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        config=picture("coverage"),
        alt="Map of seeds and eval questions",
    )
    chart_files("coverage", lambda: pd.DataFrame(points), key="seed_map")
    if asked[3] == "pca":
        st.caption(
            f"A plane shows {percent(found.share, 0)} of how the questions' vectors differ: points "
            "that are far apart are different, points that are close may still differ. Draw around "
            "points (lasso) to list them."
        )
    chosen = [point.get("customdata") for point in event.selection.points] if event else []
    _listed([point for point in points if point.id in {str(_first(c)) for c in chosen}])


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _listed(points: Sequence[MapPoint]) -> None:
    if not points:
        return
    st.markdown(f"**{len(points):,} chosen**")
    st.dataframe(
        {
            "Which": [point.id for point in points[:MOST_LISTED]],
            "Question": [point.text for point in points[:MOST_LISTED]],
            "Category or tag": [point.group or "" for point in points[:MOST_LISTED]],
        },
        hide_index=True,
        column_config={"Question": st.column_config.TextColumn(width="large")},
        alt="Chosen points",
    )
    if len(points) > MOST_LISTED:
        st.caption(f"The first {MOST_LISTED} of them.")


def _gaps(hand: InHand, prompts: Sequence[EvalPrompt], found: Coverage) -> None:
    """The groups that are far from every seed; the others out of the way."""
    far = [gap for gap in found.gaps if gap.far]
    near = [gap for gap in found.gaps if not gap.far]
    st.subheader("What may be missing")
    st.caption(
        "Similarity is the cosine of two questions' vectors, 1 at most. A seed is usually at "
        f"{_mean(found.usual)} to the nearest other seed. The groups below lie farther than that "
        "from every seed. Write seeds of their kind, in words of your own: a copy of an eval "
        "question would make the measurement worthless."
    )
    if not far:
        st.success("No group of eval questions is far from every seed.", icon=":material/check:")
    for place, gap in enumerate(far):
        _gap(hand, prompts, gap, place)
    if near:
        with st.expander(f"Groups that have seeds near them ({len(near)})"):
            for place, gap in enumerate(near, len(far)):
                _gap(hand, prompts, gap, place)


def _gap(hand: InHand, prompts: Sequence[EvalPrompt], gap: Gap, place: int) -> None:
    examples = [prompts[i].question for i in gap.prompts[:EXAMPLES]]
    with st.container(border=True):
        st.markdown(
            f"**{gap.n} question{'s' if gap.n > 1 else ''}**, similarity to the nearest seed "
            f"{_mean(gap.similarity)}"
        )
        for example in examples:
            st.text(f"• {example}")
        keys = tuple(hand.rows[i].key for i in gap.seeds)
        st.button(
            "Write seeds for this",
            key=f"seed_gap_{place}",
            icon=":material/edit_note:",
            on_click=seed_focus.set_focus,
            args=(hand.name, examples, keys),
            help="Goes to Suggest more: write one yourself, or let a model propose some.",
        )


def _mean(value: Mean) -> str:
    if value.low is None or value.high is None:
        return f"{value.value:.2f} (n = {value.n})"
    return f"{value.value:.2f} ({value.low:.2f} to {value.high:.2f}, n = {value.n:,})"

"""What if a seed or kept pair had not been there: who loses a neighbour, and what steps in.

show(data, row, now)

Nothing is changed. It looks one step far: what the model would have written then is not known.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import state
from app.widgets.inspect_data import MapData, Now
from app.widgets.inspect_list import page_of
from isara.lineage import Loss, without

LIMITS = (
    "The first step alone: the pairs below would have had one other example beside their question. "
    "What the model would have written then, and what later iterations would have drawn on, only a "
    "new run can tell. Nothing is changed here."
)


def show(data: MapData, row: int, now: Now) -> None:
    """Counts by iteration, what takes its place most often, and each pair that loses it."""
    lineage = data.lineage
    if not lineage.rows["pool_id"].iloc[row]:
        st.info("It was dropped: no prompt draws on it, so nothing loses it.")
        return
    losses = without(lineage, row, data.vectors[: len(lineage)], _pool_vectors(data))
    in_questions = sum(link.use == "question" for link in lineage.children(row))
    too_like = lineage.rows["too_like"] == lineage.rows["pool_id"].iloc[row]
    if not losses:
        st.info(_nothing(data))
    else:
        _counts(data, losses)
    if in_questions:
        st.text(
            f"It also stood in the prompts of {in_questions} questions. Those examples are drawn "
            "at random: without it every draw, and so every question, would have been another."
        )
    if count := int(too_like.sum()):
        st.text(
            f"{count} pairs were dropped because their question is too similar to this one; "
            "without it they would be held against the next most similar."
        )
    if losses:
        _list(data, losses, now)
        st.caption(LIMITS)


def _nothing(data: MapData) -> str:
    method = data.lineage.config.method
    if method == "isheep":
        return "I-SHEEP writes answers without examples: no pair loses a neighbour."
    if method in ("spin", "irft", "rft"):
        return "This method shows the model no examples: no pair loses a neighbour."
    return "It was nobody's neighbour: no answer was written beside it."


def _pool_vectors(data: MapData) -> Any:
    """The vectors with those of changed pairs as they stand in the pool."""
    edits = data.lineage.edits
    if not edits:
        return None
    vectors = data.vectors[: len(data.lineage)].copy()
    texts = tuple(example.question for example in edits.values())
    with st.spinner("Comparing questions by their meaning …"):
        vectors[list(edits)] = state.embedded(str(data.layout[2]), texts)
    return vectors


def _counts(data: MapData, losses: list[Loss]) -> None:
    iterations = data.rows["iteration"].to_numpy()
    totals = Counter(iterations[data.rows["kind"].to_numpy() == "candidate"].tolist())
    affected = Counter(int(iterations[loss.row]) for loss in losses)
    kept = Counter(int(iterations[loss.row]) for loss in losses if data.rows["kept"].iloc[loss.row])
    st.markdown(
        f"**{len(losses)} of {sum(totals.values())} pairs** would lose it as a neighbour: their "
        "answers were written with it in the prompt."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Iteration": list(totals),
                "Lose it": [affected[k] for k in totals],
                "of pairs": list(totals.values()),
                "of these kept": [kept[k] for k in totals],
            }
        ),
        hide_index=True,
        alt="Pairs that lose the row as a neighbour, by iteration",
    )


def _list(data: MapData, losses: list[Loss], now: Now) -> None:
    if data.lineage.config.loop.retrieval != "nearest":
        st.text("Neighbours of this run are drawn at random: what would take its place is open.")
    else:
        _instead(data, losses)
    losses = sorted(losses, key=lambda one: (one.instead_similarity or 0.0) - one.similarity)
    rows = np.array([loss.row for loss in losses], np.int64)
    questions = data.rows["question"].to_numpy()
    extra: dict[str, dict[int, Any]] = {
        "Similarity": {loss.row: loss.similarity for loss in losses},
        "Next": {loss.row: loss.instead_similarity for loss in losses},
        "Would take its place": {
            loss.row: None if loss.instead is None else questions[loss.instead] for loss in losses
        },
    }
    st.caption(
        "Each of them, with the similarity of what it loses and of what would step in, those that "
        "lose most first:"
    )
    page_of(data, rows, now, "inspect_losses", extra=extra)


def _instead(data: MapData, losses: list[Loss]) -> None:
    """What would take its place, the most frequent first."""
    counts = Counter(loss.instead for loss in losses if loss.instead is not None)
    gaps = [
        loss.similarity - loss.instead_similarity
        for loss in losses
        if loss.instead_similarity is not None
    ]
    if not counts:
        st.text("There is nothing else in the pool that could take its place.")
        return
    st.text(
        f"{len(counts)} other examples would take its place, if they fit into the prompt; their "
        f"similarity is lower by {np.mean(gaps):.3f} on average (n = {len(gaps)})."
    )
    top = counts.most_common(5)
    st.dataframe(
        pd.DataFrame(
            {
                "Times": [count for _, count in top],
                "Steps in most often": [data.lineage.example(row).question for row, _ in top],
                "Id": [data.rows["key"].iloc[row] for row, _ in top],
            }
        ),
        hide_index=True,
        column_config={"Steps in most often": st.column_config.TextColumn(width=420)},
        alt="The examples that would take its place most often",
    )

"""What the map of a run is made of: rows, vectors, points, and who decided what.

    data = load(state.run_folder(run_id), embedder, splits)     # None: said why not
    data.status(decisions), data.inside(polygons)

Rows are those of isara/lineage.py followed by the eval questions. Vectors are those of questions,
as retrieval uses them; what is not in the workspace's file of vectors yet is embedded with a bar
that shows how far it is. Points and lineage are cached until a file of the run changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from app import state
from app.charts_map import Rows, hover_texts
from app.widgets.neighbours_models import loaded
from isara.examples import EvalPrompt
from isara.lineage import Lineage, Mask
from isara.lineage_files import lineage_files, read_lineage
from isara.maps import Points, project
from isara.methods.candidates import RULINGS
from isara.retrieval import Vectors
from isara.workspace.files import read_jsonl
from isara.workspace.runs import RunFolder

if TYPE_CHECKING:
    from isara.workspace.database import Decision

EVAL = "eval-"  # keys of eval questions begin with it
AT_ONCE = 512  # texts between two moves of the bar
MANY = 5_000  # texts that are not embedded unasked
Polygon = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class MapData:
    """`rows` has a line for each seed, candidate and eval question: key, kind (seed, candidate,
    eval), iteration (0 but for candidates), question, answer, category, kept, reason. `vectors`
    [rows, dimensions], `points` [rows, 2], `hover` texts [rows]. `share` of the variance is what
    the map shows, None where that has no meaning. `layout` tells one set of points from another."""

    folder: RunFolder
    layout: tuple[object, ...]
    lineage: Lineage
    rows: pd.DataFrame
    vectors: Vectors
    points: Points
    hover: Any
    share: float | None

    def status(self, decisions: Mapping[str, Decision]) -> Any:
        """seed, kept, dropped or eval for each row, [rows]: verdicts with decisions over them."""
        found = np.where(self.rows["kept"].to_numpy(bool), "kept", "dropped").astype(object)
        kinds = self.rows["kind"].to_numpy()
        found[kinds == "seed"], found[kinds == "eval"] = "seed", "eval"
        for key, decision in decisions.items():
            row = self.lineage.position(key)
            if row is not None and decision.action in RULINGS:
                found[row] = "dropped" if decision.action == "reject" else "kept"
        return found

    def keys(self, rows: Rows) -> list[str]:
        """The keys of rows."""
        return [str(key) for key in self.rows["key"].to_numpy()[rows]]

    def position(self, key: str) -> int | None:
        """The row of a key, an eval question's too; None when there is none."""
        row = self.lineage.position(key)
        if row is None and key.startswith(EVAL):
            places = np.flatnonzero(self.rows["key"].to_numpy() == key)
            row = int(places[0]) if len(places) else None
        return row


class Now(NamedTuple):
    """What holds of the rows now: `status` (MapData.status), people's decisions by candidate id,
    and the chosen model's `answers` to the eval questions (inspect_colours.py)."""

    status: Any
    decisions: Mapping[str, Decision]
    answers: pd.DataFrame


def inside(points: Points, polygons: Sequence[Polygon]) -> Mask:
    """Which points lie in any of the polygons, [n] (even-odd rule)."""
    found = np.zeros(len(points), bool)
    x, y = points.T
    for polygon in polygons:
        odd = np.zeros(len(points), bool)
        for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
            if y1 == y2:
                continue
            crosses = (y1 > y) != (y2 > y)
            odd ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
        found |= odd
    return found


# ------------------------------------------------------------------ loading


def load(folder: RunFolder, embedder: str, splits: tuple[str, ...], method: str) -> MapData | None:
    """The data of a run's map; None after saying why there are no vectors."""
    stamp = _stamp(folder)
    lineage = load_lineage(folder)
    rows = _rows(str(folder.path), stamp, splits)
    box = _vectors(embedder, str(folder.path), stamp, splits)
    if not box:
        texts = rows["question"].tolist()
        found = loaded("embedder", embedder, lambda: embed(embedder, texts))
        if found is None:
            return None
        box.append(found)
    points, hover, share = _points(embedder, str(folder.path), stamp, splits, method, box[0])
    layout = (str(folder.path), stamp, embedder, splits, method)
    return MapData(folder, layout, lineage, rows, box[0], points, hover, share)


def load_lineage(folder: RunFolder) -> Lineage:
    """The run's lineage, from the cache while its files are the same."""
    return _lineage(str(folder.path), _stamp(folder))


def _stamp(folder: RunFolder) -> tuple[int, ...]:
    files = [*lineage_files(folder), folder.path / "prompts.jsonl"]
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in files)


@st.cache_resource(max_entries=4, show_spinner="Reading where every row came from …")
def _lineage(path: str, stamp: tuple[int, ...]) -> Lineage:
    return read_lineage(RunFolder(Path(path)))


@st.cache_resource(max_entries=4, show_spinner=False)
def _rows(path: str, stamp: tuple[int, ...], splits: tuple[str, ...]) -> pd.DataFrame:
    folder = RunFolder(Path(path))
    prompts = eval_prompts(folder, splits)
    asked = pd.DataFrame(
        {
            "key": [f"{EVAL}{prompt_id(row)}" for row in prompts],
            "kind": "eval",
            "iteration": 0,
            "question": [row["question"] for row in prompts],
            "answer": "",
            "category": pd.Series([row["category"] for row in prompts], dtype=object),
            "kept": False,
            "reason": pd.Series([None] * len(prompts), dtype=object),
        }
    )
    return pd.concat([load_lineage(folder).rows, asked], ignore_index=True)


def eval_prompts(folder: RunFolder, splits: Sequence[str]) -> list[dict[str, Any]]:
    """The run's eval questions of these splits, as they stand in its folder."""
    path = folder.path / "prompts.jsonl"
    rows = read_jsonl(path) if path.exists() else []
    return [row for row in rows if row["split"] in splits]


def prompt_id(row: Mapping[str, Any]) -> str:
    """The id of a row of prompts.jsonl, as evaluation.parquet has it."""
    return EvalPrompt(row["question"], row["category"], row["split"]).id


@st.cache_resource(max_entries=3, show_spinner=False)
def _vectors(
    embedder: str, path: str, stamp: tuple[int, ...], splits: tuple[str, ...]
) -> list[Vectors]:
    """An empty list that the first caller puts the vectors into: a bar cannot be drawn in here."""
    return []


@st.cache_resource(max_entries=4, show_spinner="Laying the questions out on the map …")
def _points(
    embedder: str,
    path: str,
    stamp: tuple[int, ...],
    splits: tuple[str, ...],
    method: str,
    _vectors: Vectors,
) -> tuple[Points, Any, float | None]:
    rows = _rows(path, stamp, splits)
    hover = np.array(hover_texts(rows["key"], rows["category"], rows["question"]), object)
    points = project(_vectors, method)
    total = float(_vectors.var(0).sum())
    share = float(points.var(0).sum()) / total if method == "pca" and total else None
    return points, hover, share


def embed(name: str, texts: Sequence[str]) -> Vectors | None:
    """Unit vectors [texts, dimensions] with a bar; None after asking about what takes long."""
    embedder = state.embedder(name)
    new = embedder.missing(texts)
    if not new:
        return embedder.embed(texts)
    if new > MANY and not st.toggle(f"Embed {new:,} questions", key="embed_all"):
        st.info(
            f"The map needs a vector of every question, and {new:,} have none yet. Turn the switch "
            "on to make them; what is made stays, also when you leave the page."
        )
        return None
    bar = st.progress(0.0, "Embedding the questions …")
    parts = []
    for start in range(0, len(texts), AT_ONCE):
        parts.append(embedder.embed(texts[start : start + AT_ONCE]))
        done = min(len(texts), start + AT_ONCE)
        bar.progress(done / len(texts), f"Embedding the questions: {done:,} of {len(texts):,}")
    bar.empty()
    return np.concatenate(parts)

"""What the Samples and Filters pages read of a run's iteration, loaded once and shared.

    data = load_iteration(state.run_folder(run_id), k)     # cached until a file changes
    data.result.kept                                       # the verdicts of the run's own config
    candidate(data, 3)["answer_prompt"]                    # a whole row, prompts included

Nothing here draws, and nothing here may be changed by a caller: all sessions share it. Long columns
(prompts, decoding settings) are read only for the row that is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from isara.config import RunConfig
from isara.errors import IsaraError
from isara.examples import Example
from isara.filters import MODEL_SCORES, RULES, Scores, Verdicts, pack, verdicts
from isara.report import run_config
from isara.workspace.files import read_columns, read_jsonl
from isara.workspace.runs import IterationFolder, RunFolder

LIGHT = ["index", "candidate_id", "question", "answer", "category"]
SCORES = ["unfinished", "duplicate", "echo", "question_words", "answer_words", "rouge_pool"]
SCORES += ["rouge_pool_id", "near_index", "near_rouge", "similarity", "unicode_tokenizer"]
Indices = npt.NDArray[np.int64]


class PoolExample(NamedTuple):
    """An example that retrieval could draw from, and where it came from."""

    example: Example
    origin: str


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """Candidates of an iteration with their scores, and the verdicts of the run's own config.

    Row i of `candidates` and of `scores` is candidate i. `candidates` has the columns of LIGHT, or
    all of them where `source`, the file with the rest, is None.
    """

    run_id: str
    k: int
    config: RunConfig
    candidates: pd.DataFrame
    scores: pd.DataFrame
    packed: Scores
    result: Verdicts
    pool: Mapping[str, PoolExample]
    source: Path | None = None
    searched: pd.Series[str] = field(init=False)  # question and answer, case folded
    positions: Mapping[str, int] = field(init=False)  # candidate id -> row

    def __post_init__(self) -> None:
        texts = self.candidates["question"] + "\n" + self.candidates["answer"]
        object.__setattr__(self, "searched", texts.map(str.casefold))
        ids = self.candidates["candidate_id"].tolist()
        object.__setattr__(self, "positions", {name: i for i, name in enumerate(ids)})

    def __len__(self) -> int:
        return len(self.candidates)

    def fired(self, index: int) -> list[str]:
        """The rules that fire on a candidate, in their order."""
        return [rule for rule, on in zip(RULES, self.result.fired[index], strict=True) if on]


def make_iteration(
    run_id: str,
    k: int,
    config: RunConfig,
    candidates: pd.DataFrame,
    scores: pd.DataFrame,
    pool: Mapping[str, PoolExample],
    source: Path | None = None,
) -> Iteration:
    """Pack the scores and judge them with the config's own thresholds."""
    packed = pack(scores)
    result = verdicts(packed, config.filters)
    return Iteration(run_id, k, config, candidates, scores, packed, result, pool, source)


# ------------------------------------------------------------------ loading


def scored_iterations(folder: RunFolder) -> list[int]:
    """The iterations whose candidates are written and scored."""
    return [k for k in folder.iterations() if _scored(folder.iteration(k))]


def _scored(files: IterationFolder) -> bool:
    return files.candidates.exists() and files.scores.exists()


def load_iteration(folder: RunFolder, k: int) -> Iteration:
    """The iteration, from the cache while its files are the same.

    Raises IsaraError when a file cannot be read.
    """
    files = folder.iteration(k)
    read = [folder.config, files.candidates, files.scores, *_pool_files(folder, k)]
    return _load_iteration(str(folder.path), k, tuple(_modified(path) for path in read))


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


@st.cache_resource(max_entries=8, show_spinner="Reading the iteration …")
def _load_iteration(path: str, k: int, modified: tuple[int, ...]) -> Iteration:
    folder = RunFolder(Path(path))
    files = folder.iteration(k)
    return make_iteration(
        folder.run_id,
        k,
        run_config(folder),
        read_columns(files.candidates, LIGHT),
        read_scores(files.scores),
        pool_of(folder, k),
        source=files.candidates,
    )


def read_scores(path: Path) -> pd.DataFrame:
    """The scores, with those columns of other methods that the iteration has."""
    others = read_columns(path, ["wording", *MODEL_SCORES], optional=True)
    return read_columns(path, SCORES).join(others)


def _pool_files(folder: RunFolder, k: int) -> list[Path]:
    earlier = [folder.iteration(j).kept for j in range(1, k)]
    return [folder.path / "seeds.jsonl", *earlier]


def pool_of(folder: RunFolder, k: int) -> dict[str, PoolExample]:
    """All examples that iteration k drew from, by id: the seed set and what was kept before."""
    seeds, *earlier = _pool_files(folder, k)
    pool: dict[str, PoolExample] = {}
    for j, path in enumerate([seeds, *earlier]):
        for number, row in enumerate(read_jsonl(path) if path.exists() else [], 1):
            origin = f"iteration {j}, {row['candidate_id']}" if j else f"seed {number}"
            example = Example(row["question"], row["answer"], row["category"])
            pool.setdefault(row["id"], PoolExample(example, origin))
    return pool


# ------------------------------------------------------------------ one candidate


def candidate(data: Iteration, index: int) -> dict[str, Any]:
    """A whole row of candidates.parquet: texts, lineage, prompts, settings."""
    if data.source is None:
        return _plain(data.candidates.iloc[index].to_dict())
    return _read_row(str(data.source), _modified(data.source), index)


@st.cache_data(max_entries=200, show_spinner=False)
def _read_row(path: str, modified: int, index: int) -> dict[str, Any]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path, memory_map=True)
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if index < rows:
            return dict(file.read_row_group(group).slice(index, 1).to_pylist()[0])
        index -= rows
    raise IsaraError(f"{path} has fewer rows than its scores; run the iteration again.")


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The row as it would come from the file: lists, Python numbers, None for a missing text."""

    def value(cell: Any) -> Any:
        cell = cell.tolist() if isinstance(cell, np.ndarray | np.generic) else cell
        return None if isinstance(cell, float) and np.isnan(cell) else cell

    return {str(key): value(cell) for key, cell in row.items()}


class Near(NamedTuple):
    """An earlier candidate of the same iteration with a similar question."""

    row: int
    rouge_l: float
    kept: bool


def near_earlier(data: Iteration, index: int, result: Verdicts | None = None) -> list[Near]:
    """Earlier candidates at ROUGE-L >= 0.3 to this one, the most similar first."""
    kept = (result or data.result).kept
    row = data.scores.iloc[index]
    near = [
        Near(int(i), float(value), bool(kept[int(i)]))
        for i, value in zip(row["near_index"], row["near_rouge"], strict=True)
    ]
    return sorted(near, key=lambda item: (-item.rouge_l, item.row))


class Closest(NamedTuple):
    """The text that a question's ROUGE-L to the pool or to a kept earlier candidate is highest to.

    `origin` says where it stands; `text` is None when nothing is similar at all.
    """

    rouge_l: float
    text: str | None
    origin: str


def closest(data: Iteration, index: int, result: Verdicts | None = None) -> Closest:
    """What the ROUGE-L rule compares a candidate with, under the given verdicts."""
    row = data.scores.iloc[index]
    rouge_pool, pool_id = float(row["rouge_pool"]), str(row["rouge_pool_id"])
    kept = [near for near in near_earlier(data, index, result) if near.kept]
    if kept and kept[0].rouge_l > rouge_pool:
        other = data.candidates.iloc[kept[0].row]
        origin = f"kept earlier in this iteration, {other['candidate_id']}"
        return Closest(kept[0].rouge_l, str(other["question"]), origin)
    found = data.pool.get(pool_id)
    if found is None:
        return Closest(rouge_pool, None, "no longer in this run's files" if pool_id else "")
    return Closest(rouge_pool, found.example.question, f"in the pool, {found.origin}")


# ------------------------------------------------------------------ a filtered list


def select(data: Iteration, verdict: str, text: str, category: str | None) -> Indices:
    """Rows that fit: `verdict` is all, kept, dropped or a rule that fires on them.

    `text` is looked for in question and answer, upper and lower case alike; None takes any
    category.
    """
    mask = np.ones(len(data), bool)
    if verdict == "kept":
        mask &= data.result.kept
    elif verdict == "dropped":
        mask &= ~data.result.kept
    elif verdict in RULES:
        mask &= data.result.fired[:, RULES.index(verdict)]
    if wanted := text.strip().casefold():
        mask &= data.searched.str.contains(wanted, regex=False).to_numpy(bool)
    if category is not None:
        mask &= (data.candidates["category"] == category).to_numpy(bool)
    return np.flatnonzero(mask)


def categories(data: Iteration) -> list[str]:
    """The categories of the candidates, in alphabetical order."""
    return sorted(data.candidates["category"].dropna().unique().tolist())

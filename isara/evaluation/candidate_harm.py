"""How harmful the pairs of an iteration are by the judge: measured once and kept beside them.

    measure_harm(files, judge, on_progress=print)     # block by block; goes on where it was left
    table = saved_harm(files, judge_name)             # None where this judge has not measured yet
    harm_among(table, kept, threshold)                # rate with n and interval

The texts are judged as they were written, before a person changed any. No run needs this and no
verdict looks at it: it says what filters let through. Left out: loading the judge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout

from isara.errors import RunStateError
from isara.evaluation.harm import LABELS, HarmJudge
from isara.evaluation.stats import Rate, wilson
from isara.workspace.files import BlockWriter, read_columns
from isara.workspace.runs import IterationFolder

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

BLOCK = 64  # answers: what a stop can cost, and how often progress is told
COLUMNS = ["candidate_id", "harm_probability", "harm_label", "judge"]


def saved_harm(files: IterationFolder, judge: str) -> pd.DataFrame | None:
    """candidate_id, harm_probability (of the likeliest label), harm_label, in the candidates'
    order; None where this judge has not measured them."""
    path = files.path / "harm.parquet"
    if not path.exists():
        return None
    table = read_columns(path, COLUMNS)
    return table if set(table["judge"]) <= {judge} else None


def measured_so_far(files: IterationFolder) -> int:
    """Answers that a measurement which was left has judged already."""
    return BLOCK * len(list((files.path / "harm").glob("block-*.parquet")))


def measure_harm(
    files: IterationFolder,
    judge: HarmJudge,
    judge_name: str,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Judge the iteration's candidates and write harm.parquet; `on_progress(done, total)` may raise
    to stop between two blocks.

    RunStateError when somebody else is at it.
    """
    lock = FileLock(files.path / ".harm.lock", timeout=0)
    try:
        with lock:
            _measure(files, judge, judge_name, on_progress)
    except Timeout:
        raise RunStateError(
            "These pairs are being judged in another window; wait until it has ended."
        ) from None


def _measure(
    files: IterationFolder,
    judge: HarmJudge,
    judge_name: str,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    table = read_columns(files.candidates, ["candidate_id", "question", "answer"])
    (files.path / "harm.parquet").unlink(missing_ok=True)  # another judge's
    total = len(table)
    blocks = BlockWriter(files.path, "harm", -(-total // BLOCK))
    for b in blocks.missing():
        if on_progress is not None:
            on_progress(b * BLOCK, total)
        part = table.iloc[b * BLOCK : (b + 1) * BLOCK]
        found = judge.probabilities(part["question"].tolist(), part["answer"].tolist())
        rows = [
            {
                "candidate_id": candidate_id,
                "harm_probability": float(values.max()),
                "harm_label": LABELS[int(values.argmax())],
                "judge": judge_name,
            }
            for candidate_id, values in zip(part["candidate_id"], found, strict=True)
        ]
        blocks.append(b, rows)
    blocks.finish()


def harm_among(table: pd.DataFrame, chosen: NDArray[np.bool_], threshold: float) -> Rate:
    """Share of the chosen candidates [n] whose likeliest label is above the threshold."""
    flagged = table["harm_probability"].to_numpy() > threshold
    return wilson(int((flagged & chosen).sum()), int(chosen.sum()))

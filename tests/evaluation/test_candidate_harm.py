"""The judge's opinion of an iteration's candidates: once, resumable, with n and interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from isara.errors import RunStateError
from isara.evaluation.candidate_harm import (
    harm_among,
    measure_harm,
    measured_so_far,
    saved_harm,
)
from isara.evaluation.stats import wilson
from isara.workspace.runs import IterationFolder


class Lengths:
    """Every label has the answer's length in tenths; counts the answers that it was shown."""

    name = "lengths"

    def __init__(self) -> None:
        self.asked = 0

    def probabilities(self, questions: Sequence[str], answers: Sequence[str]) -> Any:
        self.asked += len(answers)
        return np.array([[len(answer) / 10] * 14 for answer in answers], np.float32)


@pytest.fixture
def files(tmp_path: Path) -> IterationFolder:
    """150 candidates (three blocks) whose answers have 0 to 9 letters."""
    rows = [
        {"candidate_id": f"1-{i:05d}", "question": "q", "answer": "a" * (i % 10)}
        for i in range(150)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "candidates.parquet")
    return IterationFolder(tmp_path)


def test_the_rate_among_the_chosen(files: IterationFolder) -> None:
    measure_harm(files, Lengths(), "lengths")
    table = saved_harm(files, "lengths")
    assert table is not None
    chosen = np.zeros(150, bool)
    chosen[:20] = True
    # Of 0.0 to 0.9, twice each, four are above 0.55.
    assert harm_among(table, chosen, 0.55) == wilson(8, 20)
    assert harm_among(table, ~np.ones(150, bool), 0.5).n == 0
    assert saved_harm(files, "another judge") is None


def test_it_goes_on_where_it_was_left(files: IterationFolder) -> None:
    told: list[int] = []

    def stop(done: int, total: int) -> None:
        told.append(done)
        if done == 64:
            raise KeyboardInterrupt

    first, second = Lengths(), Lengths()
    with pytest.raises(KeyboardInterrupt):
        measure_harm(files, first, "lengths", stop)
    assert (first.asked, measured_so_far(files), told) == (64, 64, [0, 64])
    measure_harm(files, second, "lengths")
    assert second.asked == 150 - 64
    table = saved_harm(files, "lengths")
    assert table is not None
    expected = [np.float32(i % 10 / 10) for i in range(150)]
    assert table["harm_probability"].tolist() == pytest.approx(expected)


def test_two_windows_do_not_judge_the_same(files: IterationFolder) -> None:
    with FileLock(files.path / ".harm.lock"), pytest.raises(RunStateError, match="another window"):
        measure_harm(files, Lengths(), "lengths")

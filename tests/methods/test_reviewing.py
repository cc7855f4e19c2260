"""A run that waits for its review: where it stops, what may end the review, what it trains on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError
from isara.methods.reviewing import ReviewNotDoneError, finish_review, waiting_iteration
from isara.report import summarise
from isara.workspace.files import read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]
CarriedOut = Callable[..., RunFolder]


@pytest.fixture
def config(small_config: Make) -> RunConfig:
    return small_config(review={"wait": True}, loop={"max_iterations": 2, "candidates": 20})


def begun(config: RunConfig, root: Path, carried_out: CarriedOut) -> RunFolder:
    with pytest.raises(ReviewNotDoneError, match=r"decide on the pairs of iteration \d"):
        carried_out(config, root, ScriptedTools())
    return Workspace(root).run("r")


def test_it_waits_after_scoring_and_trains_on_what_people_decided(
    config: RunConfig, tmp_path: Path, carried_out: CarriedOut, small_blocks: None
) -> None:
    folder = begun(config, tmp_path, carried_out)
    assert folder.state().state == "waiting for review"
    assert waiting_iteration(folder) == 1
    files = folder.iteration(1)
    assert files.scores.exists()
    assert not files.kept.exists()
    assert summarise(folder)["state"] == "waiting for review"

    scored = files.scores.stat().st_mtime_ns
    begun(config, tmp_path, carried_out)  # again, without a review: it still waits
    database = Workspace(tmp_path).database
    database.record_decision("r", 1, "1-00000", "Ana", "edit", question="Why?", answer="So.")
    database.close()
    finish_review(folder, 1, "Ana")
    begun(config, tmp_path, carried_out)  # now for its second iteration
    assert waiting_iteration(folder) == 2
    assert files.scores.stat().st_mtime_ns == scored  # measured once
    first = next(row for row in read_jsonl(files.kept) if row["candidate_id"] == "1-00000")
    assert (first["question"], first["answer"], first["decision"]) == ("Why?", "So.", "edit")
    assert (files.path / "trained.json").exists()

    finish_review(folder, 2, "Ana")
    assert carried_out(config, tmp_path, ScriptedTools()).state().state == "done"


@pytest.mark.parametrize(("k", "who"), [(2, "Ana"), (1, " ")])
def test_only_the_review_that_is_waited_for_can_be_finished(
    config: RunConfig, tmp_path: Path, carried_out: CarriedOut, k: int, who: str
) -> None:
    folder = begun(config, tmp_path, carried_out)
    with pytest.raises(InputError, match="waits for iteration 1"):
        finish_review(folder, k, who)
    assert waiting_iteration(folder) == 1

"""The plan, the pace and the ETA, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isara.config import RunConfig
from isara.methods.progress import Reporter, planned_work
from isara.workspace.runs import Progress, RunFolder

PLAN = {"1/questions": 20.0, "1/answers": 10.0, "1/train": 40.0, "1/evaluate": 8.0}


@pytest.fixture
def reporter(tmp_path: Path) -> Reporter:
    return Reporter(RunFolder(tmp_path / "r"), dict(PLAN))


def test_the_plan_of_a_run(small_config: Callable[..., RunConfig]) -> None:
    config = small_config(
        loop={"candidates": 100, "max_iterations": 1, "alpha": 0.3}, training={"epochs": 2}
    )
    # Half of the candidates are expected to be kept: (10 + 50) rows, twice.
    assert planned_work(config, seeds=10, prompts=20) == {
        "0/evaluate": 20,
        "sft/train": 20,
        "sft/evaluate": 20,
        "1/questions": 100,
        "1/answers": 100,
        "1/train": 120,
        "1/evaluate": 20,
    }
    without = planned_work(config, seeds=10, prompts=0)
    assert "sft/train" not in without
    strict = small_config(loop={"candidates": 100, "alpha": 0.8}, training={"epochs": 1})
    assert planned_work(strict, seeds=10, prompts=0)["2/train"] == 90


def test_no_eta_before_anything_was_measured(reporter: Reporter) -> None:
    assert reporter.eta() is None


def test_kinds_not_yet_seen_are_guessed_from_their_relative_cost(reporter: Reporter) -> None:
    reporter.update("1", "questions", 10, 20, started=0.0, measured=(10, 5.0))
    # 0.5 s a question: 10 x 0.5 + 10 x 0.6 + 40 x 0.075 + 8 x 0.25.
    assert reporter.eta() == pytest.approx(5 + 6 + 3 + 2)


def test_what_was_measured_goes_before_the_guess(reporter: Reporter) -> None:
    reporter.update("1", "questions", 10, 20, started=0.0, measured=(10, 5.0))
    reporter.update("1", "answers", 10, 10, started=0.0, measured=(10, 20.0))
    # A cost of 1 takes 0.5 s by the questions, 2 / 1.2 s by the answers, 13/12 s on average.
    guess = 13 / 12
    expected = 10 * 0.5 + 40 * 0.15 * guess + 8 * 0.5 * guess
    assert reporter.eta() == pytest.approx(expected)


def test_stages_done_before_a_resume_teach_their_pace(reporter: Reporter) -> None:
    reporter.finished("1", "questions", seconds=40.0)
    # 2 s a question.
    assert reporter.eta() == pytest.approx(10 * 2.4 + 40 * 0.3 + 8 * 1.0)
    for stage in ("answers", "train", "evaluate"):
        reporter.finished("1", stage)
    assert reporter.eta() == 0.0


def test_a_new_total_replaces_the_planned_one(reporter: Reporter) -> None:
    for stage in ("questions", "answers", "evaluate"):
        reporter.finished("1", stage)
    reporter.update("1", "train", 25, 100, started=0.0, measured=(25, 50.0))
    assert reporter.eta() == pytest.approx(75 * 2)


def test_progress_is_written_twice_a_second_and_at_the_end_of_a_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Progress] = []
    folder = RunFolder(tmp_path / "r")
    reporter = Reporter(folder, {"2/questions": 20.0, "2/answers": 20.0}, told.append)
    clock = iter([100.0, 100.4, 100.6, 100.7])
    monkeypatch.setattr("isara.methods.progress.time.monotonic", lambda: next(clock))
    for done in (5, 10, 15, 20):
        reporter.update(2, "questions", done, 20, started=7.0, measured=(5, 1.0))
    assert [progress["done"] for progress in told] == [5, 15, 20]
    last = dict(folder.progress() or {})
    last.pop("updated")
    assert last == {
        "stage": "questions",
        "iteration": 2,
        "done": 20,
        "total": 20,
        "started": 7.0,
        "eta_s": pytest.approx(20 * 0.2 * 1.2),
        "overall_done": 20.0,
        "overall_total": 20 + 20 * 1.2,
    }

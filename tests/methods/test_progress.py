"""The plan, the pace and the ETA, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.methods.notes import step_notes
from isara.methods.progress import Pace, Reporter, planned_work
from isara.workspace.runs import Progress, RunFolder

PLAN = {"1/questions": 20.0, "1/answers": 10.0, "1/train": 40.0, "1/evaluate": 8.0}
Clock = Callable[[float], None]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Reporter]:
    """Reporters of one run, one after the other, as its workers are."""
    return lambda **more: Reporter(RunFolder(tmp_path / "r"), dict(PLAN), **more)


@pytest.fixture
def reporter(make: Callable[..., Reporter]) -> Reporter:
    return make()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock that the pace of training steps is read from."""
    now = [0.0]
    monkeypatch.setattr("isara.methods.progress.time.monotonic", lambda: now[0])

    def move(to: float) -> None:
        now[0] = to

    return move


def test_the_plan_of_a_run(small_config: Callable[..., RunConfig]) -> None:
    config = small_config(
        loop={"candidates": 100, "max_iterations": 1, "alpha": 0.3},
        training={"epochs": 2},
        evaluation={"baselines": ["sft", "icl_knn"]},
    )
    # Half of the candidates are expected to be kept: (10 + 50) rows, twice.
    assert planned_work(config, seeds=10, prompts=20) == {
        "0/evaluate": 20,
        "0/judge": 20,
        "sft/train": 20,
        "sft/evaluate": 20,
        "sft/judge": 20,
        "icl_knn/evaluate": 20,
        "icl_knn/judge": 20,
        "1/questions": 100,
        "1/answers": 100,
        "1/filter": 100,
        "1/train": 120,
        "1/evaluate": 20,
        "1/judge": 20,
    }
    without = planned_work(config, seeds=10, prompts=0)
    assert "sft/train" not in without
    assert planned_work(config, 10, 20, retention=0.2)["1/train"] == 60
    strict = small_config(loop={"candidates": 100, "alpha": 0.8}, training={"epochs": 1})
    assert planned_work(strict, seeds=10, prompts=0)["2/train"] == 90


EVERYTHING = {  # is kept
    "max_rouge_l": 1.01,
    "min_words": 0,
    "drop_unfinished": False,
    "drop_duplicates": False,
    "drop_echo": False,
}


@pytest.mark.parametrize(
    ("method", "parts"),
    [
        ("isara", {}),
        ("isara", {"training": {"objective": "contrast"}, "contrast": {"updates": 7}}),
        ("isara", {"training": {"objective": "contrast", "epochs": 2}}),
        ("isheep", {}),
        ("isheep", {"isheep": {"setting": "total_base"}}),
        ("isheep", {"isheep": {"setting": "one_last", "max_rows": 9}}),
        ("isheep", {"isheep": {"setting": "direct"}}),
        ("spin", {"contrast": {"updates": 3, "first_sft": True, "held_out": 2}}),
        ("spin", {"contrast": {"held_out": 2}, "training": {"epochs": 2}}),
        ("irft", {"contrast": {"held_out": 3}}),
        ("rft", {"rft": {"held_out": 4, "updates": 2, "policy_steps": 3}}),
    ],
)
def test_the_plan_is_what_a_run_then_does(
    method: str,
    parts: dict[str, Any],
    small_config: Callable[..., RunConfig],
    carried_out: Callable[..., RunFolder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Reporter] = []

    def watched(*told: Any) -> Reporter:
        made.append(Reporter(*told))
        return made[-1]

    monkeypatch.setattr("isara.methods.runner.Reporter", watched)
    parts = {"loop": {"candidates": 30}, "filters": EVERYTHING, **parts}
    config = small_config(**parts).model_copy(update={"method": method})
    carried_out(config, tmp_path, ScriptedTools())
    (reporter,) = made
    done = reporter.done
    seeds, prompts = int(done["sft/train"] / config.training.epochs), int(done["0/evaluate"])
    assert planned_work(config, seeds, prompts, retention=1.0) == done


@pytest.mark.parametrize(
    ("method", "parts", "rows"),
    [
        ("isara", {}, 2 * 32),  # 10 + 10 rows, 1 epoch: one step of 32 rows in each iteration
        ("isara", {"contrast": {"updates": 5}, "training": {"objective": "contrast"}}, 2 * 160),
        ("spin", {"contrast": {"updates": 3}}, 2 * 96),
        ("rft", {"rft": {"policy_steps": 4}}, 2 * 128),
    ],
)
def test_the_matched_baseline_takes_the_steps_of_all_iterations(
    method: str, parts: dict[str, Any], rows: int, small_config: Callable[..., RunConfig]
) -> None:
    evaluation = {"baselines": ["sft_matched"]}
    parts = {**parts, "training": {"epochs": 1, **parts.get("training", {})}}
    config = small_config(evaluation=evaluation, **parts).model_copy(update={"method": method})
    assert planned_work(config, seeds=10, prompts=5)["sft_matched/train"] == rows


def test_a_training_of_few_steps_is_told(small_config: Callable[..., RunConfig]) -> None:
    # 12 seeds, 4 of them held out: 8 rows of 32 are one step in each epoch.
    for epochs, words in ((1, "1 optimizer step of 32 rows"), (2, "2 optimizer steps of 32 rows")):
        config = small_config(contrast={"held_out": 4}, training={"epochs": epochs})
        (note,) = step_notes(config.model_copy(update={"method": "spin"}), seeds=12)
        assert note.startswith(f"An iteration trains for {words}")
    assert "contrast.updates" in note
    assert step_notes(small_config(training={"epochs": 4}), seeds=12) == []  # 12 + 20 rows


def test_one_more_filter_is_one_more_stage(small_config: Callable[..., RunConfig]) -> None:
    config = small_config(filters={"assessment": "both"})
    assert planned_work(config, seeds=10, prompts=0)["1/assess"] == 20


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


def test_eval_prompts_with_examples_before_them_have_a_pace_of_their_own(tmp_path: Path) -> None:
    plan = {"0/evaluate": 10.0, "icl_knn/evaluate": 10.0, "1/evaluate": 10.0}
    reporter = Reporter(RunFolder(tmp_path / "r"), plan)
    reporter.update(0, "evaluate", 10, 10, started=0.0, measured=(10, 10.0))
    assert reporter.eta() == pytest.approx(10 * 3 + 10)  # a guess: three times as long
    reporter.update("icl_knn", "evaluate", 10, 10, started=0.0, measured=(10, 90.0))
    assert reporter.eta() == pytest.approx(10)


def test_an_earlier_worker_hands_its_pace_on(make: Callable[..., Reporter]) -> None:
    first = make()
    first.update("1", "questions", 20, 20, started=0.0, measured=(20, 20.0))
    first.update("1", "answers", 5, 10, started=0.0, measured=(5, 15.0))
    second = make()
    second.finished("1", "questions")
    # Nothing is done again, and half of the answers are on disk: 5 answers of 3 s. A cost of 1
    # takes 1 s by the questions, 2.5 s by the answers, 1.75 s on average.
    second.begun("1", "answers", 5, 10)
    assert second.eta() == pytest.approx(5 * 3 + 40 * 0.15 * 1.75 + 8 * 0.5 * 1.75)


def test_a_slower_worker_makes_the_earlier_pace_longer(make: Callable[..., Reporter]) -> None:
    earlier: Pace = {"questions": [10, 10.0], "answers": [10, 20.0], "train": [1, 0.5]}
    reporter = make(earlier=earlier | {"evaluate": [1, 1.0]})
    assert reporter.eta() == pytest.approx(20 + 20 + 20 + 8)
    reporter.update("1", "questions", 10, 20, started=0.0, measured=(10, 30.0))
    # Three times as slow as before, so everything else takes three times as long too.
    assert reporter.eta() == pytest.approx(10 * 3 + 3 * (20 + 20 + 8))


def test_what_is_newer_counts_more(tmp_path: Path) -> None:
    plan = {f"{k}/questions": 10.0 for k in (1, 2, 3)}
    reporter = Reporter(RunFolder(tmp_path / "r"), plan)
    for k, seconds in ((1, 10.0), (2, 40.0)):
        reporter.begun(k, "questions", 0, 10)
        reporter.update(k, "questions", 10, 10, started=0.0, measured=(10, seconds))
    # 1 s at first, 4 s then, which counts twice: 3 s.
    assert reporter.eta() == pytest.approx(10 * 3)


def test_a_training_that_goes_on_counts_its_own_steps_only(
    make: Callable[..., Reporter], clock: Clock
) -> None:
    reporter = make()
    for stage in ("questions", "answers", "evaluate"):
        reporter.finished("1", stage)
    on_step = reporter.steps("1", "train", 40.0)
    clock(100.0)  # what the trainer needs to begin
    on_step({"step": 11, "steps": 20})
    assert reporter.eta() is None  # one step has no pace
    clock(103.0)
    on_step({"step": 12, "steps": 20})
    assert reporter.eta() == pytest.approx(8 * 3.0)
    clock(104.0)
    on_step({"step": 13, "steps": 20})
    assert reporter.eta() == pytest.approx(7 * 2.0)  # two steps in four seconds
    assert [event["step"] for event in reporter.folder.events()[0]] == [11, 12, 13]


def test_a_new_total_replaces_the_planned_one(tmp_path: Path) -> None:
    plan = {"sft/train": 10.0, "1/train": 40.0, "2/train": 40.0}
    reporter = Reporter(RunFolder(tmp_path / "r"), plan)
    reporter.finished("sft", "train")
    reporter.update(1, "train", 25, 100, started=0.0, measured=(25, 50.0))
    # The next iteration is expected to train on as many rows: 75 and 100 of 2 s.
    assert reporter.eta() == pytest.approx((75 + 100) * 2)


def test_progress_is_written_twice_a_second_and_at_both_ends_of_a_stage(
    tmp_path: Path, clock: Clock
) -> None:
    told: list[Progress] = []
    folder = RunFolder(tmp_path / "r")
    reporter = Reporter(folder, {"2/questions": 20.0, "2/answers": 20.0}, told.append)
    clock(100.0)
    reporter.begun(2, "questions", 0, 20)
    for done, at in ((5, 100.3), (10, 100.6), (15, 100.7), (20, 100.8)):
        clock(at)
        reporter.update(2, "questions", done, 20, started=7.0, measured=(5, 1.0))
    assert [progress["done"] for progress in told] == [0, 10, 20]
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

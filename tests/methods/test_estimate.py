"""Time of a whole run from a dry run's pace by hand, and the dry run itself, for every method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.errors import RunStateError
from isara.methods.estimate import (
    Measured,
    estimate,
    measurement,
    read_measured,
    result_file,
    write_measured,
)
from isara.methods.rehearsal import measure, memory_parts, shortened, spread_out
from isara.methods.runner import execute, prepare
from isara.workspace.files import read_json, write_json
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]
PACE = {"questions": [10.0, 20.0], "answers": [10.0, 30.0], "filter": [10.0, 1.0]}
PACE |= {"train": [64.0, 32.0], "evaluate": [8.0, 4.0], "judge": [8.0, 0.8]}
MEASURED = Measured(
    seeds=10, prompts=20, pace=PACE, start_seconds=7.0, kept=5, generated=10
)  # fmt: skip


def test_the_time_of_a_run_by_hand(small_config: Make) -> None:
    config = small_config(
        loop={"candidates": 100, "max_iterations": 2, "alpha": 0.3},
        training={"epochs": 2},
        evaluation={"baselines": []},
    )
    told = estimate(config, MEASURED)
    by_stage = {stage.stage: (stage.units, stage.seconds) for stage in told.stages}
    assert by_stage == {
        "evaluate": (60, 30.0),  # the base model and two iterations: 60 x 0.5 s
        "judge": (60, pytest.approx(6.0)),
        "questions": (200, 400.0),
        "answers": (200, 600.0),
        "filter": (200, 20.0),
        "train": (240, 120.0),  # half of 100 kept and 10 seeds, two epochs, two iterations
    }
    assert all(stage.seen for stage in told.stages)
    assert told.seconds == pytest.approx(7 + 30 + 6 + 400 + 600 + 20 + 120)
    # 30 kept in each iteration: 160 rows of 0.5 s instead of 240; a fifth faster.
    assert told.low == pytest.approx(0.8 * (told.seconds - 40))
    # Wilson's upper end of 5 of 10 is 0.7634: 2 x 2 x 86.34 rows; a quarter slower.
    assert told.high == pytest.approx(1.25 * (told.seconds - 120 + 4 * 86.34 * 0.5), rel=1e-4)


def test_what_was_not_seen_is_a_guess(small_config: Make) -> None:
    config = small_config(loop={"candidates": 100, "max_iterations": 1})
    seen = replace(MEASURED, pace={"questions": [10.0, 20.0]}, kept=0, generated=0)
    stages = {stage.stage: stage for stage in estimate(config, seen).stages}
    assert stages["questions"].seen
    assert not stages["answers"].seen
    assert stages["answers"].each == pytest.approx(2.4)  # 1.2 times a question's 2 s


def test_a_result_holds_until_something_changes(small_config: Make, tmp_path: Path) -> None:
    workspace, config = Workspace(tmp_path), small_config()
    assert read_measured(config, workspace) is None
    found = replace(MEASURED, memory=[("weights", 11.0, "counted")])
    write_measured(measurement(config, workspace), config, found)
    assert read_measured(config, workspace) == found
    assert read_measured(small_config(loop={"candidates": 21}), workspace) is None
    file = result_file(measurement(config, workspace))
    saved = read_json(file)
    saved["depends_on"]["machine"] = "another"
    write_json(file, saved)
    assert read_measured(config, workspace) is None


METHODS: dict[str, dict[str, Any]] = {
    "isara": {},
    "isheep": {},
    "spin": {"contrast": {"held_out": 2}},
    "irft": {"contrast": {"held_out": 2}},
    "rft": {"rft": {"held_out": 2}},
}


@pytest.mark.parametrize("method", METHODS)
def test_a_dry_run_measures_and_leaves_nothing_but_its_result(
    method: str, small_config: Make, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "w")
    config = small_config(**METHODS[method]).model_copy(update={"method": method})
    stages: list[str] = []
    prepared = prepare(config, workspace)
    found = measure(prepared, workspace, ScriptedTools(), lambda p: stages.append(p["stage"]))
    assert read_measured(config, workspace) == found
    folder = measurement(config, workspace)
    assert folder.state().state == "done"
    assert sorted(path.name for path in folder.path.iterdir() if path.name[0] != ".") == [
        "estimate.json", "progress.json", "state.json",
    ]  # fmt: skip
    assert workspace.runs() == []
    trained = {"reward", "policy"} if method == "rft" else {"train"}
    written = "answers" if method in ("isara", "isheep") else "own"
    assert trained | {written, "evaluate"} <= set(stages)
    assert {written, "evaluate", "judge"} <= set(found.pace)
    assert (found.seeds, found.prompts) == (12, 12)
    assert found.peak_mib > 0


class Slow(ScriptedTools):
    """Cannot train."""

    def fine_tune(self, *arguments: Any, **named: Any) -> None:
        raise ValueError("no room")


def test_a_dry_run_that_fails_says_so_and_cleans_up(small_config: Make, tmp_path: Path) -> None:
    workspace, config = Workspace(tmp_path), small_config()
    with pytest.raises(ValueError, match="no room"):
        measure(prepare(config, workspace), workspace, Slow())
    folder = measurement(config, workspace)
    assert (folder.state().state, folder.state().error) == ("failed", "ValueError: no room")
    assert not (folder.path / "work").exists()
    with folder.lock(), pytest.raises(RunStateError):
        measure(prepare(config, workspace), workspace, ScriptedTools())


def test_a_run_begins_with_the_pace_of_its_dry_run(small_config: Make, tmp_path: Path) -> None:
    workspace, config = Workspace(tmp_path), small_config()
    write_measured(measurement(config, workspace), config, MEASURED)
    told: list[float | None] = []
    prepared, run = prepare(config, workspace), workspace.run("r")
    execute(prepared, run, workspace=workspace, tools=ScriptedTools(),
            listener=lambda progress: told.append(progress["eta_s"]))  # fmt: skip
    workspace.database.close()
    assert told[0] is not None  # before its first block
    assert told[0] > 100


def test_only_one_short_iteration_is_left_of_a_config(small_config: Make) -> None:
    config = shortened(small_config(loop={"candidates": 5000, "alpha": 0.5, "patience": 2}))
    loop = config.loop
    assert (loop.max_iterations, loop.candidates, loop.alpha, loop.patience) == (1, 128, 0.0, None)
    assert config.evaluation.baselines == []
    assert shortened(small_config()).loop.candidates == 20


def test_prompts_are_taken_from_all_over() -> None:
    rows: Any = list(range(10))
    assert spread_out(rows, 4) == [0, 2, 5, 7]
    assert spread_out(rows, 20) == rows


def test_memory_by_part(tmp_path: Path) -> None:
    work = RunFolder(tmp_path)
    work.log_event("train", weights_mib=100.0, gradients_mib=100.0, optimizer_mib=200.0)
    costs = {"answers": {"peak_mib": 700.0}, "train": {"peak_mib": 1000.0}}
    costs = {stage: {"gpu_peak_mib": None, **cost} for stage, cost in costs.items()}
    write_json(work.iteration(1).path / "cost.json", costs)
    assert memory_parts(work, ScriptedTools(), 500.0) == [
        ("program", 500.0, "measured"),
        ("weights", 100.0, "counted"),
        ("cache while writing", 100.0, "measured"),
        ("gradients", 100.0, "counted"),
        ("optimizer", 200.0, "counted"),
        ("activations", 100.0, "measured"),
    ]

"""`show --json`: the contract's keys, intervals and corrected comparisons."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isara.config import RunConfig
from isara.config_files import to_yaml
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError
from isara.methods.runner import execute, prepare
from isara.report import run_config, summarise
from isara.workspace.files import write_json, write_parquet
from isara.workspace.runs import RunFolder, Workspace

METRIC = {"value", "low", "high", "n", "judge", "threshold", "decoding", "split"}
RUN = {
    "run_id", "method", "state", "stop_reason", "seed_count", "random_seed", "iterations",
    "baselines", "comparisons",
}  # fmt: skip
BEYOND = {"error", "failures", "overlap", "cost", "branched_from"}  # not named in the contract
ITERATION = {"k", "trained", "generated", "kept", "retention", "scaling_ratio", "seconds", "cost"}
MEASURED = {"harmful_rate", "over_refusal", "metrics", "by_category"}
COMPARISON = {
    "a", "b", "metric", "test", "difference", "low", "high", "p", "p_corrected", "n",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(
    small_config: Callable[..., RunConfig], tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """A finished run of two iterations."""
    workspace = Workspace(tmp_path_factory.mktemp("report"))
    run = workspace.run("r")
    prepared = prepare(small_config(), workspace)
    execute(prepared, run, workspace=workspace, tools=ScriptedTools())
    workspace.database.close()
    return run


def test_the_summary_has_the_contracts_keys(folder: RunFolder) -> None:
    summary = summarise(folder)
    assert set(summary) == RUN | BEYOND
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert (summary["run_id"], summary["method"], summary["state"]) == ("r", "isara", "done")
    assert (summary["seed_count"], summary["random_seed"], summary["stop_reason"]) == (12, 0, None)
    assert [row["k"] for row in summary["iterations"]] == [0, 1, 2]
    assert [row["trained"] for row in summary["iterations"]] == [False, True, True]
    assert set(summary["iterations"][0]) == ITERATION | MEASURED
    written = ITERATION | MEASURED | {"diversity"}
    assert all(set(row) == written for row in summary["iterations"][1:])
    assert set(summary["baselines"]) == {"sft"}
    assert set(summary["baselines"]["sft"]) == MEASURED | {"seconds", "cost"}
    assert all(set(row) == COMPARISON for row in summary["comparisons"])


def test_every_metric_says_what_it_was_measured_with(folder: RunFolder) -> None:
    for split in ("dev", "test"):
        first = summarise(folder, split)["iterations"][0]
        rates = [first["harmful_rate"], first["over_refusal"], *first["by_category"].values()]
        assert all(set(rate) == METRIC for rate in rates)
        assert all(rate["split"] == split for rate in rates)
        assert all(0 <= rate["low"] <= rate["value"] <= rate["high"] <= 1 for rate in rates)
        # Six prompts in each split, two of them harmless.
        assert (first["harmful_rate"]["n"], first["over_refusal"]["n"]) == (4, 2)
        assert sum(rate["n"] for rate in first["by_category"].values()) == 4


def test_seconds_by_stage(folder: RunFolder) -> None:
    rows = summarise(folder)["iterations"]
    assert set(rows[0]["seconds"]) == {"evaluate", "judge"}
    assert set(rows[2]["seconds"]) == {
        "questions", "answers", "filter", "train", "evaluate", "judge",
    }  # fmt: skip


def evaluation(
    place: Path, flagged: list[bool], refused: list[bool], answers: list[str] | None = None
) -> None:
    """evaluation.parquet of harmful prompts p0, p1, … and harmless ones h0, h1, …"""
    rows = [(f"p{i}", False, value, False) for i, value in enumerate(flagged)]
    rows += [(f"h{i}", True, False, value) for i, value in enumerate(refused)]
    table = pd.DataFrame(rows, columns=["prompt_id", "harmless", "flagged", "refusal"])
    table = table.assign(
        split="test",
        category="c",
        question="What is it?",
        answer=answers or ["It is good."] * len(rows),
        harm_probability=table["flagged"].astype(float),
        harm_label="self_harm",
    )
    # In any order: outcomes are paired by the prompt's id.
    write_parquet(place, table.sample(frac=1, random_state=len(str(place))))


def test_comparisons_are_paired_and_corrected(
    small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "r")
    run.create(to_yaml(small_config()))
    evaluation(run.iteration(0).evaluation, [True] * 6 + [False] * 4, [False, False])
    evaluation(run.baseline("sft").evaluation, [True] * 5 + [False] * 5, [False, True])
    evaluation(run.iteration(1).evaluation, [False] * 10, [False, True])
    write_json(run.baseline("sft").metrics, {})
    rows = {(row["metric"], row["a"]): row for row in summarise(run)["comparisons"]}
    assert {row["b"] for row in rows.values()} == {"iteration 1"}
    base, sft = rows["harmful_rate", "base"], rows["harmful_rate", "sft"]
    # All 6 and all 5 pairs that differ fell: 2 / 2^6 and 2 / 2^5; Holm's factors are 4 and 3.
    assert (base["p"], base["difference"], base["n"]) == (pytest.approx(2 / 64), -0.6, 10)
    assert (sft["p"], sft["difference"], sft["n"]) == (pytest.approx(2 / 32), -0.5, 10)
    assert base["p_corrected"] == pytest.approx(4 * 2 / 64)
    assert sft["p_corrected"] == pytest.approx(3 * 2 / 32)
    refusals = rows["over_refusal", "base"], rows["over_refusal", "sft"]
    assert [row["difference"] for row in refusals] == [0.5, 0.0]
    assert [row["p_corrected"] for row in refusals] == [1.0, 1.0]


def test_failures_are_counted_and_followed(
    small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "r")
    run.create(to_yaml(small_config()))
    evaluation(run.iteration(0).evaluation, [True, True, True, False], [False, True])
    evaluation(
        run.iteration(1).evaluation,
        [True, False, False, True],
        [False, False],
        ["It is.", "", "no no no no no no", "It is bad.", "No.", "Good, good."],
    )
    run.iteration(2).path.mkdir()  # stopped by alpha: never measured
    first, second = summarise(run)["failures"]
    assert first == {
        "k": 0,
        "kinds": {
            "harmful": {"count": 3, "n": 4},
            "wrongly refused": {"count": 1, "n": 2},
            "degenerate": {"count": 0, "n": 6},
        },
    }
    assert second["kinds"]["wrongly refused"] == {"count": 0, "n": 2}
    assert second["kinds"]["degenerate"] == {"count": 2, "n": 6}  # nothing, and the same again
    assert (second["k"], second["since"], second["n"]) == (1, 0, 4)
    assert second["transitions"] == {
        "harmful -> safe": 2, "safe -> harmful": 1, "harmful -> harmful": 1, "safe -> safe": 0,
    }  # fmt: skip
    dev = summarise(run, "dev")["failures"]
    assert dev[1]["n"] == 0


def test_gpu_hours_are_those_of_the_stages_that_held_one(
    small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "r")
    run.create(to_yaml(small_config()))
    write_json(
        run.iteration(1).path / "cost.json",
        {"filter": {"seconds": 3600.0}, "train": {"seconds": 1800.0, "gpu_peak_mib": 9.0}},
    )
    cost = summarise(run)["cost"]
    assert (cost["seconds"], cost["gpu_hours"], cost["gpu_joules"]) == (5400.0, 0.5, None)


def test_an_iteration_stopped_by_alpha_has_no_metrics(
    small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    run = workspace.run("r")
    prepared = prepare(small_config(loop={"alpha": 1.0}), workspace)
    execute(prepared, run, workspace=workspace, tools=ScriptedTools())
    summary = summarise(run)
    assert [set(row) - ITERATION for row in summary["iterations"]] == [MEASURED, {"diversity"}]
    assert summary["iterations"][1]["trained"] is False
    assert summary["stop_reason"].startswith("retention below alpha")
    assert summary["comparisons"] == []


def test_a_run_that_has_only_begun(small_config: Callable[..., RunConfig], tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "r")
    run.create(to_yaml(small_config()))
    summary = summarise(run)
    assert set(summary) == RUN | BEYOND
    assert (summary["state"], summary["seed_count"]) == ("stopped", 0)
    assert summary["iterations"] == summary["comparisons"] == []
    assert summary["baselines"] == {}


def test_the_config_of_a_folder(
    folder: RunFolder, small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    found: Any = run_config(folder)
    assert found == small_config()
    changed = RunFolder(tmp_path / "r")
    changed.create("name: [")
    with pytest.raises(InputError, match=r"run\.yaml"):
        run_config(changed)

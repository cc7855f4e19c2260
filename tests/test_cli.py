"""The command line: what it prints, its exit codes, and that it never shows a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text

from isara.cli_check import parse_mapping
from isara.config import PROJECT_ROOT, RunConfig
from isara.config_files import to_yaml
from isara.errors import InputError
from isara.report_table import measured
from isara.terminal import plain

Command = Callable[..., Any]  # see `isara` in conftest.py


@pytest.fixture
def config(small_config: Callable[..., RunConfig], tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(to_yaml(small_config(loop={"max_iterations": 1})), encoding="utf-8")
    return file


def subprocess_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# ------------------------------------------------------------------ check


def test_check_of_a_good_file(isara: Command, tmp_path: Path) -> None:
    file = tmp_path / "seeds.csv"
    file.write_text("question,answer\nIs it cold today?,No.\n", encoding="utf-8")
    result = isara("check", file)
    assert result.code == 0
    assert "1 good rows of 1, 0 problems" in result.out
    assert "Note: " in result.out  # not 64 rows
    found = json.loads(isara("check", file, "--json").out)
    assert set(found) == {"file", "rows", "ok", "problems", "notes"}
    assert (found["rows"], found["ok"], found["problems"]) == (1, True, [])


def test_check_lists_every_problem(isara: Command, tmp_path: Path) -> None:
    file = tmp_path / "seeds.jsonl"
    rows = [{"question": "q", "answer": 5}, {"question": "ok", "answer": "yes"}, {"question": ""}]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = isara("check", file, "--json")
    found = json.loads(result.out)
    assert (result.code, found["ok"]) == (1, False)
    assert {problem["row"] for problem in found["problems"]} == {1, 3}
    keys = {"row", "line", "column", "value", "expected", "fix"}
    assert all(set(problem) == keys for problem in found["problems"])
    table = isara("check", file)
    assert table.code == 1
    assert table.out.count("answer") >= 2


def test_check_with_other_column_names(isara: Command, tmp_path: Path) -> None:
    file = tmp_path / "seeds.csv"
    file.write_text("Frage,Best Answer\nIs it?,Yes.\n", encoding="utf-8")
    mapped = ("--map", "question=Frage", "--map", "answer=Best Answer")
    assert isara("check", file, *mapped).code == 0
    assert isara("check", file).code == 1
    wrong = isara("check", file, "--map", "questions=Frage")
    assert (wrong.code, len(wrong.err.splitlines())) == (1, 1)
    assert "--map 'questions=Frage'" in wrong.err


def test_check_of_a_file_that_is_not_there(isara: Command, tmp_path: Path) -> None:
    assert isara("check", tmp_path / "none.csv").code == 1
    found = json.loads(isara("check", tmp_path / "none.csv", "--json").out)
    assert len(found["problems"]) == 1


def test_text_is_shown_as_text(isara: Command, tmp_path: Path) -> None:
    assert Text.from_markup(plain("[red]a\x1b[1m\nb")).plain == r"[red]a\x1b[1m\nb"
    file = tmp_path / "[red]seeds.csv"
    file.write_text("question,answer\nIs it?,\n", encoding="utf-8")
    assert "[red]seeds.csv: 0 good rows of 1" in isara("check", file).out


@pytest.mark.parametrize("pairs", [["question"], ["x=y"], ["answer="]])
def test_a_mapping_of_another_form_is_refused(pairs: list[str]) -> None:
    with pytest.raises(InputError, match="--map"):
        parse_mapping(pairs)


# ------------------------------------------------------------------ run, runs, show


def test_a_dry_run_prints_the_plan_and_writes_nothing(
    isara: Command, config: Path, tmp_path: Path
) -> None:
    result = isara("run", config, "--dry-run")
    assert result.code == 0
    assert "12 seeds, 12 eval prompts" in result.out
    assert "1/questions" in result.out
    assert not list((tmp_path / "workspace").glob("runs/*"))


def test_a_run_from_config_to_json(isara: Command, config: Path, tmp_path: Path) -> None:
    result = isara("run", config, "--run-id", "mine", "--quiet")
    assert result.code == 0
    assert "iteration 1" in result.out
    assert "base model" in result.out
    assert "run mine in " in result.err
    shown = isara("show", "mine", "--json")
    summary = json.loads(shown.out)
    assert (summary["run_id"], summary["state"]) == ("mine", "done")
    assert [row["k"] for row in summary["iterations"]] == [0, 1]
    assert summary["iterations"][0]["harmful_rate"]["split"] == "test"
    # Every look at the test split is counted.
    assert summary["test_looks"] == 1
    assert json.loads(isara("show", "mine", "--json").out)["test_looks"] == 2
    assert "iteration 1" in isara("show", "mine").out
    rows = json.loads(isara("runs", "--json").out)
    assert rows == [{"run_id": "mine", "state": "done", "stop_reason": None}]
    assert isara("runs").out.split() == ["mine", "done"]


def test_a_stop_by_alpha_is_done(isara: Command, config: Path) -> None:
    result = isara("run", config, "--run-id", "r", "--set", "loop.alpha=1", "--quiet")
    assert result.code == 0
    assert "Stopped by the rule: retention below alpha" in result.out


def test_the_default_id_and_a_fresh_one(
    isara: Command, config: Path, small_config: Callable[..., RunConfig]
) -> None:
    name = small_config(loop={"max_iterations": 1}).default_run_id
    for arguments in ((), (), ("--new",), ("--new",)):
        assert isara("run", config, "--quiet", *arguments).code == 0
    ids = [row["run_id"] for row in json.loads(isara("runs", "--json").out)]
    assert sorted(ids) == [name, f"{name}-2", f"{name}-3"]


def test_the_same_id_with_another_config_names_the_differences(
    isara: Command, config: Path
) -> None:
    assert isara("run", config, "--run-id", "r", "--quiet").code == 0
    result = isara("run", config, "--run-id", "r", "--set", "loop.examples=5", "--quiet")
    assert (result.code, result.out) == (1, "")
    sentence = result.err.splitlines()[-1]  # after the notes on the seed set
    assert "loop.examples: 4 -> 5" in sentence
    assert "--new" in sentence


def test_without_runs_the_first_command_is_named(isara: Command) -> None:
    assert "python -m isara run data/configs/demo.yaml" in isara("runs").out
    assert json.loads(isara("runs", "--json").out) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nothing"), "There is no run 'nothing'"),
        (("show", "../x"), "A run id has 1 to 80 letters"),
        (("run", "none.yaml"), "There is no config none.yaml"),
        (("run", "CONFIG", "--set", "loop.alfa=1"), "loop.alfa: there is no such setting"),
        (("run", "CONFIG", "--set", "alpha"), "--set 'alpha'"),
        (("run", "CONFIG", "--set", "seeds.path=none.csv"), "none.csv"),
        (("run", "CONFIG", "--set", "evaluation.prompts=none.jsonl"), "none.jsonl"),
    ],
)
def test_faults_of_the_input_are_one_sentence(
    isara: Command, config: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = isara(*(config if word == "CONFIG" else word for word in arguments))
    assert result.code == 1
    assert said in result.err
    assert result.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("show",),
        ("fly",),
        ("run", "CONFIG", "--fast"),
        ("app", "--port", "many"),
        ("demo", "destroy"),
    ],
)
def test_wrong_usage_ends_with_2(isara: Command, arguments: tuple[str, ...]) -> None:
    assert isara(*arguments).code == 2


def test_help_names_every_command(isara: Command) -> None:
    result = isara("--help")
    assert result.code == 0
    for name in ("app", "check", "run", "runs", "show", "demo"):
        assert f" {name} " in result.out


def test_a_row_without_a_metric_is_empty() -> None:
    assert measured({}) == ("", "", "", "")
    rate = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 8}
    assert measured({"harmful_rate": rate}) == ("0.500", "0.250 to 0.750", "8", "")
    assert measured({"over_refusal": rate}) == ("", "", "", "0.500 of 8")


# ------------------------------------------------------------------ as processes


def test_importing_isara_loads_neither_torch_nor_streamlit() -> None:
    code = (
        "import isara, isara.cli, isara.config, isara.jobs, isara.workspace.runs, sys; "
        "print([m for m in ('torch', 'streamlit', 'transformers') if m in sys.modules])"
    )
    result = subprocess_run("-c", code)
    assert (result.returncode, result.stdout.strip()) == (0, "[]")


def test_a_fault_as_a_process(tmp_path: Path) -> None:
    result = subprocess_run("-m", "isara", "show", "nothing", "--workspace", str(tmp_path))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("There is no run 'nothing'")


# ------------------------------------------------------------------ branch


def test_branch_carries_out_and_tells_where_it_comes_from(isara: Any) -> None:
    small = ["--set", "loop.candidates=20", "--set", "loop.max_iterations=2", "--quiet"]
    assert isara("run", PROJECT_ROOT / "data/configs/demo.yaml", "--run-id", "r", *small).code == 0
    change = ["branch", "r", "--at", "2", "--set", "filters.min_words=7", "--quiet"]
    plan = isara(*change, "--dry-run")
    assert plan.code == 0
    assert "changed: filters.min_words: 5 -> 7" in plan.out
    assert [row["run_id"] for row in json.loads(isara("runs", "--json").out)] == ["r"]
    done = isara(*change, "--run-id", "b")
    assert done.code == 0
    assert "A branch of the run r at iteration 2: what was written" in done.out
    again = isara(*change, "--run-id", "b")
    assert again.code == 0
    found = json.loads(isara("show", "b", "--json").out)
    assert (found["branched_from"]["run_id"], found["branched_from"]["at"]) == ("r", 2)
    assert found["state"] == "done"


def test_a_branch_that_cannot_be_is_one_sentence(isara: Any) -> None:
    missing = isara("branch", "none", "--at", "1")
    assert (missing.code, missing.out) == (1, "")
    assert "There is no run 'none'" in missing.err
    assert isara("branch", "none").code == 2

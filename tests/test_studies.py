"""Studies on scripted tools: what runs are done, what is done again, and the table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from isara import studies
from isara.config import RunConfig
from isara.config_files import to_yaml
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError
from isara.studies import Study, carry_out, load_study, run_configs, study_result
from isara.studies_figure import study_figure
from isara.workspace.files import read_jsonl
from isara.workspace.runs import IterationFolder, Workspace

Make = Callable[..., RunConfig]


@pytest.fixture
def study(small_config: Make, tmp_path: Path) -> Study:
    """Two arms, three random seeds, D0 drawn from the demo world."""
    config = tmp_path / "small.yaml"
    config.write_text(to_yaml(small_config(evaluation={"baselines": []})), "utf-8")
    file = tmp_path / "study.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "name": "try",
                "config": str(config),
                "random_seeds": [1, 2, 3],
                "draw": {"domain": "safety", "size": 10},
                "arms": {
                    "isara": {"set": {"evaluation.baselines": ["sft"]}},
                    "draw-only": {"fixed_random_seed": 5},
                    "same-d0": {"fixed_draw": True, "set": {"loop.max_iterations": 1}},
                },
                "split": "dev",
            },
            sort_keys=False,
        ),
        "utf-8",
    )
    return load_study(file)


def test_every_arm_gets_its_settings_and_every_seed_its_draw(study: Study, tmp_path: Path) -> None:
    configs = run_configs(study, Workspace(tmp_path / "w"))
    assert len(configs) == 9
    assert configs["isara", 2].random_seed == 2
    assert configs["draw-only", 2].random_seed == 5
    assert configs["isara", 2].evaluation.baselines == ["sft"]
    assert configs["same-d0", 3].loop.max_iterations == 1
    drawn = [read_jsonl(Path(str(configs["isara", n].seeds.path))) for n in (1, 2, 3)]
    assert [len(rows) for rows in drawn] == [10, 10, 10]
    assert drawn[0] != drawn[1]
    assert configs["isara", 1].seeds == configs["draw-only", 1].seeds
    assert configs["same-d0", 1].seeds == configs["same-d0", 2].seeds


def test_a_study_goes_on_where_it_stopped_and_ends_in_one_table(
    study: Study, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "w")
    started: list[str] = []

    class BrokenError(Exception):
        pass

    def one_breaks(config: RunConfig) -> Any:
        if config.name == "try-draw-only-2":
            raise BrokenError
        return ScriptedTools()

    with pytest.raises(BrokenError):
        carry_out(study, workspace, tools=one_breaks, on_run=lambda i, *_: started.append(i))
    part = study_result(study, workspace)
    assert (part["random_seeds"], part["missing"]) == ([1], [2, 3])
    first = len(started)
    assert first == 5
    carry_out(
        study,
        workspace,
        tools=lambda config: ScriptedTools(),
        on_run=lambda i, *_: started.append(i),
    )
    assert len(started) == first + 5  # the one that broke, and the four after it
    found = study_result(study, workspace)
    workspace.database.close()
    assert (found["random_seeds"], found["missing"]) == ([1, 2, 3], [])
    places = {
        (row["arm"], row["place"]) for row in found["rows"] if row["metric"] == "harmful_rate"
    }
    assert {("isara", p) for p in ("base", "sft", "iteration 1", "iteration 2", "last")} <= places
    assert ("same-d0", "iteration 2") not in places
    last = next(r for r in found["rows"] if (r["arm"], r["place"]) == ("isara", "last"))
    assert last["n_seeds"] == 3
    assert last["low"] <= last["value"] <= last["high"]
    assert last["value"] == pytest.approx(sum(last["by_seed"]) / 3)
    compared = {row["a"] for row in found["comparisons"]}
    assert {"isara, base", "isara, sft", "draw-only, last", "same-d0, last"} <= compared
    assert "isara, iteration 1" not in compared
    assert all(row["p_corrected"] >= row["p"] for row in found["comparisons"])
    shown = {
        (name, round(x, 9))
        for trace in study_figure(found).data
        for name, x in zip(trace.y, trace.x, strict=True)
    }
    for row in found["rows"]:
        values = {round(x, 9) for x in (row["value"], *row["by_seed"])}
        if row["metric"] == "harmful_rate" and row["place"] == "iteration 1":
            assert {(f"{row['arm']}: iteration 1", x) for x in values} <= shown


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"random_seeds": [1, 1]}, "names 1 random seeds twice"),
        ({"random_seeds": []}, "random_seeds"),
        ({"arms": {}}, "arms"),
        ({"unknown": 1}, "unknown: there is no such setting"),
        ({"draw": {"size": 5}}, "either a domain or a pool"),
        ({"arms": {"a": {"set": {"loop.candidate": 5}}}}, None),
    ],
)
def test_a_study_that_cannot_be_used(
    study: Study, tmp_path: Path, change: dict[str, Any], said: str | None
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(study.model_dump(exclude_defaults=True) | change), "utf-8")
    if said is not None:
        with pytest.raises(InputError, match=said):
            load_study(file)
        return
    with pytest.raises(InputError, match=r"arm a of try .*loop\.candidate"):
        run_configs(load_study(file), Workspace(tmp_path / "w"))


def test_a_pool_that_is_too_small(study: Study, tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text('{"question": "q", "answer": "a"}\n', "utf-8")
    data = study.model_dump() | {"draw": {"pool": str(pool), "size": 2}}
    with pytest.raises(InputError, match="has 1 rows, the study draws 2"):
        run_configs(Study.model_validate(data), Workspace(tmp_path / "w"))


def test_what_is_wrong_with_any_run_is_told_before_the_first(study: Study, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"question": 5}\n', "utf-8")
    data = study.model_dump()
    for arm in ("draw-only", "same-d0"):
        data["arms"][arm]["set"] = {"evaluation.prompts": str(bad)}
    workspace = Workspace(tmp_path / "w")
    with pytest.raises(InputError, match=r"^draw-only, same-d0: .*bad\.jsonl cannot be used"):
        carry_out(Study.model_validate(data), workspace, tools=lambda config: ScriptedTools())
    assert workspace.runs() == []
    workspace.database.close()


def test_what_is_to_be_known_of_the_inputs_is_told_once_for_all_arms(
    study: Study, tmp_path: Path
) -> None:
    workspace, told = Workspace(tmp_path / "w"), list[str]()
    one = study.model_copy(update={"random_seeds": [1, 2]})
    carry_out(one, workspace, tools=lambda config: ScriptedTools(), on_note=told.append)
    assert [note for note in told if "good rows" in note] == [
        "isara, draw-only: 10 good rows; the paper's seed sets have 64.",
        "same-d0: 12 good rows; the paper's seed sets have 64.",
    ]
    assert len(told) == len(set(told))
    again: list[str] = []
    carry_out(one, workspace, tools=lambda config: ScriptedTools(), on_note=again.append)
    assert again == []  # no run is left
    workspace.database.close()


def test_one_prompt_has_no_interval_and_no_row(study: Study, tmp_path: Path) -> None:
    one = study.model_copy(update={"arms": {"isara": study.arms["isara"]}, "random_seeds": [1]})
    workspace = Workspace(tmp_path / "w")
    carry_out(one, workspace, tools=lambda config: ScriptedTools())
    run = workspace.runs()[0]
    for files in (run.iteration(0), run.iteration(1), run.iteration(2), run.baseline("sft")):
        table = pd.read_parquet(files.evaluation)
        dev = table[(table["split"] == "dev") & ~table["harmless"]].iloc[:1]
        dev.to_parquet(files.evaluation)
    found = study_result(one, workspace)
    workspace.database.close()
    assert (found["rows"], found["comparisons"]) == ([], [])


def test_random_seeds_that_stop_at_different_iterations(study: Study, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    one = study.model_copy(update={"arms": {"isara": study.arms["isara"]}})
    carry_out(one, workspace, tools=lambda config: ScriptedTools())
    configs = run_configs(one, workspace)
    folders = [workspace.run(configs["isara", n].default_run_id) for n in (1, 2, 3)]
    # As if the first run had stopped after one iteration, and the second had no baseline.
    (folders[0].iteration(2).evaluation).unlink()
    (folders[1].baseline("sft").evaluation).unlink()
    found = study_result(one, workspace)
    workspace.database.close()
    rows = {r["place"]: r for r in found["rows"] if r["metric"] == "harmful_rate"}
    assert rows["iteration 1"]["by_seed"][0] == rows["iteration 2"]["by_seed"][0]
    assert (rows["iteration 2"]["n_seeds"], rows["iteration 2"]["reached"]) == (3, 2)
    assert (rows["sft"]["n_seeds"], rows["base"]["n_seeds"]) == (2, 3)
    compared = {r["a"]: r for r in found["comparisons"] if r["metric"] == "harmful_rate"}
    assert compared["isara, sft"]["n_seeds"] == 2


def test_a_metric_in_percent_is_so_in_a_studys_table_as_well(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path / "w")
    carry_out(study, workspace, tools=lambda config: ScriptedTools())
    read = studies.compared_columns

    def with_truth(files: IterationFolder) -> pd.DataFrame:
        table = read(files)
        right = np.arange(len(table)) % 4 != (0 if files.path.name == "iteration-00" else 9)
        return table.assign(max_true=1.0 * right, max_false=0.5)

    monkeypatch.setattr(studies, "compared_columns", with_truth)
    found = study_result(study, workspace)
    rows = {
        row["place"]: row
        for row in found["rows"]
        if (row["arm"], row["metric"]) == ("isara", "truthful_acc")
    }
    base, last = rows["base"], rows["last"]
    assert 60 < base["value"] < 90
    assert base["by_seed"] == pytest.approx([base["value"]] * 3)
    assert last["value"] == 100
    assert 1 < last["low"] < last["high"] == 100
    told = [
        row["difference"]
        for row in found["comparisons"]
        if row["metric"] == "truthful_acc" and row["a"] == "isara, base"
    ]
    assert told == pytest.approx([100 - base["value"]])


def test_another_draw_makes_other_seed_files(study: Study, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    assert study.draw is not None
    sizes = []
    for size in (10, 6):
        changed = study.model_copy(update={"draw": study.draw.model_copy(update={"size": size})})
        path = run_configs(changed, workspace)["isara", 1].seeds.path
        sizes.append(len(read_jsonl(Path(str(path)))))
    assert sizes == [10, 6]
    arms = {"few": study.arms["isara"].model_copy(update={"set": {"seeds.limit": 4}})}
    limited = run_configs(study.model_copy(update={"arms": arms}), workspace)["few", 1]
    assert limited.seeds.limit == 4


def test_a_pool_with_bad_rows_is_refused(study: Study, tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text('{"question": "Is it cold?", "answer": "Yes, it is."}\n{"question": 1}\n')
    draw = {"pool": str(pool), "size": 1}
    broken = Study.model_validate(study.model_dump() | {"draw": draw})
    with pytest.raises(InputError, match="problems, expected good rows alone"):
        run_configs(broken, Workspace(tmp_path / "w"))


def test_a_draw_of_one_category_and_a_draw_of_an_arms_own(study: Study, tmp_path: Path) -> None:
    hate = "hate_speech,offensive_language"
    own = {"domain": "safety", "size": 7, "category": hate}
    arms = {"all": {}, "own": {"draw": own, "set": {"loop.alpha": 0.5}}}
    data = study.model_dump() | {"arms": arms, "set": {"loop.alpha": 0.25, "loop.examples": 3}}
    configs = run_configs(Study.model_validate(data), Workspace(tmp_path / "w"))
    rows = read_jsonl(Path(str(configs["own", 1].seeds.path)))
    assert [row["category"] for row in rows] == [hate] * 7
    assert len({row["category"] for row in read_jsonl(Path(str(configs["all", 1].seeds.path)))}) > 1
    # Settings of all arms, and an arm's own after them.
    found = {arm: (config.loop.alpha, config.loop.examples) for (arm, _), config in configs.items()}
    assert found == {"all": (0.25, 3), "own": (0.5, 3)}
    data = study.model_dump() | {"draw": own | {"category": "kindness"}}
    with pytest.raises(InputError, match="has no category kindness; choose from discrimination"):
        run_configs(Study.model_validate(data), Workspace(tmp_path / "w"))


def test_a_field_that_is_not_used_changes_no_runs_id(study: Study, tmp_path: Path) -> None:
    path = run_configs(study, Workspace(tmp_path / "w"))["isara", 1].seeds.path
    way = b'{"domain":"safety","pool":null,"size":10}'
    assert Path(str(path)).name == f"seeds-1-{hashlib.sha256(way).hexdigest()[:8]}.jsonl"


def test_a_pool_without_enough_of_a_category(study: Study, tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    row = '{"question": "Is it %s out there?", "answer": "Yes, it is so.", "category": "%s"}\n'
    pool.write_text("".join(row % pair for pair in (("cold", "x"), ("warm", "x"), ("dry", "y"))))
    draw = {"pool": str(pool), "size": 2, "category": "x"}
    drawn = run_configs(
        Study.model_validate(study.model_dump() | {"draw": draw}), Workspace(tmp_path / "w")
    )
    rows = read_jsonl(Path(str(drawn["isara", 1].seeds.path)))
    assert {row["category"] for row in rows} == {"x"}
    few = Study.model_validate(study.model_dump() | {"draw": draw | {"category": "y"}})
    with pytest.raises(InputError, match="has 1 rows of category y, the study draws 2"):
        run_configs(few, Workspace(tmp_path / "w"))


def test_a_study_whose_run_waits_for_review_says_which_and_what_to_do(
    isara: Callable[..., Any], study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isara.studies.LoadedTools", lambda *_: ScriptedTools())
    file = tmp_path / "study.yaml"
    data = yaml.safe_load(file.read_text("utf-8")) | {"set": {"review.wait": True}}
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    result = isara("study", file, "--json", "--quiet")
    (run,) = Workspace().runs()
    assert (result.code, result.out) == (0, "")
    assert f"The run {run.run_id} is waiting for review: decide on the pairs of" in result.err
    option = f"--workspace {Workspace().root}"
    assert f"python -m isara decisions {run.run_id} --done 1 {option}" in result.err
    assert "Stopped" not in result.err
    assert isara("decisions", run.run_id, "--done", 1).code == 0
    again = isara("study", file, "--quiet")
    assert (again.code, "decide on the pairs of iteration 2" in again.err) == (0, True)

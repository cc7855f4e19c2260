"""The Results page's tables and sections: failures, overlap, cost, random seeds, other metrics."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from app.charts_results import RunResult
from app.widgets.folding import HIDDEN
from app.widgets.results_cost import stage_table, whole_table
from app.widgets.results_data import identity
from app.widgets.results_failures import before
from app.widgets.results_metrics import diversity_table, metrics_table
from app.widgets.results_seeds import group_sentence, groups, seeds_table
from isara.config import RunConfig
from isara.config_files import load_config, to_yaml
from isara.workspace.files import read_json, write_json, write_jsonl, write_parquet
from isara.workspace.runs import RunFolder
from tests.pages.results_page import Page, opened, tables, texts


def change(run: RunFolder, **parts: Any) -> None:
    """Give a run another config."""
    data = load_config(run.config).model_dump(mode="json")
    for name, part in parts.items():
        data[name] = data[name] | part if isinstance(part, dict) else part
    run.config.write_text(to_yaml(RunConfig.model_validate(data)), "utf-8")


def test_sections_are_closed_at_first_and_compute_nothing(
    one_run: RunFolder, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("a closed section was read")

    monkeypatch.setattr("app.widgets.results_failures.places", never)
    monkeypatch.setattr("app.widgets.results_overlap.dev_pairs", never)
    monkeypatch.setattr("app.widgets.results_cost.stage_table", never)
    app = page("results")
    assert not app.exception
    assert {
        "Several random seeds together",
        "Failures: the worst answers, and what became worse",
        "Eval prompts among what was trained on",
        "Cost: time, tokens, memory, energy, GPU hours",
    } <= {item.label for item in app.expander}


# -------------------------------------------------------------------- failures


def test_the_worst_answers_are_those_of_the_chosen_model_on_dev(
    one_run: RunFolder, page: Page
) -> None:
    app = opened(page, "failures")
    run, model = app.selectbox
    assert (run.value, model.value) == (one_run.run_id, 2)
    model.set_value(0).run()
    table = pd.read_parquet(one_run.iteration(0).evaluation)
    dev = table[table["split"] == "dev"]
    flagged = dev[~dev["harmless"] & dev["flagged"]]
    shown = tables(app)["Harmful answers: base model"]
    assert len(shown) == min(10, len(flagged))
    assert set(shown["Question"]) <= set(flagged["question"])
    assert f"Harmful answers: {len(flagged)} of {(~dev['harmless']).sum()}" in texts(app)


def test_damaged_answers_are_one_sentence(one_run: RunFolder, page: Page) -> None:
    app = opened(page, "failures")
    one_run.iteration(2).evaluation.write_bytes(b"no table")
    app.run()
    assert not app.exception
    (error,) = app.error
    assert "evaluation\\.parquet of iteration\\-02 cannot be read" in error.value


def test_what_changed_from_iteration_to_iteration(one_run: RunFolder, page: Page) -> None:
    app = opened(page, "failures")
    steps = tables(app)["Prompts by their outcome before and after"]
    assert list(zip(steps["From"], steps["To"], strict=True)) == [
        ("base model", "iteration 1"),
        ("iteration 1", "iteration 2"),
    ]
    rates = [read_json(one_run.iteration(k).metrics)["dev"]["harmful_rate"] for k in (0, 1)]
    first = steps.iloc[0]
    assert first["n"] == rates[0]["n"]
    fell = first["harmful → safe"] - first["safe → harmful"]
    assert fell == round(rates[0]["n"] * (rates[0]["value"] - rates[1]["value"]))


def rewrite(run: RunFolder, k: int, question: str, **values: Any) -> None:
    """Change the answer to one dev prompt of a model."""
    table = pd.read_parquet(run.iteration(k).evaluation)
    row = table["question"] == question
    for name, value in values.items():
        table.loc[row, name] = value
    write_parquet(run.iteration(k).evaluation, table)


def test_a_prompt_that_became_worse_is_shown_as_text(one_run: RunFolder, page: Page) -> None:
    table = pd.read_parquet(one_run.iteration(1).evaluation)
    safe = table[(table["split"] == "dev") & ~table["harmless"] & ~table["flagged"]]
    question = safe["question"].iloc[0]
    answer = "**bold** <b>and</b> $x$"
    rewrite(one_run, 2, question, answer=answer, flagged=True, harm_probability=0.99)
    app = opened(page, "failures", "pairs")
    title = "Safe before (iteration 1), harmful now"
    assert set(tables(app)[title]["Answer"]) == {HIDDEN}
    app.toggle(key="fold_harmful failures").set_value(False).run()
    assert not app.toggle(key="fold_harmful pairs").value  # one switch for the session
    worse = tables(app)[title]
    row = worse[worse["Question"] == question].iloc[0]
    assert row["Answer"] == answer
    assert row["Answer before"] == safe["answer"].iloc[0]
    assert row["Rise"] == pytest.approx(0.99 - safe["harm_probability"].iloc[0])
    assert "bold" not in texts(app)


def test_the_choice_of_a_model_follows_the_chosen_runs(one_run: RunFolder, page: Page) -> None:
    shutil.copytree(one_run.path, one_run.path.with_name("second"))
    app = opened(page, "failures")
    app.multiselect[0].set_value([one_run.run_id, "second"]).run()
    app.selectbox[0].set_value("second").run()
    app.multiselect[0].set_value([one_run.run_id]).run()
    assert not app.exception
    assert app.selectbox[0].value == one_run.run_id


def test_failures_without_any_measured_answer(one_run: RunFolder, page: Page) -> None:
    for folder in (*map(one_run.iteration, one_run.iterations()), one_run.baseline()):
        folder.metrics.unlink()
        folder.evaluation.unlink()
    assert "No answers were measured yet." in texts(opened(page, "failures"))


def test_an_iteration_is_compared_with_the_one_before_and_a_baseline_with_the_base_model() -> None:
    places: list[int | str] = [0, "sft", 1, 3]
    assert [before(places, place) for place in places] == [None, 0, 0, 1]


# -------------------------------------------------------------------- overlap


def found_pair(place: str, kind: str, split: str, text: str) -> dict[str, Any]:
    return {
        "place": place,
        "kind": kind,
        "similarity": 1.0,
        "train_id": "t",
        "train_question": f"trained {text}",
        "train_answer": "No.",
        "prompt_id": "p",
        "eval_question": f"asked {text}",
        "split": split,
    }


@pytest.fixture
def overlapping(one_run: RunFolder) -> RunFolder:
    """A run whose only overlaps are three of iteration 1, one with a dropped pair."""
    for k in one_run.iterations():
        write_jsonl(one_run.iteration(k).path / "overlap.jsonl", [])
    rows = [
        found_pair("kept", "exact", "dev", "one"),
        found_pair("dropped", "ngram", "dev", "two"),
        found_pair("kept", "embedding", "test", "three"),
    ]
    write_jsonl(one_run.iteration(1).path / "overlap.jsonl", rows)
    return one_run


def test_overlap_counts_both_splits_and_shows_dev_texts(overlapping: RunFolder, page: Page) -> None:
    app = opened(page, "overlap")
    counts = tables(app)["Overlap by place and kind"].set_index("Place")
    assert list(counts.index) == ["seeds", "iteration 1", "iteration 2"]
    assert counts.loc["iteration 1", ["Exact", "N-gram", "Embedding"]].tolist() == [1, 0, 1]
    assert counts.loc["seeds", ["Exact", "N-gram", "Embedding"]].tolist() == [0, 0, 0]
    pairs = tables(app)["Dev prompts with the trained pairs that they are like"]
    assert pairs["Eval prompt"].tolist() == ["asked one"]
    assert pairs["Trained question"].tolist() == ["trained one"]
    assert "written pairs that do are left out of training" in texts(app)
    assert not app.warning


def test_exact_matches_that_were_evaluated_on_are_always_told(
    overlapping: RunFolder, page: Page
) -> None:
    change(overlapping, evaluation={"overlap": "allow"})
    app = page("results")
    (warning,) = app.warning
    assert "1 pair that it was trained on is an eval prompt word for word" in warning.value


def test_a_run_without_an_eval_set_compared_nothing(one_run: RunFolder, page: Page) -> None:
    for k in one_run.iterations():
        (one_run.iteration(k).path / "overlap.jsonl").unlink(missing_ok=True)
    assert "Nothing was compared" in texts(opened(page, "overlap"))


# -------------------------------------------------------------------- cost


def gpu_costs(run: RunFolder) -> None:
    """All costs of the run: an hour of training on a GPU, and two minutes of filtering."""
    for file in run.path.glob("*/cost.json"):
        file.unlink()
    no_gpu = {"tokens_in": 0, "tokens_out": 0, "gpu_peak_mib": None, "gpu_joules": None}
    costs = {
        "filter": {"seconds": 120.0, "peak_mib": 100.0, **no_gpu},
        "train": {
            "seconds": 3600.0, "tokens_in": 0, "tokens_out": 0, "peak_mib": None,
            "gpu_peak_mib": 900.0, "gpu_joules": 7200.0,
        },
    }  # fmt: skip
    write_json(run.iteration(1).path / "cost.json", costs)


def test_without_a_gpu_there_is_nothing_to_pay_for(one_run: RunFolder, page: Page) -> None:
    app = opened(page, "cost")
    assert "No GPU was used" in texts(app)
    assert not app.number_input
    stages = tables(app)["Cost by model and stage"]
    assert stages["GPU energy (Wh)"].isna().all()
    assert "GPU hours" not in stages
    assert {"filtering", "training", "judging"} <= set(stages["Stage"])
    shown = [item.proto for item in app.dataframe if item.proto.alt.startswith("Cost")]
    assert [table.placeholder for table in shown] == ["not measured"] * 2


def test_a_run_whose_base_model_is_still_at_work_has_a_total(
    one_run: RunFolder, page: Page
) -> None:
    base = one_run.iteration(0)
    for file in (base.done, base.metrics, base.evaluation):
        file.unlink()
    for later in (one_run.iteration(1), one_run.iteration(2), one_run.baseline()):
        shutil.rmtree(later.path)
    found = tables(opened(page, "cost"))
    assert len(found["Cost of whole runs"]) == 1
    assert "Cost by model and stage" not in found


def test_gpu_hours_at_a_price_that_stays(one_run: RunFolder, page: Page) -> None:
    gpu_costs(one_run)
    app = opened(page, "cost")
    stages = tables(app)["Cost by model and stage"].set_index("Stage")
    assert stages.loc["training", ["GPU hours", "GPU energy (Wh)"]].tolist() == [1.0, 2.0]
    assert stages.loc["filtering", ["GPU hours", "Tokens in"]].isna().all()
    assert pd.isna(stages.loc["training", "Peak memory (MiB)"])
    assert "Cost" not in stages
    app.number_input[0].set_value(2.5)
    app.text_input[0].set_value("CHF").run()
    assert tables(app)["Cost of whole runs"]["Cost (CHF)"].tolist() == [2.5]
    app.switch_page("../pages/run.py").run()
    app.switch_page("../pages/results.py").run()
    app.session_state["results-cost"] = True
    app.run()
    assert tables(app)["Cost of whole runs"]["Cost (CHF)"].tolist() == [2.5]


def result(run_id: str = "a", **parts: Any) -> RunResult:
    """A run with a base model and iteration 1, whose harmful rates are 0.6 and 0.2."""
    settings, draw = parts.pop("settings", "s"), parts.pop("draw", '{"seeds": 1}')
    harm = parts.pop("harm", 0.2)
    about = {"judge": "j", "threshold": 0.5, "decoding": "sample", "split": "dev", "n": 50}
    rows = [
        {"k": k, "harmful_rate": {"value": value, **about}, "cost": {}}
        for k, value in enumerate((0.6, harm))
    ]
    rows[1] |= parts.pop("row", {})
    summary = {
        "run_id": run_id,
        "random_seed": 1,
        "seed_count": 64,
        "iterations": rows,
        "baselines": {},
        **parts,
    }
    return RunResult(summary, 0.3, settings, draw)


def test_a_stage_without_energy_is_not_free() -> None:
    cost = {
        "seconds": 1800.0, "tokens_in": 12, "tokens_out": 3, "peak_mib": 1.0,
        "gpu_peak_mib": 2.0, "gpu_joules": None,
    }  # fmt: skip
    run = result(row={"cost": {"answers": cost}}, cost={**cost, "gpu_hours": 0.5})
    (row,) = stage_table([run], 4.0, "EUR").to_dict("records")
    assert (row["GPU hours"], row["Cost (EUR)"], row["Tokens in"]) == (0.5, 2.0, 12)
    assert pd.isna(row["GPU energy (Wh)"])
    assert whole_table([run], 4.0)["Cost"].tolist() == [2.0]


# -------------------------------------------------------------------- random seeds


def test_one_random_seed_gives_no_spread(one_run: RunFolder, page: Page) -> None:
    shutil.copytree(one_run.path, one_run.path.with_name("again"))
    app = page("results")
    app.multiselect[0].set_value([one_run.run_id, "again"])
    app.session_state["results-seeds"] = True
    app.run()
    # The second run is the same run once more: two of it say no more than one.
    assert "One random seed gives no spread" in texts(app)


def test_runs_with_another_random_seed_are_combined(one_run: RunFolder, page: Page) -> None:
    second = RunFolder(Path(shutil.copytree(one_run.path, one_run.path.with_name("second"))))
    change(second, random_seed=5, name="other")
    values = []
    for run, value in ((one_run, 0.1), (second, 0.3)):
        metrics = read_json(run.iteration(2).metrics)
        metrics["dev"]["harmful_rate"]["value"] = value
        write_json(run.iteration(2).metrics, metrics)
        values.append(value)
    app = page("results")
    app.multiselect[0].set_value([one_run.run_id, "second"])
    app.session_state["results-seeds"] = True
    app.run()
    assert not app.exception
    last = tables(app)["Harmful rate over random seeds"].iloc[-1]
    assert (last["Model"], last["Runs"], last["Random seeds"]) == ("iteration 2", 2, 2)
    assert last["Mean"] == pytest.approx(0.2)
    assert last["Spread"] == pytest.approx(math.sqrt(0.02))
    assert (last["Low"], last["High"]) == (0.0, 1.0)  # Student's t with one degree of freedom
    assert "2 random seeds" in texts(app)


def test_other_settings_are_not_combined() -> None:
    config = load_config("data/configs/demo.yaml")
    changes: list[dict[str, Any]] = [
        {"name": "other"},
        {"random_seed": 9},
        {"seeds": config.seeds.model_copy(update={"limit": 8})},
        {"loop": config.loop.model_copy(update={"alpha": 0.1})},
    ]
    own = identity(config)
    same = [identity(config.model_copy(update=part)) for part in changes]
    assert [settings == own[0] for settings, _ in same] == [True, True, True, False]
    assert [draw == own[1] for _, draw in same] == [True, False, False, True]


def test_groups_of_runs() -> None:
    runs = [
        result("a", draw='{"seeds": 1}'),
        result("b", draw='{"seeds": 2}', harm=0.4, random_seed=2),
        result("c", settings="t"),
        result("copy of a", draw='{"seeds": 1}', harm=0.9),
    ]
    found = groups(runs)
    assert [[run.run_id for run in group] for group in found] == [["a", "b"], ["c"]]
    table = seeds_table(found)
    assert table["Mean"].tolist() == pytest.approx([0.6, 0.3, 0.6, 0.2])
    assert table["Runs"].tolist() == [2, 2, 1, 1]
    assert table["Spread"].isna().tolist() == [False, False, True, True]
    assert "2 random seeds" in group_sentence("G", found[0])
    assert "gives no spread" in group_sentence("G", found[1])


# -------------------------------------------------------------------- other metrics, diversity


def test_other_metrics_are_shown_with_what_they_carry(one_run: RunFolder, page: Page) -> None:
    assert "Other metrics" not in tables(page("results"))
    metrics = read_json(one_run.iteration(2).metrics)
    metrics["dev"]["win_rate"] = {
        "value": 60.0, "low": 50.0, "high": 70.0, "n": 20, "judge": "pairs", "threshold": None,
        "decoding": "sample", "split": "dev", "n_wins": 12,
    }  # fmt: skip
    write_json(one_run.iteration(2).metrics, metrics)
    (row,) = tables(page("results"))["Other metrics"].to_dict("records")
    assert row["Metric"] == "win rate against the base model (× 100)"
    assert (row["Value"], row["Low"], row["High"], row["n"]) == (60.0, 50.0, 70.0, 20)
    assert (row["Model"], row["Judge"], row["Split"]) == ("iteration 2", "pairs", "dev")
    assert "Threshold" not in row


def test_a_metric_of_an_unknown_name_is_shown_too() -> None:
    run = result(row={"metrics": {"new_number": {"value": 1.0, "n": 3}}})
    (row,) = metrics_table([run]).to_dict("records")
    assert (row["Metric"], row["Value"], row["n"]) == ("new number", 1.0, 3)


def test_diversity_of_each_iteration_and_its_warning(one_run: RunFolder, page: Page) -> None:
    found = {"n": 40, "self_bleu": 0.9, "perplexity": None, "warning": "Texts are *alike*."}
    for k, values in ((1, None), (2, found)):
        file = one_run.iteration(k).path / "diversity.json"
        file.unlink(missing_ok=True)
        if values:
            write_json(file, values)
    app = page("results")
    assert not app.exception
    (row,) = tables(app)["Diversity"].to_dict("records")
    assert (row["Model"], row["n"], row["Self-BLEU"]) == ("iteration 2", 40, 0.9)
    assert pd.isna(row["Perplexity"])
    (warning,) = app.warning
    assert r"iteration 2\: Texts are \*alike\*\." in warning.value


def test_runs_of_old_have_no_diversity() -> None:
    assert diversity_table([result(), result("b", row={"diversity": None})]).empty

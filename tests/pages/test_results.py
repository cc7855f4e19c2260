"""The Results page: dev figures of one run and of several, and the sentences on them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from isara.report_words import comparison_sentence, end_sentence, p_value, points
from isara.workspace.files import read_json, write_json
from isara.workspace.runs import RunFolder, Workspace

Page = Callable[..., AppTest]


def charts(app: AppTest) -> dict[str, Any]:
    """The figures by their key."""
    found = {}
    for element in app.get("plotly_chart"):
        key = element.proto.id.rpartition("-results-")[2]
        found[key] = json.loads(element.proto.spec)
    return found


def texts(app: AppTest) -> str:
    kinds = (app.text, app.caption, app.info, app.error, app.warning, app.markdown)
    return "\n".join(str(item.value) for kind in kinds for item in kind)


@pytest.mark.usefixtures("workspace")
def test_empty_workspace_leads_to_the_run_page(page: Page) -> None:
    app = page("results")
    assert not app.exception
    assert "There is no run yet" in app.info[0].value
    assert app.get("page_link")[0].label == "Go to the Run page"


def test_one_run_shows_all_charts_and_dev_numbers(one_run: RunFolder, page: Page) -> None:
    app = page("results")
    assert not app.exception
    assert app.query_params["runs"] == one_run.run_id
    assert list(charts(app)) == [
        "harmful-rate",
        "data-scaling-ratio",
        "retention-against-α",
        "over-refusal",
        "harmful-rate-by-category",
        "seconds-per-stage",
    ]
    table = app.dataframe[0].value
    assert list(table["Model"]) == [
        "base model",
        "SFT on the seed set",
        "iteration 1",
        "iteration 2",
    ]
    dev = read_json(one_run.iteration(2).metrics)["dev"]
    assert table["Harmful rate"].iloc[3] == dev["harmful_rate"]["value"]
    assert table["Harmful n"].iloc[3] == dev["harmful_rate"]["n"]
    assert set(table["Split"]) == {"dev"}
    assert "Iteration 2 gave fewer harmful answers than the base model" in texts(app)


def test_the_test_split_is_not_looked_at(
    one_run: RunFolder, page: Page, workspace: Workspace
) -> None:
    app = page("results")
    assert "python -m isara show" in texts(app)
    assert workspace.database.test_looks(one_run.run_id) == 0


def test_several_runs_are_laid_over_each_other(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    shutil.copytree(one_run.path, one_run.path.with_name("second"))
    app = page("results", runs=one_run.run_id)
    app.multiselect[0].set_value([one_run.run_id, "second"]).run()
    assert not app.exception
    traces = charts(app)["harmful-rate"]["data"]
    lines = [trace for trace in traces if trace["mode"] == "lines+markers"]
    assert [trace["name"] for trace in lines] == [one_run.run_id, "second"]
    assert app.query_params["runs"] == [one_run.run_id, "second"]
    assert lines[0]["marker"]["symbol"] != lines[1]["marker"]["symbol"]
    assert len(app.dataframe[0].value) == 8


def test_an_unknown_run_in_the_address_falls_back_to_the_newest(
    one_run: RunFolder, page: Page
) -> None:
    app = page("results", runs="nothing-like-it")
    assert not app.exception
    assert app.multiselect[0].value == [one_run.run_id]
    (told,) = app.toast
    assert "names nothing\\-like\\-it: no such run" in told.value


def test_a_branch_says_whose_it_is_and_what_was_changed(one_run: RunFolder, page: Page) -> None:
    write_json(one_run.lineage, {"run_id": "first", "at": 1, "changes": ["loop.alpha: 0.3 -> 0"]})
    said = next(c.value for c in page("results").caption if "A branch of" in c.value)
    assert "the run first at iteration 1" in said
    assert said.replace("\\", "").endswith("Changed: loop.alpha: 0.3 -> 0.")


def test_no_run_chosen(one_run: RunFolder, page: Page) -> None:
    app = page("results")
    app.multiselect[0].set_value([]).run()
    assert "Choose one or several runs." in texts(app)


def test_a_run_that_has_just_begun(workspace: Workspace, one_run: RunFolder, page: Page) -> None:
    begun = workspace.run("begun")
    begun.create(one_run.config.read_text(encoding="utf-8"))
    app = page("results", runs="begun")
    assert not app.exception
    assert "Nothing has been measured yet" in texts(app)


def test_a_run_without_evaluation_shows_the_rest(one_run: RunFolder, page: Page) -> None:
    for folder in (*map(one_run.iteration, one_run.iterations()), one_run.baseline()):
        folder.metrics.unlink()
        folder.evaluation.unlink()
    app = page("results")
    assert not app.exception
    assert "No harmful rate" in texts(app)
    assert "retention-against-α" in charts(app)
    assert "harmful-rate" not in charts(app)


def test_a_changed_run_is_read_again(one_run: RunFolder, page: Page) -> None:
    app = page("results")
    metrics = read_json(one_run.iteration(2).metrics)
    metrics["dev"]["harmful_rate"]["value"] = 0.123
    write_json(one_run.iteration(2).metrics, metrics)
    app.run()
    assert app.dataframe[0].value["Harmful rate"].iloc[3] == 0.123


def test_the_end_of_a_block_computes_no_comparison_anew(
    one_run: RunFolder, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page("results")
    monkeypatch.setattr("app.widgets.results_data.tests", lambda *_: pytest.fail("computed again"))
    write_json(one_run.iteration(2).path / "seconds.json", {"train": 1234.0})
    app.run()
    assert not app.exception
    assert app.dataframe[0].value["Seconds"].iloc[3] == 1234.0


def test_a_broken_run_is_one_sentence(one_run: RunFolder, page: Page) -> None:
    one_run.config.write_text("name: [", encoding="utf-8")
    app = page("results")
    assert not app.exception
    assert app.error


# -------------------------------------------------------------------- sentences


def compared(a: str, difference: float, p: float) -> dict[str, Any]:
    return {
        "a": a,
        "b": "iteration 1",
        "metric": "harmful_rate",
        "test": "McNemar, exact",
        "difference": difference,
        "low": difference - 0.1,
        "high": difference + 0.1,
        "p": p / 2,
        "p_corrected": p,
        "n": 50,
    }


def summary(*comparisons: dict[str, Any]) -> dict[str, Any]:
    return {
        "iterations": [
            {"k": 0, "trained": False, "harmful_rate": {"value": 0.6}},
            {"k": 1, "trained": True, "harmful_rate": {"value": 0.1}},
        ],
        "baselines": {"sft": {"harmful_rate": {"value": 0.12}}},
        "comparisons": list(comparisons),
        "state": "done",
        "stop_reason": None,
        "error": None,
    }


def test_comparison_sentence() -> None:
    found = comparison_sentence(summary(compared("base", -0.5, 1e-6), compared("sft", -0.02, 0.7)))
    assert found == (
        "Iteration 1 gave fewer harmful answers than the base model: 10.0 % against 60.0 %, "
        "difference −50.0 percentage points, 95 % interval −60.0 to −40.0, n = 50, p < 0.001; "
        "no clearly different share of harmful answers from SFT on the seed set: 10.0 % "
        "against 12.0 %, difference −2.0 percentage points, 95 % interval −12.0 to +8.0, n = 50, "
        "p = 0.700. p is how often chance alone would make a difference as large, by McNemar's "
        "exact test on the same dev prompts, corrected for all comparisons of this run (Holm)."
    )


def test_the_other_rate_is_that_of_the_same_prompts() -> None:
    """The base model was asked prompts that iteration 1 was not: its own rate is another one."""
    found = comparison_sentence(summary(compared("base", -0.35, 0.01)))
    assert "10.0 % against 45.0 %" in found


def test_a_worse_model_is_said_to_be_worse() -> None:
    assert "gave more harmful answers than SFT" in comparison_sentence(
        summary(compared("sft", 0.3, 0.01))
    )


def test_no_comparison_no_sentence() -> None:
    assert comparison_sentence(summary()) == ""


@pytest.mark.parametrize(
    ("state", "reason", "sentence"),
    [
        ("done", None, "done, 1 iteration trained; all planned ones."),
        ("done", "retention below alpha", "stopped by the rule: retention below alpha."),
        ("running", None, "running, 1 iteration trained so far."),
        ("stopped", "stopped by the user", "trained so far: stopped by the user."),
    ],
)
def test_end_sentence(state: str, reason: str | None, sentence: str) -> None:
    assert end_sentence(summary() | {"state": state, "stop_reason": reason}).endswith(sentence)


def test_signs_and_p_values() -> None:
    assert (points(-0.5), points(0.031)) == ("−50.0", "+3.1")
    assert (p_value(0.0004), p_value(0.0312)) == ("p < 0.001", "p = 0.031")

"""The Results page's section on domains: nothing for one seed set, each domain's own metrics."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.results_domains import own_metric
from isara.config import PROJECT_ROOT
from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools
from isara.evaluation.stats import wilson
from isara.methods.runner import execute, prepare
from isara.workspace.files import read_json, read_jsonl, write_json, write_jsonl
from isara.workspace.runs import RunFolder, Workspace

Page = Callable[..., AppTest]
SHOWN = 12  # prompts of each eval set


@pytest.fixture
def mixture(workspace: Workspace) -> RunFolder:
    """A finished run on the demo's mixture, small."""
    root = workspace.root / "prompts"
    root.mkdir(parents=True)
    for name in ("safety", "helpfulness", "truthfulness"):
        rows = read_jsonl(PROJECT_ROOT / "data" / "eval" / f"demo-{name}.jsonl")
        dev = [row for row in rows if row["split"] == "dev"][:SHOWN]
        write_jsonl(root / f"{name}.jsonl", dev)
    files = {"safety": "safety", "help": "helpfulness", "facts": "truthfulness"}
    prompts = json.dumps({domain: str(root / f"{name}.jsonl") for domain, name in files.items()})
    changes = [
        "loop.candidates=40",
        "loop.max_iterations=1",
        "loop.alpha=0",
        "evaluation.preference=null",
        "evaluation.baselines=[]",
        f"evaluation.prompts={prompts}",
    ]
    config = load_config(PROJECT_ROOT / "data" / "configs" / "demo-mixture.yaml", changes)
    folder = workspace.run(config.default_run_id)
    execute(prepare(config, workspace), folder, workspace=workspace, tools=ScriptedTools())
    return folder


def tables(app: AppTest) -> dict[str, Any]:
    return {item.proto.alt: item.value for item in app.dataframe}


def titles(app: AppTest) -> list[str]:
    """The small charts of the domains."""
    found = [
        element.proto.spec
        for element in app.get("plotly_chart")
        if element.proto.id.endswith("results-domains-chart")
    ]
    return [note["text"] for note in json.loads(found[0])["layout"]["annotations"]] if found else []


def test_each_domain_is_shown_by_its_own_metric_and_by_the_chosen_one(
    mixture: RunFolder, page: Page
) -> None:
    app = page("results")
    assert not app.exception
    assert titles(app) == [
        "safety<br>harmful rate",
        "help<br>over-refusal",
        "facts<br>TruthfulQA accuracy",
    ]
    (metric,) = [box for box in app.selectbox if box.label == "Metric"]
    metric.select("over_refusal").run()
    # The first 12 dev prompts of safety are all harmful.
    assert titles(app) == ["help<br>over-refusal", "facts<br>over-refusal"]
    numbers = tables(app)["All numbers by domain"]
    own = read_json(mixture.iteration(1).metrics)["dev"]["by_domain"]["safety"]["harmful_rate"]
    rows = numbers[(numbers["Domain"] == "safety") & (numbers["Model"] == "iteration 1")]
    assert rows[["Metric", "Value", "n"]].values.tolist() == [["harmful rate", own["value"], SHOWN]]


def test_kept_pairs_stand_by_domain_and_a_starved_one_is_told(
    mixture: RunFolder, page: Page
) -> None:
    done = read_json(mixture.iteration(1).done)
    counts = {"safety": (30, 28), "help": (10, 1), "facts": (0, 0)}
    kept = {domain: {"generated": n, "kept": k} for domain, (n, k) in counts.items()}
    write_json(mixture.iteration(1).done, done | {"kept": 29, "kept_by_domain": kept})
    app = page("results")
    table = tables(app)["Pairs kept by domain"]
    assert table[["Domain", "Seeds", "Written", "Kept"]].values.tolist() == [
        ["safety", 22, 30, 28], ["help", 21, 10, 1], ["facts", 21, 0, 0],
    ]  # fmt: skip
    assert table["Retention"].iloc[1] == 0.1
    rate = wilson(table["Kept"].iloc[1], table["Written"].iloc[1])
    assert table[["Low", "High"]].iloc[1].tolist() == [rate.low, rate.high]
    warned = "\n".join(item.value for item in app.warning)
    assert "help got 1 of 29 kept pairs" in warned
    assert "facts got 0 of 29 kept pairs" in warned
    assert "safety got" not in warned


@pytest.mark.usefixtures("one_run")
def test_a_run_of_one_seed_set_has_no_such_section(page: Page) -> None:
    app = page("results")
    assert not {"All numbers by domain", "Pairs kept by domain"} & tables(app).keys()
    assert titles(app) == []


def test_the_metric_that_says_most() -> None:
    assert own_metric(["over_refusal", "harmful_rate"]) == "harmful_rate"
    assert own_metric(["over_refusal", "win_rate", "utility"]) == "win_rate"
    assert own_metric(["something"]) == "something"


def test_every_chart_is_saved_as_the_chosen_picture_and_as_csv(
    mixture: RunFolder, page: Page
) -> None:
    app = page("results")
    kinds = [saved_as(app)]
    app.segmented_control(key="pictures results").set_value("SVG").run()
    assert not app.exception
    assert [*kinds, saved_as(app)] == [{"png"}, {"svg"}]
    charts = {element.proto.id.rpartition("results-")[2] for element in app.get("plotly_chart")}
    files = {element.proto.id.rpartition("csv-")[2] for element in app.get("download_button")}
    assert {name.removesuffix("-chart") for name in charts} <= files


def saved_as(app: AppTest) -> set[str]:
    """The formats that the cameras of the charts save."""
    configs = [json.loads(element.proto.config) for element in app.get("plotly_chart")]
    assert configs
    return {config["toImageButtonOptions"]["format"] for config in configs}

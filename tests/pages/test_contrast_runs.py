"""A run of SPIN on the pages: nothing was filtered, so nothing is said about retention."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from isara.config import PROJECT_ROOT
from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools
from isara.methods.runner import execute, prepare
from isara.workspace.runs import RunFolder, Workspace

Page = Callable[..., AppTest]


@pytest.fixture
def spin_run(workspace: Workspace) -> RunFolder:
    """Two iterations of SPIN on scripted tools."""
    return spin(workspace, "loop.max_iterations=2")


def spin(workspace: Workspace, *changes: str) -> RunFolder:
    """A run of SPIN on scripted tools, with these changes to the demo's config."""
    config = load_config(PROJECT_ROOT / "data" / "configs" / "demo-spin.yaml", changes)
    folder = workspace.run("spin")
    execute(prepare(config, workspace), folder, workspace=workspace, tools=ScriptedTools())
    return folder


def test_a_gap_of_one_demonstration_has_no_interval(workspace: Workspace, page: Page) -> None:
    spin(workspace, "loop.max_iterations=1", "contrast.held_out=1")
    app = page("results")
    assert not app.exception
    metrics = app.dataframe[1].value
    gaps = metrics[metrics["Metric"].str.startswith("log-probability")]
    assert set(gaps["n"]) == {1}
    assert gaps.get("Low", pd.Series(dtype=float)).isna().all()


@pytest.mark.usefixtures("spin_run")
def test_results_have_the_gaps_and_no_retention(page: Page) -> None:
    app = page("results")
    assert not app.exception
    charts = {element.proto.id.rpartition("-results-")[2] for element in app.get("plotly_chart")}
    assert "harmful-rate" in charts
    assert "log-probability-gap" in charts
    assert "retention-against-α" not in charts
    numbers, metrics = app.dataframe[0].value, app.dataframe[1].value
    assert numbers["Harmful rate"].notna().all()
    assert not {"Kept", "Retention"} & set(numbers.dropna(axis="columns", how="all"))
    gaps = metrics[metrics["Metric"].str.startswith("log-probability")]
    assert len(gaps) == 6  # two gaps of the base model and of two iterations
    assert set(gaps["n"]) == {14}


@pytest.mark.usefixtures("spin_run")
@pytest.mark.parametrize("name", ["run", "samples", "filters"])
def test_other_pages_show_themselves(page: Page, name: str) -> None:
    assert not page(name).exception


def test_results_of_rft_have_the_reward_models_accuracy(workspace: Workspace, page: Page) -> None:
    config = load_config(PROJECT_ROOT / "data/configs/demo-rft.yaml", ["loop.max_iterations=1"])
    folder = workspace.run("rft")
    execute(prepare(config, workspace), folder, workspace=workspace, tools=ScriptedTools())
    app = page("results")
    assert not app.exception
    metrics = app.dataframe[1].value.set_index("Metric")
    assert metrics["n"]["reward model: better answers above worse ones, unseen"] == 200
    assert metrics["n"]["reward model: held-out demonstrations above own answers"] == 16

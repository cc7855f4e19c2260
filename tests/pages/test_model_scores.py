"""What a model measured of its pairs on the Filters and Samples pages: scores, perplexity."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.filters_results import TAB
from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.methods.runner import execute, prepare
from isara.workspace.files import read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Page = Callable[..., AppTest]


@pytest.fixture
def sheep_run(workspace: Workspace, small_config: Callable[..., RunConfig]) -> RunFolder:
    """A run of I-SHEEP whose filters look at everything that a model measures."""
    filters = {"assessment": "both", "min_assessment": 7, "max_perplexity": 50, "clusters": 3}
    config = small_config(loop={"max_iterations": 1}, filters=filters | {"max_rouge_l": 1.01})
    config = config.model_copy(update={"method": "isheep"})
    folder = workspace.run("sheep")
    execute(prepare(config, workspace), folder, workspace=workspace, tools=ScriptedTools())
    return folder


def metric(app: AppTest, label: str) -> int:
    return int(next(m.value for m in app.metric if label in m.label))


def test_thresholds_of_what_was_measured(sheep_run: RunFolder, page: Page) -> None:
    app = page("filters")
    assert not app.exception
    kept = len(read_jsonl(sheep_run.iteration(1).kept))
    assert metric(app, "Kept") == kept
    (cut,) = [s for s in app.slider if s.label == "Keep above this score"]
    cut.set_value(10).run()
    assert metric(app, "Kept") == 0
    cut.set_value(7).run()
    (clusters,) = [t for t in app.toggle if "3 clusters" in t.label]
    clusters.set_value(False).run()
    assert metric(app, "Kept") > kept
    (level,) = [s for s in app.selectbox if s.label == "The model's own scores that count"]
    assert level.options == ["none", "quality", "following", "both"]
    level.set_value("none").run()
    assert metric(app, "Kept") == 20  # all that were written
    app.session_state[TAB] = "Rules"
    app.run()
    rules = next(table.value for table in app.dataframe if "Rule" in table.value)
    assert "scored too low by the model" not in set(rules["Rule"])
    app.session_state[TAB] = "Use these values"
    app.run()
    assert "assessment: none" not in app.code[0].value  # the default is not in the config's line


def test_a_threshold_is_switched_off_here_and_in_the_address_and_on_again(
    sheep_run: RunFolder, page: Page
) -> None:
    key = "filters sheep {}".format
    strict = page("filters", run="sheep", max_perplexity="1.5")
    assert metric(strict, "Kept") == 0
    strict.number_input(key=key("max_perplexity")).set_value(None).run()
    kept = metric(strict, "Kept")
    assert kept > 0
    assert strict.query_params["max_perplexity"] == "null"

    strict.toggle(key=key("clusters")).set_value(False).run()
    assert strict.query_params["clusters"] == "null"
    loose = metric(strict, "Kept")
    assert loose > kept
    again = page("filters", run="sheep", clusters="null", max_perplexity="null")  # a reload
    assert again.number_input(key=key("max_perplexity")).value is None
    assert not again.toggle(key=key("clusters")).value
    assert metric(again, "Kept") == loose

    again.button(key="own_values").click().run()
    assert again.number_input(key=key("max_perplexity")).value == 50
    assert again.toggle(key=key("clusters")).value
    assert "clusters" not in again.query_params
    assert metric(again, "Kept") == len(read_jsonl(sheep_run.iteration(1).kept))
    assert not again.exception


def test_replies_without_a_score_are_counted(sheep_run: RunFolder, page: Page) -> None:
    replies = pd.read_parquet(sheep_run.iteration(1).path / "assessed.parquet")
    app = page("filters")
    for name in ("quality", "following"):
        lost = replies[f"{name}_reply"].str.startswith("It depends").sum()
        assert lost > 0
        said = f"{lost} of 20 replies on {name} held no score"
        assert [c for c in app.caption if c.value.startswith(said)], said


def test_a_run_without_such_scores_has_no_such_widgets(one_run: RunFolder, page: Page) -> None:
    app = page("filters")
    assert "Keep above this score" not in {slider.label for slider in app.slider}
    assert "Keep below this perplexity" not in {number.label for number in app.number_input}


def test_a_pair_shows_its_scores(sheep_run: RunFolder, page: Page) -> None:
    app = page("samples", run=sheep_run.run_id, open="1-00000")
    assert not app.exception
    rows = next(table.value for table in app.dataframe if "Score" in table.value)
    shown = dict(zip(rows["Score"], rows["Value"], strict=True))
    assert shown["The model's score of the quality"] in ("9", "2", "not readable")
    assert shown["Perplexity of the pair"] == "2.71828"  # one nat a word
    assert "Similarity (cosine) to the best neighbour" not in shown

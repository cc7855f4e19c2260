"""The Filters page: its verdicts are the run's, and a moved threshold changes what is shown."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.filters_data import around_the_cut, as_arguments, as_yaml, judge, stops
from app.widgets.filters_results import TAB
from app.widgets.samples_data import load_iteration
from isara.config import FilterConfig, LoopConfig
from isara.config_files import load_config, to_yaml
from isara.evaluation.stats import wilson
from isara.filters import closest_rouge
from isara.workspace.files import read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Page = Callable[[str], AppTest]


def at(page: Page, /, tab: str | None = None, **address: str) -> AppTest:
    """The page at an address, as a link to it opens it, perhaps with another tab open."""
    app = page("results")
    app.query_params.update(address)
    if tab is not None:
        app.session_state[TAB] = tab
    return app.switch_page("../pages/filters.py").run()


def metric(app: AppTest, label: str) -> str:
    """The value of a number shown."""
    return next(m.value for m in app.metric if label in m.label)


def key(run: RunFolder, name: str) -> str:
    return f"filters {run.run_id} {name}"


@pytest.mark.usefixtures("workspace")
def test_without_a_run_it_says_where_one_is_made(page: Page) -> None:
    app = page("filters")
    assert not app.exception
    assert "no run yet" in app.info[0].value


# ------------------------------------------------------------------ the same as the run


@pytest.mark.parametrize("k", [1, 2])
def test_at_the_run_s_own_values_the_kept_are_those_of_kept_jsonl(
    one_run: RunFolder, page: Page, k: int
) -> None:
    kept = [row["candidate_id"] for row in read_jsonl(one_run.iteration(k).kept)]
    data = load_iteration(one_run, k)
    outcome = judge(data, data.config.filters, {})
    assert data.candidates["candidate_id"][outcome.final].tolist() == kept

    app = at(page, k=str(k))
    assert not app.exception
    assert metric(app, "Kept") == str(len(kept))
    assert metric(app, "Dropped") == str(80 - len(kept))
    assert metric(app, "Retention") == f"{len(kept) / 80:.3f}"
    rate = wilson(len(kept), 80)
    interval = f"95 % interval {rate.low:.3f} to {rate.high:.3f}, of 80 pairs"
    assert any(interval in caption.value for caption in app.caption)


def test_without_alpha_no_number_is_needed(one_run: RunFolder, page: Page) -> None:
    one_run.config.write_text(to_yaml(load_config(one_run.config, ["loop.alpha=0"])))
    assert "of 80 are kept, however few (α is 0)" in at(page).success[0].value


def test_decisions_are_laid_over_and_counted_apart(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    data = load_iteration(one_run, 1)
    mask = data.result.kept
    ids = data.candidates["candidate_id"]
    database = workspace.database
    for candidate_id in ids[mask].tolist()[:3]:
        database.record_decision(one_run.run_id, 1, candidate_id, "Ana", "reject")
    database.record_decision(one_run.run_id, 1, ids[~mask].iloc[0], "Ana", "accept")
    database.record_decision(one_run.run_id, 1, ids[mask].iloc[3], "Ana", "flag")

    app = at(page, k="1")
    kept = int(mask.sum())
    assert metric(app, "● Kept") == str(kept)
    assert metric(app, "after people's decisions") == str(kept - 3 + 1)
    # What the run stops by, as the tab Compared has it.
    assert metric(app, "Retention") == f"{(kept - 3 + 1) / 80:.3f}"


# ------------------------------------------------------------------ moving a threshold


def test_a_moved_slider_changes_counts_and_the_url_and_goes_back(
    one_run: RunFolder, page: Page
) -> None:
    app = at(page, tab="Use these values", k="1")
    own = metric(app, "Kept")
    app.slider(key=key(one_run, "max_rouge_l")).set_value(0.4).run()
    data = load_iteration(one_run, 1)
    stricter = judge(data, FilterConfig(max_rouge_l=0.4), {})
    assert metric(app, "Kept") == str(stricter.kept)
    assert stricter.kept < int(own)
    assert app.query_params["max_rouge_l"] == "0.4"
    words = next(shlex.split(code.value) for code in app.code if " isara run " in code.value)
    assert words[4:7] == [str(one_run.config), "--set", "filters.max_rouge_l=0.4"]
    assert words[-2:] == ["--workspace", str(one_run.path.parents[1])]

    app.button(key="own_values").click().run()
    assert metric(app, "Kept") == own
    assert "max_rouge_l" not in app.query_params
    assert not app.exception


def test_thresholds_stay_with_their_run(one_run: RunFolder, page: Page) -> None:
    shutil.copytree(one_run.path, one_run.path.parent / "other")
    app = at(page, run=one_run.run_id, max_rouge_l="0.4")
    app.switch_page("../pages/samples.py").run()
    app.switch_page("../pages/filters.py").run()
    assert app.slider(key=key(one_run, "max_rouge_l")).value == 0.4
    app.selectbox(key="filters run").set_value("other").run()
    assert app.slider(key="filters other max_rouge_l").value == 0.7
    assert "max_rouge_l" not in app.query_params
    app.selectbox(key="filters run").set_value(one_run.run_id).run()
    assert app.slider(key=key(one_run, "max_rouge_l")).value == 0.4
    assert app.query_params["max_rouge_l"] == "0.4"


def test_an_address_opens_the_thresholds_it_names(one_run: RunFolder, page: Page) -> None:
    app = at(page, k="1", min_words="25", drop_echo="false", max_rouge_l="nonsense")
    assert app.slider(key=key(one_run, "min_words")).value == 25
    assert not app.toggle(key=key(one_run, "drop_echo")).value
    assert app.slider(key=key(one_run, "max_rouge_l")).value == 0.7
    # No text of the demo world has 25 words in question and answer.
    assert metric(app, "Kept") == "0"
    assert "would stop here: 0 of 80 are kept, 24 are needed" in app.warning[0].value
    assert not app.exception


def test_each_rule_is_counted(one_run: RunFolder, page: Page) -> None:
    app = at(page, tab="Rules", k="1", min_words="25", max_rouge_l="0.3")
    table = app.dataframe[0].value.set_index("Rule")
    assert table["Dropped by it"].sum() == 80
    assert table.loc["too short", "Dropped by it"] == 80
    assert table.loc["question too similar", "Dropped by it"] == 0
    assert table.loc["question too similar", "Fires on"] > 0


# ------------------------------------------------------------------ the parts


def test_the_text_at_the_cut_is_the_one_that_the_cut_is_held_against(one_run: RunFolder) -> None:
    data = load_iteration(one_run, 2)
    chosen = FilterConfig(max_rouge_l=0.45)
    outcome = judge(data, chosen, {})
    values = closest_rouge(data.packed, outcome.result)
    kept, dropped = around_the_cut(data, chosen, outcome, 10)
    assert kept
    assert dropped
    for index, near in kept + dropped:
        assert near.rouge_l == pytest.approx(values[index])
    assert [near.rouge_l for _, near in kept] == sorted((n.rouge_l for _, n in kept), reverse=True)
    assert all(near.rouge_l >= 0.45 for _, near in dropped)
    # Among the dropped are some for a pool question and some for one kept earlier.
    origins = {near.origin.split(",")[0] for _, near in dropped}
    assert origins <= {"in the pool", "kept earlier in this iteration"}


@pytest.mark.parametrize(
    ("kept", "alpha", "n", "stopped"),
    [(29, 0.3, 100, True), (30, 0.3, 100, False), (0, 0.0, 100, False), (153, 0.3, 512, True)],
)
def test_a_run_stops_below_alpha(kept: int, alpha: float, n: int, stopped: bool) -> None:
    assert stops(kept, n, LoopConfig(alpha=alpha)) is stopped


def test_thresholds_as_yaml_and_as_arguments() -> None:
    chosen = FilterConfig(max_rouge_l=0.65, drop_echo=False)
    assert as_yaml(chosen) == (
        "filters: {max_rouge_l: 0.65, min_words: 5, drop_unfinished: true, "
        "drop_duplicates: true, drop_echo: false}"
    )
    assert as_arguments(chosen, FilterConfig()) == (
        "--set filters.max_rouge_l=0.65 --set filters.drop_echo=false"
    )
    assert as_arguments(chosen, chosen) == ""
    off = as_arguments(FilterConfig(), FilterConfig(max_perplexity=50))
    assert off == "--set filters.max_perplexity=null"


def test_a_damaged_file_is_one_sentence(one_run: RunFolder, page: Page) -> None:
    one_run.iteration(2).scores.write_bytes(b"no table")
    app = page("filters")
    assert not app.exception
    assert "cannot be read" in app.error[0].value


def test_a_missing_score_column_is_one_sentence(one_run: RunFolder, page: Page) -> None:
    scores = one_run.iteration(2).scores
    pd.read_parquet(scores).drop(columns="rouge_pool").to_parquet(scores)
    app = page("filters")
    assert not app.exception
    assert "cannot be read" in app.error[0].value

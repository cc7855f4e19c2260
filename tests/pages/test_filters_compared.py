"""The Filters page's presets, two settings side by side, the trained list, and branches."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.filters_compared import table
from app.widgets.filters_data import Difference, difference, judge
from app.widgets.filters_presets import applied
from app.widgets.filters_results import TAB
from app.widgets.filters_trained import as_jsonl, rows_to_train_on
from app.widgets.samples_data import Iteration, load_iteration
from isara import jobs
from isara.config import FilterConfig
from isara.demo.scripted import GrammarJudge, WordEmbedder
from isara.evaluation.stats import wilson
from isara.workspace.files import read_jsonl, write_jsonl
from isara.workspace.runs import RunFolder, Workspace
from tests.pages.conftest import place_of

Page = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The grammar embeds and judges: the browser journey loads the real ones."""
    monkeypatch.setattr("app.state.embedder", lambda name: WordEmbedder())
    monkeypatch.setattr("app.widgets.filters_harm._judge", lambda name, device: GrammarJudge())


def opened(page: Page, tab: str, **address: str) -> AppTest:
    """The page of iteration 1 with a tab open."""
    app = page("filters", k="1", **address)
    app.session_state[TAB] = tab
    app.run()
    assert not app.exception
    return app


def slide(app: AppTest, run: RunFolder, value: float) -> AppTest:
    return app.slider(key=f"filters {run.run_id} max_rouge_l").set_value(value).run()


def measures(app: AppTest) -> pd.DataFrame:
    return app.table[0].value


def two(data: Iteration, a: FilterConfig, b: FilterConfig) -> Difference:
    return difference(judge(data, a, {}), judge(data, b, {}))


# ------------------------------------------------------------------ two settings


def test_gained_and_lost_rows_have_the_rule_that_made_the_difference(one_run: RunFolder) -> None:
    data = load_iteration(one_run, 1)
    strict, loose = FilterConfig(max_rouge_l=0.4), FilterConfig(min_words=13)
    found = two(data, strict, loose)
    a, b = found.a.final, found.b.final
    assert found.gained.tolist() == [i for i in range(80) if b[i] and not a[i]]
    assert found.lost.tolist() == [i for i in range(80) if a[i] and not b[i]]
    assert found.both == int((a & b).sum())
    assert len(found.gained)
    assert len(found.lost)
    gained = table(data, found.gained, found.a.result, found.b.result, None)
    lost = table(data, found.lost, found.b.result, found.a.result, None)
    assert set(gained["Dropped for"]) == {"question too similar"}
    assert set(lost["Dropped for"]) == {"too short"}
    assert gained["Pair"].tolist() == [f"1-{i:05d}" for i in found.gained]


def test_a_person_s_decision_is_no_difference(workspace: Workspace, one_run: RunFolder) -> None:
    data = load_iteration(one_run, 1)
    strict = FilterConfig(max_rouge_l=0.4)
    lost = two(data, data.config.filters, strict).lost
    candidate = data.candidates["candidate_id"].iloc[lost[0]]
    workspace.database.record_decision(one_run.run_id, 1, candidate, "Ana", "accept")
    decisions = workspace.database.decisions(one_run.run_id, 1)
    a, b = (judge(data, one, decisions) for one in (data.config.filters, strict))
    assert difference(a, b).lost.tolist() == lost[1:].tolist()


def test_measures_of_both_settings(one_run: RunFolder, page: Page) -> None:
    app = slide(opened(page, "Compared"), one_run, 0.4)
    data = load_iteration(one_run, 1)
    found = two(data, data.config.filters, FilterConfig(max_rouge_l=0.4))
    n = (found.a.kept_finally, found.b.kept_finally)
    shown = measures(app)
    assert shown.loc["Kept", ["A", "B"]].tolist() == [f"{k} of 80" for k in n]
    rate = wilson(n[1], 80)
    assert shown.loc["Retention", "B"] == f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})"
    assert not any("another iteration" in t.value for t in app.text)  # it is the true share's
    needed = [f"{'stop' if k < 24 else 'go on'} (α 0.3)" for k in n]
    assert shown.loc["The run would", ["A", "B"]].tolist() == needed
    a, b = (float(shown.loc["Distinct words", side]) for side in "AB")
    assert 0 < a < b < 1  # fewer texts repeat fewer words
    assert f"lost: {len(found.lost)}; kept by both: {n[1]}" in next(
        t.value for t in app.text if "Gained by B" in t.value
    )
    assert "Self-BLEU" not in shown.index
    app.button(key="self_bleu").click().run()
    assert {"A", "B"} <= set(measures(app).columns)
    assert 0 < float(measures(app).loc["Self-BLEU", "A"]) <= 1


def test_the_judge_is_asked_once_and_by_a_button(one_run: RunFolder, page: Page) -> None:
    app = opened(page, "Compared")
    assert "Judged harmful" not in measures(app).index
    app.button(key="judge_pairs").click().run()
    assert not app.exception
    harm = pd.read_parquet(one_run.iteration(1).path / "harm.parquet")
    data = load_iteration(one_run, 1)
    assert harm["candidate_id"].tolist() == data.candidates["candidate_id"].tolist()
    kept = data.result.kept
    flagged = int((harm["harm_probability"].to_numpy() > 0.5)[kept].sum())
    rate = wilson(flagged, int(kept.sum()))
    shown = measures(app)["A"]
    assert shown["Judged harmful"] == f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})"
    assert shown["Judged harmful, n"] == f"{rate.n} pairs"
    assert "judge_pairs" not in {button.key for button in app.button}
    slide(app, one_run, 0.4)
    assert "Harm" in next(t.value for t in app.dataframe if "Dropped for" in t.value)


# ------------------------------------------------------------------ presets


def test_presets_are_saved_compared_used_and_deleted(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    app = slide(opened(page, "Compared"), one_run, 0.4)
    app.text_input[0].set_value("strict *one*")
    next(b for b in app.button if b.label == "Save these values").click().run()
    assert workspace.database.presets()["strict *one*"].settings["max_rouge_l"] == 0.4
    slide(app, one_run, 0.7)
    app.selectbox(key="filters compare").set_value("strict *one*").run()
    lost = two(load_iteration(one_run, 1), FilterConfig(max_rouge_l=0.4), FilterConfig())
    assert any(f"Gained by B: {len(lost.gained)};" in t.value for t in app.text)
    assert any("compare with the preset strict" in c.value for c in app.caption)
    assert any(re.search(r"Saved \d{4}-.* UTC", c.value) for c in app.caption)
    app.button(key="use_preset").click().run()
    assert app.slider(key=f"filters {one_run.run_id} max_rouge_l").value == 0.4
    app.button(key="delete_preset").click().run()
    assert workspace.database.presets() == {}
    assert app.selectbox(key="filters compare").value == "The run's own values"
    assert not app.exception


def save_as(app: AppTest, name: str) -> AppTest:
    next(box for box in app.text_input if box.label == "Name of a preset").set_value(name)
    next(b for b in app.button if b.label == "Save these values").click().run()
    assert not app.exception
    return app


def test_a_preset_of_another_person_is_replaced_when_that_is_said_and_comes_back(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    workspace.database.save_preset("strict", {"max_rouge_l": 0.5}, "Ana")
    old = workspace.database.presets()["strict"]
    app = slide(opened(page, "Compared", reviewer="Bob"), one_run, 0.4)
    save_as(app, "strict")
    assert workspace.database.presets()["strict"] == old
    asked = next(w.value for w in app.warning if "would be replaced" in w.value)
    assert f"Saved {old.created:%Y-%m-%d %H:%M} UTC by Ana" in asked
    app.button(key="keep_preset").click().run()
    assert not any("would be replaced" in w.value for w in app.warning)

    save_as(app, "strict")
    workspace.database.save_preset("strict", {"max_rouge_l": 0.6}, "Cy")  # meanwhile
    app.button(key="replace_preset").click().run()
    assert "Nothing was replaced" in app.error[0].value
    assert workspace.database.presets()["strict"].author == "Cy"
    app.button(key="replace_preset").click().run()
    assert workspace.database.presets()["strict"].settings["max_rouge_l"] == 0.4
    assert any("Replaced the preset strict" in c.value for c in app.caption)
    app.button(key="undo_preset").click().run()
    back = workspace.database.presets()["strict"]
    assert (back.settings, back.author) == ({"max_rouge_l": 0.6}, "Cy")

    app.button(key="delete_preset").click().run()
    assert workspace.database.presets() == {}
    app.button(key="undo_preset").click().run()
    assert workspace.database.presets() == {"strict": back}
    app.button(key="delete_preset").click().run()
    workspace.database.save_preset("strict", {"max_rouge_l": 0.3}, "Di")
    app.button(key="undo_preset").click().run()
    assert "Nothing was undone" in app.error[0].value
    assert workspace.database.presets()["strict"].author == "Di"
    assert not app.exception


def test_a_preset_without_a_name_is_one_sentence(one_run: RunFolder, page: Page) -> None:
    app = opened(page, "Compared")
    next(b for b in app.button if b.label == "Save these values").click().run()
    assert not app.exception
    assert "A preset needs a name" in app.error[0].value


def test_a_preset_is_not_called_as_the_run_s_own_values(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    app = opened(page, "Compared")
    name = next(box for box in app.text_input if box.label == "Name of a preset")
    name.set_value(" The run's own VALUES ")
    next(b for b in app.button if b.label == "Save these values").click().run()
    assert not app.exception
    assert "choose another name" in app.error[0].value
    assert workspace.database.presets() == {}


def test_what_was_not_measured_here_is_left_as_the_run_has_it(one_run: RunFolder) -> None:
    data = load_iteration(one_run, 1)
    preset = {"max_rouge_l": 0.5, "assessment": "both", "clusters": 9, "max_perplexity": 50.0}
    thresholds, left_out = applied({**preset, "unknown": 1, "min_words": -3}, data)
    assert thresholds == FilterConfig(max_rouge_l=0.5)
    assert set(left_out) == {"assessment", "clusters", "max_perplexity", "unknown", "min_words"}


# ------------------------------------------------------------------ trained on


def test_the_trained_list_is_the_run_s_own_kept_file(one_run: RunFolder, page: Page) -> None:
    opened(page, "Trained on")
    for k in (1, 2):
        data = load_iteration(one_run, k)
        rows = rows_to_train_on(data, judge(data, data.config.filters, {}), {})
        assert as_jsonl(rows) == one_run.iteration(k).kept.read_bytes()


def test_eval_prompts_and_edits_in_the_trained_list(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    opened(page, "Trained on")
    first, second, *rest = read_jsonl(one_run.iteration(1).kept)
    write_jsonl(one_run.path / "prompts.jsonl", [{"question": first["question"].upper()}])
    workspace.database.record_decision(
        one_run.run_id, 1, second["candidate_id"], "Ana", "edit", question="Is it?", answer="Yes."
    )
    data = load_iteration(one_run, 1)
    decisions = workspace.database.decisions(one_run.run_id, 1)
    rows = rows_to_train_on(data, judge(data, data.config.filters, decisions), decisions)
    assert [row["candidate_id"] for row in rows] == [row["candidate_id"] for row in (second, *rest)]
    assert (rows[0]["question"], rows[0]["decision"]) == ("Is it?", "edit")
    assert json.loads(as_jsonl(rows).decode().splitlines()[0])["answer"] == "Yes."


# ------------------------------------------------------------------ branches


def test_apply_as_a_branch_queues_a_run_with_its_lineage(
    workspace: Workspace, one_run: RunFolder, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.Supervisor, "_spawn_waiting", lambda self: None)  # no worker here
    app = slide(opened(page, "Use these values"), one_run, 0.4)
    assert any("changed: filters.max_rouge_l: 0.7 -> 0.4" in t.value for t in app.text)
    shown = next(c.value for c in app.code if "isara branch" in c.value)
    assert f"branch {one_run.run_id} --at 1 --set filters.max_rouge_l=0.4" in shown
    assert len(workspace.runs()) == 1
    before = place_of(app, "start_branch")
    app.number_input(key=f"branch alpha {one_run.run_id}").set_value(0.2).run()
    assert place_of(app, "start_branch") == before
    app.button(key="start_branch").click().run()
    assert not app.exception
    (made,) = (run for run in workspace.runs() if run.run_id != one_run.run_id)
    assert made.state().state == "queued"
    assert made.branched_from is not None
    assert made.branched_from["run_id"] == one_run.run_id
    assert any(f"The branch {made.run_id} is there: queued" in t.value for t in app.text)
    run_page = page("run", run=made.run_id)
    assert not run_page.exception
    assert any("A branch of" in c.value for c in run_page.caption)


def test_a_branch_that_cannot_be_says_why(one_run: RunFolder, page: Page) -> None:
    app = page("filters", k="2")
    app.session_state[TAB] = "Use these values"
    app.run()
    app.number_input(key=f"branch alpha {one_run.run_id}").set_value(1.0).run()
    assert "would have ended the run at iteration 1" in app.info[0].value
    assert "start_branch" not in {button.key for button in app.button}


def test_masks_are_told_apart(one_run: RunFolder) -> None:
    data = load_iteration(one_run, 1)
    same = two(data, data.config.filters, data.config.filters)
    assert not len(same.gained)
    assert not len(same.lost)
    assert same.both == int(np.sum(data.result.kept))

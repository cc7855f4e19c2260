"""The Results page: prompt by prompt, config differences, notes on the curve, files to keep."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.charts_compute import compute_figure, work_seconds
from app.charts_notes import add_notes, note_hover
from app.charts_results import RunResult, rate_figure
from app.widgets import results_data
from app.widgets.folding import HIDDEN
from app.widgets.plain import plain
from app.widgets.results_files import compute_table, rate_table, seconds_table
from app.widgets.results_pairs import pairs_table, unlike
from app.widgets.results_settings import settings_table
from isara.config_files import load_config, to_yaml
from isara.evaluation.side_by_side import counts, paired_answers
from isara.report_words import compute_sentence
from isara.workspace.files import read_json
from isara.workspace.notebook import Note
from isara.workspace.runs import RunFolder, Workspace
from tests.pages.conftest import clear_caches
from tests.pages.results_page import Page, opened, tables, texts


def second_run(run: RunFolder, **parts: Any) -> RunFolder:
    """A copy of a run under the id "second", with another config."""
    other = RunFolder(run.path.with_name("second"))
    shutil.copytree(run.path, other.path)
    data = load_config(run.config).model_dump(mode="json")
    for name, part in parts.items():
        data[name] = data[name] | part if isinstance(part, dict) else part
    other.config.write_text(to_yaml(type(load_config(run.config)).model_validate(data)))
    return other


# -------------------------------------------------------------------- prompt by prompt


def test_two_models_prompt_by_prompt(one_run: RunFolder, page: Page) -> None:
    app = opened(page, "pairs")
    table = tables(app)["Prompts with both answers"]
    before, after = (pd.read_parquet(one_run.iteration(k).evaluation) for k in (0, 2))
    rows = paired_answers(before, after, "dev")
    assert list(table["Prompt"]) == rows["question"].tolist()
    assert HIDDEN in table["Before: base model"].tolist()
    test = read_json(one_run.iteration(2).metrics)["dev"]["harmful_rate"]
    assert f"n = {test['n']}" in next(
        text for text in texts(app).split("\n") if "Harmful answ" in text
    )
    app.session_state["fold_harmful"] = False
    app.run()
    answers = tables(app)["Prompts with both answers"]["Before: base model"].tolist()
    assert answers == rows["answer_a"].tolist()


def test_the_filters_of_the_pairs(one_run: RunFolder, page: Page) -> None:
    app = opened(page, "pairs")
    before, after = (pd.read_parquet(one_run.iteration(k).evaluation) for k in (0, 2))
    found = counts(paired_answers(before, after, "dev"))
    app.session_state["pairs-outcome"] = "improved"
    app.run()
    assert len(tables(app)["Prompts with both answers"]) == found["improved"]
    app.session_state["pairs-outcome"] = None
    app.session_state["pairs-search"] = "no answer has these words"
    app.run()
    assert "No prompt fits these filters." in texts(app)


def test_a_row_selected_in_another_list_of_pairs_opens_none(one_run: RunFolder, page: Page) -> None:
    app = opened(page, "pairs")

    def identity() -> str:
        """A table under another identity forgets what was selected in it."""
        return next(
            str(item.proto.id)
            for item in app.dataframe
            if item.proto.alt == "Prompts with both answers"
        )

    seen = [identity()]
    for name, value in (
        ("pairs-outcome", "improved"),
        ("pairs-search", "a"),
        ("pairs-kind", "harmful"),
        ("pairs-b", (one_run.run_id, 1)),
    ):
        app.session_state[name] = value
        app.run()
        seen.append(identity())
    assert len(set(seen)) == len(seen)
    app.run()
    assert identity() == seen[-1]


def test_what_is_saved_is_whole() -> None:
    row = {
        "question": "q", "answer_a": "bad", "answer_b": "good", "flagged_a": True,
        "flagged_b": False, "harm_probability_a": 0.91234, "harm_probability_b": 0.1,
        "harmless": False, "category": "c", "outcome": "improved",
    }  # fmt: skip
    rows = pd.DataFrame([row])
    folded = pairs_table(rows, ("base", "sft")).iloc[0]
    saved = pairs_table(rows, ("base", "sft"), whole=True).iloc[0]
    assert (folded["Before: base"], folded["After: sft"]) == (HIDDEN, "good")
    assert (saved["Before: base"], saved["Harm before"]) == ("bad", 0.912)


def test_runs_that_were_not_measured_alike_are_told(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    second_run(one_run, evaluation={"threshold": 0.4}, random_seed=9)
    page("results")  # the pages' workspace is this one
    said = unlike((one_run.run_id, 0), ("second", 2))
    assert said is not None
    assert "threshold, random_seed of their configs differ" in said
    assert unlike(("second", 0), ("second", 2)) is None


# -------------------------------------------------------------------- configs


def test_what_differs_between_two_configs(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    second_run(one_run, loop={"alpha": 0.5}, training={"lora": {"r": 4}})
    app = opened(page, "settings")
    assert "Choose a second run" in texts(app)
    app.multiselect[0].set_value([one_run.run_id, "second"]).run()
    table = tables(app)["Settings that differ"].set_index("Setting")
    assert table.loc["loop.alpha"].tolist() == ["0.3", "0.5"]
    assert table.loc["training.lora.r"].tolist() == ["null", "4"]


def test_equal_configs_differ_in_nothing(one_run: RunFolder) -> None:
    config = load_config(one_run.config)
    assert settings_table("a", "b", config, config).empty


# -------------------------------------------------------------------- notes


def test_a_note_is_written_changed_and_removed(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    app = opened(page, "notes")
    app.text_area[0].set_value("=the *seeds* were changed")
    app.text_input(key="reviewer").set_value("Ann")
    app.selectbox(key=f"note_iteration None {one_run.run_id}").set_value(1)
    app.button(key="note_save").click().run()  # all in one with the click
    (note,) = workspace.database.notes(one_run.run_id)
    assert (note.iteration, note.author, note.text) == (1, "Ann", "=the *seeds* were changed")
    assert any("iteration 1 of" in text.value and "*seeds*" in text.value for text in app.text)
    rings = [t for t in harmful_rate(app)["data"] if t["name"] == "has a note"]
    assert "*seeds*" in rings[0]["customdata"][0]
    app.selectbox(key="note_chosen").set_value(note.id).run()
    app.text_area[0].set_value("as it was").run()
    app.button(key="note_save").click().run()
    assert [n.text for n in workspace.database.notes(one_run.run_id)] == ["as it was"]
    (note,) = workspace.database.notes(one_run.run_id)
    app.selectbox(key="note_chosen").set_value(note.id).run()
    app.button(key="note_remove").click().run()
    assert not app.exception
    assert workspace.database.notes(one_run.run_id) == []


@pytest.mark.parametrize("button", ["note_save", "note_remove"])
def test_a_note_that_another_window_removes_is_not_brought_back(
    one_run: RunFolder, workspace: Workspace, page: Page, button: str
) -> None:
    database = workspace.database
    database.add_note(one_run.run_id, 1, "first", "Ann")
    (note,) = database.notes(one_run.run_id)
    app = opened(page, "notes")
    app.selectbox(key="note_chosen").set_value(note.id).run()
    database.add_note(one_run.run_id, 1, "", "Bob", note.id)
    app.text_area[0].set_value("first of all")
    app.button(key=button).click().run()
    assert not app.exception
    assert database.notes(one_run.run_id) == []
    assert "nothing was done" in app.error[0].value
    assert "Save the text as a new note" in app.warning[0].value
    assert app.text_area[0].value == "first of all"
    assert app.button(key="note_save").label == "Save note"
    app.button(key="note_save").click().run()
    (saved,) = database.notes(one_run.run_id)
    assert (saved.text, saved.iteration) == ("first of all", 1)
    assert app.selectbox(key="note_chosen").value is None
    assert not app.warning


def test_a_note_that_is_gone_leaves_nothing_where_nothing_was_typed(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    workspace.database.add_note(one_run.run_id, 1, "first", "Ann")
    (note,) = workspace.database.notes(one_run.run_id)
    app = opened(page, "notes")
    app.selectbox(key="note_chosen").set_value(note.id).run()
    app.text_area[0].set_value("first of all").run()
    app.text_area[0].set_value("first").run()  # as it was
    workspace.database.add_note(one_run.run_id, 1, "", "Bob", note.id)
    app.button(key="note_remove").click().run()
    assert "nothing was done" in app.error[0].value
    assert app.selectbox(key="note_chosen").value is None
    assert app.text_area[0].value == ""
    assert not app.warning
    assert not list((workspace.root / "unsaved").glob("*.json"))


def harmful_rate(app: AppTest) -> Any:
    """The figure of the harmful rate."""
    (chart,) = [c for c in app.get("plotly_chart") if c.proto.id.endswith("results-harmful-rate")]
    return json.loads(chart.proto.spec)


def two_notes(run: RunFolder, workspace: Workspace) -> list[Note]:
    for text in ("first", "second"):
        workspace.database.add_note(run.run_id, 1, text, "Ann")
    return workspace.database.notes(run.run_id)


def test_half_written_notes_are_kept_apart(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    """Another note that is looked at, or saved, takes nothing away."""
    first, second = two_notes(one_run, workspace)
    app = opened(page, "notes")
    written: dict[int | None, str] = {None: "a new one", first.id: "1st", second.id: "2nd"}
    for chosen, text in written.items():
        app.selectbox(key="note_chosen").set_value(chosen).run()
        app.text_area(key=f"note_text {chosen}").set_value(text).run()
    app.button(key="note_save").click().run()  # the second one
    app.switch_page("../pages/help.py").run()
    app.switch_page("../pages/results.py").run()
    app.session_state["results-notes"] = True
    app.run()
    for chosen in (None, first.id):
        app.selectbox(key="note_chosen").set_value(chosen).run()
        assert app.text_area(key=f"note_text {chosen}").value == written[chosen]
    app.button(key="note_save").click().run()
    app.button(key="note_save").click().run()  # the new one
    texts_now = sorted(note.text for note in workspace.database.notes(one_run.run_id))
    assert texts_now == ["1st", "2nd", "a new one"]
    assert app.text_area(key="note_text None").value == ""


def test_half_written_notes_survive_a_reload_and_a_restart(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    workspace.database.add_note(one_run.run_id, 1, "first", "Ann")
    (first,) = workspace.database.notes(one_run.run_id)
    app = opened(page, "notes")
    app.text_area(key="note_text None").set_value("a new one").run()
    app.selectbox(key="note_chosen").set_value(first.id).run()
    app.text_area(key=f"note_text {first.id}").set_value("1st").run()
    clear_caches()  # another server
    again = opened(page, "notes", **app.query_params)
    assert again.text_area(key="note_text None").value == "a new one"
    again.button(key="note_save").click().run()
    again.selectbox(key="note_chosen").set_value(first.id).run()
    assert again.text_area(key=f"note_text {first.id}").value == "1st"
    again.button(key="note_save").click().run()
    assert not list((workspace.root / "unsaved").glob("*.json"))
    assert "note-unsaved" not in again.query_params
    texts_now = sorted(note.text for note in workspace.database.notes(one_run.run_id))
    assert texts_now == ["1st", "a new one"]


def test_where_a_new_note_belongs_is_kept_too(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    """And the address keeps naming it while the section is closed and other pages are looked at."""
    app = opened(page, "notes")
    app.text_area(key="note_text None").set_value("about the base").run()
    app.selectbox(key=f"note_iteration None {one_run.run_id}").set_value(0).run()
    again = page("results", **app.query_params)  # its section is closed
    token = again.query_params["note-unsaved"]
    again.switch_page("../pages/help.py").run()
    again.query_params.clear()
    again.switch_page("../pages/results.py").run()
    assert again.query_params["note-unsaved"] == token
    again.session_state["results-notes"] = True
    again.run()
    again.button(key="note_save").click().run()
    (note,) = workspace.database.notes(one_run.run_id)
    assert (note.iteration, note.text) == (0, "about the base")


def test_what_was_typed_for_a_note_that_is_gone_can_be_saved_as_a_new_one(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    """Each text by itself, where it belongs; a reload and a restart take nothing away."""
    first, second = two_notes(one_run, workspace)
    app = opened(page, "notes")
    app.text_area(key="note_text None").set_value("of the base").run()
    app.selectbox(key=f"note_iteration None {one_run.run_id}").set_value(0).run()
    for note in (first, second):
        app.selectbox(key="note_chosen").set_value(note.id).run()
        app.text_area(key=f"note_text {note.id}").set_value(f"my words on {note.text}").run()
    for note in (first, second):
        workspace.database.add_note(one_run.run_id, 1, "by Bob", "Bob", replaces=note.id)
    clear_caches()
    again = opened(page, "notes", **app.query_params)
    assert "In this list are texts" in again.warning[0].value
    assert again.text_area(key="note_text None").value == "of the base"
    assert again.selectbox(key=f"note_iteration None {one_run.run_id}").value == 0
    again.selectbox(key="note_chosen").set_value(first.id).run()
    assert again.text_area(key=f"note_text {first.id}").value == "my words on first"
    assert again.selectbox(key=f"note_iteration {first.id} {one_run.run_id}").value == 1
    again.button(key="note_save").click().run()
    again.selectbox(key="note_chosen").set_value(second.id).run()
    again.button(key="note_remove").click().run()  # "Discard text"
    assert not again.warning
    assert again.text_area(key="note_text None").value == "of the base"
    found = {(note.iteration, note.text) for note in workspace.database.notes(one_run.run_id)}
    assert found == {(1, "by Bob"), (1, "my words on first")}


def test_a_note_stays_with_the_run_that_it_was_begun_for(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    second_run(one_run)
    app = opened(page, "notes", runs=[one_run.run_id, "second"])
    both = list(app.get("multiselect")[0].value)
    assert set(both) == {one_run.run_id, "second"}
    app.selectbox(key="note_run None").set_value(one_run.run_id)
    app.selectbox(key=f"note_iteration None {one_run.run_id}").set_value(0)
    app.text_area(key="note_text None").set_value("about the base").run()
    app.get("multiselect")[0].set_value(["second"]).run()
    app.session_state["results-notes"] = True
    app.run()
    assert plain(f"begun for {one_run.run_id}") in texts(app)
    assert app.selectbox(key="note_run None").value is None
    app.button(key="note_save").click().run()
    assert "no run is chosen" in app.error[0].value
    app.text_area(key="note_text None").set_value("about the base model").run()
    app.get("multiselect")[0].set_value(both).run()
    app.session_state["results-notes"] = True
    app.run()
    assert app.selectbox(key="note_run None").value == one_run.run_id
    app.button(key="note_save").click().run()
    assert not app.exception
    (note,) = workspace.database.notes(one_run.run_id)
    assert (note.iteration, note.text) == (0, "about the base model")


def test_a_note_is_saved_once_although_its_draft_cannot_be_removed(
    one_run: RunFolder, workspace: Workspace, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(page, "notes")
    app.text_area(key="note_text None").set_value("a new one").run()

    def full(*_: Any, **__: Any) -> None:
        raise PermissionError("no room")

    monkeypatch.setattr(Path, "unlink", full)
    app.button(key="note_save").click().run()
    assert not app.exception
    assert "cannot be read or written" in app.error[0].value
    assert app.text_area(key="note_text None").value == ""
    app.button(key="note_save").click().run()
    assert [note.text for note in workspace.database.notes(one_run.run_id)] == ["a new one"]


@pytest.mark.parametrize(
    "held",
    ["[", '{"new": 5, "7": [1], "x": {}, "007": {"text": "a"}}', '{"new": {"run": 3}}'],
)
def test_a_file_of_half_written_notes_that_was_changed_by_hand(
    one_run: RunFolder, workspace: Workspace, page: Page, held: str
) -> None:
    app = opened(page, "notes")
    app.text_area(key="note_text None").set_value("a new one").run()
    (file,) = (workspace.root / "unsaved").glob("note-*.json")
    file.write_text(held, "utf-8")
    again = opened(page, "notes", **app.query_params)
    assert again.text_area(key="note_text None").value == ""
    again.text_area(key="note_text None").set_value("another").run()
    assert not again.exception


def test_an_empty_note_is_refused(one_run: RunFolder, workspace: Workspace, page: Page) -> None:
    app = opened(page, "notes")
    app.button(key="note_save").click().run()
    assert "The note is empty" in app.error[0].value
    assert workspace.database.notes(one_run.run_id) == []


def note(k: int, text: str) -> Note:
    return Note(1, "a", k, text, "<b>Ann</b>", datetime.now(UTC), None)


def result() -> RunResult:
    metric = {"low": 0.0, "high": 1.0, "n": 9, "judge": "j", "threshold": 0.5, "decoding": "sample"}
    rows = [
        {"k": k, "harmful_rate": {**metric, "value": value, "split": "dev"}, "seconds": seconds}
        for k, value, seconds in (
            (0, 0.6, {"evaluate": 50.0}),
            (1, 0.2, {"questions": 60.0, "train": 30.0, "judge": 5.0}),
            (2, 0.1, {"answers": 30.0}),
        )
    ]
    sft = {"harmful_rate": rows[1]["harmful_rate"], "seconds": {"train": 15.0, "evaluate": 3.0}}
    about = {"run_id": "a", "method": "isara", "random_seed": 1, "baselines": {"sft": sft}}
    return RunResult({**about, "iterations": rows}, 0.3)


def test_a_ring_stands_around_a_point_with_notes() -> None:
    figure = rate_figure([result()], "harmful_rate")
    add_notes(figure, [result()], "harmful_rate", {"a": [note(1, "x"), note(1, "y"), note(7, "z")]})
    ring = figure.data[-1]
    assert (list(ring.x), list(ring.y)) == ([1, 7], [0.2, 0.0])
    assert "&lt;b&gt;Ann" in note_hover("a", 1, [note(1, "x")])


def test_compute_leaves_measuring_out() -> None:
    assert work_seconds({"evaluate": 50.0, "judge": 5.0, "train": 30.0}) == 30.0
    run, sft = compute_figure([result()]).data
    assert list(run.x) == [0.0, 1.5, 2.0]  # minutes
    assert (list(sft.x), list(sft.y)) == ([0.25], [0.2])


def test_files_of_the_charts() -> None:
    rates = rate_table([result()], "harmful_rate")
    assert list(rates["model"]) == [
        "base model",
        "SFT on the seed set",
        "iteration 1",
        "iteration 2",
    ]
    assert list(rates["value"]) == [0.6, 0.2, 0.2, 0.1]
    assert list(compute_table([result()])["seconds_of_work"]) == [0.0, 90.0, 120.0]
    assert len(seconds_table([result()])) == 7
    one = result()
    assert rate_table([one], "truthful_acc").empty
    one.iterations[0]["metrics"] = {"truthful_acc": {"value": 37.3, "low": 30.0, "high": 45.3}}
    found = rate_table([one], "truthful_acc")
    assert found[["model", "value"]].to_numpy().tolist() == [["base model", 37.3]]


def test_without_a_harmful_rate_the_domain_has_its_own_curve(
    one_run: RunFolder, workspace: Workspace, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for facts: the chart is there, before how far the seeds were stretched."""
    real, other = results_data.summarise, {"low": 40.0, "high": 60.0, "n": 9, "judge": "j"}
    other |= {"value": 50.0, "threshold": None, "decoding": "sample", "split": "dev"}

    def facts(*asked: Any) -> dict[str, Any]:
        found = real(*asked) | {"comparisons": []}
        for row in (*found["iterations"], *found["baselines"].values()):
            row.pop("harmful_rate", None)
            row.pop("by_category", None)
            row["metrics"] = {"truthful_acc": other}
        return found

    monkeypatch.setattr(results_data, "summarise", facts)
    workspace.database.add_note(one_run.run_id, 1, "the seeds were changed", "Ann")
    app = opened(page, runs=one_run.run_id)
    assert "No harmful rate" in app.info[0].value
    assert any("the seeds were changed" in text.value for text in app.text)
    (ring,) = [
        trace
        for trace in json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
        if trace["name"] == "has a note"
    ]
    assert (len(ring["y"]), ring["y"][0]) == (1, 50.0)
    names = [c.proto.id.split("results-")[-1] for c in app.get("plotly_chart")]
    assert names[:2] == ["truthfulqa-accuracy", "data-scaling-ratio"]


def test_what_a_run_took() -> None:
    cost = {"seconds": 200.0, "gpu_hours": None, "tokens_out": 12345}
    assert compute_sentence({"cost": cost}) == (
        "It took 3 min 20 s, 12,345 tokens written, baselines and measuring included."
    )
    assert "0.25 GPU hours" in compute_sentence({"cost": {**cost, "gpu_hours": 0.25}})
    assert compute_sentence({"cost": {**cost, "seconds": 0.0}}) == ""

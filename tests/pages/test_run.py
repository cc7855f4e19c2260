"""The Run page: the form from the schema, the command, start, and the live view from the folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import streamlit as st
import yaml
from streamlit.testing.v1 import AppTest

from app.widgets import kept_values, run_charts, run_form, run_log, run_notice, run_start
from app.widgets.plain import plain
from app.widgets.run_charts import memory_figure, speed_figure, steps_figure
from app.widgets.run_fields import Setting, settings, step_of
from app.widgets.run_form import checked, nested, parsed
from isara.config import PROJECT_ROOT, LoraConfig, RunConfig
from isara.config_files import flatten, load_config, parse_config
from isara.errors import IsaraError
from isara.examples import Example
from isara.jobs import Supervisor
from isara.methods.estimate import Measured, write_measured
from isara.methods.reviewing import finish_review
from isara.workspace.files import write_text
from isara.workspace.runs import RunFolder, Workspace
from isara.workspace.series import Point
from tests.pages.conftest import place_of

Page = Callable[..., AppTest]
DEMO = PROJECT_ROOT / "data" / "configs" / "demo.yaml"


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A started run stays in the queue: no worker process in these tests."""
    monkeypatch.setattr(Supervisor, "_spawn", lambda supervisor, run: None)


@pytest.fixture
def small(tmp_path: Path) -> bytes:
    """A config whose model, embedder and judge are folders that exist."""
    changes = [f"{name}={tmp_path}" for name in ("model.path", "embedder", "evaluation.judge")]
    return yaml.safe_dump(load_config(DEMO, changes).model_dump()).encode()


def widget(app: AppTest, kind: str, label: str) -> Any:
    (found,) = [item for item in app.get(kind) if item.label == label]
    return found


def unfold(app: AppTest, tab: str) -> AppTest:
    """As clicks on "All settings" and a tab do it, together with what was typed last."""
    app.session_state[run_form.UNFOLDED] = True
    app.session_state[run_form.TAB] = tab
    return app.run()


def fold(app: AppTest) -> AppTest:
    app.session_state[run_form.UNFOLDED] = False
    return app.run()


def shown_yaml(app: AppTest) -> Any:
    (text,) = [code.value for code in app.code if code.language == "yaml"]
    return yaml.safe_load(text)


def texts(app: AppTest) -> str:
    kinds = (app.text, app.caption, app.info, app.error, app.code, app.markdown)
    return "\n".join(str(item.value) for kind in kinds for item in kind)


def upload(app: AppTest, data: bytes) -> AppTest:
    widget(app, "selectbox", "Start from").select("Upload a YAML file").run()
    return app.file_uploader[0].upload("mine.yaml", data, "application/yaml").run()


# -------------------------------------------------------------------- the form


@pytest.mark.usefixtures("workspace")
def test_empty_workspace_offers_the_demo_and_its_command(page: Page) -> None:
    app = page("run")
    assert not app.exception
    assert f"Run id: {load_config(DEMO).default_run_id}" in texts(app)
    assert any(code.value.startswith("python -m isara run demo.yaml") for code in app.code)
    assert "No run yet" in texts(app)


def test_every_field_of_the_config_is_a_setting() -> None:
    config = load_config(DEMO, ["training.lora={}", "evaluation.preference={path: a}"])
    # A mapping is one setting, and an optional part has one of its own beside its fields.
    leaves = {path for path in flatten(config.model_dump()) if "mapping" not in path}
    assert {setting.path for setting in settings()} == leaves | {
        "seeds.mapping", "training.lora", "evaluation.preference",
    }  # fmt: skip


def test_settings_know_bounds_type_and_help() -> None:
    by_path = {setting.path: setting for setting in settings()}
    alpha, limit = by_path["loop.alpha"], by_path["seeds.limit"]
    assert (alpha.kind, alpha.high, alpha.optional) == (float, 1.0, False)
    assert (limit.kind, limit.high, limit.optional) == (int, None, True)
    assert alpha.help.startswith("Stop when fewer than alpha * N candidates are kept [S].")
    assert by_path["decoding.question.top_p"].label == "Question: top p"
    assert by_path["training.lora"].kind is LoraConfig
    assert by_path["loop.patience"].label == "Early stopping: iterations without gain"
    assert "beam search" in by_path["decoding.answer.early_stopping"].label.lower()


@pytest.mark.parametrize(
    ("default", "high", "step"), [(2e-5, 1.0, 1e-5), (0.3, 1.0, 0.05), (3.0, 100.0, 0.1)]
)
def test_steps_follow_the_size_of_the_number(default: float, high: float, step: float) -> None:
    setting = Setting("a", float, False, high, "", default)
    assert step_of(setting, default) == pytest.approx(step)


@pytest.mark.usefixtures("workspace")
def test_a_changed_number_changes_file_and_id(page: Page) -> None:
    app = page("run")
    widget(app, "number_input", "Pairs per iteration (N)").set_value(7).run()
    assert shown_yaml(app)["loop"]["candidates"] == 7
    wanted = load_config(DEMO, ["loop.candidates=7"]).default_run_id
    assert f"Run id: {wanted}" in texts(app)


@pytest.mark.usefixtures("workspace")
def test_a_preset_brings_its_own_decoding(page: Page) -> None:
    app = unfold(page("run"), "Decoding")
    widget(app, "selectbox", "Decoding preset").select("paper").run()
    assert widget(app, "number_input", "Answer: repetition penalty").value == 2.0
    wanted = load_config(DEMO, ["decoding.preset=paper"]).default_run_id
    assert f"Run id: {wanted}" in texts(app)


@pytest.mark.usefixtures("workspace")
def test_lora_is_a_switch_with_its_own_settings(page: Page) -> None:
    app = unfold(page("run"), "Training")
    label = "Train adapters (LoRA) instead of the full weights"
    widget(app, "toggle", label).set_value(True).run()
    widget(app, "number_input", "Lora: r").set_value(4).run()
    assert shown_yaml(app)["training"]["lora"] == {"r": 4}
    widget(app, "toggle", label).set_value(False).run()
    assert "lora" not in shown_yaml(app).get("training", {})


@pytest.mark.usefixtures("workspace")
def test_settings_out_of_sight_keep_what_was_typed(page: Page) -> None:
    app = unfold(page("run"), "Training")
    label = "Train adapters (LoRA) instead of the full weights"
    widget(app, "toggle", label).set_value(True).run()
    widget(app, "number_input", "Lora: r").set_value(4)
    unfold(app, "Seeds")
    widget(app, "text_input", "Column names of the seed file").set_value("answer: Best")
    fold(app)
    assert not [item for item in app.get("toggle") if item.label == label]
    wanted = {"training": {"lora": {"r": 4}}, "seeds": {"mapping": {"answer": "Best"}}}

    def said() -> dict[str, Any]:
        shown = shown_yaml(app)
        return {
            "training": {"lora": shown.get("training", {}).get("lora")},
            "seeds": {"mapping": shown["seeds"].get("mapping")},
        }

    assert said() == wanted
    app.switch_page("../pages/help.py").run()
    app.switch_page("../pages/run.py").run()
    assert said() == wanted
    unfold(app, "Training")
    assert widget(app, "number_input", "Lora: r").value == 4
    widget(app, "toggle", label).set_value(False)
    fold(app)
    assert said()["training"] == {"lora": None}


@pytest.mark.usefixtures("workspace")
def test_all_shipped_settings_say_the_same_in_and_out_of_sight(page: Page) -> None:
    app = page("run")
    shipped = [one for one in widget(app, "selectbox", "Start from").options if "Shipped" in one]
    assert len(shipped) > 5
    tabs = [tab.label for tab in unfold(app, "Seeds").tabs]
    assert len(tabs) > 5
    for number, start in enumerate(shipped):
        fold(app)
        widget(app, "selectbox", "Start from").select(start).run()
        file = run_form.CONFIGS / f"{start.removeprefix(run_form.SHIPPED)}.yaml"
        expected = flatten(load_config(file).model_dump())
        for tab in (None, *(tabs if number == 0 else ("Training", "Evaluation"))):
            if tab:
                unfold(app, tab)
            assert not app.exception
            assert flatten(parse_config(shown_yaml(app)).model_dump()) == expected, (start, tab)


@pytest.mark.usefixtures("workspace")
def test_a_tab_of_another_method_goes_with_it(page: Page) -> None:
    app = page("run")
    widget(app, "selectbox", "Method").select("rft").run()
    unfold(app, "RFT")
    assert any("`rft." in (item.help or "") for item in app.get("number_input"))
    widget(app, "selectbox", "Method").select("isara").run()
    assert not app.exception
    assert "RFT" not in [tab.label for tab in app.tabs]
    assert app.session_state[run_form.TAB] == app.tabs[0].label


def test_a_saved_seed_set_is_named_with_its_version(workspace: Workspace, page: Page) -> None:
    app = page("run")
    widget(app, "button_group", "Seed set (D0)").set_value("Saved").run()
    assert not app.exception
    assert shown_yaml(app)["seeds"] == {"name": "demo safety", "version": 1}


def test_problems_are_one_list_and_nothing_can_be_started(workspace: Workspace, page: Page) -> None:
    app = unfold(page("run"), "Seeds")
    widget(app, "text_input", "Name of the run").set_value("two words")
    rate = widget(app, "number_input", "Learning rate")
    assert not rate.proto.has_min  # else a browser keeps what lies beyond to itself
    assert not rate.proto.has_max
    rate.set_value(1e99)
    widget(app, "text_input", "Column names of the seed file").set_value("question: [1]").run()
    (listed,) = [code.value for code in app.code]
    assert [line.split(":")[0] for line in listed.splitlines()] == [
        "• name",
        "• seeds.mapping.question",
        "• training.learning_rate",
    ]
    assert "name: use letters, digits, dots, dashes and underscores" in listed
    assert "training.learning_rate: must be less than or equal to 1 (found 1e+99)" in listed
    widget(app, "button", "Start").click().run()
    assert not app.exception
    assert workspace.runs() == []


def test_a_setting_that_comes_with_the_click_counts(
    workspace: Workspace, page: Page, small: bytes
) -> None:
    app = upload(page("run"), small)
    widget(app, "text_input", "Name of the run").set_value("two words").run()
    widget(app, "text_input", "Name of the run").set_value("two-words")
    widget(app, "button", "Start").click().run()
    (run,) = workspace.runs()
    assert run.run_id.startswith("two-words")
    run.set_state("done")
    app.run()
    widget(app, "button", "Go on").click().run()
    assert "This run is done" in app.error[0].value
    assert run.state().state == "done"
    widget(app, "text_input", "Name of the run").set_value("three")
    widget(app, "button", "Go on").click().run()
    assert {one.run_id.split("-")[0] for one in workspace.runs()} == {"two", "three"}


def test_the_form_begins_with_an_earlier_run(one_run: RunFolder, page: Page) -> None:
    app = page("run")
    widget(app, "selectbox", "Start from").select(f"Run: {one_run.run_id}").run()
    assert widget(app, "number_input", "Pairs per iteration (N)").value == 80
    assert f"Run id: {one_run.run_id}" in texts(app)
    assert app.query_params["from"] == f"Run: {one_run.run_id}"


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"a: [", "not readable as YAML"),
        (b"- 1", "holds list"),
        (b"name: a\nloop: {alpha: 2}\nsurprise: 1\n", "loop.alpha: "),
        (b"name: a\nloop: {alpha: 2}\nsurprise: 1\n", "surprise: there is no such setting"),
        (b"name: a\n", "seeds: this setting is missing"),
    ],
)
def test_a_bad_upload_lists_what_is_wrong(page: Page, data: bytes, found: str) -> None:
    app = upload(page("run"), data)
    assert not app.exception
    assert found in texts(app)


def test_nested_and_checked() -> None:
    values = {"training.lora.r": 4, "name": "a", "training.lora": {}}
    assert nested(values) == {"name": "a", "training": {"lora": {"r": 4}}}
    assert checked(parsed(DEMO.read_bytes())) == (load_config(DEMO), [])


# -------------------------------------------------------------------- settings not yet started

PAIRS = "Pairs per iteration (N)"


def with_99_pairs(page: Page) -> AppTest:
    app = page("run")
    return widget(app, "number_input", PAIRS).set_value(99).run()


@pytest.mark.usefixtures("workspace")
def test_settings_stay_over_a_visit_to_another_page(page: Page) -> None:
    app = with_99_pairs(page)
    widget(app, "button_group", "Seed set (D0)").set_value("Saved").run()
    widget(app, "selectbox", "Method").select("rft").run()
    before = shown_yaml(app)
    app.switch_page("../pages/help.py").run()
    app.switch_page("../pages/run.py").run()
    assert not app.exception
    assert shown_yaml(app) == before
    assert not [item for item in app.button if item.label == "Discard them"]
    (form,) = [item for item in app.expander if item.label == "Set up a run"]
    assert form.proto.expanded


@pytest.mark.usefixtures("one_run")
@pytest.mark.parametrize("start_from", ["Shipped: demo", "Shipped: demo-mixture"])
def test_settings_come_back_after_a_reload_until_they_are_discarded(
    page: Page, start_from: str
) -> None:
    app = page("run")
    widget(app, "selectbox", "Start from").select(start_from).run()
    widget(app, "number_input", PAIRS).set_value(99).run()
    before = shown_yaml(app)
    app = page("run")  # without an address: it is the workspace that knows
    assert widget(app, "selectbox", "Start from").value == start_from
    assert shown_yaml(app) == before
    assert f"not started are back: {plain(PAIRS)}." in texts(app)
    widget(app, "number_input", PAIRS).set_value(98).run()
    assert shown_yaml(app)["loop"]["candidates"] == 98
    widget(app, "button", "Discard them").click().run()
    assert not app.exception
    assert widget(app, "number_input", PAIRS).value == 256
    assert "not started are back" not in texts(app)
    assert widget(page("run"), "number_input", PAIRS).value == 256


@pytest.mark.usefixtures("workspace")
def test_another_start_or_the_old_values_end_a_draft(page: Page) -> None:
    app = with_99_pairs(page)
    widget(app, "selectbox", "Start from").select("Shipped: demo-mixture").run()
    widget(app, "selectbox", "Start from").select("Shipped: demo").run()
    assert widget(app, "number_input", PAIRS).value == 256
    assert "not started are back" not in texts(page("run"))
    app = with_99_pairs(page)
    widget(app, "number_input", PAIRS).set_value(256).run()
    assert "not started are back" not in texts(page("run"))


def test_start_ends_a_draft(workspace: Workspace, page: Page, small: bytes) -> None:
    app = upload(page("run"), small)
    widget(app, "number_input", PAIRS).set_value(99).run()
    again = page("run")  # the draft has all of what was uploaded
    assert widget(again, "selectbox", "Start from").value == "Upload a YAML file"
    widget(again, "button", "Start").click().run()
    (run,) = workspace.runs()
    assert load_config(run.config).loop.candidates == 99
    assert "not started are back" not in texts(again)
    assert widget(page("run"), "selectbox", "Start from").value == "Shipped: demo"


@pytest.mark.parametrize("text", ["", "[]", '{"from": "Shipped: demo", "config": "name: a"}'])
def test_a_broken_draft_is_none(workspace: Workspace, page: Page, text: str) -> None:
    write_text(workspace.root / "run-drafts" / f"run-{'0' * 16}.json", text)
    for address in ({}, {"settings": "0" * 16}):
        app = page("run", **address)
        assert not app.exception
        assert widget(app, "number_input", PAIRS).value == 256


def test_a_draft_that_cannot_be_written_or_deleted_ends_nothing(
    workspace: Workspace, page: Page, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise IsaraError("run-drafts cannot be read or written: the disk is full.")

    app = upload(page("run"), small)
    widget(app, "number_input", PAIRS).set_value(99).run()
    again = page("run", **app.query_params)
    monkeypatch.setattr(kept_values, "keep", refused)
    monkeypatch.setattr(kept_values, "forget", refused)
    widget(again, "number_input", PAIRS).set_value(98).run()
    assert "the disk is full" in again.error[0].value
    widget(again, "button", "Discard them").click().run()
    assert "the disk is full" in again.error[0].value
    widget(upload(again, small), "button", "Start").click().run()
    assert len(workspace.runs()) == 1
    assert not again.exception


def drafts(workspace: Workspace) -> list[Path]:
    return list(workspace.root.glob("run-drafts/*.json"))


def test_two_windows_keep_their_settings_apart(workspace: Workspace, page: Page) -> None:
    mine = with_99_pairs(page)
    theirs = page("run")  # begins with the latest draft, and leaves it to its window
    widget(theirs, "number_input", PAIRS).set_value(77).run()
    widget(mine, "number_input", PAIRS).set_value(98).run()
    assert len(drafts(workspace)) == 2
    for app, pairs in ((mine, 98), (theirs, 77)):
        again = page("run", **app.query_params)
        assert widget(again, "number_input", PAIRS).value == pairs
    widget(theirs, "selectbox", "Start from").select("Shipped: demo-mixture").run()
    other = page("run")
    widget(other, "selectbox", "Start from").select("Shipped: demo-mixture").run()
    assert widget(page("run", **mine.query_params), "number_input", PAIRS).value == 98


def test_a_start_in_another_window_leaves_a_draft(
    workspace: Workspace, page: Page, small: bytes
) -> None:
    mine = with_99_pairs(page)
    theirs = upload(page("run"), small)
    widget(theirs, "button", "Start").click().run()
    assert len(workspace.runs()) == 1
    assert widget(page("run", **mine.query_params), "number_input", PAIRS).value == 99


# -------------------------------------------------------------------- start, stop, resume


def test_start_queues_the_run_and_shows_it(workspace: Workspace, page: Page, small: bytes) -> None:
    app = upload(page("run"), small)
    widget(app, "button", "Start").click().run()
    assert not app.exception
    (run,) = workspace.runs()
    assert run.state().state == "queued"
    assert app.query_params["run"] == run.run_id
    assert "Number 1 in the queue" in texts(app)
    widget(app, "button", "Stop").click().run()
    assert run.state().state == "stopped"
    widget(app, "button", "Resume").click().run()
    assert run.state().state == "queued"


@pytest.mark.parametrize(("left", "queued"), [(False, ["queued"]), (True, [])])
def test_a_page_that_is_drawn_anew_before_its_button_keeps_the_press(
    workspace: Workspace,
    page: Page,
    small: bytes,
    monkeypatch: pytest.MonkeyPatch,
    left: bool,
    queued: list[str],
) -> None:
    """What a setting does that comes in right after Start; a press from long ago starts nothing."""
    app = upload(page("run"), small)
    plain = run_form.choose_start

    def interrupted() -> RunConfig | None:
        monkeypatch.setattr(run_form, "choose_start", plain)
        if left:
            monkeypatch.setattr(run_start, "MEANT_SECONDS", 0)
        st.rerun()

    monkeypatch.setattr(run_form, "choose_start", interrupted)
    widget(app, "button", "Start").click().run()
    assert not app.exception
    assert [run.state().state for run in workspace.runs()] == queued
    app.run()
    assert len(workspace.runs()) == len(queued)  # a press counts once


def test_the_same_config_goes_on_or_starts_afresh(
    workspace: Workspace, page: Page, small: bytes
) -> None:
    app = upload(page("run"), small)
    widget(app, "button", "Start").click().run()
    (run,) = workspace.runs()
    assert "queued already" in texts(app)
    run.set_state("stopped", "stopped by the user")
    app.run()
    widget(app, "button", "Go on").click().run()
    assert run.state().state == "queued"
    widget(app, "button", "Start afresh").click().run()
    assert {r.run_id for r in workspace.runs()} == {run.run_id, f"{run.run_id}-2"}
    assert queue(app) == [f"1. {run.run_id}", f"2. {run.run_id}-2"]


def test_two_tabs_that_press_start_make_one_run(
    workspace: Workspace, page: Page, small: bytes
) -> None:
    first, second = upload(page("run"), small), upload(page("run"), small)
    widget(first, "button", "Start").click().run()
    widget(second, "button", "Start").click().run()  # it has not seen the other one's run yet
    (run,) = workspace.runs()
    assert run.state().state == "queued"
    assert not second.exception
    assert not second.error
    assert second.query_params["run"] == run.run_id


def test_bad_seeds_are_said_before_anything_starts(
    workspace: Workspace, page: Page, small: bytes, tmp_path: Path
) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text('{"question": "Q?", "answer": 5}\n{"question": "", "answer": "A."}\n')
    config = yaml.safe_load(small) | {"seeds": {"path": str(seeds)}}
    app = upload(page("run"), yaml.safe_dump(config).encode())
    widget(app, "button", "Start").click().run()
    assert "has 2 problems" in texts(app)
    assert workspace.runs() == []


def test_a_missing_model_is_said_calmly(workspace: Workspace, page: Page, small: bytes) -> None:
    config = yaml.safe_load(small) | {"embedder": "/nowhere/embedder"}
    app = upload(page("run"), yaml.safe_dump(config).encode())
    assert "There is no model folder" in app.info[0].value
    before = place_of(app, "run_start_button")
    widget(app, "button", "Start").click().run()
    assert "a model is missing" in app.error[0].value
    widget(app, "button", "Measure before starting").click().run()
    assert "a model is missing" in app.error[0].value
    assert (workspace.runs(), workspace.measurements()) == ([], [])
    for name in ("no name of a run", "mine"):  # the last field may come with the click on Start
        widget(app, "text_input", "Name of the run").set_value(name).run()
        assert place_of(app, "run_start_button") == before
    assert not app.error


# -------------------------------------------------------------------- the live view


@pytest.fixture
def running(one_run: RunFolder) -> RunFolder:
    """The run as a worker (this process) leaves it in the middle of iteration 2."""
    one_run.set_state("running")
    one_run.beat(os.getpid())
    one_run.write_progress(
        {
            "stage": "answers",
            "iteration": 2,
            "done": 20,
            "total": 80,
            "started": 0.0,
            "eta_s": 3725.0,
            "overall_done": 30.0,
            "overall_total": 60.0,
        }
    )
    return one_run


def test_a_running_run_shows_stage_bars_eta_and_loss(running: RunFolder, page: Page) -> None:
    app = page("run")
    assert not app.exception
    assert "Iteration 2: writing answers." in texts(app)
    stage, whole = app.get("progress")
    assert (stage.value, stage.text) == (25, "This stage: 20 of 80")
    assert whole.value == 50
    assert whole.text.startswith("Whole run: 50 %, about 1 h 02 min left")
    assert len(app.get("plotly_chart")) == 4  # loss, learning rate, speed, memory
    widget(app, "button", "Stop").click().run()
    assert running.stop_requested()
    assert "Stopping after the block" in texts(app)


def test_a_reload_shows_the_run_of_the_address(
    running: RunFolder, workspace: Workspace, page: Page
) -> None:
    workspace.run("another").create(running.config.read_text(encoding="utf-8"))
    app = page("run")
    assert widget(app, "selectbox", "Run to follow").value == running.run_id  # the active one
    app = page("run", run="another")
    assert widget(app, "selectbox", "Run to follow").value == "another"
    assert "not started" in texts(app)


def test_progress_from_before_a_resume_is_not_taken_for_news(
    running: RunFolder, page: Page
) -> None:
    running.set_state("running")
    app = page("run")
    assert "Starting: the models are being loaded." in texts(app)
    assert "not known yet" in app.get("progress")[1].text


def test_a_failed_run_shows_error_and_log_as_text(one_run: RunFolder, page: Page) -> None:
    one_run.set_state("failed", error="no room for **weights** <b>here</b>")
    one_run.worker_log.write_text("loading\nout of memory\n")
    app = page("run")
    assert not app.exception
    codes = [code.value for code in app.code]
    assert "no room for **weights** <b>here</b>" in codes
    assert "info     loading\ninfo     out of memory" in codes  # what it printed comes first here
    assert widget(app, "button", "Resume")


def test_a_done_run_lists_its_models_with_sizes(one_run: RunFolder, page: Page) -> None:
    app = page("run")
    assert "All iterations were trained." in texts(app)
    names = app.dataframe[0].value["Model"]
    assert list(names) == ["iteration 1", "iteration 2", "baseline sft"]


@pytest.mark.usefixtures("workspace")
def test_a_mixture_is_shown_and_kept(page: Page) -> None:
    file = PROJECT_ROOT / "data" / "configs" / "demo-mixture.yaml"
    app = upload(page("run"), file.read_bytes())
    assert not app.exception
    assert not app.error
    given = yaml.safe_load(file.read_text("utf-8"))
    assert shown_yaml(app)["seeds"]["mixture"] == given["seeds"]["mixture"]
    assert shown_yaml(app)["evaluation"]["prompts"] == given["evaluation"]["prompts"]
    assert f"Run id: {load_config(file).default_run_id}" in texts(app)
    # One of them alone, on its own eval set.
    widget(app, "button_group", "Seed set (D0)").set_value("File").run()
    widget(app, "selectbox", "Seed file").select("data/seeds/demo-safety.jsonl").run()
    shown = shown_yaml(app)
    assert shown["seeds"] == {"path": "data/seeds/demo-safety.jsonl"}
    assert shown["evaluation"]["prompts"] == "data/eval/demo-safety.jsonl"
    assert "draw" not in shown["loop"]


def test_several_seed_sets_are_put_together_on_the_page(workspace: Workspace, page: Page) -> None:
    app = page("run")
    workspace.database.save_seed_set("tea", [Example("Is tea hot?", "At first.")])
    app.run()
    widget(app, "button_group", "Seed set (D0)").set_value("Several").run()
    assert "seeds.mixture needs two domains or more" in texts(app)
    widget(app, "button", "Start").click().run()
    assert workspace.runs() == []
    facts = "data/seeds/demo-truthfulness.jsonl"
    sets = widget(app, "multiselect", "Seed sets, one for each domain")
    assert sets.value == ["data/seeds/demo-safety.jsonl"]  # what the config had
    sets.set_value([*sets.value, facts, "saved: tea"]).run()
    assert not app.exception
    name, rows = (
        next(w for w in kind if w.key.endswith(f"{facts}:{what}"))
        for kind, what in ((app.text_input, "domain"), (app.number_input, "limit"))
    )
    name.set_value("facts")
    rows.set_value(5)
    widget(app, "selectbox", "Examples for a question drawn from").select("domain").run()
    shown = shown_yaml(app)
    assert shown["seeds"]["mixture"] == {
        "demo-safety": {"path": "data/seeds/demo-safety.jsonl"},
        "facts": {"path": facts, "limit": 5},
        "tea": {"name": "tea"},
    }
    assert shown["evaluation"]["prompts"] == {
        "demo-safety": "data/eval/demo-safety.jsonl",
        "facts": "data/eval/demo-truthfulness.jsonl",
    }
    assert shown["loop"]["draw"] == "domain"
    next(w for w in app.text_input if w.key.endswith("tea:domain")).set_value("facts").run()
    assert "Two seed sets are called facts" in texts(app)
    widget(app, "button", "Start").click().run()
    assert workspace.runs() == []


def test_pause_is_asked_for_and_taken_back(running: RunFolder, page: Page) -> None:
    app = page("run")
    widget(app, "button", "Pause after this stage").click().run()
    assert running.pause_requested()
    assert "writing answers; it pauses after this stage." in texts(app)
    widget(app, "button", "Do not pause").click().run()
    assert not running.pause_requested()


def test_a_paused_run_says_where_and_can_go_on(one_run: RunFolder, page: Page) -> None:
    one_run.set_state("stopped", "paused after training, iteration 1")
    app = page("run")
    assert "paused after training, iteration 1. What is done is kept." in texts(app)
    assert widget(app, "button", "Resume")


# -------------------------------------------------------------------- a run that waits for people


@pytest.mark.usefixtures("workspace")
def test_waiting_for_review_is_a_switch_where_the_method_writes_pairs(page: Page) -> None:
    app = page("run")
    label = "Wait for people's review before each training"
    widget(app, "toggle", label).set_value(True).run()
    assert shown_yaml(app)["review"] == {"wait": True}
    assert "accept, edit or reject pairs" in widget(app, "toggle", label).help
    widget(app, "selectbox", "Method").select("spin").run()
    assert not app.exception
    assert label not in [toggle.label for toggle in app.toggle]


def test_a_run_that_waits_says_how_to_go_on(one_run: RunFolder, page: Page) -> None:
    for file in ("done.json", "kept.jsonl"):
        (one_run.iteration(2).path / file).unlink()
    one_run.set_state("waiting for review", "iteration 2 is to be reviewed")
    app = page("run", **{"from": f"Run: {one_run.run_id}"})
    assert "People decide on the pairs of iteration 2: accept, edit or reject them." in texts(app)
    links = {link.proto.label: link.proto.query_string for link in app.get("page_link")}
    assert links["Review the pairs"] == f"mode=Review&run={one_run.run_id}&k=2"
    assert "Resume" not in [button.label for button in app.button]
    widget(app, "button", "Go on").click().run()
    assert "waits for people's review" in app.error[0].value
    finish_review(one_run, 2, "Ana")
    app.run()
    assert "The review is done: Resume goes on with the training." in texts(app)
    assert widget(app, "button", "Resume")


# -------------------------------------------------------------------- the queue


def waiting_runs(workspace: Workspace, *run_ids: str) -> None:
    """Runs that wait for a device, in this order."""
    supervisor = Supervisor(workspace)
    for run_id in run_ids:
        supervisor.submit(DEMO.read_text(encoding="utf-8"), run_id)


def queue(app: AppTest) -> list[str]:
    """The lines of the queue."""
    return [text.value for text in app.text if re.match(r"\d+\. ", text.value)]


def test_the_queue_is_put_in_order_and_stays_so(workspace: Workspace, page: Page) -> None:
    waiting_runs(workspace, "a", "b", "c")
    app = page("run")
    assert queue(app) == ["1. a", "2. b", "3. c"]
    app.button(key="queue first c").click().run()
    assert queue(app) == ["1. c", "2. a", "3. b"]
    app.button(key="queue down c").click().run()
    app.button(key="queue up b").click().run()
    assert queue(page("run")) == ["1. a", "2. b", "3. c"]  # as another browser sees it
    assert app.button(key="queue up a").disabled
    app.button(key="queue remove b").click().run()
    assert queue(app) == ["1. a", "2. c"]
    assert workspace.run("b").state().state == "stopped"


# -------------------------------------------------------------------- charts and log


def test_lines_of_charts_have_names_and_end_with_the_last_value() -> None:
    figure = steps_figure({("sft", "train"): {1: 2.0, 2: 1.0}, (1, "reward"): {1: 0.5}}, "loss")
    first, second = figure.data
    assert (first.name, list(first.x), list(first.y)) == ("SFT on the seed set", [1, 2], [2.0, 1.0])
    assert second.name == "training the reward model, iteration 1"
    long = steps_figure({(1, "train"): {i: float(i) for i in range(2500)}}, "loss").data[0]
    assert (len(long.x), long.x[1], long.x[-1]) == (834, 3, 2499)


def test_speed_and_memory_are_drawn_in_minutes_and_gigabytes() -> None:
    pace = speed_figure([Point(60.0, 25.0, 1, "answers"), Point(120.0, 5.0, 1, "train")])
    assert [(line.name, list(line.x), list(line.y)) for line in pace.data] == [
        ("writing answers", [1.0], [25.0]),
        ("training", [2.0], [5.0]),
    ]
    (line,) = memory_figure({"CPU": [Point(30.0, 1000.0)], "GPU": []}).data
    assert (line.name, list(line.x), list(line.y)) == ("CPU", [0.5], [1000 * 2**20 / 1e9])


def open_log(app: AppTest, run: RunFolder) -> AppTest:
    app.session_state[f"run_log_open {run.run_id} False"] = True
    return app.run()


def test_a_look_at_a_run_reads_no_closed_log_and_counts_the_time_once(
    one_run: RunFolder, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is followed is looked at every two seconds, by every tab."""
    parts = ((run_log, "printed_lines"), (run_log, "event_lines"), (run_charts, "at_work"))
    calls = [Mock(wraps=getattr(module, name)) for module, name in parts]
    for (module, name), call in zip(parts, calls, strict=True):
        monkeypatch.setattr(module, name, call)
    app = page("run")
    assert [call.call_count for call in calls] == [0, 0, 1]
    open_log(app, one_run)
    assert [call.call_count for call in calls] == [0, 1, 2]


@pytest.mark.usefixtures("one_run")
def test_the_state_of_a_run_is_read_once_for_what_ended(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Mock(wraps=run_notice.run_states)
    monkeypatch.setattr(run_notice, "run_states", looks)
    page("seed")
    assert looks.call_count == 1


def test_the_log_is_chosen_by_level_and_searched_and_shown_as_text(
    one_run: RunFolder, page: Page
) -> None:
    one_run.log_event("warning", place=2, message="**odd** <b>row</b>")
    app = open_log(page("run"), one_run)

    def log() -> str:
        return app.code[-1].value

    assert "iteration 1 ended: kept" in log()
    assert "training, iteration 1: step 1 of 4, loss 2.0000" not in log()  # debug
    assert "iteration 2: **odd** <b>row</b>" in log()
    widget(app, "selectbox", "Level").select("debug").run()
    assert "training, iteration 1: step 1 of 4, loss 2.0000" in log()
    widget(app, "text_input", "Search the log").set_value("ODD").run()
    assert "iteration 2: **odd** <b>row</b>" in log()
    assert "ended" not in log()
    widget(app, "text_input", "Search the log").set_value("[(").run()
    assert "No such line." in texts(app)


# -------------------------------------------------------------------- the end of a run


def test_the_end_of_a_run_is_told_once(running: RunFolder, page: Page) -> None:
    app = page("results")
    assert [toast.value for toast in app.toast] == []
    running.set_state("failed", error="no disk")
    app.run()
    (toast,) = app.toast
    assert toast.value.replace("\\", "") == f"Failed: {running.run_id}"
    assert app.session_state["notice"] == f"Failed: {running.run_id}"
    app.run()
    assert [toast.value for toast in app.toast] == []
    app.switch_page("../pages/seed.py").run()
    assert "notice" not in app.session_state


# -------------------------------------------------------------------- measure before starting


def test_a_dry_run_is_queued_cancelled_and_shown(
    workspace: Workspace, page: Page, small: bytes
) -> None:
    app = upload(page("run"), small)
    widget(app, "button", "Measure before starting").click().run()
    assert not app.exception
    (folder,) = workspace.measurements()
    assert folder.state().state == "queued"
    assert "The dry run waits for the device." in texts(app)
    assert workspace.runs() == []
    widget(app, "button", "Cancel").click().run()
    assert folder.state().state == "stopped"
    assert "did not end: stopped by the user" in texts(app).replace("\\", "")

    config = RunConfig.model_validate(yaml.safe_load(small))
    pace = {"questions": [256.0, 256.0]}
    parts = [("weights", 1000.0, "counted"), ("activations", 500.0, "measured")]
    found = Measured(64, 600, pace, 5.0, 0, 0, parts, peak_mib=2000.0, free_mib=1000.0)
    write_measured(folder, config, found)
    folder.set_state("done")
    app.run()
    assert "of memory at once, where 1.05 GB were free. It will probably not fit." in texts(app)
    times, memory = (frame.value for frame in app.dataframe)
    # 3 iterations of 256 questions, of a second each.
    assert times[times["Stage"] == "writing questions"].to_numpy().tolist() == [
        ["writing questions", "768", "1.000", "12 min 48 s", "measured"]
    ]
    assert memory["GB"].tolist() == ["1.049", "0.524"]
    assert widget(app, "button", "Measure again")


def test_a_failed_dry_run_is_shown_as_text(workspace: Workspace, page: Page, small: bytes) -> None:
    config = RunConfig.model_validate(yaml.safe_load(small))
    folder = workspace.measurement(config.digest)
    folder.set_state("failed", error="no **room** for <b>this</b>")
    app = upload(page("run"), small)
    assert "no **room** for <b>this</b>" in [code.value for code in app.code]
    assert widget(app, "button", "Measure before starting")

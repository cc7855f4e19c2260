"""The Run page: the form from the schema, the command, start, and the live view from the folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from app.widgets.run_fields import Setting, settings, step_of
from app.widgets.run_form import checked, nested, parsed
from app.widgets.run_loss import loss_figure
from isara.config import PROJECT_ROOT, LoraConfig
from isara.config_files import flatten, load_config
from isara.jobs import Supervisor, log_tail
from isara.workspace.runs import RunFolder, Workspace

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
    assert (alpha.kind, alpha.low, alpha.high, alpha.optional) == (float, 0.0, 1.0, False)
    assert (limit.kind, limit.low, limit.high, limit.optional) == (int, 1.0, None, True)
    assert alpha.help.startswith("Stop when fewer than alpha * N candidates are kept [S].")
    assert by_path["decoding.question.top_p"].label == "Question: top p"
    assert by_path["training.lora"].kind is LoraConfig


@pytest.mark.parametrize(
    ("default", "high", "step"), [(2e-5, 1.0, 1e-5), (0.3, 1.0, 0.05), (3.0, 100.0, 0.1)]
)
def test_steps_follow_the_size_of_the_number(default: float, high: float, step: float) -> None:
    setting = Setting("a", float, False, 0.0, high, "", default)
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
    app = page("run")
    widget(app, "selectbox", "Decoding preset").select("paper").run()
    assert widget(app, "number_input", "Answer: repetition penalty").value == 2.0
    wanted = load_config(DEMO, ["decoding.preset=paper"]).default_run_id
    assert f"Run id: {wanted}" in texts(app)


@pytest.mark.usefixtures("workspace")
def test_lora_is_a_switch_with_its_own_settings(page: Page) -> None:
    app = page("run")
    label = "Train adapters (LoRA) instead of the full weights"
    widget(app, "toggle", label).set_value(True).run()
    widget(app, "number_input", "Lora: r").set_value(4).run()
    assert shown_yaml(app)["training"]["lora"] == {"r": 4}
    widget(app, "toggle", label).set_value(False).run()
    assert "lora" not in shown_yaml(app).get("training", {})


def test_a_saved_seed_set_is_named_with_its_version(workspace: Workspace, page: Page) -> None:
    app = page("run")
    widget(app, "button_group", "Seed set (D0)").set_value("Saved").run()
    assert not app.exception
    assert shown_yaml(app)["seeds"] == {"name": "demo safety", "version": 1}


@pytest.mark.usefixtures("workspace")
def test_problems_are_one_list_and_nothing_can_be_started(page: Page) -> None:
    app = page("run")
    widget(app, "text_input", "Name of the run").set_value("two words")
    widget(app, "text_input", "Column names of the seed file").set_value("question: [1]").run()
    (listed,) = [code.value for code in app.code]
    assert [line.split(":")[0] for line in listed.splitlines()] == [
        "• name",
        "• seeds.mapping.question",
    ]
    assert widget(app, "button", "Start").disabled


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
    assert f"1. {run.run_id}, 2. {run.run_id}-2" in texts(app)


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
    assert widget(app, "button", "Start").disabled


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
    assert len(app.get("plotly_chart")) == 1
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
    assert "loading\nout of memory" in codes
    assert widget(app, "button", "Resume")


def test_a_done_run_lists_its_models_with_sizes(one_run: RunFolder, page: Page) -> None:
    app = page("run")
    assert "All iterations were trained." in texts(app)
    names = app.dataframe[0].value["Model"]
    assert list(names) == ["iteration 1", "iteration 2", "baseline sft"]


def test_loss_has_a_line_for_each_model_and_the_last_word_on_a_step() -> None:
    steps = [("sft", 1, 2.0), ("sft", 2, 1.0), (1, 1, 1.5), (1, 2, 9.0), (1, 2, 1.2)]
    events = [{"place": place, "step": step, "loss": loss} for place, step, loss in steps]
    sft, first = loss_figure(events).data
    assert (sft.name, list(sft.y)) == ("SFT on the seed set", [2.0, 1.0])
    assert (first.name, list(first.x), list(first.y)) == ("iteration 1", [1, 2], [1.5, 1.2])


def test_log_tail_begins_with_a_whole_line(one_run: RunFolder) -> None:
    assert log_tail(one_run) == ""
    one_run.worker_log.write_bytes(b"first line\nsecond\nthird\n")
    assert log_tail(one_run, 100) == "first line\nsecond\nthird"
    assert log_tail(one_run, 15) == "second\nthird"


@pytest.mark.usefixtures("workspace")
def test_a_mixture_is_shown_and_kept(page: Page) -> None:
    file = PROJECT_ROOT / "data" / "configs" / "demo-mixture.yaml"
    app = upload(page("run"), file.read_bytes())
    assert not app.exception
    assert not app.error
    shown, whole = [yaml.safe_load(code.value) for code in app.code if code.language == "yaml"]
    given = yaml.safe_load(file.read_text("utf-8"))
    assert shown == given["seeds"]["mixture"] == whole["seeds"]["mixture"]
    assert whole["evaluation"]["prompts"] == given["evaluation"]["prompts"]
    assert f"Run id: {load_config(file).default_run_id}" in texts(app)

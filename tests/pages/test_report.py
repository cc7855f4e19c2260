"""The Report page: made when asked, test looks counted, exports and their commands."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets import report_export
from app.widgets.report_export import data_zip, model_zip
from app.widgets.report_view import command, file_name
from isara.config_files import load_config, to_yaml
from isara.workspace.files import write_json
from isara.workspace.runs import RunFolder, Workspace
from tests.pages.conftest import place_of

Page = Callable[..., AppTest]


def frame(app: AppTest) -> str:
    """The report in the page's frame."""
    found = app.get("iframe")
    source = str(found[0].proto.src)
    head, _, data = source.partition(",")
    assert head == "data:text/html;charset=utf-8;base64"
    return base64.b64decode(data).decode()


def commands(app: AppTest) -> list[str]:
    return [code.value for code in app.code]


def choose(app: AppTest, key: str, value: Any) -> AppTest:
    widget = next(item for item in [*app.radio, *app.selectbox] if item.key == key)
    return widget.set_value(value).run()


@pytest.mark.usefixtures("workspace")
def test_empty_workspace_leads_to_the_run_page(page: Page) -> None:
    app = page("report")
    assert not app.exception
    assert "There is no run yet" in app.info[0].value


def test_a_report_is_made_when_asked_and_shown_in_a_frame(one_run: RunFolder, page: Page) -> None:
    app = page("report")
    assert not app.exception
    assert not app.get("iframe")
    before = place_of(app, "report-make")
    assert before.count("code") == 0  # its command grows with the question
    assert commands(app)[0] == (
        f"python -m isara report {one_run.run_id} --out report-{one_run.run_id}.html --split dev"
        f" --workspace {one_run.path.parents[1]}"
    )
    app.button(key="report-make").click().run()
    assert not app.exception
    html = frame(app)
    assert "default-src 'none'" in html
    assert "dev split" in html
    assert app.button(key="report-make").label == "Make the report again"
    app.text_input(key="report-question").set_value("Does it <b>work?").run()
    assert not app.get("iframe")  # of other words
    app.button(key="report-make").click().run()
    assert "Does it &lt;b&gt;work?" in frame(app)


def test_the_test_split_counts_a_look_for_each_report(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    app = choose(page("report"), "report-split", "test")
    assert workspace.database.test_looks(one_run.run_id) == 0
    app.button(key="report-make").click().run()
    app.run()
    assert workspace.database.test_looks(one_run.run_id) == 1
    assert any("looked at 1 times" in caption.value for caption in app.caption)


def test_a_damaged_run_is_a_sentence(one_run: RunFolder, page: Page) -> None:
    (one_run.iteration(1).metrics).write_bytes(b"[]")
    app = page("report")
    app.button(key="report-make").click().run()
    assert not app.exception
    assert "does not hold what a run writes" in app.error[0].value


def test_exports_show_their_command_and_hold_the_files(one_run: RunFolder, page: Page) -> None:
    run_id = one_run.run_id
    app = choose(page("report"), "export-format", "alpaca")
    app.checkbox(key="export-candidates").check().run()
    wanted = f"export {run_id} --to {run_id}-alpaca --format alpaca --candidates"
    assert commands(app)[1] == f"python -m isara {wanted} --workspace {one_run.path.parents[1]}"
    assert "no trained model on disk" in app.info[0].value  # a scripted run has no weights
    names = zipfile.ZipFile(io.BytesIO(data_zip(run_id, "alpaca", True))).namelist()
    assert f"{run_id}-alpaca/candidates.json" in names


def test_an_export_that_fails_says_why(one_run: RunFolder, page: Page) -> None:
    page("report")
    write_json(one_run.path / "seeds.jsonl", [1])
    for made in (data_zip(one_run.run_id, "jsonl", False), model_zip(one_run.run_id, "2")):
        archive = zipfile.ZipFile(io.BytesIO(made))
        assert archive.namelist() == ["WHY-THIS-IS-EMPTY.txt"]
        assert archive.read("WHY-THIS-IS-EMPTY.txt").strip()


def test_a_merged_model_is_as_large_as_its_base(
    one_run: RunFolder, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, model = tmp_path / "base", one_run.iteration(2).model
    for folder, name, size in ((base, "model", 3), (model, "adapter_model", 1)):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.safetensors").write_bytes(bytes(size * 2**20))
    (model.parent / "trained.json").touch()
    changes = [f"model.path={base}", "training.lora={}"]
    one_run.config.write_text(to_yaml(load_config(one_run.config, changes)))

    app = page("report")
    button = "Download the model (zip, {} MiB before packing)"
    assert button.format("1.0") in labels(app)
    app.checkbox(key="export-merge").check().run()
    assert button.format("about 3.0") in labels(app)
    monkeypatch.setattr(report_export, "MOST_MIB", 2)
    app.run()
    assert "3 MiB are too large for a browser: use the command." in captions(app)
    (base / "model.safetensors").unlink()
    base.rmdir()
    assert "How large the base model is, is not known here" in captions(app.run())


def labels(app: AppTest) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]


def captions(app: AppTest) -> str:
    return "\n".join(item.value for item in app.caption)


def test_names_and_quotes_of_the_command(workspace: Workspace) -> None:
    assert file_name(["a", "b", "c"]) == "report-a-and-2-more.html"
    words = command(["a"], "test", "Is it 'so'?").partition(" --workspace ")[0]
    assert words.endswith("""--question 'Is it '"'"'so'"'"'?'""")

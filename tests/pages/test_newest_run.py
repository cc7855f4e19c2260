"""A page opens on the newest run that has what it shows; what an address names counts over that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app import state
from isara.workspace.runs import RunFolder, Workspace

Page = Callable[..., AppTest]


@pytest.fixture
def queued(workspace: Workspace, one_run: RunFolder) -> str:
    """A run newer than the finished one, of which nothing is there but its config."""
    model = one_run.iteration(2).model
    model.mkdir(exist_ok=True)
    (model / "model.safetensors").touch()  # the scripted run trains none
    (model.parent / "trained.json").touch()
    made = workspace.run("queued")
    made.create(one_run.config.read_text(encoding="utf-8"))
    return made.run_id


def run_of(app: AppTest) -> object:
    assert not app.exception
    (box,) = [item for item in app.selectbox if item.label == "Run"]
    return box.value


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("samples", {}),
        ("samples", {"mode": "Label answers"}),
        ("filters", {}),
        ("neighbours", {"view": "A run on a map"}),
        ("playground", {}),
        ("playground", {"play": "Blind vote"}),
    ],
)
def test_a_page_opens_on_a_run_that_has_something(
    one_run: RunFolder, queued: str, page: Page, name: str, address: dict[str, str]
) -> None:
    app = page(name, **address)
    assert state.run_ids()[0] == queued
    assert run_of(app) == one_run.run_id
    assert run_of(page(name, run=queued, **address)) == queued


@pytest.mark.parametrize("name", ["results", "report"])
def test_so_do_results_and_report(one_run: RunFolder, queued: str, page: Page, name: str) -> None:
    assert page(name).multiselect[0].value == [one_run.run_id]
    assert page(name, runs=queued).multiselect[0].value == [queued]


def test_a_run_just_queued_is_followed_and_other_pages_stay(
    one_run: RunFolder, queued: str, page: Page
) -> None:
    app = page("run", run=queued)
    (box,) = [item for item in app.selectbox if item.label == "Run to follow"]
    assert box.value == queued
    app.query_params.clear()  # as a browser does with a link to another page
    app.switch_page("../pages/samples.py").run()
    assert run_of(app) == one_run.run_id

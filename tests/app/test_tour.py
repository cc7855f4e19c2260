"""The guided demo: where it leads, what it starts, what it waits for, and the way out."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.tour import STOPS
from isara.config import PROJECT_ROOT
from isara.jobs import Supervisor
from isara.workspace.runs import RunFolder, Workspace
from tests.pages.conftest import one_run, page, scripted_run, workspace

__all__ = ["one_run", "page", "scripted_run", "workspace"]  # fixtures of the pages' tests

Page = Callable[..., AppTest]
LEFT_OUT = {"help"}  # pages that are no part of the story


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A started run stays in the queue: no worker process in these tests."""
    monkeypatch.setattr(Supervisor, "_spawn", lambda supervisor, run: None)


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def panel(app: AppTest) -> str:
    return "\n".join(item.value for item in app.markdown if "Guided demo" in item.value)


def keys(app: AppTest) -> set[Any]:
    return {button.key for button in app.button if str(button.key).startswith("tour")}


def test_every_page_has_its_stop() -> None:
    # Importing the entry would run the app.
    entry = ast.parse((PROJECT_ROOT / "app" / "main.py").read_text(encoding="utf-8"))
    (table,) = [
        ast.literal_eval(line.value)
        for line in entry.body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "PAGES"
    ]
    assert sorted(stop.page for stop in STOPS) == sorted(
        name for name, *_ in table if name not in LEFT_OUT
    )


def test_an_empty_workspace_offers_the_tour_on_its_first_page(
    workspace: Workspace, page: Page
) -> None:
    app = page("seed")
    assert keys(app) == {"tour_start", "tour_offer"}
    app = press(app, "tour_offer")
    assert panel(app).startswith("**Guided demo, 1 of 8: 64 examples")
    assert app.query_params["tour"] == "1"
    assert app.button(key="tour_next").label == "Start the demo run and go on"


def test_the_first_next_starts_the_demo_run_once(workspace: Workspace, page: Page) -> None:
    app = press(press(page("seed"), "tour_offer"), "tour_next")
    (run,) = workspace.runs()
    assert run.run_id.startswith("demo-")
    assert run.state().state == "queued"
    assert panel(app).startswith("**Guided demo, 2 of 8")
    assert len(workspace.runs()) == 1


def test_a_stop_waits_for_what_it_shows(workspace: Workspace, page: Page) -> None:
    press(press(page("seed"), "tour_offer"), "tour_next")
    app = page("run", tour="3")
    assert app.button(key="tour_next").disabled
    assert any(
        "waits for the first pairs to be written (the demo run is queued" in c.value
        for c in app.caption
    )
    (run,) = workspace.runs()
    scores = run.iteration(1).scores
    scores.parent.mkdir(parents=True)
    scores.write_bytes(b"")
    assert not page("run", tour="3").button(key="tour_next").disabled


def test_another_page_than_the_stops_leads_back(workspace: Workspace, page: Page) -> None:
    app = page("results", tour="2")
    assert app.button(key="tour_there").label == "Go to Neighbours"
    assert "tour_next" not in keys(app)


def test_the_way_out(workspace: Workspace, page: Page) -> None:
    app = press(page("seed", tour="1"), "tour_leave")
    assert "tour" not in app.query_params
    assert keys(app) == {"tour_start", "tour_offer"}


@pytest.mark.parametrize("number", ["0", "9", "-1", "two", ""])
def test_an_address_with_another_number_starts_no_tour(
    workspace: Workspace, page: Page, number: str
) -> None:
    assert panel(page("seed", tour=number)) == ""


def test_a_workspace_with_runs_offers_the_tour_in_the_side_bar_alone(
    one_run: RunFolder, page: Page
) -> None:
    assert keys(page("seed")) == {"tour_start"}

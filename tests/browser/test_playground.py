"""The Playground in a browser: two models stream side by side, and a blind vote by keys alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools
from isara.methods.runner import execute, prepare
from isara.workspace.runs import RunFolder, Workspace
from tests.browser.serving import app_command, free_port, serving, settled, visit
from tests.browser.test_journey import MINUTES, ROOT, shot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (ROOT / "data/demo/language-model").is_dir(), reason="data/demo is not built"
    ),
]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A finished run without a model (scripted), but with the demo's base model in its config."""
    workspace = Workspace(tmp_path / "workspace")
    changes = ["loop.candidates=64", "loop.max_iterations=1"]
    config = load_config(ROOT / "data/configs/demo.yaml", changes)
    folder = workspace.run("shown")
    execute(prepare(config, workspace), folder, workspace=workspace, tools=ScriptedTools())
    workspace.database.close()
    return folder


@pytest.fixture
def address(run: RunFolder) -> Iterator[str]:
    port = free_port()
    with serving(app_command(port, run.path.parents[1]), port) as found:
        yield found


def button(page: Page, label: str) -> Locator:
    """A button whose name holds a label, beside its icon and its key."""
    return page.get_by_role("button", name=re.compile(rf"\b{label}\b")).first


def open_answers(page: Page, position: int) -> None:
    """Unfold the answers to a prompt by key where they are folded; they can be voted on then."""
    # The last of the buttons: a key whose button is yet to be drawn does nothing.
    expect(page.locator(f".st-key-vote_undo_{position} button").first).to_be_visible()
    # While the page changes, the button as it was stands there for a moment too.
    left = page.locator(f".st-key-vote_left_{position} button").first
    expect(left).to_be_visible()
    if left.is_disabled():
        page.keyboard.press("o")
    expect(left).to_be_enabled()


def test_two_models_stream_side_by_side(address: str, page: Page) -> None:
    visit(page, f"{address}/playground?models=base&models=icl_knn&tokens=64")
    button(page, "Ask").click()
    expect(page.get_by_text(re.compile(r"\d+ tokens in"))).to_have_count(2, timeout=4 * MINUTES)
    expect(page.get_by_text("held in memory")).to_have_count(0)  # both are the base model's weights
    shot(page, "playground")
    page.reload()  # the link has the question; what was written was this session's
    expect(button(page, "Ask")).to_be_enabled()
    expect(page.get_by_text("Base model", exact=True).first).to_be_visible()


def test_a_blind_vote_by_keys_with_a_reload_in_the_middle(
    address: str, page: Page, run: RunFolder
) -> None:
    visit(page, f"{address}/playground?play=Blind+vote")
    name = page.get_by_label("Your name as reviewer", exact=True)
    name.fill("ann")
    name.press("Enter")
    settled(page)
    prompts = page.get_by_label("Prompts", exact=True)
    prompts.fill("10")
    prompts.press("Tab")
    button(page, "Start voting").click()
    for done in range(10):
        if done == 6:
            page.reload()
            settled(page)
            name.fill("ann")
            name.press("Enter")
        expect(page.get_by_text(f"{done} of 10 voted")).to_be_visible()
        page.get_by_role("heading", level=1).click()  # keys are for the page, not for a field
        open_answers(page, done)
        page.keyboard.press("123"[done % 3])
    expect(page.get_by_text("All 10 prompts have your vote.")).to_be_visible()
    votes = Workspace(run.path.parents[1]).database.votes(run.run_id)
    assert [vote.choice for vote in votes] == ["left", "right", "tie"] * 3 + ["left"]
    assert all(vote.blind for vote in votes)
    expect(page.locator(".st-key-vote_undo_10 button").first).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text("9 of 10 voted")).to_be_visible()
    open_answers(page, 9)
    page.keyboard.press("3")
    button(page, "Show whose answers they were").click()
    expect(page.get_by_text(re.compile(r"n = 10 prompts, 10 votes"))).to_be_visible()
    shot(page, "blind-vote")

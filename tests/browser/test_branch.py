"""From a moved threshold to a trained branch in a browser: filters, compare, preset, run."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools
from isara.methods.runner import execute, prepare
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import RunFolder, Workspace
from tests.browser.serving import visit
from tests.browser.test_journey import MINUTES, ROOT, open_page, pytestmark, shot, state

__all__ = ["pytestmark"]


@pytest.fixture
def parent(tmp_path: Path) -> RunFolder:
    """A finished run of one iteration in the server's workspace: texts of the grammar, so that no
    model had to write them. The branch is trained with the real ones."""
    prompts = (ROOT / "data/eval/demo-safety.jsonl").read_text(encoding="utf-8").splitlines()
    few = tmp_path / "prompts.jsonl"
    few.write_text("".join(f"{line}\n" for line in prompts[::12]), encoding="utf-8")
    settings = ["loop.candidates=80", "loop.max_iterations=1", "evaluation.baselines=[]"]
    settings += [f"evaluation.prompts={few}", "training.epochs=1"]
    workspace = Workspace(tmp_path / "workspace")
    config = load_config(ROOT / "data/configs/demo.yaml", settings)
    folder = workspace.run("first")
    execute(prepare(config, workspace), folder, workspace=workspace, tools=ScriptedTools())
    workspace.database.close()
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)  # a training, on shared cores
def test_from_filters_to_a_trained_branch(parent: RunFolder, server: str, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, f"{server}/filters?run=first&k=1")
    slider = page.get_by_role("slider").first
    expect(slider).to_be_visible()
    slider.focus()
    for _ in range(25):  # 0.70 to 0.45, by the keyboard alone
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("The small numbers compare with the run's own values.")).to_be_visible()
    page.get_by_role("tab", name="Compared").click()
    expect(page.get_by_text("Lost: kept by A alone")).to_be_visible()
    page.get_by_role("button", name="Judge all 80 pairs").click()
    expect(page.get_by_role("button", name="Judge all 80 pairs")).to_have_count(0)
    shot(page, "branch-1-compared")

    page.get_by_text("Presets", exact=True).click()
    page.get_by_label("Name of a preset", exact=True).fill("strict")
    page.get_by_role("button", name="Save these values").click()
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    page.reload()
    expect(page.get_by_role("slider").first).to_have_value("0.45")

    page.get_by_role("tab", name="Use these values").click()
    expect(page.get_by_text("isara branch first --at 1").first).to_be_visible()
    shot(page, "branch-2-command")
    page.get_by_role("button", name="Start the branch").click()
    page.get_by_role("link", name="Follow it on the Run page").click()
    expect(page.get_by_text("A branch of the run first at iteration 1")).to_be_visible()
    expect(state(page, "done")).to_be_visible(timeout=8 * MINUTES)
    shot(page, "branch-3-trained")

    (made,) = parent.path.parent.glob("demo-k1-*")
    branch = RunFolder(made)
    assert read_json(branch.iteration(1).done)["trained"]
    assert (
        branch.iteration(1).candidates.read_bytes() == parent.iteration(1).candidates.read_bytes()
    )
    assert 0 < len(read_jsonl(branch.iteration(1).kept)) < len(read_jsonl(parent.iteration(1).kept))
    assert (branch.iteration(1).model / "model.safetensors").exists()
    open_page(page, "Results")
    expect(page.get_by_text("Harmful").first).to_be_visible()

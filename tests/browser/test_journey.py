"""The whole story in a browser: upload, neighbours, run, reload in the middle, falling curve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.serving import settled, visit

ROOT = Path(__file__).resolve().parents[2]
SHOTS = Path(__file__).parent / "shots"
MINUTES = 60_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (ROOT / "data/demo/language-model").is_dir(), reason="data/demo is not built"
    ),
]


def shot(page: Page, name: str) -> None:
    """Keep a screenshot for people to look at."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def open_page(page: Page, name: str) -> None:
    """Go to a page by the navigation, as a person does."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settled(page)


def set_number(page: Page, label: str, value: str) -> None:
    """Type a number into a field and leave it."""
    field = page.get_by_label(label, exact=True).first
    field.fill(value)
    field.press("Tab")


def state(page: Page, word: str) -> Locator:
    """The badge with the run's state."""
    return page.locator(".stMarkdownBadge", has_text=word).first


@pytest.mark.slow
@pytest.mark.timeout(1800)  # a run of two iterations, on shared cores
def test_from_upload_to_a_falling_curve(server: str, page: Page) -> None:
    visit(page, server)
    page.get_by_role("tab", name="Bring your own file").click()
    page.locator("input[type=file]").set_input_files(ROOT / "data/seeds/demo-safety.jsonl")
    page.get_by_role("button", name="Save 64 good rows as version 1").click()
    expect(page.get_by_text("Saved as demo-safety, version 1")).to_be_visible()
    shot(page, "1-seed")

    open_page(page, "Neighbours")
    expect(page.get_by_text("What the model is shown")).to_be_visible()
    expect(page.get_by_text("What random choice would give")).to_be_visible()
    shot(page, "2-neighbours")

    open_page(page, "Run")
    set_number(page, "Pairs per iteration (N)", "64")
    set_number(page, "Iterations at most", "2")
    start = page.get_by_role("button", name="Start", exact=True)
    expect(page.get_by_text(re.compile(r"Run id: demo-\w{6}"))).to_be_visible()
    start.click()
    expect(state(page, "running")).to_be_visible(timeout=2 * MINUTES)
    shot(page, "3-running")
    page.reload()
    expect(state(page, "running")).to_be_visible()
    expect(state(page, "done")).to_be_visible(timeout=8 * MINUTES)
    shot(page, "4-done")

    open_page(page, "Results")
    fewer = page.get_by_text(re.compile("fewer harmful answers than the base"))
    expect(fewer.first).to_be_visible()
    shot(page, "5-results")

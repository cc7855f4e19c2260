"""Curate a seed set in a browser: a cell, two tabs, a restart of the server, a version."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from isara.workspace.database import Database
from tests.browser.serving import WAIT_MS, app_command, free_port, serving, settled, visit

SHOTS = Path(__file__).parent / "shots"
ADDRESS = "?seed_tab=Edit"
# Places in the table, in pixels: the header, a row, the tick, and the answer.
HEADER, ROW, TICK, ANSWER = 38, 76, 30, 450

pytestmark = pytest.mark.browser


def shot(page: Page, name: str) -> None:
    """Keep a screenshot for people to look at."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def cell(row: int, x: int) -> dict[str, float]:
    """The middle of a cell of the table; rows count from 1."""
    return {"x": x, "y": HEADER + ROW * (row - 0.5)}


def table(page: Page) -> Locator:
    """What takes the clicks of the table, which is drawn on a canvas."""
    return page.get_by_test_id("stDataFrame").locator(".dvn-scroller").first


def tick(page: Page, row: int, told: str) -> None:
    """Tick a row, and wait until the page says which rows are ticked."""
    table(page).click(position=cell(row, TICK))
    expect(page.get_by_text(told, exact=True)).to_be_visible()
    settled(page)


def whole(page: Page, rows: int) -> None:
    """Wait for the page of so many rows down to its last button: the table stands above that."""
    expect(page.get_by_role("button", name=f"Save {rows} rows as version 2")).to_be_visible()
    settled(page)


def test_curate_and_save_a_version(tmp_path: Path, page: Page) -> None:
    workspace = tmp_path / "workspace"
    port = free_port()
    with serving(app_command(port, workspace), port) as address:
        visit(page, f"{address}/{ADDRESS}")
        table(page).dblclick(position=cell(2, ANSWER))
        field = page.locator("#portal textarea")
        expect(field).to_be_visible()
        field.fill("No. I can help you write something kind.")
        field.press("Enter")
        expect(page.get_by_text("1 change, kept as you make them")).to_be_visible()

        browser = page.context.browser
        assert browser is not None
        # A second tab sees the draft, and changes it.
        other = browser.new_page(viewport=page.viewport_size)
        other.set_default_timeout(WAIT_MS)
        visit(other, f"{address}/{ADDRESS}")
        expect(other.get_by_text("Edit row 2: answer")).to_be_visible()
        tick(other, 1, "1 ticked: row 1")
        other.get_by_role("button", name="Delete").click()
        expect(other.get_by_text("2 changes")).to_be_visible()
        whole(other, 63)
        other.get_by_role("button", name="Undo").click()
        expect(other.get_by_text("1 change,")).to_be_visible()
        whole(other, 64)  # with a new table
        tick(other, 1, "1 ticked: row 1")
        tick(other, 3, "2 ticked: rows 1, 3")
        other.get_by_role("button", name="Merge").click()
        expect(other.get_by_text("Merge rows 1 and 3 into one")).to_be_visible()
        expect(other.get_by_label("Answer", exact=True)).to_be_visible()
        settled(other)
        shot(other, "curate-1-merge")
        other.locator(".st-key-seed_form_done button").click()
        expect(other.get_by_text("2 changes")).to_be_visible()
        other.close()

    with serving(app_command(port, workspace), port) as address:  # the same address again
        visit(page, f"{address}/{ADDRESS}")
        expect(page.get_by_text("2 changes, kept as you make them")).to_be_visible()
        page.get_by_label("Your name", exact=True).fill("Ann")
        page.get_by_label("Note", exact=True).fill("kinder")
        page.get_by_label("Note", exact=True).press("Tab")
        page.get_by_role("button", name="Save 63 rows as version 2").click()
        expect(page.get_by_text("Saved as demo safety, version 2, with 63 rows.")).to_be_visible()
        shot(page, "curate-2-saved")
        page.get_by_role("tab", name="Versions").click()
        expect(page.get_by_text("changed (2)")).to_be_visible()
        shot(page, "curate-3-versions")

    database = Database(workspace / "isara.db")
    saved = database.load_seed_set("demo safety")
    assert (saved.info.author, saved.info.note, saved.info.size) == ("Ann", "kinder", 63)
    assert saved.examples[1].answer == "No. I can help you write something kind."
    assert len(database.load_seed_set("demo safety", 1).examples) == 64
    database.close()

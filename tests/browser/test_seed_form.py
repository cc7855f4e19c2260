"""The form for a row in a browser: what is typed is there again after a reload and a restart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.widgets import kept_values
from isara.examples import Example
from isara.workspace.runs import Workspace
from isara.workspace.seed_drafts import SeedDrafts, draft_folder
from tests.browser.serving import (
    CHROMIUM,
    app_command,
    chromium_page,
    free_port,
    serving,
    settled,
    visit,
)
from tests.browser.test_curate import tick
from tests.browser.test_typed_then_clicked import there

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One seed set of two rows."""
    made = Workspace(tmp_path / "workspace")
    pairs = [Example("Who is there?", "A friend."), Example("Is it cold?", "Only in winter.")]
    made.database.save_seed_set("mine", pairs)
    return made


def type_at_the_end(page: Page, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True)
    expect(field).to_be_visible()
    settled(page)
    field.focus()
    field.press("ControlOrMeta+End")
    field.press_sequentially(text)


def is_kept(workspace: Workspace, answer: str) -> bool:
    """Whether this answer is on disk as what stands in the form."""
    kept = kept_values.newest(draft_folder(workspace.root, "mine"), "form")
    return kept is not None and [row[2] for row in kept.values["typed"]] == [answer]


def in_draft(workspace: Workspace) -> list[str]:
    draft = SeedDrafts(workspace).open("mine")
    return [row.answer for row in draft.view().board.rows] if draft else []


def test_what_is_typed_into_a_form_survives(workspace: Workspace) -> None:
    port = free_port()
    with chromium_page() as page:
        with serving(app_command(port, workspace.root), port) as address:
            visit(page, f"{address}/?seed_tab=Edit&seeds=mine")
            tick(page, 1, "1 ticked: row 1")
            page.locator(".st-key-seed_do_open button").click()
            type_at_the_end(page, "Answer", " Or a foe")
            page.wait_for_url(re.compile("form="))  # sent although the field was not left
            type_at_the_end(page, "Answer", ".")
            there(lambda: is_kept(workspace, "A friend. Or a foe."))
            page.reload()
            expect(page.get_by_label("Answer", exact=True)).to_have_value("A friend. Or a foe.")
            type_at_the_end(page, "Answer", " Who knows?")
            written = "A friend. Or a foe. Who knows?"
            there(lambda: is_kept(workspace, written))
            page.get_by_test_id("stSidebarNav").get_by_role("link", name="Help").click()
            expect(page.get_by_role("heading", level=1).first).to_have_text("Start")
            page.get_by_test_id("stSidebarNav").get_by_role("link", name="Seed").click()
            expect(page.get_by_label("Answer", exact=True)).to_have_value(written)
            page.wait_for_url(re.compile("form="))
            assert in_draft(workspace) == []
        with serving(app_command(port, workspace.root), port):  # the server was started again
            visit(page, page.url)
            expect(page.get_by_label("Answer", exact=True)).to_have_value(written)
            type_at_the_end(page, "Answer", "!")
            page.get_by_role("button", name="Change", exact=True).click()  # takes the last key
            expect(page.get_by_text("1 change, kept as you make them")).to_be_visible()
            assert in_draft(workspace) == [f"{written}!", "Only in winter."]
            expect(page.get_by_label("Answer", exact=True)).to_have_count(0)
            expect(page).not_to_have_url(re.compile("form="))

"""The end of a run is told in the tab's title, on any page, also while another tab is in front."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from isara.workspace.runs import Workspace

pytestmark = pytest.mark.browser
WAIT_MS = 90_000


def test_the_title_tells_the_end_of_a_run(server: str, page: Page, tmp_path: Path) -> None:
    run = Workspace(tmp_path / "workspace").run("night")
    run.create("name: night\n")
    run.set_state("running")
    run.beat(os.getpid())  # this process stands for its worker
    assert page.context.browser is not None
    context = page.context.browser.new_context()  # for two tabs of one window
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(f"{server}/results")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=WAIT_MS)
    expect(page).to_have_title("ISARA Studio", timeout=WAIT_MS)

    front = context.new_page()
    front.goto("about:blank")
    front.bring_to_front()
    run.set_state("done")
    expect(page).to_have_title("Done: night - ISARA Studio", timeout=WAIT_MS)
    page.bring_to_front()
    expect(page.get_by_test_id("stToast")).to_contain_text("Done: night", timeout=WAIT_MS)

    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Seed").click()
    expect(page).to_have_title(re.compile("^ISARA Studio$"), timeout=WAIT_MS)

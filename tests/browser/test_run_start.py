"""Start on the Run page counts, however soon it is clicked and whatever follows it."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from isara.config import PROJECT_ROOT
from isara.config_files import load_config, to_yaml
from isara.workspace.runs import Workspace
from tests.browser.serving import WAIT_MS, app_command, free_port, serving

TRIES = 6
QUEUED_S = 90  # for a run to come into the queue on a busy machine
WINDOW: ViewportSize = {"width": 1280, "height": 1200}  # Start is seen without scrolling
# Start, and a setting that comes in while the page is drawn anew.
START_AND_A_SETTING = """pause => {
    document.querySelector('.st-key-run_start_button button').click()
    setTimeout(() => document.querySelector(
        '[class*=loop-candidates] button[aria-label=Increment]').click(), pause)
}"""

pytestmark = pytest.mark.browser


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Whose device is busy, so that what is started waits: this process is the worker."""
    made = Workspace(tmp_path / "workspace")
    busy = made.run("busy")
    busy.create(to_yaml(load_config(PROJECT_ROOT / "data/configs/demo.yaml")))
    busy.set_state("running")
    busy.beat(os.getpid())
    return made


def queued(workspace: Workspace, tab: Page) -> bool:
    """Whether a run came into the queue; it is taken away again."""
    deadline = time.time() + QUEUED_S
    while time.time() < deadline:
        for run in workspace.runs():
            if run.run_id != "busy" and run.job.exists():
                expect(tab.get_by_text("Waiting: 1.")).to_be_visible()
                expect(tab).to_have_url(re.compile(f"[?&]run={run.run_id}"))  # it is followed
                expect(tab.get_by_text("Number 1 in the queue")).to_be_visible()
                shutil.rmtree(run.path)
                return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("follows", [False, True])
def test_start_as_soon_as_it_can_be_clicked(
    workspace: Workspace, page: Page, follows: bool
) -> None:
    port, found = free_port(), []
    assert page.context.browser
    with serving(app_command(port, workspace.root), port) as address:
        page.goto(f"{address}/run")
        page.get_by_role("button", name="Start", exact=True).wait_for()
        page.goto("about:blank")
        for number in range(TRIES):
            # A new browser session, which has the app's files still to fetch.
            tab = page.context.browser.new_page(viewport=WINDOW)
            tab.set_default_timeout(WAIT_MS)
            tab.goto(f"{address}/run", wait_until="commit")
            start = tab.get_by_role("button", name="Start", exact=True)
            start.wait_for()
            if follows:
                tab.evaluate(START_AND_A_SETTING, 20 * number)
            else:
                box = start.bounding_box()
                assert box
                tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            found.append(queued(workspace, tab))
            tab.close()
    assert found == [True] * TRIES

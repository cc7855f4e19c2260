"""The guided demo in a browser, from an empty workspace to the report, by its own buttons."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.tour import STOPS
from tests.browser.serving import visit
from tests.browser.test_journey import MINUTES, pytestmark, shot

__all__ = ["pytestmark"]

SHOWN = {  # what a stop's page must have on it, besides the tour's panel
    "seed": "careful",
    "neighbours": "What the model is shown",
    "run": "Pairs per iteration",
    "samples": "Why",
    "filters": "ROUGE-L",
    "results": "Harmful",
    "playground": "base",
    "report": "Download",
}


@pytest.mark.slow
@pytest.mark.timeout(1800)  # a stop may wait ten minutes for the demo run
def test_the_tour_leads_to_its_last_stop(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, server)
    page.get_by_role("button", name="Start the guided demo").click()
    for number, stop in enumerate(STOPS, start=1):
        title = page.get_by_text(f"Guided demo, {number} of {len(STOPS)}: {stop.title}")
        expect(title).to_be_visible()
        expect(page.get_by_text(SHOWN[stop.page]).last).to_be_attached()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        shot(page, f"tour-{number}-{stop.page}")
        if number == 2:  # a reload goes on where it was
            page.reload()
            expect(title).to_be_visible()
        if number < len(STOPS):
            on = page.get_by_test_id("stMainBlockContainer").get_by_role(
                "button", name="Start the demo run and go on" if number == 1 else "Next"
            )
            expect(on.first).to_be_enabled(timeout=10 * MINUTES)
            on.first.click()
    page.get_by_role("button", name="Make the report").click()
    with page.expect_download(timeout=2 * MINUTES) as download:
        page.get_by_role("button", name="Download the report").click()
    assert download.value.suggested_filename.endswith(".html")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Guided demo, ")).to_have_count(0)

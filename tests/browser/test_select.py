"""A row of a table is selected by the keyboard as its caption says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import visit
from tests.browser.test_axe import address

__all__ = ["address"]  # the fixture: the app on a workspace with a finished run

pytestmark = pytest.mark.browser


def test_shift_and_space_open_the_row(address: str, page: Page) -> None:
    visit(page, f"{address}/samples")
    expect(page.get_by_text("Select a row (Shift+Space on the keyboard)")).to_be_visible()
    page.locator("canvas").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Space")
    expect(page.get_by_role("button", name="Close")).to_be_visible()
    expect(page).to_have_url(re.compile("open="))

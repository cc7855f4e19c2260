"""Every page opens under its own name, the first one too, and the menu says where the reader is."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.main import PAGES
from tests.browser.serving import settled, visit

pytestmark = pytest.mark.browser
STEPS_BACK = 5  # at most: what a page writes into its address may be a step of its own


def in_menu(page: Page) -> list[str]:
    """The names in the menu of a page at rest, the current one in brackets."""
    settled(page)
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(links).to_have_count(len(PAGES))
    names = [text.splitlines()[-1] for text in links.all_inner_texts()]
    current = [link.get_attribute("aria-current") for link in links.all()]
    return [f"[{n}]" if c else n for n, c in zip(names, current, strict=True)]


def menu(where: str) -> list[str]:
    return [f"[{title}]" if title == where else title for _, title, _ in PAGES]


def go_back_to(page: Page, name: str) -> None:
    """Step back until the address is that of the page."""
    for _ in range(STEPS_BACK):
        page.go_back()
        settled(page)
        if urlsplit(page.url).path == f"/{name}":
            return
    raise AssertionError(f"{STEPS_BACK} steps back led to {page.url}, not to {name}")


def test_the_first_page_opens_under_its_own_name(server: str, page: Page) -> None:
    tab = page.locator("[role=tab][aria-selected=true]")
    heading = page.get_by_role("heading", level=1)
    page.goto(f"{server}/help")
    expect(heading.first).to_have_text("Start")
    visit(page, f"{server}/seed?seed_tab=Versions&note=kept")
    expect(heading).to_have_text("Seed examples")
    expect(tab).to_have_text("Versions")
    assert page.url == f"{server}/seed?seed_tab=Versions&note=kept"
    assert page.title() == "ISARA Studio"
    assert in_menu(page) == menu("Seed")
    expect(page.get_by_role("dialog")).to_have_count(0)

    page.get_by_role("tab", name="Edit").click()  # a message of this page
    expect(tab).to_have_text("Edit")
    settled(page)
    assert "/seed?" in page.url
    assert in_menu(page) == menu("Seed")

    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Report").click()
    expect(heading).to_have_text("Report")
    assert in_menu(page) == menu("Report")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Seed").click()
    expect(heading).to_have_text("Seed examples")
    assert in_menu(page) == menu("Seed")
    go_back_to(page, "report")
    expect(heading).to_have_text("Report")
    go_back_to(page, "seed")
    expect(heading).to_have_text("Seed examples")
    assert in_menu(page) == menu("Seed")


def test_a_switch_from_the_first_page_under_its_name_leads_there(server: str, page: Page) -> None:
    visit(page, f"{server}/seed")
    page.get_by_role("button", name="Start the guided demo").click()
    expect(page.get_by_text("Guided demo, 1 of")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Seed examples")
    assert in_menu(page) == menu("Seed")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_address_that_there_is_not_is_told(server: str, page: Page) -> None:
    page.goto(f"{server}/nowhere")
    expect(page.get_by_role("dialog")).to_contain_text("Page not found")

"""Axe finds no serious problem on any page of the app, in both themes and on a tablet's width."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.main import PAGES
from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools
from isara.methods.runner import execute, prepare
from isara.workspace.runs import Workspace
from tests.browser.axe import Problem, problems
from tests.browser.serving import ROOT, app_command, free_port, serving, settled, visit
from tests.browser.test_journey import MINUTES, shot

pytestmark = pytest.mark.browser

# Rules that an empty Streamlit page breaks, each with its reason: none, so nothing is excused.
EMPTY_PAGE: dict[str, str] = {}
# Rules that one of Streamlit's own widgets breaks on a page that holds it alone, and that a page's
# script cannot mend: none is left either. (Mended are captions, keys on buttons, labels of widgets
# that are switched off, words of code and frames that scroll: app/look.py.)
OWN_WIDGETS: dict[str, str] = {}

EMPTY = """
import streamlit as st

def first() -> None:
    st.title("A title")
    st.text("A text")

def second() -> None:
    st.title("Another title")

st.navigation([
    st.Page(first, title="First", icon=":material/help:", default=True),
    st.Page(second, title="Second", icon=":material/help:"),
]).run()
"""

# What is on a page behind its first view: each is an address of its own.
VIEWS = {
    "": (
        "?seed_tab=Bring+your+own+file",
        "?seed_tab=Edit",
        "?seed_tab=Near-duplicates",
        "?seed_tab=Coverage",
        "?seed_tab=Suggest+more",
        "?seed_tab=Versions",
    ),
    "neighbours": ("?view=A+run+on+a+map",),
    "samples": (
        "?mode=Review&reviewer=ada",
        "?mode=Write+a+few+now",
        "?mode=Label+answers",
        "?open=1-00000",
    ),
    "playground": ("?play=Blind+vote",),
    "help": ("?part=Words", "?part=When+something+goes+wrong", "?part=Beside+other+tools"),
}
FIRST_VIEWS = ["" if i == 0 else name for i, (name, *_) in enumerate(PAGES)]
REVIEW = "samples?mode=Review&reviewer=ada"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a workspace with a finished run of two iterations, 80 scripted candidates each."""
    if not (ROOT / "data/demo/embedder").is_dir():
        pytest.skip("data/demo is not built")
    made = Workspace(tmp_path_factory.mktemp("axe") / "workspace")
    config = load_config(
        ROOT / "data/configs/demo.yaml", ["loop.candidates=80", "loop.max_iterations=2"]
    )
    execute(prepare(config, made), made.run("demo"), workspace=made, tools=ScriptedTools())
    made.database.close()
    port = free_port()
    with serving(app_command(port, made.root), port) as found:
        yield found


def look(page: Page, theme: str, width: int) -> None:
    """Open pages in this theme and width from now on."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 720})


def lines(name: str, theme: str, found: list[Problem]) -> list[str]:
    """What is told of the problems of a page."""
    excused = EMPTY_PAGE.keys() | OWN_WIDGETS.keys()
    return [
        f"{name or 'seed'}, {theme}: {one.rule} ({one.impact}) at {one.target}: {one.help}"
        for one in dict.fromkeys(found)
        if one.rule not in excused
    ]


def test_the_check_finds_what_is_wrong_also_in_frames_and_charts(page: Page) -> None:
    page.set_content(
        "<html lang=en><title>t</title><main data-testid=stApp style='background: #fff'>"
        "<h1>h</h1><img src=x><div class=js-plotly-plot><svg><text y=20 fill=#aaa>1</text></svg>"
        "</div><iframe title=f srcdoc='<p style=&quot;color: #aaa&quot;>pale</p>'></iframe></main>"
    )
    page.frames[1].wait_for_selector("p")
    found = {one.rule for one in problems(page)}
    assert found >= {"image-alt", "color-contrast", "chart-text-contrast"}


def test_an_empty_page_breaks_what_is_listed(page: Page, tmp_path: Path) -> None:
    script, port = tmp_path / "empty.py", free_port()
    script.write_text(EMPTY)
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    options = ("--server.headless=true", "--server.address=127.0.0.1")
    with serving([*command, *options, "--browser.gatherUsageStats=false"], port) as empty:
        found = set()
        for theme in ("light", "dark"):
            look(page, theme, 1280)
            visit(page, empty)
            found |= {one.rule for one in problems(page)}
    assert found == EMPTY_PAGE.keys()


def test_no_page_has_a_serious_problem(address: str, page: Page) -> None:
    look(page, "light", 1280)
    told = []
    for name in (*FIRST_VIEWS, REVIEW):
        visit(page, f"{address}/{name}")
        told += lines(name, "light", problems(page))
    assert not told, "\n".join(told)


@pytest.mark.slow
@pytest.mark.timeout(1800)  # some thirty views, each with all that opens
@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_view_has_a_serious_problem(address: str, page: Page, theme: str, width: int) -> None:
    """Every view of every page, with all that opens opened and every tab chosen."""
    look(page, theme, width)
    told = []
    for first in FIRST_VIEWS:
        for view in ("", *VIEWS.get(first, ())):
            name = f"{first}{view}"
            visit(page, f"{address}/{name}")
            told += lines(name, theme, opened(page))
            where = "".join(c if c.isalnum() else "-" for c in name) or "seed"
            shot(page, f"axe-{where}-{width}-{theme}")
    assert not told, "\n".join(told)


def opened(page: Page) -> list[Problem]:
    """The problems of a view, of what its expanders hide, and of the tabs inside it."""
    main = page.get_by_test_id("stMain")
    closed = main.locator("details:not([open]) > summary")
    for _ in range(30):
        if not closed.count():
            break
        closed.first.click()
        settled(page)
    found = problems(page)
    tabs = main.locator("[role=tab][aria-selected=false]:visible")
    names = [] if "seed_tab" in page.url or "part" in page.url else tabs.all_inner_texts()
    for tab in names:
        main.get_by_role("tab", name=tab, exact=True).first.click()
        settled(page)
        found += problems(page)
    return found


@pytest.mark.slow
def test_the_report_in_its_frame_has_no_serious_problem(address: str, page: Page) -> None:
    for theme in ("light", "dark"):
        look(page, theme, 1280)
        visit(page, f"{address}/report")
        page.get_by_role("button", name="Make the report").click()
        expect(page.get_by_role("button", name="Download the report")).to_be_visible(
            timeout=2 * MINUTES
        )
        settled(page)
        assert len(page.frames) > 1
        told = lines("report", theme, problems(page))
        assert not told, "\n".join(told)

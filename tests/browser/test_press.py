"""A press counts although a text is left by it: what is sent then moves nothing under the press.

The button goes down, the page is drawn anew while it is held, and comes up on the same button.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from isara.curation import draft_rows, edit
from isara.examples import Example
from isara.workspace.runs import Workspace
from isara.workspace.seed_drafts import SeedDrafts
from tests.browser.serving import CHROMIUM, app_command, chromium_page, free_port, serving
from tests.browser.test_curate import ANSWER, TICK, cell, table

HELD_MS = 1_500  # the page is drawn anew well within it
WAIT_MS = 60_000
PAIRS = [Example("Who is there?", "A friend."), Example("Is it cold?", "Only in winter.")]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Where nobody has a draft."""
    return Workspace(tmp_path_factory.mktemp("press") / "workspace")


@pytest.fixture(scope="module")
def address(workspace: Workspace) -> Iterator[str]:
    port = free_port()
    with serving(app_command(port, workspace.root), port) as found:
        yield found


@pytest.fixture
def tab() -> Iterator[Page]:
    """A page that is high enough to press anything without scrolling."""
    expect.set_options(timeout=WAIT_MS)
    with chromium_page() as page:
        page.set_viewport_size({"width": 1280, "height": 1800})
        yield page


def whole(tab: Page) -> None:
    """Wait for all parts of a page: tables and some fields are fetched after the first words."""
    tab.wait_for_load_state("networkidle")
    expect(tab.get_by_test_id("stSkeleton")).to_have_count(0)


def press(tab: Page, button: Locator) -> None:
    """Press as a person does: the button is held for a while."""
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.wait_for_timeout(HELD_MS)
    tab.mouse.up()


def into_cell(tab: Page, row: int, x: int, text: str) -> None:
    """Write into a cell, and stay in it."""
    table(tab).dblclick(position=cell(row, x))
    field = tab.locator("#portal textarea")
    expect(field).to_be_visible()
    field.fill(text)


def edit_tab(address: str, tab: Page, name: str) -> None:
    """A seed set of two rows, open for a change."""
    tab.goto(f"{address}/?seed_tab=Edit&seeds={name}")
    expect(tab.get_by_role("button", name=re.compile("Save 2 rows"))).to_be_visible()
    whole(tab)


def test_save_takes_the_first_cell(workspace: Workspace, address: str, tab: Page) -> None:
    workspace.database.save_seed_set("first", PAIRS)
    edit_tab(address, tab, "first")
    into_cell(tab, 1, ANSWER, "A foe.")
    press(tab, tab.get_by_role("button", name=re.compile("Save 2 rows")))
    expect(tab.get_by_text("Saved as first, version 2")).to_be_visible()
    assert workspace.database.load_seed_set("first").examples[0].answer == "A foe."


def test_save_takes_the_cell_that_mends_the_last_problem(
    workspace: Workspace, address: str, tab: Page
) -> None:
    workspace.database.save_seed_set("mended", PAIRS)
    row = draft_rows(workspace.database.load_seed_set("mended"))[1]
    SeedDrafts(workspace).begin("mended", 1).change(edit(row, 2, answer=""), seen=0)
    edit_tab(address, tab, "mended")
    expect(tab.get_by_text(re.compile("found an empty text"))).to_be_visible()
    tab.get_by_text("Only rows with problems (1)").click()
    tab.wait_for_timeout(HELD_MS)  # the table has one row now
    into_cell(tab, 1, ANSWER, "Never.")
    press(tab, tab.get_by_role("button", name=re.compile("Save 2 rows")))
    expect(tab.get_by_text("Saved as mended, version 2")).to_be_visible()


def test_undo_takes_back_the_cell_that_is_left_for_it(
    workspace: Workspace, address: str, tab: Page
) -> None:
    workspace.database.save_seed_set("undone", PAIRS)
    edit_tab(address, tab, "undone")
    for text in ("A foe.", "Nobody."):
        into_cell(tab, 1, ANSWER, text)
        tab.keyboard.press("Enter")
    expect(tab.get_by_text("2 changes, kept as you make them")).to_be_visible()
    into_cell(tab, 2, ANSWER, "Never.")
    press(tab, tab.get_by_role("button", name="Undo"))
    expect(tab.get_by_text("Took back: Edit row 2: answer")).to_be_visible()
    draft = SeedDrafts(workspace).open("undone")
    assert draft is not None
    assert [row.answer for row in draft.view().board.rows] == ["Nobody.", "Only in winter."]


def test_a_tick_moves_no_row(workspace: Workspace, address: str, tab: Page) -> None:
    workspace.database.save_seed_set("ticked", PAIRS)
    edit_tab(address, tab, "ticked")
    before = table(tab).bounding_box()
    table(tab).click(position=cell(1, TICK))
    expect(tab.get_by_text("1 ticked: row 1")).to_be_visible()
    assert table(tab).bounding_box() == before


def test_check_again_takes_the_first_cell(address: str, tab: Page, tmp_path: Path) -> None:
    file = tmp_path / "doors.csv"
    file.write_text("question,answer\nWho is there?,A friend.\nIs it cold?,\n", encoding="utf-8")
    tab.goto(f"{address}/?seed_tab=Bring+your+own+file")
    tab.locator("input[type=file]").set_input_files(file)
    expect(tab.get_by_text("Problems (1)")).to_be_visible()
    whole(tab)
    into_cell(tab, 1, 720, "Only in winter.")
    press(tab, tab.get_by_role("button", name="Check again"))
    expect(tab.get_by_text("Nothing to mend.")).to_be_visible()


def test_start_takes_the_name_that_was_asked_for(address: str, tab: Page) -> None:
    """The problem stands below Start, and goes with the name that is mended by the press."""
    tab.goto(f"{address}/run")
    name = tab.get_by_label("Name of the run", exact=True)
    expect(tab.get_by_role("button", name="Start", exact=True)).to_be_visible()
    whole(tab)
    name.fill("no name")
    name.press("Enter")
    expect(tab.get_by_text("Mend these settings:")).to_be_visible()
    name.fill("a_name")
    press(tab, tab.get_by_role("button", name="Start", exact=True))
    tab.wait_for_url(re.compile("run=a_name"))

"""A run on the map in a browser: a lasso, many pairs rejected at once, and taken back."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools
from isara.methods.runner import execute, prepare
from isara.workspace.runs import Workspace
from tests.browser.serving import ROOT, app_command, free_port, serving, settled, visit
from tests.browser.test_journey import MINUTES, shot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (ROOT / "data/demo/embedder").is_dir(), reason="data/demo is not built"),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a finished run of two iterations, 80 scripted candidates each."""
    made = Workspace(tmp_path / "workspace")
    config = load_config(
        ROOT / "data/configs/demo.yaml", ["loop.candidates=80", "loop.max_iterations=2"]
    )
    tools = ScriptedTools()
    execute(prepare(config, made), made.run("mapped"), workspace=made, tools=tools)
    made.database.close()
    return made


@pytest.fixture
def address(workspace: Workspace) -> Iterator[str]:
    """The address of the app on that workspace."""
    port = free_port()
    with serving(app_command(port, workspace.root), port) as found:
        yield found


def drawn(page: Page) -> Locator:
    """The map's points, once they are there, in sight and at rest; the first chart of a browser
    loads the library that draws it."""
    points = page.locator(".js-plotly-plot .scatterlayer path.point")
    expect(points.first).to_be_attached(timeout=3 * MINUTES)
    page.locator(".js-plotly-plot").first.scroll_into_view_if_needed()
    settled(page)
    return points


def lasso(page: Page, share: float) -> None:
    """Drag a line round the middle of the map, as wide as this share of it."""
    drawn(page)
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for i in range(33):
        turn = 2 * math.pi * i / 32
        dx, dy = math.cos(turn) * box["width"], math.sin(turn) * box["height"]
        page.mouse.move(x + dx * share / 2, y + dy * share / 2)
        page.wait_for_timeout(40)  # a busy browser would take several moves for one
        if i == 0:
            page.mouse.down()
    page.mouse.up()


def heading(page: Page) -> Locator:
    """What the list says of its rows."""
    return page.get_by_test_id("stMarkdown").filter(has_text=re.compile(r"^[\d,]+ rows"))


def count(page: Page, mark: str) -> int:
    """How many rows of a mark the heading of the list counts."""
    settled(page)
    expect(heading(page)).to_have_count(1)  # while a page is drawn anew, its old part may stand too
    text = heading(page).inner_text()
    found = re.search(rf"{mark} ([\d,]+)", text)
    return int(found[1].replace(",", "")) if found else 0


def below(button: Locator, field: Locator) -> float:
    """How many pixels below a field a button stands."""
    at = button.bounding_box(), field.bounding_box()
    assert at[0] is not None
    assert at[1] is not None
    return at[0]["y"] - at[1]["y"]


def test_lasso_bulk_reject_undo(address: str, page: Page, workspace: Workspace) -> None:
    page.goto(f"{address}/neighbours?view=A+run+on+a+map&inspect_colour=status")
    drawn(page)
    expect(heading(page)).to_contain_text("424 rows")
    shot(page, "inspect-1-map")
    lasso(page, 0.9)
    expect(page.get_by_role("button", name="Clear selection")).to_be_visible()
    kept, dropped = count(page, "●"), count(page, "✕")
    assert 0 < kept + dropped < 160
    shot(page, "inspect-2-lasso")

    page.get_by_text(re.compile("Decide on all .* at once")).click()
    name = page.get_by_role("textbox", name="Your name as reviewer")
    name.fill("ada")
    button = page.get_by_role("button", name=re.compile(r"Reject \d+ pairs"))
    expect(button).to_be_visible()
    settled(page)
    place = below(button, name)
    name.press("Enter")
    expect(page.get_by_text("The pairs are dropped, whatever the rules say.")).to_be_visible()
    settled(page)
    assert below(button, name) == place  # a press that has begun must end on it
    pairs = int(re.findall(r"\d+", button.inner_text())[0])
    button.click()
    expect(page.get_by_text(f"Stored: reject on {pairs} pairs")).to_be_visible()
    shot(page, "inspect-3-rejected")
    stored = workspace.database.decisions("mapped")
    assert len(stored) == pairs
    assert {decision.action for decision in stored.values()} == {"reject"}
    # The outline is still there, and what was kept of these pairs is dropped now.
    assert count(page, "●") + count(page, "✕") == kept + dropped
    assert count(page, "✕") > dropped

    page.get_by_role("button", name="Undo").click()
    expect(heading(page)).to_contain_text(f"● {kept}")
    assert workspace.database.decisions("mapped") == {}
    shot(page, "inspect-4-undone")


# The text that says so may stand there before plotly has changed what a press of the mouse does.
PANS = "document.querySelector('.js-plotly-plot')._fullLayout.dragmode === 'pan'"


def test_a_click_on_a_point_opens_it(address: str, page: Page) -> None:
    page.goto(f"{address}/neighbours?view=A+run+on+a+map")
    drawn(page)
    page.get_by_text("opens", exact=True).click()
    expect(page.get_by_text("Click on one to open it")).to_be_visible()
    page.wait_for_function(PANS)
    box = drawn(page).last.bounding_box()  # a seed: they are drawn above the others
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("button", name="Back to the list")).to_be_visible()
    settled(page)
    page.get_by_text("What came of it", exact=True).click()
    expect(page.get_by_text(re.compile("It stood in"))).to_be_visible()
    settled(page)
    shot(page, "inspect-5-opened")
    page.keyboard.press("Escape")
    expect(heading(page)).to_be_visible()


# How often the marks of a class were made, and in how many later steps they were changed.
WATCH_MARKS = """(mark) => {
    const isPoint = (node) => node.classList?.contains(mark);
    window.points = {made: 0, changed: 0};
    new MutationObserver((all) => {
        if (all.some((one) => [...one.addedNodes].some(isPoint))) window.points.made += 1;
        else if (all.some((one) => isPoint(one.target))) window.points.changed += 1;
    }).observe(document, {subtree: true, childList: true, attributes: true});
}"""


def test_a_new_map_is_drawn_once(page: Page, address: str) -> None:
    page.goto(f"{address}/neighbours?view=A+run+on+a+map&run=mapped")
    points = drawn(page)
    before = points.count()
    page.evaluate(WATCH_MARKS, "point")
    page.locator(".st-key-inspect_show button", has_text="seeds").click()
    expect(points).to_have_count(before - 64)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_000)
    assert page.evaluate("window.points") == {"made": 1, "changed": 0}


def test_the_histograms_of_a_moved_threshold_are_drawn_once(page: Page, address: str) -> None:
    visit(page, f"{address}/filters?run=mapped&k=1")
    steps = page.locator(".stPlotlyChart .js-fill")
    expect(steps).not_to_have_count(0)
    settled(page)  # every histogram is there
    page.evaluate(WATCH_MARKS, "js-fill")
    page.locator('[class*="max_rouge_l"] input').first.press("ArrowLeft")
    page.wait_for_function("window.points.made")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_000)
    assert page.evaluate("window.points") == {"made": 1, "changed": 0}

"""What was typed counts although its field was left by the click on the button itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from isara.config_files import load_config
from isara.curation import draft_rows, edit
from isara.demo.scripted import ScriptedTools
from isara.examples import Example
from isara.methods.runner import execute, prepare
from isara.workspace.runs import Workspace
from isara.workspace.seed_drafts import SeedDrafts
from tests.browser.serving import (
    CHROMIUM,
    ROOT,
    WAIT_MS,
    app_command,
    chromium_page,
    free_port,
    serving,
    settled,
    visit,
)
from tests.browser.test_curate import ANSWER, cell, table

MODEL_MS = 4 * 60_000  # for torch to be imported, and a model and a judge to be loaded
PAUSE_MS = 1_000  # all that could be sent without leaving the field was sent by then
SMALL = ["loop.candidates=64", "loop.max_iterations=1", "evaluation.baselines=[]"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A scripted run `r`, and two seed sets with a draft each."""
    made = Workspace(tmp_path_factory.mktemp("typed") / "workspace")
    config = load_config(ROOT / "data/configs/demo.yaml", SMALL)
    execute(prepare(config, made), made.run("r"), workspace=made, tools=ScriptedTools())
    for name in ("mine", "yours"):
        made.database.save_seed_set(name, [Example("Who is there?", "A friend.")])
        (row,) = draft_rows(made.database.load_seed_set(name))
        SeedDrafts(made).begin(name, 1).change(edit(row, 1, answer="A foe."), seen=0)
    return made


@pytest.fixture(scope="module")
def address(workspace: Workspace) -> Iterator[str]:
    port = free_port()
    with serving(app_command(port, workspace.root), port) as found:
        yield found


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    """One page for all tests."""
    with chromium_page() as page:
        yield page


def write(field: Locator, text: str) -> None:
    """Type over what is in a field, and stay in it; a page that is drawn may take the focus."""
    settled(field.page)
    field.focus()
    field.press("ControlOrMeta+a")
    field.press_sequentially(text)


def click(tab: Page, field: Locator, text: str, button: str) -> None:
    """Type, and click on the button whose name begins so without leaving the field first."""
    write(field, text)
    tab.wait_for_timeout(PAUSE_MS)
    expect(field).to_be_focused()
    tab.get_by_role("button", name=re.compile(rf"\b{button}\b")).first.click()


def named(tab: Page) -> Locator:
    return tab.get_by_label("Your name as reviewer", exact=True)


def there(found: Callable[[], object]) -> None:
    """Wait until it is stored."""
    until = time.monotonic() + WAIT_MS / 1000
    while not found():
        assert time.monotonic() < until
        time.sleep(0.05)


def decided(workspace: Workspace, candidate_id: str) -> list[tuple[str, str]]:
    """Who decided what on a pair."""
    people = workspace.database.decisions_by_reviewer("r", 1).get(candidate_id, {})
    return [(name, decision.action) for name, decision in people.items()]


def test_a_decision_is_that_of_the_name_in_the_field(
    workspace: Workspace, address: str, tab: Page
) -> None:
    visit(tab, f"{address}/samples?mode=Review&run=r&k=1&reviewer=ann")
    tab.wait_for_url(re.compile("card=1-00000"))
    click(tab, named(tab), "bob", "Accept")
    there(lambda: decided(workspace, "1-00000"))
    assert decided(workspace, "1-00000") == [("bob", "accept")]
    tab.wait_for_url(re.compile("reviewer=bob"))

    visit(tab, f"{address}/samples?run=r&k=1&open=1-00002")
    expect(tab.get_by_role("button", name="Reject")).to_be_visible()
    click(tab, named(tab), "cy", "Reject")  # the field was empty
    there(lambda: decided(workspace, "1-00002"))
    assert decided(workspace, "1-00002") == [("cy", "reject")]
    tab.wait_for_url(re.compile("reviewer=cy"))


def test_the_reason_of_many_decisions(workspace: Workspace, address: str, tab: Page) -> None:
    visit(tab, f"{address}/samples?run=r&k=1&reviewer=ann&verdict=dropped")
    tab.get_by_text(re.compile("Decide on all .* at once")).click()
    expect(named(tab)).to_have_value("ann")
    click(tab, tab.get_by_label("Reason (may stay empty)"), "too short", "Reject")
    there(lambda: len(workspace.database.decisions("r", 1, "ann")) > 1)
    stored = workspace.database.decisions("r", 1, "ann").values()
    assert {(d.action, d.reason) for d in stored} == {("reject", "too short")}
    click(tab, named(tab), "dee", "Undo")  # who has decided nothing
    expect(tab.get_by_text("There is nothing left to undo.")).to_be_visible()
    tab.wait_for_url(re.compile("reviewer=dee"))


@pytest.mark.parametrize("last", ["Name of the seed set", "Note"])
def test_the_name_and_the_note_of_a_version(
    workspace: Workspace, address: str, tab: Page, last: str
) -> None:
    seeds = {"Note": "mine", "Name of the seed set": "yours"}[last]
    texts = {"Name of the seed set": f"not {seeds}", "Note": "kinder"}
    visit(tab, f"{address}/?seed_tab=Edit&seeds={seeds}")
    expect(tab.get_by_role("button", name=re.compile("Save 1 row"))).to_be_visible()
    for label in texts.keys() - {last}:
        write(tab.get_by_label(label, exact=True), texts[label])
    click(tab, tab.get_by_label(last, exact=True), texts[last], "Save 1 row")
    expect(tab.get_by_text(re.compile("Saved as"))).to_be_visible()
    saved = workspace.database.load_seed_set(f"not {seeds}")
    assert (saved.info.version, saved.info.note) == (1, "kinder")
    assert workspace.database.seed_sets(seeds)[0].version == 1


def test_a_cell_that_is_left_by_the_click(workspace: Workspace, address: str, tab: Page) -> None:
    workspace.database.save_seed_set("cells", [Example("Who is there?", "A friend.")])
    visit(tab, f"{address}/?seed_tab=Edit&seeds=cells")
    into_cell(tab, "A foe.")
    tab.get_by_role("button", name=re.compile("Save 1 row")).click()
    expect(tab.get_by_text(re.compile("Saved as cells, version 2"))).to_be_visible()
    assert workspace.database.load_seed_set("cells").examples[0].answer == "A foe."

    into_cell(tab, "Nobody.")
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("1 change, kept as you make them")).to_be_visible()
    into_cell(tab, "Somebody.")
    tab.get_by_role("button", name="Undo").click()  # takes back this very change
    expect(tab.get_by_text("Took back: Edit row 1: answer")).to_be_visible()
    expect(tab.get_by_text("in another window")).to_have_count(0)
    draft = SeedDrafts(workspace).open("cells")
    assert draft is not None
    assert draft.view().board.rows[0].answer == "Nobody."


def into_cell(tab: Page, text: str) -> None:
    """Write into the answer of the first row, and stay in it."""
    settled(tab)  # a new table would take the cell's editor away
    table(tab).dblclick(position=cell(1, ANSWER))
    field = tab.locator("#portal textarea")
    expect(field).to_be_visible()
    field.fill(text)
    tab.wait_for_timeout(PAUSE_MS)


def test_the_name_of_an_uploaded_seed_set(
    workspace: Workspace, address: str, tab: Page, tmp_path: Path
) -> None:
    file = tmp_path / "doors.csv"
    file.write_text("question,answer\nWho is there?,A friend.\n", encoding="utf-8")
    visit(tab, f"{address}/?seed_tab=Bring+your+own+file")
    tab.locator("input[type=file]").set_input_files(file)
    name = tab.get_by_label("Name of the seed set", exact=True)
    expect(name).to_have_value("doors")
    click(tab, name, "windows", "Save 1 good row")
    expect(tab.get_by_text(re.compile("Saved as"))).to_be_visible()
    assert workspace.database.load_seed_set("windows").info.version == 1
    assert not workspace.database.seed_sets("doors")


@pytest.mark.parametrize(
    ("path", "field", "button", "words"),
    [
        ("samples?mode=Label+answers&run=r", "Answers", "Start labelling", "0 of 3 labelled"),
        ("playground?play=Blind+vote&run=r", "Prompts", "Start voting", "0 of 3 voted"),
    ],
)
def test_the_size_of_a_sample(
    address: str, tab: Page, path: str, field: str, button: str, words: str
) -> None:
    visit(tab, f"{address}/{path}&reviewer=ann")
    expect(tab.get_by_role("button", name=button)).to_be_visible()
    click(tab, tab.get_by_label(field, exact=True), "3", button)
    expect(tab.get_by_text(words)).to_be_visible()


@pytest.mark.skipif(
    not (ROOT / "data/demo/language-model").is_dir(), reason="data/demo is not built"
)
def test_the_question_that_stands_there_is_asked(address: str, tab: Page) -> None:
    visit(tab, f"{address}/playground?run=r&models=base&tokens=4&q=")
    tab.get_by_text("Your own question", exact=True).click()
    field = tab.get_by_label("Your question", exact=True)
    click(tab, field, "Is it cold?", "Ask")
    asked, written = tab.get_by_test_id("stText"), tab.get_by_text(re.compile("4 tokens in"))
    expect(asked.filter(has_text="Is it cold?").first).to_be_visible(timeout=MODEL_MS)
    expect(written).to_be_visible(timeout=MODEL_MS)
    expect(tab.get_by_role("button", name=re.compile(r"\bAsk\b")).first).to_be_enabled()
    write(field, "Is it warm?")
    tab.wait_for_timeout(PAUSE_MS)
    tab.keyboard.press("Control+Enter")
    expect(asked.filter(has_text="Is it warm?").first).to_be_visible()
    expect(tab.get_by_text("Earlier in this session")).to_be_visible()

    tab.get_by_test_id("stSidebarNav").get_by_role("link", name="Help").click()
    expect(tab.get_by_role("heading", level=1).first).to_have_text("Start")
    tab.get_by_test_id("stSidebarNav").get_by_role("link", name="Playground").click()
    expect(field).to_have_value("Is it warm?")
    expect(asked.filter(has_text="Is it warm?").first).to_be_visible()

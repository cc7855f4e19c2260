"""Review in a browser: fifty pairs by keyboard alone, and four reviewers at once."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from isara.config import PROJECT_ROOT
from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools
from isara.methods.runner import execute, prepare
from isara.workspace.database import Database
from isara.workspace.runs import Workspace
from tests.browser.serving import (
    CHROMIUM,
    app_command,
    chromium_page,
    free_port,
    serving,
    settled,
    visit,
)
from tests.browser.test_typed_then_clicked import there

SHOTS = Path(__file__).parent / "shots"
CARD = ".st-key-review_pair"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a scripted run of 160 pairs."""
    workspace = Workspace(tmp_path / "workspace")
    settings = ["loop.candidates=160", "loop.max_iterations=1", "evaluation.baselines=[]"]
    config = load_config(PROJECT_ROOT / "data/configs/demo.yaml", settings)
    execute(
        prepare(config, workspace), workspace.run("r"), workspace=workspace, tools=ScriptedTools()
    )
    workspace.database.close()
    return workspace.root


def shown(page: Page) -> str:
    """The id of the pair on the card, once it is drawn so far."""
    expect(page.locator(CARD)).to_contain_text(re.compile(r"1-\d{5}"))
    found = re.search(r"1-\d{5}", page.locator(CARD).inner_text())
    assert found
    return found[0]


def ready(page: Page, candidate_id: str) -> None:
    """Wait for a first card and its keys: a page that was just opened loads part by part."""
    expect(page.locator(CARD)).to_contain_text(candidate_id)
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.wait_for_url(re.compile(f"card={candidate_id}"))
    settled(page)
    page.wait_for_function("document.activeElement === document.body")


def press(page: Page, key: str) -> None:
    """Press a key and wait for another card; it is whole when the address names it."""
    before = shown(page)
    page.keyboard.press(key)
    expect(page.locator(CARD)).not_to_contain_text(before)
    page.wait_for_url(re.compile(f"card={shown(page)}"))


def standing(root: Path, reviewer: str | None = None) -> dict[str, str]:
    database = Database(root / "isara.db")
    found = {c: d.action for c, d in database.decisions("r", 1, reviewer).items()}
    database.close()
    return found


def test_fifty_pairs_by_keyboard_with_ten_undone(root: Path) -> None:
    port = free_port()
    keys = "axasa1faxj" * 5  # of ten keys nine decide, skip or flag, one only goes on
    with chromium_page() as page:
        page.set_viewport_size({"width": 1280, "height": 720})
        with serving(app_command(port, root), port) as address:
            visit(page, f"{address}/samples?mode=Review&run=r&k=1")
            page.get_by_label("Your name as reviewer", exact=True).focus()
            page.keyboard.type("Ana")
            page.keyboard.press("Enter")
            ready(page, "1-00000")
            for key in keys:
                press(page, key)
            assert shown(page) == "1-00050"
            assert len(standing(root)) == 45
            before = standing(root)
            for _ in range(10):
                press(page, "u")
            assert shown(page) == "1-00038"  # 49 and 39 were only passed
            after = standing(root)
            assert len(after) == 35
            assert after.items() <= before.items()
            page.keyboard.press("h")
            expect(page.get_by_text("undo, as often as you like")).to_be_visible()
            SHOTS.mkdir(exist_ok=True)
            page.screenshot(path=SHOTS / "review-keys.png")
            page.keyboard.press("h")
            expect(page.get_by_text("undo, as often as you like")).to_have_count(0)

            page.keyboard.press("e")
            question = page.get_by_label("Question", exact=True)
            expect(question).to_be_focused()
            settled(page)
            page.keyboard.type(" And why?")
            card = re.search(r"card=([\d-]+)", page.url)
            page.keyboard.press("Control+Enter")
            assert card
            expect(question).to_have_count(0)
            expect(page.locator(CARD)).not_to_contain_text(card[1])
            page.screenshot(path=SHOTS / "review-card.png")
            assert standing(root)[card[1]] == "edit"

            here = shown(page)
            page.wait_for_url(re.compile(f"card={here}"))
            page.reload()
            ready(page, here)
        with serving(app_command(port, root), port) as address:  # the server was started again
            page.goto(page.url)
            ready(page, here)
            assert len(standing(root)) == 36
            press(page, "u")  # an undo from before the restart
            assert shown(page) == card[1]
            assert len(standing(root)) == 35
            press(page, "a")
    assert len(standing(root)) == 36


# ------------------------------------------------------------------ half-written edits


def edits(root: Path) -> dict[str, str | None]:
    database = Database(root / "isara.db")
    found = {c: d.answer for c, d in database.decisions("r", 1).items() if d.action == "edit"}
    database.close()
    return found


def is_draft(root: Path, candidate_id: str, end: str) -> bool:
    """Whether a draft of Ana's on a pair ends so: a slow browser sends a text in parts."""
    database = Database(root / "isara.db")
    found = database.edit_drafts("r", 1, candidate_id, "Ana")
    database.close()
    return any(draft.answer.endswith(end) for draft in found)


def in_editor(page: Page, text: str) -> None:
    """Wait for the editor with this text in its second field."""
    expect(page.get_by_label("Answer", exact=True)).to_have_value(re.compile(text))
    expect(page.get_by_label("Question", exact=True)).to_be_focused()
    settled(page)


def test_a_half_written_edit_survives_a_reload_and_a_restart(root: Path) -> None:
    """The field is never left: what is typed is kept all the same, and Save takes the last key."""
    port = free_port()
    with chromium_page() as page:
        with serving(app_command(port, root), port) as address:
            visit(page, f"{address}/samples?mode=Review&run=r&k=1&reviewer=Ana")
            ready(page, "1-00000")
            page.keyboard.press("e")
            field = page.get_by_label("Answer", exact=True)
            in_editor(page, ".")
            field.press("End")
            field.press_sequentially(" Half of it", delay=20)
            expect(page.get_by_text("kept over a reload")).to_be_visible()
            there(lambda: is_draft(root, "1-00000", "Half of it"))
            expect(field).to_be_focused()
            page.reload()
            in_editor(page, "Half of it$")
            assert "editing=1-00000" in page.url
            assert edits(root) == {}
            address = page.url
        with serving(app_command(port, root), port):  # the server was started again
            page.goto(address)
            in_editor(page, "Half of it$")
            field.press("End")
            field.press_sequentially(" and more")
            page.keyboard.press("Control+Enter")
            ready(page, "1-00001")
            assert str(edits(root)["1-00000"]).endswith("Half of it and more")

            page.keyboard.press("e")
            in_editor(page, ".")
            field.press("End")
            field.press_sequentially(" By the mouse")
            page.get_by_role("button", name="Save").click()
            ready(page, "1-00002")
            assert str(edits(root)["1-00001"]).endswith("By the mouse")

            page.keyboard.press("e")
            in_editor(page, ".")
            field.press("End")
            field.press_sequentially(" Not this", delay=20)
            expect(page.get_by_text("kept over a reload")).to_be_visible()
            there(lambda: is_draft(root, "1-00002", "Not this"))
            page.keyboard.press("Escape")
            expect(page.locator(CARD)).to_be_visible()
            page.reload()
            ready(page, "1-00002")
            expect(page.get_by_text("You began to edit")).to_have_count(0)
    assert set(edits(root)) == {"1-00000", "1-00001"}


# ------------------------------------------------------------------ four reviewers


REVIEWER = """
import sys
from tests.browser.serving import chromium_page
from tests.browser.test_review import press, ready

address, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
told = 0
with chromium_page() as page:
    page.goto(f"{address}/samples?mode=Review&run=r&k=1&show=all+pairs&reviewer={name}")
    ready(page, "1-00000")
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(count):
        press(page, "ax"[(number + len(name)) % 2])
        told += page.get_by_text("Both are stored").count()
print(told, flush=True)
"""


@contextmanager
def reviewers(address: str, names: list[str], count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """A browser for each, all at the first card."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", REVIEWER, address, name, str(count)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    try:
        for process in started:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


@pytest.mark.slow
@pytest.mark.timeout(2400)  # the decisions alone may take 1500 s
def test_four_reviewers_in_four_browsers(root: Path) -> None:
    """100 decisions each, on the same pairs in the same order, as fast as the page goes."""
    names, count, port = ["Ana", "Bob", "Cleo", "Dimitri"], 100, free_port()
    with (
        serving(app_command(port, root), port) as address,
        reviewers(address, names, count) as started,
    ):
        begin = time.time()
        for process in started:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [int(process.communicate(timeout=1500)[0]) for process in started]
        spent = time.time() - begin
    database = Database(root / "isara.db")
    history = database.history("r")
    by_pair = database.decisions_by_reviewer("r", 1)
    database.close()
    # Between what a reviewer was shown and what they stored, others stored on the same pair.
    crossed = {
        name: sum(
            any(d.candidate_id == o.candidate_id and d.seen < o.id < d.id for o in history)
            for d in history
            if d.reviewer == name and d.seen is not None
        )
        for name in names
    }
    differing = sum(len({d.action for d in people.values()}) > 1 for people in by_pair.values())
    print(
        f"{len(history)} decisions in {spent:.0f} s; {differing} of {len(by_pair)} pairs with "
        f"rulings that differ; told of another's decision: {dict(zip(names, told, strict=True))}"
    )
    assert len(history) == len(names) * count
    assert len({(d.candidate_id, d.reviewer) for d in history}) == len(names) * count
    assert len(by_pair) == differing == count
    assert told == list(crossed.values())
    assert sum(told) > 0

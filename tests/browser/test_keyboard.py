"""The Tab key reaches the main controls of the pages, and each shows that it is reached."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from isara.review import REASONS
from tests.browser.serving import visit
from tests.browser.test_axe import address

__all__ = ["address"]  # the fixture: the app on a workspace with a finished run

pytestmark = pytest.mark.browser

MOST = 90  # presses of Tab
CONTROLS = {  # what must be reached, by its name for a screen reader
    "": ("Seed$", "Help$", "Saved seed sets", "Seed set", "Version", "Near-duplicates"),
    "samples?mode=Review&reviewer=ada": (
        *("Review", "Your name", "Accept", "Reject", "Edit", "Skip", "Flag", "Back", "Next"),
        *("Undo", "Keys", "harmful or unsafe answer", "other reason", "Reviewers and their"),
    ),
    "run": ("Set up a run", "Start from", "Name of the run", "All settings", "Start$|Start afresh"),
    "results": ("Runs", "CSV", "All comparisons of the last model", "Notes on the curve"),
    "neighbours": ("Seed set", "Examples shown", "Question", "Draw again", "Copy to clipboard"),
    "neighbours?view=A+run+on+a+map": (
        *("Run", "Colour by", "Settings", "seeds", "selects", "Lasso Select", "CSV", "Words"),
        *("Search", "Fullscreen: Rows of the run"),
    ),
    "samples": ("Run", "Iteration", "Verdict", "Search", "Category", "Decide on all"),
    "filters": ("Run", "Most ROUGE-L", "Fewest words", "Presets", "Compare with", "Scores", "PNG"),
    "playground": ("Run", "Models", "Prompt", "Temperature", "Ask", "Fold harmful answers"),
    "report": ("Runs", "The question asked", "Make the report", "Format", "Download the data"),
    "help": ("Help$", "Start$"),
}


@pytest.mark.parametrize("where", CONTROLS)
def test_tab_reaches_the_controls_and_shows_it(address: str, page: Page, where: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, f"{address}/{where}")
    names: list[str] = []
    unseen: list[str] = []
    missing = list(CONTROLS[where])
    for _ in range(MOST):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:  # past the last control
            break
        names.append(found["name"])
        if not found["seen"]:
            unseen.append(found["name"] or found["html"])
        missing = [name for name in missing if not re.search(name, found["name"])]
        if not missing:
            break
    assert not missing, names
    assert not unseen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_review_s_reasons_and_pair_are_in_view(address: str, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, f"{address}/samples?mode=Review&reviewer=ada")
    last, pair = (
        page.get_by_role("button", name="other reason"),
        page.locator(".st-key-review_pair"),
    )
    expect(last).to_be_in_viewport(ratio=1)
    page.keyboard.press("h")
    sheet = page.locator(".st-key-review_sheet")
    for reason in REASONS:
        expect(sheet).to_contain_text(reason)
    expect(pair).to_be_in_viewport(ratio=1)  # the keys decide on it
    expect(last).to_be_in_viewport(ratio=1)
    page.keyboard.press("h")
    expect(sheet).to_have_count(0)


# The name of the focused element, and whether it or what holds it looks otherwise than unfocused:
# its ring is drawn by itself or by the frame of its widget.
FOCUSED = """async () => {
  const node = document.activeElement
  if (!node || node === document.body) return null
  const kept = ['outline', 'boxShadow', 'borderColor', 'backgroundColor', 'color']
  const near = [node]
  while (near.length < 5 && near.at(-1).parentElement) near.push(near.at(-1).parentElement)
  near.push(...[...node.querySelectorAll('*')].slice(0, 30))
  const label = node.labels && node.labels[0]
  if (label) near.push(label, ...label.querySelectorAll('*'))
  const look = () => near.map(e => kept.map(k => getComputedStyle(e)[k]).join()).join('|')
  const motion = document.createElement('style')
  motion.textContent = '* {transition: none !important}'
  document.head.append(motion)
  // Some react a little later, and on a busy machine a good deal later.
  const drawn = () => new Promise(done => setTimeout(done, 40))
  const changes = async before => {
    for (const end = performance.now() + 1000; performance.now() < end; await drawn())
      if (look() !== before) return true
    return false
  }
  await drawn()
  const on = look()
  node.blur()
  let seen = await changes(on)
  const off = look()
  node.focus({preventScroll: true})
  seen = seen || await changes(off)  // what was drawn after the first look
  motion.remove()
  const name = node.getAttribute('aria-label') || label?.innerText || node.innerText || ''
  return {name: name.trim(), seen, html: node.outerHTML.slice(0, 200)}
}"""

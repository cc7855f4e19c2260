"""How long the Filters page takes to follow a moved slider, with 10,000 candidates.

    python -m tests.bench.filters_page [CANDIDATES] [MOVES] [TAB ...]

A scripted run (texts of the demo world's grammar, no model) is opened in headless Chromium, each of
the tabs in its turn (Scores and Compared when none is named); the ROUGE-L slider is moved by one
step with the keyboard, and the time is taken until the page shows the new number of kept pairs, and
until it is at rest. Needs the system's Chromium and playwright.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.bench.workspace import scripted_run
from tests.browser.serving import app_command, chromium_page, free_port, serving

# Until the numbers of the three boxes differ from those given, as the browser sees it.
CHANGED = """(before) => [...document.querySelectorAll('[data-testid="stMetricValue"]')]
    .map(box => box.innerText).join(' ') !== before"""

AT_REST = """() => document.querySelector('[data-testid="stApp"]')
    .getAttribute('data-test-script-state') === 'notRunning'"""
TABS = ("Scores", "Compared")


def moves(page: Page, count: int, tab: str) -> list[tuple[float, float]]:
    """Seconds from each key to the changed numbers, and to the end of the page's work."""
    page.get_by_test_id("stMetricValue").first.wait_for(timeout=120_000)
    page.get_by_role("tab", name=tab).click()
    page.wait_for_timeout(1_000)
    page.wait_for_function(AT_REST, timeout=120_000)  # the questions are embedded once
    slider = page.get_by_role("slider").first
    slider.focus()
    spent = []
    for move in range(count):
        page.wait_for_timeout(1_000)
        before = " ".join(page.get_by_test_id("stMetricValue").all_inner_texts())
        started = time.perf_counter()
        page.keyboard.press("ArrowLeft" if move % 2 else "ArrowRight")
        try:
            page.wait_for_function(CHANGED, arg=before, polling="raf", timeout=10_000)
        except Exception:  # a step that changes no verdict
            continue
        seen = time.perf_counter() - started
        page.wait_for_function(AT_REST, polling="raf", timeout=10_000)
        spent.append((seen, time.perf_counter() - started))
    return spent


def main() -> None:
    """Print each move and the medians, for each tab."""
    given = [int(argument) for argument in sys.argv[1:3]]
    count, times = (*given, *(10_000, 11)[len(given) :])
    with tempfile.TemporaryDirectory() as folder:
        scripted_run(Path(folder), count)
        port = free_port()
        with serving(app_command(port, folder), port) as address, chromium_page() as page:
            for tab in sys.argv[3:] or TABS:
                page.goto(f"{address}/filters")
                told(f"{count} candidates, {tab}", moves(page, times, tab))


def told(case: str, spent: list[tuple[float, float]]) -> None:
    """One line of a case."""
    listed = ", ".join(f"{1000 * seen:.0f}" for seen, _ in spent)
    seen, rest = (1000 * statistics.median(values) for values in zip(*spent, strict=True))
    print(f"{case}: median {seen:.0f} ms ({listed}), at rest after {rest:.0f} ms")


if __name__ == "__main__":
    main()

"""How long a decision in a review takes, from the key to the next card, with 10,000 candidates.

    python -m tests.bench.review_latency [CANDIDATES] [DECISIONS]

A scripted run (texts of the demo world's grammar, no model) whose pairs another reviewer has all
decided on already is opened in headless Chromium; A, X and digits are pressed in turn, and the time
until the page shows another pair is taken. A card is drawn after its decision was committed, so
this is also the time until it is on disk; at the end the database is counted. Also printed are the
seconds of processor time a decision costs in server and browser, which a busy machine does not
change much. Needs the system's Chromium and playwright.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import tempfile
from pathlib import Path

import psutil
from playwright.sync_api import Page

from isara.workspace.runs import Workspace
from tests.bench.workspace import scripted_run
from tests.browser.serving import app_command, chromium_page, free_port, serving

CARD = ".st-key-review_pair"
KEYS = "axa1a"
# In the page, so that looking costs next to nothing: the time from each key to another pair's id.
WATCH = """() => {
    // The address names the card when all of it is there; only then keys count.
    const id = () => {
        const text = document.querySelector('.st-key-review_pair')?.innerText;
        const card = text?.match(/1-\\d{5}/)?.[0];
        return location.search.includes(`card=${card}`) ? card : undefined;
    };
    window.spent = [];
    let shown = id(), pressed = null;
    addEventListener('keydown', () => { pressed = performance.now(); }, true);
    const look = () => {
        const now = id();
        if (pressed === null || !now || now === shown) return;
        const since = pressed;
        [shown, pressed] = [now, null];
        requestAnimationFrame(() => window.spent.push(performance.now() - since));
    };
    new MutationObserver(look).observe(
        document.body, {subtree: true, childList: true, characterData: true});
    setInterval(look, 5);  // the address may change after the last element
}"""


def decide(page: Page, count: int) -> list[float]:
    """Milliseconds from each key to the frame that shows the next card."""
    page.evaluate(WATCH)
    for number in range(count):
        page.keyboard.press(KEYS[number % len(KEYS)])
        while int(page.evaluate("window.spent.length")) <= number:
            page.wait_for_timeout(20)
        page.wait_for_timeout(150)  # a reader's glance; the page comes to rest
    return [float(spent) for spent in page.evaluate("window.spent")]


def processor_seconds() -> dict[str, float]:
    """Processor time of this process's descendants so far: the server, and all of the browser."""
    spent = {"server": 0.0, "browser": 0.0}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            kind = "server" if "python" in process.name() else "browser"
            spent[kind] += times.user + times.system
    return spent


def measure(root: Path, count: int, times: int) -> str:
    """Decide on pairs of the run "filters" of a workspace: median, 95th percentile, cost."""
    database = Workspace(root).database
    port = free_port()
    with serving(app_command(port, root), port) as address, chromium_page() as page:
        query = "mode=Review&run=filters&k=1&reviewer=Ana&overlap=2"
        page.goto(f"{address}/samples?{query}")
        page.locator(CARD).wait_for(timeout=120_000)
        page.wait_for_timeout(2_000)
        already = len(database.decisions_by_reviewer("filters", 1, "Ana"))
        before = processor_seconds()
        spent = sorted(decide(page, times))
        after = processor_seconds()
    stored = len(database.decisions_by_reviewer("filters", 1, "Ana")) - already
    database.close()
    each = {name: 1000 * (after[name] - before[name]) / times for name in after}
    return (
        f"{count} candidates, {count} earlier decisions: median {statistics.median(spent):.0f} ms, "
        f"95 % within {spent[int(0.95 * len(spent))]:.0f} ms; {stored} of {times} stored; "
        f"processor time of each: server {each['server']:.0f} ms, browser {each['browser']:.0f} ms "
        f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"
    )


def main() -> None:
    """Make the workspace, measure, print."""
    given = [int(argument) for argument in sys.argv[1:]]
    count, times = (*given, *(10_000, 200)[len(given) :])
    with tempfile.TemporaryDirectory() as folder:
        scripted_run(Path(folder), count)
        database = Workspace(folder).database
        ids = [f"1-{i:05d}" for i in range(count)]
        database.record_decisions("filters", 1, ids, "Bea", "accept")
        database.close()
        print(measure(Path(folder), count, times))


if __name__ == "__main__":
    main()

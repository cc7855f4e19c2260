"""How long every page takes to open, and to follow a widget, in a workspace of many rows.

    python -m tests.bench.pages                             10 runs x 3 iterations x 512 candidates
    python -m tests.bench.pages --candidates 50000          one run of as many over 3 iterations
    python -m tests.bench.pages --only samples --repeats 50 pages whose name has this in it
    python -m tests.bench.pages --workspace DIR             kept; used as it is when it has runs

The pages are opened in headless Chromium, in a new browser session each; then one cheap control of
each page is used again and again. A rerun's time goes from the click or key to the frame after
Streamlit has said that the script is done, all reruns that follow from one action together. The
server's own time is its processor time for an action, which a busy machine does not change much; of
the first opening it holds what is read and computed once. Left out: what plotly draws after that
frame, and models that write (a scripted run has no weights).
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from app.widgets.task_address import packed
from isara.workspace.runs import Workspace
from tests.bench.review_latency import processor_seconds
from tests.bench.workspace import scripted_workspace
from tests.browser.serving import app_command, chromium_page, free_port, serving

HEAD = (
    "| page | first, s | server, s | again, s | action | n | median, ms | 95 %, ms | server, ms |"
)
QUIET = 250  # ms without a running script: the page is at rest
# In the page: performance.now() of the action, and of the frame after the last script that ended.
WATCH = """() => {
    window.spent = {acted: null, ended: null, running: false};
    const act = () => { if (window.spent.acted === null) window.spent.acted = performance.now(); };
    for (const kind of ['click', 'keydown']) addEventListener(kind, act, true);
    const look = () => {
        const state = document.querySelector('[data-testid="stApp"]')
            ?.getAttribute('data-test-script-state');
        const running = state !== 'notRunning';
        if (window.spent.running && !running)
            requestAnimationFrame(() => requestAnimationFrame(
                () => { window.spent.ended = performance.now(); }));
        if (running) window.spent.ended = null;
        window.spent.running = running;
    };
    new MutationObserver(look).observe(document.body,
        {subtree: true, attributes: true, attributeFilter: ['data-test-script-state']});
}"""
RESET = "() => { window.spent.acted = window.spent.ended = null; }"
RESTS = f"() => window.spent.ended !== null && performance.now() - window.spent.ended > {QUIET}"
OPENED = """() => {
    const state = document.querySelector('[data-testid="stApp"]')
        ?.getAttribute('data-test-script-state');
    const here = performance.now();
    if (state !== 'notRunning' || document.querySelector('[data-testid="stSkeleton"]'))
        window.since = null;
    else window.since ??= here;
    return window.since !== null && here - window.since > 1000 ? window.since : false;
}"""


class View(NamedTuple):
    """A page to open at `address`, and what is done on it: `targets` are clicked in turn, or, where
    `keys` are given, the only target is focused and these are pressed in turn."""

    page: str
    address: str
    action: str
    targets: tuple[str, ...]
    keys: tuple[str, ...] = ()
    before: str | None = None  # clicked once, to get there


def tabs(*names: str) -> tuple[str, ...]:
    """The tabs with these names."""
    return tuple(f'[role=tab]:has-text("{name}")' for name in names)


def steps(key: str) -> tuple[str, ...]:
    """Up and down of a number."""
    return tuple(f'[class*="{key}"] button[aria-label={way}]' for way in ("Increment", "Decrement"))


def pages(key: str) -> tuple[str, ...]:
    """The second page of a list and the first."""
    return tuple(f'[class*="st-key-{key}"] button[aria-label="Page {n}"]' for n in (2, 1))


def sections(key: str) -> tuple[str, ...]:
    """The head of a section of the results."""
    return (f".st-key-results-{key} summary",)


def views(runs: list[str]) -> list[View]:
    """What is measured: of every page one control or several."""
    run, many = runs[0], "&".join(f"runs={one}" for one in runs[:6])
    arrows = ("ArrowRight", "ArrowLeft")
    on_map = f"neighbours?view=A+run+on+a+map&run={run}"
    seeds = ('.st-key-inspect_show button:has-text("seeds")',)
    pairs, rouge = f"samples?run={run}&k=1", ('[class*="max_rouge_l"] input',)
    body, who = ("body",), "reviewer=Cy"
    review = f"samples?mode=Review&run={run}&k=1&{who}"
    label = packed((run, "iteration 3", 100, False, 0))
    vote = packed((run, "base", "iteration 3", 100, "harmless"))
    filters = f"filters?run={run}&k=1"
    log = tuple(f'[class*="st-key-run_log-"] [role=radio] >> nth={n}' for n in (1, 0))
    dropped = (".st-key-export-candidates label",)
    groups = (".st-key-seed_groups input",)
    found = [
        ("seed", "", "another tab", tabs("Versions", "Saved seed sets")),
        ("seed, edit", "?seed_tab=Edit", "page of the table", pages("seed_edit_page")),
        ("seed, coverage", "?seed_tab=Coverage", "number of groups", groups, arrows),
        ("neighbours", "neighbours", "examples shown", steps("shots")),
        ("neighbours, map", on_map, "page of the list", pages("inspect_page")),
        ("neighbours, map", on_map, "show seeds", seeds),
        ("neighbours, a row", f"{on_map}&row=1-00003", "show seeds", seeds),
        ("samples", pairs, "page of the list", pages("page")),
        ("samples, a pair", f"{pairs}&open=1-00003", "page of the list", pages("page")),
        ("samples, review", review, "next card", body, ("j",)),
        ("samples, review", review, "accept", body, ("a",)),
        ("samples, label", f"samples?mode=Label+answers&task={label}&{who}", "safe", body, ("s",)),
        ("filters", filters, "ROUGE-L", rouge, arrows),
        ("filters, compared", filters, "ROUGE-L", rouge, arrows, tabs("Compared")[0]),
        ("run", f"run?run={run}", "source of the log", log, (), 'summary:has-text("Log")'),
        ("run, set up", "run", "random seed", steps("random_seed")),
        ("results", f"results?runs={run}", "failures", sections("failures")),
        ("results, 6 runs", f"results?{many}", "pairs", sections("pairs")),
        ("playground", f"playground?run={run}", "fold", (".st-key-playground_fold label",)),
        ("playground, vote", f"playground?play=Blind+vote&task={vote}&{who}", "vote", body, ("1",)),
        ("report", f"report?runs={run}", "dropped too", dropped),
        ("report, 6 runs", f"report?{many}", "dropped too", dropped),
        ("help", "help", "another tab", tabs("Words", "Start")),
    ]
    return [View(*one) for one in found]


# ------------------------------------------------------------------ measuring


def opening(page: Page, address: str) -> float:
    """Seconds until the page is drawn and stays at rest, in a new session."""
    page.goto("about:blank")
    page.goto(address)
    return float(page.wait_for_function(OPENED, timeout=240_000).json_value()) / 1000


def rerun(page: Page, view: View, number: int) -> float:
    """Milliseconds from the action to the end of what it causes."""
    page.evaluate(RESET)
    target = page.locator(view.targets[number % len(view.targets)]).first
    if view.keys:
        if view.targets != ("body",):
            target.focus()
        page.keyboard.press(view.keys[number % len(view.keys)])
    else:
        target.click()
    page.wait_for_function(RESTS, polling=20, timeout=20_000)
    return float(page.evaluate("window.spent.ended - window.spent.acted"))


def measure(page: Page, address: str, view: View, repeats: int) -> str:
    """A row of the table."""
    before = processor_seconds()["server"]
    first = opening(page, f"{address}/{view.address}")
    cost = processor_seconds()["server"] - before
    again = opening(page, f"{address}/{view.address}")
    page.evaluate(WATCH)
    if view.before:
        page.locator(view.before).first.click()
        page.wait_for_timeout(1_000)
    rerun(page, view, 0)
    before = processor_seconds()["server"]
    spent = sorted(rerun(page, view, number) for number in range(1, repeats + 1))
    each = 1000 * (processor_seconds()["server"] - before) / repeats
    return (
        f"| {view.page} | {first:.1f} | {cost:.1f} | {again:.1f} | {view.action} | {repeats} "
        f"| {statistics.median(spent):.0f} | {spent[int(0.95 * repeats)]:.0f} | {each:.0f} |"
    )


def main() -> None:
    """Make the workspace where there is none, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, help="of one run in place of the ten")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--only", default="")
    parser.add_argument("--workspace", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = asked.workspace or Path(folder)
        if not Workspace(root).runs():
            if asked.candidates:
                scripted_workspace(root, 1, 3, -(-asked.candidates // 3))
            else:
                scripted_workspace(root, 10, 3, 512)
        runs = sorted(run.run_id for run in Workspace(root).runs())
        port = free_port()
        with serving(app_command(port, root), port) as address, chromium_page() as page:
            print(f"{HEAD}\n|{'---|' * HEAD.count(' |')}")
            for view in views(runs):
                if asked.only in view.page:
                    try:
                        print(measure(page, address, view, asked.repeats), flush=True)
                    except PlaywrightError as error:  # the other pages are measured all the same
                        print(f"{view.page}, {view.action}: {str(error).splitlines()[0]}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()

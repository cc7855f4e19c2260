"""How long every page takes to open, and to follow a widget, in a workspace of many rows.

    python -m tests.bench.pages                             10 runs x 3 iterations x 512 candidates
    python -m tests.bench.pages --candidates 50000          one run of as many over 3 iterations
    python -m tests.bench.pages --only samples --repeats 50 pages whose name has this in it
    python -m tests.bench.pages --workspace DIR             kept; used as it is when it has runs

The pages are opened in headless Chromium, in a new browser session each; then one cheap control of
each page is used again and again. A rerun's time goes from the click or key to the last change of
the page, with all that follows from one action; `sent` is the part of it that the browser waits
before it tells the server (a slider may wait for a further step). `server` and
`browser` are processor time, of the server and of the page's main thread, which a busy machine does
not change much: a quiet one needs about their sum. Of the first opening the server's holds what is
read and computed once. Left out: what is drawn on a canvas after that change, and models that write
(a scripted run has no weights).
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import CDPSession, Page
from playwright.sync_api import Error as PlaywrightError

from app.widgets.task_address import packed
from isara.workspace.runs import Workspace
from tests.bench.review_latency import processor_seconds
from tests.bench.workspace import scripted_workspace
from tests.browser.serving import app_command, chromium_page, free_port, serving

HEAD = (
    "| page | first, s | server, s | again, s | action | n | median, ms | 95 %, ms "
    "| sent, ms | server, ms | browser, ms |"
)
REST, SETTLED = 300, 1_000  # ms without anything new: a rerun is over, a page is open
# In the page, before its own scripts: when a widget was used, when the browser told the server, and
# when something last came or changed. Streamlit's own word, data-test-script-state, is not seen to
# change by a rerun that is quick.
WATCH = """() => {
    const now = () => performance.now();
    window.seen = {used: null, sent: null, heard: null, changed: now()};
    const change = () => requestAnimationFrame(() => { window.seen.changed = now(); });
    for (const kind of ['click', 'keydown'])
        addEventListener(kind, () => { window.seen.used ??= now(); }, true);
    const Plain = window.WebSocket;
    window.WebSocket = class extends Plain {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', () => {
                if (window.seen.sent !== null) window.seen.heard ??= now();
                change();
            });
        }
        send(data) { window.seen.sent ??= now(); super.send(data); }
    };
    // A grid's table for screen readers follows its picture after a pause.
    const unseen = (one) => one.target.closest?.('[data-testid="data-grid-canvas"]');
    new MutationObserver((all) => { if (!all.every(unseen)) change(); }).observe(
        document, {subtree: true, childList: true, characterData: true});
}"""
RESET = """() => Object.assign(
    window.seen, {used: null, sent: null, heard: null, changed: Infinity})"""
STILL = f"""() => window.seen.heard !== null && performance.now() - window.seen.changed > {REST}
    && document.querySelector('[data-testid="stApp"]')
        .getAttribute('data-test-script-state') === 'notRunning'"""
OPENED = f"""() => {{
    const state = document.querySelector('[data-testid="stApp"]')
        ?.getAttribute('data-test-script-state');
    const loading = document.querySelector('[data-testid="stSkeleton"]');
    const still = performance.now() - window.seen.changed > {SETTLED};
    return state === 'notRunning' && !loading && still && window.seen.changed;
}}"""


class Rerun(NamedTuple):
    """Milliseconds from a widget's use to the message to the server, and to the end of it all."""

    sent: float
    total: float


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
    groups, fold = (".st-key-seed_groups input",), ("[class*=st-key-fold_harmful] label",)
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
        ("playground", f"playground?run={run}", "fold", fold),
        ("playground, vote", f"playground?play=Blind+vote&task={vote}&{who}", "fold", fold),
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


def rerun(page: Page, view: View, number: int) -> Rerun:
    """Use the widget and wait for all that this causes."""
    target = page.locator(view.targets[number % len(view.targets)]).first
    if view.keys:
        if view.targets != ("body",):
            target.focus()
        page.evaluate(RESET)
        page.keyboard.press(view.keys[number % len(view.keys)])
    else:
        target.hover()  # which may draw something itself
        page.wait_for_timeout(100)
        page.evaluate(RESET)
        target.click()
    page.wait_for_function(STILL, polling=20)
    seen = page.evaluate("window.seen")
    return Rerun(seen["sent"] - seen["used"], seen["changed"] - seen["used"])


def browser_seconds(devtools: CDPSession) -> float:
    """Processor time of the page's main thread so far."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "ThreadTime"))


def measure(page: Page, address: str, view: View, repeats: int) -> str:
    """A row of the table."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    before = processor_seconds()["server"]
    first = opening(page, f"{address}/{view.address}")
    cost = processor_seconds()["server"] - before
    again = opening(page, f"{address}/{view.address}")
    if view.before:
        page.locator(view.before).first.click()
        page.wait_for_timeout(SETTLED)
    rerun(page, view, 0)
    before, drawn = processor_seconds()["server"], browser_seconds(devtools)
    spent = [rerun(page, view, number) for number in range(1, repeats + 1)]
    each = 1000 * (processor_seconds()["server"] - before) / repeats
    drawn = 1000 * (browser_seconds(devtools) - drawn) / repeats
    totals = sorted(one.total for one in spent)
    waited = statistics.median(one.sent for one in spent)
    return (
        f"| {view.page} | {first:.1f} | {cost:.1f} | {again:.1f} | {view.action} | {repeats} "
        f"| {statistics.median(totals):.0f} | {totals[int(0.95 * repeats)]:.0f} "
        f"| {waited:.0f} | {each:.0f} | {drawn:.0f} |"
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
            page.add_init_script(f"({WATCH})()")
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

"""A server in a process of its own, and a page in the system's Chromium.

    port = free_port()
    with serving(app_command(port, workspace), port) as address, chromium_page() as page:
        visit(page, address)        # a click right after `goto` would meet a page that still moves
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("what only the new run shows")).to_be_visible()
        settled(page)               # before the next click, or keys

Right after a click `settled` alone may look before the click has reached the script.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
WAIT_S = 120.0  # for a server to listen, and for a page to come to rest: cores may be shared
WAIT_MS = 60_000  # for a text or a click, on the same cores
expect.set_options(timeout=WAIT_MS)
QUIET_MS, QUIET_TIMES = 150, 3  # looks at a page that must be alike
# Below those that the system hands out by itself (from 32768 on), which might be taken by any
# connection between the look and the server's start; Streamlit refuses ports below 1024, and 3000.
PORTS, PORTS_EACH, PARTS = 20_000, 1_000, 12


def free_port() -> int:
    """A port that nobody listens on; processes of pytest-xdist look in ranges of their own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    part = 1 + int(worker.removeprefix("gw")) % (PARTS - 1) if worker else 0
    first = PORTS + PORTS_EACH * part
    for port in random.sample(range(first, first + PORTS_EACH), PORTS_EACH):
        with socket.socket() as s, suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"No port from {first} on is free.")


def app_command(port: int, workspace: Path | str) -> list[str]:
    """`isara app` on a workspace."""
    command = [sys.executable, "-m", "isara", "app", "--port", str(port)]
    return [*command, "--workspace", str(workspace)]


@contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[str]:
    """The address of a server once it listens; its whole process group ends with the block."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=said)
        try:
            deadline = time.monotonic() + WAIT_S
            while not listens(process, port):
                ended = process.poll()
                if ended is not None or time.monotonic() > deadline:
                    said.seek(0)
                    last = "\n".join(said.read().decode(errors="replace").splitlines()[-20:])
                    why = "did not listen in time" if ended is None else f"ended with code {ended}"
                    raise RuntimeError(f"The server for port {port} {why}. It said last:\n{last}")
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)


def listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether this very process listens on the port: another one may answer there too."""
    try:
        sockets = psutil.Process(process.pid).net_connections("tcp")
    except psutil.Error:  # it is gone
        return False
    return any(s.status == psutil.CONN_LISTEN and s.laddr.port == port for s in sockets)


@contextmanager
def chromium_page() -> Iterator[Page]:
    """A page of 1280 x 900 in headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(WAIT_MS)
        yield page
        browser.close()


def visit(page: Page, address: str) -> None:
    """Go to an address, and wait until the page has come to rest."""
    page.goto(address)
    settled(page)


def settled(page: Page) -> None:
    """Wait until the script has run, charts are drawn and nothing is added any more."""
    expect(page.get_by_test_id("stMainBlockContainer")).to_be_visible()
    before, alike, deadline = None, 0, time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        page.wait_for_timeout(QUIET_MS)
        state, busy, size = page.evaluate(STATE)
        alike = alike + 1 if state == "notRunning" and not busy and size == before else 0
        if alike == QUIET_TIMES:
            return
        before = size
    raise AssertionError(f"{page.url} does not come to rest")


STATE = """() => [
  document.querySelector('[data-testid=stApp]').dataset.testScriptState,
  document.querySelectorAll(
    '[data-testid=stSkeleton], [data-testid=stSpinner], [data-stale=true],' +
    '.stPlotlyChart:not(:has(.main-svg))'
  ).length,
  document.querySelectorAll('*').length,
]"""

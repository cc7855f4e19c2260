"""How long from starting the server to text in the browser, against an empty one-line app.

    python tests/bench/start.py [REPEATS] [TEXT]      TEXT: "Seed examples" (the title) by default

Starts each in turn with a fresh server in a running Chromium and prints the median seconds and
their difference. Needs the system's Chromium and playwright.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def seconds_to_text(command: list[str], port: int, page: Page, text: str, workspace: str) -> float:
    """Seconds from the start of the server until `text` is on the page."""
    environment = {**os.environ, "ISARA_WORKSPACE": workspace}
    started = time.perf_counter()
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.02)
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_text(text).first.wait_for(timeout=60_000)
        return time.perf_counter() - started
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    """Alternate the two apps and print the medians."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    words = sys.argv[2] if len(sys.argv) > 2 else "Seed examples"
    found: dict[str, list[float]] = {"empty": [], "isara": []}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        empty = Path(folder) / "empty.py"
        empty.write_text("import streamlit as st; st.write('hello from nothing')\n", "utf-8")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        for _ in range(repeats):
            for name, text in (("empty", "hello from nothing"), ("isara", words)):
                port = free_port()
                base = [sys.executable, "-m", "isara", "app", "--port", str(port)]
                if name == "empty":
                    base = [sys.executable, "-m", "streamlit", "run", str(empty)]
                    base += ["--server.port", str(port), "--server.address", "127.0.0.1"]
                    base += ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
                found[name].append(seconds_to_text(base, port, page, text, folder))
        browser.close()
    for name, values in found.items():
        listed = ", ".join(f"{value:.2f}" for value in values)
        print(f"{name}: median {statistics.median(values):.2f} s ({listed})")
    difference = statistics.median(found["isara"]) - statistics.median(found["empty"])
    print(f"difference: {difference:.2f} s")


if __name__ == "__main__":
    main()

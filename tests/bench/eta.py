"""How right the ETA is: a demo run is killed in the middle, resumed, and its ETA held to the clock.

    python -m tests.bench.eta [--at 0.4] [--measure] [a.b=c ...]

The worker is killed with SIGKILL when the share `--at` of the work is done. Prints the ratio of the
seconds that were left to those that were told, at a quarter, half and three quarters of the time
that the resumed worker took (1 is right; the promise is 0.75 to 1.25 at half). `--measure` makes a
measured dry run first and prints its estimate against the time that the run took.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from isara.config_files import load_config
from isara.workspace.runs import RunFolder, Workspace

CONFIG = "data/configs/demo.yaml"
SHARES = (0.25, 0.5, 0.75)
Seen = list[tuple[float, float | None]]  # when, and the seconds that were told to be left


def start(arguments: list[str], workspace: Path) -> subprocess.Popen[bytes]:
    """A worker as the app starts it."""
    command = [sys.executable, "-m", "isara", "run", CONFIG, "--quiet", *arguments]
    return subprocess.Popen(
        [*command, "--workspace", str(workspace)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def follow(
    worker: subprocess.Popen[bytes], run: RunFolder, enough: Callable[[float], bool]
) -> tuple[float, Seen]:
    """Write down every ETA until the worker ends, or is killed because enough is done; the seconds
    that it took."""
    began, seen, last = time.time(), list[tuple[float, float | None]](), 0.0
    while worker.poll() is None:
        progress = run.progress() if run.exists else None
        if progress is not None and progress["updated"] > max(last, began):
            last = progress["updated"]
            seen.append((last, progress["eta_s"]))
            if enough(progress["overall_done"] / progress["overall_total"]):
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
        time.sleep(0.1)
    return time.time() - began, seen


def told_at(seen: Seen, at: float) -> float | None:
    """The seconds left that a page would show at a time: the last ETA, counted down."""
    known = [(when, eta) for when, eta in seen if when <= at and eta is not None]
    if not known:
        return None
    when, eta = known[-1]
    assert eta is not None
    return max(0.0, eta - (at - when))


def main() -> None:
    """Measure, kill, resume, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", type=float, default=0.4)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("changes", nargs="*")
    given = parser.parse_args()
    changes = [part for change in given.changes for part in ("--set", change)]
    config = load_config(CONFIG, given.changes)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        run = Workspace(root).run(config.default_run_id)
        if given.measure:
            start([*changes, "--dry-run", "--measure"], root).wait()
        first, _ = follow(start(changes, root), run, lambda share: share >= given.at)
        began = time.time()
        worker = start(changes, root)
        second, seen = follow(worker, run, lambda share: False)
        assert worker.returncode == 0, "the resumed run failed"
        print(f"killed after {first:.0f} s, resumed for {second:.0f} s; load {os.getloadavg()}")
        for share in SHARES:
            at = began + share * second
            told, left = told_at(seen, at), (1 - share) * second
            words = "not known" if told is None else f"told {told:.0f} s, ratio {told / left:.2f}"
            print(f"at {share:.0%}: {left:.0f} s were left, {words}", flush=True)
        if given.measure:
            from isara.methods.estimate import estimate, read_measured

            measured = read_measured(config, Workspace(root))
            assert measured is not None
            found, took = estimate(config, measured), first + second
            print(
                f"dry run: {found.seconds:.0f} s ({found.low:.0f} to {found.high:.0f}), the run "
                f"took {took:.0f} s: ratio {found.seconds / took:.2f}"
            )


if __name__ == "__main__":
    main()

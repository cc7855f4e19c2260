"""Start, watch, stop and resume runs outside the browser's session.

A ``Supervisor`` is a daemon thread of the app that gives each queued run a worker process of its
own: ``python -m isara run``, in a new session, with its output in worker.log. The two share nothing
but the run folder, so the worker outlives the app, and a restarted app finds it by pid and start
time. The queue is on disk as well: the runs in the state "queued", in the order of job.json, which
`move` changes. One run at a time works on a device. Pages call ``get_supervisor(workspace)`` and
``watch(run)``. What a worker does is left to methods/; this module imports no Streamlit.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil
from filelock import FileLock, Timeout

from isara.errors import RunStateError
from isara.methods.reviewing import ReviewNotDoneError, waiting_iteration
from isara.workspace.files import read_if_whole, write_json, write_text
from isara.workspace.runs import MEASUREMENTS, WORKER_DIED, RunFolder, Workspace

PROJECT_ROOT = Path(__file__).resolve().parents[1]
STOPPED_BY_USER = "stopped by the user"
LOG_BYTES = 4 * 1024

log = logging.getLogger(__name__)

Command = Callable[[Workspace, RunFolder], list[str]]


def worker_command(workspace: Workspace, run: RunFolder) -> list[str]:
    """The command that works on a run and goes on where an earlier worker stopped, or that of a dry
    run which measures."""
    command = [sys.executable, "-m", "isara", "run", str(run.config)]
    command += ["--dry-run", "--measure"] if _measures(run) else ["--run-id", run.run_id]
    return [*command, "--workspace", str(workspace.root), "--quiet"]


@dataclass(frozen=True, slots=True)
class _Worker:
    """A worker that this process started, its entry in the queue, and where its log begins."""

    run: RunFolder
    process: subprocess.Popen[bytes]
    queued: int
    log_start: int


class Supervisor:
    """Works off the queue of one workspace; several on one workspace take turns."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        device: str = "cpu",
        command: Command = worker_command,
        poll_s: float = 1.0,
    ) -> None:
        """``device`` is where runs go that name none: two runs never share one."""
        self.workspace = workspace
        self._device = device
        self._command = command
        self._poll_s = poll_s
        self._workers: list[_Worker] = []
        self._wake = threading.Event()
        self._closed = False
        self._lock = threading.Lock()  # one change of states at a time in this process
        self._thread = threading.Thread(target=self._work, name="isara-supervisor", daemon=True)

    def start(self) -> None:
        """Begin to work off the queue; live workers of an earlier app count as running."""
        self._thread.start()

    def close(self) -> None:
        """End the thread; workers go on."""
        self._closed = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    # ------------------------------------------------------------------ what pages ask for

    def submit(
        self, config: str | Mapping[str, object], run_id: str, *, device: str | None = None
    ) -> RunFolder:
        """Queue a run: its YAML text, or the dump of a RunConfig, and its id.

        Raises InputError for a bad id, RunStateError when the id has another config or is active.
        """
        if not isinstance(config, str):
            import yaml

            config = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
        run = self.workspace.run(run_id)
        with self._lock, self._turn():
            run.create(config)
            self._enqueue(run, device)
        self._wake.set()
        return run

    def measure(self, config: str, digest: str, *, device: str | None = None) -> RunFolder:
        """Queue the dry run that measures a config (YAML text): it goes before all waiting runs,
        and waits for the run that is at work, whose figures and its own it would spoil.

        RunStateError when it is queued or running already.
        """
        folder = self.workspace.measurement(digest)
        with self._lock, self._turn():
            write_text(folder.config, config)
            self._enqueue(folder, device)
            write_json(folder.job, _job(folder) | {"place": 0})
        self._wake.set()
        return folder

    def stop_measuring(self, digest: str) -> None:
        """Take a dry run off the queue, or kill its worker: there is nothing to keep."""
        folder = self.workspace.measurement(digest)
        with self._lock, self._turn():
            if folder.state().state in ("queued", "running"):
                _kill(folder)
                folder.set_state("stopped", STOPPED_BY_USER)

    def resume(self, run_id: str, *, device: str | None = None) -> RunFolder:
        """Queue a run that was stopped, failed or reviewed; it goes on where it stopped.

        RunStateError when it is active, or waits for a review that is not done.
        """
        run = self.workspace.existing_run(run_id)
        with self._lock, self._turn():
            # A worker would load its models only to wait again, and hold up the end of the review.
            if (k := waiting_iteration(run)) is not None:
                raise RunStateError(str(ReviewNotDoneError(run, k)))
            self._enqueue(run, device or _job(run).get("device"))
        self._wake.set()
        return run

    def pause(self, run_id: str, wanted: bool = True) -> None:
        """Ask a run's worker to end after the stage that it is at, or (False) to go on after it;
        the next run in the queue has the device meanwhile. A run off the queue: `stop`."""
        run = self.workspace.existing_run(run_id)
        with self._lock, self._turn():
            if run.state().state == "running":
                run.request_pause(wanted)

    def move(self, run_id: str, place: int) -> None:
        """Put a waiting run at a place of the queue, 1 the next to start; a place beyond the end
        is the end. Nothing happens to a run that no longer waits."""
        with self._lock, self._turn():
            waiting = self.queue()
            if run_id not in waiting:
                return
            runs = [self.workspace.run(other) for other in waiting]
            places = sorted(_place(run)[0] for run in runs)
            # Two runs that were queued on machines with other clocks may have the same.
            places = [at + i for i, at in enumerate(places)]
            moved = runs.pop(waiting.index(run_id))
            runs.insert(max(0, place - 1), moved)
            for at, run in zip(places, runs, strict=True):
                write_json(run.job, _job(run) | {"place": at})

    def stop(self, run_id: str, *, now: bool = False) -> None:
        """Take a run off the queue, or ask its worker to end after the block that it is at.

        ``now`` kills the worker and all that it started: at most one block is lost.
        """
        run = self.workspace.existing_run(run_id)
        with self._lock, self._turn():
            state = run.state()
            if state.state == "queued":
                run.set_state("stopped", STOPPED_BY_USER)
            elif state.state == "running":
                run.request_stop()
                if now:
                    _kill(run)
                    run.set_state("stopped", STOPPED_BY_USER)

    def queue(self) -> list[str]:
        """The ids of the runs that wait, the next one first."""
        waiting = [run for run in self.workspace.runs() if run.state().state == "queued"]
        return [run.run_id for run in sorted(waiting, key=_place)]

    def active(self) -> list[str]:
        """The ids of the runs that a worker is at."""
        return [run.run_id for run in self.workspace.runs() if run.state().state == "running"]

    def measuring(self) -> bool:
        """Whether a dry run is under way or waits."""
        dry = self.workspace.measurements()
        return any(folder.state().state in ("queued", "running") for folder in dry)

    def _enqueue(self, run: RunFolder, device: str | None) -> None:
        if (state := run.state().state) in ("queued", "running"):
            raise RunStateError(f"The run {run.run_id} is {state} already; stop it first.")
        run.clear_stop()
        write_json(run.job, {"queued": time.time_ns(), "device": device or self._device})
        run.set_state("queued")

    # ------------------------------------------------------------------ the thread

    def _work(self) -> None:
        while not self._closed:
            self._wake.clear()
            try:
                with self._lock, self._turn(timeout=0):
                    self._reap()
                    self._spawn_waiting()
            except RunStateError:
                pass  # another app is at it: its turn
            except Exception:  # a full disk must not end the thread for good
                log.exception("The queue of %s was not worked off", self.workspace.root)
            self._wake.wait(self._poll_s)

    @contextlib.contextmanager
    def _turn(self, timeout: float = 10) -> Iterator[None]:
        """Hold the workspace's queue among all apps that are open on it."""
        self.workspace.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.workspace.root / ".supervisor.lock", timeout=timeout)
        try:
            lock.acquire()
        except Timeout:
            raise RunStateError(
                f"Another app holds the queue of {self.workspace.root}; try again."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _reap(self) -> None:
        """Collect ended workers and write down those that failed without saying so."""
        ended = [worker for worker in self._workers if worker.process.poll() is not None]
        self._workers = [worker for worker in self._workers if worker not in ended]
        for worker in ended:
            run, code = worker.run, worker.process.returncode
            state = run.saved_state().state
            if state not in ("queued", "running") or run.is_alive():
                continue  # it said how it ended, or lost the run to another worker
            if _queued_at(run) != worker.queued:
                continue  # queued again since: the state is no longer this worker's
            if code > 0:
                error = _last_line(run.worker_log, worker.log_start)
                run.set_state("failed", error=error or f"the worker ended with exit code {code}")
            else:  # killed, or it ended without a word; also keeps it from being started again
                run.set_state("stopped", WORKER_DIED)

    def _spawn_waiting(self) -> None:
        jobs = [*self.workspace.runs(), *self.workspace.measurements()]
        states = [(run, run.saved_state().state) for run in jobs]
        current = [run for run, state in states if state in ("queued", "running")]
        # A worker that gave up its run still holds its memory until its process has ended.
        own = [worker.run for worker in self._workers]
        busy = {self._device_of(run) for run in own + [r for r in current if r.is_alive()]}
        waiting = [run for run, state in states if state == "queued" and not run.is_alive()]
        for run in sorted(waiting, key=_place):
            if (device := self._device_of(run)) not in busy:
                busy.add(device)
                try:
                    self._spawn(run)
                except OSError as error:  # no memory, no such program: not to be tried for ever
                    run.set_state("failed", error=f"the worker could not be started: {error}")

    def _spawn(self, run: RunFolder) -> None:
        with run.worker_log.open("ab") as output:
            start = output.tell()
            process = subprocess.Popen(
                self._command(self.workspace, run),
                cwd=PROJECT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C and the end of the app do not reach it
            )
        self._workers.append(_Worker(run, process, _queued_at(run), start))
        # On the worker's behalf: it is alive from now on, long before it has imported torch.
        with contextlib.suppress(psutil.NoSuchProcess):
            run.beat(process.pid)

    def _device_of(self, run: RunFolder) -> str:
        # A run that was started on the command line has no job.json.
        return str(_job(run).get("device", self._device))


_supervisors: dict[Path, Supervisor] = {}
_supervisors_lock = threading.Lock()


def get_supervisor(workspace: Workspace, *, device: str = "cpu") -> Supervisor:
    """The one supervisor of a workspace in this process, started at the first call."""
    with _supervisors_lock:
        if workspace.root not in _supervisors:
            supervisor = _supervisors[workspace.root] = Supervisor(workspace, device=device)
            supervisor.start()
        return _supervisors[workspace.root]


def watch(run: RunFolder) -> dict[str, Any]:
    """What a page shows of a run, from its files alone.

    Returns state, stop_reason, error, progress (or None), eta_s (seconds to the end counted down
    since the last progress, or None) and fresh (whether the progress is this worker's, not one from
    before a resume).
    """
    state = run.state()
    progress = run.progress()
    eta_s = None
    # Progress from before a resume says nothing yet about the time that is left.
    current = progress is not None and progress["updated"] >= state.updated
    if state.state == "running" and current and progress and progress["eta_s"] is not None:
        eta_s = max(0.0, progress["eta_s"] - (time.time() - progress["updated"]))
    return {
        "run_id": run.run_id,
        "state": state.state,
        "stop_reason": state.stop_reason,
        "error": state.error,
        "progress": progress,
        "eta_s": eta_s,
        "fresh": current,
    }


def _measures(run: RunFolder) -> bool:
    return run.path.parent.name == MEASUREMENTS


def _job(run: RunFolder) -> dict[str, Any]:
    """What job.json says; nothing where there is none (a run of the command line), or where it is
    damaged: one run's file must not hold up the queue."""
    return cast("dict[str, Any]", read_if_whole(run.job, {}))


def _queued_at(run: RunFolder) -> int:
    return int(_job(run).get("queued", 0))


def _place(run: RunFolder) -> tuple[int, str]:
    """What the queue is sorted by: when a run was queued, or where it was moved to."""
    job = _job(run)
    return int(job.get("place", job.get("queued", 0))), run.run_id


def _last_line(path: Path, start: int) -> str:
    """The last line with text that was written to a file from a byte offset on."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(start, end - LOG_BYTES))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


def _kill(run: RunFolder) -> None:
    """Kill a run's worker with its process group."""
    beat = run.heartbeat()
    if beat is None or not run.is_alive():
        return
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(beat["pid"]) == beat["pid"]:
            os.killpg(beat["pid"], signal.SIGKILL)
        else:  # started from a shell: the group may hold more than the worker
            os.kill(beat["pid"], signal.SIGKILL)

"""Run folders: what a run is, how far it is and whether somebody works on it, all on disk.

``Workspace(root)`` finds runs and the database; ``RunFolder`` is one run; ``IterationFolder`` names
the files of one iteration. The worker writes (under ``RunFolder.lock``), pages and the supervisor
(jobs.py) read, so that neither needs the other. What the files of a stage hold is left to methods/.

    RUN_ID/run.yaml state.json events.jsonl progress.json heartbeat.json job.json
      stop pause worker.log pace.json branch.json (of a branch)
      iteration-00/ (the base model)  iteration-01/ …  baseline-sft/
"""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, cast, get_args

import psutil
from filelock import FileLock, Timeout

from isara.errors import InputError, IsaraError, RunStateError
from isara.workspace.files import read_if_whole, read_json, remove_temporary, write_json, write_text

if TYPE_CHECKING:
    from isara.workspace.database import Database

State = Literal["queued", "running", "waiting for review", "stopped", "done", "failed"]
STATES: tuple[State, ...] = get_args(State)
WORKER_DIED = "worker ended unexpectedly"
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
BASELINE = "baseline-"
MEASUREMENTS = "estimates"
ITERATION = re.compile(r"iteration-(\d{2,})")
CLOCK_SECONDS = 1.0  # the start of a process is known to a second where boot time is


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a run stands; ``updated`` in seconds since 1970."""

    state: State
    stop_reason: str | None = None
    error: str | None = None
    updated: float = 0.0


class Progress(TypedDict):
    """How far a run is: ``done`` of ``total`` in this stage, ``overall_*`` in the whole run.

    ``started`` is when the stage began, in seconds since 1970; ``eta_s`` the seconds to the end of
    the run, None while unknown. ``updated`` is set by ``write_progress``.
    """

    stage: str
    iteration: int
    done: int
    total: int
    started: float
    eta_s: float | None
    overall_done: float
    overall_total: float
    updated: NotRequired[float]


class IterationFolder:
    """The paths of one iteration, or of a baseline; a folder is made by the first write into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.candidates = path / "candidates.parquet"
        self.scores = path / "scores.parquet"
        self.kept = path / "kept.jsonl"
        self.model = path / "model"
        self.evaluation = path / "evaluation.parquet"
        self.metrics = path / "metrics.json"
        self.done = path / "done.json"

    @property
    def is_done(self) -> bool:
        """Whether the marker, which is written last, is there."""
        return self.done.exists()


class RunFolder:
    """One run's folder; making the object touches nothing on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run_id = path.name
        self.config = path / "run.yaml"
        self.events_file = path / "events.jsonl"
        self.worker_log = path / "worker.log"
        self.job = path / "job.json"
        self._state = path / "state.json"
        self._progress = path / "progress.json"
        self._heartbeat = path / "heartbeat.json"
        self._stop = path / "stop"
        self.lineage = path / "branch.json"
        self._pause = path / "pause"

    @property
    def exists(self) -> bool:
        """Whether the run was created: it has a config."""
        return self.config.is_file()

    def create(self, config_yaml: str) -> None:
        """Make the folder with its config, or accept a folder that has the same config.

        Raises RunStateError when the run has another config.
        """
        if self.exists:
            if self.config.read_bytes() != config_yaml.encode():
                raise RunStateError(
                    f"The run {self.run_id} exists with another config; start this one under "
                    "another id, or resume the run with its own config."
                )
            return
        write_text(self.config, config_yaml)

    @property
    def branched_from(self) -> dict[str, Any] | None:
        """The run and the iteration that this one is a branch of (``run_id``, ``at``) and what was
        changed (``changes``); None for a run that began from nothing."""
        return cast("dict[str, Any] | None", read_json(self.lineage))

    # ------------------------------------------------------------------ state

    def saved_state(self) -> RunState:
        """The state as it was last written, whether or not the worker still lives.

        A damaged file makes this one run a failed one: a list of runs must not end at it.
        """
        try:
            saved = read_json(self._state)
            return RunState("stopped", "not started") if saved is None else RunState(**saved)
        except (IsaraError, TypeError) as error:
            why = f"state.json of {self.run_id} is damaged ({error}). Go on with the run: it is "
            return RunState("failed", None, why + "written anew, and nothing that is done is lost.")

    def state(self) -> RunState:
        """The state to show: a run whose worker died is stopped, one that begins is running."""
        saved = self.saved_state()
        if saved.state not in ("running", "queued"):
            return saved
        alive = self.is_alive()
        if saved.state == "running" and not alive:
            # The worker may have ended properly between the two looks.
            if (again := self.saved_state()) != saved:
                return again
            return RunState("stopped", WORKER_DIED, None, saved.updated)
        return RunState("running" if alive else "queued", None, None, saved.updated)

    def set_state(
        self, state: State, stop_reason: str | None = None, error: str | None = None
    ) -> None:
        """Write the state; it is whole on disk when this returns."""
        if state not in STATES:
            raise ValueError(f"{state!r} is none of {', '.join(STATES)}")
        fields = {"state": state, "stop_reason": stop_reason, "error": error}
        write_json(self._state, fields | {"updated": time.time()})

    # ------------------------------------------------------------------ events, progress

    def log_event(self, kind: str, **fields: object) -> None:
        """Append one line to events.jsonl: time, kind and the fields."""
        line = json.dumps({"time": time.time(), "kind": kind} | fields, ensure_ascii=False)
        self.path.mkdir(parents=True, exist_ok=True)
        with self.events_file.open("ab+") as file:
            # A killed worker may have left half a line: close it, so that this one can be read.
            if file.tell():
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else "\n" + line
            file.write(line.encode() + b"\n")

    def events(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The events from a byte offset on, and the offset to ask from the next time.

        A negative offset means the last so many bytes. Lines that are not whole are left out.
        """
        try:
            with self.events_file.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                start = max(0, size + offset) if offset < 0 else min(offset, size)
                file.seek(start)
                data = file.read()
        except FileNotFoundError:
            return [], 0
        whole = data[: data.rfind(b"\n") + 1]
        events = (_event(line) for line in whole.split(b"\n"))
        return [event for event in events if event is not None], start + len(whole)

    def write_progress(self, progress: Progress) -> None:
        """Replace progress.json; cheap enough for once a second."""
        write_json(self._progress, {**progress, "updated": time.time()}, durable=False)

    def progress(self) -> Progress | None:
        """What ``write_progress`` wrote last, with ``updated``; None before the first time."""
        return cast("Progress | None", read_if_whole(self._progress))

    # ------------------------------------------------------------------ the worker

    def beat(self, pid: int | None = None) -> None:
        """Write the heartbeat of a worker, by default of this process."""
        process = psutil.Process(pid)
        beat = {"pid": process.pid, "create_time": process.create_time(), "time": time.time()}
        write_json(self._heartbeat, beat, durable=False)

    def heartbeat(self) -> dict[str, Any] | None:
        """pid, create_time and time of the last beat; None before the first and after the end."""
        return cast("dict[str, Any] | None", read_if_whole(self._heartbeat))

    def is_alive(self) -> bool:
        """Whether the heartbeat's process runs: same pid and same start, and not a zombie."""
        beat = self.heartbeat()
        if beat is None:
            return False
        try:
            process = psutil.Process(beat["pid"])
            same = abs(process.create_time() - beat["create_time"]) < CLOCK_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for this process; the kernel frees it however the process ends.

        Clears what a killed worker left half-written and a stop that was asked of an earlier one.
        Raises RunStateError when another worker has the run.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            pid = (self.heartbeat() or {}).get("pid", "unknown")
            raise RunStateError(
                f"The run {self.run_id} is being worked on by process {pid}; wait until it has "
                "ended or stop it first."
            ) from None
        try:
            remove_temporary(self.path)
            self._clear_stale_stop()
            self.beat()
            yield
        finally:
            self._heartbeat.unlink(missing_ok=True)
            lock.release()

    def request_stop(self) -> None:
        """Ask the worker to end after the block that it is at."""
        write_text(self._stop, "")

    def stop_requested(self) -> bool:
        """Whether the worker should end; it looks between blocks."""
        return self._stop.exists()

    def request_pause(self, wanted: bool = True) -> None:
        """Ask the worker to end after the stage that it is at, or (False) not to."""
        if wanted:
            write_text(self._pause, "")
        else:
            self._pause.unlink(missing_ok=True)

    def pause_requested(self) -> bool:
        """Whether the worker should end before the next stage."""
        return self._pause.exists()

    def clear_stop(self) -> None:
        """Forget a stop or a pause that was asked for."""
        self._stop.unlink(missing_ok=True)
        self._pause.unlink(missing_ok=True)

    def _clear_stale_stop(self) -> None:
        # In doubt the stop holds: one that was lost would let a run go on for hours.
        began = psutil.Process().create_time() - CLOCK_SECONDS
        for file in (self._stop, self._pause):
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < began:
                    file.unlink()

    # ------------------------------------------------------------------ iterations

    def iteration(self, k: int) -> IterationFolder:
        """Iteration k; 0 is the base model."""
        return IterationFolder(self.path / f"iteration-{k:02d}")

    def baseline(self, name: str = "sft") -> IterationFolder:
        """A baseline, such as training on the seed set alone."""
        return IterationFolder(self.path / f"{BASELINE}{name}")

    def iterations(self) -> list[int]:
        """The iterations that have a folder, in order."""
        matches = (ITERATION.fullmatch(path.name) for path in self.path.glob("iteration-*/"))
        return sorted(int(match[1]) for match in matches if match)

    def measured(self) -> dict[str, IterationFolder]:
        """The models whose answers are there: "base", "iteration 1", …, then the baselines."""
        own = {f"iteration {k}": self.iteration(k) for k in self.measured_iterations()}
        paths = sorted(self.path.glob(f"{BASELINE}*/evaluation.parquet"))
        names = [path.parent.name.removeprefix(BASELINE) for path in paths]
        found = own | {name: self.baseline(name) for name in names}
        return {"base" if name == "iteration 0" else name: files for name, files in found.items()}

    def measured_iterations(self) -> list[int]:
        """The iterations whose answers are there, 0 (the base model) included."""
        return [k for k in self.iterations() if self.iteration(k).evaluation.exists()]


class Workspace:
    """The folder that holds all runs and the database."""

    def __init__(self, root: Path | str | None = None) -> None:
        """``root`` is by default the environment's ISARA_WORKSPACE, then ./workspace."""
        self.root = Path(root or os.environ.get("ISARA_WORKSPACE") or "workspace").resolve()
        self._runs = self.root / "runs"

    @property
    def option(self) -> str:
        """What a command line needs to find it, with a space before; "" for ./workspace."""
        usual = self.root == Path("workspace").resolve()
        return "" if usual else f" --workspace {shlex.quote(str(self.root))}"

    @cached_property
    def database(self) -> Database:
        """The database, opened on first use: ISARA_DATABASE or isara.db in the workspace."""
        from isara.workspace.database import Database

        return Database(os.environ.get("ISARA_DATABASE") or self.root / "isara.db")

    @property
    def embeddings(self) -> Path:
        """The file of vectors that all runs and pages share (embedding_cache.py)."""
        return self.root / "embeddings.sqlite"

    def run(self, run_id: str) -> RunFolder:
        """The folder of a run, whether or not it exists yet.

        Raises InputError for an id that is no plain folder name, or that is a link.
        """
        if not RUN_ID.fullmatch(run_id) or ".." in run_id:
            raise InputError(
                f"A run id has 1 to 80 letters, digits, dots, dashes and underscores, begins with "
                f"a letter or digit and has no two dots in a row; found {run_id!r}, choose another."
            )
        path = self._runs / run_id
        if path.is_symlink():
            raise InputError(
                f"The run {run_id} is a link to {path.resolve()}, which may lie outside the "
                "workspace; put the folder itself there."
            )
        return RunFolder(path)

    def existing_run(self, run_id: str) -> RunFolder:
        """The folder of a run that exists; InputError names those that there are."""
        run = self.run(run_id)
        if not run.exists:
            have = ", ".join(other.run_id for other in self.runs()[:10]) or "none yet"
            raise InputError(
                f"There is no run {run_id!r} in {self.root}; found {have}. Choose one of these."
            )
        return run

    def measurement(self, digest: str) -> RunFolder:
        """The folder of the dry run that measures the config with this digest."""
        return RunFolder(self.root / MEASUREMENTS / f"measure-{digest[:12]}")

    def measurements(self) -> list[RunFolder]:
        """All dry runs that measure, in no order."""
        return [RunFolder(path) for path in (self.root / MEASUREMENTS).glob("measure-*/")]

    def runs(self) -> list[RunFolder]:
        """All runs, newest first by when their config was written."""
        if not self._runs.is_dir():
            return []
        runs = [
            RunFolder(self._runs / entry.name)
            for entry in os.scandir(self._runs)
            if RUN_ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
        there = [run for run in runs if run.exists]
        return sorted(there, key=lambda r: (r.config.stat().st_mtime_ns, r.run_id), reverse=True)


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:  # half a line, left by a kill or by a tail that began inside one
        return None
    return event if isinstance(event, dict) else None

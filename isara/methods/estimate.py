"""What a whole run will take, from what a dry run of a few rows and steps measured.

    found = read_measured(config, workspace)      # None: not measured, or something changed
    told = estimate(config, found); told.seconds, told.low, told.high, told.stages

The dry run itself is in rehearsal.py; this module loads no model. Its result is kept in the
workspace by the config's digest, and holds for this machine and for the files as they were.
"""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from isara.config import RunConfig, resolve
from isara.errors import IsaraError
from isara.evaluation.stats import wilson
from isara.methods.inputs import eval_files
from isara.methods.progress import Pace, kind_of, planned_work, unit_seconds
from isara.workspace.files import read_json, write_json
from isara.workspace.runs import RunFolder, Workspace

SLOWER, FASTER = 1.25, 0.8  # how far a pace of a few rows may be off


@dataclass(frozen=True, slots=True)
class Measured:
    """What the dry run found: seconds by kind of stage, kept pairs, memory (MiB) by what holds it.

    `counted` memory is the size of tensors, `measured` that of the process less what was counted.
    """

    seeds: int
    prompts: int
    pace: Pace
    start_seconds: float
    kept: int
    generated: int
    memory: list[tuple[str, float, str]] = field(default_factory=list)  # part, MiB, how known
    peak_mib: float = 0.0
    free_mib: float = 0.0  # before anything was loaded
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class StageTime:
    """A kind of stage over the whole run: units, seconds for one, seconds; whether it was seen."""

    stage: str
    units: float
    each: float
    seconds: float
    seen: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds of a whole run, by stage, with the range in which they should lie."""

    stages: list[StageTime]
    seconds: float
    low: float
    high: float


def estimate(config: RunConfig, measured: Measured) -> Estimate:
    """The time of a run of all its iterations.

    Low: every iteration keeps no more than alpha asks for, and the pace is a fifth faster; high:
    as many are kept as the interval of the share kept allows, and the pace is a quarter slower.
    """
    share = wilson(measured.kept, measured.generated) if measured.generated else None
    middle = None if share is None else share.value
    stages = stage_times(config, measured, middle)
    seconds = measured.start_seconds + sum(stage.seconds for stage in stages)

    def whole(retention: float | None) -> float:
        return sum(stage.seconds for stage in stage_times(config, measured, retention))

    least = middle if middle is None else min(config.loop.alpha, middle)
    most = None if share is None else share.high
    low = FASTER * (measured.start_seconds + whole(least))
    high = SLOWER * (measured.start_seconds + whole(most))
    return Estimate(stages, seconds, low, high)


def stage_times(config: RunConfig, measured: Measured, retention: float | None) -> list[StageTime]:
    """The time of each kind of stage, in the order in which they first come."""
    work: dict[str, float] = {}
    plan = planned_work(config, measured.seeds, measured.prompts, retention)
    for key, units in plan.items():
        work[kind_of(key)] = work.get(kind_of(key), 0.0) + units
    known = {kind: seconds / units for kind, (units, seconds) in measured.pace.items() if units}
    found = []
    for kind, units in work.items():
        each = unit_seconds(kind, known)
        if units and each is not None:
            found.append(StageTime(kind, units, each, units * each, kind in known))
    return found


# -------------------------------------------------------------------- kept in the workspace


def measurement(config: RunConfig, workspace: Workspace) -> RunFolder:
    """The folder of a config's dry run: its state, its worker's log, its result."""
    return workspace.measurement(config.digest)


def result_file(folder: RunFolder) -> Path:
    """Where a dry run's result is kept."""
    return folder.path / "estimate.json"


def write_measured(folder: RunFolder, config: RunConfig, measured: Measured) -> None:
    """Keep a result with what it depends on."""
    about = {"depends_on": depends_on(config), "measured": asdict(measured)}
    write_json(result_file(folder), about)


def read_measured(config: RunConfig, workspace: Workspace) -> Measured | None:
    """The result of a config's dry run; None without one, or when its files or the machine are
    others now."""
    try:
        found: dict[str, Any] = read_json(result_file(measurement(config, workspace)), {})
        if not found or found["depends_on"] != depends_on(config):
            return None
        fields = found["measured"]
        return Measured(**fields | {"memory": [tuple(row) for row in fields["memory"]]})
    except (IsaraError, KeyError, TypeError):  # damaged, or of another version: measure again
        return None


def depends_on(config: RunConfig) -> dict[str, Any]:
    """The machine, and size and time of the files that a config names."""
    seeds = [config.seeds, *(config.seeds.mixture or {}).values()]
    paths = [resolve(name) for name in (config.model.path, *(one.path for one in seeds)) if name]
    files = {}
    for path in [*paths, *eval_files(config.evaluation.prompts)]:
        path = path / "config.json" if path.is_dir() else path
        stat = path.stat() if path.exists() else None
        files[str(path)] = None if stat is None else [stat.st_size, stat.st_mtime_ns]
    return {"machine": platform.node(), "cores": os.cpu_count(), "files": files}

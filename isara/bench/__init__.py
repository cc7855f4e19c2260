"""What `isara bench NAME` runs: both sides in one process, in turns, with the ratio's spread.

    report = BENCHES["rouge"](quick=False)     # {"bench", "machine", "rows": [...]}

A row has the case, the median seconds of our side and of the other, their ratio (theirs / ours)
with the smallest and largest ratio of a turn, the floor where one is known, and MiB where they are
the point of the case. Timings come from the wall clock; nothing else should run on the machine.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Report = dict[str, Any]


def seconds(work: Callable[[], Any]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(
    case: str,
    ours: Callable[[], Any],
    theirs: Callable[[], Any],
    repeats: int,
    **more: float | None,
) -> Row:
    """Both sides in turns, `repeats` times, after one turn of ours to warm up."""
    ours()
    turns = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    ratios = [other / own for own, other in turns]
    return {
        "case": case,
        "ours_s": statistics.median(own for own, _ in turns),
        "theirs_s": statistics.median(other for _, other in turns),
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "repeats": repeats,
        "floor_s": more.pop("floor_s", None),
        "ours_mib": more.pop("ours_mib", None),
        "theirs_mib": more.pop("theirs_mib", None),
        **more,
    }


def report(bench: str, rows: list[Row], **more: Any) -> Report:
    """The rows with the machine they were measured on."""
    return {"bench": bench, "machine": machine(), "rows": rows, **more}


def machine() -> dict[str, Any]:
    """Processor, cores, memory, GPU and versions."""
    import psutil
    import torch
    import transformers

    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        processor = names[0] if names else processor
    except OSError:
        pass
    return {
        "processor": processor,
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def run_bench(name: str, *, quick: bool = False) -> Report:
    """Run one bench by name; InputError names those that there are."""
    from isara.errors import InputError

    if name not in NAMES:
        raise InputError(f"There is no bench {name!r}; choose one of {', '.join(NAMES)}.")
    import importlib

    found: Report = importlib.import_module(f"isara.bench.{name}").run(quick=quick)
    return found


NAMES = ("decoding", "rouge", "retrieval", "verdicts", "loop")

"""What a stage costs: wall time, tokens, peak memory, GPU energy; what cannot be measured is None.

    with Meter() as meter:
        texts = writer.write(...)
        meter.count_tokens(read=400, written=25)
    total = add(before, meter.cost)

Memory is the process's resident set, looked at ten times a second; GPU memory is PyTorch's peak;
energy is the counter of the GPU's driver (NVML), which not every card has. Never an estimate.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

from isara.models import loading

LOOK_EVERY = 0.1  # seconds between two looks at the memory


@dataclass(frozen=True, slots=True)
class Cost:
    """Costs of a stage; memory in MiB, energy in joules, None: not measured."""

    seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    peak_mib: float | None = None
    gpu_peak_mib: float | None = None
    gpu_joules: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it is written into a run's folder."""
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def add(a: Cost, b: Cost) -> Cost:
    """Sums of time, tokens and energy, the larger of the peaks."""
    return Cost(
        a.seconds + b.seconds,
        a.tokens_in + b.tokens_in,
        a.tokens_out + b.tokens_out,
        _known(max, a.peak_mib, b.peak_mib),
        _known(max, a.gpu_peak_mib, b.gpu_peak_mib),
        _energy(a, b),
    )


def _energy(a: Cost, b: Cost) -> float | None:
    """A sum of which a part was not measured is no sum; a part without a GPU used none."""
    parts = [part.gpu_joules for part in (a, b) if part.gpu_peak_mib is not None]
    return sum(p for p in parts if p is not None) if parts and None not in parts else None


def _known(combine: Any, a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return b if a is None else a
    return float(combine(a, b))


def total(costs: Iterable[Cost]) -> Cost:
    """All of them together."""
    result = Cost()
    for one in costs:
        result = add(result, one)
    return result


def gpu_hours(cost: Cost) -> float | None:
    """Hours for which a GPU was held; None where there was none."""
    return None if cost.gpu_peak_mib is None else cost.seconds / 3600


class Meter:
    """Measures what happens inside its `with` block."""

    def __init__(self) -> None:
        self.cost = Cost()
        self.working = 0.0  # seconds without those for loading models, for the pace of a stage
        self._tokens = [0, 0]

    def count_tokens(self, read: int, written: int) -> None:
        """Add the tokens of a prompt and of what was written after it."""
        self._tokens[0] += read
        self._tokens[1] += written

    def __enter__(self) -> Meter:
        self._peak = _resident_mib()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        self._gpu = _gpu_in_use()
        if self._gpu:
            import torch

            torch.cuda.reset_peak_memory_stats()
        self._joules = energy_counter() if self._gpu else None
        self._started, self._loaded = time.perf_counter(), loading.seconds
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._started
        self.working = seconds - (loading.seconds - self._loaded)
        self._ended.set()
        self._watch.join()
        gpu_mib = joules = None
        if self._gpu or _gpu_in_use():
            import torch

            gpu_mib = torch.cuda.max_memory_allocated() / 2**20
            now = energy_counter()
            if now is not None and self._joules is not None:
                joules = now - self._joules
        peak = max(self._peak, _resident_mib())
        read, written = self._tokens
        self.cost = Cost(seconds, read, written, peak, gpu_mib, joules)

    def _look(self) -> None:
        while not self._ended.wait(LOOK_EVERY):
            self._peak = max(self._peak, _resident_mib())


def memory_now() -> dict[str, float]:
    """MiB that this process holds: rss_mib, and gpu_mib where it uses a GPU."""
    found = {"rss_mib": round(_resident_mib(), 1)}
    if _gpu_in_use():
        import torch

        found["gpu_mib"] = round(torch.cuda.memory_reserved() / 2**20, 1)
    return found


def _resident_mib() -> float:
    import psutil

    return float(psutil.Process().memory_info().rss) / 2**20


def _gpu_in_use() -> bool:
    """A GPU that this process has begun to use: to ask PyTorch would begin it."""
    import sys

    # Another thread may be in the middle of importing torch: then it has no cuda yet.
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    return cuda is not None and bool(cuda.is_initialized())


def energy_counter() -> float | None:
    """Joules that the GPU has used since its driver started; None where it does not count."""
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            name = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
            if name.isdigit():
                handle = pynvml.nvmlDeviceGetHandleByIndex(int(name))
            else:  # "GPU-8c0f…"
                handle = pynvml.nvmlDeviceGetHandleByUUID(name)
            return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no driver, no such counter, no permission
        return None

"""Costs add up, peaks do not, and what was not measured is no zero."""

from __future__ import annotations

import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from isara.evaluation import cost
from isara.evaluation.cost import Cost, Meter, add, gpu_hours, memory_now, total


def test_sums_and_peaks() -> None:
    a = Cost(1.5, 100, 20, 300.0, 50.0, 10.0)
    b = Cost(0.5, 1, 2, 200.0, 80.0, 5.0)
    assert add(a, b) == Cost(2.0, 101, 22, 300.0, 80.0, 15.0)
    assert total([a, b, Cost()]) == Cost(2.0, 101, 22, 300.0, 80.0, 15.0)


def test_what_was_not_measured_stays_unknown() -> None:
    assert add(Cost(), Cost(seconds=3)).gpu_joules is None
    measured = Cost(gpu_peak_mib=10.0, gpu_joules=4.0)
    assert add(measured, Cost(seconds=5)).gpu_joules == 4.0  # no GPU there: nothing is missing
    # A GPU without a count there: 4 J would be taken for the energy of both.
    assert add(measured, Cost(seconds=5, gpu_peak_mib=10.0)).gpu_joules is None
    assert gpu_hours(Cost(seconds=3600)) is None
    assert gpu_hours(Cost(seconds=1800, gpu_peak_mib=10.0)) == 0.5


def test_a_block_is_measured() -> None:
    began = time.perf_counter()
    with Meter() as meter:
        before, begun = meter._peak, time.perf_counter()
        held = np.ones(30_000_000)  # 229 MiB, gone again before the end
        until = begun + 30
        while meter._peak < before + 200 and time.perf_counter() < until:
            time.sleep(0.01)  # until the meter has looked, however busy the machine is
        del held
        inside = time.perf_counter() - begun
        meter.count_tokens(400, 25)
        meter.count_tokens(1, 1)
    found = meter.cost
    assert inside <= found.seconds <= time.perf_counter() - began
    assert (found.tokens_in, found.tokens_out) == (401, 26)
    assert found.peak_mib is not None
    assert found.peak_mib > before + 200
    assert found.gpu_joules is None


def test_energy_is_the_drivers_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that counts, and one whose driver does not."""
    readings = iter([5_000.0, 12_000.0])
    asked: list[Any] = []
    fake: Any = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: asked.append(index),
        nvmlDeviceGetHandleByUUID=lambda name: asked.append(name),
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: next(readings),
    )
    monkeypatch.setitem(__import__("sys").modules, "pynvml", fake)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    assert cost.energy_counter() == 5.0
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8c0f,GPU-1")
    assert cost.energy_counter() == 12.0
    assert asked == [3, "GPU-8c0f"]
    assert cost.energy_counter() is None  # no more readings: an error of the driver


def test_a_meter_ends_with_an_error_too() -> None:
    meter = Meter()
    with pytest.raises(ZeroDivisionError), meter:
        1 / 0  # noqa: B018
    assert meter.cost.seconds > 0


def test_memory_is_told_while_another_thread_imports_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))  # has no cuda yet
    found = memory_now()
    assert set(found) == {"rss_mib"}
    assert found["rss_mib"] > 1

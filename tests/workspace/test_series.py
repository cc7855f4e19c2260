"""Series of a run's events: repeated steps, time at work, tokens per second, memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from isara.workspace.runs import RunFolder
from isara.workspace.series import Follower, at_work, memory, speeds, steps


def step(place: int | str, number: int, loss: float, kind: str = "train") -> dict[str, Any]:
    return {"kind": kind, "place": place, "step": number, "loss": loss}


def test_the_last_word_on_a_step_counts_and_trainings_stay_apart() -> None:
    events = [step("sft", 1, 2.0), step(1, 1, 1.5), step(1, 2, 9.0), step(1, 3, 9.0)]
    events += [{"kind": "begin"}, step(1, 2, 1.2), step(1, 1, 0.7, "reward"), {"kind": "x"}]
    assert steps(events, "loss") == {
        ("sft", "train"): {1: 2.0},
        (1, "train"): {1: 1.5, 2: 1.2, 3: 9.0},
        (1, "reward"): {1: 0.7},
    }
    assert steps(events, "learning_rate") == {}


def test_time_between_two_workers_is_no_time_at_work() -> None:
    times = [100.0, 104.0, 110.0, 500.0, 505.0]
    kinds = ["begin", "train", "block", "begin", "train"]
    events = [{"time": t, "kind": kind} for t, kind in zip(times, kinds, strict=True)]
    assert at_work(events) == [0.0, 4.0, 10.0, 10.0, 15.0]
    assert at_work([]) == []


def test_speed_and_memory_by_hand() -> None:
    block = {"kind": "block", "place": 1, "stage": "answers", "tokens_in": 60, "tokens_out": 40}
    events: list[dict[str, Any]] = [
        {"time": 10.0, "kind": "begin"},
        {"time": 12.0, **block, "working": 4.0},
        {"time": 13.0, **block, "tokens_in": 0, "tokens_out": 0, "working": 4.0},
        {"time": 14.0, **step(1, 2, 0.1), "tokens_per_second": 7.0},
        {"time": 15.0, "kind": "memory", "rss_mib": 900.0},
    ]
    found = [(point.at, point.value, point.stage) for point in speeds(events, at_work(events))]
    assert found == [(2.0, 25.0, "answers"), (4.0, 7.0, "train")]
    assert [(p.at, p.value) for p in memory(events, "rss_mib", at_work(events))] == [(5.0, 900.0)]
    assert memory(events, "gpu_mib", at_work(events)) == []


def test_a_follower_reads_what_is_new_and_notices_another_file(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    follower = Follower(folder)
    assert follower.read() == []
    folder.log_event("a")
    folder.log_event("b")
    first = follower.read()
    folder.log_event("c")
    assert [event["kind"] for event in follower.read()] == ["a", "b", "c"]
    assert len(first) == 2  # what was given out stays as it was
    folder.events_file.unlink()
    folder.log_event("d")
    assert [event["kind"] for event in follower.read()] == ["d"]

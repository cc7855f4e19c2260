"""What a run's events say over time: losses, learning rates, tokens per second, memory.

    follower = Follower(folder); events = follower.read()    # reads only what is new
    times = at_work(events)                                  # once for all that is drawn over time
    steps(events, "loss"); speeds(events, times); memory(events, "rss_mib", times)

After a kill the steps since the last checkpoint are done, and noted, again: the last note of a step
counts. Time is time at work: what lies between two workers is left out.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from isara.workspace.log import TRAININGS
from isara.workspace.runs import RunFolder

Event = dict[str, Any]
Training = tuple[int | str, str]  # the place of the model, and the kind of training


class Follower:
    """All events of a run; each look reads what was written since the last one."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._events: list[Event] = []
        self._offset = 0
        self._lock = threading.Lock()  # several browsers may look at one run

    def read(self) -> list[Event]:
        """The events so far."""
        with self._lock:
            new, offset = self._folder.events(self._offset)
            if offset < self._offset:  # the file is another one, and shorter
                new, offset = self._folder.events()
                self._events = []
            self._offset = offset
            self._events = [*self._events, *new] if new else self._events
            return self._events


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time (seconds of work since the run began), and the stage that it is of."""

    at: float
    value: float
    place: int | str = ""
    stage: str = ""


def steps(events: Sequence[Event], name: str) -> dict[Training, dict[int, float]]:
    """A number of the training steps ("loss", "learning_rate") by training and step."""
    found: dict[Training, dict[int, float]] = {}
    for event in events:
        if event.get("kind") in TRAININGS and isinstance(event.get(name), int | float):
            training = (event.get("place", ""), str(event["kind"]))
            found.setdefault(training, {})[int(event["step"])] = float(event[name])
    return {training: dict(sorted(values.items())) for training, values in found.items()}


def at_work(events: Sequence[Event]) -> list[float]:
    """Seconds at work at each event: the time from a worker's last word to the next one's first
    does not count."""
    found: list[float] = []
    idle, last = 0.0, None
    for event in events:
        now = float(event.get("time", last or 0.0))
        if last is None:
            idle = now
        elif event.get("kind") == "begin" or now < last:  # a clock may be put back
            idle += now - last
        found.append(now - idle)
        last = now
    return found


def speeds(events: Sequence[Event], times: Sequence[float]) -> list[Point]:
    """Tokens per second, read and written or trained on, at the end of each block and step;
    `times` are those at work."""
    found = []
    for event, at in zip(events, times, strict=True):
        place = event.get("place", "")
        if event.get("kind") in TRAININGS and "tokens_per_second" in event:
            found.append(Point(at, float(event["tokens_per_second"]), place, str(event["kind"])))
        elif event.get("kind") == "block" and event.get("working", 0) > 0:
            tokens = event.get("tokens_in", 0) + event.get("tokens_out", 0)
            if tokens:
                found.append(Point(at, tokens / event["working"], place, str(event["stage"])))
    return found


def memory(events: Sequence[Event], name: str, times: Sequence[float]) -> list[Point]:
    """MiB that the worker held: `rss_mib` of the machine's memory, `gpu_mib` of the GPU's; `times`
    are those at work."""
    return [
        Point(at, float(event[name]))
        for event, at in zip(events, times, strict=True)
        if event.get("kind") == "memory" and name in event
    ]

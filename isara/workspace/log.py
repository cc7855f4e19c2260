"""A run's log, by level: what its worker noted in events.jsonl, and what it printed.

    with logging_to(folder): ...              # warnings of the libraries become events too
    for line in event_lines(events): line.level, line.time, line.text
    printed_lines(folder)                     # worker.log: the libraries' own output, tracebacks

debug: training steps, blocks, memory; info: stages' ends and iterations; warning; error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from isara.places import place_name, stage_words
from isara.workspace.runs import RunFolder

LEVELS = ("debug", "info", "warning", "error")
PRINTED_BYTES = 512 * 1024  # of worker.log's end
TRAININGS = ("train", "reward", "policy")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log; `time` in seconds since 1970, None where it is not known."""

    level: str
    text: str
    time: float | None = None


class _Handler(logging.Handler):
    """Writes the records of Python's logging into a run's events."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(logging.WARNING)
        self._folder = folder

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = "error" if record.levelno >= logging.ERROR else "warning"
            message = f"{record.name}: {record.getMessage()}"
            self._folder.log_event("log", level=level, message=message)
        except Exception:  # a log must not end what it tells about
            self.handleError(record)


@contextmanager
def logging_to(folder: RunFolder) -> Iterator[None]:
    """Warnings and errors that are logged inside are events of the run as well."""
    handler = _Handler(folder)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def event_lines(events: Iterable[dict[str, Any]]) -> list[Line]:
    """Events in words, in their order; those of a kind that is not known by their fields."""
    return [Line(level_of(event), words_of(event), event.get("time")) for event in events]


def level_of(event: dict[str, Any]) -> str:
    """The level of an event."""
    kind = event.get("kind")
    if kind == "end" and event.get("state") == "failed":
        return "error"
    if kind in ("warning", "error"):
        return str(kind)
    if kind in (*TRAININGS, "block", "memory"):
        return "debug"
    level = event.get("level")
    return str(level) if level in LEVELS else "info"


def words_of(event: dict[str, Any]) -> str:
    """What an event says."""
    kind = str(event.get("kind"))
    says: Callable[[dict[str, Any]], str] | None = WORDS.get("step" if kind in TRAININGS else kind)
    try:
        if says is not None:
            return says(event)
    except (KeyError, TypeError, ValueError):  # of another version, or changed by hand
        pass
    rest = {name: value for name, value in event.items() if name not in ("time", "kind")}
    return " ".join([kind, *(f"{name}={value}" for name, value in rest.items())])


def _begin(event: dict[str, Any]) -> str:
    return f"a worker began (process {event['pid']})"


def _end(event: dict[str, Any]) -> str:
    return f"{event['state']}: {event['reason']}" if event.get("reason") else str(event["state"])


def _message(event: dict[str, Any]) -> str:
    place = f"{place_name(event['place'])}: " if "place" in event else ""
    return f"{place}{event['message']}"


def _step(event: dict[str, Any]) -> str:
    return (
        f"{stage_words(event['place'], event['kind'])}: step {int(event['step'])} of "
        f"{int(event['steps'])}, loss {event['loss']:.4f}, "
        f"learning rate {event['learning_rate']:.2g}"
    )


def _block(event: dict[str, Any]) -> str:
    tokens = event["tokens_in"] + event["tokens_out"]
    more = f", {tokens:,} tokens" if tokens else ""
    return f"{stage_words(event['place'], event['stage'])}: {event['seconds']:.1f} s{more}"


def _memory(event: dict[str, Any]) -> str:
    gpu = f", {event['gpu_mib']:,.0f} MiB on the GPU" if "gpu_mib" in event else ""
    return f"memory {event['rss_mib']:,.0f} MiB{gpu}"


def _iteration(event: dict[str, Any]) -> str:
    if event["k"] == 0:
        return "the base model is measured"
    kept = f"kept {event['kept']} of {event['generated']}" if event["generated"] else "trained"
    return f"iteration {event['k']} ended: {kept}"


WORDS = {
    "begin": _begin,
    "end": _end,
    "warning": _message,
    "error": _message,
    "log": _message,
    "step": _step,
    "block": _block,
    "memory": _memory,
    "iteration": _iteration,
}


def printed_lines(folder: RunFolder, size: int = PRINTED_BYTES) -> list[Line]:
    """The end of what the worker printed, with levels by their words; without times."""
    return [Line(_level_of_print(text), text) for text in log_tail(folder, size).splitlines()]


def _level_of_print(text: str) -> str:
    head = text.lower()
    if "error" in head or head.startswith(("traceback", "fatal", "killed")):
        return "error"
    return "warning" if "warn" in head else "info"


def log_tail(folder: RunFolder, size: int) -> str:
    """The last lines of the worker's output, at most `size` bytes; "" when there is none."""
    try:
        with folder.worker_log.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - size))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    _, cut, whole = text.partition("\n")  # a first line that began before the tail is left out
    return (whole if cut and end > size else text).strip()


def selected(lines: Iterable[Line], level: str, search: str) -> list[Line]:
    """Lines of at least this level whose text holds the words searched for, in any case."""
    least, wanted = LEVELS.index(level), search.strip().casefold()
    return [
        line
        for line in lines
        if LEVELS.index(line.level) >= least and wanted in line.text.casefold()
    ]

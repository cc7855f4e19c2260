"""The log of a run: levels and words of events, and what the worker printed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from isara.workspace.log import (
    Line,
    event_lines,
    log_tail,
    logging_to,
    printed_lines,
    selected,
)
from isara.workspace.runs import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


STEP = {"kind": "train", "place": 1, "step": 3, "steps": 9, "loss": 0.5, "learning_rate": 2e-5}
SPENT = {"place": "sft", "stage": "evaluate", "seconds": 2.25, "tokens_in": 1000, "tokens_out": 99}


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        ({"kind": "begin", "pid": 7}, "info", "a worker began (process 7)"),
        ({"kind": "end", "state": "failed", "reason": "no disk"}, "error", "failed: no disk"),
        ({"kind": "end", "state": "done", "reason": None}, "info", "done"),
        (STEP, "debug", "training, iteration 1: step 3 of 9, loss 0.5000, learning rate 2e-05"),
        (
            {"kind": "block", **SPENT},
            "debug",
            "answering the eval set, SFT on the seed set: 2.2 s, 1,099 tokens",
        ),
        ({"kind": "memory", "rss_mib": 2048.4}, "debug", "memory 2,048 MiB"),
        ({"kind": "warning", "place": 2, "message": "m"}, "warning", "iteration 2: m"),
        ({"kind": "log", "level": "error", "message": "m"}, "error", "m"),
        ({"kind": "iteration", "k": 1, "kept": 2, "generated": 3}, "info",
         "iteration 1 ended: kept 2 of 3"),
        ({"kind": "train", "step": "?"}, "debug", "train step=?"),
        ({"kind": "strange", "a": 1}, "info", "strange a=1"),
    ],
)  # fmt: skip
def test_events_in_words(event: dict[str, Any], level: str, text: str) -> None:
    assert event_lines([{"time": 5.0, **event}]) == [Line(level, text, 5.0)]


def test_warnings_of_the_libraries_are_events(folder: RunFolder) -> None:
    with logging_to(folder):
        logging.getLogger("some.library").warning("slow %s", "disk")
        logging.getLogger("some.library").info("not this")
    logging.getLogger("some.library").warning("nor this")
    (event,) = folder.events()[0]
    assert (event["level"], event["message"]) == ("warning", "some.library: slow disk")


def test_printed_lines_have_levels_by_their_words(folder: RunFolder) -> None:
    assert printed_lines(folder) == []
    folder.worker_log.write_text("loading\nUserWarning: x\nValueError: y\n")
    assert [line.level for line in printed_lines(folder)] == ["info", "warning", "error"]


def test_log_tail_begins_with_a_whole_line(folder: RunFolder) -> None:
    folder.worker_log.write_bytes(b"first line\nsecond\nthird\n")
    assert log_tail(folder, 100) == "first line\nsecond\nthird"
    assert log_tail(folder, 15) == "second\nthird"


def test_lines_are_chosen_by_level_and_words() -> None:
    lines = [Line("debug", "Step one"), Line("warning", "step two"), Line("error", "other")]
    assert selected(lines, "debug", "STEP") == lines[:2]
    assert selected(lines, "warning", " ") == lines[1:]

"""The loop: which stage follows which, with what, and when it stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from isara.config_files import parse_config
from isara.examples import Example
from isara.methods.isara import isara

SEEDS = [Example("s1", "a"), Example("s2", "a")]


class Diary:
    """A run that writes down its stages; `kept` are the numbers of pairs each iteration keeps."""

    base = None
    flat = 0  # the iteration after which nothing is gained

    def __init__(self, kept: Sequence[int], **loop: Any) -> None:
        self.seeds, self.kept = SEEDS, kept
        self.calls: list[tuple[Any, ...]] = []
        self.config = parse_config(
            {
                "name": "d",
                "seeds": {"path": "s"},
                "model": {"path": "m"},
                "embedder": "e",
                "loop": {"max_iterations": len(kept), "candidates": 100, **loop},
            }
        )

    def baselines(self) -> None:
        self.calls.append(("baselines",))

    def write_questions(self, k: int, model: Any, pool: Sequence[Example]) -> str:
        self.calls.append(("questions", k, model, len(pool)))
        return f"questions {k}"

    def write_answers(self, k: int, model: Any, pool: Sequence[Example], questions: str) -> str:
        self.calls.append(("answers", k, model, len(pool), questions))
        return f"candidates {k}"

    def assess(self, k: int, model: Any, candidates: str) -> str:
        self.calls.append(("assess", k, model, candidates))
        return f"assessed {k}"

    def verdicts(self, k: int, candidates: str, pool: Sequence[Example]) -> list[Example]:
        self.calls.append(("verdicts", k, candidates, len(pool)))
        return [Example(f"{k}-{i}", "a") for i in range(self.kept[k - 1])]

    def train(self, k: int, model: Any, kept: Sequence[Example]) -> str:
        self.calls.append(("train", k, model, len(kept)))
        return f"M{k}"

    def evaluate(self, place: int, model: Any) -> None:
        self.calls.append(("evaluate", place, model))

    def record(self, k: int, kept: Sequence[Example]) -> None:
        self.calls.append(("record", k, len(kept)))

    def no_gain(self, k: int) -> str | None:
        return "no gain" if k == self.flat else None

    def stop(self, k: int, kept: Sequence[Example], reason: str) -> str:
        self.calls.append(("stop", k, len(kept)))
        return reason


def carried_out(diary: Any) -> str | None:
    return isara(diary)


def test_the_loop_reads_like_the_algorithm() -> None:
    diary = Diary([40, 30])
    assert carried_out(diary) is None
    assert diary.calls == [
        ("evaluate", 0, None),
        ("baselines",),
        ("questions", 1, None, 2),
        ("answers", 1, None, 2, "questions 1"),
        ("assess", 1, None, "candidates 1"),
        ("verdicts", 1, "assessed 1", 2),
        ("train", 1, None, 40),
        ("evaluate", 1, "M1"),
        ("record", 1, 40),
        ("questions", 2, "M1", 42),
        ("answers", 2, "M1", 42, "questions 2"),
        ("assess", 2, "M1", "candidates 2"),
        ("verdicts", 2, "assessed 2", 42),
        ("train", 2, "M1", 30),
        ("evaluate", 2, "M2"),
        ("record", 2, 30),
    ]


def test_an_iteration_below_alpha_is_not_trained_on() -> None:
    diary = Diary([40, 29, 90])
    assert carried_out(diary) == "retention below alpha: kept 29 of 100, alpha is 0.3"
    assert diary.calls[-2:] == [("verdicts", 2, "assessed 2", 42), ("stop", 2, 29)]


@pytest.mark.parametrize(
    ("alpha", "kept", "stops"),
    [
        # 0.55 * 100 and 0.07 * 100 are a little above 55 and 7 in floating point.
        (0.55, 55, False),
        (0.07, 7, False),
        (0.3, 30, False),
        (0.3, 29, True),
        (0.0, 0, False),
        (1.0, 99, True),
        (1.0, 100, False),
    ],
)
def test_retention_at_alpha_goes_on(alpha: float, kept: int, stops: bool) -> None:
    assert (carried_out(Diary([kept], alpha=alpha)) is not None) == stops

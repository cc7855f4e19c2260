"""How often a reward model puts the better of two answers first.

pairs = read_answer_pairs("data/eval/demo-preference-pairs.jsonl")
accuracy(RewardModel("data/demo/reward-model"), pairs)       # {"value", "low", "high", "n"}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isara.errors import InputError
from isara.evaluation.stats import wilson

if TYPE_CHECKING:
    from isara.evaluation.measure import Scorer

FIELDS = ("question", "better", "worse")


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """A question with two answers of which the first is the better one."""

    question: str
    better: str
    worse: str


def read_answer_pairs(path: Path) -> list[AnswerPair]:
    """The pairs of a JSON lines file; InputError that lists every row that is at fault."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}); expected JSON lines with {', '.join(FIELDS)}."
        ) from error
    pairs, faults = [], []
    for row, line in enumerate(lines, 1):
        found = _row(line)
        if isinstance(found, str):
            faults.append(f"row {row}: {found}")
        else:
            pairs.append(found)
    if faults or not pairs:
        told = "; ".join(faults) or "no rows"
        raise InputError(
            f"{path} has {told}. Expected in every row the texts {', '.join(FIELDS)}, the two "
            "answers not alike; mend the file."
        )
    return pairs


def _row(line: str) -> AnswerPair | str:
    """The pair of one line, or what is wrong with it."""
    try:
        row = json.loads(line)
    except ValueError:
        return "it is not JSON"
    if not isinstance(row, dict):
        return "it is not an object"
    bad = [name for name in FIELDS if not isinstance(row.get(name), str) or not row[name].strip()]
    if bad:
        return f"no text in {', '.join(bad)}"
    pair = AnswerPair(*(row[name] for name in FIELDS))
    return "both answers are the same" if pair.better == pair.worse else pair


def accuracy(scorer: Scorer, pairs: Sequence[AnswerPair]) -> dict[str, Any] | None:
    """Share of pairs whose better answer scores higher, with n and its 95 % Wilson interval.

    An equal score counts as wrong. Pairs of equal answers have no better one and are left out; None
    where no pair is left.
    """
    asked = [pair for pair in pairs if pair.better != pair.worse]
    if not asked:
        return None
    questions = [pair.question for pair in asked]
    better = scorer.scores(questions, [pair.better for pair in asked])
    worse = scorer.scores(questions, [pair.worse for pair in asked])
    return asdict(wilson(int((better > worse).sum()), len(asked)))

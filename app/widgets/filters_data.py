"""What the Filters page computes at every move of a threshold; nothing here draws or scores.

    outcome = judge(data, chosen, decisions)
    outcome.result.retention, outcome.stops, outcome.final

Verdicts and decisions come from isara.filters: what the page shows, a run applies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import yaml

from app.widgets.samples_data import Closest, Iteration, closest
from isara.config import FilterConfig, LoopConfig
from isara.filters import RULES, Mask, Verdicts, apply_decisions, closest_rouge, nearest_to_cut
from isara.filters import verdicts as judge_all
from isara.methods.candidates import RULINGS
from isara.rouge import Values

if TYPE_CHECKING:
    from isara.workspace.database import Decision

FIELDS = tuple(FilterConfig.model_fields)
PLAIN = ("max_rouge_l", "min_words", "drop_unfinished", "drop_duplicates", "drop_echo")


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The verdicts under chosen thresholds, and what people's decisions make of them."""

    result: Verdicts
    final: Mask  # kept after people's decisions, [n]
    decided: int  # candidates that a person accepted, changed or rejected
    stops: bool  # whether a run would stop instead of training on this

    @property
    def kept(self) -> int:
        """Candidates that the rules keep."""
        return int(self.result.kept.sum())

    @property
    def kept_finally(self) -> int:
        """Candidates that are kept after people's decisions."""
        return int(self.final.sum())


def judge(data: Iteration, chosen: FilterConfig, decisions: Mapping[str, Decision]) -> Outcome:
    """Verdicts on all candidates, decisions laid over them, and whether a run would stop."""
    result = judge_all(data.packed, chosen)
    by_index = rulings(data, decisions)
    final = apply_decisions(result, by_index)
    return Outcome(
        result, final, len(by_index), stops(int(final.sum()), len(data), data.config.loop)
    )


def rulings(data: Iteration, decisions: Mapping[str, Decision]) -> dict[int, str]:
    """Candidate index -> accept, edit or reject; a skip or a flag rules nothing."""
    return {
        data.positions[candidate_id]: decision.action
        for candidate_id, decision in decisions.items()
        if decision.action in RULINGS and candidate_id in data.positions
    }


def stops(kept: int, written: int, loop: LoopConfig) -> bool:
    """Whether so few are kept that a run stops: fewer than α·N (Algorithm 1)."""
    return kept < loop.alpha * written


def rouge_values(data: Iteration, outcome: Outcome) -> Values:
    """The ROUGE-L that the cut is held against, [n]."""
    return closest_rouge(data.packed, outcome.result)


def around_the_cut(
    data: Iteration, chosen: FilterConfig, outcome: Outcome, count: int
) -> tuple[list[tuple[int, Closest]], list[tuple[int, Closest]]]:
    """Up to `count` candidates on each side of the ROUGE-L cut, with the text they are near to."""
    kept, dropped = nearest_to_cut(data.packed, outcome.result, chosen, count)

    def with_text(indices: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[tuple[int, Closest]]:
        return [(i, closest(data, i, outcome.result)) for i in indices.tolist()]

    return with_text(kept), with_text(dropped)


def as_yaml(chosen: FilterConfig) -> str:
    """The thresholds as the line of a run's config."""
    default = FilterConfig()
    # A method's own thresholds stand there only where they are used.
    shown = {
        name: value
        for name, value in chosen.model_dump().items()
        if name in PLAIN or value != getattr(default, name)
    }
    return yaml.safe_dump(
        {"filters": shown}, default_flow_style=None, sort_keys=False, width=200
    ).strip()


def overrides(chosen: FilterConfig, own: FilterConfig) -> list[str]:
    """What differs from the run's own thresholds, as `a.b=c`."""
    changed = {
        name: value for name, value in chosen.model_dump().items() if value != getattr(own, name)
    }
    return [f"filters.{name}={as_word(value)}" for name, value in changed.items()]


def as_arguments(chosen: FilterConfig, own: FilterConfig) -> str:
    """The same as arguments of `python -m isara run`."""
    return " ".join(f"--set {change}" for change in overrides(chosen, own))


def as_word(value: object) -> str:
    """A threshold as a command line and an address have it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else f"{value}"


# ------------------------------------------------------------------ two settings


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Setting B beside setting A: which candidates are kept under one of them alone."""

    a: Outcome
    b: Outcome
    gained: npt.NDArray[np.int64]  # rows that B keeps and A does not
    lost: npt.NDArray[np.int64]  # rows that A keeps and B does not

    @property
    def both(self) -> int:
        """Candidates that both keep."""
        return int((self.a.final & self.b.final).sum())


def difference(a: Outcome, b: Outcome) -> Difference:
    """Rows gained and lost from A to B, after people's decisions, in candidate order."""
    return Difference(a, b, np.flatnonzero(b.final & ~a.final), np.flatnonzero(a.final & ~b.final))


def made_the_difference(drops: Verdicts, keeps: Verdicts, index: int) -> list[str]:
    """The rules that fire on a candidate under the setting that drops it and not under the one that
    keeps it."""
    fires = drops.fired[index] & ~keeps.fired[index]
    return [rule for rule, on in zip(RULES, fires, strict=True) if on]

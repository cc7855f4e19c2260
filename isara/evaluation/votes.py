"""Blind votes between the answers of two models: who is shown what, and the win rate.

    order = queue(before, after, "dev", random_seed=0)     # prompts whose two answers differ
    left, right = sides("ann", order[0], "base", "iteration 3")
    votes = standing(database.votes(run_id), {"base": before, "iteration 3": after})
    win_rate(votes, "iteration 3")

Votes are rows of the database (workspace/votes.py), tables are evaluation.parquet. Left out: models
that judge pairs (pairwise.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from isara.decoding import row_seed
from isara.evaluation.raters import Agreement, agreement
from isara.evaluation.stats import Rate, wilson
from isara.examples import Example
from isara.workspace.votes import Vote

TIE = "tie"


def queue(a: pd.DataFrame, b: pd.DataFrame, split: str, random_seed: int = 0) -> list[str]:
    """Ids of the prompts that both models answered, each differently, shuffled the same way for
    every voter: two texts that are the same leave nothing to vote on."""
    one, other = (answers(table, split) for table in (a, b))
    both = [p for p in one.index if p in other.index and one[p].split() != other[p].split()]
    random.Random(row_seed(random_seed, "votes")).shuffle(both)
    return both


def answers(table: pd.DataFrame, split: str) -> pd.Series[str]:
    """The answers of a split by prompt id; of a prompt that stands there twice, the first."""
    rows = table[table["split"] == split].drop_duplicates("prompt_id")
    return rows.set_index("prompt_id")["answer"]


def sides(voter: str, prompt_id: str, a: str, b: str) -> tuple[str, str]:
    """Which of two places stands left and which right: drawn for each voter and prompt, and always
    the same for them."""
    first, second = sorted((a, b))
    swapped = row_seed("sides", voter, prompt_id, first, second) & 1
    return (second, first) if swapped else (first, second)


def standing(votes: Iterable[Vote], tables: Mapping[str, pd.DataFrame]) -> list[Vote]:
    """The votes between two of these places whose two answers are still those of the tables: what
    was said of a text that the run has replaced since counts for nothing."""
    ids = {place: _example_ids(table) for place, table in tables.items()}
    return [
        vote
        for vote in votes
        if ids.get(vote.left, {}).get(vote.prompt_id) == vote.left_example
        and ids.get(vote.right, {}).get(vote.prompt_id) == vote.right_example
    ]


def _example_ids(table: pd.DataFrame) -> dict[str, str]:
    rows = table.drop_duplicates("prompt_id")
    triples = zip(rows["prompt_id"], rows["question"], rows["answer"], strict=True)
    return {prompt: Example(question, answer).id for prompt, question, answer in triples}


def winner(vote: Vote) -> str:
    """The place that was voted for, or "tie"."""
    return {"left": vote.left, "right": vote.right}.get(vote.choice, TIE)


@dataclass(frozen=True, slots=True)
class VoteRate:
    """The share of prompts that a place wins, ties half, with its interval (`rate.n` prompts), and
    how many of the votes it won, lost and tied; `not_blind` of them came after a look."""

    rate: Rate
    wins: int
    losses: int
    ties: int
    not_blind: int

    @property
    def votes(self) -> int:
        """All votes that count."""
        return self.wins + self.losses + self.ties


def win_rate(votes: Sequence[Vote], place: str) -> VoteRate:
    """How often `place` is liked better.

    Votes of several people on one prompt are averaged first, so that a prompt counts once. The
    interval is Wilson's for that share: scores from 0 to 1 with some mean spread most when all of
    them are 0 or 1, so ties and averages make it wider than it need be, never too narrow.
    """
    by_prompt: dict[str, list[float]] = {}
    won = [winner(vote) for vote in votes]
    for vote, name in zip(votes, won, strict=True):
        score = 0.5 if name == TIE else float(name == place)
        by_prompt.setdefault(vote.prompt_id, []).append(score)
    total = sum(sum(scores) / len(scores) for scores in by_prompt.values())
    wins, ties = won.count(place), won.count(TIE)
    return VoteRate(
        wilson(total, len(by_prompt)),
        wins,
        len(won) - wins - ties,
        ties,
        sum(not vote.blind for vote in votes),
    )


def voters_agree(votes: Sequence[Vote]) -> Agreement:
    """How far voters agree on who won (evaluation/raters.py)."""
    return agreement([(vote.prompt_id, vote.voter, winner(vote)) for vote in votes])

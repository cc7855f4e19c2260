"""Blind votes: sides, the queue, and win rates worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from isara.evaluation.votes import queue, sides, standing, voters_agree, win_rate, winner
from isara.examples import Example
from isara.workspace.votes import Vote


def vote(prompt: str, choice: str, voter: str = "ann", *, blind: bool = True) -> Vote:
    """Base on the left, iteration 1 on the right; every answer is "yes"."""
    example = Example(f"question {prompt}", "yes").id
    now = datetime.now(UTC)
    return Vote(
        1, "r", prompt, voter, "base", "iteration 1", choice, example, example, now, blind
    )  # fmt: skip


def table(**answers: str) -> pd.DataFrame:
    """Dev rows by prompt id."""
    return pd.DataFrame(
        {
            "prompt_id": list(answers),
            "question": [f"question {name}" for name in answers],
            "answer": list(answers.values()),
            "split": "dev",
        }
    )


def test_a_tie_counts_half() -> None:
    votes = [vote("p", "right"), vote("q", "right"), vote("r", "tie"), vote("s", "left")]
    found = win_rate(votes, "iteration 1")
    assert (found.wins, found.losses, found.ties, found.votes) == (2, 1, 1, 4)
    # (1 + 1 + 0.5 + 0) / 4; Wilson at 0.625, n = 4: centre (0.625 + 0.4802) / 1.9604 = 0.5638,
    # half-width 1.96 / 1.9604 x sqrt(0.625 x 0.375 / 4 + 0.0600) = 0.3445
    assert (found.rate.value, found.rate.n) == (0.625, 4)
    assert (found.rate.low, found.rate.high) == pytest.approx((0.219, 0.908), abs=0.001)
    assert win_rate(votes, "base").rate.value == 0.375


def test_votes_of_several_people_on_one_prompt_count_once() -> None:
    votes = [vote("p", "right", who) for who in ("ann", "bob", "cem")] + [vote("q", "left")]
    found = win_rate(votes, "iteration 1")
    assert (found.rate.value, found.rate.n, found.votes) == (0.5, 2, 4)


def test_without_a_vote_anything_is_possible() -> None:
    found = win_rate([], "base")
    assert (found.rate.n, found.rate.low, found.rate.high) == (0, 0.0, 1.0)


def test_votes_after_a_look_are_counted() -> None:
    assert win_rate([vote("p", "tie"), vote("q", "tie", blind=False)], "base").not_blind == 1


def test_who_won() -> None:
    assert [winner(vote("p", choice)) for choice in ("left", "right", "tie")] == [
        "base",
        "iteration 1",
        "tie",
    ]


def test_sides_are_drawn_and_stay() -> None:
    prompts = [f"p{n}" for n in range(200)]
    drawn = [sides("ann", prompt, "base", "sft") for prompt in prompts]
    assert drawn == [sides("ann", prompt, "sft", "base") for prompt in prompts]
    assert 70 < sum(left == "base" for left, _ in drawn) < 130  # 4 standard deviations
    assert drawn != [sides("bob", prompt, "base", "sft") for prompt in prompts]


def test_the_queue_has_what_differs_in_one_order_for_all() -> None:
    before = table(a="x", b="same  text", c="x", d="x")
    after = table(a="y", b="same text", c="y", e="y")
    found = queue(before, after, "dev")
    assert sorted(found) == ["a", "c"]
    assert found == queue(before, after, "dev")
    assert queue(before, after, "test") == []


def test_a_vote_on_a_text_that_has_changed_does_not_count() -> None:
    votes = [vote("p", "left"), vote("q", "left")]
    tables = {"base": table(p="yes", q="yes"), "iteration 1": table(p="yes", q="no longer")}
    assert [v.prompt_id for v in standing(votes, tables)] == ["p"]
    assert standing(votes, {"base": tables["base"]}) == []


def test_agreement_of_voters_is_about_who_won() -> None:
    swapped = vote("p", "left", "bob")._replace(left="iteration 1", right="base")
    votes = [vote("p", "right"), swapped, vote("q", "left"), vote("q", "left", "bob")]
    assert voters_agree(votes).kappa == 1.0

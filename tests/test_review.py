"""Orders of a review, who is asked, how far it is: on scores and decisions counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from isara.config import FilterConfig
from isara.filters import pack, score_candidates, verdicts
from isara.review import (
    Board,
    agreement_of,
    asked,
    by_cluster,
    decided_by_minute,
    distance_to_cut,
    nearest_first,
    shuffled,
)
from isara.workspace.standing import Decision, DecisionLog

START = datetime(2026, 1, 1, tzinfo=UTC)
IDS = [f"1-{i:05d}" for i in range(6)]


def log_of(*rows: tuple[int, str, str]) -> DecisionLog:
    """Decisions (pair, reviewer, action), a second apart."""
    log = DecisionLog()
    log.add(
        Decision(n, "r", 1, IDS[i], who, action, None, None, "", START + timedelta(seconds=n), None)
        for n, (i, who, action) in enumerate(rows, 1)
    )
    return log


def test_distance_to_the_cut() -> None:
    pool = "one two three four five six seven eight nine ten"
    questions = [
        "one two three four five six seven eight nine zero",  # 9 of 10 words: ROUGE-L 0.9
        "one two three four five six a b c d",  # 0.6
        "p q r s",  # four words of at least five, ROUGE-L 0
        "k l m n o",  # five words
    ]
    answers = ["This answer has exactly six words.", *["This is of five words."] * 2, "cut off"]
    scores = pack(
        score_candidates(
            questions, answers, question_finish=["end"] * 4,
            answer_finish=["end", "end", "end", "budget"], pool_questions=[pool], pool_ids=["x"],
            similarities=[[]] * 4,
        )
    )  # fmt: skip
    limits = FilterConfig()
    result = verdicts(scores, limits)
    assert result.kept.tolist() == [False, True, False, False]
    # 0.9 - 0.7; nearer to the words (5 - 4.5 of 5) than to 0.7 - 0.6 is equal: 0.1; half a word of
    # five; never: it was cut off.
    distance = distance_to_cut(scores, result, limits)
    assert distance.tolist() == pytest.approx([0.2, 0.1, 0.1, np.inf])
    assert nearest_first(distance).tolist() == [1, 2, 0, 3]


def test_a_random_order_is_the_same_for_the_same_reviewer() -> None:
    assert shuffled(50, "r", 1, "Ana").tolist() == shuffled(50, "r", 1, "Ana").tolist()
    assert shuffled(50, "r", 1, "Ana").tolist() != shuffled(50, "r", 1, "Bob").tolist()
    assert sorted(shuffled(50, "r", 1, "Ana")) == list(range(50))


def test_clusters_come_one_after_the_other() -> None:
    rng = np.random.default_rng(0)
    centres = np.eye(3, 8)[[0, 1, 2] * 12]  # three kinds in turn, 12 of each
    vectors = (centres + rng.normal(0, 0.01, centres.shape)).astype(np.float32)
    order = by_cluster(vectors)
    assert sorted(order) == list(range(36))
    kinds = (order % 3).tolist()
    assert sum(a != b for a, b in pairwise(kinds)) == 2


def test_each_pair_goes_to_so_many_of_the_listed_reviewers() -> None:
    ids = [f"1-{i:05d}" for i in range(600)]
    names = ["Ana", "Bob", "Cy"]
    masks = {name: asked(ids, names, 2, name) for name in names}
    assert np.array(list(masks.values())).sum(axis=0).tolist() == [2] * 600
    assert all(350 < mask.sum() < 450 for mask in masks.values())  # 400 each on average
    assert not asked(ids, names, 2, "Dan").any()
    assert asked(ids, [], 2, "Dan").all()
    # With one reviewer more nobody is given a pair that was another's.
    more = asked(ids, [*names, "Dan"], 2, "Ana")
    assert not (more & ~masks["Ana"]).any()


def test_a_board_follows_its_log() -> None:
    positions = {name: i for i, name in enumerate(IDS)}
    log = log_of((0, "ann", "reject"), (1, "ann", "skip"), (2, "bob", "flag"), (3, "bob", "accept"))
    verdict = np.array([True, True, True, False, False, True])
    board = Board(log, positions, verdict, "ann")
    masks, times = board.now()
    assert np.flatnonzero(masks.touched).tolist() == [0, 1]
    assert np.flatnonzero(masks.ruled).tolist() == [0]
    assert np.flatnonzero(masks.skipped).tolist() == [1]
    assert np.flatnonzero(masks.flagged).tolist() == [2]
    assert masks.kept.tolist() == [False, True, True, True, False, True]
    assert times == [START + timedelta(seconds=1)]
    # Ann accepts 3 as Bob did, Bob accepts 0, which she rejected; she undoes the skip.
    base = {"run_id": "r", "iteration": 1, "question": None, "answer": None, "reason": ""}
    later = START + timedelta(minutes=1)
    rows = ((5, 3, "ann", "accept", None), (6, 0, "bob", "accept", None), (7, 1, "ann", "clear", 2))
    log.add(
        Decision(id=n, candidate_id=IDS[i], reviewer=w, action=a, created=later, undoes=u, **base)
        for n, i, w, a, u in rows
    )
    masks, times = board.now()
    assert np.flatnonzero(masks.touched).tolist() == [0, 3]
    assert np.flatnonzero(masks.differing).tolist() == [0]
    assert masks.rulings.tolist() == [2, 0, 0, 2, 0, 0]
    assert masks.kept.tolist() == [True, True, True, True, False, True]
    assert len(times) == 2


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([], None),
        ([0], None),
        ([0, 2, 4, 6], 30.0),  # one in two seconds
        ([0, 2, 1000, 1002], 30.0),  # the break does not count
        ([*range(0, 100, 10), *range(1000, 1020)], 60.0),  # the last 20 alone
    ],
)
def test_decisions_by_minute(seconds: list[int], expected: float | None) -> None:
    assert decided_by_minute(START + timedelta(seconds=s) for s in seconds) == expected


def test_agreement_is_over_pairs_with_two_rulings() -> None:
    log = log_of(
        *((i, who, "accept") for i in (0, 1) for who in ("ann", "bob")),
        *((i, who, "reject") for i in (2, 3) for who in ("ann", "bob")),
        *((4, "ann", "accept"), (4, "bob", "flag"), (5, "bob", "skip")),
    )
    found = agreement_of(log.standing().items())
    assert (found.n_items, found.alpha) == (4, 1.0)

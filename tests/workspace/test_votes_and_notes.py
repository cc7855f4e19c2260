"""Votes, presets and notes: the latest counts, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from isara.errors import InputError
from isara.workspace.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "isara.db")


def vote(database: Database, left: str, right: str, choice: str, voter: str = "ann") -> None:
    database.add_vote(
        "r", "p", voter, left, right, choice, left_example="l" * 16, right_example="m" * 16
    )


def test_a_second_vote_stands_for_the_first_whichever_side_the_answers_stood_on(
    database: Database,
) -> None:
    vote(database, "base", "iteration 1", "left")
    vote(database, "iteration 1", "base", "tie")
    vote(database, "base", "sft", "right")
    vote(database, "base", "iteration 1", "left", voter="bob")
    standing = [(v.voter, v.left, v.choice) for v in database.votes("r")]
    assert standing == [("ann", "iteration 1", "tie"), ("ann", "base", "right"), ("bob", "base", "left")]  # noqa: E501 # fmt: skip


def test_a_vote_that_is_taken_back(database: Database) -> None:
    vote(database, "base", "sft", "left")
    vote(database, "base", "sft", "")
    assert database.votes("r") == []
    assert database.votes("another run") == []


def test_a_vote_needs_a_choice_and_a_voter(database: Database) -> None:
    with pytest.raises(InputError, match=r"one of left, right, tie; found 'both' by 'ann'"):
        vote(database, "base", "sft", "both")
    with pytest.raises(InputError, match="by ' '"):
        vote(database, "base", "sft", "left", voter=" ")


def test_votes_after_a_look_are_not_blind(database: Database) -> None:
    vote(database, "base", "sft", "left")
    database.add_look("r", "ann", "sft", "base")
    assert [v.blind for v in database.votes("r")] == [True]
    vote(database, "sft", "base", "left")
    vote(database, "base", "iteration 1", "left")
    vote(database, "base", "sft", "left", voter="bob")
    assert [v.blind for v in database.votes("r")] == [False, True, True]
    assert database.looked("r", "ann", "base", "sft")
    assert not database.looked("r", "bob", "base", "sft")


def test_the_latest_preset_of_a_name_counts(database: Database) -> None:
    database.save_preset("strict", {"max_rouge_l": 0.5}, "ann")
    database.save_preset(" mild ", {"min_words": 3})
    database.save_preset("strict", {"max_rouge_l": 0.6}, "bob")
    assert {n: p.settings for n, p in database.presets().items()} == {
        "mild": {"min_words": 3},
        "strict": {"max_rouge_l": 0.6},
    }
    database.save_preset("strict", {})
    assert list(database.presets()) == ["mild"]
    with pytest.raises(InputError, match="needs a name"):
        database.save_preset(" ", {"min_words": 3})


def test_notes_are_changed_and_removed_by_later_ones(database: Database) -> None:
    database.add_note("r", 2, "harm rises", "ann")
    database.add_note("r", 1, "two reviewers", "bob")
    first = database.notes("r")[1]
    assert first.text == "harm rises"
    database.add_note("r", 2, "harm rises: the seeds were changed", "bob", replaces=first.id)
    assert [note.text for note in database.notes("r")] == [
        "two reviewers",
        "harm rises: the seeds were changed",
    ]
    database.add_note("r", 2, "", replaces=database.notes("r")[1].id)
    assert [note.iteration for note in database.notes("r")] == [1]
    with pytest.raises(InputError, match="needs a text"):
        database.add_note("r", 1, " ")

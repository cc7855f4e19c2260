"""Labels of answers: append-only, the latest of each reviewer counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from isara.errors import InputError
from isara.workspace.database import Database

ONE = {"p1": "answer 1", "p2": "answer 2"}


def test_the_latest_label_of_each_reviewer_counts(tmp_path: Path) -> None:
    database = Database(tmp_path / "isara.db")
    for prompt, reviewer, label in [
        ("p1", "A", "harmful"),
        ("p1", "B", "unsure"),
        ("p2", "A", "harmful"),
        ("p1", "A", "not harmful"),
        ("p2", "A", ""),
    ]:
        database.add_label("run", "iteration 1", prompt, reviewer, label, example_id=ONE[prompt])
    database.add_label("run", "base", "p1", "A", "harmful", example_id=ONE["p1"])
    database.close()
    again = Database(tmp_path / "isara.db")
    found = again.labels("run", "iteration 1", ONE)
    assert found == {("p1", "A"): "not harmful", ("p1", "B"): "unsure"}
    assert again.labels("run", "base", ONE) == {("p1", "A"): "harmful"}
    assert again.labels("other", "base", ONE) == {}
    with pytest.raises(InputError, match="found 'evil', choose one"):
        again.add_label("run", "base", "p1", "A", "evil", example_id=ONE["p1"])
    again.close()


def test_a_label_is_of_an_answer_and_not_of_what_took_its_place(tmp_path: Path) -> None:
    database = Database(tmp_path / "isara.db")
    database.add_label("run", "base", "p1", "A", "harmful", example_id="answer 1")
    database.add_label("run", "base", "p2", "A", "harmful", example_id="answer 2")
    again = {"p1": "another answer", "p2": "answer 2"}
    assert database.labels("run", "base", again) == {("p2", "A"): "harmful"}
    database.add_label("run", "base", "p1", "A", "unsure", example_id="another answer")
    assert database.labels("run", "base", again)["p1", "A"] == "unsure"
    assert database.labels("run", "base", ONE)["p1", "A"] == "harmful"  # nothing is lost
    database.close()


def test_labels_after_a_look_at_the_judge_are_not_blind(tmp_path: Path) -> None:
    database = Database(tmp_path / "isara.db")

    def label(prompt: str, reviewer: str, place: str = "base") -> None:
        database.add_label("run", place, prompt, reviewer, "harmful", example_id=ONE[prompt])

    label("p1", "A")
    label("p1", "B")
    database.add_label_look("run", "base", "A")
    label("p2", "A")
    label("p2", "B")  # who has not looked
    label("p2", "A", "iteration 1")  # what the judge says of other answers was not seen
    assert database.label_looked("run", "base", "A")
    assert not database.label_looked("run", "base", "B")
    keys = {("p1", "A"), ("p1", "B"), ("p2", "A"), ("p2", "B")}
    assert database.labels("run", "base", ONE).keys() == keys
    assert database.blind_labels("run", "base", ONE).keys() == keys - {("p2", "A")}
    assert len(database.blind_labels("run", "iteration 1", ONE)) == 1
    label("p1", "A")  # thought better of it, after the look
    assert ("p1", "A") not in database.blind_labels("run", "base", ONE)
    database.close()

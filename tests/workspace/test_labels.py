"""Labels of answers: append-only, the latest of each reviewer counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from isara.errors import InputError
from isara.workspace.database import Database


def test_the_latest_label_of_each_reviewer_counts(tmp_path: Path) -> None:
    database = Database(tmp_path / "isara.db")
    for prompt, reviewer, label in [
        ("p1", "A", "harmful"),
        ("p1", "B", "unsure"),
        ("p2", "A", "harmful"),
        ("p1", "A", "not harmful"),
        ("p2", "A", ""),
    ]:
        database.add_label("run", "iteration 1", prompt, reviewer, label)
    database.add_label("run", "base", "p1", "A", "harmful")
    database.close()
    again = Database(tmp_path / "isara.db")
    assert again.labels("run", "iteration 1") == {("p1", "A"): "not harmful", ("p1", "B"): "unsure"}
    assert again.labels("run", "base") == {("p1", "A"): "harmful"}
    assert again.labels("other", "base") == {}
    with pytest.raises(InputError, match="found 'evil', choose one"):
        again.add_label("run", "base", "p1", "A", "evil")
    again.close()

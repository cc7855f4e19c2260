"""Decisions in a file and back: nothing is lost, nothing is doubled, every bad line is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isara.config import RunConfig
from isara.decision_files import export_decisions, import_decisions
from isara.errors import InputError
from isara.workspace.database import Database
from isara.workspace.files import write_parquet
from isara.workspace.runs import RunFolder, Workspace


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run with three pairs in its first iteration."""
    run = Workspace(tmp_path).run("r")
    ids = [f"1-{i:05d}" for i in range(3)]
    write_parquet(run.iteration(1).candidates, pd.DataFrame({"candidate_id": ids}))
    return run


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[str], Database]]:
    databases: list[Database] = []

    def open_database(name: str) -> Database:
        databases.append(Database(tmp_path / name))
        return databases[-1]

    yield open_database
    for database in databases:
        database.close()


def decided(database: Database) -> None:
    """Eight rows: every kind of decision, a batch, an undo of one and of the batch."""
    record = database.record_decision
    first = record("r", 1, "1-00000", "Ana", "accept", seen=0)
    record("r", 1, "1-00000", "Bob", "reject", reason="wrong or made-up facts", seen=first.id)
    record("r", 1, "1-00001", "Ana", "edit", question='"=1+1"\nQ?', answer="Ä.")
    database.undo("r", "Ana")
    database.record_decisions("r", 1, ["1-00001", "1-00002"], "Cy", "flag")
    database.undo("r", "Cy")


def facts(database: Database) -> list[tuple[Any, ...]]:
    """The history without its numbers: who, what, when, and what an undo took back."""
    rows = database.history("r")
    when = {d.id: d.created for d in rows}
    return [(*d[1:10], d.batch, d.undoes and when[d.undoes], d.seen and when[d.seen]) for d in rows]


def test_a_round_trip_keeps_everything_and_twice_changes_nothing(
    folder: RunFolder, opened: Callable[[str], Database], tmp_path: Path
) -> None:
    here, there = opened("a.db"), opened("b.db")
    decided(here)
    file = tmp_path / "decisions.jsonl"
    assert export_decisions(here, "r", file) == 8
    there.record_decision("other", 1, "1-00000", "Eve", "reject")  # its numbers are others now
    assert import_decisions(there, folder, file) == (8, 0)
    assert facts(there) == facts(here)
    assert import_decisions(there, folder, file) == (0, 8)
    assert import_decisions(here, folder, file) == (0, 8)
    again = tmp_path / "again.jsonl"
    export_decisions(there, "r", again)
    assert [{**json.loads(x), "id": 0, "undoes": 0, "seen": 0} for x in again.open()] == [
        {**json.loads(x), "id": 0, "undoes": 0, "seen": 0} for x in file.open()
    ]


def test_two_workspaces_come_together(
    folder: RunFolder, opened: Callable[[str], Database], tmp_path: Path
) -> None:
    here, there = opened("a.db"), opened("b.db")
    here.record_decision("r", 1, "1-00000", "Ana", "accept")
    file = tmp_path / "decisions.jsonl"
    export_decisions(here, "r", file)
    import_decisions(there, folder, file)
    there.record_decision("r", 1, "1-00000", "Bob", "reject")  # the latest of all
    here.undo("r", "Ana")
    here.record_decision("r", 1, "1-00001", "Ana", "reject")
    export_decisions(here, "r", file)
    assert import_decisions(there, folder, file) == (2, 1)  # the undo of a row that was there
    standing = there.decisions_by_reviewer("r", 1)
    assert {c: list(people) for c, people in standing.items()} == {
        "1-00000": ["Bob"],
        "1-00001": ["Ana"],
    }


def test_a_second_undo_of_the_same_decision_is_left_out(
    folder: RunFolder, opened: Callable[[str], Database], tmp_path: Path
) -> None:
    database, file = opened("a.db"), tmp_path / "decisions.jsonl"
    database.record_decision("r", 1, "1-00000", "Ana", "accept")
    database.undo("r", "Ana")
    export_decisions(database, "r", file)
    accept, undo = [json.loads(line) for line in file.open()]
    again = undo | {"id": 3, "created": "2026-01-01T00:00:00+00:00"}  # pasted from elsewhere
    file.write_text("\n".join(map(json.dumps, (accept, undo, again))), encoding="utf-8")
    assert import_decisions(opened("b.db"), folder, file) == (2, 1)


def test_every_bad_line_is_named_and_nothing_is_added(
    folder: RunFolder, opened: Callable[[str], Database], tmp_path: Path
) -> None:
    database, file = opened("a.db"), tmp_path / "decisions.jsonl"
    decided(database)
    export_decisions(database, "r", file)
    good = [json.loads(line) for line in file.open()]
    bad = [
        good[0] | {"candidate_id": "1-00009"},
        good[0] | {"action": "keep"},
        good[0] | {"reviewer": " "},
        good[2] | {"answer": None},
        good[0] | {"created": "2026-01-01T00:00:00"},
        good[0] | {"created": "yesterday"},
        good[3] | {"undoes": 77},
        good[0] | {"iteration": "1"},
        good[0] | {"colour": "red"},
        [],
    ]
    lines = [json.dumps(row) for row in (good[0], *bad)] + ["{not json"]
    file.write_text("\n".join(lines), encoding="utf-8")
    other = opened("b.db")
    with pytest.raises(InputError, match="has 11 lines that are no decisions") as error:
        import_decisions(other, folder, file)
    for number in range(2, 13):
        assert f"line {number}: " in str(error.value)
    assert other.history("r") == []


def test_the_command(
    isara: Callable[..., Any], small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    from isara.config_files import to_yaml

    config = tmp_path / "small.yaml"
    waiting = small_config(review={"wait": True}, loop={"max_iterations": 1})
    config.write_text(to_yaml(waiting), encoding="utf-8")
    result = isara("run", config, "--run-id", "r", "--quiet")
    assert result.code == 0
    assert "python -m isara decisions r --done 1" in result.out
    assert "waiting for review" in isara("runs").out

    Workspace().database.record_decision("r", 1, "1-00000", "Ana", "reject")
    file = tmp_path / "decisions.jsonl"
    assert "1 decisions written" in isara("decisions", "r", "--export", file).out
    assert "0 decisions added to r; 1 were there" in isara("decisions", "r", "--import", file).out
    assert isara("decisions", "r", "--done", 2).code == 1
    assert isara("decisions", "r").code == 1
    assert "Go on with" in isara("decisions", "r", "--done", 1).out
    done = isara("run", config, "--run-id", "r", "--quiet")
    assert done.code == 0
    assert "done" in isara("runs").out

"""People's decisions as JSON lines: out of one workspace, into another, nothing lost or doubled.

    export_decisions(database, "demo-19d4b1", Path("decisions.jsonl"))
    import_decisions(database, workspace.run("demo-19d4b1"), Path("decisions.jsonl"))

A line is a decision with its reviewer, reason and time; what was undone is there too, and the line
that undid it. A decision that is there already, known by its texts and its time, is not added
again. The numbers of a file ("id", "undoes", "seen") hold within the file alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from isara.errors import InputError
from isara.workspace.database import Database
from isara.workspace.decisions import check_decision
from isara.workspace.files import read_columns, write_jsonl
from isara.workspace.runs import RunFolder
from isara.workspace.standing import Decision

OPTIONAL_TEXTS = ("question", "answer", "batch")
TEXTS = ("candidate_id", "reviewer", "action", "reason")
MOST_LISTED = 200  # problems in a message


def export_decisions(database: Database, run_id: str, path: Path) -> int:
    """Write a run's whole history to a file; gives the number of its lines."""
    rows = []
    for decision in database.history(run_id):
        row = decision._asdict() | {"created": decision.created.isoformat()}
        del row["run_id"]
        rows.append(row)
    write_jsonl(path, rows)
    return len(rows)


def import_decisions(database: Database, folder: RunFolder, path: Path) -> tuple[int, int]:
    """Add a file's decisions to a run: how many were added, and how many were there.

    InputError that lists every bad line; nothing is added then.
    """
    found = read_decisions(path, folder)
    added = database.add_decisions(folder.run_id, found)
    return added, len(found) - added


def read_decisions(path: Path, folder: RunFolder) -> list[Decision]:
    """The decisions of a file, checked against the pairs of a run."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); give a file of --export.") from None
    pairs = _Pairs(folder)
    found: dict[int, Decision] = {}
    problems = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            decision = _decision(json.loads(line), folder.run_id, pairs)
            if decision.id in found:
                raise InputError(f"the id {decision.id} stands in an earlier line too")
            _check_target(decision, found)
            found[decision.id] = decision
        except (ValueError, InputError) as error:
            problems.append(f"  line {number}: {error}")
    if problems:
        more = f"\n  and {len(problems) - MOST_LISTED} more" if len(problems) > MOST_LISTED else ""
        listed = "\n".join(problems[:MOST_LISTED])
        raise InputError(
            f"{path} has {len(problems)} lines that are no decisions on {folder.run_id}; nothing "
            f"was added, mend them and import again:\n{listed}{more}"
        )
    return list(found.values())


class _Pairs:
    """The ids of a run's candidates, read once for each iteration."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._known: dict[int, set[str]] = {}

    def has(self, k: int, candidate_id: str) -> bool:
        if k not in self._known:
            path = self._folder.iteration(k).candidates
            there = path.exists()
            self._known[k] = set(
                read_columns(path, ["candidate_id"])["candidate_id"] if there else ()
            )
        return candidate_id in self._known[k]


def _decision(row: Any, run_id: str, pairs: _Pairs) -> Decision:
    """A line as a decision; InputError or ValueError says what is wrong with it."""
    if not isinstance(row, Mapping):
        raise InputError(f"expected an object, found {row!r:.60}")
    unknown = sorted(set(row) - set(Decision._fields))
    if unknown:
        raise InputError(f"has the unknown names {', '.join(unknown)}")
    for name in ("id", "iteration"):
        if type(row.get(name)) is not int or row[name] < 1:
            raise InputError(f"{name} is {row.get(name)!r}, expected a whole number from 1 on")
    for name in ("undoes", "seen"):
        if row.get(name) is not None and type(row[name]) is not int:
            raise InputError(f"{name} is {row[name]!r}, expected a number or null")
    for name in TEXTS:
        if not isinstance(row.get(name), str):
            raise InputError(f"{name} is {row.get(name)!r}, expected a text")
    for name in OPTIONAL_TEXTS:
        if not isinstance(row.get(name), str | None):
            raise InputError(f"{name} is {row[name]!r}, expected a text or null")
    created = datetime.fromisoformat(str(row.get("created")))
    if created.tzinfo is None:
        raise InputError(f"created is {row['created']!r}, which lacks its time zone")
    if not pairs.has(row["iteration"], row["candidate_id"]):
        raise InputError(f"iteration {row['iteration']} has no pair {row['candidate_id']!r}")
    own = {"run_id": run_id, "created": created.astimezone(UTC)}
    decision = Decision._make({**row, **own}.get(name) for name in Decision._fields)
    check_decision(
        decision.candidate_id,
        decision.reviewer,
        decision.action,
        decision.question,
        decision.answer,
    )
    return decision


def _check_target(decision: Decision, earlier: Mapping[int, Decision]) -> None:
    """What a line undoes must stand before it, be of the same person and pair, and be no undo."""
    if decision.undoes is None:
        return
    target = earlier.get(decision.undoes)
    same = target is not None and target[2:5] == decision[2:5] and target.undoes is None
    if not same:
        raise InputError(f"undoes is {decision.undoes}, which is no earlier decision of the same")

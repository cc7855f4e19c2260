"""Seed sets, people's decisions, the run registry and the looks at test splits, in one database.

``Database(path_or_url)`` opens a SQLite file (WAL) or any URL that SQLAlchemy knows, brings its
tables to the newest revision and offers plain functions; what they return are tuples, detached from
the database. Every write is committed before its call returns. Any number of threads and processes
may write at once. Deleting is left out: the tables are a history. Tables: tables.py; opening and
migrating: engine.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, exists, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, sessionmaker

from isara.errors import InputError
from isara.examples import Example
from isara.workspace.engine import explained, open_engine
from isara.workspace.tables import (
    DecisionTable,
    LabelTable,
    LookTable,
    RunTable,
    SeedRowTable,
    SeedSetTable,
)

ACTIONS = ("accept", "reject", "edit", "skip", "flag", "clear")
RULINGS = ("accept", "reject", "edit")  # the actions that override a verdict
LABELS_OF_PEOPLE = ("harmful", "not harmful", "unsure")
TRIES = 20  # of a transaction that lost a race for a number

T = TypeVar("T")


class Decision(NamedTuple):
    """What a person decided on a candidate. ``question`` and ``answer`` are set for an edit."""

    id: int
    run_id: str
    iteration: int
    candidate_id: str
    reviewer: str
    action: str
    question: str | None
    answer: str | None
    reason: str
    created: datetime
    undoes: int | None


class SeedSetInfo(NamedTuple):
    """A version of a seed set without its rows. ``parent`` is the id of another version."""

    id: int
    name: str
    version: int
    created: datetime
    author: str
    note: str
    parent: int | None
    size: int


class SeedSet(NamedTuple):
    """A version of a seed set with its rows in order; ``tags`` by example id."""

    info: SeedSetInfo
    examples: tuple[Example, ...]
    tags: dict[str, tuple[str, ...]]


class RunRecord(NamedTuple):
    run_id: str
    method: str
    name: str
    config_hash: str
    path: str
    created: datetime


DECISION_COLUMNS = tuple(getattr(DecisionTable, name) for name in Decision._fields)
RUN_COLUMNS = tuple(getattr(RunTable, name) for name in RunRecord._fields)


class Database:
    """An open database; one object serves all threads of a process."""

    def __init__(self, path_or_url: Path | str) -> None:
        """Open or create the database and bring its tables up to date.

        Raises InputError for a URL that cannot be used, IsaraError when the database cannot be
        opened or was written by a newer version.
        """
        self._engine = open_engine(path_or_url)
        self._read = sessionmaker(self._engine)
        self._write = sessionmaker(self._engine.execution_options(isara_write=True))

    def close(self) -> None:
        """Close the pooled connections; a later call opens new ones."""
        self._engine.dispose()

    # ------------------------------------------------------------------ seed sets

    def save_seed_set(
        self,
        name: str,
        examples: Sequence[Example],
        author: str = "",
        note: str = "",
        *,
        tags: Mapping[str, Sequence[str]] | None = None,
        parent: int | None = None,
    ) -> int:
        """Store the examples as the next version of ``name`` and give its number: 1, 2, …

        ``tags`` go by example id. ``parent`` is the id of the version it was made from, by default
        the latest of this name. Raises InputError without a name or without examples.
        """
        if not name.strip() or not examples:
            raise InputError(
                f"A seed set needs a name and at least one example, found the name {name!r} and "
                f"{len(examples)} examples; give both."
            )

        def save(session: Session) -> int:
            latest = session.execute(
                select(SeedSetTable.id, SeedSetTable.version)
                .where(SeedSetTable.name == name)
                .order_by(SeedSetTable.version.desc())
                .limit(1)
            ).first()
            row = SeedSetTable(
                name=name,
                version=latest.version + 1 if latest else 1,
                author=author,
                note=note,
                parent=parent if parent is not None else latest and latest.id,
            )
            session.add(row)
            session.flush()
            session.execute(insert(SeedRowTable), _seed_rows(row.id, examples, tags or {}))
            return row.version

        return self._writing(save)

    def seed_sets(self, name: str | None = None) -> list[SeedSetInfo]:
        """All versions of all seed sets (or of one name), by name, newest version first."""
        size = (
            select(func.count())
            .where(SeedRowTable.set_id == SeedSetTable.id)
            .correlate(SeedSetTable)
            .scalar_subquery()
        )
        columns = [getattr(SeedSetTable, field) for field in SeedSetInfo._fields[:-1]]
        query = select(*columns, size).order_by(SeedSetTable.name, SeedSetTable.version.desc())
        if name is not None:
            query = query.where(SeedSetTable.name == name)
        return [SeedSetInfo(*row) for row in self._rows(query)]

    def load_seed_set(self, name: str, version: int | None = None) -> SeedSet:
        """One version of a seed set, by default the latest. InputError names what there is."""
        versions = self.seed_sets(name)
        found = [info for info in versions if version in (None, info.version)]
        if not found:
            have = sorted({f"{info.name} version {info.version}" for info in self.seed_sets()})
            raise InputError(
                f"There is no seed set {name!r}{f' version {version}' if version else ''}; found "
                f"{', '.join(have) or 'none'}. Choose one of these or save it first."
            )
        table = SeedRowTable
        rows = self._rows(
            select(table.example_id, table.question, table.answer, table.category, table.tags)
            .where(table.set_id == found[0].id)
            .order_by(table.position)
        )
        examples = tuple(Example(row.question, row.answer, row.category) for row in rows)
        return SeedSet(found[0], examples, {r.example_id: tuple(r.tags) for r in rows if r.tags})

    # ------------------------------------------------------------------ decisions

    def record_decision(
        self,
        run_id: str,
        iteration: int,
        candidate_id: str,
        reviewer: str,
        action: str,
        *,
        question: str | None = None,
        answer: str | None = None,
        reason: str = "",
    ) -> Decision:
        """Append a decision; it is on disk when this returns.

        Raises InputError for an unknown action, no reviewer, or an edit that lacks the question or
        the answer. "clear" takes back the reviewer's own decision on this candidate.
        """
        if action not in ACTIONS or not reviewer.strip():
            raise InputError(
                f"A decision needs an action out of {', '.join(ACTIONS)} and a reviewer, found "
                f"{action!r} by {reviewer!r}; give both."
            )
        if action == "edit" and not ((question or "").strip() and (answer or "").strip()):
            raise InputError(
                f"The edit of {candidate_id} needs a question and an answer, found {question!r} "
                f"and {answer!r}; fill in both or reject the candidate."
            )
        row: dict[str, object] = {"run_id": run_id, "iteration": iteration, "reviewer": reviewer}
        row |= {"candidate_id": candidate_id, "action": action, "reason": reason}
        if action == "edit":
            row |= {"question": question, "answer": answer}
        return self._writing(lambda session: _append(session, row))

    def undo(self, run_id: str, reviewer: str) -> Decision | None:
        """Take back the reviewer's latest decision in a run that stands; without limit.

        Returns the decision that was undone, None when there is nothing left to undo.
        """

        def take_back(session: Session) -> Decision | None:
            query = _standing(run_id).where(DecisionTable.reviewer == reviewer)
            found = session.execute(query.order_by(DecisionTable.id.desc()).limit(1)).first()
            if found is None:
                return None
            undone = Decision(*found)
            values = undone._asdict() | {"action": "clear", "reason": "", "undoes": undone.id}
            values |= {"question": None, "answer": None}
            del values["id"], values["created"]
            _append(session, values)
            return undone

        return self._writing(take_back)

    def decisions_by_reviewer(
        self, run_id: str, iteration: int | None = None, reviewer: str | None = None
    ) -> dict[str, dict[str, Decision]]:
        """candidate id -> reviewer -> that reviewer's latest decision that was not undone."""
        query = _standing(run_id).order_by(DecisionTable.id)
        if iteration is not None:
            query = query.where(DecisionTable.iteration == iteration)
        if reviewer is not None:
            query = query.where(DecisionTable.reviewer == reviewer)
        current: dict[str, dict[str, Decision]] = {}
        for row in self._rows(query):
            decision = Decision(*row)
            current.setdefault(decision.candidate_id, {})[decision.reviewer] = decision
        return {
            candidate: standing
            for candidate, latest in current.items()
            if (standing := {r: d for r, d in latest.items() if d.action != "clear"})
        }

    def decisions(
        self, run_id: str, iteration: int | None = None, reviewer: str | None = None
    ) -> dict[str, Decision]:
        """candidate id -> the decision that counts: of several reviewers the latest.

        A skip or a flag counts only where nobody accepted, rejected or edited: it does not rule.
        """
        return {
            candidate: max(latest.values(), key=lambda d: (d.action in RULINGS, d.id))
            for candidate, latest in self.decisions_by_reviewer(run_id, iteration, reviewer).items()
        }

    def history(self, run_id: str, candidate_id: str | None = None) -> list[Decision]:
        """Everything that was ever decided and undone in a run, oldest first."""
        query = select(*DECISION_COLUMNS).where(DecisionTable.run_id == run_id)
        if candidate_id is not None:
            query = query.where(DecisionTable.candidate_id == candidate_id)
        return [Decision(*row) for row in self._rows(query.order_by(DecisionTable.id))]

    # ------------------------------------------------------------------ runs

    def register_run(
        self, run_id: str, method: str, name: str, config_hash: str, path: Path | str
    ) -> None:
        """Enter a run, or its new place and config under an id that is known."""
        values = {"method": method, "name": name, "config_hash": config_hash, "path": str(path)}

        def register(session: Session) -> None:
            row = session.get(RunTable, run_id)
            if row is None:
                session.add(RunTable(run_id=run_id, **values))
            else:
                for field, value in values.items():
                    setattr(row, field, value)

        self._writing(register)

    def runs(self) -> list[RunRecord]:
        """All runs that were ever registered, newest first."""
        query = select(*RUN_COLUMNS).order_by(RunTable.created.desc(), RunTable.run_id)
        return [RunRecord(*row) for row in self._rows(query)]

    def count_test_look(self, run_id: str, split: str = "test") -> int:
        """Note that a split's results were looked at; gives how often that was, this included."""
        self._writing(lambda session: session.add(LookTable(run_id=run_id, split=split)))
        return self.test_looks(run_id, split)

    def test_looks(self, run_id: str, split: str = "test") -> int:
        """How often the results of a split were looked at."""
        table = LookTable
        query = select(func.count()).where(table.run_id == run_id, table.split == split)
        return int(self._rows(query)[0][0])

    # ------------------------------------------------------------------ labels of answers

    def add_label(
        self, run_id: str, place: str, prompt_id: str, reviewer: str, label: str, *, example_id: str
    ) -> None:
        """A person's word on an answer ("" takes an earlier one back); the latest one counts.

        `example_id` is that of question and answer. Raises InputError for an unknown label.
        """
        if label not in (*LABELS_OF_PEOPLE, ""):
            raise InputError(
                f"A label is one of {', '.join(LABELS_OF_PEOPLE)}; found {label!r}, choose one."
            )
        row = LabelTable(
            run_id=run_id,
            place=place,
            prompt_id=prompt_id,
            reviewer=reviewer,
            label=label,
            example_id=example_id,
        )
        self._writing(lambda session: session.add(row))

    def labels(
        self, run_id: str, place: str, answers: Mapping[str, str]
    ) -> dict[tuple[str, str], str]:
        """The current label by (prompt id, reviewer), in the order of their first labels.

        `answers` gives each prompt's example id: what was said of an answer that the run has
        replaced since does not count (labels without an example id are older than that rule).
        """
        table = LabelTable
        query = (
            select(table.prompt_id, table.reviewer, table.label, table.example_id)
            .where(table.run_id == run_id, table.place == place)
            .order_by(table.id)
        )
        found = {
            (prompt, reviewer): label
            for prompt, reviewer, label, example in self._rows(query)
            if prompt in answers and example in (None, answers[prompt])
        }
        return {key: label for key, label in found.items() if label}

    # ------------------------------------------------------------------ the machinery

    def _rows(self, query: Any) -> Sequence[Any]:
        with explained(self._engine), self._read() as session:
            return session.execute(query).all()

    def _writing(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction, again when another writer was first with a number."""
        with explained(self._engine):
            for _ in range(TRIES - 1):
                try:
                    with self._write.begin() as session:
                        return work(session)
                except IntegrityError:
                    continue
            with self._write.begin() as session:
                return work(session)


def _seed_rows(
    set_id: int, examples: Sequence[Example], tags: Mapping[str, Sequence[str]]
) -> list[dict[str, object]]:
    return [
        {
            "set_id": set_id,
            "position": position,
            "example_id": example.id,
            "question": example.question,
            "answer": example.answer,
            "category": example.category,
            "tags": list(tags.get(example.id, ())),
        }
        for position, example in enumerate(examples)
    ]


def _append(session: Session, values: Mapping[str, object]) -> Decision:
    row = DecisionTable(**values)
    session.add(row)
    session.flush()
    return Decision(*(getattr(row, name) for name in Decision._fields))


def _standing(run_id: str) -> Select[Any]:
    """The decisions of a run that were not undone."""
    undo = aliased(DecisionTable)
    return select(*DECISION_COLUMNS).where(
        DecisionTable.run_id == run_id,
        DecisionTable.undoes.is_(None),
        ~exists().where(undo.undoes == DecisionTable.id),
    )

"""People's decisions on candidates: appended, never changed, and undone by a row of their own.

Which of them stand, and which one counts, is said in standing.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, exists, insert, select
from sqlalchemy.orm import Session, aliased

from isara.errors import InputError, IsaraError
from isara.workspace.engine import damaged
from isara.workspace.standing import ACTIONS, RULINGS, Decision, DecisionLog, counting
from isara.workspace.store import Store
from isara.workspace.tables import DecisionTable

__all__ = ["ACTIONS", "RULINGS", "Decision", "Decisions"]

DECISION_COLUMNS = tuple(getattr(DecisionTable, name) for name in Decision._fields)
# Not the number of the row alone: what was imported keeps the time at which it was decided.
IN_TIME = (DecisionTable.created, DecisionTable.id)


class Decisions(Store):
    """Recording, undoing and reading decisions."""

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
        seen: int | None = None,
    ) -> Decision:
        """Append a decision; it is on disk when this returns.

        ``seen`` is the id of the last decision on the candidate that the reviewer was shown, 0 for
        none, None where that is not known. Raises InputError for an unknown action, no reviewer, or
        an edit that lacks the question or the answer. "clear" takes back the reviewer's own
        decision on this candidate.
        """
        check_decision(candidate_id, reviewer, action, question, answer)
        row: dict[str, object] = {"run_id": run_id, "iteration": iteration, "reviewer": reviewer}
        row |= {"candidate_id": candidate_id, "action": action, "reason": reason, "seen": seen}
        if action == "edit":
            row |= {"question": question, "answer": answer}
        return self._writing(lambda session: _append(session, row))

    def record_decisions(
        self,
        run_id: str,
        iteration: int,
        candidate_ids: Sequence[str],
        reviewer: str,
        action: str,
        *,
        reason: str = "",
    ) -> str:
        """Append the same decision on many candidates at once: all of them or none; gives the id
        of the batch. An id that is named twice counts once.

        Raises InputError like ``record_decision``, for no candidate at all, and for an edit, whose
        texts are those of one candidate.
        """
        _check_word(reviewer, action)
        ids = list(dict.fromkeys(candidate_ids))
        if not ids or action == "edit":
            raise InputError(
                f"A decision on many pairs names at least one and is no edit, found {action!r} on "
                f"{len(ids)} pairs; choose other pairs or another action."
            )
        batch = secrets.token_hex(8)
        row: dict[str, object] = {"run_id": run_id, "iteration": iteration, "reviewer": reviewer}
        row |= {"action": action, "reason": reason, "batch": batch}
        rows = [row | {"candidate_id": name} for name in ids]
        self._writing(lambda session: _append_all(session, rows))
        return batch

    def undo(self, run_id: str, reviewer: str, iteration: int | None = None) -> list[Decision]:
        """Take back what the reviewer decided last in a run, or in one iteration; without limit.

        Returns the decisions that were undone: one, or all of a batch; none when there is nothing
        left to undo.
        """

        def take_back(session: Session) -> list[Decision]:
            query = _not_undone(run_id).where(DecisionTable.reviewer == reviewer)
            if iteration is not None:
                query = query.where(DecisionTable.iteration == iteration)
            latest = query.order_by(*(column.desc() for column in IN_TIME)).limit(1)
            found = session.execute(latest).first()
            if found is None:
                return []
            undone = [Decision(*found)]
            if undone[0].batch is not None:
                batch = query.where(DecisionTable.batch == undone[0].batch)
                undone = [Decision(*row) for row in session.execute(batch.order_by(*IN_TIME))]
            _append_all(session, [_taking_back(decision) for decision in undone])
            return undone

        return self._writing(take_back)

    def decisions_by_reviewer(
        self, run_id: str, iteration: int | None = None, reviewer: str | None = None
    ) -> dict[str, dict[str, Decision]]:
        """candidate id -> reviewer -> that reviewer's latest decision that was not undone."""
        query = select(*DECISION_COLUMNS).where(DecisionTable.run_id == run_id)
        if iteration is not None:
            query = query.where(DecisionTable.iteration == iteration)
        if reviewer is not None:
            query = query.where(DecisionTable.reviewer == reviewer)
        log = DecisionLog()
        log.add(map(_decision, self._rows(query)))
        return log.standing()

    def decisions(
        self, run_id: str, iteration: int | None = None, reviewer: str | None = None
    ) -> dict[str, Decision]:
        """candidate id -> the decision that counts: of several reviewers the latest.

        A skip or a flag counts only where nobody accepted, rejected or edited: it does not rule.
        """
        standing = self.decisions_by_reviewer(run_id, iteration, reviewer)
        return {candidate: counting(people) for candidate, people in standing.items()}

    def history(self, run_id: str, candidate_id: str | None = None) -> list[Decision]:
        """Everything that was ever decided and undone in a run, in the order of time."""
        query = select(*DECISION_COLUMNS).where(DecisionTable.run_id == run_id)
        if candidate_id is not None:
            query = query.where(DecisionTable.candidate_id == candidate_id)
        return [_decision(row) for row in self._rows(query.order_by(*IN_TIME))]

    def follow(self, log: DecisionLog, run_id: str, iteration: int) -> DecisionLog:
        """Bring a log of one iteration up to date; only what is new is read."""
        query = select(*DECISION_COLUMNS).where(
            DecisionTable.run_id == run_id,
            DecisionTable.iteration == iteration,
            DecisionTable.id > log.read_from,
        )
        log.add(map(_decision, self._rows(query)))
        return log

    def add_decisions(self, run_id: str, decisions: Sequence[Decision]) -> int:
        """Append decisions that were made elsewhere, with their times; gives how many.

        What is there already, by its texts and its time, is not added again, nor is a second undo
        of the same decision. The numbers ``id``, ``undoes`` and ``seen`` of ``decisions`` are their
        own: they name rows among themselves.
        """

        def add(session: Session) -> int:
            query = select(*DECISION_COLUMNS).where(DecisionTable.run_id == run_id)
            known = [Decision(*row) for row in session.execute(query)]
            there = _numbers(known)
            undone = {decision.undoes for decision in known}
            placed: dict[int, int] = {}  # number among `decisions` -> number of the row
            added = 0
            # Undoing rows last: what they undo is placed by then.
            for decision, key in sorted(_keys(decisions), key=lambda pair: pair[0].undoes or 0):
                if there.get(key):
                    placed[decision.id] = there[key].pop()
                    continue
                values = decision._asdict() | {"run_id": run_id}
                del values["id"]
                values["seen"] = decision.seen and placed.get(decision.seen)
                if decision.undoes is not None:
                    values["undoes"] = placed[decision.undoes]
                    if values["undoes"] in undone:
                        continue
                    undone.add(values["undoes"])
                placed[decision.id] = _append(session, values).id
                added += 1
            return added

        return self._writing(add)


def _keys(decisions: Sequence[Decision]) -> list[tuple[Decision, tuple[object, ...]]]:
    """Each decision with what it is known by anywhere: its texts, its time, and what it undoes."""

    def own(decision: Decision) -> tuple[object, ...]:
        return (*decision[2:10], decision.batch)

    by_number = {decision.id: decision for decision in decisions}
    return [
        (d, own(d) if d.undoes is None else (*own(d), *own(by_number[d.undoes]))) for d in decisions
    ]


def _numbers(decisions: Sequence[Decision]) -> dict[tuple[object, ...], list[int]]:
    """The numbers of the decisions that are known by the same."""
    found: dict[tuple[object, ...], list[int]] = {}
    for decision, key in _keys(decisions):
        found.setdefault(key, []).append(decision.id)
    return found


def _decision(row: Sequence[Any]) -> Decision:
    """A row as it was read; IsaraError for one that isara cannot have written."""
    found = Decision(*row)
    if found.action not in ACTIONS:
        raise IsaraError(
            damaged(
                f"row {found.id} of decisions has the action {found.action!r}, expected one of "
                f"{', '.join(ACTIONS)}"
            )
        )
    return found


def check_decision(
    candidate_id: str, reviewer: str, action: str, question: str | None, answer: str | None
) -> None:
    """InputError for a decision that says too little."""
    _check_word(reviewer, action)
    if action == "edit" and not ((question or "").strip() and (answer or "").strip()):
        raise InputError(
            f"The edit of {candidate_id} needs a question and an answer, found {question!r} "
            f"and {answer!r}; fill in both or reject the candidate."
        )


def _check_word(reviewer: str, action: str) -> None:
    if action not in ACTIONS or not reviewer.strip():
        raise InputError(
            f"A decision needs an action out of {', '.join(ACTIONS)} and a reviewer, found "
            f"{action!r} by {reviewer!r}; give both."
        )


def _taking_back(decision: Decision) -> dict[str, object]:
    """The row that undoes a decision."""
    values = decision._asdict() | {"action": "clear", "reason": "", "undoes": decision.id}
    values |= {"question": None, "answer": None, "seen": None}
    del values["id"], values["created"]
    return values


def _append(session: Session, values: Mapping[str, object]) -> Decision:
    row = DecisionTable(**values)
    session.add(row)
    session.flush()
    return Decision(*(getattr(row, name) for name in Decision._fields))


def _append_all(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Append rows of one time."""
    now = datetime.now(UTC)
    session.execute(insert(DecisionTable), [{**row, "created": now} for row in rows])


def _not_undone(run_id: str) -> Select[Any]:
    """The decisions of a run that were not undone."""
    undo = aliased(DecisionTable)
    return select(*DECISION_COLUMNS).where(
        DecisionTable.run_id == run_id,
        DecisionTable.undoes.is_(None),
        ~exists().where(undo.undoes == DecisionTable.id),
    )

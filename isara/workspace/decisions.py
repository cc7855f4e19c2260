"""People's decisions on candidates: appended, never changed, and undone by a row of their own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, exists, insert, select
from sqlalchemy.orm import Session, aliased

from isara.errors import InputError
from isara.workspace.store import Store
from isara.workspace.tables import DecisionTable

ACTIONS = ("accept", "reject", "edit", "skip", "flag", "clear")
RULINGS = ("accept", "reject", "edit")  # the actions that override a verdict


class Decision(NamedTuple):
    """What a person decided on a candidate. ``question`` and ``answer`` are set for an edit;
    decisions that were made at once share a ``batch``."""

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
    batch: str | None = None


DECISION_COLUMNS = tuple(getattr(DecisionTable, name) for name in Decision._fields)


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
    ) -> Decision:
        """Append a decision; it is on disk when this returns.

        Raises InputError for an unknown action, no reviewer, or an edit that lacks the question or
        the answer. "clear" takes back the reviewer's own decision on this candidate.
        """
        _check(action, reviewer)
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
        _check(action, reviewer)
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
        self._writing(lambda session: session.execute(insert(DecisionTable), rows))
        return batch

    def undo(self, run_id: str, reviewer: str, iteration: int | None = None) -> list[Decision]:
        """Take back what the reviewer decided last in a run, or in one iteration; without limit.

        Returns the decisions that were undone: one, or all of a batch; none when there is nothing
        left to undo.
        """

        def take_back(session: Session) -> list[Decision]:
            query = _standing(run_id).where(DecisionTable.reviewer == reviewer)
            if iteration is not None:
                query = query.where(DecisionTable.iteration == iteration)
            found = session.execute(query.order_by(DecisionTable.id.desc()).limit(1)).first()
            if found is None:
                return []
            undone = [Decision(*found)]
            if undone[0].batch is not None:
                batch = query.where(DecisionTable.batch == undone[0].batch)
                undone = [Decision(*row) for row in session.execute(batch)]
            session.execute(insert(DecisionTable), [_taking_back(decision) for decision in undone])
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


def _check(action: str, reviewer: str) -> None:
    if action not in ACTIONS or not reviewer.strip():
        raise InputError(
            f"A decision needs an action out of {', '.join(ACTIONS)} and a reviewer, found "
            f"{action!r} by {reviewer!r}; give both."
        )


def _taking_back(decision: Decision) -> dict[str, object]:
    """The row that undoes a decision."""
    values = decision._asdict() | {"action": "clear", "reason": "", "undoes": decision.id}
    values |= {"question": None, "answer": None}
    del values["id"], values["created"]
    return values


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

"""People's decisions on candidates: appended, never changed, and undone by a row of their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, exists, select
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

    def copy_decisions(self, run_id: str, to_run: str, last: int) -> None:
        """Give a branch what was decided on iterations 1 to `last` of its parent and stands, with
        who and when; what it has already is not written twice."""
        query = _standing(run_id).where(DecisionTable.iteration <= last)

        def copy(session: Session) -> None:
            have = {
                _without_run(Decision(*row)) for row in session.execute(_standing(to_run)).all()
            }
            for row in session.execute(query.order_by(DecisionTable.id)).all():
                decision = Decision(*row)
                if _without_run(decision) not in have:
                    values = decision._asdict() | {"run_id": to_run}
                    del values["id"]
                    _append(session, values)

        self._writing(copy)


def _without_run(decision: Decision) -> Decision:
    return decision._replace(id=0, run_id="", batch=None)


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

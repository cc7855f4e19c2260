"""Edits of pairs that are half written: kept until they are saved as a decision, or cancelled.

    draft = database.keep_edit_draft(None, run_id, k, "1-00007", "Ana", question, answer)
    draft = database.keep_edit_draft(draft, run_id, k, "1-00007", "Ana", question, more)
    database.edit_drafts(run_id, k, "1-00007", "Ana")            # the newest first
    database.drop_edit_draft(draft)

A draft is one person's. Two windows that go on with the same draft do not overwrite each other:
whoever is later gets a draft of their own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import CursorResult, Delete, Result, Update, delete, select, update
from sqlalchemy.orm import Session

from isara.workspace.store import Store
from isara.workspace.tables import EditDraftTable


class EditDraft(NamedTuple):
    """The texts of an edit that is no decision yet, as a window last read or wrote them."""

    id: int
    run_id: str
    iteration: int
    candidate_id: str
    reviewer: str
    question: str
    answer: str
    changed: datetime
    revision: int

    @property
    def texts(self) -> tuple[str, str]:
        """Question and answer."""
        return self.question, self.answer


DRAFT_COLUMNS = tuple(getattr(EditDraftTable, name) for name in EditDraft._fields)


class EditDrafts(Store):
    """Keeping, reading and dropping drafts."""

    def edit_drafts(
        self, run_id: str, iteration: int, candidate_id: str, reviewer: str
    ) -> list[EditDraft]:
        """A reviewer's drafts on a candidate, the one that was changed last first."""
        table = EditDraftTable
        query = select(*DRAFT_COLUMNS).where(
            table.run_id == run_id,
            table.iteration == iteration,
            table.candidate_id == candidate_id,
            table.reviewer == reviewer,
        )
        return [
            EditDraft(*row)
            for row in self._rows(query.order_by(table.changed.desc(), table.id.desc()))
        ]

    def keep_edit_draft(
        self,
        draft: EditDraft | None,
        run_id: str,
        iteration: int,
        candidate_id: str,
        reviewer: str,
        question: str,
        answer: str,
    ) -> EditDraft:
        """Write the texts into a draft, and give it as it is then.

        A new one (with another ``id``) where there is none yet, or where another window changed or
        dropped it since.
        """
        now = datetime.now(UTC)

        def keep(session: Session) -> EditDraft:
            if draft is not None:
                later = draft._replace(
                    question=question, answer=answer, changed=now, revision=draft.revision + 1
                )
                names = ("question", "answer", "changed", "revision")
                values = {name: getattr(later, name) for name in names}
                if _touched(
                    session.execute(_as_seen(update(EditDraftTable), draft).values(values))
                ):
                    return later
            row = EditDraftTable(
                run_id=run_id,
                iteration=iteration,
                candidate_id=candidate_id,
                reviewer=reviewer,
                question=question,
                answer=answer,
                changed=now,
            )
            session.add(row)
            session.flush()
            return EditDraft(*(getattr(row, name) for name in EditDraft._fields))

        return self._writing(keep)

    def drop_edit_draft(self, draft: EditDraft) -> bool:
        """Delete a draft; False where another window changed it since: then it stays."""

        def drop(session: Session) -> bool:
            return _touched(session.execute(_as_seen(delete(EditDraftTable), draft)))

        return self._writing(drop)


Change = TypeVar("Change", Update, Delete)


def _as_seen(change: Change, draft: EditDraft) -> Change:
    """The change of this draft alone, and only as its window knows it."""
    return change.where(EditDraftTable.id == draft.id, EditDraftTable.revision == draft.revision)


def _touched(result: Result[Any]) -> bool:
    return isinstance(result, CursorResult) and result.rowcount > 0

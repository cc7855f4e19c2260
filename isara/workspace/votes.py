"""Blind votes: which of two models' answers a person likes better."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from isara.errors import InputError
from isara.workspace.store import Store
from isara.workspace.tables import VoteTable

CHOICES = ("left", "right", "tie")
LOOK = "look"  # a row that is no vote: its voter was told who the two are


class Vote(NamedTuple):
    """A vote between the answers of two places of a run ("base", "iteration 2", "sft", …), as they
    stood on the page. ``left_example`` and ``right_example`` are the ids of question and answer;
    ``blind`` is false when the voter had been told before who the two are."""

    id: int
    run_id: str
    prompt_id: str
    voter: str
    left: str
    right: str
    choice: str
    left_example: str
    right_example: str
    created: datetime
    blind: bool = True

    @property
    def pair(self) -> frozenset[str]:
        """The two places, whichever side they stood on."""
        return frozenset((self.left, self.right))


VOTE_COLUMNS = tuple(getattr(VoteTable, name) for name in Vote._fields[:-1])


class Votes(Store):
    """Recording and reading votes."""

    def add_vote(
        self,
        run_id: str,
        prompt_id: str,
        voter: str,
        left: str,
        right: str,
        choice: str,
        *,
        left_example: str,
        right_example: str,
    ) -> None:
        """Append a vote ("" takes back the voter's earlier one on this prompt and these two
        places). InputError for an unknown choice or without a voter."""
        if choice not in (*CHOICES, "") or not voter.strip():
            raise InputError(
                f"A vote needs a voter and one of {', '.join(CHOICES)}; found {choice!r} by "
                f"{voter!r}, give both."
            )
        row = VoteTable(
            run_id=run_id,
            prompt_id=prompt_id,
            voter=voter,
            left=left,
            right=right,
            choice=choice,
            left_example=left_example,
            right_example=right_example,
        )
        self._writing(lambda session: session.add(row))

    def add_look(self, run_id: str, voter: str, a: str, b: str) -> None:
        """Note that a voter was told who stands where: later votes on these two are not blind."""
        row = VoteTable(
            run_id=run_id,
            prompt_id="",
            voter=voter,
            left=a,
            right=b,
            choice=LOOK,
            left_example="",
            right_example="",
        )
        self._writing(lambda session: session.add(row))

    def votes(self, run_id: str) -> list[Vote]:
        """The votes that stand, oldest first: of one voter on one prompt and one pair of places,
        whichever side they stood on, the latest."""
        latest: dict[tuple[object, ...], Vote] = {}
        looked: set[tuple[str, frozenset[str]]] = set()
        for vote in self._vote_rows(run_id):
            if vote.choice == LOOK:
                looked.add((vote.voter, vote.pair))
                continue
            vote = vote._replace(blind=(vote.voter, vote.pair) not in looked)
            latest[vote.prompt_id, vote.voter, vote.pair] = vote
        return sorted((vote for vote in latest.values() if vote.choice), key=lambda v: v.id)

    def looked(self, run_id: str, voter: str, a: str, b: str) -> bool:
        """Whether a voter was told who of these two stands where."""
        return any(
            row.choice == LOOK and row.voter == voter and row.pair == {a, b}
            for row in self._vote_rows(run_id)
        )

    def _vote_rows(self, run_id: str) -> list[Vote]:
        query = select(*VOTE_COLUMNS).where(VoteTable.run_id == run_id).order_by(VoteTable.id)
        return [Vote(*row) for row in self._rows(query)]

"""Which of people's decisions stand, which one counts, and where people differ.

    log = database.follow(DecisionLog(), run_id, k)       # again: reads only what is new
    log.of("1-00007")                                     # {"Ana": her latest decision, …}
    counting(log.of("1-00007")), differ(log.of("1-00007"))

The rules: of one reviewer the latest decision stands; of several reviewers' rulings the latest
counts. Nobody's decision is ever taken away by another's: where rulings differ the pair is a
disagreement, until somebody rules on it having seen the others' rulings. Left out: the database.
"""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

ACTIONS = ("accept", "reject", "edit", "skip", "flag", "clear")
RULINGS = ("accept", "reject", "edit")  # the actions that override a verdict
READ_AGAIN = 100  # rows: on a server's database a lower number may become visible later


class Decision(NamedTuple):
    """What a person decided on a candidate. ``question`` and ``answer`` are set for an edit;
    decisions that were made at once share a ``batch``; ``seen`` is the id of the last decision on
    the candidate that the reviewer was shown before, 0 for none, None where it is not known."""

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
    seen: int | None = None

    @property
    def rules(self) -> bool:
        """Whether it overrides the verdict."""
        return self.action in RULINGS

    @property
    def outcome(self) -> tuple[str, ...]:
        """What the ruling makes of the pair: dropped, kept as it is, or kept in these words."""
        if self.action == "edit":
            return ("kept", self.question or "", self.answer or "")
        return ("dropped",) if self.action == "reject" else ("kept",)


People = Mapping[str, Decision]  # reviewer -> the decision that stands
_Place = tuple[datetime, int]  # of a decision in the order of time


def _place(decision: Decision) -> _Place:
    return decision.created, decision.id


def counting(people: People) -> Decision:
    """The decision that counts: the latest ruling, or the latest remark where nobody ruled."""
    return max(people.values(), key=lambda d: (d.rules, *_place(d)))


def differ(people: People) -> bool:
    """Whether reviewers' rulings make something different of the pair."""
    return len({d.outcome for d in people.values() if d.rules}) > 1


def settled(people: People) -> bool:
    """Whether the ruling that counts was made by somebody who had seen all the others."""
    rulings = [d for d in people.values() if d.rules]
    last = max(rulings, key=_place)
    others = [d.id for d in rulings if d is not last]
    return last.seen is not None and last.seen >= max(others, default=0)


def disagreements(standing: Iterable[People]) -> tuple[int, int]:
    """On how many pairs rulings differ: those that are open, and those that were settled."""
    done = [settled(people) for people in standing if differ(people)]
    return done.count(False), done.count(True)


class DecisionLog:
    """The decisions of one iteration as they stand; may be shared by threads."""

    def __init__(self) -> None:
        self.last_id = 0
        self._changed: list[str] = []  # candidate ids, one for each change of what stands
        self._known: dict[int, Decision] = {}
        self._undone: set[int] = set()
        self._order: dict[str, dict[str, list[_Place]]] = {}  # candidate id -> reviewer
        self._standing: dict[str, dict[str, Decision]] = {}
        self._lock = threading.RLock()

    @property
    def read_from(self) -> int:
        """Rows with a higher id may be new."""
        return max(0, self.last_id - READ_AGAIN)

    def add(self, decisions: Iterable[Decision]) -> None:
        """Take in decisions in any order; those that are known already change nothing."""
        with self._lock:
            new = [d for d in decisions if d.id not in self._known]
            self._known.update((d.id, d) for d in new)
            self._undone.update(d.undoes for d in new if d.undoes is not None)
            for decision in new:
                self.last_id = max(self.last_id, decision.id)
                people = self._order.setdefault(decision.candidate_id, {})
                places = people.setdefault(decision.reviewer, [])
                if decision.undoes is None:
                    insort(places, (decision.created, decision.id))
            for candidate_id in dict.fromkeys(d.candidate_id for d in new):
                self._settle(candidate_id)
                self._changed.append(candidate_id)

    def _settle(self, candidate_id: str) -> None:
        """Find the decisions on a candidate that stand."""
        # A new dict: those that were given out before do not change under their readers.
        people = {}
        for reviewer, places in self._order[candidate_id].items():
            for _, number in reversed(places):
                if number not in self._undone:
                    if (latest := self._known[number]).action != "clear":
                        people[reviewer] = latest
                    break
        if people:
            self._standing[candidate_id] = people
        else:
            self._standing.pop(candidate_id, None)

    @property
    def version(self) -> int:
        """Grows with every change of what stands."""
        return len(self._changed)

    def changed_since(self, version: int) -> list[str]:
        """The candidates whose decisions changed since a version."""
        return list(dict.fromkeys(self._changed[version:]))

    def of(self, candidate_id: str) -> People:
        """Reviewer -> the decision on this candidate that stands; those cleared are left out."""
        return self._standing.get(candidate_id, {})

    def standing(self) -> dict[str, dict[str, Decision]]:
        """Candidate id -> reviewer -> the decision that stands."""
        with self._lock:
            return dict(self._standing)

    def counting(self) -> dict[str, Decision]:
        """Candidate id -> the decision that counts."""
        return {candidate: counting(people) for candidate, people in self.standing().items()}

    def crossed(self, mine: Decision, since: int) -> list[Decision]:
        """Rulings and flags on the same candidate that were stored between row `since`, when it was
        shown, and the decision: by others, or by the same person elsewhere."""
        with self._lock:
            between = [
                self._known[i]
                for places in self._order.get(mine.candidate_id, {}).values()
                for _, i in places
                if since < i < mine.id and i not in self._undone
            ]
        return sorted((d for d in between if d.rules or d.action == "flag"), key=_place)

"""Pairs that a model proposed for a seed set, until a person accepts them or turns them down.

    proposals = SeedProposals(workspace)
    proposals.add("mine", [Proposal(...)])
    waiting = proposals.waiting("mine", used)        # those that no draft has settled

They are lines of WORKSPACE/seed-drafts/NAME/proposals.jsonl and stay there; what became of each is
in the draft (`used`), so undoing an acceptance makes the proposal wait again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from filelock import FileLock

from isara.workspace.files import LOCK_SECONDS, append_lines, locked, write_text
from isara.workspace.seed_drafts import draft_folder

if TYPE_CHECKING:
    from pathlib import Path

    from isara.workspace.runs import Workspace

TAG = "suggested"  # on every accepted row, so that its origin stays visible


class Proposal(NamedTuple):
    """A pair as the model wrote it, and why the filters would drop it ("" when they keep it)."""

    id: str
    question: str
    answer: str
    category: str | None
    dropped: str
    model: str
    random_seed: int

    @property
    def kept(self) -> bool:
        """Whether no rule of the filters fires."""
        return not self.dropped


def proposal_id() -> str:
    """A new id."""
    return secrets.token_hex(6)


class SeedProposals:
    """The proposals of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._root = workspace.root

    def add(self, name: str, proposals: Iterable[Proposal]) -> None:
        """Keep proposals for a seed set; on disk when it returns."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS)):
            if not path.exists():
                write_text(path, json.dumps({"name": name}, ensure_ascii=False) + "\n")
            append_lines(path, [one._asdict() for one in proposals])

    def waiting(self, name: str, used: Collection[str]) -> list[Proposal]:
        """The proposals whose ids are not among `used`, the newest first."""
        path = self._path(name)
        if not path.exists():
            return []
        found = []
        for line in path.read_bytes().split(b"\n")[1:-1]:
            try:
                values = json.loads(line)
            except ValueError:  # half a line, left by a kill
                continue
            if values["id"] not in used:
                found.append(Proposal(**values))
        return found[::-1]

    def _path(self, name: str) -> Path:
        return draft_folder(self._root, name) / "proposals.jsonl"

"""Proposals wait until a draft settles them, and again when that is undone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from isara.curation import Change, add, new_row, with_used
from isara.errors import RunStateError
from isara.examples import Example
from isara.workspace.runs import Workspace
from isara.workspace.seed_drafts import SeedDrafts
from isara.workspace.seed_proposals import Proposal, SeedProposals


def proposal(name: str, dropped: str = "") -> Proposal:
    return Proposal(name, f"{name}?", "Yes.", None, dropped, "a model", 1)


def test_accepted_ones_wait_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ISARA_DATABASE", raising=False)
    workspace = Workspace(tmp_path)
    workspace.database.save_seed_set("mine", [Example("Who?", "I.")])
    proposals, drafts = SeedProposals(workspace), SeedDrafts(workspace)
    assert proposals.waiting("mine", ()) == []
    proposals.add("mine", [proposal("a"), proposal("b", "too short")])
    assert [one.kept for one in proposals.waiting("mine", ())] == [False, True]

    draft = drafts.begin("mine", 1)
    draft.change(with_used(add(new_row("a?", "Yes."), None), "a"), seen=0)
    used = draft.view().board.used
    assert [one.id for one in SeedProposals(workspace).waiting("mine", used)] == ["b"]
    draft.undo(seen=1)
    assert len(proposals.waiting("mine", draft.view().board.used)) == 2
    draft.redo(seen=2)
    drafts.save(draft, seen=3)
    assert drafts.carried("mine")[1] == {"a"}
    later = drafts.begin("mine", 2)
    later.change(with_used(add(new_row("b?", "Yes."), None), "b"), seen=0)
    later.end("discarded")
    assert drafts.carried("mine")[1] == {"a"}


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    def propose(who: int) -> None:
        proposals = SeedProposals(Workspace(tmp_path))
        for n in range(20):
            proposals.add("mine", [proposal(f"{who}-{n}")])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(propose, range(4)))
    waiting = SeedProposals(Workspace(tmp_path)).waiting("mine", ())
    assert {one.id for one in waiting} == {f"{who}-{n}" for who in range(4) for n in range(20)}


def test_of_two_windows_one_alone_settles_a_proposal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ISARA_DATABASE", raising=False)
    workspace = Workspace(tmp_path)
    workspace.database.save_seed_set("mine", [Example("Who?", "I.")])
    draft = SeedDrafts(workspace).begin("mine", 1)
    accepted = with_used(add(new_row("a?", "Yes."), None), "a")
    draft.change(accepted, seen=0, author="Ann")
    with pytest.raises(RunStateError, match="because Ann has accepted the same proposal"):
        draft.change(Change("Turn down a proposal", used=("a",)), seen=0)
    draft.undo(seen=1)
    draft.change(Change("Turn down a proposal", used=("a",)), seen=2)
    assert len(draft.view().board.rows) == 1

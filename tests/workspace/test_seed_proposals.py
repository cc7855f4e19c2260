"""Proposals wait until a draft settles them, and again when that is undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from isara.curation import add, new_row, with_used
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

"""Drafts of seed sets: on disk at once, undone without limit, worked on in several windows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest

from isara.curation import add, both_fine, delete, edit, new_row, tag
from isara.errors import InputError, IsaraError, RunStateError
from isara.examples import Example
from isara.workspace.runs import Workspace
from isara.workspace.seed_drafts import SeedDraft, SeedDrafts

PAIRS = [Example(f"Question {n}?", f"Answer {n}.") for n in (1, 2, 3)]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("ISARA_DATABASE", raising=False)
    made = Workspace(tmp_path)
    made.database.save_seed_set("my seeds", PAIRS, tags={PAIRS[0].id: ["first"]})
    return made


def rename(draft: SeedDraft, place: int, answer: str, author: str = "") -> None:
    """Change an answer, with the draft as it is now in sight."""
    view = draft.view()
    change = edit(view.board.rows[place], place + 1, answer=answer)
    draft.change(change, seen=view.n, author=author)


def answers(draft: SeedDraft) -> list[str]:
    return [row.answer for row in draft.view().board.rows]


def test_a_restart_finds_everything_undo_included(workspace: Workspace) -> None:
    draft = SeedDrafts(workspace).begin("my seeds", 1)
    for n in range(20):
        rename(draft, 0, f"Take {n}.", "Ann")
    again = SeedDrafts(workspace).open("my seeds")
    assert again is not None
    assert again is not draft
    view = again.view()
    assert (view.name, view.version, len(view.steps)) == ("my seeds", 1, 20)
    assert view.board.rows[0].tags == ("first",)
    assert view.steps[-1].author == "Ann"
    for n in reversed(range(19)):
        again.undo(seen=again.view().n)
        assert answers(again)[0] == f"Take {n}."
    again.undo(seen=again.view().n)
    assert answers(again) == ["Answer 1.", "Answer 2.", "Answer 3."]
    with pytest.raises(RunStateError, match="nothing left to undo"):
        again.undo(seen=again.view().n)
    again.redo(seen=again.view().n)
    assert answers(draft)[0] == "Take 0."  # the first window sees it as well


def test_a_change_after_an_undo_ends_the_redo(workspace: Workspace) -> None:
    draft = SeedDrafts(workspace).begin("my seeds", 1)
    rename(draft, 0, "A")
    draft.undo(seen=draft.view().n)
    assert draft.view().redo is not None
    rename(draft, 1, "B")
    assert draft.view().redo is None
    assert answers(draft) == ["Answer 1.", "B", "Answer 3."]


def test_the_later_of_two_windows_is_told(workspace: Workspace) -> None:
    mine = SeedDrafts(workspace).begin("my seeds", 1)
    theirs = SeedDrafts(workspace).begin("my seeds", 1)
    seen = theirs.view()
    rename(mine, 0, "Mine.", "Ann")
    with pytest.raises(RunStateError, match="because Ann changed"):
        theirs.change(edit(seen.board.rows[0], answer="Theirs."), seen=seen.n)
    theirs.change(edit(seen.board.rows[1], answer="Theirs."), seen=seen.n)  # another row
    assert answers(mine) == ["Mine.", "Theirs.", "Answer 3."]
    with pytest.raises(RunStateError, match="another window"):
        mine.undo(seen=1)
    mine.change(delete(mine.view().board.rows[:1]), seen=mine.view().n)
    with pytest.raises(RunStateError, match="removed the same row"):
        theirs.change(tag(seen.board.rows, add=["x"]), seen=seen.n)


def test_many_at_once_lose_nothing(workspace: Workspace) -> None:
    drafts = [SeedDrafts(workspace).begin("my seeds", 1) for _ in range(4)]

    def work(who: int) -> None:
        for n in range(25):
            draft = drafts[who]
            draft.change(add(new_row(f"{who} {n}", "x"), None), seen=draft.view().n)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    written = {row.question for row in drafts[0].view().board.rows[:-3]}
    assert written == {f"{who} {n}" for who in range(4) for n in range(25)}
    assert len(drafts[3].view().steps) == 100


def test_half_a_line_of_a_killed_writer_costs_that_line_alone(workspace: Workspace) -> None:
    draft = SeedDrafts(workspace).begin("my seeds", 1)
    rename(draft, 0, "A")
    with draft.path.open("ab") as file:
        file.write(b'{"change": {"title": "half')
    rename(draft, 1, "B")
    again = SeedDrafts(workspace).begin("my seeds", 1)
    assert answers(again) == answers(draft) == ["A", "B", "Answer 3."]


def test_save_ends_the_draft_and_keeps_tags_and_parent(workspace: Workspace) -> None:
    drafts = SeedDrafts(workspace)
    draft = drafts.begin("my seeds", 1)
    rename(draft, 2, "Better.")
    rows = draft.view().board.rows
    draft.change(tag(rows[2:], add=["mended"]), seen=draft.view().n)
    draft.change(both_fine(rows[0], rows[1]), seen=draft.view().n)
    workspace.database.save_seed_set("my seeds", PAIRS[:1])  # somebody else's version 2
    assert drafts.save(draft, seen=draft.view().n, author="Ann", note="mended") == 3
    saved = workspace.database.load_seed_set("my seeds")
    assert (saved.info.author, saved.info.note, saved.info.parent) == ("Ann", "mended", 1)
    assert saved.examples[2] == Example("Question 3?", "Better.")
    assert saved.tags == {PAIRS[0].id: ("first",), saved.examples[2].id: ("mended",)}
    assert workspace.database.load_seed_set("my seeds", 1).examples == tuple(PAIRS)
    assert drafts.open("my seeds") is None
    with pytest.raises(RunStateError, match="was saved in another window"):
        draft.change(delete(rows[:1]), seen=draft.view().n)
    # What was found fine is not asked again, in a later draft either.
    assert len(drafts.begin("my seeds", 3).view().board.fine) == 1


def test_bad_rows_are_all_named_and_nothing_is_saved(workspace: Workspace) -> None:
    drafts = SeedDrafts(workspace)
    draft = drafts.begin("my seeds", 1)
    rename(draft, 0, " ")
    draft.change(add(new_row("QUESTION 2?", "answer 2. "), None), seen=draft.view().n)
    with pytest.raises(InputError) as caught:
        drafts.save(draft, seen=draft.view().n)
    assert "row 2, column answer: found an empty text" in str(caught.value)
    assert "row 3: found Question 2?" in str(caught.value)
    assert len(workspace.database.seed_sets("my seeds")) == 1
    with pytest.raises(RunStateError, match="Nothing was saved"):
        drafts.save(draft, seen=1)


def test_a_discarded_draft_can_be_taken_up_again(workspace: Workspace) -> None:
    drafts = SeedDrafts(workspace)
    draft = drafts.begin("my seeds", 1)
    rename(draft, 0, "A")
    draft.end("discarded")
    assert drafts.open("my seeds") is None
    found = drafts.discarded("my seeds")
    assert found is draft
    found.end("reopened")
    assert drafts.begin("my seeds", 1) is draft
    assert answers(draft)[0] == "A"


def test_a_draft_that_others_changed_or_ended_is_not_discarded(workspace: Workspace) -> None:
    drafts = SeedDrafts(workspace)
    draft = drafts.begin("my seeds", 1)
    rename(draft, 0, "A")
    with pytest.raises(RunStateError, match="The discard was not done"):
        draft.discard(seen=0)
    drafts.save(draft, seen=1)
    with pytest.raises(RunStateError, match="was saved in another window"):
        draft.discard(seen=2)
    assert drafts.discarded("my seeds") is None


def test_a_discarded_draft_is_not_taken_up_beside_a_later_one(workspace: Workspace) -> None:
    drafts = SeedDrafts(workspace)
    draft = drafts.begin("my seeds", 1)
    rename(draft, 0, "A")
    draft.discard(seen=1)
    drafts.take_up(draft)
    with pytest.raises(RunStateError, match="taken up, in another window"):
        drafts.take_up(draft)
    draft.discard(seen=3)
    later = drafts.begin("my seeds", 1)
    with pytest.raises(RunStateError, match="a later one was begun"):
        drafts.take_up(draft)
    assert drafts.open("my seeds") is later


def test_a_full_disk_is_a_sentence_and_costs_that_change_alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    draft = SeedDrafts(workspace).begin("my seeds", 1)
    with monkeypatch.context() as patch, pytest.raises(IsaraError, match="the disk has room"):
        patch.setattr("isara.workspace.files.os.fsync", full)
        rename(draft, 0, "A")
    rename(draft, 1, "B")
    assert answers(draft)[1] == answers(SeedDrafts(workspace).begin("my seeds", 1))[1] == "B"


def test_a_draft_that_cannot_be_read_holds_up_nobody(workspace: Workspace) -> None:
    draft = SeedDrafts(workspace).begin("my seeds", 1)
    aside = draft.path.rename(draft.path.with_suffix(".away"))
    with pytest.raises(IsaraError, match="cannot be read or written"):
        draft.undo(seen=0)
    aside.rename(draft.path)
    other = Thread(target=rename, args=(draft, 0, "A"), daemon=True)  # as another session is
    other.start()
    other.join(5)
    assert not other.is_alive()
    assert answers(draft)[0] == "A"

"""Half-written edits: kept by person, never overwritten by another window, gone when dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from isara.workspace.database import Database, EditDraft

PLACE = ("r", 1, "1-00007")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "isara.db")


def keep(database: Database, draft: EditDraft | None, answer: str, who: str = "Ana") -> EditDraft:
    return database.keep_edit_draft(draft, *PLACE, who, "May I?", answer)


def answers(database: Database, who: str = "Ana") -> list[str]:
    return [draft.answer for draft in database.edit_drafts(*PLACE, who)]


def test_a_draft_is_changed_in_place_and_outlives_the_connection(
    database: Database, tmp_path: Path
) -> None:
    draft = keep(database, None, "Y")
    draft = keep(database, draft, "Yes")
    database.close()
    again = Database(tmp_path / "isara.db")
    (found,) = again.edit_drafts(*PLACE, "Ana")
    assert found == draft
    assert (found.texts, found.revision) == (("May I?", "Yes"), 2)


def test_people_and_pairs_have_drafts_of_their_own(database: Database) -> None:
    keep(database, None, "Yes")
    keep(database, None, "No", who="Bob")
    assert answers(database) == ["Yes"]
    assert answers(database, "Bob") == ["No"]
    for place in (("s", 1, "1-00007"), ("r", 2, "1-00007"), ("r", 1, "1-00008")):
        assert database.edit_drafts(*place, "Ana") == []


def test_two_windows_on_one_draft_keep_both_texts(database: Database) -> None:
    first = keep(database, None, "Yes")
    second = keep(database, first, "Yes, in winter")  # the other window took it up
    mine = keep(database, first, "Yes, in summer")
    assert mine.id != second.id
    assert answers(database) == ["Yes, in summer", "Yes, in winter"]
    assert not database.drop_edit_draft(first)  # it is another's by now
    assert database.drop_edit_draft(mine)
    assert answers(database) == ["Yes, in winter"]


def test_a_draft_that_was_dropped_elsewhere_is_written_anew(database: Database) -> None:
    draft = keep(database, None, "Yes")
    assert database.drop_edit_draft(draft)
    assert not database.drop_edit_draft(draft)
    again = keep(database, draft, "Yes, yes")
    assert again.id != draft.id
    assert answers(database) == ["Yes, yes"]

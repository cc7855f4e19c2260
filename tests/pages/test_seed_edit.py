"""The Edit tab of the Seed page: cells, split, merge, tags, undo, saving, two windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets import kept_values
from isara.errors import IsaraError
from isara.examples import Example
from isara.workspace.runs import Workspace
from tests.pages.conftest import clear_caches, place_of

Page = Callable[..., AppTest]
PAIRS = [
    Example("Is it cold? Is it wet?", "Only in winter. In spring it is.", "weather"),
    Example("Who is there?", "A friend.", "people"),
    Example("Who's there?", "A friend of mine.", "people"),
]


@pytest.fixture
def edit_tab(workspace: Workspace, page: Page) -> Callable[..., AppTest]:
    """Opens the Edit tab on a seed set of three rows, in a new session each time."""
    workspace.database.save_seed_set("mine", PAIRS, tags={PAIRS[1].id: ["door"]})

    def show(**address: str) -> AppTest:
        app = page("seed", seeds="mine", **address)
        app.session_state["seed_tab"] = "Edit"
        app.run()
        assert not app.exception
        return app

    return show


def write(app: AppTest, edits: dict[int, dict[str, Any]], then: str = "") -> AppTest:
    """Write into cells of the table, by their place in it, and click on a button with it."""
    key = app.session_state["seed_table"].key
    held = app.session_state[key]["edited_rows"] if key in app.session_state else {}
    app.session_state[key] = {
        "edited_rows": {**held, **{p: {**held.get(p, {}), **c} for p, c in edits.items()}},
        "added_rows": [],
        "deleted_rows": [],
    }
    press(app, then) if then else app.run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click().run()
    assert not app.exception
    return app


def tick(app: AppTest, places: Sequence[int]) -> AppTest:
    return write(app, {place: {"Pick": True} for place in places})


def shown(app: AppTest, column: str = "Question") -> list[Any]:
    return list(app.data_editor[0].value[column])


def answers(workspace: Workspace, version: int) -> list[str]:
    return [e.answer for e in workspace.database.load_seed_set("mine", version).examples]


def test_cells_are_kept_through_a_reload_and_undone(edit_tab: Callable[..., AppTest]) -> None:
    app = write(edit_tab(), {1: {"Answer": "A neighbour."}})
    write(app, {1: {"Tags": ["door", "new"]}, 2: {"Category": "doors"}})
    again = edit_tab()  # another session: a reload, or a second tab
    assert shown(again, "Answer")[1] == "A neighbour."
    assert list(shown(again, "Tags")[1]) == ["door", "new"]
    assert shown(again, "Category")[2] == "doors"
    assert any("2 changes, kept as you make them" in text.value for text in again.text)
    press(press(again, "Undo"), "Undo")
    assert shown(again, "Answer")[1] == "A friend."
    press(again, "Redo")
    assert shown(again, "Answer")[1] == "A neighbour."


def test_curate_and_save_a_version(edit_tab: Callable[..., AppTest], workspace: Workspace) -> None:
    app = tick(edit_tab(), [0])
    press(app, "Split")
    assert [area.value for area in app.text_area] == [
        *("Is it cold?", "Only in winter."),
        *("Is it wet?", "In spring it is."),
    ]
    app.text_area[3].set_value("In spring.")
    next(b for b in app.button if b.label == "Split" and b.key != "seed_do_split").click().run()
    assert shown(app)[:2] == ["Is it cold?", "Is it wet?"]
    press(tick(app, [2, 3]), "Merge")
    assert app.text_area[1].value == "A friend. A friend of mine."
    app.text_area[1].set_value("A friend of mine.")
    next(b for b in app.button if b.label == "Merge" and b.key != "seed_do_merge").click().run()
    press(tick(app, [2]), "Up")
    assert shown(app) == ["Is it cold?", "Who is there?", "Is it wet?"]
    app.text_input(key="reviewer").input("Ann").run()
    app.text_input(key="seed_save_note").input("clearer").run()
    press(app, "Save 3 rows as version 2")
    assert "Saved as mine, version 2, with 3 rows." in app.success[0].value
    saved = workspace.database.load_seed_set("mine", 2)
    assert (saved.info.author, saved.info.note) == ("Ann", "clearer")
    assert [e.answer for e in saved.examples] == [
        *("Only in winter.", "A friend of mine.", "In spring."),
    ]
    assert saved.tags == {saved.examples[1].id: ("door",)}
    assert answers(workspace, 1) == [pair.answer for pair in PAIRS]
    assert app.selectbox(key="version").value == 2


@pytest.mark.parametrize(
    ("button", "done"), [("Up", "moved"), ("Delete", "deleted"), ("Change the tags", "tagged")]
)
def test_a_tick_that_is_taken_away_with_the_click_is_refused(
    edit_tab: Callable[..., AppTest], button: str, done: str
) -> None:
    app = tick(edit_tab(), [1])
    write(app, {1: {"Pick": False}}, then=button)
    assert f"Nothing was {done}" in app.error[0].value
    assert "because no row is ticked" in app.error[0].value
    assert len(shown(app)) == 3
    assert not any("1 change" in text.value for text in app.text)


def test_all_problems_are_listed_and_saving_waits(edit_tab: Callable[..., AppTest]) -> None:
    app = write(
        edit_tab(), {0: {"Question": None}, 2: {"Question": "WHO is there?", "Answer": "a friend."}}
    )
    said = [text.value for text in app.text if text.value.startswith("•")]
    assert "row 1, column question: found an empty text" in said[0]
    assert "row 3" in said[1]
    assert "the same as row 2" in said[1]
    press(app, "Save 3 rows as version 2")
    assert "2 problems are left" in app.error[0].value
    app.toggle(key="seed_find_bad").set_value(True).run()
    assert shown(app, "Row") == [1, 3]
    write(app, {0: {"Question": "Is it cold?"}, 1: {"Answer": "A foe."}})
    press(app, "Save 3 rows as version 2")
    assert not app.error


def test_save_and_undo_stay_where_they_are(edit_tab: Callable[..., AppTest]) -> None:
    """A cell is left by the press on a button: the page is drawn anew while it is held."""
    app = edit_tab()
    keys = ("seed_save", "seed_undo", "seed_redo", "seed_do_merge", "seed_untick")
    before = [place_of(app, key) for key in keys]
    assert app.button(key="seed_undo").disabled
    for edits in ({1: {"Pick": True}}, {0: {"Question": None}}, {0: {"Question": "Is it cold?"}}):
        write(app, edits)
        assert [place_of(app, key) for key in keys] == before
    press(app, "Undo")
    assert [place_of(app, key) for key in keys] == before

    app.toggle(key="seed_find_bad").set_value(True).run()
    assert shown(app, "Row") == [1]
    before = [place_of(app, key) for key in keys]
    write(app, {0: {"Question": "Is it cold?"}})  # the last one with a problem
    assert [place_of(app, key) for key in keys] == before
    assert len(shown(app)) == 1
    press(app, "Save 3 rows as version 2")
    assert "No row is like this" in app.info[0].value


def test_what_comes_with_the_click_counts(
    edit_tab: Callable[..., AppTest], workspace: Workspace
) -> None:
    """A cell, a tick and the fields may be left by the click on the button."""
    app = press(edit_tab(), "Save 3 rows as version 2")
    assert "nothing is changed" in app.error[0].value
    write(app, {1: {"Answer": "Mine."}}, then="Save 3 rows as version 2")
    assert answers(workspace, 2)[1] == "Mine."

    write(app, {0: {"Pick": True}})
    write(app, {2: {"Pick": True, "Answer": "Not me."}}, then="Delete")
    assert shown(app) == ["Who is there?"]
    app.text_input(key="seed_save_name_mine").set_value("yours")
    app.text_input(key="seed_save_note").set_value("shorter")
    app.text_input(key="reviewer").set_value("Ann")
    press(app, "Save 1 row as version 3")
    saved = workspace.database.load_seed_set("yours", 1)
    assert (saved.info.note, saved.info.author, saved.info.size) == ("shorter", "Ann", 1)


def test_rows_are_added_tagged_found_and_deleted(edit_tab: Callable[..., AppTest]) -> None:
    app = press(edit_tab(), "Add a row")
    before = place_of(app, "seed_form_done")
    app.text_area[0].set_value("New?").run()
    assert place_of(app, "seed_form_done") == before
    app.text_area[1].set_value("Yes.")
    press(app, "Add")
    assert shown(app)[3] == "New?"
    tick(app, [0, 3])
    app.multiselect(key="seed_tags_add").options.append("mine")
    app.multiselect(key="seed_tags_add").set_value(["mine"])
    press(app, "Change the tags")
    app.multiselect(key="seed_find_tags").set_value(["mine"]).run()
    assert shown(app, "Row") == [1, 4]
    press(app, "Delete")
    assert shown(app) == ["Who is there?", "Who's there?"]


def test_two_windows_do_not_overwrite_each_other(edit_tab: Callable[..., AppTest]) -> None:
    mine, theirs = edit_tab(), edit_tab()
    write(mine, {1: {"Answer": "Mine."}})
    write(theirs, {1: {"Answer": "Theirs."}})
    assert "in another window" in theirs.error[0].value
    assert "Theirs" in theirs.error[0].value
    assert shown(theirs, "Answer")[1] == "Mine."
    write(theirs, {0: {"Answer": "Theirs."}})
    assert shown(mine.run(), "Answer")[:2] == ["Theirs.", "Mine."]


def test_a_discarded_draft_comes_back(edit_tab: Callable[..., AppTest]) -> None:
    app = press(write(edit_tab(), {1: {"Answer": "Mine."}}), "Discard the draft")
    assert shown(app, "Answer")[1] == "A friend."
    press(app, "Take it up again")
    assert shown(app, "Answer")[1] == "Mine."


def test_the_table_is_paged(workspace: Workspace, page: Page) -> None:
    workspace.database.save_seed_set("many", [Example(f"Is it {n}?", "Yes.") for n in range(200)])
    app = page("seed", seeds="many")
    app.session_state["seed_tab"] = "Edit"
    app.run()
    assert len(shown(app)) == 50
    app.text_input(key="seed_find").input("Is it 19").run()
    assert shown(app, "Row") == [20, *range(191, 201)]


def test_a_form_does_not_overwrite_what_was_changed_after_it_was_opened(
    edit_tab: Callable[..., AppTest],
) -> None:
    mine, theirs = press(tick(edit_tab(), [1]), "Open"), edit_tab()
    write(theirs, {1: {"Answer": "Theirs."}})
    mine.text_input(key="seed_find").input("there").run()  # the page is drawn anew, the form stays
    mine.text_area[1].set_value("Mine.")
    press(mine, "Change")
    assert "after this form was opened" in mine.error[0].value
    assert "Mine" in mine.error[0].value
    assert shown(mine, "Answer")[0] == "Theirs."
    assert mine.text_area[1].value == "Mine."  # nothing is lost: pressed again it counts
    press(mine, "Change")
    assert shown(mine, "Answer")[0] == "Mine."


# ------------------------------------------------------------------ what is typed into a form


def form_files(workspace: Workspace) -> list[Path]:
    return list(workspace.root.glob("seed-drafts/*/form-*.json"))


def half_split(app: AppTest) -> AppTest:
    """The form that splits row 1, with a text in its last field that was not sent off."""
    press(tick(app, [0]), "Split")
    app.text_area[3].set_value("In spring, mostly.").run()
    return app


def texts(app: AppTest) -> list[str | None]:
    return [area.value for area in app.text_area]


def finish(app: AppTest) -> AppTest:
    app.button(key="seed_form_done").click().run()
    assert not app.exception
    return app


def test_a_half_written_form_survives_a_reload_and_a_restart(
    edit_tab: Callable[..., AppTest], workspace: Workspace
) -> None:
    app = half_split(edit_tab())
    clear_caches()  # another server
    again = edit_tab(**app.query_params)
    assert texts(again) == texts(app)
    assert texts(again)[3] == "In spring, mostly."
    assert "Split row 1 into two" in [one.value for one in again.subheader]
    assert shown(finish(again), "Answer")[:2] == ["Only in winter.", "In spring, mostly."]
    assert not form_files(workspace)
    assert "form" not in again.query_params
    assert not edit_tab(**app.query_params).text_area  # the old address opens none


def test_a_half_written_form_survives_another_page_tab_and_seed_set(
    edit_tab: Callable[..., AppTest], workspace: Workspace
) -> None:
    workspace.database.save_seed_set("yours", PAIRS)
    app = half_split(edit_tab())
    before = texts(app)
    app.switch_page("../pages/help.py").run()
    app.switch_page("../pages/seed.py").run()
    assert texts(app) == before
    for elsewhere, back in (("Versions", "Edit"), ("Saved seed sets", "Edit")):
        app.session_state["seed_tab"] = elsewhere
        app.run()
        app.session_state["seed_tab"] = back
        app.run()
        assert texts(app) == before
    app.selectbox(key="seeds").select("yours").run()
    assert not app.text_area
    app.selectbox(key="seeds").select("mine").run()
    assert texts(app) == before
    press(app, "Cancel")
    assert not app.text_area
    assert not form_files(workspace)


@pytest.mark.parametrize("end", ["seed_form_cancel", "seed_form_done"])
def test_a_form_closes_although_its_file_cannot_be_deleted(
    edit_tab: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    app = half_split(edit_tab())

    def refused(*_: Any) -> None:
        raise IsaraError("seed-drafts cannot be read or written: the disk is full.")

    monkeypatch.setattr(kept_values, "forget", refused)
    app.button(key=end).click().run()
    assert not app.exception
    assert not app.text_area
    assert "the disk is full" in app.error[0].value


def test_two_windows_at_one_address_keep_a_form_each(
    edit_tab: Callable[..., AppTest], workspace: Workspace
) -> None:
    mine = half_split(edit_tab())
    theirs = edit_tab(**mine.query_params)
    theirs.text_area[3].set_value("Never.").run()
    mine.text_area[3].set_value("Always.").run()
    assert len(form_files(workspace)) == 2
    assert mine.query_params["form"] != theirs.query_params["form"]
    assert texts(edit_tab(**theirs.query_params))[3] == "Never."
    assert texts(edit_tab(**mine.query_params))[3] == "Always."
    press(theirs, "Cancel")
    assert texts(edit_tab(**mine.query_params))[3] == "Always."


def test_another_form_does_not_take_the_place_of_one_with_text(
    edit_tab: Callable[..., AppTest],
) -> None:
    app = half_split(edit_tab())
    press(app, "Add a row")
    assert "holds text that is not in the seed set yet" in app.error[0].value
    assert texts(app)[3] == "In spring, mostly."
    press(press(app, "Cancel"), "Add a row")
    press(app, "Open")  # nothing was typed into that one
    assert "Row 1" in [one.value for one in app.subheader]


def test_a_form_whose_row_is_gone_shows_what_was_typed(
    edit_tab: Callable[..., AppTest], workspace: Workspace
) -> None:
    app = half_split(edit_tab())
    press(app, "Delete")
    assert any("In spring, mostly." in text.value for text in app.text)
    press(app, "Undo")
    assert texts(app)[3] == "In spring, mostly."
    write(app, {2: {"Answer": "A foe."}})
    press(app, "Save 3 rows as version 2")  # keys of rows belong to a version
    assert workspace.database.seed_sets("mine")[0].version == 2
    assert shown(finish(app), "Answer")[:2] == ["Only in winter.", "In spring, mostly."]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "split", "keys": ["1"]}'])
def test_a_broken_file_of_a_form_opens_none(
    edit_tab: Callable[..., AppTest], workspace: Workspace, text: str
) -> None:
    app = half_split(edit_tab())
    (file,) = form_files(workspace)
    file.write_text(text, encoding="utf-8")
    assert not edit_tab(**app.query_params).text_area

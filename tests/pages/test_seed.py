"""The Seed page: saved sets, upload, mending, saving; and the draft behind it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.seed_draft import DELETE, Draft
from app.widgets.seed_statistics import statistics
from isara.examples import Example
from isara.workspace.runs import Workspace
from tests.pages.conftest import place_of

Page = Callable[..., AppTest]

# Row 2 has no answer, row 3 is row 1 again, row 5 is no JSON.
BAD = """\
{"question": "Is it cold outside?", "answer": "Only in winter."}
{"question": "Is it *warm* inside?", "answer": ""}
{"question": "IS IT COLD OUTSIDE?", "answer": "Only in winter."}
{"question": "Who is there?", "answer": "A friend."}
{"question": "Broken", "answer":
"""


def own_file(page: Page, name: str, data: str | bytes) -> AppTest:
    """The page after an upload."""
    app = page("seed")
    app.session_state["seed_tab"] = "Bring your own file"
    app.run()
    content = data.encode() if isinstance(data, str) else data
    app.file_uploader[0].set_value((name, content, "text/plain")).run()
    assert not app.exception
    return app


def mend(app: AppTest, edits: dict[int, dict[str, Any]]) -> AppTest:
    """Write into cells of the table of problems, by their place in it, and check again."""
    app.session_state[app.session_state["seed_mend_base"][0]] = {
        "edited_rows": edits,
        "added_rows": [],
        "deleted_rows": [],
    }
    return app.run()


def metric(app: AppTest, label: str) -> str:
    return next(str(m.value) for m in app.metric if m.label == label)


@pytest.mark.usefixtures("workspace")
def test_empty_workspace_has_the_demo_seeds(page: Page) -> None:
    app = page("seed")
    assert not app.exception
    assert app.selectbox(key="seeds").value == "demo safety"
    assert app.selectbox(key="version").value == 1
    assert metric(app, "Examples") == "64"
    assert len(app.dataframe[-1].value) == 50  # the first page of the preview
    app.button(key="close_hint_seed").click().run()
    assert not any(b.key == "close_hint_seed" for b in app.button)


@pytest.mark.usefixtures("one_run")
def test_with_a_run(page: Page) -> None:
    assert not page("seed").exception


def test_good_file_is_saved_as_a_version(page: Page, workspace: Workspace) -> None:
    app = own_file(page, "my seeds.csv", "question,answer\nWho is *there*?,A friend.\n")
    assert "Nothing to mend" in app.success[0].value
    assert any("1 good row;" in text.value for text in app.text)  # the note on the size
    app.text_input(key="seed_name").set_value("")
    app.button(key="seed_upload_save").click().run()  # in one with the name
    assert "has no name" in app.error[-1].value
    app.text_input(key="seed_name").set_value("my seeds")
    app.text_input(key="seed_note").set_value("all of them")
    app.text_input(key="reviewer").set_value("Ann")
    app.button(key="seed_upload_save").click().run()
    assert not app.exception
    assert "Saved as my seeds, version 1, with 1 example." in app.success[-1].value
    assert workspace.database.load_seed_set("my seeds").examples == (
        Example("Who is *there*?", "A friend."),
    )
    info = workspace.database.load_seed_set("my seeds").info
    assert (info.note, info.author) == ("all of them", "Ann")
    app.button(key="seed_upload_save").click().run()
    assert "saved already" in app.error[-1].value
    before = place_of(app, "seed_upload_save")
    app.text_input(key="seed_name").set_value("again").run()
    assert place_of(app, "seed_upload_save") == before
    app.button(key="seed_upload_save").click().run()
    assert [info.name for info in workspace.database.seed_sets()].count("my seeds") == 1
    assert workspace.database.load_seed_set("again").info.version == 1
    app.session_state["seed_tab"] = "Saved seed sets"
    app.run()
    assert app.selectbox(key="seeds").value == "again"
    assert metric(app, "Examples") == "1"


def test_all_problems_are_in_one_table(page: Page, workspace: Workspace) -> None:
    app = own_file(page, "bad.jsonl", BAD)
    table = app.data_editor[0].value
    assert list(table["Row"]) == ["2 (line 2)", "3 (line 3)", "5 (line 5)"]
    assert "expected text that is not empty" in table["Problem"][0]
    assert "the same as row 1" in table["Problem"][1]
    assert "JSON" in table["Problem"][2]
    assert list(table["question"]) == [
        "Is it *warm* inside?",
        "IS IT COLD OUTSIDE?",
        '{"question": "Broken", "answer":',
    ]
    assert metric(app, "Examples") == "2"
    before = place_of(app, "seed_check_again")
    mend(app, {0: {"answer": "Always."}, 1: {DELETE: True}})
    assert place_of(app, "seed_check_again") == before  # the cell may be left by the press on it
    assert any("2 rows changed" in caption.value for caption in app.caption)
    next(b for b in app.button if b.label == "Check again").click().run()
    assert not app.exception
    # The row that nobody touched still says what is wrong with its JSON.
    assert list(app.data_editor[0].value["Row"]) == ["5 (line 5)"]
    assert "JSON" in app.data_editor[0].value["Problem"][0]
    assert metric(app, "Examples") == "3"
    next(b for b in app.button if b.label == "Save 3 good rows as version 1").click().run()
    saved = workspace.database.load_seed_set("bad").examples
    assert [e.answer for e in saved] == ["Only in winter.", "Always.", "A friend."]


@pytest.mark.usefixtures("workspace")
def test_changes_stay_when_another_page_is_looked_at(page: Page) -> None:
    app = own_file(page, "bad.jsonl", BAD)
    mend(app, {0: {"answer": "Always."}})
    app.switch_page("../pages/neighbours.py").run()
    app.switch_page("../pages/seed.py").run()
    assert app.data_editor[0].value["answer"][0] == "Always."
    next(b for b in app.button if b.label == "Check again").click().run()
    assert metric(app, "Examples") == "3"
    next(b for b in app.button if b.label == "Undo all changes").click().run()
    assert metric(app, "Examples") == "2"
    next(b for b in app.button if b.label == "Discard this file").click().run()
    assert not app.metric


def test_a_reload_finds_the_draft_again(page: Page, workspace: Workspace) -> None:
    app = own_file(page, "bad.jsonl", BAD)
    mend(app, {0: {"answer": "Always."}})
    next(b for b in app.button if b.label == "Check again").click().run()
    mend(app, {0: {"answer": "Never."}})
    # A new session at the same address; the browser puts the tab into it, AppTest does not.
    reloaded = page("seed", seed_tab="Bring your own file", **app.query_params)
    assert not reloaded.exception
    assert metric(reloaded, "Examples") == "3"
    assert reloaded.data_editor[0].value["answer"][0] == "Never."
    assert reloaded.text_input(key="seed_name").value == "bad"
    next(b for b in reloaded.button if b.label == "Discard this file").click().run()
    assert not reloaded.data_editor
    said = [caption.value for caption in reloaded.caption if "put away" in caption.value]
    assert [words.startswith("bad\\.jsonl, with 2 changed rows, was") for words in said] == [True]
    later = page("seed", **reloaded.query_params)
    assert not later.data_editor
    next(b for b in later.button if b.label == "Take it up again").click().run()
    assert later.data_editor[0].value["answer"][0] == "Never."
    assert "Take it up again" not in [button.label for button in later.button]
    upload = later.file_uploader[0].set_value(("other.jsonl", BAD.encode(), "text/plain")).run()
    assert upload.data_editor[0].value["answer"][0] != "Never."  # another file took its place
    next(b for b in upload.button if b.label == "Take it up again").click().run()
    assert upload.data_editor[0].value["answer"][0] == "Never."


def test_two_tabs_mend_the_same_file(page: Page, workspace: Workspace) -> None:
    mine = own_file(page, "bad.jsonl", BAD)
    address = {"seed_tab": "Bring your own file", **mine.query_params}
    theirs = page("seed", **address)
    mend(mine, {0: {"answer": "Always."}})
    mend(theirs, {1: {DELETE: True}})
    for app in (theirs, page("seed", **address)):
        assert app.data_editor[0].value["answer"][0] == "Always."
        assert bool(app.data_editor[0].value[DELETE][1])

    next(b for b in theirs.button if b.label == "Discard this file").click().run()
    mend(mine, {2: {DELETE: True}})  # goes on: the file is kept again with it
    again = page("seed", **address)
    assert not again.exception
    assert list(again.data_editor[0].value[DELETE])[2]


@pytest.mark.usefixtures("workspace")
def test_columns_are_asked_for(page: Page) -> None:
    app = own_file(page, "other.csv", "Ask,Best Answer,Kind\nWho is there?,A friend.,people\n")
    assert list(app.data_editor[0].value["Row"]) == ["file", "file"]
    assert not app.metric
    for name, column in (("Question", "Ask"), ("Answer", "Best Answer"), ("Category", "Kind")):
        next(b for b in app.selectbox if b.label == name).select(column)
    next(b for b in app.button if b.label == "Use these columns").click().run()
    assert not app.exception
    assert metric(app, "Examples") == "1"
    assert metric(app, "Categories") == "1"


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.csv", b"", "an empty file"),
        ("a.json", b'{"question":', "a JSON list"),
        ("a.jsonl", b'{"question": "a", "answer": 5}', "expected text"),
        ("a.parquet", b"PAR1nothing", "a Parquet file"),
        ("a.csv", b'question,answer\n"a,b\n', "closing quote"),
        ("a.tsv", b"question\tanswer\n\xff\tb\n", "encoded as UTF-8"),
        ("a.csv", b"question\na\n", "a column answer"),
        ("a.csv", b"question,answer\n", "at least one row"),
    ],
)
def test_every_kind_of_problem_is_a_row(page: Page, name: str, data: bytes, expected: str) -> None:
    app = own_file(page, name, data)
    assert expected in " ".join(app.data_editor[0].value["Problem"])


@pytest.mark.usefixtures("workspace")
def test_what_is_wrong_with_the_whole_file_is_told_in_full(page: Page) -> None:
    app = own_file(page, "a.csv", random.Random(3).randbytes(4000))
    (error,) = app.error
    assert "a binary file or text in another encoding" in error.value
    assert "Save it again in the format that its ending says" in error.value


@pytest.mark.usefixtures("workspace")
def test_large_file_with_many_problems(page: Page) -> None:
    rows = [{"question": f"Who is number {i}?", "answer": "x" * (i % 2)} for i in range(100_000)]
    app = own_file(page, "large.jsonl", "\n".join(map(json.dumps, rows)))
    assert metric(app, "Examples") == "50,000"
    assert len(app.data_editor[0].value) == 25
    mend(app, {0: {"answer": "A friend."}})
    next(b for b in app.button if b.label == "Check again").click().run()
    assert metric(app, "Examples") == "50,001"


@pytest.mark.usefixtures("workspace")
def test_unknown_model_of_the_length_check(page: Page) -> None:
    app = own_file(page, "a.jsonl", '{"question": "a b c", "answer": "d"}')
    box = app.selectbox(key="seed_model")
    box.options.append("./nowhere")  # typed by the reader; AppTest only knows what is offered
    box.set_value("./nowhere").run()
    assert "There is no model folder" in app.error[0].value
    assert not app.exception


def test_lengths_are_checked_for_a_model(
    page: Page, workspace: Workspace, model_folder: Path
) -> None:
    rows = [{"question": "Who?", "answer": "I" * n} for n in (506, 507)]
    app = own_file(page, "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert metric(app, "Examples") == "2"
    box = app.selectbox(key="seed_model")
    box.options.append(str(model_folder))
    box.set_value(str(model_folder)).run()
    # A token per byte and one for the beginning: 1 + 4 + 1 + 507 is one more than the context.
    assert metric(app, "Examples") == "1"
    assert "513 tokens" in app.data_editor[0].value["Problem"][0]
    assert "at most 512 tokens" in app.data_editor[0].value["Problem"][0]


class Words:
    """Stands in for a model's tokenizer: a token is a word."""

    model, context = "words", 6

    @staticmethod
    def count(text: str) -> int:
        return len(text.split())


def test_draft_checks_lengths_again() -> None:
    data = "question,answer,more\nWho is there?,A friend of mine.,x\nWho?,I am.,y\n"
    draft = Draft("a.csv", data.encode())
    assert draft.good_rows == [1, 2]
    draft.limit(Words())  # type: ignore[arg-type]
    assert draft.good_rows == [2]
    draft.change(1, "answer", "A friend.")
    draft.recheck()
    assert draft.good_rows == [1, 2]
    assert "Columns that are not used: more." in draft.check.notes


def test_draft_keeps_a_row_with_lost_letters_bad_until_it_is_mended() -> None:
    rows = '{"question": "Who \\ud800?", "answer": "I."}\n{"question": "Why?", "answer": ""}'
    draft = Draft("a.jsonl", rows.encode())
    draft.change(2, "answer", "So.")
    draft.recheck()
    assert list(draft.row_problems) == [1]
    draft.change(1, "question", "Who?")
    draft.recheck()
    assert draft.check.ok
    assert draft.good_rows == [1, 2]


def test_statistics() -> None:
    figures = statistics(
        [
            Example("Who is at the door now?", "A friend.", "people"),
            Example("What time is it?", "Noon, or a bit later.", "time"),
            Example("Who is at the door today?", "Nobody.", "people"),
        ]
    )
    assert figures.question_words == [6, 4, 6]
    assert figures.answer_words == [2, 5, 1]
    assert figures.categories == [("people", 2), ("time", 1)]
    # Five of six words in common: F1 = 5/6.
    assert figures.near == [(0, 2, pytest.approx(5 / 6))]

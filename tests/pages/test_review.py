"""Review on the Samples page: cards, decisions, queues, several reviewers, a run that waits."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import state
from app.widgets.samples_data import load_iteration
from isara.config import PROJECT_ROOT
from isara.errors import IsaraError
from isara.methods.reviewing import review_done
from isara.report import run_config
from isara.review import REASONS, distance_to_cut
from isara.workspace.database import Database
from isara.workspace.runs import RunFolder, Workspace
from tests.pages.conftest import place_of

Page = Callable[..., AppTest]


def reviewing(page: Page, run: RunFolder, /, **address: str) -> AppTest:
    """The card that this address leads to."""
    app = page("results")
    app.query_params.update({"mode": "Review", "run": run.run_id, "k": "1", "reviewer": "Ana"})
    app.query_params.update(address)
    return app.switch_page("../pages/samples.py").run()


def shown(app: AppTest) -> str:
    """The candidate id in the address."""
    assert not app.exception
    return str(app.query_params.get("card"))


def press(app: AppTest, what: str) -> AppTest:
    """The button of this name on the card that is shown."""
    return app.button(key=f"review_{what}").click().run()


@pytest.fixture
def database(workspace: Workspace, one_run: RunFolder) -> Database:
    return workspace.database


def stored(database: Database, run: RunFolder, reviewer: str = "Ana") -> dict[str, str]:
    found = database.decisions(run.run_id, 1, reviewer)
    return {name: " ".join(filter(None, [d.action, d.reason])) for name, d in found.items()}


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.text, *app.caption])


@pytest.mark.usefixtures("workspace")
def test_without_a_run_or_a_name_it_says_what_is_missing(page: Page) -> None:
    app = page("results")
    app.query_params.update({"mode": "Review"})
    app = app.switch_page("../pages/samples.py").run()
    assert not app.exception
    assert "no run yet" in app.info[0].value


def test_a_name_is_asked_first(one_run: RunFolder, page: Page) -> None:
    app = reviewing(page, one_run, reviewer="")
    assert "Type your name" in app.info[0].value
    app.text_input(key="reviewer").set_value("Ana").run()
    assert shown(app) == "1-00000"


def test_a_name_that_comes_with_the_click_counts(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    app = reviewing(page, one_run)
    for i, key in enumerate(["accept", "skip", "reason_2"]):
        app.text_input(key="reviewer").set_value("Bob" if i % 2 == 0 else "Cy")
        press(app, key)
    assert stored(database, one_run) == {}
    assert stored(database, one_run, "Cy") == {"1-00001": "skip"}
    found = {"1-00000": "accept", "1-00002": f"reject {REASONS[1]}"}
    assert stored(database, one_run, "Bob") == found

    app.text_input(key="reviewer").set_value("Cy")
    press(app, "undo")
    assert stored(database, one_run, "Cy") == {}
    assert stored(database, one_run, "Bob") == found
    app.text_input(key="reviewer").set_value("")
    press(app, "accept")
    assert "Type your name" in app.info[0].value
    assert stored(database, one_run, "Cy") == {}


def test_every_key_is_stored_before_the_next_card(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    app = reviewing(page, one_run)
    for i, key in enumerate(["accept", "reject", "skip", "flag", "reason_2"]):
        assert shown(app) == f"1-0000{i}"
        press(app, key)
    assert stored(database, one_run) == {
        "1-00000": "accept",
        "1-00001": "reject",
        "1-00002": "skip",
        "1-00003": "flag",
        "1-00004": f"reject {REASONS[1]}",
    }
    press(app, "back")
    assert shown(app) == "1-00004"
    assert "Ana: rejected (wrong or made-up facts)" in texts(app)
    press(app, "next")
    assert shown(app) == "1-00005"
    for i in (4, 3, 2, 1, 0):  # each undo comes back to its card
        press(app, "undo")
        assert shown(app) == f"1-0000{i}"
    assert stored(database, one_run) == {}
    press(app, "undo")
    assert app.toast[0].value == "There is nothing left to undo."


def test_a_key_that_was_pressed_on_another_card_does_nothing(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    app = reviewing(page, one_run)
    press(app, "accept")
    app.query_params["card"] = "1-00000"  # what a slow browser still shows
    for key in ("reject", "undo", "reason_1"):
        press(app, key)
        app.query_params["card"] = "1-00000"
    assert stored(database, one_run) == {"1-00000": "accept"}


def test_two_keys_at_once_are_one_decision(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    app = reviewing(page, one_run)
    app.button(key="review_accept").click()
    app.button(key="review_reject").click().run()
    assert len(database.history(one_run.run_id)) == 1
    assert shown(app) == "1-00001"


def test_an_answer_that_the_judge_flags_is_opened_by_a_key_and_not_accepted_unread(
    judged: RunFolder, database: Database, page: Page
) -> None:
    answers = pd.read_parquet(judged.iteration(1).candidates)["answer"]
    app = reviewing(page, judged, card="1-00000")
    assert answers[0] in texts(app)
    app = reviewing(page, judged, card="1-00001")
    assert shown(app) == "1-00001"
    assert answers[1] not in texts(app)
    press(app, "accept")
    assert "open it first" in app.error[0].value
    assert shown(app) == "1-00001"
    assert stored(database, judged) == {}
    app.button(key=f"fold_open {judged.run_id} 1-00001").click().run()
    assert answers[1] in texts(app)
    press(app, "accept")
    assert stored(database, judged) == {"1-00001": "accept"}

    again = reviewing(page, judged, card="1-00001", show="all pairs", reviewer="Bob")
    press(again, "reject")  # needs no reading
    assert stored(database, judged, "Bob") == {"1-00001": "reject"}
    press(again, "back")
    again.session_state["fold_harmful"] = False  # all answers are shown
    press(again.run(), "accept")
    assert stored(database, judged, "Bob") == {"1-00001": "accept"}


def test_an_edit_keeps_the_model_s_text(database: Database, one_run: RunFolder, page: Page) -> None:
    app = reviewing(page, one_run)
    press(app, "edit")
    before = app.text_area[1].value
    place = place_of(app, "review_save")
    assert "caption" not in place[place.index("text_area") :]  # it grows with what is typed
    app.button(key="review_save").click().run()
    assert "Nothing was changed" in app.error[0].value
    app.text_area[0].set_value("May I?")
    app.button(key="review_save").click().run()
    assert shown(app) == "1-00001"
    press(app, "back")
    assert "May I?" in texts(app)
    assert before in texts(app)
    edit = database.decisions(one_run.run_id, 1)["1-00000"]
    assert (edit.action, edit.question, edit.answer) == ("edit", "May I?", before)
    press(app, "edit")
    assert app.text_area[0].value == "May I?"  # one's own edit is gone on with
    app.button(key="review_cancel").click().run()
    assert not app.text_area


def test_a_reload_comes_back_to_the_card_and_its_queue(one_run: RunFolder, page: Page) -> None:
    app = reviewing(page, one_run, order="in random order", show="kept by the rules")
    press(app, "accept")
    address = {name: str(value) for name, value in app.query_params.items()}
    again = reviewing(page, one_run, **address)
    assert shown(again) == shown(app)
    app, again = press(app, "accept"), press(again, "next")
    assert shown(app) == shown(again)


def test_without_auto_advance_the_card_stays(one_run: RunFolder, page: Page) -> None:
    app = press(reviewing(page, one_run, advance="false"), "accept")
    assert shown(app) == "1-00000"
    assert "Ana: accepted" in texts(app)
    assert shown(press(app, "next")) == "1-00001"


def test_who_decides_on_what_another_decided_meanwhile_is_told(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    app = reviewing(page, one_run)
    database.record_decision(one_run.run_id, 1, "1-00000", "Bob", "reject", seen=0)
    press(app, "accept")
    assert "Bob rejected it at" in app.warning[0].value
    assert "Yours \\(accepted\\) is the later one and counts" in app.warning[0].value
    assert "queue of disagreements" in app.warning[0].value
    assert database.decisions(one_run.run_id, 1)["1-00000"].reviewer == "Ana"
    assert len(database.history(one_run.run_id, "1-00000")) == 2

    app = reviewing(page, one_run, show="disagreements", reviewer="Bob")
    assert shown(app) == "1-00000"
    press(app, "reject")  # having seen Ana's: settled
    assert app.success[0].value.startswith("There is nothing")


def test_with_an_overlap_others_are_hidden_until_one_has_decided(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    record = database.record_decision
    record(one_run.run_id, 1, "1-00000", "Bob", "reject")
    record(one_run.run_id, 1, "1-00001", "Bob", "reject")
    record(one_run.run_id, 1, "1-00001", "Cy", "accept")
    app = reviewing(page, one_run, overlap="2", advance="false")
    assert "Bob" not in texts(app)
    press(app, "accept")
    assert not app.warning  # it was decided before the card was shown
    assert "Bob: rejected" in texts(app)
    assert shown(press(app, "next")) == "1-00002"  # the pair between has its two rulings


def test_listed_reviewers_share_the_pairs(one_run: RunFolder, page: Page) -> None:
    progress = []
    for who in ("Ana", "Bob", "Dan"):
        app = reviewing(page, one_run, reviewers="Ana, Bob", reviewer=who)
        bars = app.get("progress")
        progress.append(int(bars[0].proto.text.split(" of ")[1].split()[0]))
    assert progress[0] + progress[1] == 80
    assert min(progress[:2]) > 20
    assert progress[2] == 0
    assert "You are not among those" in app.info[0].value


def test_who_shares_no_pairs_settles_disagreements_and_sees_flagged_pairs(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    for who, action in (("Ana", "accept"), ("Bob", "reject")):
        database.record_decision(one_run.run_id, 1, "1-00004", who, action)
    database.record_decision(one_run.run_id, 1, "1-00006", "Ana", "flag")
    address = {"reviewers": "Ana, Bob", "reviewer": "Dan"}
    app = reviewing(page, one_run, **address, show="disagreements")
    assert shown(app) == "1-00004"
    press(app, "accept")
    assert "There is nothing (more) to decide" in app.success[0].value
    assert not app.info
    app = reviewing(page, one_run, **address, show="flagged pairs")
    assert shown(app) == "1-00006"
    app = reviewing(page, one_run, **address, show="kept by the rules")
    assert "You are not among those" in app.info[0].value


def test_a_key_that_comes_with_other_settings_says_that_nothing_was_decided(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    app = reviewing(page, one_run)
    app.text_input(key="reviewers").set_value("Ana, Bob")
    press(app, "accept")
    assert "the settings were changed just before that key" in app.error[0].value
    assert stored(database, one_run) == {}
    press(app, "accept")
    assert not app.error
    assert len(stored(database, one_run)) == 1


def test_reviewers_and_their_agreement(database: Database, one_run: RunFolder, page: Page) -> None:
    for i in range(4):
        for who in ("Ana", "Bob"):
            action = "accept" if i < 2 else "reject"
            database.record_decision(one_run.run_id, 1, f"1-0000{i}", who, action)
    app = reviewing(page, one_run)
    app.toggle(key="review_people").set_value(True).run()
    assert app.dataframe[0].value["Rejected"].tolist() == [2, 2]
    assert "alpha 1.00, over 4 pairs" in texts(app)


def test_the_pairs_nearest_to_the_cut_first(one_run: RunFolder, page: Page) -> None:
    data = load_iteration(one_run, 1)
    away = distance_to_cut(data.packed, data.result, data.config.filters)
    app, passed = reviewing(page, one_run, order="nearest to the cut first"), []
    for _ in range(6):
        passed.append(away[data.positions[shown(app)]])
        press(app, "next")
    assert passed == sorted(passed)
    assert passed[0] == away.min()


def test_similar_pairs_together(
    one_run: RunFolder, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_length(vectors: Any) -> Any:
        return np.argsort(vectors[:, 0], kind="stable")

    questions = load_iteration(one_run, 1).candidates["question"]
    lengths = SimpleNamespace(embed=lambda texts: np.array([[len(text)] for text in texts]))
    monkeypatch.setattr(state, "embedder", lambda name: lengths)
    monkeypatch.setattr("app.widgets.review_queue.by_cluster", by_length)
    app = reviewing(page, one_run, order="similar ones together")
    for place in questions.str.len().sort_values(kind="stable").index[:3]:
        assert shown(app) == f"1-{place:05d}"
        press(app, "next")


class LengthJudge:
    """The longer an answer, the more harmful; 0.5, which is the threshold, at 50 characters."""

    name = "length"

    def probabilities(self, questions: Sequence[str], answers: Sequence[str]) -> Any:
        return np.array([[min(1, len(text) / 100)] + [0.0] * 13 for text in answers])


def test_the_least_sure_judge_first(
    one_run: RunFolder, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.widgets.filters_harm._judge", lambda *_: LengthJudge())
    monkeypatch.setattr("app.widgets.filters_harm.location", lambda name: name)
    app = reviewing(page, one_run, order="least sure judge first")
    assert "needs the judge's opinion" in app.info[0].value
    app.button(key="judge_pairs").click().run()
    assert (one_run.iteration(1).path / "harm.parquet").exists()
    answers = load_iteration(one_run, 1).candidates["answer"].tolist()
    passed = []
    for _ in range(6):
        passed.append(abs(len(answers[int(shown(app)[2:])]) - 50))
        press(app, "next")
    assert passed == sorted(passed)
    assert passed[0] == min(abs(len(answer) - 50) for answer in answers)


def test_a_waiting_run_goes_on_when_the_review_is_done(
    one_run: RunFolder, workspace: Workspace, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed = []
    app = reviewing(page, one_run)
    assert "It is finished" in texts(app)
    for file in ("done.json", "kept.jsonl"):
        (one_run.iteration(2).path / file).unlink()
    one_run.set_state("waiting for review", "iteration 2 is to be reviewed")
    monkeypatch.setattr(state.supervisor(), "resume", resumed.append)
    app = reviewing(page, one_run)
    assert "The run waits for the review of iteration 2" in texts(app)
    app = reviewing(page, one_run, k="2")
    press(app, "accept")
    assert "People accepted 1, changed 0 and rejected 0; for the other 79" in texts(app)
    assert "pairs rulings differ" not in texts(app)
    workspace.database.record_decision(one_run.run_id, 2, "2-00000", "Bob", "reject", seen=0)
    app.run()
    assert "On 1 pair rulings differ: the latest counts." in texts(app)
    app.button(key="review_done").click().run()
    assert resumed == [one_run.run_id]
    assert review_done(one_run, 2)
    assert run_config(one_run).review.overlap == 1


# ------------------------------------------------------------------ a database in trouble


def test_a_locked_database_is_a_sentence_and_the_card_stays(
    one_run: RunFolder, workspace: Workspace, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isara.workspace.engine.BUSY_SECONDS", 0.1)
    app = reviewing(page, one_run, card="1-00003")
    with closing(sqlite3.connect(workspace.root / "isara.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        press(app, "accept")
        (error,) = app.error
        assert "database is locked" in error.value
        assert shown(app) == "1-00003"
        other.execute("ROLLBACK")
    press(app, "accept")
    assert not app.error
    assert stored(workspace.database, one_run) == {"1-00003": "accept"}


@pytest.mark.parametrize("first", [True, False])
def test_a_damaged_decision_is_a_sentence(
    one_run: RunFolder, workspace: Workspace, page: Page, first: bool
) -> None:
    app = reviewing(page, one_run)
    workspace.database.record_decision(one_run.run_id, 1, "1-00000", "Bo", "accept")
    with closing(sqlite3.connect(workspace.root / "isara.db")) as other, other:
        other.execute("UPDATE decisions SET action = 'maybe'")
    app = reviewing(page, one_run) if first else press(app, "next")
    assert not app.exception
    (error,) = app.error
    assert "The database is damaged" in error.value


def test_a_file_that_is_no_database_is_a_sentence_on_every_page(
    workspace: Workspace, page: Page
) -> None:
    workspace.root.mkdir()
    (workspace.root / "isara.db").write_bytes(b"no database" * 1000)
    app = AppTest.from_file(str(PROJECT_ROOT / "app" / "main.py"), default_timeout=120).run()
    assert not app.exception
    (error,) = app.error
    assert "file is not a database" in error.value
    (workspace.root / "isara.db").unlink()


def test_the_editor_shows_what_came_meanwhile(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    app = reviewing(page, one_run)
    database.record_decision(one_run.run_id, 1, "1-00000", "Bob", "reject", reason="rude", seen=0)
    press(app, "edit")
    assert "Bob: rejected (rude)" in texts(app)
    app.text_area[0].set_value("May I?")
    app.button(key="review_save").click().run()
    edit = database.history(one_run.run_id)[-1]
    assert (edit.action, edit.seen) == ("edit", 1)  # of Bob's decision, which was shown


# ------------------------------------------------------------------ half-written edits


def reloaded(page: Page, run: RunFolder, app: AppTest) -> AppTest:
    """What another window, or this one after a reload, shows under the same address."""
    names = ("card", "editing", "reviewer")
    found = {name: app.query_params[name] for name in names if name in app.query_params}
    return reviewing(page, run, **found)


def typed(app: AppTest, answer: str) -> AppTest:
    return app.text_area[1].set_value(answer).run()


def drafts(database: Database, run: RunFolder, reviewer: str = "Ana") -> list[str]:
    return [d.answer for d in database.edit_drafts(run.run_id, 1, "1-00000", reviewer)]


def test_a_half_written_edit_survives_a_reload_and_is_no_decision(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    app = press(reviewing(page, one_run), "edit")
    question, model = app.text_area[0].value, app.text_area[1].value
    typed(app, "Yes, half of it")
    assert "Draft of" in texts(app)
    again = reloaded(page, one_run, app)
    assert shown(again) == "1-00000"
    assert [area.value for area in again.text_area] == [question, "Yes, half of it"]
    assert stored(database, one_run) == {}
    typed(again, "Yes, all of it")
    press(again, "save")
    assert shown(again) == "1-00001"
    assert not again.text_area
    (edit,) = database.history(one_run.run_id)
    assert (edit.action, edit.question, edit.answer) == ("edit", question, "Yes, all of it")
    assert edit.answer != model
    assert drafts(database, one_run) == []
    assert "editing" not in again.query_params


def test_cancel_deletes_the_draft(database: Database, one_run: RunFolder, page: Page) -> None:
    app = press(reviewing(page, one_run), "edit")
    model = app.text_area[1].value
    typed(app, "Yes, half of it")
    press(app, "cancel")
    assert drafts(database, one_run) == []
    assert not reloaded(page, one_run, app).text_area
    assert press(app, "edit").text_area[1].value == model


def test_a_card_says_that_its_edit_was_begun(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    typed(press(reviewing(page, one_run), "edit"), "Yes, half of it")
    app = reviewing(page, one_run)  # no address says that the editor is open
    assert not app.text_area
    assert "You began to edit it at" in texts(app)
    press(app, "next")
    assert "You began to edit it at" not in texts(app)
    press(app, "back")
    assert press(app, "edit").text_area[1].value == "Yes, half of it"
    assert stored(database, one_run) == {}


def test_two_windows_keep_both_texts_and_each_offers_the_other(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    first = typed(press(reviewing(page, one_run), "edit"), "Yes")
    second = typed(reloaded(page, one_run, first), "Yes, in winter")
    typed(first, "Yes, in summer")
    assert drafts(database, one_run) == ["Yes, in summer", "Yes, in winter"]
    assert "You have another draft of this pair" in texts(first)
    (offered,) = [b for b in first.button if b.label == "Go on with that one"]
    offered.click().run()
    assert first.text_area[1].value == "Yes, in winter"
    press(first, "save")
    assert drafts(database, one_run) == ["Yes, in summer"]
    typed(second, "Yes, in autumn")  # its draft was saved elsewhere: it has one of its own
    assert drafts(database, one_run) == ["Yes, in autumn", "Yes, in summer"]
    press(second, "cancel")
    assert drafts(database, one_run) == ["Yes, in summer"]


def test_two_reviewers_have_drafts_of_their_own(
    database: Database, one_run: RunFolder, page: Page
) -> None:
    ana = typed(press(reviewing(page, one_run), "edit"), "Ana's")
    bob = press(reviewing(page, one_run, reviewer="Bob"), "edit")
    assert "Ana's" not in [area.value for area in bob.text_area]
    assert "another draft" not in texts(bob)
    typed(bob, "Bob's")
    assert (drafts(database, one_run), drafts(database, one_run, "Bob")) == (["Ana's"], ["Bob's"])
    ana.text_input(key="reviewer").set_value("Bob").run()  # the editor was Ana's: it closes
    assert not ana.text_area
    assert "You began to edit it at" in texts(ana)

    bob.text_input(key="reviewer").set_value("Cy")  # in one with Save
    bob.button(key="review_save").click().run()
    assert stored(database, one_run, "Cy") == {"1-00000": "edit"}
    assert stored(database, one_run, "Bob") == {}
    assert drafts(database, one_run, "Bob") == []


def test_a_draft_that_cannot_be_kept_is_told_and_its_text_stays(
    one_run: RunFolder, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise IsaraError("The disk is full.")

    app = press(reviewing(page, one_run), "edit")
    monkeypatch.setattr(Database, "keep_edit_draft", full)
    typed(app, "Yes, half of it")
    assert "The disk is full" in app.error[0].value
    assert app.text_area[1].value == "Yes, half of it"


def test_a_board_moves_on_when_its_log_was_read_anew(one_run: RunFolder, page: Page) -> None:
    """Logs leave their cache before boards do, where many iterations are looked at."""
    app = press(reviewing(page, one_run), "accept")
    state._decision_log.clear()
    for i in (1, 2):
        assert shown(app) == f"1-0000{i}"
        press(app, "accept")
    assert "3 of 80 decided" in app.get("progress")[0].proto.text

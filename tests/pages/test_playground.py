"""The Playground page: answers side by side, and blind votes, without a model."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.playground_settings import NUMBERS, linked_number
from app.widgets.playground_tally import running_sentence, tally_sentence
from app.widgets.playground_vote import Task, packed, unpacked
from isara.config import ModelConfig
from isara.decoding.scripted import ScriptedWriter
from isara.demo.scripted import GrammarJudge, ScriptedTools
from isara.evaluation.stats import wilson
from isara.evaluation.votes import VoteRate, sides
from isara.workspace.runs import RunFolder, Workspace
from tests.pages.conftest import place_of

Page = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models of the scripted run."""
    tools = ScriptedTools()

    def load(config: ModelConfig, model: Path | None) -> Any:
        return tools.writer(model)

    monkeypatch.setattr("isara.shelf.load_writer", load)
    monkeypatch.setattr("isara.shelf.load_judge", lambda name, device: GrammarJudge())
    monkeypatch.setattr("isara.shelf.weight_bytes", lambda config, model: 1)
    monkeypatch.setattr("isara.shelf.free_bytes", lambda device: 1000)


def texts(app: AppTest) -> list[str]:
    return [str(text.value) for text in app.text]


def everything(app: AppTest) -> str:
    """All that is sent to the browser."""
    return "\n".join(str(getattr(element, "proto", "")) for element in app.main)


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def answered(app: AppTest) -> AppTest:
    """The page once the models have answered."""
    press(app, "Ask")
    until = time.monotonic() + 120  # a busy machine is slow to answer
    while next(button for button in app.button if button.label == "Ask").disabled:
        assert time.monotonic() < until
        time.sleep(0.05)
        app.run()
    assert not app.exception
    return app


# -------------------------------------------------------------------- asking


@pytest.mark.usefixtures("workspace")
def test_an_empty_workspace_leads_to_the_run_page(page: Page) -> None:
    app = page("playground")
    assert not app.exception
    assert "There is no run yet" in app.info[0].value


def test_two_models_answer_with_the_evaluations_settings(one_run: RunFolder, page: Page) -> None:
    app = page("playground")
    assert app.multiselect[0].value == ["base", "iteration 2"]
    assert [field.value for field in app.number_input] == [1, 1.0, 1.0, 128]
    answered(app)
    words = " ".join(str(item.value) for item in app.markdown)
    assert "**Base model**" in words
    assert "**Iteration 2**" in words
    assert "Both" not in words
    assert app.query_params["models"] == ["base", "iteration 2"]


def test_what_the_judge_flags_is_not_sent_until_it_is_opened(
    one_run: RunFolder, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = next(  # the scripted base model is careless: one of its answers is flagged
        row.answer
        for row in pd.read_parquet(one_run.iteration(0).evaluation).itertuples()
        if row.flagged
    )
    monkeypatch.setattr("isara.shelf.load_writer", lambda *_: ScriptedWriter(lambda *_: bad))
    app = answered(page("playground", models="base"))
    assert bad not in everything(app)
    app.session_state["fold_harmful"] = False
    app.run()
    assert bad in texts(app)


def test_a_run_that_has_not_begun_has_its_base_model(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    workspace.run("waits").create(one_run.config.read_text(encoding="utf-8"))
    app = page("playground", run="waits", q="Is ice cold?")
    assert any("the run has not begun" in caption.value for caption in app.caption)
    answered(app)
    assert app.multiselect[0].value == ["base"]


def test_a_link_fills_the_form(one_run: RunFolder, page: Page) -> None:
    app = page(
        "playground", models="sft", q="Is it cold?", seed="5", temperature="0", tokens="9999999"
    )
    assert app.multiselect[0].value == ["sft"]
    assert app.text_area[0].value == "Is it cold?"
    # What lies outside the bounds is left at the run's own.
    assert [field.value for field in app.number_input] == [5, 0.0, 1.0, 128]
    assert app.query_params["seed"] == "5"
    assert "tokens" not in app.query_params


def test_a_question_is_kept_for_the_session(one_run: RunFolder, page: Page) -> None:
    app = answered(page("playground", q="Is it cold?"))
    app.text_area[0].set_value("Is it warm?").run()
    answered(app)
    assert [item.label for item in app.expander] == ["Is it cold\\?"]


def test_what_comes_with_the_click_is_asked(one_run: RunFolder, page: Page) -> None:
    app = press(page("playground", q="  "), "Ask")
    assert "type one above" in app.error[0].value
    app.text_area[0].set_value("Is it warm?")
    app.number_input[3].set_value(12)
    answered(app)
    assert app.session_state["playground_history"][0].asked.max_new_tokens == 12
    app.text_area[0].set_value("Is it cold?")
    answered(app)
    asked = [one.asked.question for one in app.session_state["playground_history"]]
    assert asked == ["Is it cold?", "Is it warm?"]
    app.multiselect[0].set_value([])
    press(app, "Ask")
    assert "no model is chosen" in app.error[0].value


def test_question_and_answers_stay_while_another_page_is_looked_at(
    one_run: RunFolder, page: Page
) -> None:
    app = answered(page("playground", q="Is it cold?"))
    app.text_area[0].set_value("Is it warm?").run()
    app.number_input[0].set_value(7).run()
    app.multiselect[0].set_value(["base"]).run()
    app.switch_page("../pages/help.py").run()
    app.query_params.clear()  # as the browser does when a page is chosen in the menu
    app.switch_page("../pages/playground.py").run()
    assert app.text_area[0].value == "Is it warm?"
    assert app.number_input[0].value == 7
    assert app.multiselect[0].value == ["base"]
    assert "Is it cold?" in texts(app)


def test_a_model_that_was_dropped_is_named(one_run: RunFolder, page: Page) -> None:
    shutil.rmtree(one_run.iteration(1).model)
    app = page("playground")
    said = " ".join(c.value for c in app.caption).replace("\\", "")
    assert "Iteration 1: its folder was removed" in said
    assert "Iteration 1" not in app.multiselect[0].options


def test_numbers_of_an_address() -> None:
    seed, temperature = NUMBERS[:2]
    assert [linked_number(text, seed, 7.0) for text in ("12", "-1", "x", None)] == [12, 7, 7, 7]
    assert [linked_number(text, temperature, 1.0) for text in ("0.5", "nan", "9")] == [0.5, 1, 1]


# -------------------------------------------------------------------- voting


def link(run: RunFolder, size: int = 3, kind: str = "all") -> dict[str, str]:
    return {
        "play": "Blind vote",
        "task": packed(Task(run.run_id, "base", "iteration 2", size, kind)),
    }


def voting(page: Page, run: RunFolder, name: str = "ann", **more: Any) -> AppTest:
    app = page("playground", **link(run, **more))
    app.text_input(key="reviewer").set_value(name).run()
    assert not app.exception
    return app


def cast(app: AppTest, label: str) -> AppTest:
    """Vote on the prompt that is shown, opening it where it is folded."""
    if any(button.label == "Show both answers" for button in app.button):
        press(app, "Show both answers")
    return press(app, label)


def test_votes_are_stored_with_the_sides_as_they_stood(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    app = voting(page, one_run)
    for label in ("Left is better", "Right is better", "As good as each other"):
        cast(app, label)
    votes = workspace.database.votes(one_run.run_id)
    assert [vote.choice for vote in votes] == ["left", "right", "tie"]
    for vote in votes:
        assert (vote.left, vote.right) == sides("ann", vote.prompt_id, "base", "iteration 2")
    assert [vote.prompt_id for vote in votes] == Task(
        one_run.run_id, "base", "iteration 2", 3, "all"
    ).prompts()
    assert "All 3 prompts have your vote" in app.success[0].value


def test_what_comes_with_the_click_counts_in_a_vote(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    app = page("playground", play="Blind vote", reviewer="ann")
    before = place_of(app, "vote_start")
    app.number_input(key="vote_count").set_value(900).run()  # more than there are, which is said
    assert place_of(app, "vote_start") == before
    app.number_input(key="vote_count").set_value(3)
    press(app, "Start voting")
    assert app.get("progress")[0].proto.text == "0 of 3 voted"
    if any(button.label == "Show both answers" for button in app.button):
        press(app, "Show both answers")
    app.text_input(key="reviewer").set_value("bob")
    press(app, "Left is better")
    (vote,) = workspace.database.votes(one_run.run_id)
    assert vote.voter == "bob"
    assert (vote.left, vote.right) == sides("ann", vote.prompt_id, "base", "iteration 2")
    app.text_input(key="reviewer").set_value("ann")
    press(app, "Undo")
    assert len(workspace.database.votes(one_run.run_id)) == 1


def test_whose_answers_they_are_is_not_sent_before_the_end(one_run: RunFolder, page: Page) -> None:
    app = voting(page, one_run)
    cast(app, "Left is better")
    sent = everything(app).casefold()
    assert "base model" not in sent
    assert "iteration 2" not in sent
    assert "stays hidden until the end" in " ".join(texts(app))


def test_a_reload_goes_on_and_an_undo_goes_back(one_run: RunFolder, page: Page) -> None:
    cast(voting(page, one_run), "Left is better")
    app = voting(page, one_run)
    assert app.get("progress")[0].proto.text == "1 of 3 voted"
    press(app, "Undo")
    assert app.get("progress")[0].proto.text == "0 of 3 voted"


def test_a_look_is_for_good_and_later_votes_are_not_blind(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    app = voting(page, one_run)
    cast(app, "Left is better")
    press(app, "Look before the end")
    table = app.dataframe[0].value
    assert list(table["Voter"]) == ["ann", "all together"]
    cast(app, "Right is better")
    assert [vote.blind for vote in workspace.database.votes(one_run.run_id)] == [True, False]
    again = voting(page, one_run)
    assert list(again.dataframe[0].value["Not blind"]) == [1, 1, 0]


def test_an_address_that_names_nothing(one_run: RunFolder, page: Page) -> None:
    assert not page("playground", play="Blind vote", task="nothing").exception
    run = one_run.run_id
    for task in (
        Task(run, "base", "base", 3, "all"),
        Task(run, "base", "iteration 9", 3, "all"),
        Task(run, "base", "sft", 0, "all"),
        Task(run, "base", "sft", 3, "some"),
        Task("../x", "base", "sft", 3, "all"),
    ):
        assert unpacked(packed(task)) is None
    assert unpacked(packed(Task(run, "base", "sft", 3, "all"))) is not None


def test_the_running_rate_names_nobody() -> None:
    found = VoteRate(wilson(1, 4), 1, 3, 0, 0)
    assert running_sentence(found).startswith("One model is ahead with a win rate of 75.0 %")
    assert "level" in running_sentence(VoteRate(wilson(1, 2), 1, 1, 0, 0))


@pytest.mark.parametrize(
    ("won", "of", "end"),
    [
        (9, 10, "people prefer it."),
        (1, 10, "people prefer the base model."),
        (6, 10, "these votes do not tell which one people prefer."),
    ],
)
def test_what_votes_say(won: int, of: int, end: str) -> None:
    sentence = tally_sentence("base", "sft", VoteRate(wilson(won, of), won, of - won, 0, 0))
    assert sentence.endswith(end)

"""The Samples page: a run's pairs with all that is known of them, and a handful written now."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import state
from app.widgets.folding import HIDDEN
from app.widgets.samples_data import pool_of
from app.widgets.samples_write import handful_config, write_pairs
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError
from isara.prompts import question_prompt
from isara.report import run_config
from isara.workspace.database import Decision
from isara.workspace.files import read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Page = Callable[[str], AppTest]


def opened(page: Page, /, **address: str) -> AppTest:
    """The page at an address, as a link to it opens it."""
    app = page("results")
    app.query_params.update(address)
    return app.switch_page("../pages/samples.py").run()


def texts(app: AppTest) -> str:
    """All that is shown as plain text."""
    return "\n".join(element.value for element in app.text)


def first(table: pd.DataFrame, **wanted: object) -> str:
    """The candidate id of the first row with these values."""
    for name, value in wanted.items():
        table = table[table[name] == value]
    return str(table["candidate_id"].iloc[0])


def candidates(run: RunFolder, k: int = 1) -> pd.DataFrame:
    """Candidates with their scores and whether the run kept them."""
    files = run.iteration(k)
    table = pd.read_parquet(files.candidates)
    scores = pd.read_parquet(files.scores).drop(columns="index")
    table["kept"] = table["candidate_id"].isin(
        [row["candidate_id"] for row in read_jsonl(files.kept)]
    )
    return table.join(scores)


@pytest.mark.usefixtures("workspace")
def test_without_a_run_it_says_where_one_is_made(page: Page) -> None:
    app = page("samples")
    assert not app.exception
    assert "no run yet" in app.info[0].value


def test_a_run_that_has_written_nothing_yet(workspace: Workspace, page: Page) -> None:
    config = "name: early\nseeds: {name: s}\nmodel: {path: m}\nembedder: e\n"
    workspace.run("early").create(config)
    app = page("samples")
    assert not app.exception
    assert "no pairs yet" in app.info[0].value


def test_the_list_has_25_rows_a_page_and_the_run_s_verdicts(one_run: RunFolder, page: Page) -> None:
    app = opened(page, k="1")
    assert not app.exception
    table = candidates(one_run)
    assert app.dataframe[0].value["Id"].tolist() == table["candidate_id"].tolist()[:25]
    assert (
        app.dataframe[0].value["Verdict"].str.endswith("kept").tolist()
        == (table["kept"].tolist()[:25])
    )
    app.pagination(key="page").set_value(4).run()
    assert app.dataframe[0].value["Id"].tolist() == table["candidate_id"].tolist()[75:]


@pytest.mark.parametrize("verdict", ["kept", "dropped", "rouge_l", "echo"])
def test_filter_by_verdict(one_run: RunFolder, page: Page, verdict: str) -> None:
    app = opened(page, k="1")
    app.selectbox(key="verdict").set_value(verdict).run()
    kept = candidates(one_run)["kept"]
    # In the scripted run only the ROUGE-L rule drops.
    wanted = {"kept": kept.sum(), "dropped": (~kept).sum(), "rouge_l": (~kept).sum(), "echo": 0}
    count = wanted[verdict]
    if not count:
        assert "No pair fits" in app.info[0].value
    else:
        assert any(c.value.endswith(f"of {count} pairs") for c in app.caption)


def test_search_and_category(one_run: RunFolder, page: Page) -> None:
    table = candidates(one_run)
    word = table["question"].iloc[3].split()[2]
    app = opened(page, k="1", q=word.upper())
    texts = (table["question"] + "\n" + table["answer"]).str.casefold()
    found = table[texts.str.contains(word.casefold(), regex=False)]
    assert app.dataframe[0].value["Id"].tolist() == found["candidate_id"].tolist()[:25]

    name = found["category"].iloc[0]
    app.selectbox(key="category").set_value(name).run()
    both = found[found["category"] == name]
    assert app.dataframe[0].value["Id"].tolist() == both["candidate_id"].tolist()[:25]


def test_an_opened_pair_shows_where_it_came_from(one_run: RunFolder, page: Page) -> None:
    table = candidates(one_run, 2)
    row = table.iloc[7]
    app = opened(page, k="2", open=row["candidate_id"])
    assert not app.exception
    assert row["question"] in texts(app)
    assert row["answer"] in texts(app)
    prompts = [code.value for code in app.code]
    assert row["question_prompt"] in prompts
    assert row["answer_prompt"] in prompts
    settings = json.loads(prompts[-1])
    assert settings["answer"] == json.loads(row["decoding_answer"])

    pool = {r["id"]: r for r in read_jsonl(one_run.path / "seeds.jsonl")}
    pool |= {r["id"]: r for r in read_jsonl(one_run.iteration(1).kept)}
    shown, neighbours = (t.value for t in app.dataframe if "From" in t.value)
    assert shown["Question"].tolist() == [pool[i]["question"] for i in row["question_shown"]]
    assert neighbours["Answer"].tolist() == [pool[i]["answer"] for i in row["neighbours"]]
    assert neighbours["Similarity"].tolist() == pytest.approx(list(row["similarities"]))
    earlier = [r["candidate_id"] for r in read_jsonl(one_run.iteration(1).kept)]
    origins = shown["From"].tolist()
    assert all(o.startswith("seed ") or o.removeprefix("iteration 1, ") in earlier for o in origins)


def test_a_pair_that_the_judge_flags_is_folded_in_list_and_card(
    workspace: Workspace, judged: RunFolder, page: Page
) -> None:
    row = candidates(judged).iloc[1]
    app = opened(page, k="1", open=row["candidate_id"], reviewer="Ana")
    assert not app.exception
    answers = app.dataframe[0].value["Answer"].tolist()
    assert [i for i, answer in enumerate(answers) if answer == HIDDEN] == [1]
    assert row["question"] in texts(app)
    assert row["answer"] not in texts(app)
    app.button(key="decide_accept").click().run()
    assert "open it first" in app.error[0].value
    assert decision(workspace, judged, row["candidate_id"]) is None
    expander = f"fold {judged.run_id} {row['candidate_id']}"
    app.session_state[expander] = True
    app.run()
    assert row["answer"] in texts(app)
    app.button(key="decide_accept").click().run()
    assert decision(workspace, judged, row["candidate_id"]) is not None
    app.session_state[expander] = False
    app.run()
    app.toggle(key="fold_harmful samples").set_value(False).run()
    assert row["answer"] in texts(app)
    assert app.dataframe[0].value["Answer"][1] == row["answer"]


def test_all_of_a_list_are_accepted_but_those_that_nobody_opened(
    workspace: Workspace, judged: RunFolder, page: Page
) -> None:
    flagged = candidates(judged)["candidate_id"].iloc[1]
    app = page("samples", k="1", reviewer="Ana")
    app.toggle(key="bulk_open").set_value(True).run()
    app.button_group(key="bulk_action").set_value("accept").run()
    assert "This decides 79 pairs" in texts(app)
    assert "1 more is not accepted, because the judge calls its answer harmful" in texts(app)
    app.button(key="bulk_decide").click().run()
    assert decision(workspace, judged, flagged) is None
    assert len(Workspace(workspace.root).database.decisions(judged.run_id, 1)) == 79

    app.query_params["open"] = flagged
    app.run()
    app.session_state[f"fold {judged.run_id} {flagged}"] = True
    app.run()
    app.button(key="close_pair").click().run()  # the list again, which draws no expander
    app.toggle(key="bulk_open").set_value(True).run()
    app.button_group(key="bulk_action").set_value("accept").run()
    assert "is not accepted" not in texts(app)
    app.button(key="bulk_decide").click().run()
    assert decision(workspace, judged, flagged) is not None
    assert not app.exception


def test_a_dropped_pair_shows_what_it_is_too_similar_to(one_run: RunFolder, page: Page) -> None:
    table = candidates(one_run)
    dropped = table[~table["kept"] & (table["rouge_pool"] >= 0.7)].iloc[0]
    app = opened(page, k="1", open=dropped["candidate_id"])
    assert "ROUGE-L of 0.7 or more" in texts(app)
    seeds = {row["id"]: row["question"] for row in read_jsonl(one_run.path / "seeds.jsonl")}
    assert seeds[dropped["rouge_pool_id"]] in texts(app)


def test_next_and_previous_follow_the_list_and_turn_its_page(
    one_run: RunFolder, page: Page
) -> None:
    app = opened(page, k="1", open="1-00024")
    app.button(key="step_next").click().run()
    assert app.query_params["open"] == "1-00025"
    assert app.pagination(key="page").value == 2
    app.button(key="step_previous").click().run()
    assert app.query_params["open"] == "1-00024"
    assert app.pagination(key="page").value == 1
    app.button(key="close_pair").click().run()
    assert "open" not in app.query_params
    assert not app.exception


def test_another_iteration_closes_the_pair(one_run: RunFolder, page: Page) -> None:
    app = opened(page, k="1", open="1-00003")
    app.selectbox(key="samples k").set_value(2).run()
    assert "open" not in app.query_params
    assert app.query_params["k"] == "2"
    assert app.query_params["run"] == one_run.run_id


def test_markup_in_a_text_is_shown_as_it_is(one_run: RunFolder, page: Page) -> None:
    files = one_run.iteration(1)
    table = pd.read_parquet(files.candidates)
    table.loc[0, "question"] = markup = "<b>bold</b> **stars** $x$ :material/home: [a](http://b.c)"
    table.to_parquet(files.candidates)
    app = opened(page, k="1", open="1-00000")
    assert not app.exception
    assert markup in [element.value for element in app.text]
    assert not any("bold" in element.value for element in app.markdown)


def test_an_address_that_names_nothing_is_no_error(one_run: RunFolder, page: Page) -> None:
    app = opened(
        page, run="nowhere", k="99", open="9-99999", page="1000", verdict="?", category="?"
    )
    assert not app.exception
    assert not app.error
    assert app.query_params["run"] == one_run.run_id
    assert [told.value for told in app.toast] == [
        "The address names nowhere: no such run in this workspace."
    ]
    assert len(app.dataframe[0].value) == 25


# ------------------------------------------------------------------ decisions


def decision(workspace: Workspace, run: RunFolder, candidate_id: str) -> Decision | None:
    """What the database says, read afresh."""
    return Workspace(workspace.root).database.decisions(run.run_id, 1).get(candidate_id)


@pytest.mark.parametrize(("action", "counts"), [("reject", True), ("flag", False), ("skip", False)])
def test_a_decision_says_whether_it_counts_over_the_verdict(
    workspace: Workspace, one_run: RunFolder, page: Page, action: str, counts: bool
) -> None:
    workspace.database.record_decision(one_run.run_id, 1, "1-00003", "Ana", action)
    app = opened(page, k="1", open="1-00003")
    (badge,) = [mark.proto for mark in app.markdown if "by Ana" in mark.value]
    assert ("It counts over the verdict" in badge.help) is counts


def test_decisions_are_stored_at_once_and_can_be_undone(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    app = opened(page, k="1", open="1-00003")
    app.button(key="decide_reject").click().run()
    assert "type your name as reviewer" in app.error[0].value
    assert decision(workspace, one_run, "1-00003") is None
    app.text_input(key="reviewer").set_value("Ana")
    app.button(key="decide_reject").click().run()  # in one with the name
    stored = decision(workspace, one_run, "1-00003")
    assert stored is not None
    assert (stored.reviewer, stored.action) == ("Ana", "reject")
    assert app.dataframe[0].value["Decision"].iloc[3] == "▼ rejected"
    assert app.button(key="decide_reject").label == "▼ Reject"  # one mark in list, button, badge
    assert any("▼ rejected by Ana" in item.value for item in app.markdown)

    app.button(key="decide_accept").click().run()
    stored = decision(workspace, one_run, "1-00003")
    assert stored is not None
    assert stored.action == "accept"

    app.button(key="undo_decision").click().run()
    stored = decision(workspace, one_run, "1-00003")
    assert stored is not None
    assert stored.action == "reject"

    app.button(key="decide_clear").click().run()
    assert decision(workspace, one_run, "1-00003") is None
    assert not app.exception


def test_who_decides_on_what_another_decided_meanwhile_is_told(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    app = opened(page, k="1", open="1-00003", reviewer="Ana")
    workspace.database.record_decision(one_run.run_id, 1, "1-00003", "Bob", "reject")
    app.button(key="decide_accept").click().run()
    assert "Bob rejected it at" in app.warning[0].value
    assert len(workspace.database.history(one_run.run_id)) == 2
    app.button(key="decide_reject").click().run()  # Bob's stands on the page by now
    assert not app.warning


def test_the_name_is_that_of_the_opened_pair_and_the_list(one_run: RunFolder, page: Page) -> None:
    app = opened(page, k="1", open="1-00003")
    app.text_input(key="reviewer").set_value("Ana").run()
    app.button(key="close_pair").click().run()
    app.run()  # without the field
    app.toggle(key="bulk_open").set_value(True).run()
    assert app.text_input(key="reviewer").value == "Ana"
    app.switch_page("../pages/help.py").run()
    app.query_params.update({"mode": "Review"})
    app.switch_page("../pages/samples.py").run()
    assert app.text_input(key="reviewer").value == "Ana"
    assert app.query_params["reviewer"] in ("Ana", ["Ana"])


def test_a_filtered_list_is_decided_on_at_once(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    app = opened(page, k="1", verdict="dropped")
    dropped = int((~candidates(one_run)["kept"]).sum())
    app.toggle(key="bulk_open").set_value(True).run()
    assert f"This decides {dropped} pairs: 0 now kept" in texts(app)
    app.text_input(key="reviewer").set_value("Ana").run()
    app.button_group(key="bulk_action").set_value("accept").run()
    app.text_input(key="q").set_value("how")  # another list than the one that was looked at
    app.button(key="bulk_decide").click().run()
    assert "press again" in app.error[0].value
    app.text_input(key="q").set_value("").run()
    app.button(key="bulk_decide").click().run()
    assert not app.exception
    found = Workspace(workspace.root).database.decisions(one_run.run_id, 1)
    assert {d.action for d in found.values()} == {"accept"}
    assert len(found) == dropped


# ------------------------------------------------------------------ writing now


@pytest.fixture
def scripted_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The grammar in the place of models."""
    tools = ScriptedTools()
    monkeypatch.setattr(state, "writer", lambda model, folder: tools.writer(None))
    monkeypatch.setattr(state, "embedder", lambda name: tools.embedder)
    monkeypatch.setattr("app.widgets.samples_generate.location", lambda name: name)


def write_now(page: Page) -> AppTest:
    """The page in its second mode."""
    return opened(page, mode="Write a few now")


@pytest.mark.usefixtures("workspace")
def test_a_missing_model_is_one_calm_sentence(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise InputError(f"There is no model folder {name}.")

    monkeypatch.setattr("app.widgets.samples_generate.location", missing)
    app = write_now(page)
    assert not app.exception
    assert "not on this machine yet" in app.info[0].value


def test_what_is_written_now_is_what_a_run_would_write(one_run: RunFolder) -> None:
    seeds = pool_of(one_run, 1)
    config = handful_config(
        run_config(one_run),
        seeds={"name": "s"},
        count=3,
        examples=8,
        preset="sampling",
        random_seed=1,
    )
    written = write_pairs(config, [row.example for row in seeds.values()], None, ScriptedTools())
    table = candidates(one_run)
    for column in ("candidate_id", "question_prompt", "question", "answer_prompt", "answer"):
        assert written.candidates[column].tolist() == table[column].tolist()[:3]
    assert written.scores["rouge_pool"].tolist() == table["rouge_pool"].tolist()[:3]
    assert written.pool == seeds


@pytest.mark.usefixtures("workspace", "scripted_models")
def test_write_three_pairs_and_look_at_them(page: Page) -> None:
    app = write_now(page)
    (write,) = [button for button in app.button if button.label == "Write"]
    write.click().run()
    assert not app.exception
    assert app.subheader[0].value.startswith("3 written")
    seeds = {example.id: example for example in state.seed_examples(state.DEMO_NAME, 1)}
    shown = app.dataframe[1].value["Question"].tolist()
    prompt = app.code[0].value
    drawn = [next(e for e in seeds.values() if e.question == question) for question in shown]
    assert prompt == question_prompt(drawn)
    app.radio(key="written_row").set_value(2).run()
    assert "1-00002" in texts(app)
    assert not app.exception


def test_models_that_are_whole_are_offered_and_an_unreadable_run_takes_none_away(
    one_run: RunFolder, workspace: Workspace, page: Page
) -> None:
    """A model in training is a folder of checkpoints; another run's config was broken by hand."""
    training = one_run.iteration(2)
    (training.model / "checkpoint-1").mkdir(parents=True)
    (training.path / "trained.json").unlink(missing_ok=True)
    one_run.iteration(1).model.mkdir(exist_ok=True)
    (one_run.iteration(1).path / "trained.json").touch()
    (broken := workspace.run("broken")).create(one_run.config.read_text(encoding="utf-8"))
    broken.config.write_text("name: [", encoding="utf-8")
    app = write_now(page)
    assert app.selectbox(key="handful_model").options == [
        *("Demo language model", f"M(1) of {one_run.run_id}"),
    ]
    said = " ".join(caption.value for caption in app.caption)
    assert "config of the run cannot be read: broken. Mend its run.yaml" in said

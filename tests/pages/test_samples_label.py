"""The Samples page's third mode: labels of people, blind, and the judge compared with them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.folding import HIDDEN
from app.widgets.judge_check import dev_answers, figures
from app.widgets.samples_label import Task, packed, shortage, unpacked
from isara.evaluation.people import HARMFUL, SAFE, UNSURE, compare
from isara.workspace.files import read_json
from isara.workspace.runs import RunFolder, Workspace
from tests.pages.conftest import place_of

Page = Callable[[str], AppTest]
PLACE = "base"  # the scripted base model is careless: the judge flags many of its answers


def opened(page: Page, /, **address: str) -> AppTest:
    """The page in this mode, in a new session, at an address."""
    app = page("seed")
    app.query_params.update({"mode": "Label answers", **address})
    app.switch_page("../pages/samples.py").run()
    assert not app.exception
    return app


def link(run: RunFolder, count: int = 6, halves: bool = True, place: str = PLACE) -> dict[str, str]:
    """The address of a task."""
    return {"task": packed(Task(run.run_id, place, count, halves, 3))}


def name(app: AppTest, reviewer: str) -> AppTest:
    app.text_input(key="reviewer").set_value(reviewer).run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    """Click the button that is labelled so."""
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def progress(app: AppTest) -> str:
    return str(app.get("progress")[0].proto.text)


def words(app: AppTest) -> str:
    """Everything that is sent to the browser, keys and help texts included."""
    parts = [str(getattr(element, "proto", "")) for element in app.main]
    tables = [table.value.to_string() for table in app.dataframe]
    return "\n".join([*parts, *tables])


def shown(app: AppTest) -> list[str]:
    """The question and the answer that are shown."""
    return [text.value for text in app.text]


def stored(workspace: Workspace, run: RunFolder, place: str = PLACE) -> dict[tuple[str, str], str]:
    """The labels, read afresh."""
    rows = dev_answers(run.run_id, place)
    answers = dict(zip(rows["prompt_id"], rows["example_id"], strict=True))
    return Workspace(workspace.root).database.labels(run.run_id, place, answers)


def sample(run: RunFolder, count: int = 6, place: str = PLACE) -> pd.DataFrame:
    """The rows of `link`'s task, in the order in which they are to be shown."""
    rows = dev_answers(run.run_id, place).set_index("prompt_id")
    return rows.loc[Task(run.run_id, place, count, True, 3).sample(rows.reset_index())]


def label_all(app: AppTest, labels: list[str]) -> AppTest:
    for label in labels:
        press(app, label)
    return app


# ------------------------------------------------------------------ labelling


def test_from_the_choice_to_the_first_label(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    app = opened(page)
    assert app.number_input(key="label_count").value == 40
    app.selectbox(key="label model").set_value(PLACE).run()
    app.number_input(key="label_count").set_value(4)  # both come with the click
    app.text_input(key="reviewer").set_value("  Ana ")
    press(app, "Start labelling")
    assert progress(app) == "0 of 4 labelled"
    task = unpacked(app.query_params["task"])
    assert task == Task(one_run.run_id, PLACE, 4, True, 0)
    first = task.sample(dev_answers(one_run.run_id, PLACE))[0]
    press(app, "Not harmful")
    assert progress(app) == "1 of 4 labelled"
    assert stored(workspace, one_run) == {(first, "Ana"): SAFE}
    app.text_input(key="reviewer").set_value("Ben")
    press(app, "Undo")  # of Ben's nothing was seen
    assert stored(workspace, one_run) == {(first, "Ana"): SAFE}
    app.text_input(key="reviewer").set_value("Ana")
    press(app, "Harmful")
    assert stored(workspace, one_run) == {(first, "Ana"): HARMFUL}


def test_labels_are_stored_at_once_and_another_browser_goes_on(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    rows = sample(one_run)
    app = name(opened(page, **link(one_run)), "Ana")
    for label in ("Harmful", "Unsure"):
        press(app, label)
    ids = rows.index.tolist()
    assert stored(workspace, one_run) == {(ids[0], "Ana"): HARMFUL, (ids[1], "Ana"): UNSURE}

    again = opened(page, **link(one_run))
    assert "Type your name" in again.info[0].value
    assert not shown(again)
    name(again, "Ana")
    assert progress(again) == "2 of 6 labelled"
    assert shown(again) == [rows["question"].iloc[2], rows["answer"].iloc[2]]

    other = name(opened(page, **link(one_run)), "Ben")
    assert progress(other) == "0 of 6 labelled"
    assert shown(other) == [rows["question"].iloc[0], rows["answer"].iloc[0]]


def test_undo_goes_back_one_answer_at_a_time(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    rows = sample(one_run)
    app = name(opened(page, **link(one_run)), "Ana")
    assert app.button(key="label_undo_0").disabled
    label_all(app, ["Harmful", "Harmful", "Not harmful", "Undo", "Undo"])
    assert progress(app) == "1 of 6 labelled"
    assert shown(app)[0] == rows["question"].iloc[1]
    assert stored(workspace, one_run) == {(rows.index[0], "Ana"): HARMFUL}
    press(app, "Unsure")
    assert stored(workspace, one_run)[rows.index[1], "Ana"] == UNSURE


def test_undo_spares_the_labels_of_others(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    rows = sample(one_run)
    first, pair = str(rows.index[0]), str(rows["example_id"].iloc[0])
    workspace.database.add_label(one_run.run_id, PLACE, first, "Ben", SAFE, example_id=pair)
    label_all(name(opened(page, **link(one_run)), "Ana"), ["Harmful", "Undo"])
    assert stored(workspace, one_run) == {(first, "Ben"): SAFE}


@pytest.mark.parametrize("place", ["base", "iteration 1"])
def test_nothing_tells_what_the_judge_says_before_it_is_asked(
    one_run: RunFolder, page: Page, place: str
) -> None:
    file = (one_run.iteration(0) if place == "base" else one_run.iteration(1)).evaluation
    table = pd.read_parquet(file)
    # As a judge would say it, in numbers and words that stand nowhere else.
    table["harm_probability"] = table["flagged"].map({True: 0.918273, False: 0.018273})
    table["category"] = table["harm_label"] = "xyzzy"
    table.to_parquet(file)
    app = name(opened(page, **link(one_run, place=place)), "Ana")
    number = one_run.run_id.rpartition("-")[2]  # the page writes the id with its dash escaped
    said = ["18273", "flags an answer", "Judge: harmful", number]
    hints = [*said, "xyzzy", "iteration"]
    for _ in range(3):
        assert [hint for hint in hints if hint in words(app)] == []
        assert not app.dataframe
        assert not any(hint in str(app.query_params) for hint in ("iteration", number))
        press(app, "Harmful")
    app.toggle[0].set_value(True).run()
    assert [hint for hint in said if hint not in words(app)] == []
    assert any("not blind" in caption.value for caption in app.caption)
    assert progress(app) == "3 of 6 labelled"
    again = name(opened(page, **link(one_run, place=place)), "Ana")  # a reload
    assert any("not blind" in caption.value for caption in again.caption)
    other = name(opened(page, **link(one_run, place=place)), "Ben")
    assert not any("not blind" in caption.value for caption in other.caption)


def test_only_the_dev_split_is_shown(workspace: Workspace, one_run: RunFolder, page: Page) -> None:
    table = pd.read_parquet(one_run.iteration(0).evaluation)
    dev = table[(table["split"] == "dev") & ~table["harmless"]]
    app = name(opened(page, **link(one_run, count=1000)), "Ana")
    assert progress(app) == f"0 of {len(dev)} labelled"
    ids = set(sample(one_run, 1000).index)
    assert ids == set(dev["prompt_id"])
    assert workspace.database.test_looks(one_run.run_id) == 0


# ------------------------------------------------------------------ the comparison


def test_two_reviewers_and_the_comparison_s_numbers(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    rows = sample(one_run)
    right = ["Harmful" if flagged else "Not harmful" for flagged in rows["flagged"]]
    wrong = {"Harmful": "Not harmful", "Not harmful": "Harmful"}
    ana = label_all(name(opened(page, **link(one_run)), "Ana"), [wrong[right[0]], *right[1:]])
    assert "All 6 answers are labelled." in ana.success[0].value
    assert "Krippendorff" not in ana.dataframe[0].value.to_string()
    # Ben agrees with Ana but for the last answer, which is tied.
    ben = label_all(
        name(opened(page, **link(one_run)), "Ben"), [wrong[right[0]], *right[1:5], wrong[right[5]]]
    )
    found = compare(
        pd.read_parquet(one_run.iteration(0).evaluation).query("split == 'dev'"),
        stored(workspace, one_run),
    )
    assert (found.n, found.tied, len(found.differing)) == (5, 1, 1)
    assert ben.dataframe[0].value.equals(figures(found))
    assert found.reviewers is not None
    assert found.reviewers.alpha is not None
    alpha = (
        ben.dataframe[0]
        .value.set_index("Figure")
        .loc["Reviewers among themselves: Krippendorff's alpha"]
    )
    assert (alpha["Value"], alpha["n"]) == (f"{found.reviewers.alpha:.2f}", 6)
    assert found.rate.n == read_json(one_run.iteration(0).metrics)["dev"]["harmful_rate"]["n"]
    counts = ben.dataframe[1].value
    assert counts.iloc[:, 1:].to_numpy().sum() == 5
    assert ben.dataframe[2].value["Answer"].tolist() == [HIDDEN]
    ben.toggle(key="fold_harmful judge check").set_value(False).run()
    differ = ben.dataframe[2].value
    assert differ["Question"].tolist() == [rows["question"].iloc[0]]
    assert differ["Answer"].tolist() == [rows["answer"].iloc[0]]
    assert differ["Judge's probability"].tolist() == [rows["harm_probability"].iloc[0]]


# ------------------------------------------------------------------ wrong input


@pytest.mark.parametrize("reviewer", ["", "   "])
def test_without_a_name_nothing_begins(one_run: RunFolder, page: Page, reviewer: str) -> None:
    app = name(opened(page), reviewer)
    before = place_of(app, "label_start")
    press(app, "Start labelling")
    assert "There is no name" in app.error[0].value
    assert place_of(app, "label_start") == before
    assert "task" not in app.query_params
    assert not name(opened(page, **link(one_run)), reviewer).get("progress")


def test_names_and_texts_with_markup_stay_text(
    workspace: Workspace, one_run: RunFolder, page: Page
) -> None:
    markup = "<b>bold</b> **stars** $x$ :material/home: [a](http://b.c)"
    table = pd.read_parquet(one_run.iteration(0).evaluation)
    table["question"], table["answer"] = markup, "# no title"
    table.to_parquet(one_run.iteration(0).evaluation)
    app = name(opened(page, **link(one_run, count=2)), markup)
    assert shown(app) == [markup, "# no title"]
    label_all(app, ["Harmful", "Not harmful"])
    assert {who for _, who in stored(workspace, one_run)} == {markup}
    assert not any("bold" in element.value for element in (*app.markdown, *app.caption))


@pytest.mark.usefixtures("workspace")
def test_without_a_run_it_says_where_one_is_made(page: Page) -> None:
    assert "no run yet" in opened(page).info[0].value


def test_a_run_that_was_not_measured(workspace: Workspace, page: Page) -> None:
    config = "name: early\nseeds: {name: s}\nmodel: {path: m}\nembedder: e\n"
    workspace.run("early").create(config)
    assert "no answers to label" in opened(page).info[0].value


def test_an_eval_set_without_harmful_prompts(one_run: RunFolder, page: Page) -> None:
    file = one_run.iteration(0).evaluation
    pd.read_parquet(file).assign(harmless=True).to_parquet(file)
    assert "no harmful prompts in its dev split" in opened(page, model="base").info[0].value
    app = name(opened(page, **link(one_run)), "Ana")
    assert "no harmful prompts in its dev split" in app.info[0].value


def test_a_damaged_file_is_a_sentence_with_a_way_back(one_run: RunFolder, page: Page) -> None:
    one_run.iteration(0).evaluation.write_bytes(b"no parquet")
    app = opened(page, **link(one_run))
    assert "cannot be read" in app.error[0].value
    press(app, "Choose another sample")
    assert app.selectbox(key="label run").value == one_run.run_id
    app.selectbox(key="label model").set_value("iteration 1").run()
    assert not app.error


def test_fewer_answers_than_asked_for_are_said() -> None:
    rows = pd.DataFrame({"flagged": [True] * 3 + [False] * 17})
    assert "has 20 answers to harmful prompts, 40" in shortage(Task("r", "base", 40, True, 0), rows)
    assert "not 5 answers of each kind" in shortage(Task("r", "base", 10, True, 0), rows)
    assert shortage(Task("r", "base", 10, False, 0), rows) == ""
    assert shortage(Task("r", "base", 6, True, 0), rows) == ""


def test_the_choice_says_that_there_are_fewer(one_run: RunFolder, page: Page) -> None:
    app = opened(page, model="base")
    app.number_input(key="label_count").set_value(1000).run()
    assert any("1000 were asked for" in caption.value for caption in app.caption)


@pytest.mark.parametrize(
    "fields",
    [
        ["nowhere", "base", 6, True, 3],
        [None, "iteration 99", 6, True, 3],
        [None, "../../iteration-00", 6, True, 3],
        [None, "base", 0, True, 3],
        [None, "base", 6, True, -1],
        [None, "base", 1e999, True, 3],
        [None, "base", 6],
        7,
    ],
)
def test_an_address_that_names_nothing_leads_to_the_choice(
    one_run: RunFolder, page: Page, fields: Any
) -> None:
    if isinstance(fields, list) and fields[0] is None:
        fields[0] = one_run.run_id
    app = opened(page, task=packed(fields))
    assert not app.error
    assert app.button(key="label_start")


@pytest.mark.parametrize("text", ["", "ä", "%%%", base64.urlsafe_b64encode(b"\xff").decode()])
def test_an_address_that_is_no_task(text: str) -> None:
    assert unpacked(text) is None

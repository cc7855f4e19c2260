"""What is said of a judge compared with people, on labels that can be counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from app.widgets.judge_check import confusion, dev_answers, differing, figures, remarks
from isara.errors import InputError
from isara.evaluation.people import HARMFUL, SAFE, UNSURE, JudgeCheck, compare
from isara.workspace.runs import Workspace

Labels = dict[tuple[str, str], str]


@pytest.fixture
def rows() -> pd.DataFrame:
    """f0 to f3 are flagged, s0 to s5 are not."""
    ids = [*(f"f{i}" for i in range(4)), *(f"s{i}" for i in range(6))]
    return pd.DataFrame(
        {
            "prompt_id": ids,
            "question": [f"Question {name}?" for name in ids],
            "answer": [f"Answer {name}." for name in ids],
            "harmless": False,
            "flagged": [name.startswith("f") for name in ids],
            "harm_probability": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0],
        }
    )


@pytest.fixture
def found(rows: pd.DataFrame) -> JudgeCheck:
    """A says that f0, f1 and s0 are harmful, f2 and s1 are not; B agrees on f0, not on f1."""
    labels: Labels = {("f0", "A"): HARMFUL, ("f1", "A"): HARMFUL, ("f2", "A"): SAFE}
    labels |= {("s0", "A"): HARMFUL, ("s1", "A"): SAFE, ("s2", "A"): UNSURE}
    labels |= {("f0", "B"): HARMFUL, ("f1", "B"): SAFE}
    return compare(rows, labels)


def test_every_figure_has_its_n_and_interval(found: JudgeCheck) -> None:
    table = figures(found).set_index("Figure")
    judge = table.loc["Harmful rate by the judge"]
    assert (judge["Value"], judge["95 % interval"], judge["n"]) == (
        "40.0 %",
        "16.8 % to 68.7 %",
        10,
    )
    # f1 is tied. Of f0, f2, s0, s1 the judge is right in f0 and s1: as often as by chance.
    kappa = table.loc["Judge and people: Cohen's kappa"]
    assert (kappa["Value"], kappa["n"]) == ("0.00", 4)
    assert " to " in kappa["95 % interval"]
    assert table.loc["Reviewers among themselves: Krippendorff's alpha", "n"] == 2
    assert len(table) == 5


def test_the_corrected_rate_says_from_how_many_labels(rows: pd.DataFrame) -> None:
    labels: Labels = {(f"f{i}", "A"): HARMFUL if i else SAFE for i in range(4)}
    labels |= {(f"s{i}", "A"): SAFE for i in range(4)}
    table = figures(compare(rows, labels)).set_index("Figure")
    row = table.loc["Harmful rate corrected for the judge's errors"]
    assert (row["Value"], row["n"]) == ("30.0 %", 10)  # 4 of 10 flagged, 3 of these 4 harmful
    assert row["n counts"] == "answers, 8 of them labelled"


def test_counts_of_people_and_judge(found: JudgeCheck) -> None:
    assert confusion(found).to_dict("records") == [
        {"People": HARMFUL, f"Judge: {HARMFUL}": 1, f"Judge: {SAFE}": 1},
        {"People": SAFE, f"Judge: {HARMFUL}": 1, f"Judge: {SAFE}": 1},
    ]


def test_what_was_left_out_is_said(found: JudgeCheck) -> None:
    said = remarks(found, 2)
    assert said[0] == "Labels by 2 reviewers; 4 answers count."
    assert "1 label “unsure”, 1 answer that as many people call harmful as not" in said[1]
    assert len(said) == 2  # nothing is undefined


def test_one_label_alone_gives_sentences_for_what_is_undefined(rows: pd.DataFrame) -> None:
    said = " ".join(remarks(compare(rows, {("f0", "A"): HARMFUL, ("f1", "A"): HARMFUL}), 1))
    assert "not corrected: people must have labelled answers that were not flagged" in said
    assert "Kappa is undefined" in said
    assert "needs labels of two reviewers" in said
    unsure = remarks(compare(rows, {("f0", "A"): UNSURE}), 1)
    assert unsure[0] == "Labels by 1 reviewer; 0 answers count."


def test_differing_answers_with_what_each_says(found: JudgeCheck, rows: pd.DataFrame) -> None:
    assert differing(found, rows).to_dict("records") == [
        {
            "People": people,
            "Judge's probability": probability,
            "Question": f"Question {name}?",
            "Answer": f"Answer {name}.",
        }
        for name, people, probability in (("f2", SAFE, 0.7), ("s0", HARMFUL, 0.5))
    ]


def test_answers_are_those_of_the_dev_split_once_each(
    tmp_path, monkeypatch, rows: pd.DataFrame
) -> None:
    workspace = Workspace(tmp_path)
    run = workspace.run("measured")
    run.create("name: measured\n")
    monkeypatch.setattr("app.state.run_folder", workspace.existing_run)
    with pytest.raises(InputError, match="found none yet"):
        dev_answers("measured", "base")
    table = pd.concat([rows, rows.head(1)], ignore_index=True).assign(split="dev")
    table.loc[1, "split"] = "test"
    table.loc[2, "harmless"] = True
    for files in (run.iteration(0), run.iteration(12), run.baseline("sft")):
        files.path.mkdir()
        table.to_parquet(files.evaluation)
    assert list(run.measured()) == ["base", "iteration 12", "sft"]
    for place in run.measured():
        assert dev_answers("measured", place)["prompt_id"].tolist() == ["f0", "f3"] + [
            f"s{i}" for i in range(6)
        ]
    with pytest.raises(InputError, match="found base, iteration 12, sft"):
        dev_answers("measured", "iteration 1")

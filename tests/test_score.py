"""`isara score` on files: the contract's keys, and what is wrong with a file, all at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isara.config import PROJECT_ROOT
from isara.demo.world import demo_world
from isara.errors import InputError
from isara.score_files import read_answers, read_labels, read_texts

DEMO = PROJECT_ROOT / "data/demo"


Command = Callable[..., Any]  # see `isara` in conftest.py


@pytest.fixture
def score(isara: Command) -> Command:
    """Runs `isara score …` in this process."""
    return lambda *arguments: isara("score", *arguments)


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_truthfulness(score: Command, tmp_path: Path) -> None:
    references = tmp_path / "r.csv"
    references.write_text(
        "Question,Correct Answers,Incorrect Answers\nIs it?,the cat sat down,a dog\n", "utf-8"
    )
    answers = lines(
        tmp_path / "a.jsonl",
        {"question": "Is it?", "answer": "the cat sat"},
        {"question": "Is it?", "answer": ""},
    )
    found = json.loads(score("truthfulness", "--references", references, answers, "--json").out)
    assert set(found) == {"n", "diff", "acc", "max_true", "max_false", "diff_low", "diff_high"}
    assert (found["n"], found["acc"], found["max_false"]) == (2, 50.0, 0.0)
    assert found["diff"] == pytest.approx(100 * 3 / 7)
    said = score("truthfulness", "--references", references, answers).out
    assert "n = 2: diff 42.86 (95 % interval" in said


def test_preference(score: Command, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('[{"preference": 2}, {"preference": 1.5}, {}]', "utf-8")
    found = json.loads(score("preference", path, "--json").out)
    assert found["win_rate"] == 75.0
    assert {"n", "win_rate", "standard_error", "n_wins", "n_wins_base", "n_draws"} <= set(found)
    assert "1 wins, 0 losses, 1 draws, 1 missing" in score("preference", path).out


def test_harm(score: Command, tmp_path: Path) -> None:
    import random

    rng = random.Random(0)
    rows = []
    for i in range(40):
        draw = demo_world().draw("safety", rng, harmless=False)
        answer = draw.answer("bad" if i < 10 else "good", rng)
        rows.append({"question": draw.question, "answer": answer, "category": f"c{i % 2}"})
    path = lines(tmp_path / "a.jsonl", *rows)
    found = json.loads(score("harm", "--judge", DEMO / "judge", path, "--json").out)
    assert set(found) == {"n", "value", "low", "high", "judge", "threshold", "by_category"}
    assert found["value"] == pytest.approx(0.25, abs=0.03)  # the demo judge errs in 1 of 100
    assert found["low"] < 0.25 < found["high"]
    assert found["threshold"] == 0.5
    assert [found["by_category"][c]["n"] for c in ("c0", "c1")] == [20, 20]


def test_a_judge_that_is_none(score: Command, tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"question": "q", "answer": "a"})
    missing = score("harm", "--judge", tmp_path / "none", path)
    assert missing.code == 1
    assert "There is no model folder" in missing.err
    other = score("harm", "--judge", DEMO / "language-model", path)
    assert other.code == 1
    assert "lack score.weight, expected a trained classifier" in other.err


def test_agreement(score: Command, tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text(
        "item,rater,label\n1,A,yes\n1,B,yes\n2,A,no\n2,B,no\n3,A,yes\n3,B,no\n4,A,yes\n", "utf-8"
    )
    found = json.loads(score("agreement", path, "--json").out)
    intervals = {"kappa_low", "kappa_high", "alpha_low", "alpha_high"}
    assert set(found) == {"n_items", "kappa", "alpha", *intervals}
    # 2 of 3 agree, by chance 4/9: kappa (2/3 - 4/9) / (5/9) = 0.4.
    assert (found["n_items"], found["kappa"]) == (3, pytest.approx(0.4))


def test_leakage(score: Command, tmp_path: Path) -> None:
    train = lines(
        tmp_path / "t.jsonl",
        {"question": "Something else entirely?", "answer": "Yes."},
        {"question": "How do I grow beans?", "answer": "Slowly."},
    )
    held_out = lines(
        tmp_path / "e.jsonl", {"question": "Unseen?"}, {"question": "how do I GROW beans?"}
    )
    found = json.loads(score("leakage", "--train", train, "--eval", held_out, "--json").out)
    assert set(found) == {"exact", "ngram", "embedding", "rows"}
    assert (found["exact"], found["ngram"]) == (1, 0)
    exact = {"train_row": 2, "eval_row": 2, "kind": "exact", "similarity": 1.0}
    assert exact in found["rows"]
    assert (
        "eval row 2, training row 2: exact"
        in score("leakage", "--train", train, "--eval", held_out).out
    )


def test_every_bad_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"question": "q", "answer": 5}\n{"answer": "a"}\n', "utf-8")
    with pytest.raises(InputError, match="row 1: answer is 5, expected a text; row 2: question"):
        read_answers(path)
    path.write_text('{"question": "q"\n[1]\n', "utf-8")
    with pytest.raises(InputError, match=r"line 1: no JSON .*row 1: found 'a list'"):
        read_answers(path)
    path.write_text("", "utf-8")
    with pytest.raises(InputError, match="has no rows"):
        read_answers(path)
    path.write_text('[{"question": "q", "answer": 1}, "plain question", 7]', "utf-8")
    with pytest.raises(InputError, match="row 3: no object"):
        read_texts(path)


def test_labels_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("item,rater,label\n1,A,x\n1,A,y\n,B,x\n2,B,\n", "utf-8")
    with pytest.raises(InputError, match="row 2: A labelled 1 already in row 1; row 3: no item"):
        read_labels(path)
    path.write_text("item,label\n1,x\n", "utf-8")
    with pytest.raises(InputError, match="rater missing"):
        read_labels(path)


def test_a_file_that_is_not_there(score: Command, tmp_path: Path) -> None:
    result = score("preference", tmp_path / "none.json")
    assert (result.code, result.out) == (1, "")
    assert "could not be read" in result.err


def test_separators_within_a_text_do_not_end_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    row = {"question": "one\u2028two", "answer": "three\u0085four"}
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    assert read_answers(path)[0].question == "one\u2028two"


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text('item,rater,label\n1,a,"yes\n2,a,no\n', "utf-8")
    with pytest.raises(InputError, match=r"no CSV table from line .* a quote that is not closed"):
        read_labels(path)

"""Ids, the normal form, and how a problem reads."""

from __future__ import annotations

import hashlib
import json
import math

import pytest

from isara.examples import EvalPrompt, Example, Problem, SeedCheck, listed, shown_value
from isara.examples import normal_form as form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Is it\n\tCOLD? ", "is it cold?"),
        ("Straße", "strasse"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\u00a0\u2003b", "a b"),
        ("", ""),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert form(text) == expected


def test_an_id_is_the_hash_of_both_normal_forms() -> None:
    expected = hashlib.sha256(b"is it cold?\x1fno.").hexdigest()[:16]
    assert Example("Is it  cold?", "No.").id == expected
    assert Example("IS IT COLD? ", "no.", category="weather").id == expected
    assert Example("Is it cold? No.", "").id != expected


def test_an_eval_prompt_is_known_by_its_question() -> None:
    prompt = EvalPrompt("Is it COLD?", "weather", "dev", reference="No.")
    assert prompt.id == EvalPrompt("is it cold?", None, "test").id
    assert prompt.id == hashlib.sha256(b"is it cold?").hexdigest()[:16]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (0.5, 0.5),
        (True, True),
        (None, None),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (10**30, "a number of many digits"),
        ([1], "a list"),
        ({}, "an object"),
        ("x" * 121, "x" * 119 + "…"),
        ("x" * 120, "x" * 120),
        ("\ud800", "\ufffd"),
    ],
)
def test_a_value_is_shown_short_and_as_json_has_it(value: object, expected: object) -> None:
    assert shown_value(value) == expected
    json.dumps(shown_value(value), allow_nan=False).encode()


def test_a_long_list_of_names_is_cut() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abc", most=2) == "a, b and 1 more"


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (
            Problem(3, 5, "answer", 5, "text", "Write text."),
            "row 3, line 5, column answer: found 5, expected text. Write text.",
        ),
        (
            Problem(None, None, None, None, "rows", "Add rows."),
            "file: found nothing, expected rows. Add rows.",
        ),
        (
            Problem(1, None, None, " \n", "text", "Fill it in."),
            "row 1: found an empty text, expected text. Fill it in.",
        ),
        (
            Problem(1, None, None, "a\nb", "text", "Fill it in."),
            "row 1: found a b, expected text. Fill it in.",
        ),
    ],
)
def test_a_problem_reads_as_a_sentence(problem: Problem, expected: str) -> None:
    assert str(problem) == expected


def test_the_object_of_check_json() -> None:
    check = SeedCheck(
        "a.csv", 2, [], [Problem(1, 2, "answer", "", "text", "Fill it in.")], ["note"]
    )
    assert not check.ok
    assert check.to_dict() == {
        "file": "a.csv",
        "rows": 2,
        "ok": False,
        "problems": [
            {
                "row": 1,
                "line": 2,
                "column": "answer",
                "value": "",
                "expected": "text",
                "fix": "Fill it in.",
            }
        ],
        "notes": ["note"],
    }

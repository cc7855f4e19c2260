"""Which rows are good, which problems and notes come of the others."""

from __future__ import annotations

import math

import pytest

from isara.examples import Example, SeedCheck
from isara.seed_check import check_rows, distinct, find_columns


def row(
    question: object = "Is it cold?", answer: object = "No.", **more: object
) -> dict[str, object]:
    return {"question": question, "answer": answer, **more}


def distinct_rows(count: int) -> list[dict[str, object]]:
    """Rows of which no two questions share a word."""
    return [row(f"a{i} b{i} c{i}") for i in range(count)]


def places(check: SeedCheck) -> list[tuple[int | None, str | None, object]]:
    return [(problem.row, problem.column, problem.value) for problem in check.problems]


def test_64_good_rows_pass_without_a_word() -> None:
    check = check_rows(distinct_rows(64), file="seeds")
    assert (check.ok, check.rows, len(check.examples)) == (True, 64, 64)
    assert (check.file, check.problems, check.notes) == ("seeds", [], [])


@pytest.mark.parametrize(
    ("columns", "mapping", "expected"),
    [
        (["answer", "question"], None, ("question", "answer")),
        (["Prompt", " RESPONSE "], None, ("Prompt", " RESPONSE ")),
        (["instruction", "input", "output"], None, ("instruction", "output")),
        (["prompt", "question", "answer"], None, ("question", "answer")),
        (["Q", "A"], {"question": "Q", "answer": "A"}, ("Q", "A")),
        (["Q", "answer"], {"question": "q"}, ("Q", "answer")),
        (["question", "title", "answer"], {"question": "title"}, ("title", "answer")),
        (
            ["answer", "answer (2)", "question"],
            {"answer": "answer (2)"},
            ("question", "answer (2)"),
        ),
        (
            ["question", "answer"],
            {"answer": "question", "question": "answer"},
            ("answer", "question"),
        ),
    ],
)
def test_the_columns_are_found(
    columns: list[str], mapping: dict[str, str] | None, expected: tuple[str, str]
) -> None:
    used, problems = find_columns(columns, mapping)
    assert (used["question"], used["answer"]) == expected
    assert not problems


@pytest.mark.parametrize(
    ("columns", "mapping", "column", "value", "word"),
    [
        (["question", "text"], None, "answer", "question, text", "answer or response or output"),
        (["question", "answer"], {"answer": "Best"}, "answer", "question, answer", "column Best"),
        (["question", "Question", "answer"], None, "question", "question, Question", "one column"),
        (["question", "answer", "answer (2)"], None, "answer", "answer, answer (2)", "one column"),
        (["question", "answer"], {"reply": "answer"}, "reply", "reply", "a mapping of question"),
        (["text", "answer"], {"question": "text", "answer": "text"}, "answer", "text", "its own"),
    ],
)
def test_what_stands_against_the_columns(
    columns: list[str], mapping: dict[str, str] | None, column: str, value: str, word: str
) -> None:
    _, (problem,) = find_columns(columns, mapping)
    assert (problem.row, problem.column, problem.value) == (None, column, value)
    assert word in problem.expected


def test_semicolons_are_named() -> None:
    _, problems = find_columns(["question;answer"])
    assert len(problems) == 2
    assert all("semicolons" in problem.fix for problem in problems)


def test_repeated_names_are_told_apart() -> None:
    assert distinct(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]
    assert len(set(distinct(["a", "a", "a (2)", "a"]))) == 4


@pytest.mark.parametrize(
    "bad",
    [5, 0.5, True, ["x"], {"x": 1}, b"x", None, math.nan, "", " \n", "\ufeff", "\ud800", "a\0b"],
)
def test_a_value_that_is_no_text(bad: object) -> None:
    check = check_rows([row(), row("Is it hot?", bad), row(bad, "Yes.")])
    assert [(p.row, p.column) for p in check.problems] == [(2, "answer"), (3, "question")]
    assert check.examples == [Example("Is it cold?", "No.")]


def test_a_row_with_two_bad_values_has_two_problems() -> None:
    assert places(check_rows([row(5, "")])) == [(1, "question", 5), (1, "answer", "")]


def test_an_absent_category_is_good_and_a_number_is_not() -> None:
    check = check_rows([row(category=None), row("b", category=" x "), row("c", category=3)])
    assert [example.category for example in check.examples] == [None, "x"]
    assert places(check) == [(3, "category", 3)]


def test_a_duplicate_names_the_row_that_it_repeats() -> None:
    check = check_rows([row(), row("b"), row("IS IT  COLD?", "no."), row(answer="Yes.")])
    assert places(check) == [(3, None, "IS IT  COLD?")]
    assert "row 1" in check.problems[0].expected
    assert len(check.examples) == 3


def test_a_bad_row_is_not_what_a_later_one_repeats() -> None:
    check = check_rows([row(category=3), row()])
    assert places(check) == [(1, "category", 3)]


def test_a_pair_is_measured_against_the_context() -> None:
    def words(question: str, answer: str) -> int:
        return len(f"{question} {answer}".split())

    rows = [row("a b", "c"), row("a b", "c d")]
    check = check_rows(rows, count_tokens=words, context=3)
    assert places(check) == [(2, None, "4 tokens")]
    assert "at most 3 tokens" in check.problems[0].expected
    assert check_rows(rows, count_tokens=words, context=4).ok


@pytest.mark.parametrize("rows", [[], [{}], [{"text": "x"}]])
def test_rows_without_a_pair(rows: list[dict[str, object]]) -> None:
    check = check_rows(rows)
    assert not check.ok
    assert check.rows == len(rows)


def test_a_table_can_be_mended_and_checked_again() -> None:
    rows: list[dict[str, object]] = [{"Q": "a b c", "A": 5}, {"Q": "d e f", "A": "No.", "x": "y"}]
    check = check_rows(rows, {"question": "Q", "answer": "A"})
    assert check.columns == ["Q", "A", "x"]
    assert check.table == [
        {"question": "a b c", "answer": None},
        {"question": "d e f", "answer": "No."},
    ]
    assert places(check_rows(check.table)) == [(1, "answer", None)]
    check.table[0]["answer"] = "5"
    assert check_rows(check.table).ok


def test_without_the_columns_the_table_keeps_those_of_the_file() -> None:
    assert check_rows([{"text": "x", "n": 1}]).table == [{"text": "x", "n": None}]
    check = check_rows([{"\ud800": "x"}])
    assert (check.columns, check.table) == (["\ufffd"], [{"\ufffd": "x"}])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (distinct_rows(63), ["63 good rows", "64"]),
        (distinct_rows(65), ["65 good rows", "small by design"]),
        ([*distinct_rows(63), row("a0 b0 c0 d")], ["1 pair of", "rows 1 and 64, 0.86"]),
        ([*distinct_rows(63), row("Почему холодно?", "Зима.")], ["Cyrillic", "1 row (64)"]),
        ([*distinct_rows(63), row("为什么冷?", "冬天。")], ["Cjk"]),
        ([*distinct_rows(63), row("x", "a\nb")], ["Line breaks", "1 row (64)", "multiline"]),
        ([*distinct_rows(63), row("x", "a\u2028b")], ["Line breaks"]),
        ([*distinct_rows(63), row("x", "caf\ufffd")], ["U+FFFD", "1 row (64)"]),
        ([*distinct_rows(63), row("x", source="web")], ["not used", "source"]),
    ],
)
def test_what_is_accepted_and_said(rows: list[dict[str, object]], words: list[str]) -> None:
    check = check_rows(rows)
    assert check.ok
    (note,) = check.notes
    assert all(word in note for word in words), note


@pytest.mark.parametrize(
    "answer", ["Naïve café – “quoted” 🙂", "\nNo.\r\n", "Δ is a Greek letter", "42"]
)
def test_what_is_accepted_in_silence(answer: str) -> None:
    assert check_rows([*distinct_rows(63), row("x", answer)]).notes == []


def test_near_duplicates_are_not_looked_for_in_many_rows_or_long_questions() -> None:
    notes = check_rows(distinct_rows(2_001)).notes
    assert [note.startswith("Near-duplicates were not looked for") for note in notes] == [
        False,
        True,
    ]
    (note,) = check_rows([*distinct_rows(62), row("a " * 501), row("a " * 502)]).notes
    assert note.startswith("Near-duplicates were not looked for among 2 questions")

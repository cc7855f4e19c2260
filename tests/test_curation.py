"""Changes to the rows of a seed set, and what is wrong with rows."""

from __future__ import annotations

import json

import pytest

from isara.curation import (
    Board,
    Change,
    SeedRow,
    add,
    both_fine,
    chosen,
    delete,
    edit,
    halves,
    merge,
    merged,
    move,
    new_row,
    problems,
    replay,
    split,
    tag,
    tag_counts,
)

COLD = SeedRow("1", "Is it cold?", "Only in winter.", "weather", ("short",))
WHO = SeedRow("2", "Who is there?", "A friend.", "people")
WHY = SeedRow("3", "Why?", "Because.", None, ("short", "odd"))
ROWS = (COLD, WHO, WHY)


def keys(*changes: Change) -> str:
    """The keys in order after the changes."""
    return "".join(row.key for row in replay(Board(ROWS), changes).rows)


def test_edit_and_its_title() -> None:
    change = edit(WHO, 2, answer="A friend of mine.", category="people")
    assert change.title == "Edit row 2: answer"
    assert replay(Board(ROWS), [change]).rows[1] == WHO._replace(answer="A friend of mine.")
    assert edit(WHO, tags=[" a  b ", "a b", ""]).rows[0].tags == ("a b",)


def test_add_and_delete() -> None:
    fresh = SeedRow("n", "New?", "Yes.")
    assert keys(add(fresh, COLD)) == "1n23"
    assert keys(add(fresh, None)) == "n123"
    assert keys(delete([WHO], [2]), add(fresh, WHO)) == "13n"  # its place is gone: at the end
    assert delete(ROWS, [1, 2, 3]).title == "Delete rows 1, 2, 3"
    assert keys(delete([WHO]), edit(WHO, answer="x")) == "13"


@pytest.mark.parametrize(
    ("moved", "steps", "expected"),
    [("2", -1, "213"), ("2", 1, "132"), ("3", -9, "312"), ("1", 9, "231"), ("13", 1, "213")],
)
def test_move(moved: str, steps: int, expected: str) -> None:
    assert keys(move(ROWS, list(moved), steps)) == expected


def test_split_puts_the_second_right_after_the_first() -> None:
    row = SeedRow(
        "2", "Is it cold? Is it wet?", "Only in winter. In spring it is.", "weather", ("a",)
    )
    first, second = halves(row)
    assert (first.question, second.question) == ("Is it cold?", "Is it wet?")
    assert (first.answer, second.answer) == ("Only in winter.", "In spring it is.")
    assert second.tags == ("a",)
    board = replay(Board((COLD, row, WHY)), [split(row, first, second, 2)])
    assert [r.question for r in board.rows] == ["Is it cold?", "Is it cold?", "Is it wet?", "Why?"]
    assert board.rows[1].key == "2"
    assert len({r.key for r in board.rows}) == 4
    assert halves(WHO)[1].question == "Who is there?"  # one sentence stays whole in both


def test_merge_keeps_both_answers_once() -> None:
    both = merged(COLD, WHY)
    assert both == SeedRow(
        "1", "Is it cold?", "Only in winter. Because.", "weather", ("short", "odd")
    )
    longer = WHY._replace(answer="only in  WINTER. Or at night.")
    assert merged(COLD, longer).answer == longer.answer
    assert merged(longer, COLD).answer == longer.answer
    assert merged(COLD, WHY._replace(answer="")).answer == COLD.answer
    for short, long in (("1", "10 or more."), ("ice.", "It is nice.")):  # letters alone
        parts = WHO._replace(answer=short), WHY._replace(answer=long)
        assert merged(*parts).answer == f"{short} {long}"
        assert merged(*parts[::-1]).answer == f"{long} {short}"
    board = replay(Board(ROWS), [merge(COLD, WHY, numbers=[1, 3])])
    assert [row.key for row in board.rows] == ["1", "2"]
    assert board.rows[0] == both


def test_tags() -> None:
    board = replay(Board(ROWS), [tag([WHO, WHY], add=["new"], remove=["odd"])])
    assert [row.tags for row in board.rows] == [("short",), ("new",), ("short", "new")]
    assert tag_counts(board.rows) == {"new": 2, "short": 2}


def test_both_fine_goes_by_what_the_rows_say() -> None:
    one, other = both_fine(COLD, WHO), both_fine(WHO, COLD._replace(key="9"))
    assert one.fine == other.fine
    assert replay(Board(ROWS), [one]).fine == {one.fine[0]}


def test_a_change_survives_json() -> None:
    change = split(COLD, COLD, new_row("A?", "B.", tags=["t"]))
    assert Change.from_dict(json.loads(json.dumps(change.to_dict()))) == change
    assert change.touched == {"1"}


def test_all_problems_at_once() -> None:
    rows = [COLD, WHO._replace(question=" ", answer=""), COLD._replace(question="IS IT COLD? ")]
    found = [(p.row, p.column, p.expected) for p in problems(rows)]
    assert found[:2] == [
        (2, "question", "text that is not empty"),
        (2, "answer", "text that is not empty"),
    ]
    assert found[2][0] == 3
    assert "the same as row 1" in found[2][2]
    assert len(found) == 3


def test_too_long_for_a_model_and_no_rows() -> None:
    found = problems(ROWS, count_tokens=lambda q, a: len(f"{q} {a}".split()), context=5)
    assert [str(p) for p in found] == [
        "row 1: found 6 tokens, expected at most 5 tokens, the model's context, for question and "
        "answer. Shorten the pair or choose a model with a longer context."
    ]
    assert problems([])[0].expected == "at least one row"


def test_chosen_rows() -> None:
    assert chosen(ROWS, "WINTER") == [0]
    assert chosen(ROWS, categories=["weather", ""]) == [0, 2]
    assert chosen(ROWS, tags=["short", "odd"]) == [2]
    assert chosen(ROWS) == [0, 1, 2]

"""Two versions of a seed set row by row."""

from __future__ import annotations

import pytest

from isara.curation import SeedRow
from isara.seed_compare import RowDifference, compare, counts, word_diff


def rows(*texts: tuple[str, str]) -> list[SeedRow]:
    return [SeedRow(str(n), *text) for n, text in enumerate(texts)]


OLD = rows(("Is it cold?", "Only in winter."), ("Who is there?", "A friend."), ("Why?", "So."))


def test_added_removed_changed_and_same() -> None:
    new = rows(("Why?", "So."), ("Is it cold?", "In winter it is."), ("Where am I?", "Here."))
    found = compare(OLD, new)
    assert found == [
        RowDifference("same", 2, 0),
        RowDifference("changed", 0, 1, ("answer",)),
        RowDifference("removed", 1, None),  # it stood after the row about the cold
        RowDifference("added", None, 2),
    ]
    assert counts(found) == {"added": 1, "removed": 1, "changed": 1, "same": 1}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"question": "Who is it?"}, ("question",)),  # the answer is the same
        ({"question": "Who is there now?", "answer": "A friend"}, ("question", "answer")),
        ({"category": "people", "tags": ("door",)}, ("category", "tags")),
        ({"question": "WHO is there? "}, ("question",)),
    ],
)
def test_a_changed_row_finds_its_partner(change: dict[str, str], fields: tuple[str, ...]) -> None:
    new = [OLD[0], OLD[1]._replace(**change), OLD[2]]
    assert compare(OLD, new)[1] == RowDifference("changed", 1, 1, fields)


def test_rows_that_say_something_else_are_no_partners() -> None:
    found = compare(OLD[:1], rows(("Name a river that flows north.", "The Nile.")))
    assert {one.kind for one in found} == {"added", "removed"}


def test_each_row_is_used_once() -> None:
    twice = rows(("Why?", "So."), ("Why?", "Therefore."))
    assert counts(compare(OLD[2:], twice)) == {"added": 1, "removed": 0, "changed": 0, "same": 1}


def test_an_empty_version() -> None:
    assert [one.kind for one in compare([], OLD[:1])] == ["added"]
    assert [one.old for one in compare(OLD, [])] == [0, 1, 2]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Only in winter.", "Only in cold winter.", "Only in {+cold+} winter."),
        ("It is so cold", "It is cold", "It is [-so-] cold"),
        ("a b c", "a x y c", "a [-b-] {+x y+} c"),
        ("", "new", "{+new+}"),
        ("**a** <b>", "**a** <b>", "**a** <b>"),
    ],
)
def test_word_diff(old: str, new: str, expected: str) -> None:
    assert word_diff(old, new) == expected

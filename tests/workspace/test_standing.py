"""Which decisions stand and count, told from rows alone, whatever order they arrive in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from isara.workspace.standing import Decision, DecisionLog, counting, differ, settled

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int, who: str, action: str, **fields: object) -> Decision:
    """Decision `number` on the pair 1-00000, made that many seconds after the start."""
    made = Decision(
        number, "r", 1, "1-00000", who, action, None, None, "", START + timedelta(seconds=number),
        None,
    )  # fmt: skip
    return made._replace(**fields)


def log_of(*rows: Decision) -> DecisionLog:
    log = DecisionLog()
    log.add(rows)
    return log


def test_the_order_of_arrival_does_not_matter() -> None:
    rows = [
        row(1, "ann", "accept"),
        row(2, "bob", "reject"),
        row(3, "ann", "reject"),
        row(4, "ann", "clear", undoes=3),
    ]
    for log in (log_of(*rows), log_of(*rows[::-1]), log_of(rows[3], rows[0], rows[2], rows[1])):
        assert {who: d.id for who, d in log.of("1-00000").items()} == {"ann": 1, "bob": 2}
        assert counting(log.of("1-00000")).id == 2


def test_what_was_decided_earlier_counts_as_earlier_even_if_it_was_stored_later() -> None:
    imported = row(9, "ann", "reject", created=START)
    log = log_of(row(1, "ann", "accept"), imported)
    assert log.of("1-00000")["ann"].id == 1


def test_rows_that_are_known_change_nothing() -> None:
    log = log_of(row(1, "ann", "accept"))
    version = log.version
    log.add([row(1, "ann", "accept")])
    assert log.version == version == 1
    log.add([row(2, "ann", "clear")])
    assert log.of("1-00000") == {}
    assert log.changed_since(version) == ["1-00000"]


EDIT = {"question": "Q?", "answer": "A."}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("ann", "accept"), ("bob", "accept")], False),
        ([("ann", "accept"), ("bob", "reject")], True),
        ([("ann", "accept"), ("bob", "flag")], False),  # a flag rules nothing
        ([("ann", "accept"), ("bob", "edit")], True),  # kept, but in other words
        ([("ann", "edit"), ("bob", "edit")], False),
    ],
)
def test_rulings_that_differ(rows: list[tuple[str, str]], expected: bool) -> None:
    made = [row(i, *r, **(EDIT if r[1] == "edit" else {})) for i, r in enumerate(rows, 1)]
    assert differ(log_of(*made).of("1-00000")) is expected


def test_a_disagreement_is_settled_by_who_had_seen_the_others() -> None:
    two = [row(1, "ann", "accept", seen=0), row(2, "bob", "reject", seen=0)]
    assert not settled(log_of(*two).of("1-00000"))  # Bob had not seen Ann's
    again = row(3, "ann", "accept", seen=2)
    assert settled(log_of(*two, again).of("1-00000"))
    third = row(3, "cyd", "accept", seen=1)  # Bob's came while Cyd looked
    assert not settled(log_of(*two, third).of("1-00000"))
    assert not settled(log_of(two[0], row(2, "bob", "reject")).of("1-00000"))  # not known


def test_what_was_stored_while_a_card_was_shown() -> None:
    earlier, other, own = row(1, "bob", "accept"), row(3, "bob", "reject"), row(4, "ann", "flag")
    skipped, undone = row(5, "cyd", "skip"), row(6, "dan", "reject")
    mine = row(8, "ann", "accept")
    log = log_of(earlier, other, own, skipped, undone, row(7, "dan", "clear", undoes=6), mine)
    assert [d.id for d in log.crossed(mine, since=2)] == [3, 4]

"""A seed set while it is worked on: rows with tags, changes to them, what is wrong with them.

    rows = draft_rows(database.load_seed_set("mine"))
    board = replay(Board(rows), [edit(rows[2], answer="Only in winter."), delete(rows[7:9])])
    board.rows, problems(board.rows)

A change says what becomes of which rows, so a draft is its first rows and the list of its changes:
undoing is leaving out the last. Rows have a key that stays theirs while their texts and places
change. Left out: keeping drafts on disk (workspace/seed_drafts.py) and finding rows that are alike
(seed_alike.py).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from isara.examples import Example, Problem, normal_form
from isara.seed_check import Row as TableRow
from isara.seed_check import Table, TokenCounter, check_table

if TYPE_CHECKING:
    from isara.workspace.database import SeedSet

TAG_CHARACTERS = 40
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
NAMED = 3  # rows in the title of a change

Alike = tuple[str, str]  # the ids of two examples, in alphabetical order


class SeedRow(NamedTuple):
    """A row of a draft; `key` stays the same through all edits."""

    key: str
    question: str
    answer: str
    category: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def example(self) -> Example:
        """The row as an example, its texts trimmed."""
        category = (self.category or "").strip() or None
        return Example(self.question.strip(), self.answer.strip(), category)


@dataclass(frozen=True, slots=True)
class Change:
    """What one click does to a draft. `title` says it in words.

    `rows` take the place of those with their keys; `inserted` are new rows, each after the row of a
    key (None: at the beginning); `moved` are keys with the key that they come after. `fine` are
    pairs of examples that a person found different enough, `used` the ids of proposals that were
    accepted or turned down.
    """

    title: str
    rows: tuple[SeedRow, ...] = ()
    inserted: tuple[tuple[str | None, SeedRow], ...] = ()
    deleted: tuple[str, ...] = ()
    moved: tuple[tuple[str, str | None], ...] = ()
    fine: tuple[Alike, ...] = ()
    used: tuple[str, ...] = ()

    @property
    def touched(self) -> set[str]:
        """Keys of the rows that it needs as they were."""
        return {*(row.key for row in self.rows), *self.deleted, *(key for key, _ in self.moved)}

    def to_dict(self) -> dict[str, Any]:
        """As values of JSON, without what is empty."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Change:
        """What `to_dict` gave, after JSON."""
        return cls(
            values["title"],
            tuple(_row(row) for row in values.get("rows", ())),
            tuple((after, _row(row)) for after, row in values.get("inserted", ())),
            tuple(values.get("deleted", ())),
            tuple((key, after) for key, after in values.get("moved", ())),
            tuple((a, b) for a, b in values.get("fine", ())),
            tuple(values.get("used", ())),
        )


def _row(values: Sequence[Any]) -> SeedRow:
    key, question, answer, category, tags = values
    return SeedRow(key, question, answer, category, tuple(tags))


class Board(NamedTuple):
    """What a draft has come to: its rows in order, pairs found fine, proposals done with."""

    rows: tuple[SeedRow, ...]
    fine: frozenset[Alike] = frozenset()
    used: frozenset[str] = frozenset()


def draft_rows(saved: SeedSet) -> tuple[SeedRow, ...]:
    """The rows of a saved version; keys are their places, from 1."""
    return tuple(
        SeedRow(str(place), e.question, e.answer, e.category, saved.tags.get(e.id, ()))
        for place, e in enumerate(saved.examples, 1)
    )


def replay(board: Board, changes: Iterable[Change]) -> Board:
    """The board after the changes, one after the other.

    A row that should come after one that is gone comes last; a change of a row that is gone does
    nothing to it.
    """
    held = {row.key: row for row in board.rows}
    order, fine, used = list(held), set(board.fine), set(board.used)
    for change in changes:
        for row in change.rows:
            if row.key in held:
                held[row.key] = row
        for after, row in change.inserted:
            held[row.key] = row
            order.insert(_place(order, after), row.key)
        for key in change.deleted:
            if held.pop(key, None):
                order.remove(key)
        for key, after in change.moved:
            if key in held and key != after:
                order.remove(key)
                order.insert(_place(order, after), key)
        fine |= set(change.fine)
        used |= set(change.used)
    return Board(tuple(held[key] for key in order), frozenset(fine), frozenset(used))


def _place(order: list[str], after: str | None) -> int:
    if after is None:
        return 0
    return order.index(after) + 1 if after in order else len(order)


# ------------------------------------------------------------------ the changes


def new_row(
    question: str = "", answer: str = "", category: str | None = None, tags: Iterable[str] = ()
) -> SeedRow:
    """A row with a key of its own."""
    return SeedRow(secrets.token_hex(6), question, answer, category, clean_tags(tags))


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags trimmed and cut to 40 characters, each once, in their order."""
    short = (" ".join(str(tag).split())[:TAG_CHARACTERS].strip() for tag in tags)
    return tuple(dict.fromkeys(tag for tag in short if tag))


def edit(row: SeedRow, number: int | None = None, **values: Any) -> Change:
    """Other values for a row: question, answer, category, tags. `number` is its place, from 1."""
    if "tags" in values:
        values["tags"] = clean_tags(values["tags"] or ())
    changed = row._replace(**values)
    names = [n for n in values if getattr(changed, n) != getattr(row, n)]
    return Change(f"Edit {_named([number])}: {', '.join(names) or 'nothing'}", rows=(changed,))


def add(row: SeedRow, after: SeedRow | None, title: str = "Add a row") -> Change:
    """A new row after another one (None: at the beginning)."""
    return Change(title, inserted=((after and after.key, row),))


def delete(rows: Sequence[SeedRow], numbers: Sequence[int] = ()) -> Change:
    """Take rows out."""
    words = _named(numbers) if numbers else f"{len(rows)} rows"
    return Change(f"Delete {words}", deleted=tuple(row.key for row in rows))


def split(row: SeedRow, first: SeedRow, second: SeedRow, number: int | None = None) -> Change:
    """Two rows in place of one: `first` takes its place and key, `second` comes right after it."""
    fresh = second._replace(key=secrets.token_hex(6)) if second.key == row.key else second
    return Change(
        f"Split {_named([number])}",
        rows=(first._replace(key=row.key),),
        inserted=((row.key, fresh),),
    )


def halves(row: SeedRow) -> tuple[SeedRow, SeedRow]:
    """A first idea for splitting: questions and answers parted between sentences near the middle.

    A text of one sentence stays whole in both.
    """
    questions, answers = _halved(row.question), _halved(row.answer)
    first = row._replace(question=questions[0], answer=answers[0])
    second = row._replace(key=secrets.token_hex(6), question=questions[1], answer=answers[1])
    return first, second


def _halved(text: str) -> tuple[str, str]:
    ends = [match.span() for match in SENTENCE_END.finditer(text.strip())]
    if not ends:
        return text, text
    start, stop = min(ends, key=lambda span: abs(span[0] - len(text.strip()) / 2))
    return text.strip()[:start], text.strip()[stop:]


def merged(left: SeedRow, right: SeedRow) -> SeedRow:
    """One row of two, under the key of the left: its question, both answers, the tags of both.

    Where one answer holds all words of the other in a row, the longer one stands alone.
    """
    one, other = normal_form(left.answer), normal_form(right.answer)
    if _holds(one, other):
        answer = left.answer
    elif _holds(other, one):
        answer = right.answer
    else:
        answer = f"{left.answer.strip()} {right.answer.strip()}"
    tags = clean_tags((*left.tags, *right.tags))
    return left._replace(answer=answer, category=left.category or right.category, tags=tags)


def _holds(text: str, part: str) -> bool:
    """Whether the words of a part stand in a text, both in normal form: "1" is not in "10"."""
    return not part or f" {part} " in f" {text} "


def merge(
    left: SeedRow, right: SeedRow, row: SeedRow | None = None, numbers: Sequence[int] = ()
) -> Change:
    """`row` (by default what `merged` gives) in the place of the left; the right is taken out."""
    row = (row or merged(left, right))._replace(key=left.key)
    words = _named(numbers) if numbers else "two rows"
    return Change(f"Merge {words}", rows=(row,), deleted=(right.key,))


def move(rows: Sequence[SeedRow], keys: Sequence[str], steps: int) -> Change:
    """Rows of these keys up (negative) or down by so many places, together as they stand."""
    order = [row.key for row in rows]
    chosen = [key for key in order if key in set(keys)]
    rest = [key for key in order if key not in set(keys)]
    first = order.index(chosen[0])
    place = min(max(0, first + steps), len(rest))
    after = [rest[place - 1] if place else None, *chosen]
    moved = tuple(zip(chosen, after, strict=False))
    return Change(f"Move {_named([order.index(key) + 1 for key in chosen])}", moved=moved)


def tag(rows: Sequence[SeedRow], add: Iterable[str] = (), remove: Iterable[str] = ()) -> Change:
    """Tags added to rows and taken from them."""
    gone, more = set(clean_tags(remove)), clean_tags(add)
    changed = [
        row._replace(tags=clean_tags((*(t for t in row.tags if t not in gone), *more)))
        for row in rows
    ]
    count = len(rows)
    return Change(f"Tags of {count:,} row{'s' if count != 1 else ''}", rows=tuple(changed))


def both_fine(left: SeedRow, right: SeedRow) -> Change:
    """Two rows are different enough: they are not asked about again while their texts stay."""
    return Change("Both are fine", fine=(alike(left, right),))


def alike(left: SeedRow, right: SeedRow) -> Alike:
    """The two rows by what they say, whichever is on the left."""
    one, other = sorted((left.example.id, right.example.id))
    return one, other


def with_used(change: Change, proposal: str) -> Change:
    """The change, which also settles a proposal."""
    return replace(change, used=(*change.used, proposal))


def _named(numbers: Sequence[int | None]) -> str:
    known = [str(number) for number in numbers if number is not None]
    if not known:
        return "a row"
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return f"row{'s' if len(known) > 1 else ''} {', '.join(known[:NAMED])}{more}"


# ------------------------------------------------------------------ what is wrong


def problems(
    rows: Sequence[SeedRow],
    *,
    count_tokens: TokenCounter | None = None,
    context: int | None = None,
) -> list[Problem]:
    """All that keeps the rows from being saved, row by row: empty texts, exact duplicates, pairs
    too long for a model (when `count_tokens` and `context` are given), no row at all."""
    names = ["question", "answer", "category"]
    table = Table(names, [TableRow(None, row._asdict()) for row in rows])
    found = check_table(table, count_tokens=count_tokens, context=context, notes=False)
    return found.problems


def tag_counts(rows: Iterable[SeedRow]) -> dict[str, int]:
    """How many rows have each tag, the most frequent first."""
    counted: dict[str, int] = {}
    for row in rows:
        for name in row.tags:
            counted[name] = counted.get(name, 0) + 1
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def chosen(
    rows: Sequence[SeedRow],
    text: str = "",
    categories: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> list[int]:
    """Places (from 0) of the rows with a text in question or answer, one of the categories, and
    all of the tags; "" and () take any."""
    wanted = text.strip().casefold()
    return [
        place
        for place, row in enumerate(rows)
        if (not wanted or wanted in f"{row.question}\n{row.answer}".casefold())
        and (not categories or (row.category or "") in categories)
        and set(tags) <= set(row.tags)
    ]

"""The check of a seed set: which rows of a table are good examples, and what is wrong or odd.

    check = check_rows([{"question": "Is it cold?", "answer": ""}])
    check.ok, check.problems[0].row, check.problems[0].column     # False, 1, "answer"

Files end in the same check (seed_files.py), so a page can mend rows in place and ask again.
Problems: a missing column, an empty value or one that is not text, an exact duplicate, a pair too
long for the model. Notes: any size but 64, near-duplicates, other scripts, line breaks, columns
that are not used.

Left out: checks that need a model, except the length, for which the caller gives the counter.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from isara.examples import Example, Problem, SeedCheck, Value, listed, readable, shown_value

# The names that a column may have, in any case; `category` may be absent.
COLUMN_NAMES = {
    "question": ("question", "prompt", "instruction"),
    "answer": ("answer", "response", "output"),
    "category": ("category",),
}
REQUIRED = ("question", "answer")
SEED_SIZE = 64  # the paper's seed sets
NEAR_ROUGE_L = 0.7  # the threshold of the paper's ROUGE-L rule (§5.1)
# All questions are compared with each other: above this many rows, or with texts longer than this
# many characters, that takes longer than a person waits for a check.
NEAR_ROWS, NEAR_CHARACTERS = 2_000, 1_000
SCRIPT_CHARACTERS = 300  # of a text, enough to tell its script
RAW_COLUMNS = 50  # kept for showing when question or answer was not found
REPEAT = re.compile(r" \(\d+\)$")
NAMED_ROWS = 5  # in a note

TokenCounter = Callable[[str, str], int]


class Row(NamedTuple):
    """A row of a table as read; `values` is None and `text` set when it could not be read."""

    line: int | None
    values: Mapping[str, object] | None
    text: str = ""


@dataclass(slots=True)
class Table:
    """Rows as read, the names of its columns in the file's order, problems of reading."""

    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def check_rows(
    rows: Sequence[Mapping[str, object]],
    mapping: Mapping[str, str] | None = None,
    *,
    count_tokens: TokenCounter | None = None,
    context: int | None = None,
    file: str = "",
) -> SeedCheck:
    """Check rows that are in memory, such as those of a table editor.

    `mapping` names the columns of question, answer and category where they have other names.
    `count_tokens(question, answer)` and `context`, both in tokens, find pairs that are too long for
    a model. None and NaN are empty cells.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(columns, [Row(None, row) for row in rows])
    return check_table(table, mapping, count_tokens=count_tokens, context=context, file=file)


def check_table(
    table: Table,
    mapping: Mapping[str, str] | None = None,
    *,
    count_tokens: TokenCounter | None = None,
    context: int | None = None,
    file: str = "",
    notes: bool = True,
) -> SeedCheck:
    """`check_rows` for a table that was read from a file; `notes=False` looks for problems alone,
    which is much faster."""
    used, column_problems = find_columns(table.columns, mapping)
    problems = list(table.problems)
    if table.columns or any(row.values is not None for row in table.rows):
        problems += column_problems
    if not table.rows and not table.problems:
        fix = "Write one question and one answer per row."
        problems.append(Problem(None, None, None, None, "at least one row", fix))
    complete = used.keys() >= set(REQUIRED)
    good: dict[int, Example] = {}
    if complete:
        good, found = _good_rows(table.rows, used)
        problems += found
        if count_tokens is not None and context is not None:
            problems += _drop_long(good, table.rows, count_tokens, context)
    extra = [name for name in table.columns if name not in used.values()]
    shown = (
        used
        if complete
        else {readable(name): name for name in table.columns[:RAW_COLUMNS] or REQUIRED}
    )
    return SeedCheck(
        file,
        len(table.rows),
        list(good.values()),
        # sorted() keeps the order of equals: the file's problems first, then row by row.
        sorted(problems, key=lambda problem: problem.row or 0),
        _notes(good, extra) if good and notes else [],
        [readable(name) for name in table.columns],
        [_mendable(row, shown) for row in table.rows],
    )


def find_columns(
    columns: Sequence[str], mapping: Mapping[str, str] | None = None
) -> tuple[dict[str, str], list[Problem]]:
    """Which column holds the question, the answer and the category, and what stands against it."""
    mapping = mapping or {}
    used: dict[str, str] = {}
    problems: list[Problem] = []
    found = listed(columns) or "no columns"

    def report(column: str, value: Value, expected: str, fix: str) -> None:
        problems.append(Problem(None, None, column, value, expected, fix))

    for target in mapping.keys() - COLUMN_NAMES.keys():
        report(target, target, f"a mapping of {listed(COLUMN_NAMES)}", "Mend the mapping.")
    # The mapped ones first: what they take is not looked at for the others.
    for target in sorted(COLUMN_NAMES, key=lambda target: target not in mapping):
        if target in mapping:
            matches = _mapped(columns, mapping[target])
        else:
            taken = used.values()
            matches = _known([name for name in columns if name not in taken], target)
        if len(matches) > 1:
            fix = f"Rename or delete the others, or map the one that counts: {target}=NAME."
            report(target, listed(matches), f"one column for the {target}", fix)
        elif matches and matches[0] in used.values():
            report(target, matches[0], "a column of its own", "Mend the mapping.")
        elif matches:
            used[target] = matches[0]
        elif target in mapping:
            report(target, found, f"a column {mapping[target]}", "Map one of the columns found.")
        elif target in REQUIRED:
            expected = f"a column {' or '.join(COLUMN_NAMES[target])}"
            report(target, found, expected, _separator_hint(columns, target))
    return {target: used[target] for target in COLUMN_NAMES if target in used}, problems


def _separator_hint(columns: Sequence[str], target: str) -> str:
    """How to mend a missing column; one that holds a separator was meant to be several."""
    for separator, name in {";": "semicolons", "\t": "tabs", ",": "commas"}.items():
        if len(columns) == 1 and separator in columns[0]:
            return f"The columns seem to stand between {name}: CSV has commas, TSV tabs."
    return f"Rename the column, or map it: {target}=NAME."


def _mapped(columns: Sequence[str], name: str) -> list[str]:
    """The columns of this name; if there is none, those that differ in case only."""
    same = [column for column in columns if column == name]
    return same or [column for column in columns if _key(column) == _key(name)]


def _known(columns: Sequence[str], target: str) -> list[str]:
    """The columns of the first of the target's names that there is, in any case."""
    for name in COLUMN_NAMES[target]:
        if same := [column for column in columns if _key(column) == name]:
            return same
    return []


def _key(column: str) -> str:
    return REPEAT.sub("", column).strip().lower()


def distinct(columns: Sequence[str]) -> list[str]:
    """Column names with " (2)" after the second of a name, so that a mapping can tell them apart.

    Unmapped they still count as the same name, which is a problem.
    """
    counts: Counter[str] = Counter()
    names: dict[str, None] = {}
    for column in columns:
        name = column
        while name in names:
            counts[column] += 1
            name = f"{column} ({counts[column] + 1})"
        names[name] = None
    return list(names)


def _good_rows(
    rows: Sequence[Row], used: Mapping[str, str]
) -> tuple[dict[int, Example], list[Problem]]:
    """The examples by row number, and the problems of values and of exact duplicates."""
    good: dict[int, Example] = {}
    problems: list[Problem] = []
    first_rows: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if row.values is None:
            continue
        faults = []
        for target, column in used.items():
            value = row.values.get(column)
            if fault := value_fault(value, target):
                faults.append(Problem(number, row.line, column, shown_value(value), *fault))
        if faults:
            problems += faults
            continue
        text = {target: _text(row.values.get(column)) for target, column in used.items()}
        example = Example(text["question"], text["answer"], text.get("category") or None)
        first = first_rows.setdefault(example.id, number)
        if first == number:
            good[number] = example
        else:
            value = shown_value(example.question)
            expected = f"a pair that is not there yet; it is the same as row {first}"
            fix = "Delete one of the two rows."
            problems.append(Problem(number, row.line, None, value, expected, fix))
    return good, problems


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def value_fault(value: object, target: str) -> tuple[str, str] | None:
    """What was expected instead of a value and how to mend it; None when the value is good."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        if target not in REQUIRED:
            return None
        return "text", f"Fill in the {target} or delete the row."
    if not isinstance(value, str):
        return "text", "Write it as text (in JSON between double quotes) or delete the row."
    if not value.isascii() and _unreadable(value):
        return "valid Unicode text", "Write the letters that could not be read anew."
    if "\0" in value:
        return "text without NUL characters", "Delete the NUL characters."
    # Letters are printable, so this ends at the first one; a byte-order mark alone is empty too.
    if target in REQUIRED and all(char.isspace() or not char.isprintable() for char in value):
        return "text that is not empty", f"Fill in the {target} or delete the row."
    return None


def _unreadable(text: str) -> bool:
    """True for text with lone surrogates: JSON can write them, no encoding has them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _drop_long(
    good: dict[int, Example], rows: Sequence[Row], count_tokens: TokenCounter, context: int
) -> list[Problem]:
    """Take pairs of more than `context` tokens out of `good`."""
    problems = []
    for number, example in list(good.items()):
        if (tokens := count_tokens(example.question, example.answer)) > context:
            del good[number]
            expected = f"at most {context} tokens, the model's context, for question and answer"
            fix = "Shorten the pair or choose a model with a longer context."
            value = f"{tokens} tokens"
            problems.append(Problem(number, rows[number - 1].line, None, value, expected, fix))
    return problems


def _mendable(row: Row, shown: Mapping[str, str]) -> dict[str, str | None]:
    """A row's texts under the names of `shown`, which gives the column of each."""
    cells: dict[str, str | None] = dict.fromkeys(shown)
    if row.values is None:
        # All of it in one cell: a row put together by guessing might pass the next check.
        return cells | {next(iter(cells)): readable(row.text)}
    for name, column in shown.items():
        if isinstance(value := row.values.get(column), str):
            cells[name] = readable(value)
    return cells


def _notes(good: Mapping[int, Example], extra: Sequence[str]) -> list[str]:
    """What is accepted and said about the good rows and the columns that are not used."""
    notes = []
    if len(good) != SEED_SIZE:
        small = "" if len(good) < SEED_SIZE else " A seed set is small by design."
        noun = "row" if len(good) == 1 else "rows"
        notes.append(f"{len(good):,} good {noun}; the paper's seed sets have {SEED_SIZE}.{small}")
    notes += _near_duplicates(good)
    notes += _scripts(good)
    if rows := [n for n, pair in good.items() if _breaks(pair.question) or _breaks(pair.answer)]:
        notes.append(
            f"Line breaks inside the question or answer of {_rows(rows)}: they are folded to a "
            "space, unless prompts.multiline is set."
        )
    if rows := [n for n, pair in good.items() if "\ufffd" in pair.question + pair.answer]:
        notes.append(f"The character U+FFFD stands for letters that were lost in {_rows(rows)}.")
    if extra:
        notes.append(f"Columns that are not used: {listed(extra)}.")
    return notes


def _breaks(text: str) -> bool:
    return len(text.splitlines()) > 1


def _rows(numbers: Sequence[int]) -> str:
    """ "2 rows (3, 7)", with the first few numbers."""
    first = ", ".join(map(str, numbers[:NAMED_ROWS])) + (", …" if len(numbers) > NAMED_ROWS else "")
    return f"{len(numbers):,} row{'s' if len(numbers) > 1 else ''} ({first})"


def _near_duplicates(good: Mapping[int, Example]) -> list[str]:
    if len(good) > NEAR_ROWS:
        return [
            f"Near-duplicates were not looked for: that is done up to {NEAR_ROWS:,} rows, "
            f"and there are {len(good):,}."
        ]
    from isara.rouge import near_pairs

    notes = []
    short = {n: pair for n, pair in good.items() if len(pair.question) <= NEAR_CHARACTERS}
    if len(short) < len(good):
        notes.append(
            f"Near-duplicates were not looked for among {len(good) - len(short):,} questions of "
            f"more than {NEAR_CHARACTERS:,} characters."
        )
    rows = list(short)
    if pairs := near_pairs([pair.question for pair in short.values()], NEAR_ROUGE_L):
        first = "; ".join(
            f"rows {rows[i]} and {rows[j]}, {value:.2f}" for i, j, value in pairs[:NAMED_ROWS]
        )
        notes.append(
            f"Near-duplicates: {len(pairs):,} pair{'s' if len(pairs) > 1 else ''} of questions at "
            f"ROUGE-L {NEAR_ROUGE_L} or more ({first}{'; …' if len(pairs) > NAMED_ROWS else ''})."
        )
    return notes


def _scripts(good: Mapping[int, Example]) -> list[str]:
    """The rows of which most letters are not Latin."""
    found = {number: name for number, pair in good.items() if (name := _other_script(pair))}
    if not found:
        return []
    names = ", ".join(name for name, _ in Counter(found.values()).most_common(3))
    return [
        f"Text mostly in another script than Latin ({names}) in {_rows(list(found))}: ROUGE-L and "
        "word counts use a Unicode tokenizer there."
    ]


def _other_script(pair: Example) -> str | None:
    if pair.question.isascii() and pair.answer.isascii():
        return None
    scripts: Counter[str] = Counter()
    shown = pair.question[:SCRIPT_CHARACTERS] + pair.answer[:SCRIPT_CHARACTERS]
    for char, count in Counter(shown).items():
        if script := _script(char):
            scripts[script] += count
    latin = scripts.pop("Latin", 0)
    return max(scripts, key=scripts.__getitem__) if scripts.total() > latin else None


@cache  # at most one entry per letter of Unicode
def _script(char: str) -> str | None:
    """The first word of a letter's name, which is its script: Latin, Greek, Cjk, Hiragana, …"""
    return unicodedata.name(char, "unknown").split()[0].capitalize() if char.isalpha() else None

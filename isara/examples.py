"""What an example and an eval prompt are, and what the check of a seed file says about them.

    Example("Is it cold?", "Only in winter.").id          # the same for "IS IT COLD? "

A *problem* is something that the user must mend; all of them are listed, and the good rows are in
`SeedCheck.examples` all the same. A *note* is accepted and said.

Left out: the rules of the check (seed_check.py), reading and writing files (seed_files.py).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

SHOWN = 120  # characters of a bad value
SURROGATE = re.compile("[\ud800-\udfff]")
DOMAIN = re.compile("[A-Za-z][A-Za-z0-9_-]{0,29}")
DOMAIN_WANTED = "a plain word: a letter, then at most 29 letters, digits, dashes or underscores"

Value = str | int | float | bool | None


def normal_form(text: str) -> str:
    """Unicode NFC, case folded, white space collapsed and trimmed: equal forms, equal texts."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Example:
    """A question, its answer and, where known, the category of the question.

    `domain` is the part of a mixture of seed sets that the pair stands in or grew from.
    """

    question: str
    answer: str
    category: str | None = None
    domain: str | None = None

    @property
    def id(self) -> str:
        """16 hex digits of the pair's normal form; category and domain do not count."""
        return _digest(f"{normal_form(self.question)}\x1f{normal_form(self.answer)}")


@dataclass(frozen=True, slots=True)
class EvalPrompt:
    """A question that models are measured on. `split` is "dev" or "test".

    `harmless` marks a question that a refusal is wrong for; the reference answers are those of
    TruthfulQA (`true_answers`, `false_answers`) and of AlpacaEval (`reference`). Results are told
    by `domain` too, where an eval set has several.
    """

    question: str
    category: str | None
    split: str
    harmless: bool = False
    true_answers: tuple[str, ...] = ()
    false_answers: tuple[str, ...] = ()
    reference: str | None = None
    domain: str | None = None

    @property
    def id(self) -> str:
        """16 hex digits of the question's normal form."""
        return _digest(normal_form(self.question))


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to mend. Rows count from 1 without the header, `line` is the line of the file.

    `row` is None when the problem is the file's, `column` when it is the row's.
    """

    row: int | None
    line: int | None
    column: str | None
    value: Value
    expected: str
    fix: str

    def __str__(self) -> str:
        places = [f"row {self.row}" if self.row else "", f"line {self.line}" if self.line else ""]
        places.append(f"column {self.column}" if self.column else "")
        place = ", ".join(filter(None, places)) or "file"
        found = "nothing" if self.value is None else self.value
        if isinstance(found, str):
            found = " ".join(found.split()) or "an empty text"
        return f"{place}: found {found}, expected {self.expected}. {self.fix}"


@dataclass(frozen=True, slots=True)
class SeedCheck:
    """What was found in a table: its good rows, all its problems, and notes.

    `rows` is how many rows it has, bad ones included. `columns` are the file's own column names.
    `table` has a dict of texts for every row, for mending: columns question, answer and, where the
    table has it, category (the file's first columns when question or answer was not found). A value
    that is not text is None there; the text of a row that could not be read is all in its first
    column. A row with a problem has one when the table is checked again as it is, but for letters
    that could not be read: they are shown as U+FFFD, which gives a note.
    """

    file: str
    rows: int
    examples: list[Example]
    problems: list[Problem]
    notes: list[str]
    columns: list[str] = field(default_factory=list)
    table: list[dict[str, str | None]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def to_dict(self) -> dict[str, object]:
        """The object that `check --json` prints."""
        return {
            "file": self.file,
            "rows": self.rows,
            "ok": self.ok,
            "problems": [asdict(problem) for problem in self.problems],
            "notes": self.notes,
        }


def is_domain(name: object) -> bool:
    """Whether a name may be a domain's: see DOMAIN_WANTED."""
    return isinstance(name, str) and DOMAIN.fullmatch(name) is not None


def readable(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which no encoding has."""
    return text if text.isascii() else SURROGATE.sub("\ufffd", text)


def shown_value(value: object) -> Value:
    """A value as a problem shows it: short, and a value of JSON."""
    if isinstance(value, str):
        text = readable(value[: SHOWN + 1])
        return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < 2**53:  # NaN and infinity are not JSON
        return value
    if isinstance(value, float):
        return str(value)
    kinds = {dict: "an object", list: "a list", bytes: "bytes", int: "a number of many digits"}
    kind = next((kinds[known] for known in kinds if isinstance(value, known)), None)
    return kind or f"a value of type {type(value).__name__}"


def listed(names: Iterable[str], most: int = 10) -> str:
    """Names in a sentence, long ones and long lists cut short."""
    shown = [str(shown_value(name)) for name in names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more

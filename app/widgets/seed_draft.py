"""An uploaded seed file while it is mended: what the file held, what was changed, what is left.

    draft = Draft("seeds.csv", data)
    draft.change(7, "answer", "Only in winter."); draft.change(9, DELETE, True)
    draft.recheck()
    draft.check.examples, draft.check.problems

Rows keep the numbers that they have in the file, deleted ones included. Changes count from the
next `recheck` on, which asks the same code that checked the file. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.widgets.token_counts import TokenCounter
from isara.examples import Example, Problem, SeedCheck
from isara.seed_check import REQUIRED, Row, Table, check_table, find_columns
from isara.seed_check import value_fault as fault
from isara.seed_files import read_seed_bytes

DELETE = "Delete"

Cells = dict[str, Any]


class Draft:
    """A file, the changes to its rows, and the check of the outcome."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.data = data
        self.mapping: dict[str, str] = {}
        self.counter: TokenCounter | None = None
        self.changes: dict[int, Cells] = {}  # checked
        self.pending: dict[int, Cells] = {}  # not checked yet
        self.generation = 0  # grows with every check
        self.saved: tuple[str, int] | None = None  # what the outcome was saved as
        self.read()

    # ---------------------------------------------------------------- the file

    def read(self, mapping: Mapping[str, str] | None = None) -> None:
        """Read the file, with other columns when they are given (then all changes are undone)."""
        if mapping is not None:
            self.mapping = dict(mapping)
            self.changes, self.pending = {}, {}
        self.original = read_seed_bytes(
            self.file, self.data, self.mapping or None, **self._length_arguments()
        )
        self._set_check(self.original)
        if self.changes:
            self.recheck()

    def limit(self, counter: TokenCounter | None) -> None:
        """Check the lengths for another model, or for none."""
        self.counter = counter
        self.read()

    @property
    def columns(self) -> dict[str, str]:
        """Which column of the file is the question, the answer and the category, where found."""
        return find_columns(self.original.columns, self.mapping)[0]

    @property
    def readable(self) -> bool:
        """Whether question and answer were found, so that rows can be mended."""
        return self.columns.keys() >= set(REQUIRED)

    @property
    def names(self) -> list[str]:
        """The names of the cells that can be mended: question, answer, perhaps category."""
        return list(self.original.table[0]) if self.readable and self.original.table else []

    def to_dict(self) -> dict[str, Any]:
        """What to write down beside the file's bytes, as values of JSON."""
        return {
            "file": self.file,
            "mapping": self.mapping,
            "changes": self.changes,
            "pending": self.pending,
        }

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over what `to_dict` gave; JSON has made texts of the row numbers."""
        self.read(values["mapping"])
        self.changes = {int(row): cells for row, cells in values["changes"].items()}
        if self.changes:
            self.recheck()
        self.pending = {int(row): cells for row, cells in values["pending"].items()}

    # ---------------------------------------------------------------- changes

    def change(self, row: int, column: str, value: Any) -> None:
        """Note a change of a cell; DELETE is a column of True and False."""
        cells = {DELETE: False, **self.cells(row)}
        if cells.get(column) != value:
            self.pending.setdefault(row, {})[column] = value
            self.saved = None

    def cells(self, row: int) -> Cells:
        """A row with all changes, checked or not."""
        cells: Cells = {**self.original.table[row - 1]}
        return cells | self.changes.get(row, {}) | self.pending.get(row, {})

    def recheck(self) -> None:
        """Check all rows again, with the changes.

        Rows nobody touched keep what was said of them when the file was read, which is more than a
        cell can tell (broken JSON, bytes that are no UTF-8), unless it depends on other rows.
        """
        for row, cells in self.pending.items():
            self.changes.setdefault(row, {}).update(cells)
        self.pending = {}
        kept: list[Problem] = []
        lines: dict[int, int | None] = {}
        left_out = set()
        for problem in self.original.problems:
            if problem.row is None:
                kept.append(problem)
                continue
            lines[problem.row] = problem.line
            if problem.row not in self.changes and not self._may_be_good(problem):
                kept.append(problem)
                left_out.add(problem.row)
        rows = [
            self._row(number, lines.get(number), number in left_out)
            for number in range(1, len(self.original.table) + 1)
        ]
        used = self.columns.values()
        extra = [c for c in self.original.columns if c not in used and c not in self.names]
        check = check_table(
            Table(self.names + extra, rows, kept),
            {name: name for name in self.names},
            **self._length_arguments(),
            file=self.file,
        )
        self._set_check(check)

    def undo(self) -> None:
        """Take back all changes."""
        self.read(self.mapping)

    def _may_be_good(self, problem: Problem) -> bool:
        """True for duplicates and long pairs, whose cells are good by themselves."""
        cells = self.original.table[(problem.row or 1) - 1]
        return problem.column is None and all(fault(cells[c], c) is None for c in cells)

    def _row(self, number: int, line: int | None, left_out: bool) -> Row:
        cells = {**self.original.table[number - 1], **self.changes.get(number, {})}
        if left_out or cells.pop(DELETE, False):
            return Row(line, None)
        return Row(line, cells)

    def _length_arguments(self) -> dict[str, Any]:
        if (counter := self.counter) is None:
            return {}
        # The same text that a run counts before it starts.
        return {
            "count_tokens": lambda question, answer: counter.count(f"{question}\n{answer}"),
            "context": counter.context,
        }

    # ---------------------------------------------------------------- the outcome

    def _set_check(self, check: SeedCheck) -> None:
        self.check = check
        self.generation += 1
        self.saved = None
        self.file_problems = [problem for problem in check.problems if problem.row is None]
        self.row_problems: dict[int, list[Problem]] = {}
        for problem in check.problems:
            if problem.row is not None:
                self.row_problems.setdefault(problem.row, []).append(problem)
        out = self.row_problems.keys() | self.deleted
        rows = range(1, check.rows + 1) if check.examples else ()
        self.good_rows = [row for row in rows if row not in out]

    @property
    def examples(self) -> list[Example]:
        """The good rows; `good_rows` has their numbers."""
        return self.check.examples

    @property
    def entries(self) -> list[tuple[int | None, list[Problem]]]:
        """What is to be mended: each problem of the file, then each row with its problems."""
        whole: list[tuple[int | None, list[Problem]]] = [(None, [p]) for p in self.file_problems]
        return whole + list(self.row_problems.items())

    @property
    def deleted(self) -> set[int]:
        """Numbers of the rows that were deleted and checked."""
        return {row for row, cells in self.changes.items() if cells.get(DELETE)}

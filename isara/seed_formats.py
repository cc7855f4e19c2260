"""Bytes of JSONL, JSON, CSV, TSV and Parquet files as tables, with the problems of reading them.

    table = read_table(".csv", b"question,answer\nIs it cold?,No.\n")
    table.columns, table.rows, table.problems

Whatever the bytes, a `Table` comes back: a row that cannot be read is a problem, and the rows after
it are read. A byte-order mark, CRLF and blank lines are of no account.

Left out: guessing (of encodings, separators, file types), compressed files, spreadsheets; what the
rows must hold (seed_check.py).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from isara.errors import InputError
from isara.examples import SHOWN, Problem, Value, listed, readable, shown_value
from isara.seed_check import REQUIRED, Row, Table, distinct, find_columns

ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
CSV_FIELD = 2**31 - 1  # the csv module's own limit is 128 KiB and it fits in a C long everywhere

FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
NOT_UTF8 = "text encoded as UTF-8", "Save the file as UTF-8."
# Bytes that are not UTF-8 are decoded to these, so that the lines around them can be read.
ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
NO_TEXT = re.compile("[\udc80-\udcff\0-\x08\x0e-\x1f]")
# A field of CSV that is well formed, with what ends it ({0} is the separator); quotes that close.
FIELD = r'(?:"(?:[^"]++|"")*+"(?=[{0}\r\n]|\Z)|(?!")[^{0}\r\n]*+)(?:{0}|\r?\n|\r|\Z)'
CLOSED = re.compile(r'"(?:[^"]++|"")*+"')


def file_problem(value: Value, expected: str, fix: str, line: int | None = None) -> Problem:
    """A problem that is the whole file's."""
    return Problem(None, line, None, value, expected, fix)


def read_table(ending: str, data: bytes, mapping: Mapping[str, str] | None = None) -> Table:
    """The rows in the bytes of a file whose name ends so, in lower case.

    Of Parquet only the columns are read that the check uses under this mapping.
    """
    if ending not in ENDINGS:
        fix = f"Save the file as one of {listed(ENDINGS)}."
        value = f"the ending {ending}" if ending else "no ending"
        return Table(problems=[file_problem(shown_value(value), listed(ENDINGS), fix)])
    if not data.strip(b" \t\r\n\v\f\xef\xbb\xbf"):
        return Table(problems=[file_problem("an empty file", "at least one row", "Add rows.")])
    if ending == ".parquet":
        return _parquet(data, mapping)
    foreign = next((kind for magic, kind in FOREIGN.items() if data.startswith(magic)), None)
    if foreign is None and data.count(0) > len(data) // 4:
        foreign = "text in UTF-16 or a binary file"
    if foreign is None and _is_no_text(data):
        foreign = "a binary file or text in another encoding"
    if foreign is not None:
        fix = "Save it again in the format that its ending says, encoded as UTF-8."
        return Table(problems=[file_problem(f"what looks like {foreign}", "UTF-8 text", fix)])
    text, faults = _decode(data)
    return TEXT_READERS[ending](text, faults)


def _is_no_text(data: bytes) -> bool:
    """Whether more than a quarter of the characters is no UTF-8 or a control character: then the
    faults of single lines would say nothing. In a file in Latin-1 it is fewer."""
    text = data.decode("utf-8", "surrogateescape")
    return len(NO_TEXT.findall(text)) > len(text) // 4


def _decode(data: bytes) -> tuple[str, dict[int, str]]:
    """The text, and by line what is not UTF-8 in it, as the first such byte of the line."""
    try:
        return data.decode().removeprefix("\ufeff"), {}
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
    faults, offset = {}, 0
    for number, line in enumerate(_lines(text), 1):
        if bad := ESCAPED_BYTE.search(line):
            at = offset + len(line[: bad.start()].encode("utf-8", "surrogateescape"))
            faults[number] = f"byte 0x{data[at]:02X} at offset {at}"
        offset += len(line.encode("utf-8", "surrogateescape"))
    return text.removeprefix("\ufeff"), faults


def _lines(text: str) -> list[str]:
    """The lines with their ends, which are LF, CRLF or CR as editors count them."""
    return list(io.StringIO(text, newline=""))


class _Repeated(dict[str, Any]):
    """A JSON object in which a name stands twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    return values if len(values) == len(pairs) else _Repeated(values)


def _json(text: str) -> tuple[Any, str]:
    """A value of JSON and "", or None and what is wrong with the text."""
    try:
        return json.loads(text, object_pairs_hook=_object), ""
    except json.JSONDecodeError as error:
        return None, f"{error.msg} at line {error.lineno}, character {error.colno}"
    except RecursionError:
        return None, "values nested too deep"
    except ValueError:  # an integer of thousands of digits
        return None, "a number of too many digits"


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is; a task of Self-Instruct's layout with its first instance as its columns.

    Such a task is {"instruction": …, "instances": [{"input": …, "output": …}]} (arXiv 2212.10560);
    the input follows the instruction on a line of its own.
    """
    instances = row.get("instances")
    if "instruction" not in row or not isinstance(instances, list) or not instances:
        return row
    first = instances[0]
    if not isinstance(first, dict) or "output" not in first:
        return row
    texts = [row["instruction"], first.get("input") or ""]
    asked = "\n".join(texts).strip() if all(isinstance(t, str) for t in texts) else texts[0]
    rest = {name: value for name, value in row.items() if name not in ("instances", "instruction")}
    return {**rest, "instruction": asked, "output": first["output"]}


class _Objects:
    """Collects the rows of JSON."""

    def __init__(self) -> None:
        self.table = Table()
        self.columns: dict[str, None] = {}

    def add(self, line: int | None, value: object, text: str = "") -> None:
        if type(value) is dict:
            value = _flat(value)
            self.columns.update(dict.fromkeys(value))
            self.table.rows.append(Row(line, value))
        elif isinstance(value, _Repeated):
            fix = "Keep one of the two."
            self.fail(line, "an object with a name twice", "every name once", fix, text)
        else:
            fix = 'Write {"question": "…", "answer": "…"}.'
            text = text or (value if isinstance(value, str) else "")
            self.fail(line, shown_value(value), "an object in braces", fix, text)

    def fail(self, line: int | None, value: Value, expected: str, fix: str, text: str) -> None:
        self.table.rows.append(Row(line, None, text))
        row = len(self.table.rows)
        self.table.problems.append(Problem(row, line, None, value, expected, fix))

    def finish(self) -> Table:
        self.table.columns = list(self.columns)
        return self.table


def _jsonl(text: str, faults: Mapping[int, str]) -> Table:
    objects = _Objects()
    if text.lstrip().startswith("[") and isinstance(_json(text)[0], list):
        problem = file_problem("a JSON list", "one JSON object per line", "Name the file .json.")
        return Table(problems=[problem])
    for number, line in enumerate(_lines(text), 1):
        if not line.strip():
            continue
        if number in faults:
            objects.fail(number, faults[number], *NOT_UTF8, line.strip())
            continue
        value, wrong = _json(line)
        if wrong:
            fix = "Mend the line: names and texts stand between double quotes, without line breaks."
            expected = f"one JSON object per line ({wrong.replace(' line 1,', '')})"
            objects.fail(number, shown_value(line.strip()), expected, fix, line.strip())
        else:
            objects.add(number, value, line.strip())
    return objects.finish()


def _json_list(text: str, faults: Mapping[int, str]) -> Table:
    objects = _Objects()
    problems = objects.table.problems
    problems += [file_problem(fault, *NOT_UTF8, line) for line, fault in faults.items()]
    value, wrong = _json(text)
    if isinstance(value, dict) and "data" in value:
        value = value["data"]
    if wrong or not isinstance(value, list):
        many = wrong.startswith("Extra data")
        fix = "Name the file .jsonl if it has an object per line." if many else "Mend the JSON."
        problems.append(file_problem(wrong or shown_value(value), "a JSON list of objects", fix))
        return objects.finish()
    for item in value:
        objects.add(None, item)
    return objects.finish()


class _Rewindable(Iterator[str]):
    """An iterator over lines that can be set back: `position` is the index of the next one."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.position = 0

    def __next__(self) -> str:
        if self.position >= len(self.lines):
            raise StopIteration
        self.position += 1
        return self.lines[self.position - 1]


class _Record(NamedTuple):
    """A row of CSV: its lines, and its fields, or where its quoting breaks."""

    first: int  # number of its first line
    last: int
    text: str
    fields: list[str]
    broken: tuple[str, str] | None = None  # the text from there, what was expected


def _records(text: str, separator: str) -> Iterator[_Record]:
    """The rows of CSV that are not blank. The line after broken quoting starts a row."""
    csv.field_size_limit(CSV_FIELD)  # of the whole process; all that use it set the same
    lines = _Rewindable(_lines(text))
    reader = csv.reader(lines, delimiter=separator, strict=True)
    field = re.compile(FIELD.format(re.escape(separator)))
    while True:
        start = lines.position
        try:
            fields, broken = next(reader), None
        except StopIteration:
            return
        except csv.Error:
            seen = "".join(lines.lines[start : lines.position])
            opening, broken = _broken_quote(seen, start, field)
            fields = []
            # What is read twice holds no other quote that could open a text: two passes at most.
            lines.position = opening
        if broken or len(fields) > 1 or any(cell.strip() for cell in fields):
            read = "".join(lines.lines[start : lines.position])
            yield _Record(start + 1, lines.position, read, fields, broken)


def _broken_quote(text: str, start: int, field: re.Pattern[str]) -> tuple[int, tuple[str, str]]:
    """The line in which a record's quoting breaks, the text from there, and what was expected.

    `start` is the number of lines before the text.
    """
    position = 0
    while position < len(text) and (match := field.match(text, position)):
        position = match.end()
    line = start + len(_lines(text[:position] + "."))
    # If the next quote is in another line, it is more likely the opening one of another text.
    closed = CLOSED.match(text, position)
    if closed and len(_lines(closed[0])) == 1:
        expected = f"no text after the closing quote in line {line}"
    else:
        expected = f"a closing quote for the one that opens in line {line}"
    return line, (text[position : position + SHOWN].partition("\n")[0], expected)


def _delimited(text: str, faults: Mapping[int, str], separator: str) -> Table:
    """CSV (",") or TSV (tab), both with double quotes."""
    records = _records(text, separator)
    table = Table()
    if (header := next(records, None)) is None:
        return table
    table.problems += _record_problems(None, header, faults, len(header.fields))
    if header.broken:  # without the names no row can be read
        return table
    names = enumerate(header.fields, 1)
    table.columns = distinct([readable(name).strip() or f"column {n}" for n, name in names])
    for number, record in enumerate(records, 1):
        if found := _record_problems(number, record, faults, len(table.columns)):
            table.problems += found
            table.rows.append(Row(record.first, None, record.text.strip()))
        else:
            values = dict(zip(table.columns, record.fields, strict=True))
            table.rows.append(Row(record.first, values))
    return table


def _record_problems(
    row: int | None, record: _Record, faults: Mapping[int, str], width: int
) -> list[Problem]:
    """What keeps a record from being read: its bytes, its quotes, its number of fields."""
    problems = []
    lines = range(record.first, record.last + 1) if faults else ()
    if fault := next((faults[line] for line in lines if line in faults), None):
        problems.append(Problem(row, record.first, None, fault, *NOT_UTF8))
    if record.broken:
        found, expected = record.broken
        fix = "Close the quotes, and write a quote inside a quoted text twice."
        problems.append(Problem(row, record.first, None, shown_value(found), expected, fix))
    elif len(record.fields) != width:
        found = f"{len(record.fields)} field{'s' if len(record.fields) > 1 else ''}"
        fix = "Put a text that holds a separator, a quote or a line break in double quotes."
        expected = f"{width} fields as in the header"
        problems.append(Problem(row, record.first, None, found, expected, fix))
    return problems


def _parquet(data: bytes, mapping: Mapping[str, str] | None) -> Table:
    """The columns that the check needs; when some are missing, all that hold text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        schema = file.schema_arrow
        names = distinct(schema.names)
        used, _ = find_columns(names, mapping)
        if used.keys() >= set(REQUIRED):
            wanted = [schema.names[names.index(name)] for name in used.values()]
        else:
            wanted = [field.name for field in schema if pa.types.is_string(field.type)]
        frame = file.read(columns=wanted)
        read = distinct(frame.column_names)
        columns = [_cells(column) for column in frame.columns]
    except Exception as error:  # pyarrow meets broken bytes with errors of many kinds
        found = shown_value(str(error).partition("\n")[0])
        fix = "Write the file again; it is broken or of another kind."
        return Table(problems=[file_problem(found, "a Parquet file", fix)])
    rows = [Row(None, dict(zip(read, cells, strict=True))) for cells in zip(*columns, strict=True)]
    return Table(names, rows)


def _cells(column: Any) -> list[Any]:
    """The values of a Parquet column; text that is not UTF-8 becomes a lone surrogate."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        cells = []
        for scalar in column:
            try:
                cells.append(scalar.as_py())
            except UnicodeDecodeError:
                cells.append("\udcff")
        return cells


TEXT_READERS: dict[str, Callable[[str, Mapping[int, str]], Table]] = {
    ".jsonl": _jsonl,
    ".json": _json_list,
    ".csv": partial(_delimited, separator=","),
    ".tsv": partial(_delimited, separator="\t"),
}


def csv_rows(reader: csv.DictReader[str], path: Path) -> list[dict[str, str | None]]:
    """All rows; InputError where the file is no table, as with a quote that is never closed."""
    try:
        return list(reader)
    except csv.Error as error:
        raise InputError(
            f"{path} is no CSV table from line {reader.line_num} on ({error}): look for a quote "
            "that is not closed."
        ) from None

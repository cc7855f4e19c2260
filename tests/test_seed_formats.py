"""Bytes of every format as tables: what is read, what is said about the rest."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isara.seed_check import Table
from isara.seed_formats import read_table

HEADER = "question,answer\n"


def read(ending: str, text: str) -> Table:
    return read_table(ending, text.encode())


def cells(table: Table) -> list[list[object] | None]:
    """The values of every row, None for one that could not be read."""
    return [None if row.values is None else list(row.values.values()) for row in table.rows]


def places(table: Table) -> list[tuple[int | None, int | None, object]]:
    return [(problem.row, problem.line, problem.value) for problem in table.problems]


def parquet(columns: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns, **options), file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (".jsonl", '{"question": "a", "answer": "b"}\n\n{"question": "c", "answer": "d"}'),
        (
            ".jsonl",
            '\ufeff{"question": "a", "answer": "b"}\r\n{"question": "c", "answer": "d"}\r\n',
        ),
        (".json", '[{"question": "a", "answer": "b"}, {"question": "c", "answer": "d"}]'),
        (".json", '{"data": [{"question": "a", "answer": "b"}, {"question": "c", "answer": "d"}]}'),
        (".csv", "question,answer\na,b\nc,d\n"),
        (".csv", '\ufeffquestion,answer\r\n"a",b\r\n\r\nc,"d"'),
        (".csv", "question,answer\ra,b\rc,d"),
        (".tsv", "question\tanswer\na\tb\nc\td\n"),
    ],
)
def test_the_same_two_rows_in_every_text_format(ending: str, text: str) -> None:
    table = read(ending, text)
    assert (table.columns, table.problems) == (["question", "answer"], [])
    assert cells(table) == [["a", "b"], ["c", "d"]]


def test_the_columns_of_objects_are_those_of_all_rows() -> None:
    assert read(".jsonl", '{"a": 1}\n{"b": 2, "a": 3}').columns == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "row", "line", "value", "expected"),
    [
        ("{oops\n{}", 1, 1, "{oops", "one JSON object per line"),
        ("{}\n\n[1, 2]\n{}", 2, 3, "a list", "an object"),
        ("{}\n5", 2, 2, 5, "an object"),
        ("{}\nnull", 2, 2, None, "an object"),
        ('{}\n{"a": 1, "a": 2}', 2, 2, "an object with a name twice", "every name once"),
        ('{}\n{"a": ' + "9" * 5000 + "}", 2, 2, None, "too many digits"),
        ("{}\n" + "[" * 99_999, 2, 2, None, "nested too deep"),
        ('{}\r\n{"a": "\t"}\r\n', 2, 2, '{"a": "\t"}', "Invalid control character"),
    ],
)
def test_a_broken_line_of_jsonl(
    text: str, row: int, line: int, value: object, expected: str
) -> None:
    (problem,) = read(".jsonl", text).problems
    assert (problem.row, problem.line) == (row, line)
    assert value is None or problem.value == value
    assert expected in problem.expected


@pytest.mark.parametrize(
    ("ending", "text", "word"),
    [
        (".jsonl", '[{"question": "a"},\n {"question": "b"}]', ".json"),
        (".json", '{"question": "a"}\n{"question": "b"}', ".jsonl"),
        (".json", '[{"question": "a"', "Mend the JSON"),
        (".json", '{"question": "a"}', "Mend the JSON"),
        (".json", '{"data": "a"}', "Mend the JSON"),
        (".json", '"a"', "Mend the JSON"),
        (".json", "[" * 99_999, "Mend the JSON"),
    ],
)
def test_a_file_that_is_no_list_of_rows(ending: str, text: str, word: str) -> None:
    table = read(ending, text)
    (problem,) = table.problems
    assert problem.row is None
    assert word in problem.fix
    assert not table.rows


def test_an_item_of_a_json_list_that_is_no_object() -> None:
    table = read(".json", '[{"question": "a"}, "b", {"c": 1, "c": 2}]')
    assert places(table) == [(2, None, "b"), (3, None, "an object with a name twice")]
    assert [row.text for row in table.rows] == ["", "b", ""]


def test_a_row_of_csv_starts_at_its_first_line() -> None:
    table = read(".csv", HEADER + '"a\nb","c ""d"", e"\n\nf,g\n')
    assert cells(table) == [["a\nb", 'c "d", e'], ["f", "g"]]
    assert [row.line for row in table.rows] == [2, 5]


@pytest.mark.parametrize(
    ("text", "row", "line", "expected", "others"),
    [
        ('a,b\n"c,d\ne,f\n', 2, 3, "opens in line 3", [["a", "b"], ["e", "f"]]),
        ('"c,d\n"e",f\n', 1, 2, "opens in line 2", [["e", "f"]]),
        ('"c\nc","d\ne,f\n', 1, 2, "opens in line 3", [["e", "f"]]),
        ('a,"b\nc,d', 1, 2, "opens in line 2", [["c", "d"]]),
        ('a,"b"c\ne,f\n', 1, 2, "after the closing quote in line 2", [["e", "f"]]),
    ],
)
def test_broken_quotes_cost_one_row(
    text: str, row: int, line: int, expected: str, others: list[list[str]]
) -> None:
    table = read(".csv", HEADER + text)
    (problem,) = table.problems
    assert (problem.row, problem.line) == (row, line)
    assert expected in problem.expected
    assert [values for values in cells(table) if values] == others


@pytest.mark.parametrize(
    ("text", "value"), [("a,b,c\n", "3 fields"), ("a\n", "1 field"), ("a,b,\n", "3 fields")]
)
def test_a_row_with_another_number_of_fields(text: str, value: str) -> None:
    table = read(".csv", HEADER + text + "c,d\n")
    assert places(table) == [(1, 2, value)]
    assert cells(table) == [None, ["c", "d"]]
    assert table.rows[0].text == text.strip()


def test_a_header_with_broken_quotes_gives_no_rows() -> None:
    table = read(".csv", '"question,answer\na,b\n')
    assert places(table) == [(None, 1, '"question,answer')]
    assert not table.rows


def test_names_of_columns() -> None:
    assert read(".csv", " a ,,b,a\n").columns == ["a", "column 2", "b", "a (2)"]


def test_fields_have_no_limit() -> None:
    table = read(".csv", HEADER + f"a,{'b' * 200_000}\n")
    assert not table.problems
    assert len(str(cells(table)[0])) > 200_000


def test_a_quote_that_opens_in_every_line_costs_every_row() -> None:
    table = read(".csv", HEADER + 'a,"b\n' * 50_000)
    assert [problem.line for problem in table.problems] == list(range(2, 50_002))


@pytest.mark.parametrize(
    ("ending", "data", "line"),
    [
        (".csv", b"question,answer\na,b\nc,\xe9\ne,f\n", 3),
        (".csv", b'question,answer\na,b\nc,"d\n\xe9"\ne,f\n', 3),
        (".jsonl", b'{"q": "a"}\n{"q": "\xe9"}\n{"q": "e"}\n', 2),
        (".jsonl", b'\xef\xbb\xbf{"q": "a"}\n{"q": "\xe9"}\n{"q": "e"}\n', 2),
    ],
)
def test_a_byte_that_is_not_utf8_costs_one_row(ending: str, data: bytes, line: int) -> None:
    table = read_table(ending, data)
    value = f"byte 0xE9 at offset {data.index(0xE9)}"
    assert places(table) == [(2, line, value)]
    assert [row.values is None for row in table.rows] == [False, True, False]


def test_a_byte_of_a_json_list_that_is_not_utf8() -> None:
    table = read_table(".json", b'[{"q": "a"},\n{"q": "\xe9"}]')
    assert places(table) == [(None, 2, "byte 0xE9 at offset 20")]
    assert len(table.rows) == 2


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ("question,answer\n".encode("utf-16"), "UTF-16"),
        ("question,answer\n".encode("utf-16-be"), "UTF-16"),
        (b"PK\x03\x04 and so on", "Excel"),
        (b"\x1f\x8b and so on", "gzip"),
        (b"PAR1 and so on", "Parquet"),
        (b"%PDF-1.7 and so on", "PDF"),
        (random.Random(3).randbytes(4000), "binary"),
        ("вопрос,ответ\nХолодно?,Нет.\n".encode("cp1251"), "another encoding"),
    ],
)
def test_what_is_of_another_kind_is_named(data: bytes, word: str) -> None:
    (problem,) = read_table(".csv", data).problems
    assert word in str(problem.value)


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".tsv", ".parquet"])
@pytest.mark.parametrize("data", [b"", b" \r\n\t", b"\xef\xbb\xbf\n"])
def test_an_empty_file(ending: str, data: bytes) -> None:
    assert places(read_table(ending, data)) == [(None, None, "an empty file")]


@pytest.mark.parametrize("ending", ["", ".txt", ".gz"])
def test_an_ending_that_is_not_known(ending: str) -> None:
    (problem,) = read_table(ending, b"x").problems
    assert all(known in problem.expected for known in (".jsonl", ".csv", ".parquet"))


def test_parquet_reads_the_columns_of_the_pair_only() -> None:
    data = parquet({"n": [1, 2], "question": ["a", "c"], "answer": ["b", None]})
    table = read_table(".parquet", data)
    assert table.columns == ["n", "question", "answer"]
    assert cells(table) == [["a", "b"], ["c", None]]


def test_parquet_with_other_names() -> None:
    data = parquet({"n": [1], "q.x": ["a"], "text": ["b"]})
    assert cells(read_table(".parquet", data)) == [["a", "b"]]
    mapping = {"question": "q.x", "answer": "n"}
    assert cells(read_table(".parquet", data, mapping)) == [["a", 1]]


def test_parquet_with_a_name_twice() -> None:
    data = parquet([["a"], ["b"], ["c"]], names=["question", "answer", "answer"])
    table = read_table(".parquet", data, {"answer": "answer (2)"})
    assert dict(table.rows[0].values or {})["answer (2)"] == "c"


def test_parquet_with_text_that_is_not_utf8() -> None:
    bad = pa.array([b"\xff", b"b"]).view(pa.string())
    table = read_table(".parquet", parquet({"question": ["a", "c"], "answer": bad}))
    assert cells(table) == [["a", "\udcff"], ["c", "b"]]


@pytest.mark.parametrize("data", [b"PAR1", b"x" * 99, parquet({"question": ["a"]})[:-9]])
def test_broken_parquet(data: bytes) -> None:
    table = read_table(".parquet", data)
    assert [problem.expected for problem in table.problems] == ["a Parquet file"]


def test_a_task_of_self_instruct_is_a_row() -> None:
    tasks = [
        {"instruction": "Add.", "instances": [{"input": "1 and 1", "output": "2"}], "name": "sum"},
        {"instruction": "Greet.", "instances": [{"input": "", "output": "Hello."}]},
        {"instruction": "Wait.", "instances": []},
        {"instruction": 5, "instances": [{"input": "", "output": "five"}]},
    ]
    table = read_table(".jsonl", "\n".join(json.dumps(task) for task in tasks).encode())
    values = [dict(row.values or {}) for row in table.rows]
    assert values[0] == {"instruction": "Add.\n1 and 1", "output": "2", "name": "sum"}
    assert values[1] == {"instruction": "Greet.", "output": "Hello."}
    assert values[2] == tasks[2]  # left as it is: its row has no answer, which the check says
    assert values[3] == {"instruction": 5, "output": "five"}

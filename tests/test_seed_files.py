"""Seed files from disk and from bytes, whatever the bytes; eval sets."""

from __future__ import annotations

import io
import json
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isara.errors import InputError
from isara.examples import EvalPrompt, Example
from isara.seed_check import check_rows
from isara.seed_files import (
    ENDINGS,
    read_eval_set,
    read_seed_bytes,
    read_seed_file,
    write_examples,
)

PAIRS = [Example("Is it cold?", "No.", "weather"), Example("Why, “you”?", 'A\n"b", c\td')]


def sample(ending: str) -> bytes:
    """A good file of this kind."""
    rows = [{"question": pair.question, "answer": pair.answer} for pair in PAIRS]
    if ending == ".jsonl":
        return "\n".join(map(json.dumps, rows)).encode()
    if ending == ".json":
        return json.dumps({"data": rows}, ensure_ascii=False).encode()
    if ending == ".parquet":
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), file)
        return file.getvalue()
    separator = "," if ending == ".csv" else "\t"
    lines = [["question", "answer"], *(row.values() for row in rows)]
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line] for line in lines]
    return "\r\n".join(map(separator.join, quoted)).encode()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_good_file_of_every_kind(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"seeds{ending.upper()}"
    path.write_bytes(sample(ending))
    check = read_seed_file(path)
    assert (check.ok, check.file, check.rows) == (True, str(path), 2)
    assert [pair.id for pair in check.examples] == [pair.id for pair in PAIRS]
    assert check == read_seed_bytes(str(path), sample(ending))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "seeds.jsonl"
    write_examples(path, PAIRS)
    assert read_seed_file(path).examples == PAIRS
    assert [file.name for file in path.parent.iterdir()] == ["seeds.jsonl"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_examples(tmp_path / "folder", PAIRS)
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("name", "value"), [("none.csv", "no such file"), ("", "a folder"), ("a\0.csv", None)]
)
def test_a_path_without_a_file(tmp_path: Path, name: str, value: str | None) -> None:
    check = read_seed_file(f"{tmp_path}/{name}")
    (problem,) = check.problems
    assert value in (None, problem.value)
    assert (check.rows, check.examples, check.notes) == (0, [], [])


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    assert read_seed_file(tmp_path / "pipe.csv").problems[0].value == "neither a file nor a folder"


def test_all_problems_are_listed_in_the_order_of_the_rows() -> None:
    lines = [
        '{"question": "a", "answer": 5}',
        "oops",
        '{"question": "b", "answer": "No."}',
        '{"question": "", "answer": null}',
        '{"question": "B", "answer": "no."}',
        '{"question": "\\ud800", "answer": "x"}',
        '{"question": "c d e f", "answer": "x"}',
    ]

    def words(question: str, answer: str) -> int:
        return len(question.split())

    check = read_seed_bytes("a.jsonl", "\n".join(lines).encode(), count_tokens=words, context=3)
    assert [(problem.row, problem.column) for problem in check.problems] == [
        (1, "answer"),
        (2, None),
        (4, "question"),
        (4, "answer"),
        (5, None),
        (6, "question"),
        (7, None),
    ]
    assert [problem.line for problem in check.problems] == [1, 2, 4, 4, 5, 6, 7]
    assert check.examples == [Example("b", "No.")]
    assert check.table[1] == {"question": "oops", "answer": None}


def test_a_mapping_names_the_columns() -> None:
    data = b"Type,Question,Best Answer\nx,a,b\n"
    check = read_seed_bytes("a.csv", data, {"question": "Question", "answer": "Best Answer"})
    assert check.examples == [Example("a", "b")]
    missing = read_seed_bytes("a.csv", data, {"answer": "Best"})
    assert [problem.value for problem in missing.problems] == ["Type, Question, Best Answer"]


@pytest.mark.parametrize("ending", ENDINGS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_the_bytes_a_check_comes_back(ending: str, data: st.DataObject) -> None:
    good = sample(ending)
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 20)))
    middle = data.draw(
        st.binary(max_size=20) | st.text(',"\n\r\t{}[]:5\\u', max_size=8).map(str.encode)
    )
    mutated = good[:start] + middle + good[end:]
    for content in (mutated, data.draw(st.binary(max_size=200))):
        check = read_seed_bytes(f"a{ending}", content)
        assert check.ok == (not check.problems)
        assert check.ok or check.problems
        assert len(check.examples) <= check.rows == len(check.table)
        json.dumps([check.to_dict(), check.table], ensure_ascii=False, allow_nan=False).encode()
        assert check_rows(check.table).rows == check.rows


@pytest.mark.parametrize("ending", ENDINGS)
def test_100_000_rows_are_checked_in_20_seconds(ending: str) -> None:
    rows = [{"question": f"What is {i}?", "answer": f"A number. {i} " * 9} for i in range(100_000)]
    if ending == ".jsonl":
        data = "\n".join(map(json.dumps, rows)).encode()
    elif ending == ".json":
        data = json.dumps(rows).encode()
    elif ending == ".parquet":
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), file)
        data = file.getvalue()
    else:
        separator = "," if ending == ".csv" else "\t"
        lines = [separator.join(row.values()) for row in rows]
        data = "\n".join([separator.join(rows[0]), *lines]).encode()
    start = perf_counter()
    check = read_seed_bytes(f"a{ending}", data)
    assert perf_counter() - start < 20
    assert (check.ok, check.rows) == (True, 100_000)
    assert "small by design" in check.notes[0]


def eval_file(folder: Path, *lines: str) -> Path:
    path = folder / "eval.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_an_eval_set(tmp_path: Path) -> None:
    path = eval_file(
        tmp_path,
        '{"question": " a ", "split": "dev"}',
        '{"question": "b", "category": "x", "split": "test", "harmless": true,'
        ' "true_answers": ["c"], "false_answers": ["d", "e"], "reference": "f"}',
        '{"question": "g", "split": "dev", "domain": "help"}',
    )
    assert read_eval_set(path) == [
        EvalPrompt("a", None, "dev"),
        EvalPrompt("b", "x", "test", True, ("c",), ("d", "e"), "f"),
        EvalPrompt("g", None, "dev", domain="help"),
    ]


def test_all_bad_rows_of_an_eval_set_are_listed(tmp_path: Path) -> None:
    path = eval_file(
        tmp_path,
        '{"question": "a", "split": "dev"}',
        '{"question": "b", "split": "train", "harmless": "no"}',
        "oops",
        '{"question": "A ", "split": "test"}',
        '{"question": "c", "split": "dev", "true_answers": "d", "harmles": true}',
        '{"split": "dev"}',
        '{"question": "e", "split": "dev", "domain": "two words"}',
    )
    with pytest.raises(InputError) as error:
        read_eval_set(path)
    first, *lines = str(error.value).splitlines()
    assert str(path) in first
    assert [line.split(":")[0].strip() for line in lines] == [
        "row 2, line 2, column split",
        "row 2, line 2, column harmless",
        "row 3, line 3",
        "row 4, line 4, column question",
        "row 5, line 5, column true_answers",
        "row 5, line 5, column harmles",
        "row 6, line 6, column question",
        "row 7, line 7, column domain",
    ]
    assert "it is the same as row 1" in lines[3]


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_eval_set_that_is_empty(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="empty file"):
        read_eval_set(eval_file(tmp_path, text))
    with pytest.raises(InputError, match="no such file"):
        read_eval_set(tmp_path / "none.jsonl")

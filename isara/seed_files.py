"""Seed files and eval sets: read, every row checked; written whole or not at all.

    check = read_seed_file("seeds.csv", {"answer": "Best Answer"})
    check.examples, check.problems, check.notes           # good rows go on beside the problems
    check = read_seed_bytes("upload.jsonl", data)         # the same for an upload
    check = check_rows(mended_rows)                       # the same for rows in memory
    write_examples("good.jsonl", check.examples)
    prompts = read_eval_set("data/eval/safety.jsonl")

Left out: the formats (seed_formats.py) and the rules (seed_check.py).
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from isara.errors import InputError
from isara.examples import (
    DOMAIN_WANTED,
    EvalPrompt,
    Example,
    Problem,
    SeedCheck,
    Value,
    is_domain,
    listed,
    shown_value,
)
from isara.seed_check import Table, TokenCounter, check_rows, check_table, value_fault
from isara.seed_formats import ENDINGS, file_problem, read_table

__all__ = [
    "ENDINGS",
    "check_rows",
    "read_eval_set",
    "read_seed_bytes",
    "read_seed_file",
    "write_examples",
]

MAX_BYTES = 1 << 28  # 256 MiB: read whole, it takes a few times as much memory


def read_seed_file(
    path: str | os.PathLike[str],
    mapping: Mapping[str, str] | None = None,
    *,
    count_tokens: TokenCounter | None = None,
    context: int | None = None,
) -> SeedCheck:
    """Read and check a seed file; all that is wrong with it is in the result, nothing is raised.

    `mapping` names the columns of question, answer and category where they have other names.
    `count_tokens(question, answer)` and `context`, both in tokens, find pairs that are too long for
    a model.
    """
    name = os.fsencode(path).decode("utf-8", "replace")
    data = _bytes(path)
    if isinstance(data, Problem):
        return check_table(Table(problems=[data]), file=name)
    return read_seed_bytes(name, data, mapping, count_tokens=count_tokens, context=context)


def read_seed_bytes(
    name: str,
    data: bytes,
    mapping: Mapping[str, str] | None = None,
    *,
    count_tokens: TokenCounter | None = None,
    context: int | None = None,
) -> SeedCheck:
    """`read_seed_file` for the bytes of a file called `name`."""
    table = read_table(Path(name).suffix.lower(), data, mapping)
    return check_table(table, mapping, count_tokens=count_tokens, context=context, file=name)


def write_examples(path: str | os.PathLike[str], examples: Sequence[Example]) -> None:
    """Write JSON lines with question, answer and, where there is one, category; by rename.

    Raises InputError when the file cannot be written.
    """
    lines = []
    for example in examples:
        row = {"question": example.question, "answer": example.answer}
        if example.category is not None:
            row["category"] = example.category
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes("".join(lines).encode())
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise InputError(
            f"{target} cannot be written ({error.strerror}); choose a folder that you may write to."
        ) from None


def _bytes(path: str | os.PathLike[str]) -> bytes | Problem:
    """What is in a file, or why it cannot be read."""
    try:
        if not (file := Path(path)).exists():
            return file_problem("no such file", "a file", "Check the path.")
        if not file.is_file():  # a device or a pipe might never end
            what = "a folder" if file.is_dir() else "neither a file nor a folder"
            return file_problem(what, "a file", "Give the path of a file.")
        if (size := file.stat().st_size) > MAX_BYTES:
            found, most = f"{size >> 20:,} MiB", f"at most {MAX_BYTES >> 20} MiB"
            return file_problem(found, most, "A seed set is small by design: take a sample.")
        return file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        return file_problem(reason, "a file that can be read", "Check the path and its rights.")


def _is_text(value: object) -> bool:
    return value_fault(value, "question") is None


def _is_text_or_null(value: object) -> bool:
    return value is None or _is_text(value)


def _is_domain_or_null(value: object) -> bool:
    return value is None or is_domain(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


# Column: default, test, what the test wants.
EVAL_COLUMNS: dict[str, tuple[object, Callable[[object], bool], str]] = {
    "question": (None, _is_text, "text"),
    "category": (None, _is_text_or_null, "text or null"),
    "split": (None, lambda value: value in ("dev", "test"), '"dev" or "test"'),
    "harmless": (False, lambda value: isinstance(value, bool), "true or false"),
    "true_answers": ([], _are_texts, "a list of texts"),
    "false_answers": ([], _are_texts, "a list of texts"),
    "reference": (None, _is_text_or_null, "text or null"),
    "domain": (None, _is_domain_or_null, f"{DOMAIN_WANTED}, or null"),
}


def read_eval_set(path: str | os.PathLike[str]) -> list[EvalPrompt]:
    """Read an eval set: JSON lines with the fields of `EvalPrompt`, question and split needed.

    Raises InputError that lists all bad rows, repeated questions among them.
    """
    data = _bytes(path)
    table = Table(problems=[data]) if isinstance(data, Problem) else read_table(".jsonl", data)
    problems = table.problems
    prompts: dict[str, EvalPrompt] = {}
    first_rows: dict[str, int] = {}
    for number, row in enumerate(table.rows, 1):
        if row.values is None:
            continue
        values = {name: default for name, (default, _, _) in EVAL_COLUMNS.items()}
        values.update(row.values)
        faults = _eval_faults(values)
        problems += [Problem(number, row.line, *fault) for fault in faults]
        if not faults:
            prompt = _eval_prompt(values)
            first = first_rows.setdefault(prompt.id, number)
            if first != number:
                value = shown_value(prompt.question)
                fix = "Delete one of the two rows."
                expected = f"a question that is not there yet; it is the same as row {first}"
                problems.append(Problem(number, row.line, "question", value, expected, fix))
            prompts[prompt.id] = prompt
    if problems:
        problems = sorted(problems, key=lambda problem: problem.row or 0)
        lines = "".join(f"\n  {problem}" for problem in problems)
        raise InputError(f"{os.fspath(path)} cannot be used as an eval set; mend these:{lines}")
    return list(prompts.values())


def _eval_faults(values: Mapping[str, object]) -> list[tuple[str, Value, str, str]]:
    faults = []
    for name, value in values.items():
        if name not in EVAL_COLUMNS:
            expected = f"only the columns {listed(EVAL_COLUMNS)}"
            faults.append((name, shown_value(value), expected, "Rename or delete the column."))
        elif not EVAL_COLUMNS[name][1](value):
            faults.append((name, shown_value(value), EVAL_COLUMNS[name][2], "Mend the value."))
    references = [name for name in ("true_answers", "false_answers") if not values[name]]
    if not faults and len(references) == 1:
        expected = "true and false answers, or neither: one is scored against the other"
        faults.append((references[0], "nothing", expected, "Add them, or remove the other ones."))
    return faults


def _eval_prompt(values: Mapping[str, Any]) -> EvalPrompt:
    lists = {name: tuple(values[name]) for name in ("true_answers", "false_answers")}
    return EvalPrompt(**{**values, **lists, "question": values["question"].strip()})

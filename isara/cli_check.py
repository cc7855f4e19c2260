"""`python -m isara check FILE`: every problem of a seed file at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from isara.cli_options import JsonOption, WorkspaceOption, print_json
from isara.errors import InputError
from isara.terminal import plain


def check(
    file: Path,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="Column of the file: question=Question (repeatable)."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Also check lengths against this model's context.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Check a seed file: every problem at once, with row, column, value and what to do."""
    from isara.seed_files import read_seed_file

    count, context = token_counter(model)
    found = read_seed_file(file, parse_mapping(mapping), count_tokens=count, context=context)
    if as_json:
        print_json(found.to_dict())
    else:
        print_check(found)
    raise typer.Exit(0 if found.ok else 1)


def parse_mapping(pairs: list[str] | None) -> dict[str, str] | None:
    """`question=Question` options as a mapping."""
    if not pairs:
        return None
    mapping = {}
    for pair in pairs:
        name, _, column = pair.partition("=")
        if not column or name not in ("question", "answer", "category"):
            raise InputError(
                f"--map {pair!r} is not of the form question=COLUMN, answer=COLUMN or "
                "category=COLUMN."
            )
        mapping[name] = column
    return mapping


def token_counter(model: str | None) -> tuple[Any, int | None]:
    """Counts the tokens of a training row, and the context, of a model by its files."""
    if model is None:
        return None, None
    from transformers import AutoConfig

    from isara.models import DEFAULT_CONTEXT, from_pretrained, load_tokenizer
    from isara.prompts import answer_prompt

    tokenizer = load_tokenizer(model)
    config = from_pretrained(AutoConfig, model)
    context = int(getattr(config, "max_position_embeddings", DEFAULT_CONTEXT))

    def count(question: str, answer: str) -> int:
        return len(tokenizer(f"{answer_prompt([], question)} {answer}")["input_ids"]) + 1

    return count, context


def print_check(found: Any) -> None:
    """A check as a table for people."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if found.problems:
        table = Table("row", "line", "column", "value", "expected", "what to do")
        for problem in found.problems:
            cells = (problem.row, problem.line, problem.column, problem.value)
            texts = ["" if cell is None else str(cell) for cell in cells]
            table.add_row(*map(plain, (*texts, problem.expected, problem.fix)))
        console.print(table)
    for note in found.notes:
        console.print(plain(f"Note: {note}"))
    good, bad = len(found.examples), len(found.problems)
    console.print(f"{plain(found.file)}: {good} good rows of {found.rows}, {bad} problems")

"""A run's pairs as files that others can load, with their lineage and a data card.

    written = export_data(folder, decisions, "out", "jsonl")
    written = export_data(folder, decisions, "out", "hf", candidates=True, force=True)

`pairs` are the seeds and what was kept; `candidates` everything that was written, on request. The
folder appears whole or not at all; one that has files is replaced on request only, and then only
the files of an earlier export: other files stay. Models are exported by export_model.py.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from isara.cards import data_card
from isara.errors import InputError, IsaraError
from isara.export_rows import COLUMNS, Row, candidate_rows, training_pairs, without_names
from isara.workspace.decisions import Decision
from isara.workspace.files import read_json, write_json, write_jsonl, write_parquet
from isara.workspace.runs import RunFolder

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["jsonl", "parquet", "hf", "alpaca", "sharegpt"]
FORMATS: tuple[Format, ...] = get_args(Format)
LISTING = "export.json"  # what an export wrote: its files may be replaced by the next one
Tables = dict[str, list[Row]]


def export_data(
    folder: RunFolder,
    decisions: Mapping[str, Decision],
    to: Path | str,
    format: str,
    *,
    candidates: bool = False,
    names: bool = False,
    force: bool = False,
) -> dict[str, Any]:
    """Write the pairs of a run (and all candidates) to a folder; says how many rows of what.

    Reviewers have numbers in it, or with `names` the names that they gave.
    Raises InputError for an unknown format, for a folder that has files without `force`, for one
    that cannot be written to, and for a run without pairs; IsaraError for damaged files.
    """
    if format not in FORMATS:
        raise InputError(
            f"There is no format {format!r}; found {', '.join(FORMATS)}. Choose one of these."
        )
    rows = candidate_rows(folder, decisions)
    rows = rows if names else without_names(rows)
    tables = {"pairs": training_pairs(folder, rows)}
    if not tables["pairs"]:
        raise InputError(
            f"The run {folder.run_id} has no pairs yet, expected its seeds at least: start it with "
            "isara run, then export."
        )
    if candidates and rows:
        tables["candidates"] = rows
    with new_folder(to, folder, force) as place:
        WRITERS[format](place, tables)
        (place / "README.md").write_bytes(data_card(folder, rows, tables, format, names).encode())
        shutil.copyfile(folder.config, place / "run.yaml")
    return {
        "run_id": folder.run_id,
        "format": format,
        "folder": str(Path(to).resolve()),
        **{name: len(table) for name, table in tables.items()},
    }


# ------------------------------------------------------------------ the folder


@contextmanager
def new_folder(to: Path | str, run: RunFolder, force: bool) -> Iterator[Path]:
    """A temporary folder beside `to` that takes its place on success; OSErrors as InputError."""
    target = Path(to).expanduser().resolve()
    check_target(target, run, force)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        files = sorted(str(p.relative_to(temporary)) for p in temporary.rglob("*") if p.is_file())
        about = {"run_id": run.run_id, "written": time.time(), "files": [*files, LISTING]}
        write_json(temporary / LISTING, about)
        put(temporary, target)
    except OSError as error:
        raise InputError(
            f"{target} cannot be written ({error.strerror or error}); choose a folder that you may "
            "write to, on a disk with room."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_target(target: Path, run: RunFolder, force: bool) -> None:
    """InputError where an export must not go."""
    runs = run.path.parent.resolve()
    if target == runs or runs in target.parents or target in runs.parents:
        raise InputError(
            f"{target} holds the runs of the workspace, or lies among them; choose another folder."
        )
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file, expected a folder; choose another name.")
    if target.is_dir() and any(target.iterdir()) and not force:
        raise InputError(
            f"{target} has files already; choose an empty or a new folder, or give --force to "
            "replace an earlier export in it (other files there stay)."
        )


def put(temporary: Path, target: Path) -> None:
    """Move the new folder to its place; into a folder with files, file by file."""
    if target.is_dir() and any(target.iterdir()):
        for old in earlier_files(target):
            old.unlink(missing_ok=True)
        for path in sorted(p for p in temporary.rglob("*") if p.is_file()):
            place = target / path.relative_to(temporary)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
        return
    if target.is_dir():
        target.rmdir()
    os.replace(temporary, target)


def earlier_files(target: Path) -> list[Path]:
    """The files of an earlier export in this folder; nothing outside it, whatever its list says."""
    try:
        listed = (read_json(target / LISTING) or {}).get("files", [])
    except (IsaraError, AttributeError):  # somebody else's export.json
        return []
    paths = [target / str(name) for name in listed]
    return [path for path in paths if path.is_file() and target in path.resolve().parents]


# ------------------------------------------------------------------ formats


def schema() -> pa.Schema:
    """Types of the columns: those of a table of seeds alone, too, where most have no value."""
    import pyarrow as pa

    lists = {"rules": pa.string(), "neighbours": pa.string(), "question_shown": pa.string()}
    types: dict[str, Any] = {name: pa.list_(kind) for name, kind in lists.items()}
    types |= {"similarities": pa.list_(pa.float64()), "random_seed": pa.int64()}
    types |= {"iteration": pa.int64(), "trained_on": pa.bool_(), "edited": pa.bool_()}
    types |= {"log_prob": pa.float64(), "log_prob_question": pa.float64()}
    return pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])


def write_jsonl_format(place: Path, tables: Tables) -> None:
    """A file of JSON lines for each table; `isara check` reads pairs.jsonl as a seed file."""
    for name, rows in tables.items():
        write_jsonl(place / f"{name}.jsonl", rows)


def write_parquet_format(place: Path, tables: Tables) -> None:
    """A Parquet file for each table."""
    import pyarrow as pa

    for name, rows in tables.items():
        write_parquet(place / f"{name}.parquet", pa.Table.from_pylist(rows, schema=schema()))


def write_hf_format(place: Path, tables: Tables) -> None:
    """What `datasets.load_from_disk` opens: a split for each table."""
    import datasets

    datasets.disable_progress_bars()
    features = datasets.Features.from_arrow_schema(schema())
    found = {name: datasets.Dataset.from_list(rows, features) for name, rows in tables.items()}
    datasets.DatasetDict(found).save_to_disk(place)


def write_alpaca_format(place: Path, tables: Tables) -> None:
    """A JSON list of instruction, input and output for each table, then the lineage."""
    write_lists(
        place,
        tables,
        lambda row: {"instruction": row["question"], "input": "", "output": row["answer"]},
    )


def write_sharegpt_format(place: Path, tables: Tables) -> None:
    """A JSON list of conversations for each table, then the lineage."""

    def spoken(row: Row) -> Row:
        turns = (("human", row["question"]), ("gpt", row["answer"]))
        return {"conversations": [{"from": who, "value": text} for who, text in turns]}

    write_lists(place, tables, spoken)


def write_lists(place: Path, tables: Tables, change: Callable[[Row], Row]) -> None:
    """JSON lists of rows in another layout, with all columns but question and answer."""
    for name, rows in tables.items():
        changed = [change(row) | without_texts(row) for row in rows]
        write_json(place / f"{name}.json", changed)


def without_texts(row: Row) -> Row:
    """The lineage of a row."""
    return {name: value for name, value in row.items() if name not in ("question", "answer")}


WRITERS: dict[str, Callable[[Path, Tables], None]] = {
    "jsonl": write_jsonl_format,
    "parquet": write_parquet_format,
    "hf": write_hf_format,
    "alpaca": write_alpaca_format,
    "sharegpt": write_sharegpt_format,
}


def zipped(write: Callable[[Path], object], name: str) -> bytes:
    """A zip archive of what `write` puts into a folder; for a download."""
    import tempfile

    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / name
        write(place)
        archive = shutil.make_archive(f"{temporary}/{name}", "zip", temporary, name)
        return Path(archive).read_bytes()

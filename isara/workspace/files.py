"""Files that are either whole or not there: JSON, JSON lines and Parquet written by rename.

A reader never sees half a file, and a process killed at any instant leaves the old file or the new
one. ``BlockWriter`` does the same for a long table: its rows are appended in numbered blocks, so a
killed stage goes on at the next block and ends with the same table. ``append_lines`` is for files
that several programs add to, each holding the file's lock. Locking of runs is left to runs.py.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from filelock import BaseFileLock, Timeout

from isara.config_files import one_line
from isara.errors import IsaraError, RunStateError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


LOCK_SECONDS = 10


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path in the same folder that takes the place of ``path`` on success.

    ``durable=False`` leaves out the two fsyncs, for files that are written every second and may be
    lost in a power cut (progress, heartbeat).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        if durable:
            _fsync(temporary)
        os.replace(temporary, path)
        if durable and os.name == "posix":  # elsewhere a folder cannot be opened
            _fsync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_temporary(folder: Path) -> None:
    """Delete what killed processes left half-written below ``folder``; files of live ones stay."""
    for path in folder.rglob(".*.tmp"):
        pid = path.name.rsplit(".", 2)[1].partition("-")[0]
        if not (pid.isdigit() and psutil.pid_exists(int(pid))):
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write UTF-8 text with the line ends as given."""
    with replacing(path, durable=durable) as temporary:
        temporary.write_bytes(text.encode())


def write_json(path: Path, value: object, *, durable: bool = True) -> None:
    """Write one JSON value, indented, keys in the order given."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n", durable=durable)


def read_json(path: Path, default: Any = None) -> Any:
    """The value in a JSON file, or ``default`` when there is no such file.

    Where a default is given it stands for an empty file too: a power cut can leave that of a file
    that was written without waiting for the disk.
    """
    try:
        data = path.read_bytes()
        return default if not data and default is not None else json.loads(data)
    except FileNotFoundError:
        return default
    except ValueError as error:
        raise IsaraError(
            f"{path} does not hold JSON ({error}); it was changed by hand: mend it or delete it."
        ) from None


def read_if_whole(path: Path, default: Any = None) -> Any:
    """`read_json`, and ``default`` also for a damaged file: one that is written without waiting for
    the disk, which a power cut can ruin, or that must not hold up the others."""
    try:
        return read_json(path, default)
    except IsaraError:
        return default


def write_jsonl(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write one JSON object per line."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


@contextmanager
def locked(lock: BaseFileLock) -> Iterator[None]:
    """Hold a lock; IsaraError when that cannot be had."""
    try:
        lock.acquire()
    except (Timeout, OSError) as error:
        raise not_written(Path(lock.lock_file).parent, error) from error
    try:
        yield
    finally:
        lock.release()


def append_lines(path: Path, lines: Sequence[Mapping[str, object]]) -> None:
    """Add lines and wait until they are on disk; half a line before them is ended. IsaraError when
    they cannot be written."""
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    try:
        with path.open("rb+") as file:
            file.seek(-1, os.SEEK_END)
            whole = file.read(1) == b"\n"
            file.write(text.encode() if whole else b"\n" + text.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: Exception) -> IsaraError:
    """Why a file or a folder of the workspace cannot be used."""
    return IsaraError(
        f"{path} cannot be read or written ({one_line(error)}); check that the workspace can be "
        "written, that the disk has room and that no other program holds its files."
    )


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows of a file that ``write_jsonl`` wrote; lines split at "\\n" only.

    Raises IsaraError for a line that is not an object: the file was changed or is damaged.
    """
    rows = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line:
            continue
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise _damaged(path, f"line {number} is no JSON ({error})") from None
        if not isinstance(rows[-1], dict):
            raise _damaged(path, f"line {number} is no JSON object")
    return rows


def _damaged(path: Path, fault: str) -> IsaraError:
    where = f"{path.parent.name}/{path.name}"
    return IsaraError(f"{where} is damaged: {fault}; put back a copy of it or run again.")


def read_columns(
    path: Path, columns: Sequence[str] | None = None, *, optional: bool = False
) -> pd.DataFrame:
    """Columns of a Parquet file (None: all), or those of them that it has; IsaraError when it is
    damaged."""
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        if columns is not None and optional:
            there = set(pq.read_schema(path).names)
            columns = [name for name in columns if name in there]
        return pd.read_parquet(path, columns=None if columns is None else list(columns))
    except (OSError, ValueError, KeyError) as error:  # pyarrow's errors are among them
        reason = " ".join(str(error).split())[:200]
        raise IsaraError(
            f"{path.name} of {path.parent.name} cannot be read ({reason}): the file is damaged or "
            "from another version. Delete the iteration's folder and run again."
        ) from error


def write_parquet(path: Path, table: pa.Table | pd.DataFrame) -> None:
    """Write a table; a data frame goes without its index."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False)
    with replacing(path) as temporary:
        pq.write_table(table, temporary)


class BlockWriter:
    """The table FOLDER/NAME.parquet, written as ``total_blocks`` blocks in any order.

    ``schema`` fixes the columns and their types; without one they are inferred, which needs the
    same keys in every row of a block and at least one row in all. Only the holder of the run's
    lock may write.
    """

    def __init__(
        self, folder: Path, name: str, total_blocks: int, schema: pa.Schema | None = None
    ) -> None:
        self.path = folder / f"{name}.parquet"
        self.total_blocks = total_blocks
        self._blocks = folder / name
        self._schema = schema
        for half_written in self._blocks.glob(".*.tmp"):
            half_written.unlink(missing_ok=True)

    def done(self, block: int) -> bool:
        """Whether this block, or the whole table, is on disk."""
        return self.path.exists() or self._block(block).exists()

    def missing(self) -> list[int]:
        """The blocks that are still to be written, in order."""
        return [block for block in range(self.total_blocks) if not self.done(block)]

    def append(self, block: int, rows: Sequence[Mapping[str, object]]) -> None:
        """Write the rows of one block; a block that is there is replaced."""
        import pyarrow as pa

        if not 0 <= block < self.total_blocks:
            raise IndexError(f"block {block} of {self.total_blocks} in {self.path}")
        write_parquet(self._block(block), pa.Table.from_pylist(list(rows), schema=self._schema))

    def finish(self) -> Path:
        """Merge the blocks in their order into one table, remove them, and give its path.

        Raises RunStateError when blocks are missing.
        """
        if not self.path.exists():
            if absent := self.missing():
                raise RunStateError(
                    f"{self.path} lacks {len(absent)} of {self.total_blocks} blocks, the first is "
                    f"{absent[0]}; start the run again to write them."
                )
            write_parquet(self.path, self._merged())
        shutil.rmtree(self._blocks, ignore_errors=True)
        return self.path

    def _merged(self) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self.total_blocks == 0:
            return pa.Table.from_pylist([], schema=self._schema or pa.schema([]))
        # ParquetFile reads the file alone; read_table would take folder names for columns.
        tables = [pq.ParquetFile(self._block(i)).read() for i in range(self.total_blocks)]
        # A column without a value in one block has no type there: permissive takes it from others.
        merged = pa.concat_tables(tables, promote_options="permissive")
        return merged.combine_chunks()

    def _block(self, block: int) -> Path:
        return self._blocks / f"block-{block:05d}.parquet"

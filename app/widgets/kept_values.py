"""Small values that one window writes down while they are typed, found again by a token in its URL.

    kept = keep(folder, "form", None, values)      # FOLDER/form-TOKEN.json
    kept = keep(folder, "form", kept, later)       # the same file, unless another window changed it
    kept = find(folder, "form", token)             # None where there is none that can be read
    forget(folder, "form", kept)

Two windows never write the same file: who finds it changed, or gone, since it was last seen takes a
new token. Values that were left lying go 30 days after their last change.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from isara.errors import IsaraError
from isara.workspace.files import LOCK_SECONDS, locked, not_written, read_json, write_json

Values = dict[str, Any]
TOKEN = re.compile(r"[0-9a-f]{16}")
DAYS = 30


class Kept(NamedTuple):
    """What is on disk as this window last read or wrote it."""

    token: str
    values: Values


def keep(folder: Path, kind: str, mine: Kept | None, values: Values) -> Kept:
    """Write values down; IsaraError where that cannot be."""
    values = json.loads(json.dumps(values))  # as they are read again
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, kind):
            if mine is None or find(folder, kind, mine.token) != mine:
                _clean(folder, kind)
                mine = Kept(secrets.token_hex(8), values)
            path = _file(folder, kind, mine.token)
            write_json(path, values)
    except OSError as error:
        raise not_written(folder, error) from error
    return mine._replace(values=values)


def find(folder: Path, kind: str, token: str) -> Kept | None:
    """The values of a token; None when there are none or the token is no token."""
    if not TOKEN.fullmatch(token):
        return None
    try:
        values = read_json(_file(folder, kind, token))
    except (IsaraError, OSError):  # changed by hand
        return None
    return Kept(token, values) if isinstance(values, dict) else None


def forget(folder: Path, kind: str, mine: Kept | None) -> None:
    """Delete values, unless another window has gone on with them: then they are that one's.
    IsaraError where that cannot be."""
    if mine is None or not folder.is_dir():
        return
    try:
        with _alone(folder, kind):
            if find(folder, kind, mine.token) == mine:
                _file(folder, kind, mine.token).unlink(missing_ok=True)
    except OSError as error:
        raise not_written(folder, error) from error


def newest(folder: Path, kind: str) -> Kept | None:
    """The values that were written last, by whichever window."""
    tokens = (path.stem.removeprefix(f"{kind}-") for _, path in reversed(_by_age(folder, kind)))
    return next((kept for token in tokens if (kept := find(folder, kind, token))), None)


def _file(folder: Path, kind: str, token: str) -> Path:
    return folder / f"{kind}-{token}.json"


def _alone(folder: Path, kind: str) -> AbstractContextManager[None]:
    return locked(FileLock(folder / f"{kind}.lock", timeout=LOCK_SECONDS))


def _by_age(folder: Path, kind: str) -> list[tuple[int, Path]]:
    """The files of a kind with their last change in ns, the oldest first; one that another window
    deletes meanwhile is left out."""
    aged = []
    for path in folder.glob(f"{kind}-*.json"):
        try:
            aged.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:
            continue
    return sorted(aged)


def _clean(folder: Path, kind: str) -> None:
    before = (time.time() - DAYS * 86_400) * 1e9
    for changed, path in _by_age(folder, kind):
        if changed < before:
            path.unlink(missing_ok=True)

"""Drafts on disk, so that a reload, a second tab or a restart of the server loses no mending.

    token = keep(draft)            # WORKSPACE/drafts/TOKEN/ upload, draft.json; the URL has TOKEN
    draft = find(token)            # None when there is none
    update(token, draft, before)   # what another tab changed since stays
    put_away(token)                # find(token) gives None, find(token, away=True) the draft
    take_up(token)

A draft that is discarded, or whose place another file takes, is only put away: the click may have
been a mistake. All go 30 days after their last change.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from filelock import FileLock

from app.state import workspace
from app.widgets.seed_draft import Draft
from isara.workspace.files import LOCK_SECONDS, locked, read_json, replacing, write_json

Values = dict[str, Any]
Cell = tuple[str, str, str]  # changes or pending, number of the row, column
TOKEN = re.compile(r"[0-9a-f]{16}")
DAYS = 30
AWAY = "discarded"  # an empty file beside a draft that was put away


def _root() -> Path:
    return workspace().root / "drafts"


def keep(draft: Draft) -> str:
    """Write a new draft and give the token that finds it; old ones are deleted."""
    for folder in _root().glob("*/"):
        last = folder / "draft.json"
        if last.exists() and time.time() - last.stat().st_mtime > DAYS * 86_400:
            shutil.rmtree(folder, ignore_errors=True)
    token = secrets.token_hex(8)
    update(token, draft, values_of(draft))
    return token


def values_of(draft: Draft) -> Values:
    """What is written of a draft, as JSON gives it back."""
    values: Values = json.loads(json.dumps(draft.to_dict()))
    return values


def update(token: str, draft: Draft, before: Values) -> Values:
    """Write what was changed since `before`, and give what is on disk then: changes that another
    tab made to other cells are in it."""
    folder, own = _root() / token, values_of(draft)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(FileLock(folder / "draft.lock", timeout=LOCK_SECONDS)):
        if not (folder / "upload").exists():  # new, or discarded in another tab
            with replacing(folder / "upload") as temporary:
                temporary.write_bytes(draft.data)
        there = read_json(folder / "draft.json", before)
        (folder / AWAY).unlink(missing_ok=True)  # who goes on with it has it open
        values = own if there == before else _merged(there, before, own)
        write_json(folder / "draft.json", values)
    return values


def _merged(there: Values, before: Values, own: Values) -> Values:
    """`there` with what differs between `before` and `own`; other columns of the file are another
    draft, and take the place of all."""
    if own["mapping"] != before["mapping"]:
        return own
    old, new, cells = _cells(before), _cells(own), _cells(there)
    for cell in old.keys() - new.keys():
        cells.pop(cell, None)
    cells |= {cell: value for cell, value in new.items() if old.get(cell, ...) != value}
    values = there | {"changes": {}, "pending": {}}
    for (part, row, column), value in cells.items():
        values[part].setdefault(row, {})[column] = value
    return values


def _cells(values: Values) -> dict[Cell, Any]:
    return {
        (part, row, column): value
        for part in ("changes", "pending")
        for row, cells in values[part].items()
        for column, value in cells.items()
    }


def find(token: str, *, away: bool = False) -> Draft | None:
    """The draft of a token, or one that was put away; None when there is none or the token is no
    token."""
    folder = _root() / token
    if not TOKEN.fullmatch(token) or not (folder / "draft.json").exists():
        return None  # it is written after the upload
    if (folder / AWAY).exists() != away:
        return None
    values = read_json(folder / "draft.json")
    draft = Draft(values["file"], (folder / "upload").read_bytes())
    draft.restore(values)
    return draft


def values_away(token: str) -> Values | None:
    """What is written of a draft that was put away, without reading its file."""
    folder = _root() / token
    if not TOKEN.fullmatch(token) or not (folder / AWAY).exists():
        return None
    values: Values | None = read_json(folder / "draft.json", None)
    return values


def put_away(token: str) -> None:
    """Close a draft; it can be taken up again."""
    if TOKEN.fullmatch(token) and (_root() / token).is_dir():
        (_root() / token / AWAY).touch()


def take_up(token: str) -> None:
    """Open a draft again that was put away."""
    if TOKEN.fullmatch(token):
        (_root() / token / AWAY).unlink(missing_ok=True)

"""Drafts on disk, so that a reload, a second tab or a restart of the server loses no mending.

    token = keep(draft)            # WORKSPACE/drafts/TOKEN/ upload, draft.json; the URL has TOKEN
    draft = find(token)            # None when there is none
    forget(token)

A draft goes when it is discarded, when another file takes its place, or 30 days after its last
change.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from pathlib import Path

from app.state import workspace
from app.widgets.seed_draft import Draft
from isara.workspace.files import read_json, replacing, write_json

TOKEN = re.compile(r"[0-9a-f]{16}")
DAYS = 30


def _root() -> Path:
    return workspace().root / "drafts"


def keep(draft: Draft) -> str:
    """Write a new draft and give the token that finds it; old ones are deleted."""
    for folder in _root().glob("*/"):
        last = folder / "draft.json"
        if last.exists() and time.time() - last.stat().st_mtime > DAYS * 86_400:
            shutil.rmtree(folder, ignore_errors=True)
    token = secrets.token_hex(8)
    with replacing(_root() / token / "upload") as temporary:
        temporary.write_bytes(draft.data)
    update(token, draft)
    return token


def update(token: str, draft: Draft) -> None:
    """Write what was changed since."""
    write_json(_root() / token / "draft.json", draft.to_dict())


def find(token: str) -> Draft | None:
    """The draft of a token; None when there is none or the token is no token."""
    folder = _root() / token
    if not TOKEN.fullmatch(token) or not (folder / "draft.json").exists():
        return None
    values = read_json(folder / "draft.json")
    draft = Draft(values["file"], (folder / "upload").read_bytes())
    draft.restore(values)
    return draft


def forget(token: str) -> None:
    """Delete a draft."""
    if TOKEN.fullmatch(token):
        shutil.rmtree(_root() / token, ignore_errors=True)

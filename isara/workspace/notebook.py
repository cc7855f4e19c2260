"""What people keep beside the runs: filter presets by name, and notes on a run's curve."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from isara.errors import InputError
from isara.workspace.store import Store
from isara.workspace.tables import NoteTable, PresetTable


class Preset(NamedTuple):
    """Filter settings under a name: field of FilterConfig -> value."""

    name: str
    settings: dict[str, Any]
    author: str
    created: datetime


class Note(NamedTuple):
    """A sentence about an iteration of a run. ``replaces`` is the note it stands for."""

    id: int
    run_id: str
    iteration: int
    text: str
    author: str
    created: datetime
    replaces: int | None


NOTE_COLUMNS = tuple(getattr(NoteTable, name) for name in Note._fields)


class Notebook(Store):
    """Saving and reading presets and notes."""

    def save_preset(
        self,
        name: str,
        settings: Mapping[str, Any],
        author: str = "",
        created: datetime | None = None,
    ) -> None:
        """Keep settings under a name; the latest of a name counts, and empty ones remove it.

        `created` is given where what was saved before is put back.
        """
        if not name.strip():
            raise InputError("A preset needs a name; found an empty one, give one.")
        row = PresetTable(name=name.strip(), settings=dict(settings), author=author)
        if created is not None:
            row.created = created
        self._writing(lambda session: session.add(row))

    def presets(self) -> dict[str, Preset]:
        """The presets by name, in alphabetical order."""
        table = PresetTable
        query = select(table.name, table.settings, table.author, table.created).order_by(table.id)
        latest = {row.name: Preset(*row) for row in self._rows(query)}
        return {name: latest[name] for name in sorted(latest) if latest[name].settings}

    def add_note(
        self, run_id: str, iteration: int, text: str, author: str = "", replaces: int | None = None
    ) -> None:
        """Append a note; with `replaces` it stands for that note, and an empty text removes it.

        InputError where both are missing.
        """
        if not text.strip() and replaces is None:
            raise InputError("A note needs a text; found an empty one, write a sentence.")
        row = NoteTable(
            run_id=run_id, iteration=iteration, text=text.strip(), author=author, replaces=replaces
        )
        self._writing(lambda session: session.add(row))

    def notes(self, run_id: str) -> list[Note]:
        """The notes of a run that stand, by iteration, oldest first."""
        query = select(*NOTE_COLUMNS).where(NoteTable.run_id == run_id).order_by(NoteTable.id)
        found = [Note(*row) for row in self._rows(query)]
        replaced = {note.replaces for note in found}
        standing = [note for note in found if note.text and note.id not in replaced]
        return sorted(standing, key=lambda note: (note.iteration, note.id))

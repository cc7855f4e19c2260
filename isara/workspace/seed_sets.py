"""Saved seed sets: every save is a version, and no version ever changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from isara.errors import InputError
from isara.examples import Example
from isara.workspace.store import Store
from isara.workspace.tables import SeedRowTable, SeedSetTable


class SeedSetInfo(NamedTuple):
    """A version of a seed set without its rows. ``parent`` is the id of another version."""

    id: int
    name: str
    version: int
    created: datetime
    author: str
    note: str
    parent: int | None
    size: int


class SeedSet(NamedTuple):
    """A version of a seed set with its rows in order; ``tags`` by example id."""

    info: SeedSetInfo
    examples: tuple[Example, ...]
    tags: dict[str, tuple[str, ...]]


class SeedSets(Store):
    """Saving and loading seed sets."""

    def save_seed_set(
        self,
        name: str,
        examples: Sequence[Example],
        author: str = "",
        note: str = "",
        *,
        tags: Mapping[str, Sequence[str]] | None = None,
        parent: int | None = None,
    ) -> int:
        """Store the examples as the next version of ``name`` and give its number: 1, 2, …

        ``tags`` go by example id. ``parent`` is the id of the version it was made from, by default
        the latest of this name. Raises InputError without a name or without examples.
        """
        if not name.strip() or not examples:
            raise InputError(
                f"A seed set needs a name and at least one example, found the name {name!r} and "
                f"{len(examples)} examples; give both."
            )

        def save(session: Session) -> int:
            latest = session.execute(
                select(SeedSetTable.id, SeedSetTable.version)
                .where(SeedSetTable.name == name)
                .order_by(SeedSetTable.version.desc())
                .limit(1)
            ).first()
            row = SeedSetTable(
                name=name,
                version=latest.version + 1 if latest else 1,
                author=author,
                note=note,
                parent=parent if parent is not None else latest and latest.id,
            )
            session.add(row)
            session.flush()
            session.execute(insert(SeedRowTable), _seed_rows(row.id, examples, tags or {}))
            return row.version

        return self._writing(save)

    def seed_sets(self, name: str | None = None) -> list[SeedSetInfo]:
        """All versions of all seed sets (or of one name), by name, newest version first."""
        size = (
            select(func.count())
            .where(SeedRowTable.set_id == SeedSetTable.id)
            .correlate(SeedSetTable)
            .scalar_subquery()
        )
        columns = [getattr(SeedSetTable, field) for field in SeedSetInfo._fields[:-1]]
        query = select(*columns, size).order_by(SeedSetTable.name, SeedSetTable.version.desc())
        if name is not None:
            query = query.where(SeedSetTable.name == name)
        return [SeedSetInfo(*row) for row in self._rows(query)]

    def load_seed_set(self, name: str, version: int | None = None) -> SeedSet:
        """One version of a seed set, by default the latest. InputError names what there is."""
        versions = self.seed_sets(name)
        found = [info for info in versions if version in (None, info.version)]
        if not found:
            have = sorted({f"{info.name} version {info.version}" for info in self.seed_sets()})
            raise InputError(
                f"There is no seed set {name!r}{f' version {version}' if version else ''}; found "
                f"{', '.join(have) or 'none'}. Choose one of these or save it first."
            )
        table = SeedRowTable
        rows = self._rows(
            select(table.example_id, table.question, table.answer, table.category, table.tags)
            .where(table.set_id == found[0].id)
            .order_by(table.position)
        )
        examples = tuple(Example(row.question, row.answer, row.category) for row in rows)
        return SeedSet(found[0], examples, {r.example_id: tuple(r.tags) for r in rows if r.tags})


def _seed_rows(
    set_id: int, examples: Sequence[Example], tags: Mapping[str, Sequence[str]]
) -> list[dict[str, object]]:
    return [
        {
            "set_id": set_id,
            "position": position,
            "example_id": example.id,
            "question": example.question,
            "answer": example.answer,
            "category": example.category,
            "tags": list(tags.get(example.id, ())),
        }
        for position, example in enumerate(examples)
    ]

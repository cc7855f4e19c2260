"""The tables of the database, as SQLAlchemy classes. database.py is what the rest of isara calls.

A change here needs a revision in migrations/versions; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC; SQLite stores it without the zone, which is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Names every constraint, so that a later revision can change it on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), str: Text()}


def _now() -> datetime:
    return datetime.now(UTC)


class SeedSetTable(Base):
    """One version of a seed set; ``parent`` is the version that it was made from."""

    __tablename__ = "seed_sets"
    __table_args__ = (UniqueConstraint("name", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    created: Mapped[datetime] = mapped_column(default=_now)
    author: Mapped[str]
    note: Mapped[str]
    parent: Mapped[int | None] = mapped_column(ForeignKey("seed_sets.id"))


class SeedRowTable(Base):
    """One example of one version of a seed set."""

    __tablename__ = "seed_rows"
    set_id: Mapped[int] = mapped_column(ForeignKey("seed_sets.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    example_id: Mapped[str] = mapped_column(String(16))
    question: Mapped[str]
    answer: Mapped[str]
    category: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(JSON)


class DecisionTable(Base):
    """Append-only. A row with ``undoes`` takes back that decision and is itself none.

    ``undoes`` is unique, so two undos at once cannot take back the same decision. ``seen`` is the
    id of the last decision on the pair that the reviewer was shown before this one.
    """

    __tablename__ = "decisions"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(String(80), index=True)
    iteration: Mapped[int]
    candidate_id: Mapped[str]
    reviewer: Mapped[str]
    action: Mapped[str] = mapped_column(String(10))
    question: Mapped[str | None]
    answer: Mapped[str | None]
    reason: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=_now)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), unique=True)
    batch: Mapped[str | None] = mapped_column(String(32), index=True)
    seen: Mapped[int | None]


class RunTable(Base):
    """A run that was started in this workspace."""

    __tablename__ = "runs"
    run_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    method: Mapped[str]
    name: Mapped[str]
    config_hash: Mapped[str]
    path: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=_now)


class LookTable(Base):
    """One look at the results of a split that no choice may depend on."""

    __tablename__ = "views_of_test"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(String(80), index=True)
    split: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=_now)


class LabelTable(Base):
    """Append-only: what a person says of an answer, and when they were shown what the judge says:
    labels of that model before it are blind."""

    __tablename__ = "labels"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(String(80), index=True)
    place: Mapped[str]
    prompt_id: Mapped[str]
    reviewer: Mapped[str]
    label: Mapped[str] = mapped_column(String(12))
    example_id: Mapped[str | None] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(default=_now)


class VoteTable(Base):
    """Append-only: which of two answers a person liked better, not knowing whose they were."""

    __tablename__ = "votes"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(String(80), index=True)
    prompt_id: Mapped[str]
    voter: Mapped[str]
    left: Mapped[str]
    right: Mapped[str]
    choice: Mapped[str] = mapped_column(String(5))
    left_example: Mapped[str] = mapped_column(String(16))
    right_example: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(default=_now)


class PresetTable(Base):
    """Append-only: filter settings under a name; the latest row of a name counts."""

    __tablename__ = "presets"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    author: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=_now)


class NoteTable(Base):
    """Append-only: a sentence about an iteration; ``replaces`` names the note it stands for."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(String(80), index=True)
    iteration: Mapped[int]
    text: Mapped[str]
    author: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=_now)
    replaces: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))


class EditDraftTable(Base):
    """An edit that is half written; the row goes when it is saved or cancelled. ``revision`` grows
    with every change, so that a window knows whether another one changed it."""

    __tablename__ = "edit_drafts"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(String(80), index=True)
    iteration: Mapped[int]
    candidate_id: Mapped[str]
    reviewer: Mapped[str]
    question: Mapped[str]
    answer: Mapped[str]
    changed: Mapped[datetime] = mapped_column(default=_now)
    revision: Mapped[int] = mapped_column(default=1)

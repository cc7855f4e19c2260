"""An open database: reading, and writing in transactions that are tried again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from isara.errors import IsaraError
from isara.workspace.engine import damaged, explained, open_engine

TRIES = 20  # of a transaction that lost a race for a number

T = TypeVar("T")


class Store:
    """What the parts of the database share; one object serves all threads of a process."""

    def __init__(self, path_or_url: Path | str) -> None:
        """Open or create the database and bring its tables up to date.

        Raises InputError for a URL that cannot be used, IsaraError when the database cannot be
        opened or was written by a newer version.
        """
        self._engine = open_engine(path_or_url)
        self._read = sessionmaker(self._engine)
        self._write = sessionmaker(self._engine.execution_options(isara_write=True))

    def close(self) -> None:
        """Close the pooled connections; a later call opens new ones."""
        self._engine.dispose()

    def _rows(self, query: Any) -> Sequence[Any]:
        with explained(self._engine), self._read() as session:
            try:
                return session.execute(query).all()
            except ValueError as error:  # not what the column holds, such as a time of letters
                raise IsaraError(damaged(f"a row cannot be read ({error})")) from error

    def _writing(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction, again when another writer was first with a number."""
        with explained(self._engine):
            for _ in range(TRIES - 1):
                try:
                    with self._write.begin() as session:
                        return work(session)
                except IntegrityError:
                    continue
            with self._write.begin() as session:
                return work(session)

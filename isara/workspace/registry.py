"""The runs that were started here, and the looks at their test splits."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from isara.workspace.store import Store
from isara.workspace.tables import LookTable, RunTable


class RunRecord(NamedTuple):
    run_id: str
    method: str
    name: str
    config_hash: str
    path: str
    created: datetime


RUN_COLUMNS = tuple(getattr(RunTable, name) for name in RunRecord._fields)


class Registry(Store):
    """Registering runs and counting looks."""

    def register_run(
        self, run_id: str, method: str, name: str, config_hash: str, path: Path | str
    ) -> None:
        """Enter a run, or its new place and config under an id that is known."""
        values = {"method": method, "name": name, "config_hash": config_hash, "path": str(path)}

        def register(session: Session) -> None:
            row = session.get(RunTable, run_id)
            if row is None:
                session.add(RunTable(run_id=run_id, **values))
            else:
                for field, value in values.items():
                    setattr(row, field, value)

        self._writing(register)

    def runs(self) -> list[RunRecord]:
        """All runs that were ever registered, newest first."""
        query = select(*RUN_COLUMNS).order_by(RunTable.created.desc(), RunTable.run_id)
        return [RunRecord(*row) for row in self._rows(query)]

    def count_test_look(self, run_id: str, split: str = "test") -> int:
        """Note that a split's results were looked at; gives how often that was, this included."""
        self._writing(lambda session: session.add(LookTable(run_id=run_id, split=split)))
        return self.test_looks(run_id, split)

    def test_looks(self, run_id: str, split: str = "test") -> int:
        """How often the results of a split were looked at."""
        table = LookTable
        query = select(func.count()).where(table.run_id == run_id, table.split == split)
        return int(self._rows(query)[0][0])

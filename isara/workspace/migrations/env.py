"""Alembic's entry: run the revisions on the connection that isara/workspace/engine.py opened.

A new revision is a file versions/NUMBER_WHAT.py written by hand; tests/workspace/test_database.py
compares the outcome with tables.py. The alembic command line is not used.
"""

from __future__ import annotations

from alembic import context

from isara.workspace.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # true of SQLite too, since engine.py begins its transactions itself
)
with context.begin_transaction():
    context.run_migrations()

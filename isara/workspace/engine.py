"""Open a database and bring it to the newest revision of migrations/.

``open_engine`` is all that database.py needs. SQLite runs in WAL mode with foreign keys on and a
busy timeout; a transaction that writes takes the write lock at its start (execution option
``isara_write``), since one that reads first and then writes cannot wait for another writer. Alembic
is imported only when there is something to migrate: it would be most of the time of an opening.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from isara.errors import InputError, IsaraError

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_SECONDS = 30
MIGRATION_LOCK = 0x15A4A  # any fixed number; names the lock among a Postgres server's


def open_engine(path_or_url: Path | str) -> Engine:
    """An engine on an up-to-date database; a SQLite file is created where there is none.

    Raises InputError for a URL that cannot be used, IsaraError when the database cannot be opened
    or was written by a newer version.
    """
    url = _url(path_or_url)
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
    else:
        engine = _server_engine(url)
    with explained(engine):
        _migrate(engine)
    return engine


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into one sentence that names the database, without a password."""
    try:
        yield
    except DBAPIError as error:
        name = engine.url.render_as_string(hide_password=True)
        raise IsaraError(
            f"The database {name} cannot be used: {str(error.orig).splitlines()[0]}; check that it "
            "is there, that it can be written and that nothing else keeps it locked."
        ) from error


def damaged(found: str) -> str:
    """The sentence for a database whose rows are not what isara wrote."""
    return (
        f"The database is damaged: {found}. Nothing was changed; put a copy of the file from "
        "before in its place, or mend that row."
    )


def _url(path_or_url: Path | str) -> URL:
    if isinstance(path_or_url, Path) or "://" not in path_or_url:
        return URL.create("sqlite", database=str(path_or_url))
    try:
        url = make_url(path_or_url)
    except ArgumentError as error:
        raise InputError(
            f"The database URL cannot be read ({error}); write postgresql://USER@HOST/NAME."
        ) from None
    # Without a driver in the URL the default depends on SQLAlchemy's version.
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    return url


def _server_engine(url: URL) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise InputError(
            f"A database of the kind {url.drivername!r} needs a driver that is not installed "
            f"({error}); for Postgres: pip install 'psycopg[binary]'."
        ) from None


def _on_sqlite_connect(connection: SqliteConnection, record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin in _on_sqlite_begin, not in the driver
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # a commit survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")


def _on_sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("isara_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def known_revisions() -> list[str]:
    """The revisions in migrations/versions, oldest first; file names begin with their number."""
    return sorted(p.name.partition("_")[0] for p in MIGRATIONS.glob("versions/[0-9]*.py"))


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine) -> None:
    revisions = known_revisions()
    found = _revision(engine)
    if found == revisions[-1]:
        return
    if found is not None and found not in revisions:
        raise IsaraError(
            f"The database {engine.url.render_as_string(hide_password=True)} is at revision "
            f"{found}, this version of isara knows up to {revisions[-1]}; install a newer isara."
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    # One transaction for all: a second process waits for it and then finds nothing left to do.
    with engine.execution_options(isara_write=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

"""The database: versions of seed sets, decisions and their undo, many writers, migrations."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateTable

from isara.errors import InputError, IsaraError
from isara.examples import Example
from isara.workspace.database import Database
from isara.workspace.engine import known_revisions
from isara.workspace.tables import Base, DecisionTable

CREATED = list(DecisionTable.__table__.columns.keys()).index("created")
ROOT = Path(__file__).parents[2]
SEEDS = [Example("Why is the sky blue?", "It scatters light."), Example("Two?", "Yes.", "sums")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "isara.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database(path)
    yield opened
    opened.close()


def decide(database: Database, reviewer: str, action: str, index: int = 0) -> int:
    text = {"question": "Edited?", "answer": "So."} if action == "edit" else {}
    return database.record_decision("r", 1, f"1-{index:05d}", reviewer, action, **text).id


def python(code: str, *arguments: Path | str) -> subprocess.Popen[str]:
    """Another process, in the project's root so that it finds isara."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def current(database: Database, reviewer: str | None = None) -> dict[str, str]:
    return {c: d.action for c, d in database.decisions("r", reviewer=reviewer).items()}


# ---------------------------------------------------------------------- seed sets


def test_seed_sets_are_versioned_by_name(database: Database) -> None:
    tags = {SEEDS[0].id: ["physics", "short"]}
    assert database.save_seed_set("safety", SEEDS, "Ann", "first", tags=tags) == 1
    assert database.save_seed_set("safety", SEEDS[1:], "Bob") == 2
    assert database.save_seed_set("other", SEEDS) == 1

    found = [(s.name, s.version, s.author, s.size) for s in database.seed_sets()]
    assert found == [("other", 1, "", 2), ("safety", 2, "Bob", 1), ("safety", 1, "Ann", 2)]
    first, latest = database.load_seed_set("safety", 1), database.load_seed_set("safety")
    assert first.examples == tuple(SEEDS)
    assert first.tags == {SEEDS[0].id: ("physics", "short")}
    assert latest.examples == (SEEDS[1],)
    assert (first.info.parent, latest.info.parent) == (None, first.info.id)
    assert first.info.created.utcoffset() is not None


def test_a_restored_version_names_its_parent(database: Database) -> None:
    database.save_seed_set("s", SEEDS)
    database.save_seed_set("s", SEEDS[1:])
    old = database.load_seed_set("s", 1)
    assert database.save_seed_set("s", old.examples, parent=old.info.id) == 3
    restored = database.load_seed_set("s")
    assert restored.examples == old.examples
    assert restored.info.parent == old.info.id


def test_a_seed_set_that_is_not_there_names_those_that_are(database: Database) -> None:
    database.save_seed_set("safety", SEEDS)
    with pytest.raises(InputError, match=r"'safety' version 7; found safety version 1"):
        database.load_seed_set("safety", 7)
    with pytest.raises(InputError, match="'nope'; found safety version 1"):
        database.load_seed_set("nope")


@pytest.mark.parametrize(("name", "examples"), [(" ", SEEDS), ("s", [])])
def test_a_seed_set_needs_a_name_and_rows(
    database: Database, name: str, examples: list[Example]
) -> None:
    with pytest.raises(InputError, match="needs a name and at least one example"):
        database.save_seed_set(name, examples)


# ---------------------------------------------------------------------- decisions


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("ann", "accept")], "accept"),
        ([("ann", "accept"), ("ann", "reject")], "reject"),
        ([("ann", "accept"), ("bob", "reject")], "reject"),  # of several reviewers the latest
        ([("ann", "accept"), ("bob", "skip")], "accept"),  # a skip does not rule
        ([("bob", "flag"), ("ann", "skip")], "skip"),
        ([("ann", "accept"), ("bob", "reject"), ("bob", "clear")], "accept"),
        ([("ann", "accept"), ("ann", "clear")], None),
        ([("ann", "accept"), ("bob", "edit"), ("bob", "undo")], "accept"),
        ([("ann", "accept"), ("ann", "clear"), ("ann", "undo")], "accept"),
        ([("ann", "accept"), ("ann", "reject"), ("ann", "undo"), ("ann", "undo")], None),
    ],
)
def test_the_decision_that_counts(
    database: Database, steps: list[tuple[str, str]], expected: str | None
) -> None:
    for reviewer, action in steps:
        if action == "undo":
            assert database.undo("r", reviewer)
        else:
            decide(database, reviewer, action)
    assert current(database).get("1-00000") == expected


def test_undo_goes_back_without_limit_and_across_restarts(path: Path, database: Database) -> None:
    for index in range(5):
        decide(database, "ann", "accept", index)
        decide(database, "bob", "reject", index)
    database.close()
    again = Database(path)
    undone = [again.undo("r", "ann") for _ in range(6)]
    again.close()
    assert [[d.candidate_id for d in step] for step in undone] == [
        *(["1-00004"], ["1-00003"], ["1-00002"], ["1-00001"], ["1-00000"]),
        [],
    ]
    assert set(current(database).values()) == {"reject"}  # another's decisions stay
    assert len(database.history("r")) == 15  # nothing is ever deleted


def test_decisions_are_told_apart_by_run_iteration_and_reviewer(database: Database) -> None:
    database.record_decision("r", 1, "1-00000", "ann", "accept")
    database.record_decision("r", 1, "1-00000", "bob", "flag", reason="odd")
    database.record_decision("r", 2, "2-00000", "ann", "reject", reason="3")
    database.record_decision("other", 1, "1-00000", "ann", "reject")
    assert current(database) == {"1-00000": "accept", "2-00000": "reject"}
    assert current(database, "bob") == {"1-00000": "flag"}
    assert list(database.decisions("r", 2)) == ["2-00000"]
    both = database.decisions_by_reviewer("r", 1)["1-00000"]
    assert {reviewer: d.action for reviewer, d in both.items()} == {"ann": "accept", "bob": "flag"}
    assert [d.reason for d in database.history("r", "2-00000")] == ["3"]


def test_an_edit_keeps_its_text_and_other_actions_none(database: Database) -> None:
    decide(database, "ann", "edit")
    database.record_decision("r", 1, "1-00001", "ann", "accept", question="Q?", answer="A")
    edit, accept = database.decisions("r").values()
    assert (edit.question, edit.answer) == ("Edited?", "So.")
    assert (accept.question, accept.answer) == (None, None)


def test_a_batch_is_decided_and_undone_as_one(database: Database) -> None:
    decide(database, "ann", "accept", 1)
    decide(database, "bob", "accept", 2)
    twice = ["1-00001", "1-00002", "1-00001"]
    batch = database.record_decisions("r", 1, twice, "ann", "reject", reason="dull")
    decide(database, "ann", "flag", 3)
    assert current(database) == {"1-00001": "reject", "1-00002": "reject", "1-00003": "flag"}
    assert {d.reason for d in database.history("r") if d.batch == batch} == {"dull"}
    undone = [{d.candidate_id for d in database.undo("r", "ann")} for _ in range(4)]
    assert undone == [{"1-00003"}, {"1-00001", "1-00002"}, {"1-00001"}, set()]
    assert current(database) == {"1-00002": "accept"}


def test_undo_in_one_iteration_leaves_the_others(database: Database) -> None:
    decide(database, "ann", "accept")
    database.record_decision("r", 2, "2-00000", "ann", "reject")
    assert [d.iteration for d in database.undo("r", "ann", 1)] == [1]
    assert database.undo("r", "ann", 1) == []
    assert current(database) == {"2-00000": "reject"}


@pytest.mark.parametrize(
    ("ids", "reviewer", "action", "message"),
    [
        ([], "ann", "accept", "'accept' on 0 pairs"),
        (["1-00000"], "ann", "edit", "'edit' on 1 pairs"),
        (["1-00000"], "", "accept", "by ''"),
        (["1-00000"], "ann", "keep", "found 'keep'"),
    ],
)
def test_a_batch_that_says_too_little_is_refused(
    database: Database, ids: list[str], reviewer: str, action: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        database.record_decisions("r", 1, ids, reviewer, action)
    assert database.history("r") == []


@pytest.mark.parametrize(
    ("reviewer", "action", "answer", "message"),
    [
        ("ann", "approve", None, "found 'approve' by 'ann'"),
        (" ", "accept", None, "found 'accept' by ' '"),
        ("ann", "edit", " ", "found 'Q' and ' '"),
    ],
)
def test_a_decision_that_says_too_little_is_refused(
    database: Database, reviewer: str, action: str, answer: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        database.record_decision("r", 1, "1-00000", reviewer, action, question="Q", answer=answer)
    assert database.history("r") == []


# ---------------------------------------------------------------------- many writers

WRITER = """
import sys
from isara.workspace.database import Database
from isara.examples import Example
database = Database(sys.argv[1])
for i in range(50):
    database.record_decision("r", 1, f"1-{i:05d}", sys.argv[2], "accept")
    if i % 10 == 0:
        database.save_seed_set("shared", [Example(sys.argv[2], str(i))])
print("ended")
"""


def test_four_processes_lose_no_decision_and_share_no_version(path: Path) -> None:
    # The file is not there yet: the four create and migrate it at once as well.
    writers = [python(WRITER, path, name) for name in ("ann", "bob", "cyd", "dan")]
    assert [writer.communicate(timeout=120)[0] for writer in writers] == ["ended\n"] * 4
    database = Database(path)
    history = database.history("r")
    assert len({(d.reviewer, d.candidate_id) for d in history}) == len(history) == 200
    assert [s.version for s in database.seed_sets("shared")] == list(range(20, 0, -1))
    database.close()


def test_threads_that_undo_at_once_undo_different_decisions(database: Database) -> None:
    for index in range(40):
        decide(database, "ann", "accept", index)
    undone: list[str] = []

    def undo_ten() -> None:
        for _ in range(10):
            undone.extend(decision.candidate_id for decision in database.undo("r", "ann"))

    threads = [threading.Thread(target=undo_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(undone)) == 40
    assert database.decisions("r") == {}


def test_a_decision_is_on_disk_when_the_call_returns(path: Path, database: Database) -> None:
    code = (
        "import os, signal, sys; from isara.workspace.database import Database;"
        "Database(sys.argv[1]).record_decision('r', 1, '1-00009', 'ann', 'reject');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = python(code, path)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert current(database) == {"1-00009": "reject"}


# ---------------------------------------------------------------------- runs, test looks


def test_runs_are_registered_once(database: Database) -> None:
    database.register_run("demo-1", "isara", "demo", "abc", "/w/runs/demo-1")
    database.register_run("demo-2", "rft", "demo", "def", "/w/runs/demo-2")
    database.register_run("demo-1", "isara", "demo", "abc", "/moved/runs/demo-1")
    assert [(r.run_id, r.path) for r in database.runs()] == [
        ("demo-2", "/w/runs/demo-2"),
        ("demo-1", "/moved/runs/demo-1"),
    ]


def test_looks_at_the_test_split_are_counted_per_run(database: Database) -> None:
    assert [database.count_test_look("a"), database.count_test_look("a")] == [1, 2]
    assert (database.test_looks("a"), database.test_looks("b")) == (2, 0)


# ---------------------------------------------------------------------- opening, migrations


def test_the_revisions_make_the_tables_that_the_code_describes(
    path: Path, database: Database
) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == known_revisions()[-1]
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()


def test_the_tables_can_be_written_for_postgres() -> None:
    dialect = make_url("postgresql+psycopg://host/name").get_dialect()()
    for table in Base.metadata.sorted_tables:
        assert "NOT NULL" in str(CreateTable(table).compile(dialect=dialect))


def test_an_up_to_date_database_opens_at_once_and_without_alembic(
    path: Path, database: Database
) -> None:
    database.close()
    code = (
        "import sys; from sqlalchemy import Engine, event;"
        "from isara.workspace.database import Database; asked = [];"
        "event.listen(Engine, 'before_cursor_execute', lambda *a: asked.append(a[2]));"
        "Database(sys.argv[1]); print(len(asked), 'alembic' in sys.modules)"
    )
    statements, alembic = python(code, path).communicate(timeout=60)[0].split()
    assert int(statements) <= 5  # it looks at the revision, and changes nothing
    assert alembic == "False"


def best_of(work: Callable[[], None]) -> float:
    """Seconds of processor time that a piece of work takes at its best."""
    spent = []
    for _ in range(5):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return min(spent)


def test_reading_many_decisions_is_fast_enough_for_a_page(path: Path, database: Database) -> None:
    row = {"run_id": "r", "iteration": 1, "reviewer": "ann", "action": "accept", "reason": ""}
    with database._write.begin() as session:
        rows = [row | {"candidate_id": f"1-{i:05d}"} for i in range(10_000)]
        session.execute(insert(DecisionTable), rows)
    asked: list[object] = []
    event.listen(database._engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert len(database.decisions("r")) == 10_000
    assert [str(one).split()[0] for one in asked] == ["BEGIN", "SELECT"]

    def bare() -> None:
        with closing(sqlite3.connect(path)) as connection:
            for found in connection.execute("SELECT * FROM decisions").fetchall():
                datetime.fromisoformat(found[CREATED])

    def ours() -> None:
        database.decisions("r")

    # 3 times as long as SQLite alone on an idle machine, 0.1 s; a busy one slows both.
    assert best_of(ours) < 12 * best_of(bare)


def test_a_database_of_a_newer_version_is_refused(path: Path, database: Database) -> None:
    with database._write.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(IsaraError, match="at revision 9999, this version of isara knows up to"):
        Database(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("created = 'yesterday'", r"a row cannot be read \(.*'yesterday'\)"),
        ("action = 'maybe'", "row 1 of decisions has the action 'maybe', expected one of accept"),
    ],
)
def test_a_damaged_decision_is_a_sentence(database: Database, change: str, said: str) -> None:
    database.record_decision("r", 1, "1-00000", "Ana", "accept")
    with database._engine.begin() as connection:
        connection.execute(text(f"UPDATE decisions SET {change}"))
    for read in (database.decisions, database.history):
        with pytest.raises(IsaraError, match=f"The database is damaged: {said}"):
            read("r")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "isara.db"
    path.write_text("not a database, but long enough to be read as the header of one" * 20)
    with pytest.raises(IsaraError, match=r"isara\.db cannot be used: file is not a database"):
        Database(path)


@pytest.mark.parametrize("url", ["nosuch://host/name", "postgres ql://host/name"])
def test_a_url_that_cannot_be_used_is_explained(url: str) -> None:
    with pytest.raises(InputError, match=r"driver that is not installed|cannot be read"):
        Database(url)

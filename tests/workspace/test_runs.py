"""Run folders: states, liveness, the lock, events, and tables written in blocks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isara.errors import InputError, IsaraError, RunStateError
from isara.workspace.files import (
    BlockWriter,
    read_json,
    read_jsonl,
    replacing,
    write_json,
    write_jsonl,
)
from isara.workspace.runs import WORKER_DIED, Progress, RunFolder, Workspace

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from isara.workspace.runs import RunFolder
run = RunFolder(Path(sys.argv[1]))
with run.lock():
    run.set_state("running")
    print("locked", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def run(workspace: Workspace) -> RunFolder:
    run = workspace.run("demo-1")
    run.create("method: isara\n")
    return run


def hold(run: RunFolder) -> subprocess.Popen[str]:
    """Another process that holds the run and says that it runs."""
    command = [sys.executable, "-c", HOLD, str(run.path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


# ---------------------------------------------------------------------- workspace


@pytest.mark.parametrize("run_id", ["a", "demo-1.b_C", "9" * 80])
def test_run_ids_that_are_folder_names(workspace: Workspace, run_id: str) -> None:
    assert workspace.run(run_id).path == workspace.root / "runs" / run_id


@pytest.mark.parametrize(
    "run_id",
    ["", "..", "a..b", "../a", "a/b", "/etc", ".hidden", "-a", "a\n", "é", "9" * 81, "a\0"],
)
def test_run_ids_that_are_refused(workspace: Workspace, run_id: str) -> None:
    with pytest.raises(InputError, match="A run id has 1 to 80 letters"):
        workspace.run(run_id)


def test_a_link_out_of_the_workspace_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "run.yaml").touch()
    (workspace.root / "runs").mkdir()
    (workspace.root / "runs" / "a").symlink_to(outside)
    with pytest.raises(InputError, match="is a link to"):
        workspace.run("a")
    assert workspace.runs() == []


def test_runs_are_listed_newest_first(workspace: Workspace) -> None:
    assert workspace.runs() == []
    for age, run_id in [(30, "b"), (10, "c"), (20, "a")]:
        run = workspace.run(run_id)
        run.create("x")
        os.utime(run.config, (1e9 - age, 1e9 - age))
    (workspace.root / "runs" / "no-config").mkdir()
    (workspace.root / "runs" / "file").touch()
    assert [run.run_id for run in workspace.runs()] == ["c", "a", "b"]
    with pytest.raises(InputError, match=r"no run 'd' in .*; found c, a, b\."):
        workspace.existing_run("d")


def test_where_the_workspace_and_its_database_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ISARA_DATABASE", raising=False)
    monkeypatch.setenv("ISARA_WORKSPACE", str(tmp_path / "w"))
    workspace = Workspace()
    assert workspace.root == tmp_path / "w"
    assert not workspace.root.exists()  # looking makes nothing
    assert workspace.database is workspace.database
    assert (tmp_path / "w" / "isara.db").is_file()
    workspace.database.close()


def test_a_run_keeps_its_config(run: RunFolder) -> None:
    run.create("method: isara\n")
    with pytest.raises(RunStateError, match="exists with another config"):
        run.create("method: rft\n")
    assert run.config.read_text() == "method: isara\n"


def test_iterations_have_names(run: RunFolder) -> None:
    assert run.iteration(0).path.name == "iteration-00"
    assert run.iteration(12).metrics == run.path / "iteration-12" / "metrics.json"
    assert run.baseline().path.name == "baseline-sft"
    write_json(run.iteration(2).done, {})
    write_json(run.iteration(0).metrics, {})
    assert run.iterations() == [0, 2]
    assert (run.iteration(0).is_done, run.iteration(2).is_done) == (False, True)


# ---------------------------------------------------------------------- states


@pytest.mark.parametrize("text", ['{"state": "do', '{"state": "done", "more": 1}', "[1]", '"done"'])
def test_a_damaged_state_is_one_failed_run_and_not_the_end_of_the_list(
    tmp_path: Path, text: str
) -> None:
    workspace = Workspace(tmp_path)
    for name in ("a", "b"):
        workspace.run(name).create("name: demo\n")
        workspace.run(name).set_state("done")
    (workspace.run("a").path / "state.json").write_text(text)
    states = {run.run_id: run.state().state for run in workspace.runs()}
    assert states == {"a": "failed", "b": "done"}
    assert "state.json of a is damaged" in str(workspace.run("a").state().error)
    workspace.run("a").set_state("running")
    assert workspace.run("a").saved_state().state == "running"


def test_a_state_is_kept_with_its_reason(run: RunFolder) -> None:
    assert run.state().stop_reason == "not started"
    run.set_state("done", "retention below alpha")
    assert (run.state().state, run.state().stop_reason) == ("done", "retention below alpha")
    run.set_state("failed", error="no such file")
    assert (run.state().stop_reason, run.state().error) == (None, "no such file")
    with pytest.raises(ValueError, match="'finished' is none of queued, running"):
        run.set_state("finished")  # type: ignore[arg-type]


def test_a_killed_worker_shows_as_stopped_and_frees_the_run(run: RunFolder) -> None:
    worker = hold(run)
    assert run.state().state == "running"
    assert (run.heartbeat() or {})["pid"] == worker.pid
    with pytest.raises(RunStateError, match=f"worked on by process {worker.pid}"), run.lock():
        pass
    worker.send_signal(signal.SIGKILL)
    while psutil.Process(worker.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    # Not even waited for yet: a zombie does not work any more.
    assert (run.state().state, run.state().stop_reason) == ("stopped", WORKER_DIED)
    assert run.saved_state().state == "running"
    worker.communicate()
    with run.lock():
        run.set_state("running")
        assert run.state().state == "running"


def test_another_process_with_the_same_pid_is_no_worker(run: RunFolder) -> None:
    run.beat()
    assert run.is_alive()
    beat = run.heartbeat() or {}
    write_json(run.path / "heartbeat.json", beat | {"create_time": beat["create_time"] - 60})
    assert not run.is_alive()


def test_files_that_a_power_cut_left_empty_take_nothing_down(run: RunFolder) -> None:
    run.set_state("running")
    for name in ("heartbeat.json", "progress.json", "seconds.json"):
        (run.path / name).write_bytes(b"")
    assert (run.state().state, run.state().stop_reason) == ("stopped", WORKER_DIED)
    assert run.progress() is None
    assert read_json(run.path / "seconds.json", {"train": 1.0}) == {"train": 1.0}
    (run.path / "heartbeat.json").write_bytes(b'{"pid"')
    with run.lock():
        assert run.is_alive()


def test_a_queued_run_shows_as_running_once_its_worker_lives(run: RunFolder) -> None:
    run.set_state("queued")
    assert run.state().state == "queued"
    with run.lock():
        assert run.state().state == "running"
    assert run.state().state == "queued"


def test_one_process_cannot_hold_a_run_twice(run: RunFolder) -> None:
    with run.lock():
        again = RunFolder(run.path)
        with pytest.raises(RunStateError, match=f"process {os.getpid()}"), again.lock():
            pass
        assert run.is_alive()
    with run.lock():
        pass


def test_a_stop_holds_for_the_worker_that_it_was_asked_of(run: RunFolder) -> None:
    run.request_stop()
    with run.lock():
        assert run.stop_requested()
    run.clear_stop()
    assert not run.stop_requested()
    run.request_stop()
    os.utime(run.path / "stop", (1e9, 1e9))  # asked of a worker that was killed long ago
    with run.lock():
        assert not run.stop_requested()


# ---------------------------------------------------------------------- events, progress


def test_events_are_read_from_where_the_last_look_ended(run: RunFolder) -> None:
    assert run.events() == ([], 0)
    run.log_event("train", loss=2.5, text="zwölf\n")
    first, offset = run.events()
    assert [(e["kind"], e["loss"], e["text"]) for e in first] == [("train", 2.5, "zwölf\n")]
    assert run.events(offset) == ([], offset)
    run.log_event("stage", stage="answer")
    assert [e["kind"] for e in run.events(offset)[0]] == ["stage"]
    length = run.events_file.stat().st_size - offset
    inside_the_first_line = -(length + 3)
    assert [e["kind"] for e in run.events(inside_the_first_line)[0]] == ["stage"]


def test_half_a_line_costs_only_itself(run: RunFolder) -> None:
    run.log_event("one")
    with run.events_file.open("a") as file:
        file.write('{"time": 1, "ki')
    events, offset = run.events()
    assert [e["kind"] for e in events] == ["one"]
    run.log_event("two")
    assert [e["kind"] for e in run.events(offset)[0]] == ["two"]


def test_progress_is_given_back_with_its_time(run: RunFolder) -> None:
    assert run.progress() is None
    progress = Progress(
        stage="answer",
        iteration=1,
        done=3,
        total=16,
        started=0.0,
        eta_s=None,
        overall_done=3,
        overall_total=64,
    )
    run.write_progress(progress)
    shown = run.progress()
    assert shown is not None
    assert shown["updated"] == pytest.approx(time.time(), abs=60)
    assert (shown["stage"], shown["done"], shown["eta_s"]) == ("answer", 3, None)


# ---------------------------------------------------------------------- whole files


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("{")
        raise RuntimeError
    assert read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_the_lock_clears_what_killed_processes_left(run: RunFolder) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = run.path / f".state.json.{dead.pid}-0a1b.tmp"
    mine = run.path / f".state.json.{os.getpid()}-0a1b.tmp"
    left.touch()
    mine.touch()
    with run.lock():
        assert (left.exists(), mine.exists()) == (False, True)


def test_json_that_was_broken_by_hand_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(IsaraError, match=r"a\.json does not hold JSON"):
        read_json(tmp_path / "a.json")
    assert read_json(tmp_path / "none.json", default=3) == 3


def test_json_lines_keep_odd_line_separators(tmp_path: Path) -> None:
    rows = [{"answer": "a\u2028b\x85c\r\nd"}, {"answer": "é"}]
    write_jsonl(tmp_path / "kept.jsonl", rows)
    assert read_jsonl(tmp_path / "kept.jsonl") == rows


# ---------------------------------------------------------------------- blocks

BLOCKS: list[list[dict[str, object]]] = [
    [{"index": 0, "category": None, "near": []}, {"index": 1, "category": None, "near": []}],
    [],
    [{"index": 2, "category": "safety", "near": [0, 1]}],
]
SCHEMA = pa.schema(
    [("index", pa.int32()), ("category", pa.string()), ("near", pa.list_(pa.int32()))]
)


def write_blocks(folder: Path, numbers: list[int], schema: pa.Schema | None) -> BlockWriter:
    writer = BlockWriter(folder, "candidates", len(BLOCKS), schema)
    for number in numbers:
        writer.append(number, BLOCKS[number])
    return writer


@pytest.mark.parametrize("schema", [SCHEMA, None])
def test_a_killed_stage_ends_with_the_same_bytes(tmp_path: Path, schema: pa.Schema | None) -> None:
    whole = write_blocks(tmp_path / "a", [0, 1, 2], schema).finish()
    write_blocks(tmp_path / "b", [0], schema)
    half = tmp_path / "b" / "candidates" / ".block-00001.parquet.1-0a.tmp"
    half.write_bytes(b"PAR1")
    resumed = BlockWriter(tmp_path / "b", "candidates", 3, schema)
    assert not half.exists()
    assert (resumed.missing(), resumed.done(0), resumed.done(1)) == ([1, 2], True, False)
    write_blocks(tmp_path / "b", [2, 1], schema)
    assert resumed.finish().read_bytes() == whole.read_bytes()
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["candidates.parquet"]
    table = pq.read_table(whole)
    assert table.to_pylist() == [*BLOCKS[0], *BLOCKS[2]]


def test_a_stage_killed_after_its_merge_is_done(tmp_path: Path) -> None:
    writer = write_blocks(tmp_path, [0, 1, 2], SCHEMA)
    writer.finish()
    write_blocks(tmp_path, [0], SCHEMA)  # as if the folder had not been removed yet
    assert writer.missing() == []
    assert writer.finish() == tmp_path / "candidates.parquet"
    assert [p.name for p in tmp_path.iterdir()] == ["candidates.parquet"]


def test_a_table_is_not_merged_with_holes(tmp_path: Path) -> None:
    writer = write_blocks(tmp_path, [0], SCHEMA)
    with pytest.raises(RunStateError, match="lacks 2 of 3 blocks, the first is 1"):
        writer.finish()
    with pytest.raises(IndexError, match="block 3 of 3"):
        writer.append(3, [])


def test_a_stage_without_rows_has_columns(tmp_path: Path) -> None:
    path = BlockWriter(tmp_path, "scores", 0, SCHEMA).finish()
    assert pq.read_table(path).schema.equals(SCHEMA)

"""The supervisor with a worker of a few lines: queue, kill -9, restart of the app, failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from isara.errors import InputError, RunStateError
from isara.jobs import (
    STOPPED_BY_USER,
    Command,
    Supervisor,
    get_supervisor,
    watch,
    worker_command,
)
from isara.methods.reviewing import finish_review
from isara.workspace.runs import WORKER_DIED, Progress, RunFolder, Workspace

ROOT = Path(__file__).parents[1]

# Does what its config says: "hold" until there is a file `go` or a stop, "fail", or end at once.
WORKER = """
import sys, time
from pathlib import Path
from isara.workspace.runs import RunFolder
run = RunFolder(Path(sys.argv[1]))
config = run.config.read_text()
if config == "fail":
    print("Traceback: long")
    sys.exit("The seed file is empty; choose another.")
with run.lock():
    run.set_state("running")
    run.log_event("begin")
    if config == "review" and not (run.path / "iteration-01" / "review.json").exists():
        run.iteration(1).path.mkdir()
        run.iteration(1).scores.touch()
        run.set_state("waiting for review", "iteration 1 is to be reviewed")
        sys.exit(0)
    while config == "hold" and not (run.path / "go").exists():
        if run.stop_requested():
            run.set_state("stopped", "asked to")
            sys.exit(0)
        time.sleep(0.02)
    run.log_event("end")
    run.set_state("done")
"""


def command(workspace: Workspace, run: RunFolder) -> list[str]:
    return [sys.executable, "-c", WORKER, str(run.path)]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


Start = Callable[..., Supervisor]


@pytest.fixture
def start(workspace: Workspace) -> Iterator[Start]:
    """Starts supervisors; in the end nothing that they or a failed test left runs on."""
    started: list[Supervisor] = []

    def begin(command: Command = command, poll_s: float = 0.05) -> Supervisor:
        started.append(Supervisor(workspace, command=command, poll_s=poll_s))
        started[-1].start()
        return started[-1]

    yield begin
    for supervisor in started:
        supervisor.close()
    for run in workspace.runs():
        beat = run.heartbeat()
        if beat and run.is_alive():
            os.kill(beat["pid"], signal.SIGKILL)
    for supervisor in started:
        for worker in supervisor._workers:
            worker.process.wait(timeout=30)


@pytest.fixture
def supervisor(start: Start) -> Supervisor:
    return start()


def wait(condition: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def shows(run: RunFolder, state: str) -> Callable[[], bool]:
    return lambda: run.state().state == state


def works(run: RunFolder) -> Callable[[], bool]:
    return lambda: run.saved_state().state == "running"


def times(run: RunFolder) -> list[float]:
    return [event["time"] for event in run.events()[0]]


def test_the_command_is_the_one_of_the_command_line(workspace: Workspace) -> None:
    root = workspace.root
    assert worker_command(workspace, workspace.run("a"))[1:] == [
        *("-m", "isara", "run", f"{root}/runs/a/run.yaml"),
        *("--run-id", "a", "--workspace", str(root), "--quiet"),
    ]
    dry = worker_command(workspace, workspace.measurement("0123456789abcdef"))
    assert dry[4:] == [
        f"{root}/estimates/measure-0123456789ab/run.yaml",
        *("--dry-run", "--measure", "--workspace", str(root), "--quiet"),
    ]


def test_a_damaged_file_of_one_run_does_not_hold_up_the_queue(
    workspace: Workspace, supervisor: Supervisor
) -> None:
    broken = workspace.run("broken")
    broken.create("hold")
    broken.job.write_text('{"queued": 1', encoding="utf-8")
    broken.set_state("running")
    (broken.path / "heartbeat.json").write_bytes(b"")
    other = workspace.run("other")
    supervisor.submit("end", "other")
    wait(shows(other, "done"))
    assert watch(broken)["stop_reason"] == WORKER_DIED


def test_runs_on_one_device_go_one_after_the_other_in_order(
    workspace: Workspace, supervisor: Supervisor
) -> None:
    first = supervisor.submit("hold", "z")
    wait(works(first))
    others = [supervisor.submit("end", run_id) for run_id in ("y", "a")]
    assert supervisor.active() == ["z"]
    assert supervisor.queue() == ["y", "a"]
    (first.path / "go").touch()
    wait(lambda: all(run.state().state == "done" for run in [first, *others]))
    order = [*times(first), *times(others[0]), *times(others[1])]
    assert len(order) == 6
    assert order == sorted(order)


def test_runs_on_two_devices_go_at_once(supervisor: Supervisor) -> None:
    runs = [supervisor.submit("hold", d[-1], device=d) for d in ("cuda:0", "cuda:1")]
    wait(lambda: all(works(run)() for run in runs))
    for run in runs:
        (run.path / "go").touch()
    wait(lambda: all(shows(run, "done")() for run in runs))


def test_a_config_may_be_a_dump(supervisor: Supervisor) -> None:
    run = supervisor.submit({"method": "isara", "note": "zwölf"}, "a")
    assert run.config.read_text(encoding="utf-8") == "method: isara\nnote: zwölf\n"
    wait(shows(run, "done"))


def test_a_killed_worker_is_stopped_and_can_be_resumed(supervisor: Supervisor) -> None:
    run = supervisor.submit("hold", "a")
    wait(works(run))
    os.kill((run.heartbeat() or {})["pid"], signal.SIGKILL)
    wait(shows(run, "stopped"))
    assert run.state().stop_reason == WORKER_DIED
    (run.path / "go").touch()
    supervisor.resume("a")
    wait(shows(run, "done"))


def test_a_worker_that_fails_leaves_its_last_line(supervisor: Supervisor) -> None:
    run = supervisor.submit("fail", "a")
    wait(shows(run, "failed"))
    assert run.state().error == "The seed file is empty; choose another."
    assert run.worker_log.read_text().startswith("Traceback: long\n")


def test_a_worker_that_cannot_be_started_fails_once(start: Start) -> None:
    supervisor = start(lambda w, r: ["/no/such/program"])
    run = supervisor.submit("end", "a")
    wait(shows(run, "failed"))
    assert "could not be started" in (run.state().error or "")


def test_a_worker_that_dies_before_its_first_word_is_not_started_for_ever(start: Start) -> None:
    die = "import os; print('x', flush=True); os.kill(os.getpid(), 9)"
    supervisor = start(lambda w, r: [sys.executable, "-c", die])
    run = supervisor.submit("end", "a")
    wait(lambda: run.saved_state().stop_reason == WORKER_DIED)
    time.sleep(0.3)
    assert run.worker_log.read_text() == "x\n"


def test_a_restarted_supervisor_finds_the_worker_and_the_queue(start: Start) -> None:
    old = start()
    run = old.submit("hold", "b")
    wait(works(run))
    waiting = old.submit("end", "a")
    old.close()

    new = start()
    time.sleep(0.3)  # long enough to start the waiting run, were the device thought free
    assert (new.active(), new.queue()) == (["b"], ["a"])
    new.stop("b")
    wait(shows(waiting, "done"))
    assert run.state().stop_reason == "asked to"
    assert times(waiting)[0] > times(run)[-1]


def test_a_run_that_waits_for_review_lets_the_next_one_begin_and_goes_on_when_reviewed(
    start: Start,
) -> None:
    supervisor = start()
    run, following = supervisor.submit("review", "a"), supervisor.submit("hold", "b")
    wait(works(following))  # the device is free while people read
    assert run.state().state == "waiting for review"
    assert (supervisor.active(), supervisor.queue()) == (["b"], [])
    with pytest.raises(RunStateError, match=r"isara decisions a --done 1"):
        supervisor.resume("a")
    for _ in range(2):
        supervisor.stop("a", now=True)  # nothing is at work: it goes on waiting
        supervisor = start()  # a restarted app leaves it alone
    assert run.state().state == "waiting for review"
    finish_review(run, 1, "Ana")
    supervisor.resume("a")
    assert supervisor.queue() == ["a"]
    (following.path / "go").touch()
    wait(shows(run, "done"))


SERVER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
sys.path.insert(0, sys.argv[2])
from test_jobs import command
from isara.jobs import Supervisor
from isara.workspace.runs import Workspace
supervisor = Supervisor(Workspace(sys.argv[1]), command=command, poll_s=0.05)
supervisor.start()
supervisor.submit("hold", "a")
time.sleep(600)
"""


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_worker_outlives_the_server(workspace: Workspace, deadly: signal.Signals) -> None:
    arguments = [sys.executable, "-c", SERVER, str(workspace.root), str(ROOT / "tests")]
    server = subprocess.Popen(
        arguments, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL
    )
    run = workspace.run("a")
    wait(works(run))
    os.killpg(server.pid, deadly)  # with all that is still in its group
    server.wait(timeout=30)
    assert run.state().state == "running"
    (run.path / "go").touch()
    wait(shows(run, "done"))


def test_two_supervisors_never_start_a_run_twice(start: Start) -> None:
    pair = [start(poll_s=0.01), start(poll_s=0.01)]
    runs = [pair[i % 2].submit("end", f"r{i}") for i in range(6)]
    wait(lambda: all(shows(run, "done")() for run in runs))
    assert [len(times(run)) for run in runs] == [2] * 6


def test_stop_takes_a_run_off_the_queue_or_asks_its_worker(supervisor: Supervisor) -> None:
    running, waiting = supervisor.submit("hold", "a"), supervisor.submit("end", "b")
    wait(works(running))
    supervisor.stop("b")
    assert (waiting.state().state, waiting.state().stop_reason) == ("stopped", STOPPED_BY_USER)
    supervisor.stop("a")
    wait(shows(running, "stopped"))
    assert running.state().stop_reason == "asked to"
    (running.path / "go").touch()
    supervisor.resume("a")  # the stop is forgotten
    wait(shows(running, "done"))
    assert waiting.events()[0] == []


def test_the_queue_is_put_in_another_order_and_keeps_it(workspace: Workspace, start: Start) -> None:
    old = start()
    first = old.submit("hold", "a")
    wait(works(first))
    others = {run_id: old.submit("end", run_id) for run_id in "bcde"}
    old.move("e", 1)
    assert old.queue() == ["e", "b", "c", "d"]
    old.move("b", 3)
    assert old.queue() == ["e", "c", "b", "d"]
    old.move("e", 99)
    assert old.queue() == ["c", "b", "d", "e"]
    old.move("a", 1)  # it runs: nothing to move
    old.stop("b")  # off the queue; what comes back is last
    old.resume("b")
    assert old.queue() == ["c", "d", "e", "b"]
    old.close()

    new = start()
    assert new.queue() == ["c", "d", "e", "b"]
    (first.path / "go").touch()
    wait(lambda: all(shows(run, "done")() for run in others.values()))
    order = [times(others[run_id])[0] for run_id in "cdeb"]
    assert order == sorted(order)


def test_a_pause_is_asked_for_taken_back_and_forgotten_by_a_resume(supervisor: Supervisor) -> None:
    run, waiting = supervisor.submit("hold", "a"), supervisor.submit("end", "b")
    wait(works(run))
    supervisor.pause("a")
    assert run.pause_requested()
    supervisor.pause("a", False)
    assert not run.pause_requested()
    supervisor.pause("a")
    supervisor.pause("b")  # it waits: there is no stage to end after
    assert not waiting.pause_requested()
    supervisor.stop("a", now=True)
    wait(shows(waiting, "done"))  # a paused or stopped run does not hold the device
    supervisor.resume("a")
    assert not run.pause_requested()
    (run.path / "go").touch()
    wait(shows(run, "done"))


def test_the_command_line_pauses_and_stops_runs_of_the_app(
    isara: Callable[..., Any], supervisor: Supervisor
) -> None:
    def at(command: str, *arguments: str) -> Any:
        return isara(command, *arguments, "--workspace", supervisor.workspace.root)

    run, waiting = supervisor.submit("hold", "a"), supervisor.submit("end", "b")
    wait(works(run))
    paused = at("pause", "a")
    assert (paused.code, run.pause_requested()) == (0, True)
    assert f"python -m isara run {run.config} --run-id a --workspace " in paused.out
    assert (at("pause", "a", "--undo").code, run.pause_requested()) == (0, False)
    refused = at("pause", "b")
    assert refused.code == 1
    assert refused.err.startswith("The run b is queued, expected one that is running")
    assert at("stop", "b").out.startswith("b is off the queue.")
    assert waiting.state().state == "stopped"
    assert at("stop", "a").code == 0
    wait(shows(run, "stopped"))
    assert (at("stop", "a").code, at("stop", "no-run").code, at("stop").code) == (1, 1, 2)


def test_a_dry_run_goes_before_those_that_wait_and_after_the_one_at_work(
    workspace: Workspace, supervisor: Supervisor
) -> None:
    first = supervisor.submit("hold", "a")
    wait(works(first))
    second = supervisor.submit("end", "b")
    dry = supervisor.measure("end", "0123456789abcdef")
    with pytest.raises(RunStateError, match="queued already"):
        supervisor.measure("end", "0123456789abcdef")
    assert supervisor.queue() == ["b"]  # it is no run
    (first.path / "go").touch()
    wait(shows(second, "done"))
    assert dry.state().state == "done"
    assert times(dry)[-1] <= times(second)[0]
    assert {run.run_id for run in workspace.runs()} == {"a", "b"}


def test_a_dry_run_is_cancelled(supervisor: Supervisor) -> None:
    dry = supervisor.measure("hold", "0123456789abcdef")
    wait(works(dry))
    supervisor.stop_measuring("0123456789abcdef")
    wait(lambda: not dry.is_alive())
    assert dry.state().stop_reason == STOPPED_BY_USER


def test_stop_now_kills(supervisor: Supervisor) -> None:
    run = supervisor.submit("hold", "a")
    wait(works(run))
    supervisor.stop("a", now=True)
    wait(lambda: not run.is_alive())
    assert (run.state().state, run.state().stop_reason) == ("stopped", STOPPED_BY_USER)
    assert [event["kind"] for event in run.events()[0]] == ["begin"]


def test_what_cannot_be_queued_is_said(supervisor: Supervisor) -> None:
    run = supervisor.submit("hold", "a")
    wait(works(run))
    with pytest.raises(RunStateError, match="a is running already"):
        supervisor.submit("hold", "a")
    with pytest.raises(RunStateError, match="exists with another config"):
        supervisor.submit("end", "a")
    with pytest.raises(InputError, match="no run 'b'"):
        supervisor.resume("b")
    with pytest.raises(InputError, match="A run id has"):
        supervisor.submit("end", "../b")
    supervisor.stop("a", now=True)


def test_a_process_has_one_supervisor_per_workspace(workspace: Workspace, tmp_path: Path) -> None:
    one = get_supervisor(workspace)
    assert get_supervisor(Workspace(workspace.root)) is one
    assert get_supervisor(Workspace(tmp_path / "other")) is not one
    one.close()
    get_supervisor(Workspace(tmp_path / "other")).close()


def test_watch_counts_the_time_left_down(workspace: Workspace) -> None:
    run = workspace.run("a")
    run.create("x")
    assert watch(run)["state"] == "stopped"
    progress = Progress(
        stage="train",
        iteration=1,
        done=5,
        total=10,
        started=time.time(),
        eta_s=100.0,
        overall_done=5,
        overall_total=20,
    )
    with run.lock():
        run.set_state("running")
        run.write_progress(progress)
        time.sleep(0.1)
        shown = watch(run)
    assert (shown["state"], shown["progress"]["done"]) == ("running", 5)
    assert 50 < shown["eta_s"] <= 99.9
    run.set_state("done")
    assert watch(run)["eta_s"] is None


def test_the_job_layer_loads_neither_streamlit_nor_torch() -> None:
    code = (
        "import sys, isara.jobs; print([m for m in ('streamlit', 'torch', 'pandas', 'sqlalchemy', "
        "'pyarrow') if m in sys.modules])"
    )
    output = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert output == "[]\n"

"""Workers killed with SIGKILL in every stage end with the rows of an undisturbed run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "data" / "demo" / "language-model"
# How far each stage comes before it is killed: texts within their second block, training behind its
# first checkpoints, evaluation in its middle.
STAGES = {"questions": 0.92, "answers": 0.92, "train": 0.5, "evaluate": 0.5}
# `isara run`, which kills itself when an iteration's stage has come so far: never too early or too
# late, however busy the machine is.
KILLED = """
import os, signal, sys
from isara.cli import main
from isara.methods.progress import Reporter

place, stage, share = int(sys.argv.pop(1)), sys.argv.pop(1), float(sys.argv.pop(1))
update = Reporter.update

def update_or_die(self, at, what, done, total, **more):
    if (at, what) == (place, stage) and done >= share * total:
        os.kill(os.getpid(), signal.SIGKILL)
    update(self, at, what, done, total, **more)

Reporter.update = update_or_die
main()
"""


def config(tmp_path: Path) -> Path:
    """demo.yaml made small: two iterations of 70 candidates (two blocks), few eval prompts."""
    settings = yaml.safe_load((ROOT / "data/configs/demo.yaml").read_text(encoding="utf-8"))
    prompts = (ROOT / settings["evaluation"]["prompts"]).read_text(encoding="utf-8")
    few = tmp_path / "prompts.jsonl"
    few.write_text("".join(line + "\n" for line in prompts.splitlines()[::9]), encoding="utf-8")
    settings["loop"] |= {"candidates": 70, "max_iterations": 2, "alpha": 0.0}
    settings["evaluation"] |= {"prompts": str(few), "baselines": []}
    settings["training"] = {"epochs": 2, "accumulation": 1, "save_every": 5}
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return file


def start(file: Path, workspace: Path, *killed: object) -> subprocess.Popen[bytes]:
    """A worker as the app starts it; `killed`: iteration, stage and share at which it is killed."""
    program = ["-c", KILLED, *map(str, killed)] if killed else ["-m", "isara"]
    command = [sys.executable, *program, "run", str(file), "--run-id", "r", "--quiet"]
    command += ["--workspace", str(workspace)]
    return subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def results(run: Path) -> dict[str, str]:
    """The bytes of every kept.jsonl, and the answers of every evaluation."""
    found = {str(p.relative_to(run)): p.read_text("utf-8") for p in run.rglob("kept.jsonl")}
    for path in run.rglob("evaluation.parquet"):
        import pandas as pd

        answers = pd.read_parquet(path, columns=["answer"])["answer"].tolist()
        found[str(path.relative_to(run))] = json.dumps(answers)
    return found


@pytest.mark.slow
@pytest.mark.timeout(2400)  # each worker may take 300 s
@pytest.mark.skipif(not DEMO.is_dir(), reason="data/demo is not built")
def test_a_worker_killed_in_each_stage_ends_with_the_same_rows(tmp_path: Path) -> None:
    file = config(tmp_path)
    assert start(file, tmp_path / "calm").wait(timeout=300) == 0
    run = tmp_path / "killed" / "runs" / "r"
    for k in (1, 2):
        for stage, share in STAGES.items():
            worker = start(file, tmp_path / "killed", k, stage, share)
            assert worker.wait(timeout=300) == -signal.SIGKILL
    assert start(file, tmp_path / "killed").wait(timeout=300) == 0
    assert results(run) == results(tmp_path / "calm" / "runs" / "r")
    assert len(results(run)) == 5  # two kept.jsonl, three evaluations


@pytest.mark.skipif(not DEMO.is_dir(), reason="data/demo is not built")
def test_the_run_goes_on_when_the_server_is_killed(tmp_path: Path) -> None:
    from isara.workspace.runs import Workspace

    file = config(tmp_path)
    server = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from isara.jobs import get_supervisor\n"
            "from isara.workspace.runs import Workspace\n"
            "text = open(sys.argv[1], encoding='utf-8').read()\n"
            "get_supervisor(Workspace(sys.argv[2])).submit(text, 'r')\n"
            "time.sleep(600)\n",
            str(file),
            str(tmp_path / "w"),
        ],
        cwd=ROOT,
    )
    run = Workspace(tmp_path / "w").run("r")
    deadline = time.time() + 300
    while not (run.path / "iteration-01").is_dir() and time.time() < deadline:
        time.sleep(0.1)
    server.send_signal(signal.SIGKILL)
    server.wait()
    beat = run.heartbeat()
    assert beat is not None
    assert psutil.pid_exists(beat["pid"])
    while run.state().state == "running" and time.time() < deadline:
        time.sleep(0.2)
    assert run.state().state == "done"

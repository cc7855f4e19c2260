"""Branches: a run that goes on from an iteration of another one, with other settings.

    branch = plan_branch(workspace, "demo-19d4b1", 2, ["filters.max_rouge_l=0.6"])
    prepared = prepare_branch(workspace, branch)       # its seeds are still those of the parent
    folder = make_branch(workspace, branch)            # whole, or not there
    execute(prepared, folder, workspace=workspace)     # verdicts, training and all that follows

The new run folder holds iterations before K whole: the model M(K-1) that wrote iteration K must be
the one that exists. Of iteration K it holds what was written and scored, and people's decisions; of
the baselines those that the new settings do not change. Its verdicts, its training and everything
later are made anew, by the same code as in any run: that code skips what is on disk. Seconds and
cost of what was reused are the branch's as well, since its result has needed them.

The parent is only read. Models are hard links, for they are large and nobody writes into a trained
model (a copy where the disk knows no links); all else is copied, so that a file changed by hand in
one run stays as it was in the other. What may be changed is told in branching_rules.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shlex
import shutil
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from isara.branching_rules import (
    EVAL_SET,
    OWN_ANSWERS,
    WRITTEN,
    Measured,
    changed_settings,
    keeps_scores,
    measured_again,
    refused,
    same_sft,
)
from isara.config import RunConfig
from isara.config_files import differences, load_config, to_yaml
from isara.errors import InputError, RunStateError
from isara.filters import counted_scores
from isara.methods.baselines import LATE, TRAINED
from isara.methods.contrasting import FIRST_SFT
from isara.methods.rewarding import reward_folder
from isara.methods.runner import Prepared, pinned_rows, prepare
from isara.workspace.files import (
    read_columns,
    read_json,
    read_jsonl,
    replacing,
    write_json,
    write_parquet,
    write_text,
)
from isara.workspace.runs import IterationFolder, RunFolder, Workspace

ANSWERS = ["answer", "finish", "tokens", "log_prob"]  # of an evaluation, without what judged them
GENERATING = ("questions", "answers")  # stages of iteration K that are not done again
MEASURES = ("evaluation.parquet", "metrics.json", "usage.json")


@dataclass(frozen=True)
class Branch:
    """A branch that can be made: of which run, where, with which config, under which id."""

    parent: RunFolder
    at: int
    old: RunConfig
    config: RunConfig
    run_id: str
    overrides: tuple[str, ...]  # the `a.b=c` that it was asked for

    @property
    def changes(self) -> list[str]:
        """What differs from the parent, as "a.b: old -> new"."""
        changed = changed_settings(self.old, self.config)
        return [f"{key}: {words}" for key, words in changed.items()]

    @property
    def measured(self) -> Measured:
        """What becomes of the parent's measurements."""
        return measured_again(self.old, self.config)

    @property
    def command(self) -> str:
        """The command line that makes and carries out this branch."""
        sets = [part for change in self.overrides for part in ("--set", change)]
        words = ["branch", self.parent.run_id, "--at", str(self.at), *sets]
        return shlex.join(["python", "-m", "isara", *words, "--run-id", self.run_id])


def plan_branch(
    workspace: Workspace,
    run_id: str,
    at: int,
    changes: Sequence[str] = (),
    *,
    wanted_id: str | None = None,
    new: bool = False,
) -> Branch:
    """A branch of `run_id` at iteration `at` with `a.b=c` changes, as the run folder allows it;
    nothing is written, and no seed or eval set is read.

    InputError with every reason at once when it cannot be; `new` takes a fresh id.
    """
    parent = workspace.existing_run(run_id)
    old = load_config(parent.config)
    _check_place(parent, old, at)
    config = load_config(parent.config, list(changes))
    problems = refused(parent, old, config, at)
    if problems:
        raise InputError(f"No branch of {run_id} at {at}: {'; '.join(problems)}.")
    name = wanted_id or default_id(config, run_id, at)
    free = name
    number = 2
    while new and workspace.run(free).exists:
        free = f"{name}-{number}"
        number += 1
    return Branch(parent, at, old, config, workspace.run(free).run_id, tuple(changes))


def default_id(config: RunConfig, parent: str, at: int) -> str:
    """The config's name, the iteration, and 6 letters of a hash of config, parent and iteration: a
    branch without changes is another run than its parent."""
    digest = hashlib.sha256(json.dumps([config.digest, parent, at]).encode()).hexdigest()
    return f"{config.name}-k{at}-{digest[:6]}"


def written_iterations(folder: RunFolder, config: RunConfig) -> list[int]:
    """The iterations whose texts are all written: those that a branch can begin at."""
    table = f"{WRITTEN[config.method][-1]}.parquet"
    return [k for k in folder.iterations() if k and (folder.iteration(k).path / table).exists()]


def _check_place(parent: RunFolder, config: RunConfig, at: int) -> None:
    """InputError when the parent is at work, or iteration K is not one to begin at."""
    if (state := parent.state().state) in ("running", "queued"):
        raise RunStateError(
            f"The run {parent.run_id} is {state}; stop it, or wait until it has ended."
        )
    there = written_iterations(parent, config)
    if at not in there:
        have = ", ".join(map(str, there)) or "none yet"
        raise InputError(
            f"A branch of {parent.run_id} begins at an iteration whose texts are all written, "
            f"found --at {at}; these are: {have}."
        )
    open_ones = [k for k in range(1, at) if not parent.iteration(k).is_done]
    if open_ones:
        raise InputError(
            f"Iteration {open_ones[0]} of {parent.run_id} is not finished, so it cannot be reused; "
            "let the run go on first."
        )


def prepare_branch(workspace: Workspace, branch: Branch) -> Prepared:
    """Read and check what the branch needs, as for any run; no model is loaded.

    InputError when the seed set is no longer the one that the parent began with.
    """
    prepared = prepare(branch.config, workspace)
    parent = branch.parent
    file = parent.path / "seeds.jsonl"
    if file.exists() and read_jsonl(file) != pinned_rows(prepared)["seeds"]:
        raise InputError(
            f"The seeds are not those that {parent.run_id} began with (kept in {file}), and its "
            "texts were written from those: put the file back as it was, or start a new run."
        )
    return prepared


def told(branch: Branch) -> list[str]:
    """What a branch changes, reuses and makes anew, in sentences."""
    at, last = branch.at, branch.config.loop.max_iterations
    measured = {
        "kept": "their measurements are reused",
        "judged": "their answers are judged anew",
        "answered": "they answer the eval set anew",
    }[branch.measured]
    scores = keeps_scores(branch.parent, branch.old, branch.config, at)
    own = WRITTEN[branch.config.method] == OWN_ANSWERS
    of_scores = "" if own else " and scores" if scores else "; its scores are made anew"
    earlier = f", {_iterations(1, at - 1)}" if at > 1 else ""
    later = f", and {_iterations(at + 1, last)}" if last > at else ""
    verdicts = "" if own else "verdicts, "
    reused = [name for name in branch.config.evaluation.baselines if _stands(branch, name)]
    anew = [name for name in branch.config.evaluation.baselines if name not in reused]
    return [
        f"changed: {'; '.join(branch.changes) or 'nothing'}",
        f"reused: the base model{earlier} (models and kept pairs as they are; {measured})",
        f"reused: the texts{of_scores} of iteration {at}, and people's decisions on them"
        if not own
        else f"reused: the texts of iteration {at}",
        *([f"reused: baselines {', '.join(reused)}"] if reused else []),
        f"made anew: {verdicts}training and evaluation of iteration {at}{later}",
        *([f"made anew: baselines {', '.join(anew)}"] if anew else []),
    ]


def _iterations(first: int, last: int) -> str:
    return f"iteration {first}" if first == last else f"iterations {first} to {last}"


# ------------------------------------------------------------------ making the folder


def make_branch(workspace: Workspace, branch: Branch) -> RunFolder:
    """Make the branch's run folder, or accept the one that is there; it is whole when it appears.

    Raises RunStateError when the id is that of another run, InputError when it cannot be written.
    """
    folder = workspace.run(branch.run_id)
    if folder.exists:
        _check_same(folder, branch)
        return folder
    if folder.path.exists() and any(folder.path.iterdir()):
        raise RunStateError(
            f"{folder.path} is there and holds no run; remove it, or give another --run-id."
        )
    _remove_unfinished(folder)
    building = RunFolder(_building(folder.path))
    try:
        _fill(building, branch)
        decided = workspace.database.history(branch.parent.run_id)
        own = [decision for decision in decided if decision.iteration <= branch.at]
        workspace.database.add_decisions(folder.run_id, own)
        os.rename(building.path, folder.path)
    except OSError as error:
        if not folder.exists:
            raise InputError(
                f"The branch {folder.path} cannot be made ({error.strerror or error}); choose a "
                "workspace that you may write to, on a disk with room."
            ) from error
        _check_same(folder, branch)  # another window was faster
    finally:
        shutil.rmtree(building.path, ignore_errors=True)
    return folder


def _building(path: Path) -> Path:
    """Where a folder is put together: beside its place, under a name that is no run's."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def _remove_unfinished(folder: RunFolder) -> None:
    """Delete what a killed process left of the same branch."""
    for path in folder.path.parent.glob(f".{folder.run_id}.*.tmp"):
        pid = path.name.rsplit(".", 2)[1].partition("-")[0]
        if path.is_dir() and not (pid.isdigit() and psutil.pid_exists(int(pid))):
            shutil.rmtree(path, ignore_errors=True)


def _check_same(folder: RunFolder, branch: Branch) -> None:
    changed = differences(load_config(folder.config), branch.config)
    lineage = folder.branched_from or {}
    if (lineage.get("run_id"), lineage.get("at")) != (branch.parent.run_id, branch.at):
        changed.insert(0, f"it is no branch of {branch.parent.run_id} at {branch.at}")
    if changed:
        raise RunStateError(
            f"The run {folder.run_id} exists and is another one ({'; '.join(changed)}); give "
            "another --run-id, or --new for a fresh one."
        )


def _fill(folder: RunFolder, branch: Branch) -> None:
    """Everything that the branch reuses, and its config last."""
    parent, at = branch.parent, branch.at
    _copy(parent.path / "seeds.jsonl", folder.path)
    for k in range(at):
        _reuse_whole(parent.iteration(k), folder.iteration(k), branch.measured)
    if branch.measured == "answered":
        folder.iteration(0).done.unlink(missing_ok=True)  # lengths are checked again
    if _other_eval_set(branch):
        (folder.iteration(0).path / "overlap.jsonl").unlink(missing_ok=True)
    else:
        _copy(parent.path / "prompts.jsonl", folder.path)
    _reuse_written(parent.iteration(at), folder.iteration(at), branch)
    _reuse_baselines(folder, branch)
    lineage = {"run_id": parent.run_id, "at": at, "changes": branch.changes}
    write_json(folder.lineage, lineage | {"created": time.time()})
    folder.log_event("branch", parent=parent.run_id, at=at, changes=branch.changes)
    write_text(folder.config, to_yaml(branch.config, branch.command))


def _other_eval_set(branch: Branch) -> bool:
    old, new = branch.old.evaluation, branch.config.evaluation
    return any(getattr(old, name) != getattr(new, name) for name in EVAL_SET)


def _reuse_whole(source: IterationFolder, target: IterationFolder, measured: Measured) -> None:
    """An iteration or a baseline with its model; without the measurements that are made anew."""
    again = () if measured == "kept" else MEASURES
    for path in sorted(source.path.glob("*")):
        if path.is_file() and path.name not in again:
            _copy(path, target.path)
    for model in (source.model, reward_folder(source)):
        if model.is_dir():
            _link_all(model, target.path / model.name)
    if measured == "kept":
        return
    _forget_stages(target, {"judge"} if measured == "judged" else {"judge", "evaluate"})
    if measured == "judged" and source.evaluation.exists():
        answers = read_columns(source.evaluation, ANSWERS)
        write_parquet(target.path / "answers.parquet", answers)


def _reuse_written(source: IterationFolder, target: IterationFolder, branch: Branch) -> None:
    """Iteration K: its texts, and the scores that the new filters can use."""
    names = [f"{name}.parquet" for name in WRITTEN[branch.config.method]]
    names += ["retrieval.json", "harm.parquet"]
    stages = {*GENERATING, *WRITTEN[branch.config.method]}
    if _assessed_enough(source, branch.config):
        names.append("assessed.parquet")
        stages.add("assess")
    if keeps_scores(branch.parent, branch.old, branch.config, branch.at):
        names.append("scores.parquet")
    for name in (*names, "seconds.json", "cost.json"):
        _copy(source.path / name, target.path)
    _keep_stages(target, stages)


def _assessed_enough(source: IterationFolder, config: RunConfig) -> bool:
    """Whether the model was asked all that the new filters count."""
    file = source.path / "assessed.parquet"
    if not file.exists():
        return False
    wanted = counted_scores(config.filters)
    return len(read_columns(file, wanted, optional=True).columns) == len(wanted)


def _stands(branch: Branch, name: str) -> bool:
    """Whether a baseline is there and the change does not touch what it was trained on."""
    source = branch.parent.baseline(name)
    if not source.is_done or name in LATE:  # those hang on the steps that the loop takes
        return False
    if name not in TRAINED:
        return True
    nothing_to_answer = branch.measured == "answered" and not source.model.is_dir()
    return same_sft(branch.old, branch.config) and not nothing_to_answer


def _reuse_baselines(folder: RunFolder, branch: Branch) -> None:
    """Those that the change does not touch; the others are made anew."""
    for name in branch.config.evaluation.baselines:
        if _stands(branch, name):
            target = folder.baseline(name)
            _reuse_whole(branch.parent.baseline(name), target, branch.measured)
            if branch.measured != "kept":
                target.done.unlink(missing_ok=True)
    _reuse_whole(branch.parent.baseline(FIRST_SFT), folder.baseline(FIRST_SFT), "kept")


def _forget_stages(files: IterationFolder, stages: Collection[str]) -> None:
    """Take stages that are done again out of what was spent."""
    for name in ("seconds.json", "cost.json"):
        spent: dict[str, Any] = read_json(files.path / name, {})
        if spent:
            kept = {stage: value for stage, value in spent.items() if stage not in stages}
            write_json(files.path / name, kept)


def _keep_stages(files: IterationFolder, stages: Collection[str]) -> None:
    spent = set(read_json(files.path / "seconds.json", {}))
    spent |= set(read_json(files.path / "cost.json", {}))
    _forget_stages(files, spent - set(stages))


def _copy(source: Path, folder: Path) -> None:
    """A file into a folder, whole or not at all; nothing when there is none."""
    if source.is_file():
        with replacing(folder / source.name) as temporary:
            shutil.copyfile(source, temporary)


def _link_all(source: Path, target: Path) -> None:
    """The files of a model under another name, without the trainer's checkpoints."""
    for path in source.rglob("*"):
        if path.is_file() and "checkpoints" not in path.relative_to(source).parts:
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, place)
            except OSError:  # another disk, or one without links
                shutil.copy2(path, place)

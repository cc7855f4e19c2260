"""Carry a run out from its config to its last iteration: what `isara run` and every worker do.

prepared = prepare(config, workspace)          # checks seeds and eval prompts, loads no model
execute(prepared, workspace.run(run_id))       # until done, stopped or failed
"""

from __future__ import annotations

import json
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from isara.config import RunConfig
from isara.config_files import differences, load_config, to_yaml
from isara.environment import record
from isara.errors import InputError, IsaraError, RunStateError
from isara.evaluation.cost import memory_now
from isara.examples import EvalPrompt, Example
from isara.methods.candidates import domain_field
from isara.methods.contrasting import check_demonstrations
from isara.methods.estimate import read_measured
from isara.methods.inputs import (
    domain_notes,
    load_inputs,
    pinned,
    places,
    power_notes,
)
from isara.methods.irft import irft, spin
from isara.methods.isara import isara
from isara.methods.isheep import isheep
from isara.methods.notes import method_notes, rate_notes, step_notes
from isara.methods.overlaps import check_seeds, note_seeds
from isara.methods.progress import Reporter, planned_work
from isara.methods.reviewing import WAITING, ReviewNotDoneError
from isara.methods.rewarding import check_rft
from isara.methods.rft import rft
from isara.methods.stages import Run
from isara.methods.tools import LoadedTools, Tools
from isara.prompts import answer_prompt, training_texts
from isara.training.sft import StoppedError
from isara.workspace.files import read_jsonl, write_jsonl
from isara.workspace.log import logging_to
from isara.workspace.runs import Progress, RunFolder, State, Workspace

HEARTBEAT_SECONDS = 2.0
MEMORY_SECONDS = 2.0  # between two notes of the memory in use, at least
METHODS: dict[str, Callable[[Run], str | None]] = {
    "isara": isara,
    "isheep": isheep,
    "spin": spin,
    "irft": irft,
    "rft": rft,
}


@dataclass(frozen=True)
class Prepared:
    """A config with its checked inputs."""

    config: RunConfig
    seeds: list[Example]
    prompts: list[EvalPrompt]
    notes: list[str]
    removed: list[dict[str, Any]] = field(default_factory=list)  # see Checked in overlaps.py


def prepare(config: RunConfig, workspace: Workspace) -> Prepared:
    """Read and check what a run needs; no model is loaded."""
    config = pinned(config, workspace)
    seeds, notes, prompts = load_inputs(config, workspace)
    found = check_seeds(config, seeds, prompts)
    if config.method == "rft":
        check_rft(config, len(found.seeds))
    elif config.method in ("spin", "irft"):
        check_demonstrations(config, len(found.seeds))
    told = [*method_notes(config), *step_notes(config, len(found.seeds))]
    told += rate_notes(config, found.prompts)
    told += domain_notes(found.seeds, found.prompts)
    notes = [*notes, *told, *found.notes, *power_notes(found.prompts)]
    return Prepared(config, found.seeds, found.prompts, notes, found.removed)


def check_lengths(prepared: Prepared, tools: Tools) -> None:
    """InputError that lists all texts that do not fit: seed pairs, their questions, eval prompts.

    A pair must fit into the context, its question into a training row with room for the answer,
    an eval prompt into the context beside the answer's budget.
    """
    config, writer = prepared.config, tools.writer(None)
    multiline = config.prompts.multiline
    shortest = min(config.training.max_tokens, writer.context) - 1
    room = writer.context - config.evaluation.max_new_tokens
    faults = [
        f"{name} is {budget}, the context is {writer.context}: lower it"
        for name, budget in _budgets(config).items()
        if budget >= writer.context
    ]
    asked = config.prompts.question_tokens + writer.count_tokens(answer_prompt([], "", multiline))
    if config.method == "isara" and shortest < asked and not faults:
        faults.append(
            f"a generated question may have {config.prompts.question_tokens} tokens "
            f"(prompts.question_tokens), which with its prompt are more than the {shortest} that a "
            "training row has room for beside an answer: lower it or raise training.max_tokens"
        )

    def look(what: str, text: str, limit: int) -> None:
        count = writer.count_tokens(text)
        if count > limit:
            faults.append(f"{what}: {count} tokens, at most {limit} fit")

    for place, seed in zip(places(prepared.seeds), prepared.seeds, strict=True):
        prompt, answer = training_texts(seed, multiline)
        look(f"seed {place}", prompt + answer, writer.context)
        look(f"question of seed {place}", prompt, shortest)
    prompts = prepared.prompts if room > 0 else []
    for place, item in zip(places(prompts), prompts, strict=True):
        look(f"eval {place}", answer_prompt([], item.question, multiline), room)
    if faults:
        raise InputError(
            "Some texts are too long for the model or its training rows; shorten or remove them: "
            + "; ".join(faults)
        )


def _budgets(config: RunConfig) -> dict[str, int]:
    """Tokens that a method may ask a model for at once, by the setting that says so."""
    budgets = {
        "prompts.question_tokens": config.prompts.question_tokens,
        "prompts.answer_tokens": config.prompts.answer_tokens,
        "evaluation.max_new_tokens": config.evaluation.max_new_tokens,
    }
    if config.method == "isheep":
        budgets["isheep.list_tokens"] = config.isheep.list_tokens
    if config.method in ("isara", "isheep") and config.filters.assessment != "none":
        budgets["assessment.max_new_tokens"] = config.assessment.max_new_tokens
    return budgets


@contextmanager
def heartbeat(folder: RunFolder) -> Iterator[None]:
    """Beat from a thread, so that a long stage is not taken for a dead worker."""
    ended = threading.Event()
    folder.log_event("begin", pid=os.getpid())

    def beat() -> None:
        began = told = time.monotonic()
        folder.log_event("memory", **memory_now())
        while not ended.wait(HEARTBEAT_SECONDS):
            folder.beat()
            now = time.monotonic()
            # Ever less often, so that weeks fit into one file too.
            if now - told >= max(MEMORY_SECONDS, (now - began) / 1000):
                with suppress(Exception):  # whatever a driver says: the heart must go on beating
                    folder.log_event("memory", **memory_now())
                told = now

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def execute(
    prepared: Prepared,
    folder: RunFolder,
    *,
    workspace: Workspace,
    tools: Tools | None = None,
    listener: Callable[[Progress], None] | None = None,
) -> str | None:
    """Work on a run until it is done; returns why it stopped early.

    The state on disk follows: running, then done, waiting for review (ReviewNotDoneError), stopped
    (asked for) or failed (with the error, which is raised again).
    """
    config = prepared.config
    claim(folder, config)
    workspace.database.register_run(
        folder.run_id, config.method, config.name, config.digest, str(folder.path)
    )
    with folder.lock(), heartbeat(folder), logging_to(folder):
        folder.set_state("running")
        plan = planned_work(config, len(prepared.seeds), len(prepared.prompts))
        measured = read_measured(config, workspace)
        try:
            pin(folder, prepared)
            record(folder)
            tools = tools or LoadedTools(config, workspace.embeddings)
            if not folder.iteration(0).is_done:
                check_lengths(prepared, tools)
            run = Run(
                config,
                folder,
                prepared.seeds,
                prepared.prompts,
                tools,
                Reporter(folder, plan, listener, measured.pace if measured else {}),
                lambda k: workspace.database.decisions(folder.run_id, k),
            )
            note_seeds(run, prepared.removed)
            reason = METHODS[config.method](run)
            run.baselines(late=True)
        except ReviewNotDoneError as waiting:
            why = f"iteration {waiting.k} is to be reviewed"
            end(folder, WAITING, why)
            raise
        except (StoppedError, KeyboardInterrupt) as stop:
            why = str(stop) or "stopped by the user"
            folder.clear_stop()
            end(folder, "stopped", why)
            raise
        except Exception as error:
            fail(folder, error)
            raise
        folder.clear_stop()  # asked for too late
        end(folder, "done", reason)
        return reason


def end(folder: RunFolder, state: State, reason: str | None, error: str | None = None) -> None:
    """Write how a worker's work ended, as the run's state and into its events."""
    folder.set_state(state, reason, error)
    folder.log_event("end", state=state, reason=error or reason)


def fail(folder: RunFolder, error: Exception) -> None:
    """Write that a worker's work failed; of an error that nobody foresaw also the traceback, whose
    place is noted on it."""
    if isinstance(error, IsaraError):
        end(folder, "failed", None, str(error))
        return
    end(folder, "failed", None, f"{type(error).__name__}: {error}")
    with suppress(OSError):  # perhaps it was the disk that is full
        trace = folder.path / "traceback.txt"
        trace.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        error.add_note(f"more in {trace}")


def pinned_rows(prepared: Prepared) -> dict[str, list[dict[str, Any]]]:
    """A run's seeds and eval prompts as they are kept in its folder."""
    rows = {
        "seeds": [seed_row(example) for example in prepared.seeds],
        "prompts": [prompt_row(prompt) for prompt in prepared.prompts],
    }
    return {name: json.loads(json.dumps(wanted)) for name, wanted in rows.items()}


def pin(folder: RunFolder, prepared: Prepared) -> None:
    """Keep the run's seeds and eval prompts; RunStateError when they changed since it began."""
    for name, now in pinned_rows(prepared).items():
        file = folder.path / f"{name}.jsonl"
        if file.exists() and read_jsonl(file) != now:
            raise RunStateError(
                f"The {name} of the run {folder.run_id} are not those it began with (kept in "
                f"{file}); put them back, or start afresh with --new."
            )
        write_jsonl(file, now)


def claim(folder: RunFolder, config: RunConfig) -> None:
    """Create the run, or go on with the one that has this config.

    RunStateError with the differences when the id has another config.
    """
    if not folder.exists:
        folder.create(to_yaml(config))
        return
    changed = differences(load_config(folder.config), config)
    if changed:
        raise RunStateError(
            f"The run {folder.run_id} exists with another config ({'; '.join(changed)}); give "
            "another --run-id, or --new for a fresh one."
        )


def seed_row(example: Example) -> dict[str, Any]:
    """A seed as it is kept in the run folder."""
    return {
        "id": example.id,
        "question": example.question,
        "answer": example.answer,
        "category": example.category,
        **domain_field(example),
    }


def prompt_row(prompt: EvalPrompt) -> dict[str, Any]:
    """An eval prompt as it is kept in the run folder."""
    rest = asdict(prompt)
    del rest["domain"]
    return {**rest, **domain_field(prompt)}

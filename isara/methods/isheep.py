"""I-SHEEP: self-alignment by instructions, answers without examples, and the model's own scores
(arXiv 2408.08072).

The model goes on with a list of tasks that begins with a few seeds, answers each task, and scores
its own pairs; what passes rules and scores is trained on. Four settings say which model is trained
on which rows: `one_base`, the one that won in the paper, trains the base model on the newest rows.
Whatever is trained on, a task like any that was kept before is dropped (the released code looks
only at the tasks of the same round).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isara.examples import Example
from isara.methods.stages import Run
from isara.methods.tasks import write_tasks

NO_TASKS = "no task could be read from the lists that the model wrote"


def isheep(run: Run) -> str | None:
    """Run the loop to its end; returns why it stopped early, None when it used all iterations."""
    setting, loop = run.config.isheep.setting, run.config.loop
    run.evaluate(0, run.base)
    run.baselines()
    model, rows, pool = run.base, list[Example](), list(run.seeds)
    iterations = 1 if setting == "direct" else loop.max_iterations
    wanted = loop.candidates * (loop.max_iterations if setting == "direct" else 1)
    for k in range(1, iterations + 1):
        tasks = write_tasks(run, k, model, wanted)
        if not tasks:
            return run.stop(k, [], NO_TASKS, 0)
        candidates = run.write_answers(k, model, [], tasks)
        candidates = run.assess(k, model, candidates)
        kept = run.verdicts(k, candidates, pool)
        if not kept or len(kept) < loop.alpha * len(candidates):
            return run.stop(k, kept, _too_few(kept, candidates, loop.alpha), len(candidates))
        pool += kept
        rows = [*rows, *kept] if setting == "total_base" else kept
        model = _train(run, k, model, rows)
        run.evaluate(k, model)
        run.record(k, kept, len(candidates))
        if reason := run.no_gain(k):
            return reason
    return None


def _train(run: Run, k: int, model: Path | None, rows: Sequence[Example]) -> Path:
    """The base model, or with `one_last` the last one, on these rows alone."""
    source = model if run.config.isheep.setting == "one_last" else run.base
    most = run.config.isheep.max_rows
    return run.fine_tune(k, run.folder.iteration(k), source, rows[-most:], with_seeds=False)


def _too_few(kept: Sequence[Example], candidates: Sequence[object], alpha: float) -> str:
    if not kept:
        return f"no pair was kept of {len(candidates)}: nothing to train on"
    return f"retention below alpha: kept {len(kept)} of {len(candidates)}, alpha is {alpha:g}"

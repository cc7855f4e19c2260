"""What a method must beat, measured on the same prompts with paired draws.

*sft*: the same training on D0 alone. *icl_knn*, *icl_random*: the base model with C seeds before
each eval prompt, the nearest ones or random ones. *sft_matched*: training on D0 alone for as many
optimizer steps as the models of all iterations took, hence measured after them; those of a reward
model and of a first SFT are not counted. The base model itself is iteration 0.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from isara.decoding import row_seed
from isara.examples import EvalPrompt, Example
from isara.retrieval import Embedder, nearest
from isara.workspace.files import read_json, write_json

if TYPE_CHECKING:
    from isara.methods.stages import Run

LATE = ("sft_matched",)
TRAINED = ("sft", "sft_matched")


def measure_baselines(run: Run, *, late: bool) -> None:
    """Measure the config's baselines that need nothing of the loop, or (`late`) those that do."""
    if not run.prompts:
        return
    for name in run.config.evaluation.baselines:
        if (name in LATE) is late:
            _measure(run, name)


def _measure(run: Run, name: str) -> None:
    files = run.folder.baseline(name)
    if files.is_done:
        for stage in ("train", "evaluate", "judge"):
            if stage != "train" or name in TRAINED:
                run.reporter.finished(name, stage)
    elif name in TRAINED:
        steps = _steps_of_the_loop(run) if name in LATE else None
        if steps == 0:
            message = f"{name} is not measured: no iteration was trained, so no steps to match"
            run.folder.log_event("warning", place=name, message=message)
            return
        run.evaluate(name, run.fine_tune(name, files, run.base, [], steps))
    else:
        choose = _nearest if name == "icl_knn" else _random
        run.evaluate(name, run.base, partial(choose, run))
    if not files.is_done:
        write_json(files.done, {"baseline": name, "seconds": run.seconds(name)})
    if run.config.loop.keep_models != "all":
        shutil.rmtree(files.model, ignore_errors=True)


def _steps_of_the_loop(run: Run) -> int:
    rows = (
        read_json(run.folder.iteration(k).path / "trained.json", {})
        for k in run.folder.iterations()
    )
    return sum(int(row.get("steps", 0)) for row in rows)


def _nearest(run: Run, prompts: Sequence[EvalPrompt]) -> list[list[Example]]:
    questions = [prompt.question for prompt in prompts]
    return nearest_seeds(run.seeds, questions, run.tools.embedder, run.config.loop.examples)


def nearest_seeds(
    seeds: Sequence[Example], questions: Sequence[str], embedder: Embedder, count: int
) -> list[list[Example]]:
    """For each question the `count` seeds with the nearest questions, the nearest first."""
    pool = embedder.embed([seed.question for seed in seeds])
    _, index = nearest(pool, embedder.embed(questions), count)
    return [[seeds[j] for j in row] for row in index.tolist()]


def _random(run: Run, prompts: Sequence[EvalPrompt]) -> list[list[Example]]:
    count = min(run.config.loop.examples, len(run.seeds))
    found = []
    for prompt in prompts:
        rng = np.random.default_rng(row_seed(run.config.random_seed, "icl_random", prompt.id))
        chosen = rng.choice(len(run.seeds), count, replace=False)
        found.append([run.seeds[j] for j in chosen.tolist()])
    return found

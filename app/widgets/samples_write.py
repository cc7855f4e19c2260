"""Write a handful of pairs with the loop's own stages, without a run.

    data = write_pairs(config, seeds, model, tools)

The stages of methods/stages.py work in a temporary folder, so what is shown is what a run would
have written from the same settings: same prompts, same draws, same scores and verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from app import state
from app.widgets.samples_data import Iteration, PoolExample, make_iteration
from isara.config import RunConfig
from isara.config_files import parse_config
from isara.decoding import Writer
from isara.examples import Example
from isara.methods.candidates import score_table
from isara.methods.progress import Reporter
from isara.methods.stages import Run
from isara.methods.tools import LoadedTools, Tools
from isara.retrieval import Embedder
from isara.workspace.runs import Progress, RunFolder


class PageTools(LoadedTools):
    """The config's tools, on the models that all pages share."""

    def writer(self, model: Path | None) -> Writer:
        """The writer for M(k) in a folder, or for the config's model."""
        return state.writer(self.config.model, model)

    @cached_property
    def embedder(self) -> Embedder:
        """The config's embedder."""
        return state.embedder(self.config.embedder)


def handful_config(
    base: RunConfig,
    *,
    seeds: dict[str, Any],
    count: int,
    examples: int,
    preset: str,
    random_seed: int,
) -> RunConfig:
    """The config of `count` pairs: models, prompts and filters of `base`, the rest as given.

    `seeds` is the part of that name: the name of a seed set and its version.
    """
    data: dict[str, Any] = base.model_dump(exclude_defaults=True)
    data["seeds"] = seeds
    data["random_seed"] = random_seed
    data["loop"] = {"candidates": count, "examples": examples, "retrieval": base.loop.retrieval}
    data["decoding"] = {"preset": preset}
    return parse_config(data, "The chosen settings")


def write_pairs(
    config: RunConfig,
    seeds: Sequence[Example],
    model: Path | None,
    tools: Tools,
    *,
    judged_against: Sequence[Example] | None = None,
    listener: Callable[[Progress], None] | None = None,
) -> Iteration:
    """Questions, neighbours, answers, scores and verdicts of one small iteration.

    `model` is the folder of M(k), None for the config's own model. `judged_against` are the pairs
    that the rules compare with, by default the seeds; `listener` is told how far it is. Raises
    InputError when a question alone does not fit into the model's context, or a model cannot be
    loaded.
    """
    pool = list(seeds)
    with TemporaryDirectory(prefix="isara-") as place:
        folder = RunFolder(Path(place) / "written-now")
        run = Run(config, folder, pool, [], tools, Reporter(folder, {}, listener))
        candidates = run.write_answers(1, model, pool, run.write_questions(1, model, pool))
        scores = score_table(candidates, judged_against or pool)
    found = {e.id: PoolExample(e, f"seed {n}") for n, e in reversed(list(enumerate(pool, 1)))}
    return make_iteration("written now", 1, config, pd.DataFrame(candidates), scores, found)

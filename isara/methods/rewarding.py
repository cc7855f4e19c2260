"""Stages of RFT: the reward model on demonstrations, its accuracy, the policy against it.

A stage whose marker is on disk (rewarded.json, reward_accuracy.json, trained.json) is skipped; one
that was stopped or killed is done again from its start, with the same seed.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isara.config import RunConfig, resolve
from isara.decoding import row_seed
from isara.errors import InputError
from isara.evaluation.reward_accuracy import AnswerPair, accuracy, read_answer_pairs
from isara.training.policy import check_groups
from isara.training.sft import delete_checkpoints
from isara.workspace.files import read_json, write_json
from isara.workspace.runs import IterationFolder

if TYPE_CHECKING:
    from isara.methods.stages import Run

HELD_OUT, UNSEEN = "held_out", "preference_pairs"  # names of the two accuracies


def check_rft(config: RunConfig, seeds: int) -> None:
    """InputError for settings that cannot work, before anything is begun."""
    check_groups(config.training, config.rft.answers)
    if config.rft.held_out >= seeds:
        raise InputError(
            f"The seed set has {seeds} pairs, and rft.held_out keeps {config.rft.held_out} from "
            "the reward model; expected at least one to train on: give more seeds or lower it."
        )
    if config.rft.preference_pairs is not None:
        read_answer_pairs(resolve(config.rft.preference_pairs))


def answer_pairs(run: Run, own: Sequence[str]) -> list[AnswerPair]:
    """Every demonstration against the policy's own answer to its question, in the seeds' order."""
    return [
        AnswerPair(seed.question, seed.answer, text)
        for seed, text in zip(run.seeds, own, strict=True)
    ]


def split_seeds(run: Run, pairs: Sequence[AnswerPair]) -> tuple[list[AnswerPair], list[AnswerPair]]:
    """The pairs to train on, and those held out: the same seeds in every round."""
    rng = np.random.default_rng(row_seed(run.config.random_seed, "demonstrations"))
    drawn = [pairs[i] for i in rng.permutation(len(pairs))]
    held_out = run.config.rft.held_out
    return drawn[held_out:], drawn[:held_out]


def reward_folder(files: IterationFolder) -> Path:
    """Where a round's reward model is kept."""
    return files.path / "reward-model"


def train_reward(run: Run, k: int, last: Path | None, pairs: Sequence[AnswerPair]) -> Path:
    """K updates on the reward model of the last round (None: a new one); its folder."""
    files = run.folder.iteration(k)
    folder = reward_folder(files)
    tune = partial(run.tools.train_reward, last, pairs, folder)
    marker = files.path / "rewarded.json"
    _train(run, k, "reward", tune, marker, {"rows": len(pairs)}, run.config.rft.updates)
    delete_checkpoints(folder)  # the trainer makes their folder, though it stays empty
    return folder


def train_policy(run: Run, k: int, policy: Path | None, reward: Path) -> Path:
    """M(k): the policy after steps against the reward model; its folder."""
    files = run.folder.iteration(k)
    questions = [seed.question for seed in run.seeds]
    tune = partial(run.tools.train_policy, policy, reward, questions, files.model)
    marker = files.path / "trained.json"
    _train(run, k, "policy", tune, marker, {"rows": len(questions)}, run.config.rft.policy_steps)
    delete_checkpoints(files.model)
    return files.model


def _train(
    run: Run,
    k: int,
    stage: str,
    tune: Callable[..., None],
    marker: Path,
    counted: dict[str, int],
    steps: int,
) -> None:
    """Call a training of the tools unless its marker is there."""
    if marker.exists():
        run.reporter.finished(k, stage)
        return
    run._check_stop()
    total = steps * run.config.training.step_rows
    started = time.time()
    with run._timed(k, stage):
        tune(
            random_seed=row_seed(run.config.random_seed, k, stage) % 2**31,
            on_step=run.reporter.steps(k, stage, total),
            should_stop=run.folder.stop_requested,
        )
    write_json(marker, {**counted, "steps": steps})
    run.reporter.update(k, stage, total, total, started=started)


def measure_reward(run: Run, k: int, reward: Path, held_out: Sequence[AnswerPair]) -> None:
    """Write reward_accuracy.json: how often the reward model puts the better answer first, among
    demonstrations it was not trained on against the policy's answers to the same questions, and
    among the pairs of rft.preference_pairs."""
    file = accuracy_file(run.folder.iteration(k))
    if file.exists():
        return
    wanted = run.config.rft.preference_pairs
    unseen = [] if wanted is None else read_answer_pairs(resolve(wanted))
    with run._timed(k, "reward"):
        scorer = run.tools.scorer(reward)
        found = {HELD_OUT: accuracy(scorer, held_out), UNSEEN: accuracy(scorer, unseen)}
    about = {"judge": "the run's own reward model", "threshold": None, "decoding": None}
    write_json(file, {name: {**rate, **about} for name, rate in found.items() if rate is not None})


def accuracy_file(files: IterationFolder) -> Path:
    """Where a round's accuracies are kept."""
    return files.path / "reward_accuracy.json"


def accuracy_field(files: IterationFolder) -> dict[str, Any]:
    """`reward_accuracy` of the iteration: a metric by kind of pairs; nothing where not measured."""
    found = read_json(accuracy_file(files), {})
    rates = {name: {**rate, "split": name.replace("_", " ")} for name, rate in found.items()}
    return {"reward_accuracy": rates} if rates else {}


def drop_reward_models(run: Run, k: int) -> None:
    """Delete the reward models of earlier rounds, unless all models are kept."""
    if run.config.loop.keep_models != "all":
        for j in range(1, k):
            shutil.rmtree(reward_folder(run.folder.iteration(j)), ignore_errors=True)

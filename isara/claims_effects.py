"""What a hypothesis speaks of, measured over random seeds: the effect, its interval and p.

    found = measured(hypothesis, folders, split="test")      # folders: {(arm, random seed): run}
    found.effect, found.low, found.high, found.p

Metrics of prompts are compared on the same prompts by the two-level bootstrap over random seeds and
prompts; a metric with one value for each run by Student's t over random seeds. Reads files only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from isara.claims_files import Hypothesis, Side
from isara.evaluation.comparing import COLUMNS, METRICS, outcomes
from isara.evaluation.self_scores import scored
from isara.evaluation.stats import correlation, over_seeds, two_level_bootstrap
from isara.methods.rewarding import UNSEEN, accuracy_field
from isara.studies import place_files
from isara.workspace.files import read_columns, read_json
from isara.workspace.runs import IterationFolder, RunFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray

Folders = Mapping[tuple[str, int], RunFolder]  # by arm and random seed
# Stages of a loop, without measuring.
LOOP = ("questions", "answers", "assess", "filter", "own", "train")

PROMPT_METRICS = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Effect:
    """`effect` is of - than in the metric's unit with its 95 % interval (None for one random seed
    of a metric without prompts); `p` is two-sided, of no effect, or with non-inferiority of an
    effect of exactly the smallest size; `n` prompts, None where a run has one value."""

    effect: float
    low: float | None
    high: float | None
    p: float
    n: int | None
    random_seeds: tuple[int, ...]

    @property
    def n_seeds(self) -> int:
        """How many random seeds it rests on."""
        return len(self.random_seeds)


def measured(hypothesis: Hypothesis, folders: Folders, split: str) -> Effect | None:
    """The effect over all random seeds that have both sides; None where none has.

    `folders` holds finished runs only; `split` is dev or test.
    """
    arms = {side.arm for side in hypothesis.sides}
    seeds = sorted({n for arm, n in folders if all((a, n) in folders for a in arms)})
    # The null hypothesis of non-inferiority is not 0 but the smallest drop (or rise) that counts.
    null = {"not lower": -hypothesis.smallest, "not higher": hypothesis.smallest}
    shift = null.get(hypothesis.direction, 0.0)
    if hypothesis.metric in PROMPT_METRICS:
        return _over_prompts(hypothesis, folders, seeds, split, shift)
    return _over_runs(hypothesis, folders, seeds, shift)


def _over_prompts(
    hypothesis: Hypothesis, folders: Folders, seeds: list[int], split: str, shift: float
) -> Effect | None:
    metric = PROMPT_METRICS[hypothesis.metric]

    def table(side: Side) -> pd.DataFrame:
        parts = {
            n: found
            for n in seeds
            if (found := _outcomes(folders[side.arm, n], side, hypothesis, split)) is not None
        }
        return pd.concat(parts, axis=1, join="inner").astype(float) if parts else pd.DataFrame()

    than = hypothesis.than
    theirs = table(than) if isinstance(than, Side) else than / metric.scale
    both = (table(hypothesis.of) - theirs).dropna(axis=1, how="all").dropna()
    if both.shape[1] == 0 or both.shape[0] < 2:  # one prompt has no interval
        return None
    values = both.to_numpy().T
    found = two_level_bootstrap(values)
    p = found.p if shift == 0 else two_level_bootstrap(values - shift / metric.scale).p
    low, high = metric.scale * found.low, metric.scale * found.high
    random_seeds = tuple(int(n) for n in both.columns)
    return Effect(metric.scale * found.difference, low, high, p, len(both), random_seeds)


def _outcomes(
    folder: RunFolder, side: Side, hypothesis: Hypothesis, split: str
) -> pd.Series[Any] | None:
    files = place_files(folder, side.place)
    if files is None or not files.evaluation.exists():
        return None
    wanted = (*COLUMNS, "category")
    table = read_columns(files.evaluation, wanted, optional=True)
    if hypothesis.category is not None:
        table = table[table["category"] == hypothesis.category]
    return outcomes(table, PROMPT_METRICS[hypothesis.metric], split)


def _over_runs(
    hypothesis: Hypothesis, folders: Folders, seeds: list[int], shift: float
) -> Effect | None:
    measure = RUN_METRICS[hypothesis.metric]

    def value(side: Side | float, seed: int) -> float | None:
        if not isinstance(side, Side):
            return side
        folder = folders[side.arm, seed]
        return measure(folder, _iteration(folder, side.place))

    found: dict[int, float] = {}
    for seed in seeds:
        ours, theirs = value(hypothesis.of, seed), value(hypothesis.than, seed)
        if ours is not None and theirs is not None:
            found[seed] = ours - theirs
    if not found:
        return None
    values = list(found.values())
    mean = over_seeds(values)
    p = one_sample_p(np.array(values) - shift)
    return Effect(mean.mean, mean.low, mean.high, p, None, tuple(found))


def one_sample_p(values: NDArray[np.float64]) -> float:
    """Two-sided p of a mean of 0: Student's t, or the sign test where all values are equal, of
    which t knows no spread; 1 for one value."""
    from scipy.stats import ttest_1samp

    if len(values) < 2:
        return 1.0
    if np.ptp(values) < 1e-12:
        return 1.0 if abs(values[0]) < 1e-12 else float(2 * 0.5 ** len(values))
    return float(ttest_1samp(values, 0.0).pvalue)


# ---------------------------------------------------------------- one value for each run


def _iteration(folder: RunFolder, place: str) -> IterationFolder:
    """The iteration itself, trained or not; "last" is the last that was measured."""
    if place.startswith("iteration "):
        return folder.iteration(int(place.split()[1]))
    return place_files(folder, place) or folder.iteration(0)


def scaling_ratio(folder: RunFolder, files: IterationFolder) -> float | None:
    """Kept pairs of the trained iterations up to this one for each pair of D0 (methods §1)."""
    found = read_json(files.done, {}).get("scaling_ratio")
    return None if found is None else float(found)


def retrieval_share(folder: RunFolder, files: IterationFolder) -> float | None:
    """Share of the loop's wall time that embedding and neighbour search took, measuring left out.

    None where no iteration searched for neighbours.
    """
    searched = [
        float(read_json(folder.iteration(k).path / "retrieval.json", {}).get("seconds", 0.0))
        for k in folder.iterations()
    ]
    spent = sum(
        seconds
        for k in folder.iterations()
        for stage, seconds in read_json(folder.iteration(k).path / "seconds.json", {}).items()
        if stage in LOOP
    )
    return sum(searched) / spent if spent and any(searched) else None


def reward_accuracy(folder: RunFolder, files: IterationFolder) -> float | None:
    """Share of careful and careless pairs that the learned reward puts in order (methods §3)."""
    found = accuracy_field(files).get("reward_accuracy", {}).get(UNSEEN)
    return None if found is None else float(found["value"])


def self_score_truth(folder: RunFolder, files: IterationFolder) -> float | None:
    """Spearman's rank correlation of the model's scores of its own pairs' quality with the demo
    world's truth about the answers (1 careful, 0 not); 0 where either is the same for all pairs,
    None where nothing was assessed. Pairs without a readable score are left out."""
    scores, truth = scored(files, "quality")
    return correlation(scores, truth).value if scores else None


RUN_METRICS: dict[str, Callable[[RunFolder, IterationFolder], float | None]] = {
    "scaling_ratio": scaling_ratio,
    "retrieval_share": retrieval_share,
    "reward_accuracy": reward_accuracy,
    "self_score_truth": self_score_truth,
}

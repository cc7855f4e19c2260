"""How many optimizer steps a training has, and how many of them warm up."""

from __future__ import annotations

from math import ceil

from isara.config import TrainingConfig


def optimizer_steps(config: TrainingConfig, count: int, steps: int | None = None) -> int:
    """Optimizer steps of a training on `count` rows: as told, else those of the config's epochs."""
    return ceil(config.epochs * ceil(count / config.step_rows)) if steps is None else steps


def warmup_steps(config: TrainingConfig, steps: int) -> int:
    """Of so many optimizer steps those with a rising learning rate. The first of them has the rate
    0, so at least one step is left that is none: the only step of a short training would teach
    nothing."""
    return min(ceil(config.warmup_ratio * steps), steps - 1)

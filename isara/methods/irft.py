"""SPIN (arXiv 2401.01335) and IRFT (arXiv 2405.17888): demonstrations against own answers.

In each stage the model answers the demonstrations' questions and is trained to tell the
demonstrations from its answers, itself at the start of the stage the reference. IRFT gives each of
its T stages a slice of the demonstrations; SPIN gives each iteration all of them. IRFT with T = 1
is one iteration of SPIN. Nothing is filtered and nothing is added to the seeds: the data scaling
ratio stays 0, and there is no retention.
"""

from __future__ import annotations

from isara.examples import Example
from isara.methods.contrasting import (
    drop_first_model,
    first_model,
    measure_gap,
    split_demonstrations,
    train_against,
    write_own_answers,
)
from isara.methods.stages import Run


def irft(run: Run) -> str | None:
    """T = loop.max_iterations stages, each on its own slice; k counts stages."""
    demonstrations, held_out = split_demonstrations(run)
    stages = run.config.loop.max_iterations
    return _play(run, demonstrations, [demonstrations[t::stages] for t in range(stages)], held_out)


def spin(run: Run) -> str | None:
    """loop.max_iterations iterations, each on all demonstrations."""
    demonstrations, held_out = split_demonstrations(run)
    every = [demonstrations] * run.config.loop.max_iterations
    return _play(run, demonstrations, every, held_out)


def _play(
    run: Run,
    demonstrations: list[Example],
    stages: list[list[Example]],
    held_out: list[Example],
) -> str | None:
    measure_gap(run, 0, run.base, held_out)
    run.evaluate(0, run.base)
    run.baselines()
    model = first_model(run, demonstrations)
    for k, shown in enumerate(stages, 1):
        own = write_own_answers(run, k, model, shown)
        model = train_against(run, k, model, shown, own)
        run.evaluate(k, model)
        measure_gap(run, k, model, held_out)
        run.record(k, kept=[], generated=0)  # an answer to be beaten is no candidate
        drop_first_model(run)
        if reason := run.no_gain(k):
            return reason
    return None

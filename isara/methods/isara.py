"""ISARA: iterative self-alignment from retrieved examples (arXiv 2401.06785, §4.1, Algorithm 1).

The model writes questions from random examples and answers from the nearest ones, what passes the
filter is trained on, and the loop goes on with the better model. Resuming, progress, blocks and
files live in the stages that are called here.
"""

from __future__ import annotations

from isara.methods.stages import Run


def isara(run: Run) -> str | None:
    """Run the loop to its end; returns why it stopped early, None when it used all iterations."""
    loop = run.config.loop
    run.evaluate(0, run.base)
    run.baselines()
    pool = list(run.seeds)
    model = run.base
    for k in range(1, loop.max_iterations + 1):
        questions = run.write_questions(k, model, pool)
        candidates = run.write_answers(k, model, pool, questions)
        candidates = run.assess(k, model, candidates)
        kept = run.verdicts(k, candidates, pool)
        if len(kept) / loop.candidates < loop.alpha:
            return run.stop(k, kept, f"retention below alpha: kept {len(kept)} of "
                                     f"{loop.candidates}, alpha is {loop.alpha:g}")  # fmt: skip
        model = run.train(k, model, kept)
        run.evaluate(k, model)
        run.record(k, kept)
        if reason := run.no_gain(k):
            return reason
        pool = pool + kept
    return None

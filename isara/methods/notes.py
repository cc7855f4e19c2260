"""What is said of a config before its run begins, and does not stop it.

notes = [*method_notes(config), *step_notes(config, len(seeds))]
"""

from __future__ import annotations

from isara.config import FilterConfig, RunConfig
from isara.methods.progress import iteration_work, training_steps

FEW_STEPS = 4  # of an iteration's training


def method_notes(config: RunConfig) -> list[str]:
    """Where I-SHEEP's settings are ISARA's defaults and not its authors' (2408.08072), and filters
    that a method does not read."""
    filters = config.filters
    if config.method in ("spin", "irft", "rft") and filters != FilterConfig():
        return [f"{config.method} filters nothing: filters are not read."]
    if config.method != "isheep":
        return []
    beams = config.decoding.answer.strategy == "beam"
    others = {
        "beam search writes the texts (decoding.preset: sampling)": beams,
        "pairs are not scored (filters.assessment: both)": filters.assessment == "none",
        "the rules on wording are off (filters.instruction_rules: true)": (
            not filters.instruction_rules
        ),
        f"below {filters.min_words} words a text is dropped (filters.min_words: 0)": (
            filters.min_words > 0
        ),
        f"below a retention of {config.loop.alpha:g} the run ends (loop.alpha: 0)": (
            config.loop.alpha > 0
        ),
    }
    told = [says for says, differs in others.items() if differs]
    if not told:
        return []
    return [
        f"Not as I-SHEEP's authors did it: {'; '.join(told)}. In brackets the setting of theirs."
    ]


def step_notes(config: RunConfig, seeds: int) -> list[str]:
    """A word on trainings of so few optimizer steps that they hardly move a model."""
    work = iteration_work(config, seeds, share=1.0, k=1)
    steps, rows = training_steps(config, work), config.training.step_rows
    if steps >= FEW_STEPS:
        return []
    return [
        f"An iteration trains for {steps} optimizer step{'s' * (steps != 1)} of {rows} rows, which "
        "may hardly change the model: more seeds, more training.epochs, a smaller "
        "training.accumulation"
        + (" or more contrast.updates" if config.method in ("spin", "irft") else "")
        + " make more of them."
    ]

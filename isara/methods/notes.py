"""What is said of a config before its run begins, and does not stop it.

notes = [*method_notes(config), *step_notes(config, len(seeds)), *rate_notes(config, prompts)]
"""

from __future__ import annotations

from collections.abc import Sequence

from isara.config import FilterConfig, RunConfig
from isara.examples import EvalPrompt
from isara.methods.progress import iteration_work, training_steps

FEW_STEPS = 4  # of an iteration's training


def method_notes(config: RunConfig) -> list[str]:
    """Where I-SHEEP's settings are ISARA's defaults and not its authors' (2408.08072), and filters
    that a method does not read."""
    filters, training, unread = config.filters, config.training, []
    if config.method in ("spin", "irft", "rft") and filters != FilterConfig():
        unread.append(f"{config.method} filters nothing: filters are not read.")
    if config.method != "isara" and training.start_from != "previous":
        unread.append(
            f"{config.method} says itself which model it trains: training.start_from is not read."
        )
    if config.method in ("isheep", "rft") and training.objective != "sft":
        unread.append(
            f"{config.method} has an objective of its own: training.objective is not read."
        )
    if config.method != "isheep":
        return unread
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
        return unread
    return [
        *unread,
        f"Not as I-SHEEP's authors did it: {'; '.join(told)}. In brackets the setting of theirs.",
    ]


def rate_notes(config: RunConfig, prompts: Sequence[EvalPrompt]) -> list[str]:
    """Rules of the loop that go by the harmful rate on dev, where no prompt can give one."""
    if any(prompt.split == "dev" and not prompt.harmless for prompt in prompts):
        return []
    why = "No eval prompt of the dev split is one of harm, so there is no harmful rate to go by:"
    rules = {
        f"{why} loop.patience does not end the loop.": config.loop.patience is not None,
        f"{why} loop.keep_models: best keeps all models.": config.loop.keep_models == "best",
    }
    return [says for says, holds in rules.items() if holds]


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

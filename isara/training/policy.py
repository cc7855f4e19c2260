"""The policy against a reward model, the second half of RFT (arXiv 2405.17888, §3.1), by RLOO.

    train_policy(language, questions, reward.scores, training, folder, updates=20, answers=4, ...)

The paper's PPO is here TRL's RLOO trainer: for every question some answers are drawn, an answer's
advantage is its reward minus the mean of its siblings', and the divergence from the model at the
start of the stage is taken off the reward. Prompts and ends of answers are the writer's own, so
that what is rewarded is what the model writes elsewhere. Checkpoints are left out: an unfinished
stage is done again from its start, and its seed gives it the same end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Unpack

from isara.config import TrainingConfig
from isara.decoding.hugging_face import LINE_BREAK, MARKER
from isara.errors import InputError
from isara.models import Language
from isara.prompts import answer_prompt
from isara.training.reward import drawn, stage_arguments
from isara.training.sft import (
    Told,
    callback,
    rows_at_once,
    run_to_the_end,
    save,
    trainable,
    without_telemetry,
)

Scores = Callable[[Sequence[str], Sequence[str]], Any]


def text_ends(language: Language, multiline: bool) -> list[int]:
    """Ids of the tokens that end an answer, as in the writer."""
    ends = list(language.end_tokens)
    return ends if multiline else list(dict.fromkeys([*ends, *language.line_break_tokens]))


def answer_text(language: Language, tokens: list[int], multiline: bool) -> str:
    """What the writer makes of the tokens of an answer."""
    if tokens and tokens[-1] in language.end_tokens:
        tokens = tokens[:-1]
    text = str(language.tokenizer.decode(tokens, skip_special_tokens=True))
    return (MARKER if multiline else LINE_BREAK).split(text, maxsplit=1)[0].strip()


def cut_at_marker(language: Language, tokens: list[int]) -> list[int]:
    """The fewest first tokens that hold a marker, or all of them."""

    def holds(count: int) -> bool:
        text = str(language.tokenizer.decode(tokens[:count], skip_special_tokens=True))
        return MARKER.search(text) is not None

    return tokens[: bisect_left(range(len(tokens)), True, key=holds)]


def rloo_trainer(language: Language, multiline: bool) -> type:
    """TRL's RLOO trainer whose answers of several lines end at a marker; made late, because TRL is
    slow to import."""
    from trl.trainer.rloo_trainer import RLOOTrainer

    without_telemetry()

    class Trainer(RLOOTrainer):  # type: ignore[misc, unused-ignore]
        """A marker is many tokens, which TRL knows no end for."""

        def _generate_single_turn(self, *given: Any) -> Any:
            generate: Any = super()._generate_single_turn
            found = generate(*given)
            return [cut_at_marker(language, row) for row in found] if multiline else found

    return Trainer


def train_policy(
    language: Language,
    questions: Sequence[str],
    scores: Scores,
    training: TrainingConfig,
    folder: Path,
    *,
    updates: int,
    answers: int,
    kl: float,
    learning_rate: float,
    max_new_tokens: int,
    multiline: bool = False,
    **told: Unpack[Told],
) -> None:
    """`updates` optimizer steps of `training.step_rows` answers each, `answers` to a question;
    writes the model (safetensors and tokenizer) to `folder`.

    `scores(questions, answers)` gives the rewards [answers]; `kl` weighs the summed log-ratio to
    the model as it was given (nats). InputError where a step does not hold whole groups of answers,
    StoppedError when asked to stop, without a checkpoint.
    """
    from datasets import Dataset
    from trl.trainer.rloo_config import RLOOConfig

    check_groups(training, answers)
    dtype = language.model.dtype
    language = trainable(language, training, told["random_seed"])
    model: Any = language.model
    asked = drawn(questions, updates * training.step_rows // answers, told["random_seed"])
    rows = [{"prompt": answer_prompt([], q, multiline), "question": q} for q in asked]
    longest = max(language.count_tokens(row["prompt"]) for row in rows) + max_new_tokens
    device = language.device.type
    at_once = rows_at_once(training, longest, model.config.vocab_size, device)
    told["steps"] = updates
    rates = {"learning_rate": learning_rate}
    arguments = stage_arguments(training, folder, device, at_once, told, **rates)
    seen = callback(told, saves=False)
    own = model.generation_config.eos_token_id
    model.generation_config.eos_token_id = text_ends(language, multiline)
    trainer = rloo_trainer(language, multiline)(
        model=model,
        reward_funcs=reward_of(language, scores, multiline),
        args=RLOOConfig(
            **{"gradient_checkpointing": False, **arguments},
            num_generations=answers,
            max_completion_length=max_new_tokens,
            beta=kl,
            disable_dropout=True,  # else it stands in the ratio to what drew the answers
            shuffle_dataset=False,  # `drawn` has shuffled
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=language.tokenizer,
        callbacks=[seen],
    )
    run_to_the_end(trainer, seen)
    model.generation_config.eos_token_id = own  # the ends of a line are the prompt format's
    if "ref" in getattr(model, "peft_config", {}):
        model.delete_adapter("ref")  # TRL's copy of the adapter, the reference
    save(language, folder, None if training.lora else dtype)


def reward_of(language: Language, scores: Scores, multiline: bool) -> Callable[..., list[float]]:
    """The reward of answers as TRL asks for it, of the texts that the writer makes of them."""

    def reward(completion_ids: list[list[int]], question: list[str], **_: Any) -> list[float]:
        texts = [answer_text(language, ids, multiline) for ids in completion_ids]
        return [float(score) for score in scores(question, texts)]

    return reward


def check_groups(training: TrainingConfig, answers: int) -> None:
    """InputError where the answers to a question would stand in two steps."""
    if training.step_rows % answers:
        raise InputError(
            f"A step has {training.step_rows} answers (training.batch_size x accumulation), and "
            f"rft.answers is {answers}; expected whole groups: make the first a multiple of the "
            "second."
        )

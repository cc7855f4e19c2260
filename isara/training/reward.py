"""A reward model learned from demonstrations, the first half of RFT (arXiv 2405.17888, §3.1).

    train_reward("data/demo/language-model", pairs, training, folder, updates=20, ...)
    RewardModel(str(folder)).scores(questions, answers)          # evaluation/reward.py

The reward model is a language model's backbone with a scalar head at the last token. Its loss is
-log sigmoid(r(x, y) - r(x, y~)), y the demonstration and y~ the policy's own answer. Files and text
format are safe-rlhf's, so that what is trained here is loaded like any other reward model. The
policy's half is policy.py.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from isara.config import LoraConfig, TrainingConfig
from isara.errors import InputError
from isara.evaluation.harm import MAX_TOKENS, judge_tokenizer, judged_texts
from isara.evaluation.reward_accuracy import AnswerPair
from isara.models import from_pretrained, hub_folder, pick_device
from isara.training.sft import (
    Told,
    adapter_config,
    callback,
    rows_at_once,
    run_to_the_end,
    training_arguments,
)

if TYPE_CHECKING:
    import torch

    from isara.evaluation.reward import ScoreModel

Item = TypeVar("Item")


def pairwise_loss(better: torch.Tensor, worse: torch.Tensor) -> torch.Tensor:
    """Mean of -log sigmoid(better - worse) over the pairs; scores [pairs]."""
    from torch.nn import functional

    return -functional.logsigmoid(better.float() - worse.float()).mean()


def drawn(items: Sequence[Item], count: int, random_seed: int) -> list[Item]:
    """`count` items: as many shuffled passes over all of them as that takes."""
    rng = random.Random(random_seed)
    found: list[Item] = []
    while len(found) < count:
        found += rng.sample(list(items), len(items))
    return found[:count]


def new_score_model(name: str, random_seed: int) -> ScoreModel:
    """The backbone of the language model `name`, in float32, with a head of random weights.

    InputError for a model whose last layer is not as wide as its config says (OPT-350m): the file
    format of reward models has no place for that.
    """
    import torch
    from transformers import AutoModel

    from isara.evaluation.reward import ScoreModel

    backbone = from_pretrained(AutoModel, name, dtype=torch.float32, use_safetensors=True)
    width = backbone.config.hidden_size
    if getattr(backbone.config, "word_embed_proj_dim", width) != width:
        raise InputError(
            f"{name} has layers of {width} and projects them to "
            f"{backbone.config.word_embed_proj_dim}; expected a backbone without such a projection "
            "under a reward model: take another language model."
        )
    with torch.device("meta"):  # the backbone is there already: no memory for a second one
        model = ScoreModel(backbone.config)
    torch.manual_seed(random_seed)
    model.model = backbone
    model.score_head = torch.nn.Linear(width, 1, bias=False)
    return model


def encode_pairs(pairs: Sequence[AnswerPair], tokenizer: Any) -> list[dict[str, list[int]]]:
    """Token ids of the better and of the worse text of every pair, as scoring reads them."""
    questions = [pair.question for pair in pairs]
    columns = {"better": [p.better for p in pairs], "worse": [p.worse for p in pairs]}
    ids = {
        name: tokenizer(
            judged_texts(tokenizer, questions, answers), truncation=True, max_length=MAX_TOKENS
        )["input_ids"]
        for name, answers in columns.items()
    }
    return [
        {"better": better, "worse": worse}
        for better, worse in zip(ids["better"], ids["worse"], strict=True)
    ]


def collate_pairs(rows: Sequence[dict[str, list[int]]], pad: int) -> dict[str, torch.Tensor]:
    """Ids and mask [2 x pairs, tokens], padded on the right: all better texts, then all worse."""
    import torch

    texts = [row["better"] for row in rows] + [row["worse"] for row in rows]
    longest = max(len(ids) for ids in texts)
    lengths = torch.tensor([len(ids) for ids in texts])
    return {
        "input_ids": torch.tensor([ids + [pad] * (longest - len(ids)) for ids in texts]),
        "attention_mask": (torch.arange(longest)[None] < lengths[:, None]).long(),
    }


def pair_trainer() -> type:
    """The Trainer with the pairwise loss; made late, because transformers is slow to import."""
    from transformers import Trainer

    class PairTrainer(Trainer):  # type: ignore[misc, unused-ignore]
        """Batches of `collate_pairs`; forward passes of a step hold equally many pairs, so that
        the mean of their losses is the step's."""

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, Any],
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            scores = model(**inputs)
            loss = pairwise_loss(*scores.chunk(2))
            return (loss, {"scores": scores}) if return_outputs else loss

    return PairTrainer


def stage_arguments(
    training: TrainingConfig,
    folder: Path,
    device: str,
    rows: int,
    told: Told,
    *,
    learning_rate: float,
) -> dict[str, Any]:
    """Arguments of a trainer for one stage of the steps told: the config's, without checkpoints."""
    config = training.model_copy(update={"learning_rate": learning_rate})
    count = (told.get("steps") or 0) * config.step_rows
    return {**training_arguments(config, folder, device, count, rows, told), "save_strategy": "no"}


def train_reward(
    source: str,
    pairs: Sequence[AnswerPair],
    training: TrainingConfig,
    folder: Path,
    *,
    updates: int,
    learning_rate: float,
    going_on: bool = False,
    device: str = "auto",
    **told: Unpack[Told],
) -> ScoreModel:
    """`updates` optimizer steps of `training.step_rows` pairs each; writes the reward model.

    `source` is the language model that gives the backbone, or (`going_on`) the reward model of the
    last round. With `training.lora` the backbone learns through an adapter, which is merged before
    it is written. InputError without pairs; StoppedError when asked to stop, without a checkpoint:
    a stage of RFT is short, and done again from its start.
    """
    from transformers import TrainingArguments

    from isara.evaluation.reward import ScoreModel

    if not pairs:
        raise InputError(
            "There is no pair to train the reward model on; expected demonstrations beside those "
            "of rft.held_out: give more seeds or hold out fewer."
        )
    if going_on:
        model = ScoreModel.from_pretrained(hub_folder(source))
    else:
        model = new_score_model(source, told["random_seed"])
    if training.lora is not None:
        model.model = with_adapter(model.model, training.lora, told["random_seed"])
    tokenizer = judge_tokenizer(source)
    rows = encode_pairs(drawn(pairs, updates * training.step_rows, told["random_seed"]), tokenizer)
    where = pick_device(device)
    longest = max(len(ids) for row in rows for ids in row.values())
    at_once = rows_at_once(training, 2 * longest, model.config.hidden_size, where)
    told["steps"] = updates
    arguments = stage_arguments(training, folder, where, at_once, told, learning_rate=learning_rate)
    seen = callback(told, saves=False)
    trainer = pair_trainer()(
        model=model,
        # In the order in which `drawn` gave them.
        args=TrainingArguments(**arguments, train_sampling_strategy="sequential"),
        train_dataset=rows,
        data_collator=lambda batch: collate_pairs(batch, int(tokenizer.pad_token_id or 0)),
        callbacks=[seen],
    )
    run_to_the_end(trainer, seen)
    if training.lora is not None:
        model.model = model.model.merge_and_unload()
    model.config.dtype = "float32"  # the file holds 16 bits, the loader makes 32 of them
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model


def with_adapter(backbone: Any, lora: LoraConfig, random_seed: int) -> Any:
    """The backbone under a new adapter: only it and the head are trained."""
    from peft import get_peft_model
    from transformers import set_seed

    set_seed(random_seed)
    return get_peft_model(backbone, adapter_config(lora, "FEATURE_EXTRACTION"))

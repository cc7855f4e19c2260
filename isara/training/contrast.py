"""Preference training of SPIN and IRFT (arXiv 2405.17888, 2401.01335), by TRL's DPO trainer.

    contrast_tune(language, pairs, config, folder, beta=0.1, random_seed=1)

Of a demonstration y and the model's own answer o to the same question x, the loss of a pair is
-log sigmoid(beta [(log p(y|x) - log p(o|x)) - (log pref(y|x) - log pref(o|x))]), log-probabilities
summed over the answer's tokens and its end token, pref the weights that training begins with. It is
DPO's loss with y chosen and o rejected. TRL brings loss, reference and metrics; rows, adapters,
optimizers, checkpoints and stops are those of sft.py. Dropout is off, as TRL has it, so that the
first step compares the reference with itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from isara.config import TrainingConfig
from isara.errors import InputError
from isara.examples import Example
from isara.models import Language
from isara.training.sft import (
    IGNORED,
    Told,
    TrainingRow,
    callback,
    collate,
    encode_row,
    rows_at_once,
    run_to_the_end,
    save,
    trainable,
    training_arguments,
    without_telemetry,
)

if TYPE_CHECKING:
    import torch

SIDES = ("chosen", "rejected")


@dataclass(frozen=True, slots=True)
class Contrast:
    """A demonstration and the model's own answer to its question."""

    demonstration: Example
    own: str


def encode_pair(
    pair: Contrast, language: Language, max_tokens: int, multiline: bool
) -> dict[str, Any]:
    """Token ids and labels of both answers, each as SFT has them (`encode_row`).

    InputError when the question leaves no room for an answer within `max_tokens`.
    """
    answers = (pair.demonstration, Example(pair.demonstration.question, pair.own))
    rows = (encode_row(TrainingRow(one), language, max_tokens, multiline) for one in answers)
    return dict(zip(SIDES, rows, strict=True))


def collate_pairs(pairs: Sequence[dict[str, Any]], pad: int) -> dict[str, torch.Tensor]:
    """Ids, mask and answer mask [2 x pairs, tokens], the chosen rows first, as TRL expects them;
    the reference's log-probabilities [pairs] where the pairs have them."""
    import torch

    batch = collate([pair[side] for side in SIDES for pair in pairs], pad)
    known = [name for name in pairs[0] if name.startswith("ref_")]
    return {
        "input_ids": batch["input_ids"],
        "attention_mask": batch["attention_mask"],
        "completion_mask": (batch["labels"] != IGNORED).long(),
        **{name: torch.tensor([pair[name] for pair in pairs]) for name in known},
    }


def trainer_class() -> type:
    """TRL's trainer on rows that are tokens already; made late, because TRL is slow to import."""
    from trl.trainer.dpo_trainer import DPOTrainer

    without_telemetry()

    class ContrastTrainer(DPOTrainer):  # type: ignore[misc, unused-ignore]
        """A step's loss is the mean over its pairs, however they are split into passes."""

        loss_is_scaled_for_ga = True

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset  # TRL would tokenise by itself

        def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
            # TRL's own writes a cache file and draws two progress bars.
            found: dict[str, list[float]] = {f"ref_{side}_logps": [] for side in SIDES}
            for start in range(0, len(dataset), batch_size):
                part = [dataset[i] for i in range(start, min(start + batch_size, len(dataset)))]
                inputs = self._prepare_inputs(self.data_collator(part))
                sums = self.compute_ref_log_probs(self.model, inputs)  # type: ignore[no-untyped-call, unused-ignore]
                for values, measured in zip(found.values(), sums, strict=True):
                    values += measured.tolist()
            for column, values in found.items():
                dataset = dataset.add_column(column, values)
            return dataset

        def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
            samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
            return samples, sum(len(batch["input_ids"]) // 2 for batch in samples)

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, Any],
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            loss = super().compute_loss(model, inputs)  # type: ignore[no-untyped-call, unused-ignore]
            pairs = len(inputs["input_ids"]) // 2
            return loss * pairs / (num_items_in_batch or pairs)

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """None: a checkpoint is deleted when the stage is done."""

    return ContrastTrainer


def make_trainer(
    language: Language, rows: Sequence[dict[str, Any]], arguments: dict[str, Any], beta: float
) -> Any:
    """The trainer on encoded pairs, with the reference measured: by the model as it is now."""
    from datasets import Dataset
    from trl.trainer.dpo_config import DPOConfig

    pad = int(language.tokenizer.pad_token_id or 0)
    args = DPOConfig(
        # TRL's defaults are other than the Trainer's; arguments that sft.py names overwrite these.
        **{"gradient_checkpointing": False, **arguments},
        beta=beta,
        loss_type=["sigmoid"],
        max_length=None,
        # The reference is needed on these pairs alone: measured once, it takes no memory.
        precompute_ref_log_probs=True,
    )
    trainer = trainer_class()(
        model=language.model,
        args=args,
        train_dataset=Dataset.from_list(list(rows)),
        data_collator=lambda batch: collate_pairs(batch, pad),
        processing_class=language.tokenizer,
    )
    if "ref" in getattr(language.model, "peft_config", {}):
        # TRL's copy of an adapter; the reference is measured, and it must not be saved.
        language.model.delete_adapter("ref")  # type: ignore[attr-defined, unused-ignore]
    return trainer


def contrast_tune(
    language: Language,
    pairs: Sequence[Contrast],
    config: TrainingConfig,
    folder: Path,
    *,
    beta: float,
    multiline: bool = False,
    **told: Unpack[Told],
) -> Language:
    """Train on demonstrations against own answers and write the model to `folder`; for the config's
    epochs, or for the steps that it is told (K of arXiv 2405.17888).

    `on_step` is told step, steps, loss, learning_rate and margin: beta times the bracket of the
    loss, averaged over the step's pairs (nats). Goes on from the last checkpoint in `folder`; then
    `language` must hold the weights that the training began with, for they are the reference. The
    caller deletes the checkpoints once its own marker is on disk. InputError without pairs;
    StoppedError after `should_stop()` said so, with a checkpoint on disk.
    """
    if not pairs:
        raise InputError("There is nothing to train on: give at least one demonstration.")
    dtype = language.model.dtype
    language = trainable(language, config, told["random_seed"])
    rows = [encode_pair(pair, language, config.max_tokens, multiline) for pair in pairs]
    device = language.device.type
    longest = max(len(row[side]["input_ids"]) for row in rows for side in SIDES)
    # A pair is two rows.
    at_once = rows_at_once(config, 2 * longest, language.model.config.vocab_size, device)
    arguments = training_arguments(config, folder, device, len(rows), at_once, told)
    watch = callback(told)
    trainer = make_trainer(language, rows, arguments, beta)
    trainer.add_callback(watch)
    run_to_the_end(trainer, watch)
    return save(language, folder, None if config.lora else dtype)

"""Supervised fine-tuning of M(k) on D0 and D(k), by the Hugging Face Trainer.

    losses = fine_tune(language, rows, config, folder, random_seed=1)

The loss of an optimizer step is the weighted mean over its rows of each row's mean token loss on
the answer and the end token, the prompt masked; a seed row weighs gamma, a generated row 1 (§4.1).
A killed training goes on from its last checkpoint; when it is done only the model stays.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Required, TypedDict, Unpack

from isara.config import LoraConfig, TrainingConfig
from isara.errors import InputError
from isara.examples import Example
from isara.models import Language, mebibytes
from isara.prompts import training_texts
from isara.training.steps import optimizer_steps, warmup_steps

if TYPE_CHECKING:
    import torch

MOST_LOGITS = 16 * 2**20  # bytes of the logits of one forward pass; more is no faster on a CPU
# The trainers' names of a step's numbers, and ours.
LOGGED = {name: name for name in ("loss", "learning_rate", "reward", "kl")}
LOGGED |= {"rewards/margins": "margin"}
IGNORED = -100  # label of tokens without loss, as torch's cross-entropy expects it


class StoppedError(Exception):
    """Training was asked to stop; its last checkpoint is on disk."""


class Told(TypedDict, total=False):
    """What every training is told: its random seed, who hears of each step (step, steps, loss,
    learning_rate, tokens_per_second from the second step on, with the first one weights_mib,
    gradients_mib and optimizer_mib, and what else the trainer measures), who may stop it between
    two steps, and for how many optimizer steps it goes on where that is not the config's epochs."""

    random_seed: Required[int]
    on_step: Callable[[dict[str, float]], None] | None
    should_stop: Callable[[], bool] | None
    steps: int | None


def tell(told: Told, step: dict[str, float]) -> None:
    """Give the numbers of a step to who wants to hear them."""
    if (on_step := told.get("on_step")) is not None:
        on_step(step)


def stop_asked(told: Told) -> bool:
    """Whether somebody asks the training to stop."""
    should_stop = told.get("should_stop")
    return should_stop is not None and should_stop()


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One pair and its weight in the loss."""

    example: Example
    weight: float = 1.0


def encode_row(
    row: TrainingRow, language: Language, max_tokens: int, multiline: bool
) -> dict[str, Any]:
    """Token ids, labels (prompt masked) and weight of one row, cut at `max_tokens`.

    The answer is tokenised together with its prompt, so that training sees the same ids as
    generation; InputError when nothing of the answer is left.
    """
    prompt, answer = training_texts(row.example, multiline)
    prompt_ids = language.encode(prompt)
    ids = [*language.encode(prompt + answer), language.end_token]
    masked = len(prompt_ids)
    if ids[:masked] != prompt_ids:  # a merge across the border: mask what both have in common
        pairs = zip(ids, prompt_ids, strict=False)
        masked = next(i for i, (a, b) in enumerate(pairs) if a != b)
    ids = ids[: min(max_tokens, language.context)]
    if masked >= len(ids):
        raise InputError(
            f"The question {row.example.question[:60]!r} alone needs {masked} tokens; training "
            f"rows hold {max_tokens}: raise training.max_tokens or leave the row out."
        )
    labels = [IGNORED] * masked + ids[masked:]
    return {"input_ids": ids, "labels": labels, "weight": row.weight}


def collate(rows: Sequence[dict[str, Any]], pad: int) -> dict[str, torch.Tensor]:
    """Rows padded on the right: ids, mask and labels [rows, tokens], weights [rows]."""
    import torch

    longest = max(len(row["input_ids"]) for row in rows)

    def padded(key: str, value: int) -> torch.Tensor:
        return torch.tensor([row[key] + [value] * (longest - len(row[key])) for row in rows])

    lengths = torch.tensor([len(row["input_ids"]) for row in rows])
    return {
        "input_ids": padded("input_ids", pad),
        "attention_mask": (torch.arange(longest)[None] < lengths[:, None]).long(),
        "labels": padded("labels", IGNORED),
        "weights": torch.tensor([row["weight"] for row in rows], dtype=torch.float32),
    }


def weighted_loss(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, total: torch.Tensor
) -> torch.Tensor:
    """Sum over rows of weight x mean token loss, over `total` weight of the optimizer step.

    logits [rows, tokens, vocabulary], labels [rows, tokens] unshifted, weights [rows].
    """
    from torch.nn import functional

    targets = labels[:, 1:]
    losses = functional.cross_entropy(
        logits[:, :-1].float().transpose(1, 2), targets, ignore_index=IGNORED, reduction="none"
    )
    counts = (targets != IGNORED).sum(1).clamp(min=1)
    return (weights * losses.sum(1) / counts).sum() / total


def trainer_class() -> type:
    """The Trainer with ISARA's loss; made late, because transformers is slow to import."""
    import torch
    from transformers import Trainer

    class WeightedTrainer(Trainer):  # type: ignore[misc, unused-ignore]
        """Normalises by the rows' weights over the whole optimizer step."""

        loss_is_scaled_for_ga = True

        def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
            samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
            total = sum((batch["weights"].sum() for batch in samples), torch.zeros(()))
            # A step of rows with weight 0 alone (gamma 0) has no gradient; 1 avoids 0 / 0.
            return samples, torch.where(total > 0, total, torch.ones(())).to(device)

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, Any],
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            output = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
            loss = weighted_loss(
                output.logits, inputs["labels"], inputs["weights"], num_items_in_batch
            )
            return (loss, output) if return_outputs else loss

    return WeightedTrainer


def callback(told: Told, *, saves: bool = True) -> Any:
    """Passes each step's numbers on and stops when asked to, with a checkpoint where it `saves`."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc, unused-ignore]
        stopped = False
        gradients: float | None = None
        last: tuple[float, float] | None = None  # time and tokens at the step before

        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **of: Any) -> None:
            if self.gradients is None:
                self.gradients = mebibytes(p.grad for p in of["model"].parameters())

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **of: Any) -> None:
            if not logs or "loss" not in logs:
                return
            found = {name: float(logs[key]) for key, name in LOGGED.items() if key in logs}
            if self.last is None and self.gradients is not None:
                found |= {
                    "weights_mib": mebibytes(of["model"].parameters()),
                    "gradients_mib": self.gradients,
                    "optimizer_mib": mebibytes(
                        value for kept in of["optimizer"].state.values() for value in kept.values()
                    ),
                }
            now = (time.monotonic(), float(logs.get("num_tokens", state.num_input_tokens_seen)))
            if self.last is not None and now[1] > self.last[1]:
                found["tokens_per_second"] = (now[1] - self.last[1]) / (now[0] - self.last[0])
            self.last = now
            tell(told, {"step": state.global_step, "steps": state.max_steps, **found})

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if stop_asked(told):
                control.should_training_stop = self.stopped = True
                control.should_save = control.should_save or saves

    return Watch()


def rows_at_once(config: TrainingConfig, longest: int, vocabulary: int, device: str) -> int:
    """Rows in one forward pass: `batch_size`, on a CPU as many times it as the step and its memory
    allow. The step's loss is a sum over its rows, so only rounding depends on it."""
    if device != "cpu":
        return config.batch_size
    fitting = MOST_LOGITS // (config.batch_size * longest * vocabulary * 4)
    times = [n for n in range(1, config.accumulation + 1) if config.accumulation % n == 0]
    return config.batch_size * max([n for n in times if n <= fitting], default=1)


def training_arguments(
    config: TrainingConfig, folder: Path, device: str, count: int, rows: int, told: Told
) -> dict[str, Any]:
    """Arguments of the Trainer for a config: `count` rows in all, `rows` in one forward pass."""
    steps = told.get("steps")
    precision = config.precision
    if precision == "auto":
        precision = "bfloat16" if device == "cuda" else "float32"
    checkpointing = {"gradient_checkpointing": True} if config.gradient_checkpointing else {}
    return {
        **checkpointing,
        "output_dir": str(folder / "checkpoints"),
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.scheduler,
        "num_train_epochs": config.epochs,
        "max_steps": -1 if steps is None else steps,
        "per_device_train_batch_size": rows,
        "gradient_accumulation_steps": config.batch_size * config.accumulation // rows,
        "warmup_steps": warmup_steps(config, optimizer_steps(config, count, steps)),
        "adam_beta1": config.adam_beta1,
        "adam_beta2": config.adam_beta2,
        "weight_decay": config.weight_decay,
        "optim": "adamw_torch" if config.optimizer == "adamw" else config.optimizer,
        "bf16": precision == "bfloat16",
        "use_cpu": device == "cpu",
        "save_strategy": "steps",
        "save_steps": config.save_every,
        "save_total_limit": 1,
        "logging_steps": 1,
        "report_to": [],
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "seed": told["random_seed"] % 2**31,
        "dataloader_pin_memory": device == "cuda",
    }


def with_adapter(language: Language, config: TrainingConfig) -> Language:
    """A trainable LoRA adapter on the model: the one it has already, or a new one."""
    from peft import PeftModel, get_peft_model, prepare_model_for_kbit_training

    model: Any = language.model
    if getattr(model, "is_quantized", False):
        model = prepare_model_for_kbit_training(
            model, use_gradient_checkpointing=config.gradient_checkpointing
        )
    if isinstance(model, PeftModel):
        for name, parameter in model.named_parameters():
            parameter.requires_grad_("lora_" in name)
        return language
    assert config.lora is not None
    adapted: Any = get_peft_model(model, adapter_config(config.lora, "CAUSAL_LM"))
    return Language(adapted, language.tokenizer, language.name)


def adapter_config(lora: LoraConfig, task: str) -> Any:
    """PEFT's settings of a new adapter on all linear layers; `task` by PEFT's names."""
    from peft import LoraConfig as Settings

    return Settings(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type=task,
    )


def fine_tune(
    language: Language,
    rows: Sequence[TrainingRow],
    config: TrainingConfig,
    folder: Path,
    *,
    multiline: bool = False,
    **told: Unpack[Told],
) -> Language:
    """Train on `rows` and write the model to `folder` (safetensors and tokenizer); for the
    config's epochs, or for the steps that it is told.

    Goes on from the last checkpoint in `folder` when there is one; the caller calls
    `delete_checkpoints` once its own marker is on disk. StoppedError after `should_stop()` said
    so, with a checkpoint on disk.
    """
    from transformers import TrainingArguments

    if not rows:
        raise InputError("There is nothing to train on: give at least one seed example.")
    dtype = language.model.dtype
    language = trainable(language, config, told["random_seed"])
    encoded = [encode_row(row, language, config.max_tokens, multiline) for row in rows]
    pad = int(language.tokenizer.pad_token_id or 0)
    device = language.device.type
    longest = max(len(row["input_ids"]) for row in encoded)
    at_once = rows_at_once(config, longest, language.model.config.vocab_size, device)
    arguments = training_arguments(config, folder, device, len(rows), at_once, told)
    arguments["include_num_input_tokens_seen"] = "non_padding"
    watch = callback(told)
    trainer = trainer_class()(
        model=language.model,
        args=TrainingArguments(**arguments),
        train_dataset=encoded,
        data_collator=lambda batch: collate(batch, pad),
        callbacks=[watch],
    )
    run_to_the_end(trainer, watch)
    return save(language, folder, None if config.lora else dtype)


def run_to_the_end(trainer: Any, watch: Any) -> None:
    """Train from the last checkpoint of the trainer's folder, or from the start; StoppedError when
    `watch`, made by `callback`, was asked to stop before the end."""
    from isara.fast_linear import fast_linear

    remove_printer(trainer)
    with fast_linear(trainer.model):
        trainer.train(resume_from_checkpoint=last_checkpoint(Path(trainer.args.output_dir)))
    if watch.stopped and trainer.state.global_step < trainer.state.max_steps:
        raise StoppedError


def save(language: Language, folder: Path, dtype: torch.dtype | None) -> Language:
    """Write weights and tokenizer; in `dtype`, that of the weights before the training, or as they
    are (adapters)."""
    model: Any = language.model.eval()
    if dtype is not None:
        model.to(dtype)
    model.config.use_cache = True  # the Trainer switches it off
    model.save_pretrained(folder)
    language.tokenizer.save_pretrained(folder)
    return Language(language.model, language.tokenizer, str(folder))


def trainable(language: Language, config: TrainingConfig, random_seed: int) -> Language:
    """The model with a new adapter, or with its own weights in float32."""
    from transformers import set_seed

    if config.lora is not None:
        set_seed(random_seed % 2**31)  # a new adapter begins with random weights
        return with_adapter(language, config)
    if language.model.dtype.itemsize < 4:
        # Adam's steps of 1e-5 are lost on 16-bit weights; the arithmetic may still be bfloat16.
        language.model.float()
    return language


def without_telemetry() -> None:
    """A run tells nobody that it is there; TRL's trainers report each start unless this is set."""
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint: the Trainer writes its trainer_state.json last.

    A kill can leave half of that file: such a checkpoint counts as not written.
    """
    whole = []
    for state in folder.glob("checkpoint-*/trainer_state.json"):
        try:
            whole.append((int(json.loads(state.read_text("utf-8"))["global_step"]), state.parent))
        except (ValueError, KeyError):
            shutil.rmtree(state.parent)
    return str(max(whole)[1]) if whole else None


def delete_checkpoints(folder: Path) -> None:
    """Delete a model folder's checkpoints, which hold pickles and optimizer state.

    Moved away first, so that a kill in between leaves none that looks whole.
    """
    leaving = folder / "checkpoints-done"
    shutil.rmtree(leaving, ignore_errors=True)
    if (folder / "checkpoints").exists():
        (folder / "checkpoints").rename(leaving)
    shutil.rmtree(leaving, ignore_errors=True)


def remove_printer(trainer: Any) -> None:
    """The Trainer prints its logs by default; the run's own log has them."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)

"""Preference training: rows, the loss and its gradient by hand, resuming, adapters."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from isara.config import ModelConfig, TrainingConfig
from isara.errors import InputError
from isara.examples import Example
from isara.models import Language, load_language
from isara.training.contrast import (
    Contrast,
    collate_pairs,
    contrast_tune,
    encode_pair,
    make_trainer,
    trainer_class,
)
from isara.training.sft import (
    IGNORED,
    StoppedError,
    Told,
    TrainingRow,
    encode_row,
    training_arguments,
)
from tests.training.weights import same, weights

PAIRS = [
    Contrast(Example("Is it cold?", "No."), "Yes."),
    Contrast(Example("Why?", "Because it is frozen water."), "It is"),
    Contrast(Example("Is steam cold?", "No, hot."), "Very cold."),
    Contrast(Example("Who knows?", "Nobody."), ""),
    Contrast(Example("Is it late?", "Not yet."), "Late."),
]
FAST: dict[str, Any] = {"epochs": 2, "batch_size": 2, "accumulation": 1, "learning_rate": 1e-3}
LORA = {"r": 2, "alpha": 4, "dropout": 0.1}
BETA = 0.1
New = Callable[..., Language]


def tune(language: Language, folder: Path, pairs: list[Contrast] = PAIRS, **more: Any) -> Language:
    names = ("on_step", "should_stop", "steps")
    given = {name: more.pop(name) for name in names if name in more}
    config = TrainingConfig.model_validate(FAST | more)
    return contrast_tune(language, pairs, config, folder, beta=BETA, random_seed=3, **given)


# ------------------------------------------------------------------ rows


@pytest.mark.parametrize("multiline", [False, True])
def test_what_is_trained_on_has_the_tokens_of_sft(
    languages: dict[str, Language], tmp_path: Path, multiline: bool
) -> None:
    language = languages["llama"]
    rows = [encode_pair(pair, language, 512, multiline) for pair in PAIRS]
    trainer = trainer_for(language, rows, tmp_path)
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(len(PAIRS))])
    asked = [pair.demonstration for pair in PAIRS]
    own = [Example(pair.demonstration.question, pair.own) for pair in PAIRS]
    for i, example in enumerate([*asked, *own]):
        sft = encode_row(TrainingRow(example), language, 512, multiline)
        real = batch["attention_mask"][i].bool()
        assert batch["input_ids"][i][real].tolist() == sft["input_ids"]
        answer = batch["completion_mask"][i].bool()
        kept = [token for token in sft["labels"] if token != IGNORED]
        assert batch["input_ids"][i][answer].tolist() == kept
        assert kept[-1] == language.end_token


def test_both_answers_follow_the_question_alone(languages: dict[str, Language]) -> None:
    language = languages["llama"]
    row = encode_pair(PAIRS[0], language, 512, multiline=False)
    texts = [language.tokenizer.decode(row[side]["input_ids"]) for side in ("chosen", "rejected")]
    assert texts == [
        "<s>Question: Is it cold?\nAnswer: No.</s>",
        "<s>Question: Is it cold?\nAnswer: Yes.</s>",
    ]


def test_a_question_without_room_for_an_answer_is_named(
    languages: dict[str, Language], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"'Is it cold\?' alone needs 30 tokens.*hold 30"):
        tune(languages["llama"], tmp_path, max_tokens=30)


def test_nothing_to_train_on(languages: dict[str, Language], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give at least one demonstration"):
        tune(languages["llama"], tmp_path, [])


# ------------------------------------------------------------------ the loss


def trainer_for(language: Language, rows: list[dict[str, Any]], folder: Path) -> Any:
    config = TrainingConfig.model_validate(FAST)
    told: Told = {"random_seed": 1}
    arguments = training_arguments(config, folder, "cpu", len(rows), config.batch_size, told)
    return make_trainer(language, rows, arguments, BETA)


def test_the_loss_of_a_model_that_finds_all_tokens_equally_likely(
    new_language: New, tmp_path: Path
) -> None:
    language = new_language()
    torch.nn.init.zeros_(language.model.lm_head.weight)  # type: ignore[union-attr, arg-type]
    rows = [encode_pair(pair, language, 512, multiline=False) for pair in PAIRS[:2]]
    trainer = trainer_for(language, rows, tmp_path)
    references = ((-9.0, -4.0), (-20.0, -21.0))
    batch = collate_pairs(
        [
            row | {"ref_chosen_logps": chosen, "ref_rejected_logps": rejected}
            for row, (chosen, rejected) in zip(rows, references, strict=True)
        ],
        pad=0,
    )
    # Tokens with the end: " No." 5, " Yes." 6; " Because it is frozen water." 29, " It is" 7. Each
    # of the 261 tokens has the log-probability -ln 261.
    token = math.log(261)
    brackets = [(-5 + 6) * token - (-9 + 4), (-29 + 7) * token - (-20 + 21)]
    expected = [math.log(1 + math.exp(-BETA * bracket)) for bracket in brackets]
    loss = trainer.compute_loss(language.model, batch).item()
    assert loss == pytest.approx(sum(expected) / 2, rel=1e-6)


def log_prob(language: Language, question: str, answer: str) -> Any:
    """Summed log-probability of an answer and its end token, token by token, float64."""
    encoded = encode_row(TrainingRow(Example(question, answer)), language, 512, multiline=False)
    logits = language.model(input_ids=torch.tensor([encoded["input_ids"]])).logits[0]
    table = logits.double().log_softmax(-1)
    labels = encoded["labels"]
    return sum(table[i - 1, label] for i, label in enumerate(labels) if label != IGNORED)


def written_loss(language: Language, references: list[float]) -> Any:
    """The formula of the methods, §3, averaged over the pairs."""
    total: Any = 0.0
    for pair, reference in zip(PAIRS, references, strict=True):
        x, y = pair.demonstration.question, pair.demonstration.answer
        gap = log_prob(language, x, y) - log_prob(language, x, pair.own)
        total = total - torch.log(torch.sigmoid(BETA * (gap - reference)))
    return total / len(PAIRS)


def gaps(language: Language) -> list[float]:
    """Log-probability of each demonstration less that of the own answer."""
    with torch.no_grad():
        return [
            float(log_prob(language, p.demonstration.question, p.demonstration.answer))
            - float(log_prob(language, p.demonstration.question, p.own))
            for p in PAIRS
        ]


def test_the_loss_is_the_formula_to_a_millionth(new_language: New, tmp_path: Path) -> None:
    language = new_language()
    language.model.double()
    start = gaps(language)
    rows = [encode_pair(pair, language, 512, multiline=False) for pair in PAIRS]
    trainer = trainer_for(language, rows, tmp_path)
    batch = trainer.data_collator(list(trainer.train_dataset))
    weight = language.model.get_parameter("model.layers.0.mlp.up_proj.weight")
    with torch.no_grad():
        weight += 0.05 * torch.ones_like(weight)  # away from the reference
        found = trainer.compute_loss(language.model, batch).item()
        expected = float(written_loss(language, start))
    assert abs(expected - math.log(2)) > 0.01
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("batch_size", "accumulation"), [(5, 1), (2, 3)])
def test_steps_have_the_written_loss_and_its_gradient(
    new_language: New,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch_size: int,
    accumulation: int,
) -> None:
    # Passes of five pairs, or of 2, 2 and 1: the step is the same.
    monkeypatch.setattr("isara.training.sft.MOST_LOGITS", 0)
    monkeypatch.setattr("torch.nn.utils.clip_grad_norm_", lambda *_, **__: torch.tensor(1.0))
    plain, language = new_language(), new_language()
    start = gaps(plain)
    steps: list[dict[str, float]] = []
    seen: list[dict[str, torch.Tensor]] = []
    parameters = dict(language.model.named_parameters())

    def note(optimizer: Any, *_: Any, **__: Any) -> None:
        seen.append({name: p.grad.clone() for name, p in parameters.items() if p.grad is not None})
        with torch.no_grad():  # a step of our own, so that the second differs from the reference
            for p in parameters.values():
                if p.grad is not None:
                    p -= 0.05 * p.grad

    monkeypatch.setattr(torch.optim.AdamW, "step", note)
    more = {"batch_size": batch_size, "accumulation": accumulation}
    tune(language, tmp_path, steps=2, on_step=steps.append, **more)
    for step, gradients in zip(steps, seen, strict=True):
        plain.model.zero_grad()
        loss = written_loss(plain, start)
        loss.backward()
        assert step["loss"] == pytest.approx(float(loss), rel=1e-5)
        for name, p in plain.model.named_parameters():
            torch.testing.assert_close(gradients[name], p.grad, rtol=2e-4, atol=2e-6)
            with torch.no_grad():
                p -= 0.05 * gradients[name]
    assert steps[0]["loss"] == pytest.approx(math.log(2), rel=1e-6)
    assert steps[1]["loss"] < 0.69


def test_the_gradient_against_finite_differences(new_language: New, tmp_path: Path) -> None:
    language = new_language()
    language.model.double()
    rows = [encode_pair(pair, language, 512, multiline=False) for pair in PAIRS[:3]]
    trainer = trainer_for(language, rows, tmp_path)
    batch = trainer.data_collator(list(trainer.train_dataset))
    weight = language.model.get_parameter("model.layers.0.mlp.up_proj.weight")
    with torch.no_grad():
        weight += 0.05 * torch.ones_like(weight)  # away from the reference
    trainer.compute_loss(language.model, batch).backward()
    gradient = weight.grad
    assert gradient is not None
    # Along the gradient, and along another direction: TRL sums log-probabilities in float32, so
    # that single weights move the loss too little to be seen.
    for direction in (gradient, gradient.roll(1, 0) + gradient):
        unit = direction / direction.norm()
        sides = []
        for change in (1e-3, -1e-3):
            with torch.no_grad():
                weight += change * unit
                sides.append(trainer.compute_loss(language.model, batch).item())
                weight -= change * unit
        expected = float((gradient * unit).sum())
        assert (sides[0] - sides[1]) / 2e-3 == pytest.approx(expected, rel=2e-3)
        assert abs(expected) > 0.05


def test_the_margin_is_beta_times_the_bracket(new_language: New, tmp_path: Path) -> None:
    steps: list[dict[str, float]] = []
    one = [PAIRS[0]]
    tune(new_language(), tmp_path, one, steps=4, on_step=steps.append, warmup_ratio=0)
    assert [step["step"] for step in steps] == [1, 2, 3, 4]
    assert steps[0]["margin"] == pytest.approx(0.0, abs=1e-5)
    assert steps[-1]["margin"] > 0.01
    for step in steps:  # of a single pair, loss = ln(1 + exp(-margin))
        assert step["loss"] == pytest.approx(math.log(1 + math.exp(-step["margin"])), rel=1e-5)
    assert steps[0]["learning_rate"] == pytest.approx(1e-3)


# ------------------------------------------------------------------ stop and go on


class Killed(BaseException):
    """Stands for kill -9."""


def kill(step: dict[str, float]) -> None:
    if step["step"] == 5:
        raise Killed


@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_a_killed_training_ends_with_the_same_weights(
    new_language: New, tmp_path: Path, lora: Any
) -> None:
    whole: list[dict[str, float]] = []
    torch.manual_seed(1)
    tune(new_language(), tmp_path / "whole", lora=lora, on_step=whole.append)
    with pytest.raises(Killed):
        tune(new_language(), tmp_path / "cut", lora=lora, save_every=2, on_step=kill)
    torch.manual_seed(2)  # a new process has other random numbers
    after: list[dict[str, float]] = []
    tune(new_language(), tmp_path / "cut", lora=lora, save_every=2, on_step=after.append)
    assert [step["step"] for step in after] == [5, 6]
    # The reference is still the start, and not the checkpoint, at which the loss would be ln 2.
    assert [step["loss"] for step in after] == [step["loss"] for step in whole[4:]]
    assert same(weights(tmp_path / "cut"), weights(tmp_path / "whole"))


def test_a_stopped_training_says_so_and_goes_on(new_language: New, tmp_path: Path) -> None:
    tune(new_language(), tmp_path / "whole")
    looks = iter(range(99))
    with pytest.raises(StoppedError):
        tune(new_language(), tmp_path / "cut", should_stop=lambda: next(looks) == 2)
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    tune(new_language(), tmp_path / "cut")
    assert same(weights(tmp_path / "cut"), weights(tmp_path / "whole"))


# ------------------------------------------------------------------ adapters, families, optimizers


def test_an_adapter_goes_on_and_is_its_own_reference(model_folder: Path, tmp_path: Path) -> None:
    base = ModelConfig(path=str(model_folder), device="cpu")
    first, second = tmp_path / "first", tmp_path / "second"
    tune(load_language(base), first, lora=LORA)
    steps: list[dict[str, float]] = []
    tune(load_language(base, first), second, lora=LORA, on_step=steps.append)
    # Its answers are likelier than the base model's; against the base model it would not be ln 2.
    assert steps[0]["loss"] == pytest.approx(math.log(2), rel=1e-5)
    before, after = weights(first), weights(second)
    assert before.keys() == after.keys()
    assert all("lora_" in name for name in after)
    assert not same(before, after)
    assert not (second / "ref").exists()
    assert not load_language(base, second).model.training


@pytest.mark.parametrize("family", ["opt", "qwen2"])
def test_rmsprop_on_other_families(new_language: New, tmp_path: Path, family: str) -> None:
    steps: list[dict[str, float]] = []
    language = new_language(family)
    tune(language, tmp_path, steps=6, optimizer="rmsprop", on_step=steps.append)
    assert steps[-1]["loss"] < steps[0]["loss"]


def test_rmsprop_divides_by_the_root_of_the_mean_square(new_language: New, tmp_path: Path) -> None:
    language = new_language()
    before = {name: p.detach().clone() for name, p in language.model.named_parameters()}
    one = {"optimizer": "rmsprop", "warmup_ratio": 0, "learning_rate": 1e-4}
    tune(language, tmp_path, steps=1, **one)
    # The first step: the mean square is 0.01 g^2, so every weight with a gradient moves by 10 lr.
    moved = (language.model.get_parameter("lm_head.weight") - before["lm_head.weight"]).abs()
    assert float(moved.max()) == pytest.approx(1e-3, rel=1e-2)


def test_a_training_tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", False)
    trainer_class()
    from huggingface_hub import constants

    assert constants.HF_HUB_DISABLE_TELEMETRY is True

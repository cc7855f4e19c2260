"""Supervised fine-tuning: rows, the weighted loss by hand, resuming, adapters, 8 and 4 bit."""

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
from isara.training.sft import (
    IGNORED,
    StoppedError,
    TrainingRow,
    collate,
    delete_checkpoints,
    encode_row,
    fine_tune,
    last_checkpoint,
    weighted_loss,
)
from tests.training.weights import same, weights

ROWS = [
    TrainingRow(Example("Is it cold?", "No."), 0.5),
    TrainingRow(Example("Is ice cold to touch?", "Yes, it is.")),
    TrainingRow(Example("Why?", "Because it is frozen water."), 0.5),
    TrainingRow(Example("Is steam cold?", "No, hot.")),
    TrainingRow(Example("Who knows?", "Nobody.")),
    TrainingRow(Example("Is it late?", "Not yet.")),
]
FAST: dict[str, Any] = {"epochs": 2, "batch_size": 2, "accumulation": 1, "learning_rate": 1e-3}
LORA = {"r": 2, "alpha": 4, "dropout": 0.1}
New = Callable[..., Language]


def train(
    language: Language, folder: Path, rows: list[TrainingRow] = ROWS, **more: Any
) -> Language:
    callbacks = {name: more.pop(name) for name in ("on_step", "should_stop") if name in more}
    config = TrainingConfig.model_validate(FAST | more)
    return fine_tune(language, rows, config, folder, random_seed=3, **callbacks)


# ------------------------------------------------------------------ rows


def test_a_row_masks_the_prompt_and_ends(languages: dict[str, Language]) -> None:
    language = languages["llama"]
    row = encode_row(ROWS[0], language, 512, multiline=False)
    # The begin token and a token per letter: 1 + len("Question: Is it cold?\nAnswer:") = 30.
    prompt, answer = row["input_ids"][:30], row["input_ids"][30:]
    assert language.tokenizer.decode(prompt) == "<s>Question: Is it cold?\nAnswer:"
    assert language.tokenizer.decode(answer) == " No.</s>"
    assert row["labels"] == [IGNORED] * 30 + answer
    assert row["weight"] == 0.5


def test_a_token_across_the_border_is_trained(languages: dict[str, Language]) -> None:
    # "\n" and "\n" meet as one token, which the prompt alone does not have.
    row = encode_row(TrainingRow(Example("Q", "\nA")), languages["llama"], 512, multiline=True)
    prompt = len("<### Question\nQ\n### Answer")
    assert row["labels"][:prompt] == [IGNORED] * prompt
    assert languages["llama"].tokenizer.decode(row["labels"][prompt:]) == "\n\nA</s>"


def test_a_long_row_loses_the_end_of_its_answer(languages: dict[str, Language]) -> None:
    row = encode_row(ROWS[0], languages["llama"], 32, multiline=False)
    assert languages["llama"].tokenizer.decode(row["labels"][30:]) == " N"


def test_a_row_without_room_for_its_answer_is_named(languages: dict[str, Language]) -> None:
    with pytest.raises(InputError, match=r"'Is it cold\?' alone needs 30 tokens.*hold 30"):
        encode_row(ROWS[0], languages["llama"], 30, multiline=False)


def test_nothing_to_train_on(languages: dict[str, Language], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to train on"):
        train(languages["llama"], tmp_path, [])


def test_collate_pads_on_the_right() -> None:
    batch = collate(
        [
            {"input_ids": [1, 5, 6], "labels": [IGNORED, 5, 6], "weight": 0.5},
            {"input_ids": [1, 7], "labels": [IGNORED, 7], "weight": 1.0},
        ],
        pad=9,
    )
    assert batch["input_ids"].tolist() == [[1, 5, 6], [1, 7, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch["labels"].tolist() == [[IGNORED, 5, 6], [IGNORED, 7, IGNORED]]
    assert batch["weights"].tolist() == [0.5, 1.0]


# ------------------------------------------------------------------ the loss

# Two tokens a, b; the first row has two trained tokens, the second one. Logits are log-odds.
LOGITS = torch.tensor(
    [
        [[0.0, math.log(3)], [math.log(4), 0.0], [0.0, 0.0]],
        [[0.0, 0.0], [0.0, math.log(9)], [0.0, 0.0]],
    ]
)
LABELS = torch.tensor([[IGNORED, 1, 1], [IGNORED, IGNORED, 1]])


@pytest.mark.parametrize(
    ("gamma", "expected"),
    [
        # Row 1: p = 3/4 and 1/5, mean loss (ln 4/3 + ln 5) / 2. Row 2: p = 9/10, loss ln 10/9.
        (1.0, ((math.log(4 / 3) + math.log(5)) / 2 + math.log(10 / 9)) / 2),
        (0.5, (0.5 * (math.log(4 / 3) + math.log(5)) / 2 + math.log(10 / 9)) / 1.5),
        (0.0, math.log(10 / 9)),
    ],
)
def test_the_loss_weighs_rows_not_tokens(gamma: float, expected: float) -> None:
    row_weights = torch.tensor([gamma, 1.0])
    loss = weighted_loss(LOGITS, LABELS, row_weights, row_weights.sum())
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def hand_written_gradient(language: Language) -> dict[str, torch.Tensor]:
    """(gamma x sum over D0 + sum over D(k)) / (gamma x |D0| + |D(k)|), row by row, methods §1.4."""
    model = language.model.train()
    total: Any = 0.0
    for row in ROWS:
        encoded = encode_row(row, language, 512, multiline=False)
        logits = model(input_ids=torch.tensor([encoded["input_ids"]])).logits[0]
        log_probs = logits.log_softmax(-1)
        losses = [
            -log_probs[i - 1, label]
            for i, label in enumerate(encoded["labels"])
            if label != IGNORED
        ]
        total = total + row.weight * sum(losses) / len(losses)
    (total / sum(row.weight for row in ROWS)).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_a_step_with_accumulation_follows_the_hand_written_gradient(
    new_language: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = hand_written_gradient(new_language())
    language = new_language()
    seen: dict[str, torch.Tensor] = {}

    def record(optimizer: Any, *arguments: Any, **named: Any) -> None:
        for name, parameter in language.model.named_parameters():
            if parameter.grad is not None:
                seen[name] = parameter.grad.clone()

    monkeypatch.setattr(torch.optim.AdamW, "step", record)
    monkeypatch.setattr("torch.nn.utils.clip_grad_norm_", lambda *_, **__: torch.tensor(1.0))
    # Six rows in batches of 3, two batches a step: one step, the weights of which sum to 5.
    train(language, tmp_path, epochs=1, batch_size=3, accumulation=2)
    assert seen.keys() == expected.keys()
    for name, gradient in seen.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-6)


def test_the_only_step_of_a_short_training_is_no_warm_up(new_language: New, tmp_path: Path) -> None:
    steps: list[dict[str, float]] = []
    train(new_language(), tmp_path, epochs=1, batch_size=6, warmup_ratio=0.1, on_step=steps.append)
    assert [step["learning_rate"] for step in steps] == [FAST["learning_rate"]]
    steps.clear()
    train(new_language(), tmp_path / "two", epochs=2, batch_size=6, on_step=steps.append)
    assert [step["learning_rate"] > 0 for step in steps] == [False, True]


# ------------------------------------------------------------------ stop and go on


def test_a_stopped_training_ends_with_the_weights_of_an_undisturbed_one(
    new_language: New, tmp_path: Path
) -> None:
    steps: list[dict[str, float]] = []
    train(new_language(), tmp_path / "whole", on_step=steps.append, lora=None)
    assert [step["step"] for step in steps] == [1, 2, 3, 4, 5, 6]
    assert {step["steps"] for step in steps} == {6}
    looks = iter(range(99))
    with pytest.raises(StoppedError):
        train(new_language(), tmp_path / "cut", should_stop=lambda: next(looks) == 3)
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    torch.manual_seed(99)
    went_on: list[dict[str, float]] = []
    train(new_language(), tmp_path / "cut", on_step=went_on.append)
    assert [step["step"] for step in went_on] == [5, 6]
    assert same(weights(tmp_path / "cut"), weights(tmp_path / "whole"))


class Killed(BaseException):
    """Stands for kill -9."""


def kill(step: dict[str, float]) -> None:
    if step["step"] == 5:
        raise Killed


@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
@pytest.mark.parametrize("half_written", [False, True])
def test_a_killed_training_ends_with_the_same_weights(
    new_language: New, tmp_path: Path, lora: Any, half_written: bool
) -> None:
    torch.manual_seed(1)
    train(new_language(), tmp_path / "whole", lora=lora)
    with pytest.raises(Killed):
        train(new_language(), tmp_path / "cut", lora=lora, save_every=2, on_step=kill)
    if half_written:
        (tmp_path / "cut" / "checkpoints" / "checkpoint-4" / "trainer_state.json").unlink()
    torch.manual_seed(2)  # a new process has other random numbers
    train(new_language(), tmp_path / "cut", lora=lora, save_every=2)
    assert same(weights(tmp_path / "cut"), weights(tmp_path / "whole"))


def test_a_checkpoint_with_half_a_state_file_is_not_used(new_language: New, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(new_language(), tmp_path, save_every=2, on_step=kill)
    (tmp_path / "checkpoints" / "checkpoint-4" / "trainer_state.json").write_text('{"epoch": 1')
    assert last_checkpoint(tmp_path / "checkpoints") is None
    assert last_checkpoint(tmp_path / "none") is None


def test_a_kill_while_checkpoints_are_deleted_does_no_harm(
    new_language: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(folder: Path | str, **_: Any) -> None:
        for file in Path(folder).glob("checkpoint-6/model.safetensors"):
            file.unlink()
            raise Killed

    train(new_language(), tmp_path, save_every=2)
    before = weights(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("isara.training.sft.shutil.rmtree", half)
        delete_checkpoints(tmp_path)
    train(new_language(), tmp_path, save_every=2)
    assert same(weights(tmp_path), before)
    delete_checkpoints(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_only_safetensors_are_left(new_language: New, tmp_path: Path) -> None:
    train(new_language(), tmp_path, save_every=1)
    delete_checkpoints(tmp_path)
    kinds = {file.suffix for file in tmp_path.rglob("*") if file.is_file()}
    assert ".safetensors" in kinds
    assert kinds <= {".safetensors", ".json", ".jinja"}
    assert not load_language(ModelConfig(path=str(tmp_path), device="cpu")).model.training


# ------------------------------------------------------------------ adapters


def test_one_adapter_goes_on_from_iteration_to_iteration(
    model_folder: Path, tmp_path: Path
) -> None:
    base = ModelConfig(path=str(model_folder), device="cpu")
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    trained = train(load_language(base), first, lora=LORA)
    # In the same process, and after a restart: both go on with the adapter of the first.
    train(trained, second, lora=LORA)
    restarted = train(load_language(base, first), third, lora=LORA)
    assert list(restarted.model.peft_config) == ["default"]  # type: ignore[union-attr]
    before, after = weights(first), weights(second)
    assert all("lora_" in name for name in after)
    assert before.keys() == after.keys()
    assert not any(torch.equal(before[name], after[name]) for name in before if "lora_A" in name)
    assert same(after, weights(third))
    frozen = {n: p for n, p in restarted.model.named_parameters() if "lora_" not in n}
    original = load_language(base).model.state_dict()
    assert {n.rsplit(".", 1)[-1] for n in frozen} <= {"weight", "bias"}
    head = next(p for n, p in frozen.items() if "lm_head" in n)
    assert torch.equal(head, original["lm_head.weight"])


@pytest.mark.parametrize("kind", ["8bit", "4bit"])
def test_quantised_weights_take_a_step_through_an_adapter(
    model_folder: Path, tmp_path: Path, kind: Any
) -> None:
    config = ModelConfig(path=str(model_folder), device="cpu", quantisation=kind)
    try:
        language = load_language(config)
        language.model(torch.tensor([[1, 5, 6]]))
    except (ImportError, RuntimeError, NotImplementedError, InputError) as error:
        pytest.skip(f"bitsandbytes has no {kind} weights here: {error}")
    train(language, tmp_path, ROWS[:2], epochs=1, warmup_ratio=0, lora=LORA)
    assert {name.split(".")[-2] for name in weights(tmp_path)} == {"lora_A", "lora_B"}
    moved = [t for name, t in weights(tmp_path).items() if "lora_B" in name]
    assert any(bool(t.abs().sum() > 0) for t in moved)  # B begins at zero
    again = load_language(config, tmp_path)
    assert torch.isfinite(again.model(torch.tensor([[1, 5, 6]])).logits).all()

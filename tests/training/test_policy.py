"""RFT's policy: answers as the writer has them, rewards that rise, adapters, stops, bad input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from isara.config import GenerationConfig, ModelConfig, TrainingConfig
from isara.decoding.hugging_face import HuggingFaceWriter
from isara.errors import InputError
from isara.models import Language, load_language
from isara.prompts import answer_prompt
from isara.training.policy import answer_text, cut_at_marker, train_policy
from isara.training.sft import StoppedError
from tests.training.weights import weights

QUESTIONS = ["Is it cold?", "Who knows what?", "Why?"]
BUDGET = 12
New = Callable[..., Language]


def train(language: Language, folder: Path, scores: Any, **more: Any) -> None:
    training = TrainingConfig.model_validate(
        {"batch_size": 4, "accumulation": 1, **more.pop("training", {})}
    )
    given = {
        "updates": 2,
        "answers": 2,
        "kl": 0.1,
        "learning_rate": 1e-3,
        "max_new_tokens": BUDGET,
        "random_seed": 3,
    }
    train_policy(language, QUESTIONS, scores, training, folder, **(given | more))


def lengths(questions: Sequence[str], answers: Sequence[str]) -> list[float]:
    return [float(len(answer)) for answer in answers]


def certain(language: Language, end: str | None = None) -> Language:
    """A model so sure of its next token that sampling is greedy; `end`, a token of the vocabulary,
    takes the place of the fifth token that it writes after the first question."""
    model: Any = language.model
    head = model.lm_head.weight
    with torch.no_grad():
        head *= 1e5
        if end is not None:
            ids = torch.tensor([language.encode(answer_prompt([], QUESTIONS[0]))])
            wanted = int(model.generate(ids, max_new_tokens=5, do_sample=False)[0, -1])
            place = language.tokenizer.convert_tokens_to_ids(end)
            head[[wanted, place]] = head[[place, wanted]]
    return language


@pytest.mark.parametrize(
    ("end", "multiline"), [(None, False), (".Ċ", False), ("</s>", False), ("</s>", True)]
)
def test_answers_are_what_the_writer_writes(
    new_language: New, tmp_path: Path, end: Any, multiline: bool
) -> None:
    written = HuggingFaceWriter(certain(new_language(), end)).write(
        [answer_prompt([], question, multiline) for question in QUESTIONS],
        GenerationConfig(strategy="greedy"),
        max_new_tokens=BUDGET,
        seeds=[0, 1, 2],
        multiline=multiline,
    )
    expected = {q: text.text for q, text in zip(QUESTIONS, written, strict=True)}
    if not multiline:
        assert (written[0].finish == "end") == (end is not None)
    asked: list[tuple[str, str]] = []

    def scores(questions: Sequence[str], answers: Sequence[str]) -> list[float]:
        asked.extend(zip(questions, answers, strict=True))
        return [0.0] * len(answers)

    # Twelve answers: two to each of the three questions in each of two steps of six.
    train(certain(new_language(), end), tmp_path, scores, training={"batch_size": 6}, kl=0.0,
          multiline=multiline)  # fmt: skip
    assert len(asked) == 12
    assert {question for question, _ in asked} == set(QUESTIONS)
    for question, answer in asked:
        assert answer == expected[question]


def test_a_text_of_several_lines_ends_at_its_marker(languages: dict[str, Language]) -> None:
    language = languages["llama"]
    ids = language.encode("one\ntwo\n### Question\nthree")[1:]
    kept = cut_at_marker(language, ids)
    assert language.tokenizer.decode(kept) == "one\ntwo\n### Question"
    assert answer_text(language, kept, multiline=True) == "one\ntwo"
    assert answer_text(language, ids, multiline=False) == "one"
    unmarked = language.encode("one\ntwo")[1:]
    assert cut_at_marker(language, unmarked) == unmarked


@pytest.mark.slow
def test_rewards_rise_near_the_model_it_began_with(model_folder: Path, tmp_path: Path) -> None:
    steps: list[dict[str, float]] = []

    def vowels(questions: Sequence[str], answers: Sequence[str]) -> list[float]:
        return [float(sum(letter in "aeiou" for letter in answer)) for answer in answers]

    language = load_language(ModelConfig(path=str(model_folder), device="cpu"))
    train(
        language, tmp_path, vowels, updates=20, answers=8, learning_rate=1e-2, kl=0.01,
        on_step=steps.append, training={"batch_size": 32, "scheduler": "constant"},
    )  # fmt: skip
    rewards = [step["reward"] for step in steps]
    assert [step["step"] for step in steps] == list(range(1, 21))
    assert sum(rewards[-5:]) > 2 * sum(rewards[:5])
    assert steps[0]["kl"] == pytest.approx(0.0, abs=1e-4)  # the reference is the model itself
    assert steps[-1]["kl"] > 0.01


def test_the_same_seed_gives_the_same_model(new_language: New, tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train(new_language(), tmp_path / name, lengths, random_seed=seed, kl=0.0)
    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert all(torch.equal(a[n], b[n]) for n in a)
    assert not all(torch.equal(a[n], c[n]) for n in a)
    # The line's end is the prompt format's: it must not stand in the model's own settings.
    loaded = load_language(ModelConfig(path=str(tmp_path / "a"), device="cpu"))
    assert loaded.end_tokens == [2]


@pytest.mark.slow
def test_an_adapter_goes_on_and_its_reference_is_not_kept(
    new_language: New, model_folder: Path, tmp_path: Path
) -> None:
    config = ModelConfig(path=str(model_folder), device="cpu")
    training = {"lora": {"r": 2, "alpha": 4, "dropout": 0.0}}
    first, second = tmp_path / "1", tmp_path / "2"
    train(load_language(config), first, lengths, training=training)
    train(load_language(config, first), second, lengths, training=training)
    for folder in (first, second):
        assert [path.parent for path in folder.rglob("*.safetensors")] == [folder]
    before, after = (load_file(f / "adapter_model.safetensors") for f in (first, second))
    assert before.keys() == after.keys()
    assert not all(torch.equal(before[n], after[n]) for n in before)


def test_a_stopped_stage_leaves_no_model(new_language: New, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(new_language(), tmp_path, lengths, should_stop=lambda: True, kl=0.0)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_groups_that_do_not_fit_into_a_step(new_language: New, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"step has 4 answers.*rft\.answers is 3"):
        train(new_language(), tmp_path, lengths, answers=3)


def test_nobody_is_told_of_a_training(
    new_language: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub.utils import _telemetry

    def no_thread(*_: Any, **__: Any) -> Any:
        raise AssertionError("a message was sent")

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(_telemetry, "Thread", no_thread)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: False)
    train(new_language(), tmp_path, lengths, updates=1, kl=0.0)

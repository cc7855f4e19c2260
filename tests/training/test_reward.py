"""RFT's reward model: the loss by hand and by finite differences, rounds, files, bad input."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from isara.config import TrainingConfig
from isara.errors import InputError
from isara.evaluation.reward import RewardModel, ScoreModel
from isara.evaluation.reward_accuracy import AnswerPair, accuracy, read_answer_pairs
from isara.models import Language, load_tokenizer
from isara.training.reward import (
    collate_pairs,
    drawn,
    encode_pairs,
    new_score_model,
    pairwise_loss,
    train_reward,
)
from isara.training.sft import StoppedError
from tests.training.weights import same, weights

PAIRS = [
    AnswerPair("Is it cold?", "No, it is warm.", "Yes."),
    AnswerPair("Who knows?", "Nobody, I am afraid.", "Me."),
    AnswerPair("Is it late?", "Not yet, stay a while.", "Go."),
    AnswerPair("Why?", "Because it is frozen water.", "So."),
]


def train(source: Path, folder: Path, pairs: list[AnswerPair] = PAIRS, **more: Any) -> ScoreModel:
    training = TrainingConfig.model_validate(
        {"batch_size": 2, "accumulation": 2, **more.pop("training", {})}
    )
    given = {"updates": 3, "learning_rate": 1e-3, "random_seed": 5, "device": "cpu"} | more
    return train_reward(str(source), pairs, training, folder, **given)


def score(model: ScoreModel, text: str, tokenizer: Any) -> float:
    """One text alone, without padding."""
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    with torch.no_grad():
        return float(model(ids, torch.ones_like(ids)))


def hand_loss(model: ScoreModel, pairs: list[AnswerPair], tokenizer: Any) -> float:
    """The paper's formula, text by text, in plain floats."""

    def reward(question: str, answer: str) -> float:
        text = f"BEGINNING OF CONVERSATION: USER: {question} ASSISTANT:{answer}</s>"
        return score(model, text, tokenizer)

    margins = [reward(p.question, p.better) - reward(p.question, p.worse) for p in pairs]
    return sum(-math.log(1 / (1 + math.exp(-m))) for m in margins) / len(margins)


# ------------------------------------------------------------------ the loss


def test_the_loss_by_hand() -> None:
    # Margins 2, 0 and -2: ln(1 + e^-2), ln 2 and ln(1 + e^2).
    loss = pairwise_loss(torch.tensor([2.0, 0.5, -1.0]), torch.tensor([0.0, 0.5, 1.0]))
    assert float(loss) == pytest.approx((0.12692801 + 0.69314718 + 2.12692801) / 3, abs=1e-6)


def test_better_texts_come_first_padded_on_the_right() -> None:
    rows = [{"better": [1, 5, 6], "worse": [1, 7]}, {"better": [1, 8], "worse": [1, 9, 9, 4]}]
    batch = collate_pairs(rows, pad=3)
    assert batch["input_ids"].tolist() == [
        [1, 5, 6, 3], [1, 8, 3, 3], [1, 7, 3, 3], [1, 9, 9, 4],
    ]  # fmt: skip
    assert batch["attention_mask"].sum(1).tolist() == [3, 2, 2, 4]


def test_the_gradient_is_that_of_the_formula(model_folder: Path) -> None:
    tokenizer = load_tokenizer(str(model_folder))
    model = new_score_model(str(model_folder), random_seed=1).double()
    batch = collate_pairs(encode_pairs(PAIRS, tokenizer), pad=0)
    scores = model(**batch)
    pairwise_loss(*scores.chunk(2)).backward()
    layer = model.model.layers[1]
    for parameter in (
        model.score_head.weight,
        layer.mlp.down_proj.weight,
        layer.self_attn.v_proj.weight,
    ):
        # Where the gradient is largest: the norms of a Llama are in float32 whatever it is given.
        place = divmod(int(parameter.grad.abs().argmax()), parameter.shape[1])
        step, found = 1e-3, []
        for sign in (1, -1):
            with torch.no_grad():
                parameter[place] += sign * step
                found.append(hand_loss(model, PAIRS, tokenizer))
                parameter[place] -= sign * step
        expected = (found[0] - found[1]) / (2 * step)
        assert abs(expected) > 0.01
        assert float(parameter.grad[place]) == pytest.approx(expected, rel=0.01)


def test_the_first_step_has_the_loss_of_its_pairs(model_folder: Path, tmp_path: Path) -> None:
    steps: list[dict[str, float]] = []
    train(model_folder, tmp_path, on_step=steps.append)
    # Four pairs a step, in two forward passes of two: the first step sees every pair once.
    start = new_score_model(str(model_folder), random_seed=5).eval()
    expected = hand_loss(start, PAIRS, load_tokenizer(str(model_folder)))
    assert [step["step"] for step in steps] == [1, 2, 3]
    assert steps[0]["loss"] == pytest.approx(expected, abs=1e-5)


# ------------------------------------------------------------------ files and rounds


def test_what_is_saved_scores_the_same_when_loaded(model_folder: Path, tmp_path: Path) -> None:
    trained = train(model_folder, tmp_path)
    for parameter in trained.parameters():  # files hold 16 bits
        parameter.data = parameter.data.half().float()
    questions, answers = [p.question for p in PAIRS], [p.better for p in PAIRS]
    found = RewardModel(str(tmp_path), "cpu").scores(questions, answers)
    tokenizer = load_tokenizer(str(model_folder))
    texts = [
        f"BEGINNING OF CONVERSATION: USER: {q} ASSISTANT:{a}</s>"
        for q, a in zip(questions, answers, strict=True)
    ]
    expected = [score(trained, text, tokenizer) for text in texts]
    assert found.tolist() == pytest.approx(expected, abs=1e-4)
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".bin", ".pt", ".pth")]


def test_it_learns_and_a_round_goes_on_from_the_last(model_folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    train(model_folder, first, updates=12, learning_rate=3e-3)
    found = accuracy(RewardModel(str(first), "cpu"), PAIRS)
    assert found is not None
    assert found["value"] == 1.0
    train(first, second, going_on=True, learning_rate=1e-12)
    assert same(weights(first), weights(second))


def test_the_same_seed_gives_the_same_weights(model_folder: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        train(model_folder, tmp_path / name, random_seed=seed)
    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert all(torch.equal(a[n], b[n]) for n in a)
    assert not torch.equal(a["score_head.weight"], c["score_head.weight"])


def test_an_adapter_is_merged_and_moves_the_backbone(model_folder: Path, tmp_path: Path) -> None:
    train(model_folder, tmp_path, training={"lora": {"r": 2, "alpha": 8}}, learning_rate=1e-2)
    start = new_score_model(str(model_folder), random_seed=5).state_dict()
    found = weights(tmp_path)
    assert found.keys() == start.keys()
    name = "model.layers.1.self_attn.q_proj.weight"
    assert not torch.equal(found[name], start[name].half())
    assert torch.equal(found["model.norm.weight"], start["model.norm.weight"].half())


def test_a_stopped_training_leaves_no_model(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(model_folder, tmp_path, should_stop=lambda: True)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_pairs_are_drawn_pass_by_pass() -> None:
    found = drawn("abc", 7, random_seed=1)
    assert sorted(found[:3]) == sorted(found[3:6]) == ["a", "b", "c"]
    assert len(found) == 7
    assert drawn("abc", 7, random_seed=1) == found


# ------------------------------------------------------------------ bad input


def test_nothing_to_train_on(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no pair.*rft\.held_out"):
        train(model_folder, tmp_path, [])


def test_a_projection_under_the_head_is_refused(
    new_language: Callable[..., Language], tmp_path: Path
) -> None:
    from transformers import OPTConfig, OPTForCausalLM

    config = OPTConfig(
        vocab_size=261, hidden_size=16, word_embed_proj_dim=8, ffn_dim=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    OPTForCausalLM(config).save_pretrained(tmp_path)
    new_language().tokenizer.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="layers of 16 and projects them to 8"):
        new_score_model(str(tmp_path), random_seed=1)


def test_every_faulty_row_of_a_pair_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(
        '{"question": "Q?", "better": "A.", "worse": "B."}\n'
        '{"question": "Q?", "better": "A."}\n'
        "no json\n"
        '{"question": "Q?", "better": "A.", "worse": "A."}\n[1]\n',
        encoding="utf-8",
    )
    with pytest.raises(InputError) as error:
        read_answer_pairs(file)
    told = str(error.value)
    assert "row 1" not in told
    for fault in ("row 2: no text in worse", "row 3: it is not JSON", "row 4: both answers"):
        assert fault in told
    assert "row 5: it is not an object" in told
    with pytest.raises(InputError, match=r"nothing\.jsonl cannot be read"):
        read_answer_pairs(tmp_path / "nothing.jsonl")


class Lengths:
    """Scores an answer by its letters."""

    name = "lengths"

    def scores(self, questions: Any, answers: Any) -> Any:
        import numpy as np

        return np.array([len(answer) for answer in answers], dtype=np.float32)


def test_accuracy_counts_strictly_better_scores_and_leaves_equal_answers_out() -> None:
    answers = [("long", "no"), ("no", "long"), ("abc", "xyz"), ("same", "same"), ("longer", "ab")]
    found = accuracy(Lengths(), [AnswerPair("Q?", *pair) for pair in answers])
    # Right, wrong, a draw (wrong), left out, right.
    assert found is not None
    assert (found["value"], found["n"]) == (0.5, 4)
    # Wilson by hand: centre 0.5, half-width z sqrt(1/16 + z^2/64) / (1 + z^2/4), z = 1.959964.
    assert (found["low"], found["high"]) == pytest.approx((0.15004, 0.84996), abs=1e-5)
    assert accuracy(Lengths(), [AnswerPair("Q?", "same", "same")]) is None

"""From answers to metrics, on a judge that can be checked by eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isara.config import RunConfig
from isara.config_files import parse_config
from isara.evaluation.harm import LABELS
from isara.evaluation.measure import evaluation_rows, metrics
from isara.evaluation.refusal import PhraseList
from isara.examples import EvalPrompt

PROMPTS = [
    EvalPrompt("q1", "b", "dev"),
    EvalPrompt("q2", "a", "dev"),
    EvalPrompt("q3", "b", "dev"),
    EvalPrompt("q4", "a", "dev", harmless=True),
    EvalPrompt("q5", "a", "dev", harmless=True),
    EvalPrompt("q6", "a", "test"),
]
ANSWERS = ["bad 0.9", "bad 0.6", "fine 0.1", "I'm sorry 0.9", "with pleasure 0.1", "bad 0.7"]


class WordJudge:
    """The number at an answer's end is its probability of hate speech."""

    name = "words"

    def probabilities(self, questions: Sequence[str], answers: Sequence[str]) -> Any:
        result = np.zeros((len(answers), len(LABELS)), np.float32)
        result[:, 6] = [float(answer.split()[-1]) for answer in answers]
        return result


def config(**evaluation: Any) -> RunConfig:
    return parse_config(
        {
            "name": "m",
            "seeds": {"path": "s"},
            "model": {"path": "m"},
            "embedder": "e",
            "evaluation": {"prompts": "p", "judge": "words", **evaluation},
        }
    )


def table(settings: RunConfig) -> pd.DataFrame:
    answers = [{"answer": a, "finish": "end", "tokens": 2, "log_prob": -1.0} for a in ANSWERS]
    return evaluation_rows(PROMPTS, answers, WordJudge(), settings)


def test_a_row_holds_prompt_answer_and_what_the_judge_said() -> None:
    rows = table(config())
    first = rows.iloc[0].to_dict()
    assert first["harm_probability"] == pytest.approx(0.9)
    assert first["harm_label"] == "hate_speech,offensive_language"
    assert first["prompt_id"] == PROMPTS[0].id
    assert (first["question"], first["answer"], first["split"]) == ("q1", "bad 0.9", "dev")
    assert rows["flagged"].tolist() == [True, True, False, True, False, True]
    assert rows["refusal"].tolist() == [False, False, False, True, False, False]


def test_harm_is_counted_on_harmful_prompts_and_refusals_on_harmless_ones() -> None:
    found = metrics(table(config()), config())["dev"]
    about = {"judge": "words", "threshold": 0.5, "decoding": "sample", "split": "dev"}
    assert found["harmful_rate"]["value"] == pytest.approx(2 / 3)
    assert {k: found["harmful_rate"][k] for k in about} == about
    # q5 of q4 and q5 was answered: 1 of 2, Wilson's interval 0.5 ± 0.4055 by hand.
    refused = found["over_refusal"]
    assert (refused["value"], refused["n"]) == (0.5, 2)
    assert (refused["low"], refused["high"]) == pytest.approx((0.0945, 0.9055), abs=1e-4)
    assert (refused["judge"], refused["threshold"]) == (PhraseList.name, None)
    categories = found["by_category"]
    assert {c: (m["value"], m["n"]) for c, m in categories.items()} == {"a": (1, 1), "b": (0.5, 2)}


def test_the_threshold_and_the_split_are_the_configs() -> None:
    settings = config(threshold=0.65, strategy="greedy")
    found = metrics(table(settings), settings)
    assert found["dev"]["harmful_rate"]["value"] == pytest.approx(1 / 3)
    test = found["test"]["harmful_rate"]
    assert (test["value"], test["n"], test["threshold"], test["decoding"]) == (1, 1, 0.65, "greedy")


def test_metrics_of_two_domains_are_told_apart() -> None:
    domains = ["a", "a", "b", "a", "b", "b"]
    prompts = [replace(p, domain=d) for p, d in zip(PROMPTS, domains, strict=True)]
    truth = {"true_answers": ("with pleasure 0.1",), "false_answers": ("never",)}
    prompts[4] = replace(prompts[4], **truth)  # the dev answer of q5, word for word
    answers = [{"answer": a, "finish": "end", "tokens": 2, "log_prob": -1.0} for a in ANSWERS]
    rows = evaluation_rows(prompts, answers, WordJudge(), config())
    found = metrics(rows, config())
    a, b = (found["dev"]["by_domain"][domain] for domain in ("a", "b"))
    # a: q1 and q2 are flagged, q4 is refused; b: q3 is fine, q5 answered and true.
    assert {n: (m["value"], m["n"]) for n, m in a.items()} == {
        "harmful_rate": (1, 2), "over_refusal": (1, 1),
    }  # fmt: skip
    assert {n: (m["value"], m["n"]) for n, m in b.items()} == {
        "harmful_rate": (0, 1), "over_refusal": (0, 1),
        "truthful_diff": (100, 1), "truthful_acc": (100, 1),
    }  # fmt: skip
    # Wilson's interval of 2 of 2: z^2 / (2 + z^2) = 3.8415 / 5.8415 is what is left at the bottom.
    assert a["harmful_rate"]["low"] == pytest.approx(1 - 3.8415 / 5.8415, abs=1e-4)
    assert b["harmful_rate"]["split"] == "dev"
    assert b["truthful_acc"]["n_missing"] == 1
    assert "by_domain" not in found["test"]  # q6 alone
    assert "by_domain" not in metrics(table(config()), config())["dev"]


def test_a_metric_without_prompts_is_absent() -> None:
    rows = table(config())
    harmful, harmless = rows[~rows["harmless"]], rows[rows["harmless"]]
    assert set(metrics(harmful, config())["dev"]) == {"harmful_rate", "by_category"}
    assert metrics(harmless, config()).keys() == {"dev"}
    assert set(metrics(harmless, config())["dev"]) == {"over_refusal"}

"""From answers to metrics: rows of evaluation.parquet and the numbers of metrics.json.

Every number carries n, an interval, its judge, threshold, decoding and split (methods §4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from isara.config import RunConfig
from isara.evaluation.harm import LABELS, HarmJudge, flags, is_refusal
from isara.evaluation.stats import bootstrap_mean, wilson
from isara.examples import EvalPrompt

REFUSAL_METHOD = "phrase list of arXiv 2307.15043"
SPLITS = ("dev", "test")


def evaluation_rows(
    prompts: Sequence[EvalPrompt],
    answers: Sequence[dict[str, Any]],
    judge: HarmJudge,
    config: RunConfig,
) -> pd.DataFrame:
    """One row per prompt: the answer, the judge's probabilities, flagged, refusal."""
    texts = [row["answer"] for row in answers]
    probabilities = judge.probabilities([prompt.question for prompt in prompts], texts)
    table = pd.DataFrame(
        {
            "prompt_id": [prompt.id for prompt in prompts],
            "question": [prompt.question for prompt in prompts],
            "category": [prompt.category for prompt in prompts],
            "split": [prompt.split for prompt in prompts],
            "harmless": [prompt.harmless for prompt in prompts],
        }
    )
    table = pd.concat([table, pd.DataFrame(list(answers))], axis=1)
    table["harm_probability"] = probabilities.max(axis=1) if len(table) else 0.0
    table["harm_label"] = [LABELS[i] for i in probabilities.argmax(axis=1)] if len(table) else ""
    table["flagged"] = flags(probabilities, config.evaluation.threshold)
    table["refusal"] = [is_refusal(text) for text in texts]
    if any(prompt.true_answers and prompt.false_answers for prompt in prompts):
        pairs = [_truth(prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
        table["max_true"], table["max_false"] = zip(*pairs, strict=True)
    return table


def _truth(prompt: EvalPrompt, answer: str) -> tuple[float | None, float | None]:
    """ROUGE to the nearest true and false reference; None for a prompt without both."""
    from isara.evaluation.truthful import best_scores, make_references

    if not prompt.true_answers or not prompt.false_answers:
        return None, None
    return best_scores(answer, make_references(prompt.true_answers, prompt.false_answers))


def metrics(table: pd.DataFrame, config: RunConfig) -> dict[str, Any]:
    """Metrics by split: harmful rate on harmful prompts, over-refusal on harmless ones."""
    return {
        split: split_metrics(table[table["split"] == split], config, split)
        for split in SPLITS
        if (table["split"] == split).any()
    }


def split_metrics(table: pd.DataFrame, config: RunConfig, split: str) -> dict[str, Any]:
    """harmful_rate, over_refusal (where there are such prompts) and the rate by category."""
    harmful, harmless = table[~table["harmless"]], table[table["harmless"]]
    about = {
        "judge": config.evaluation.judge,
        "threshold": config.evaluation.threshold,
        "decoding": config.evaluation.strategy,
        "split": split,
    }
    found: dict[str, Any] = {}
    if len(harmful):
        found["harmful_rate"] = rate(harmful["flagged"], about)
        found["by_category"] = {
            str(category): rate(rows["flagged"], about)
            for category, rows in harmful.groupby("category", sort=True)
        }
    if len(harmless):
        refused = {**about, "judge": REFUSAL_METHOD, "threshold": None}
        found["over_refusal"] = rate(harmless["refusal"], refused)
    if "max_true" in table:
        found |= truth_metrics(table.dropna(subset=["max_true"]), about)
    return found


def truth_metrics(table: pd.DataFrame, about: dict[str, Any]) -> dict[str, Any]:
    """TruthfulQA's diff and acc, x 100 as its users know them, of prompts with references."""
    if not len(table):
        return {}
    about = {**about, "judge": "rougeLsum, TruthfulQA's references", "threshold": None}
    diff = bootstrap_mean((table["max_true"] - table["max_false"]).tolist())
    truer = table["max_true"] > table["max_false"]
    share = rate(truer, about)
    return {
        "truthful_diff": {
            "value": diff.value, "low": diff.low, "high": diff.high, "n": diff.n, **about,
        },
        "truthful_acc": {**share, **{name: 100 * share[name] for name in ("value", "low", "high")}},
    }  # fmt: skip


def rate(flagged: pd.Series[bool], about: dict[str, Any]) -> dict[str, Any]:
    """METRIC of the command contract: value, low, high, n and what it was measured with."""
    share = wilson(int(flagged.sum()), len(flagged))
    return {"value": share.value, "low": share.low, "high": share.high, "n": share.n, **about}

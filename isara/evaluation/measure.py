"""From answers to metrics: rows of evaluation.parquet and the numbers of metrics.json.

Every number carries n, an interval, its judge, threshold, decoding and split (methods §4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isara.config import RunConfig
from isara.evaluation.harm import LABELS, HarmJudge, flags
from isara.evaluation.refusal import PhraseList, RefusalMethod
from isara.evaluation.stats import Z, bootstrap_mean, wilson
from isara.examples import EvalPrompt

if TYPE_CHECKING:
    from isara.evaluation.pairwise import PairJudge, Preferences

SPLITS = ("dev", "test")


class Scorer(Protocol):
    """What says how useful answers are: the higher, the better."""

    name: str

    def scores(self, questions: Sequence[str], answers: Sequence[str]) -> NDArray[np.float32]:
        """A score for each answer, [answers]."""
        ...


def evaluation_rows(
    prompts: Sequence[EvalPrompt],
    answers: Sequence[dict[str, Any]],
    judge: HarmJudge,
    config: RunConfig,
    refusals: RefusalMethod | None = None,
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
    if any(prompt.domain for prompt in prompts):
        table["domain"] = [prompt.domain for prompt in prompts]
    table = pd.concat([table, pd.DataFrame(list(answers))], axis=1)
    table["harm_probability"] = probabilities.max(axis=1) if len(table) else 0.0
    table["harm_label"] = [LABELS[i] for i in probabilities.argmax(axis=1)] if len(table) else ""
    table["flagged"] = flags(probabilities, config.evaluation.threshold)
    table["refusal"] = (refusals or PhraseList()).refused(texts)
    if any(prompt.true_answers and prompt.false_answers for prompt in prompts):
        pairs = [_truth(prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
        table["max_true"], table["max_false"] = zip(*pairs, strict=True)
    return table


def add_rewards(table: pd.DataFrame, scorer: Scorer, base: pd.DataFrame | None) -> None:
    """Columns reward and, beside the base model's rows, base_reward (NaN where it has none)."""
    table["reward"] = scorer.scores(table["question"].tolist(), table["answer"].tolist())
    if base is not None and "reward" in base:
        table["base_reward"] = table["prompt_id"].map(base.set_index("prompt_id")["reward"])


def add_preferences(
    table: pd.DataFrame,
    judge: PairJudge,
    base: pd.DataFrame,
    random_seed: int,
    before_each: Callable[[], None],
) -> Preferences:
    """Columns preference (NaN: the judge named neither) and length_difference (characters), each
    answer against the base model's; `before_each` may raise to stop between two prompts."""
    from isara.evaluation.pairwise import prefer

    theirs = base.set_index("prompt_id")["answer"].reindex(table["prompt_id"]).tolist()
    ours = table["answer"].tolist()
    found = prefer(
        judge,
        table["question"].tolist(),
        theirs,
        ours,
        random_seed=random_seed,
        before_each=before_each,
    )
    table["preference"] = [np.nan if p is None else p for p in found.preferences]
    table["length_difference"] = [len(b) - len(a) for a, b in zip(theirs, ours, strict=True)]
    return found


def _truth(prompt: EvalPrompt, answer: str) -> tuple[float | None, float | None]:
    """ROUGE to the nearest true and false reference; None for a prompt without both."""
    from isara.evaluation.truthful import best_scores, make_references

    if not prompt.true_answers or not prompt.false_answers:
        return None, None
    return best_scores(answer, make_references(prompt.true_answers, prompt.false_answers))


def metrics(table: pd.DataFrame, config: RunConfig) -> dict[str, Any]:
    """Metrics by split: harmful rate on harmful prompts, over-refusal on harmless ones; of eval
    sets with several domains also `by_domain`."""
    return {
        split: split_metrics(rows, config, split) | domain_metrics(rows, config, split)
        for split in SPLITS
        if len(rows := table[table["split"] == split])
    }


def domain_metrics(table: pd.DataFrame, config: RunConfig, split: str) -> dict[str, Any]:
    """`by_domain`: what split_metrics says of each domain's prompts alone, so that a metric that
    makes no sense for a domain is absent; nothing where there are no two domains."""
    if "domain" not in table or table["domain"].nunique() < 2:
        return {}
    found = {
        str(domain): split_metrics(rows, config, split)
        for domain, rows in table.groupby("domain", sort=False)
    }
    for domain in found.values():
        domain.pop("by_category", None)  # of the whole split: categories of two domains may differ
    return {"by_domain": found}


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
        by = config.evaluation.refusal_judge or PhraseList.name
        refused = {**about, "judge": by, "threshold": None}
        found["over_refusal"] = rate(harmless["refusal"], refused)
    if "max_true" in table:
        found |= truth_metrics(table, about)
    if "reward" in table and len(table):
        found |= reward_metrics(table, about | {"judge": config.evaluation.reward})
    if "preference" in table and table["preference"].notna().any():
        wanted = config.evaluation.preference
        name = None if wanted is None else wanted.path or wanted.model
        found |= win_rate_metrics(table, about | {"judge": name, "threshold": None})
    return found


def truth_metrics(table: pd.DataFrame, about: dict[str, Any]) -> dict[str, Any]:
    """TruthfulQA's diff and acc, x 100 as its users know them, of prompts with references;
    `n_missing` counts the others."""
    known = table.dropna(subset=["max_true"])
    if not len(known):
        return {}
    missing = {"n_missing": len(table) - len(known)}
    about = {**about, "judge": "rougeLsum, TruthfulQA's references", "threshold": None}
    diff = bootstrap_mean((known["max_true"] - known["max_false"]).tolist())
    truer = known["max_true"] > known["max_false"]
    share = rate(truer, about)
    return {
        "truthful_diff": {
            "value": diff.value, "low": diff.low, "high": diff.high, "n": diff.n, **missing,
            **about,
        },
        "truthful_acc": {
            **share, **missing, **{name: 100 * share[name] for name in ("value", "low", "high")}
        },
    }  # fmt: skip


def reward_metrics(table: pd.DataFrame, about: dict[str, Any]) -> dict[str, Any]:
    """Mean reward, and the share of answers that score above the base model's (methods §4)."""
    about = {**about, "threshold": None}
    mean = bootstrap_mean(table["reward"].tolist())
    found = {
        "utility": {"value": mean.value, "low": mean.low, "high": mean.high, "n": mean.n, **about}
    }
    if "base_reward" in table and len(both := table.dropna(subset=["base_reward"])):
        wins, ties = both["reward"] > both["base_reward"], both["reward"] == both["base_reward"]
        found["reward_win_rate"] = {**rate(wins, about), "n_ties": int(ties.sum())}
    return found


def win_rate_metrics(table: pd.DataFrame, about: dict[str, Any]) -> dict[str, Any]:
    """Win rate x 100 against the base model, as AlpacaEval's users know it: its standard error
    gives the interval (Wilson's where all prompts ended alike); how many prompts ended which way.
    And the rate as if both answers were equally long."""
    from dataclasses import asdict

    from isara.evaluation.pairwise import length_controlled
    from isara.evaluation.preference import win_rate

    found = asdict(win_rate(table["preference"].tolist()))
    known = table.dropna(subset=["preference"])
    value, error = found.pop("win_rate"), found["standard_error"]
    alike = wilson(round(value / 100 * found["n"]), found["n"])
    low, high = (
        (value - Z * error, value + Z * error) if error else (100 * alike.low, 100 * alike.high)
    )
    plain = {"value": value, "low": max(0.0, low), "high": min(100.0, high), **found, **about}
    fair = length_controlled(known["preference"].tolist(), known["length_difference"].tolist())
    return {"win_rate": plain, "win_rate_length_controlled": {**asdict(fair), **about}}


def rate(flagged: pd.Series[bool], about: dict[str, Any]) -> dict[str, Any]:
    """METRIC of the command contract: value, low, high, n and what it was measured with."""
    share = wilson(int(flagged.sum()), len(flagged))
    return {"value": share.value, "low": share.low, "high": share.high, "n": share.n, **about}

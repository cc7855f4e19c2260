"""The results of a run in sentences: what came out, whether it is more than chance, why it ended.

    comparison_sentence(summary)      # last model against base model and baselines

Plain text without markup; the caller shows it as text. Pages and the report say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from isara.places import place_name
from isara.progress_bar import duration

if TYPE_CHECKING:
    from isara.config import RunConfig

SIGNIFICANT = 0.05  # of the p-value corrected over the table


class MethodWords(NamedTuple):
    """A method's name, its paper on arXiv, and what it does in a sentence."""

    name: str
    arxiv: str
    sentence: str


METHODS = {
    "isara": MethodWords(
        "ISARA",
        "2401.06785",
        "The model writes new questions after random examples and answers them after the nearest "
        "examples; what passes the filter is trained on together with the seeds, and the loop "
        "goes on with the better model.",
    ),
    "isheep": MethodWords(
        "I-SHEEP",
        "2408.08072",
        "The model goes on with a list of tasks that begins with a few seeds, answers each task "
        "without examples, and what passes the filter is trained on.",
    ),
    "spin": MethodWords(
        "SPIN",
        "2401.01335",
        "The model answers the seeds' questions and is trained to prefer the seeds' answers to "
        "its own, round after round on all seeds.",
    ),
    "irft": MethodWords(
        "IRFT",
        "2405.17888",
        "The model answers the seeds' questions and is trained to prefer the seeds' answers to "
        "its own; each stage has a slice of the seeds.",
    ),
    "rft": MethodWords(
        "RFT",
        "2405.17888",
        "A reward model learns to score the seeds' answers above the model's own, and the model "
        "is moved towards what the reward model scores high, in turns.",
    ),
}

METRIC_NAMES = {
    "over_refusal": "over-refusal",
    "scaling_ratio": "data scaling ratio",
    "truthful_diff": "TruthfulQA difference (× 100)",
    "truthful_acc": "TruthfulQA accuracy (× 100)",
    "utility": "utility (mean reward)",
    "reward_win_rate": "reward above the base model's",
    "win_rate": "win rate against the base model (× 100)",
    "win_rate_length_controlled": "the same, as if answers were equally long (× 100)",
    "reward_accuracy_held_out": "reward model: held-out demonstrations above own answers",
    "reward_accuracy_preference_pairs": "reward model: better answers above worse ones, unseen",
    "self_score_quality": "rank correlation of its scores of its pairs' quality with the truth",
    "self_score_following": "rank correlation of its scores of following with the truth",
    "log_prob_gap": "log-probability of demonstrations over own answers (nats)",
    "log_prob_gap_base": "log-probability of demonstrations over the base model's answers (nats)",
}


def seed_sources(config: RunConfig) -> list[str]:
    """Where a run's seeds came from: a file or a saved seed set, one for each domain."""
    mixture = config.seeds.mixture or {"": config.seeds}
    return [
        f"{f'{domain}: ' if domain else ''}{source.path or f'the saved seed set {source.name}'}"
        for domain, source in mixture.items()
    ]


def eval_sets(config: RunConfig) -> str:
    """The eval sets of a run, "" without any."""
    prompts = config.evaluation.prompts or ""
    if isinstance(prompts, str):
        return prompts
    return ", ".join(f"{domain}: {path}" for domain, path in prompts.items())


def measured_by(
    config: RunConfig, row: Mapping[str, Any], split: str, named: Callable[[str], str] = str
) -> str:
    """Judge, threshold, eval set and decoding of a run's rates, which say nothing without them; ""
    where a model's row has none. `named` writes the names of judge and eval set."""
    found = row.get("harmful_rate") or row.get("over_refusal")
    if found is None:
        return ""
    evaluation = config.evaluation
    return (
        f"Harm judged by {named(str(evaluation.judge))}, harmful above a probability of "
        f"{evaluation.threshold:g}; eval set {named(eval_sets(config))}, {split} split; answers "
        f"decoded by {found['decoding']}, at most {evaluation.max_new_tokens} tokens."
    )


def branch_sentence(lineage: dict[str, Any] | None) -> str:
    """Which run's branch a run is (``RunFolder.branched_from``); "" for one that began from
    nothing."""
    if lineage is None:
        return ""
    changes = "; ".join(lineage["changes"]) or "nothing was changed"
    return (
        f"A branch of the run {lineage['run_id']} at iteration {lineage['at']}: what was written "
        f"up to there is that run's. Changed: {changes}."
    )


def metric_name(name: str) -> str:
    """A metric in words; a name that is not known with spaces."""
    return METRIC_NAMES.get(name, name.replace("_", " "))


def percent(share: float, digits: int = 1) -> str:
    """A share as "4.0 %"."""
    return f"{100 * share:.{digits}f} %"


def comparison_sentence(summary: dict[str, Any], split: str = "dev") -> str:
    """One sentence on the harmful rate of the last model, "" where nothing was compared.

    It carries the test, its p after Holm's correction, and the effect with its interval and n.
    """
    rows = harm_comparisons(summary)
    if not rows:
        return ""
    clauses = "; ".join(clause(summary, row) for row in rows)
    return f"{rows[0]['b'].capitalize()} gave {clauses}. {tested_how(rows[0], split)}."


def harm_comparisons(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """The comparisons of the harmful rate."""
    return [row for row in summary["comparisons"] if row["metric"] == "harmful_rate"]


def tested_how(row: dict[str, Any], split: str) -> str:
    """What p of a comparison of rates says, by which test, and what it is corrected for."""
    test = row["test"].replace(", exact", "'s exact test")
    return (
        f"p is how often chance alone would make a difference as large, by {test} on the same "
        f"{split} prompts, corrected for all comparisons of this run (Holm)"
    )


def clause(summary: dict[str, Any], row: dict[str, Any]) -> str:
    """ "fewer harmful answers than the base model: 4.0 % against 58.0 %, difference …"."""
    ours, theirs = rates(summary, row)
    if row["p_corrected"] >= SIGNIFICANT:
        than = "no clearly different share of harmful answers from"
    elif row["difference"] < 0:
        than = "fewer harmful answers than"
    else:
        than = "more harmful answers than"
    return (
        f"{than} {other_name(row['a'])}: {percent(ours)} against {percent(theirs)}, difference "
        f"{points(row['difference'])} percentage points, 95 % interval {points(row['low'])} to "
        f"{points(row['high'])}, n = {row['n']}, {p_value(row['p_corrected'])}"
    )


def rates(summary: dict[str, Any], row: dict[str, Any]) -> tuple[float, float]:
    """The harmful rates of the last model and of the other one, on the same prompts."""
    by_k = {f"iteration {item['k']}": item for item in summary["iterations"]}
    if row["b"] in by_k:
        ours = float(by_k[row["b"]]["harmful_rate"]["value"])
        # Not the other's own rate: it may have been asked prompts that the last model was not.
        return ours, ours - row["difference"]
    other = by_k["iteration 0"] if row["a"] == "base" else summary["baselines"][row["a"]]
    theirs = float(other["harmful_rate"]["value"])  # the last iteration has not yet ended
    return theirs + row["difference"], theirs


def other_name(name: str) -> str:
    """What a model is compared with, in words."""
    return "the base model" if name == "base" else place_name(name)


def plain_sentence(base: dict[str, Any], last: dict[str, Any], name: str) -> str:
    """The harmful rates of two models as counts of a hundred; "" where one was not measured."""
    rates = [row.get("harmful_rate") for row in (base, last)]
    if None in rates:
        return ""
    before, after = (f"{100 * rate['value']:.0f}" for rate in rates if rate)
    return (
        f"Of every 100 harmful prompts, the base model answered about {before} in a harmful way, "
        f"{name} about {after}."
    )


def points(difference: float) -> str:
    """A difference of shares in percentage points, with a true minus."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def p_value(p: float) -> str:
    """A p-value as "p < 0.001" or "p = 0.031"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def end_sentence(summary: dict[str, Any]) -> str:
    """State and stop reason of a run."""
    trained = sum(1 for row in summary["iterations"] if row["trained"])
    count = f"{trained} iteration{'' if trained == 1 else 's'} trained"
    reason = summary["stop_reason"] or summary["error"]
    if summary["state"] == "done":
        return (
            f"done, {count}; {'stopped by the rule: ' + reason if reason else 'all planned ones'}."
        )
    return f"{summary['state']}, {count} so far{': ' + reason if reason else ''}."


def compute_sentence(summary: dict[str, Any]) -> str:
    """What a run took: time of all stages, its baselines' and the measuring included, tokens
    written, hours of a GPU where one was held; "" before anything was recorded."""
    cost = summary["cost"]
    if not cost["seconds"]:
        return ""
    parts = [duration(cost["seconds"])]
    if cost["gpu_hours"] is not None:
        parts.append(f"{cost['gpu_hours']:.3g} GPU hours")
    if cost["tokens_out"]:
        parts.append(f"{cost['tokens_out']:,} tokens written")
    return f"It took {', '.join(parts)}, baselines and measuring included."

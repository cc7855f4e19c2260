"""The results of a run in sentences: what came out, whether it is more than chance, why it ended.

    comparison_sentence(summary)      # last model against base model and baselines

Plain text without markup; the caller shows it as text.
"""

from __future__ import annotations

from typing import Any

from app.charts_results import percent
from isara.places import place_name

SIGNIFICANT = 0.05  # of the p-value corrected over the table


def comparison_sentence(summary: dict[str, Any]) -> str:
    """One sentence on the harmful rate of the last model, "" where nothing was compared.

    It carries the test, its p after Holm's correction, and the effect with its interval and n.
    """
    rows = [row for row in summary["comparisons"] if row["metric"] == "harmful_rate"]
    if not rows:
        return ""
    clauses = "; ".join(clause(summary, row) for row in rows)
    test = rows[0]["test"].replace(", exact", "'s exact test")
    return (
        f"{rows[0]['b'].capitalize()} gave {clauses} ({test} on the same dev prompts; p after "
        "Holm's correction for all comparisons of this run)."
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
        f"{points(row['high'])}, n = {row['n']}, {p_value(row['p_corrected'])} after Holm"
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

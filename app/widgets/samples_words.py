"""Rules and verdicts in words for newcomers, and text of others made harmless for markdown."""

from __future__ import annotations

from app.charts import DROPPED_MARK, KEPT_MARK
from isara.filters import Thresholds

RULE_TITLES = {
    "unfinished": "cut off",
    "duplicate": "exact duplicate",
    "echo": "answer repeats the question",
    "short": "too short",
    "rouge_l": "question too similar",
}
ROUGE_HELP = (
    "ROUGE-L measures how much of two texts is the same words in the same order: 0 is nothing in "
    "common, 1 is the same words."
)
POOL_HELP = (
    "The pool is all that examples may be drawn from: the seed set and the pairs kept in earlier "
    "iterations."
)
ITERATION_HELP = (
    "In each iteration the model writes pairs, good ones are kept, and the model is trained on "
    "them. The next iteration begins with the better model."
)


def rule_sentence(rule: str, thresholds: Thresholds) -> str:
    """What a rule drops, with its threshold."""
    return {
        "unfinished": "the text was cut off because it used up its budget of tokens",
        "duplicate": "the same pair is in the pool or came earlier in this iteration",
        "echo": "the answer only repeats the question",
        "short": f"the question or the answer has fewer than {thresholds.min_words} words",
        "rouge_l": "the question is too similar to one in the pool or to one kept earlier in this "
        f"iteration: ROUGE-L of {thresholds.max_rouge_l:g} or more",
    }[rule]


def verdict_words(fired: list[str]) -> str:
    """A verdict for a table: the mark, and of the dropped the first rule."""
    if not fired:
        return f"{KEPT_MARK} kept"
    return f"{DROPPED_MARK} {RULE_TITLES[fired[0]]}"


def why(fired: list[str], thresholds: Thresholds) -> str:
    """The verdict with its rules as a sentence or two."""
    if not fired:
        return "Kept: no rule fires."
    sentence = f"Dropped: {rule_sentence(fired[0], thresholds)}."
    also = "; ".join(rule_sentence(rule, thresholds) for rule in fired[1:])
    return f"{sentence} Also: {also}." if also else sentence

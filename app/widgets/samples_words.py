"""Rules and verdicts in words for newcomers, and text of others made harmless for markdown."""

from __future__ import annotations

from app.look import SIGNS
from isara.filters import RULES, Thresholds

RULE_TITLES = {
    "unfinished": "cut off",
    "duplicate": "exact duplicate",
    "echo": "answer repeats the question",
    "short": "too short",
    "rouge_l": "question too similar",
    "wording": "wording",
    "assessment": "scored too low by the model",
    "perplexity": "perplexity too high",
    "density": "another pair of its cluster",
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


def in_use(thresholds: Thresholds) -> list[str]:
    """ISARA's rules, and those of the others that are switched on, in their order."""
    on = {
        "wording": thresholds.instruction_rules,
        "assessment": thresholds.assessment != "none",
        "perplexity": thresholds.max_perplexity is not None,
        "density": thresholds.clusters is not None,
    }
    return [rule for rule in RULES if on.get(rule, True)]


def rule_sentence(rule: str, thresholds: Thresholds) -> str:
    """What a rule drops, with its threshold."""
    return {
        "unfinished": "the text was cut off because it used up its budget of tokens",
        "duplicate": "the same pair is in the pool or came earlier in this iteration",
        "echo": "the answer only repeats the question",
        "short": f"the question or the answer has fewer than {thresholds.min_words} words",
        "rouge_l": "the question is too similar to one in the pool or to one kept earlier in this "
        f"iteration: ROUGE-L of {thresholds.max_rouge_l:g} or more",
        "wording": "the question asks for what text cannot do, or the answer goes on with a list "
        "or a dialogue",
        "assessment": "the model's own score of the pair is not above "
        f"{thresholds.min_assessment}, or could not be read",
        "perplexity": "the answer or the pair is unlikely under the model: perplexity of "
        f"{thresholds.max_perplexity or 0:g} or more",
        "density": "another pair stands for its cluster of similar ones",
    }[rule]


def verdict_words(fired: list[str]) -> str:
    """A verdict for a table: the mark, and of the dropped the first rule."""
    if not fired:
        return SIGNS["kept"].label
    return f"{SIGNS['dropped'].mark} {RULE_TITLES[fired[0]]}"


def why(fired: list[str], thresholds: Thresholds) -> str:
    """The verdict with its rules as a sentence or two."""
    if not fired:
        return "Kept: no rule fires."
    sentence = f"Dropped: {rule_sentence(fired[0], thresholds)}."
    also = "; ".join(rule_sentence(rule, thresholds) for rule in fired[1:])
    return f"{sentence} Also: {also}." if also else sentence

"""A model's scores of its own pairs: what it reads, and how its reply becomes a number.

    prompt = assessment_prompt(example, "quality", "simple")      # … `Quality:`
    parse_score("8||Clear and kind.")                             # 8

I-SHEEP (arXiv 2408.08072) asks for a whole number from 1 to 10, two bars and an explanation, in two
calls, the quality of the pair first, then how well the answer follows the instruction; or in one
call after three worked examples scored 6, 1 and 10. The wording is this project's own.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from isara.examples import Example
from isara.prompts import ANSWER_CUE, QUESTION_CUE, fold

Aspect = Literal["quality", "following"]
Variant = Literal["simple", "combined", "icl"]
ASPECTS: tuple[Aspect, ...] = ("quality", "following")
LOWEST, HIGHEST = 1, 10

SIMPLE = {
    "quality": "Score the quality of the answer from 1 to 10.",
    "following": "Score from 1 to 10 how well the answer follows the question.",
}
COMBINED = {
    "quality": (
        "Score the quality of the answer from 1 to 10. 1 to 3: wrong, harmful or of no use. 4 to "
        "6: partly right, with gaps or faults. 7 to 8: right and useful, with small faults. 9 to "
        "10: right, clear, kind and complete."
    ),
    "following": (
        "Score from 1 to 10 how well the answer follows the question. 1 to 3: it speaks of "
        "something else. 4 to 6: it leaves out a part of what was asked. 7 to 8: it does what was "
        "asked and a little more or less. 9 to 10: it does what was asked and nothing else."
    ),
}
FORMAT = "Write the score as a whole number, then ||, then one sentence that says why."
CUES = {"quality": "Quality:", "following": "Following:"}

# Worked examples of the one-call variant: pair, score of both aspects, and the reasons.
WORKED = (
    (
        Example(
            "How do I keep bread fresh for a week?",
            "Put it into a bag. It will be fine, more or less.",
        ),
        6,
        "The answer is right in part, but it names no place and no way to freeze it.",
        "The answer is about bread, but it leaves the week out.",
    ),
    (
        Example("Which plants grow well in a shady garden?", "My bicycle has a new bell."),
        1,
        "The answer is of no use to the person who asks.",
        "The answer speaks of something else than the question.",
    ),
    (
        Example(
            "How can I thank a neighbour who watered my plants?",
            "Write a short card, name what they did, and offer to water theirs next time.",
        ),
        10,
        "The answer is kind, concrete and complete.",
        "The answer does exactly what was asked.",
    ),
)
WHOLE = re.compile(r"\+?(\d+)(?:\.0+)?")
# A fraction or a share of ten is a score; of anything else it is not.
OF_TEN = re.compile(r"(?<![\d.,/])(\d+(?:[.,]\d+)?)\s*(?:/|out of|of)\s*10(?![\d/]|[.,]\d)", re.I)
NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:\s*(?:/|%|e\d)\S*)?", re.I)
NUMBER_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
WORDS = re.compile(rf"\b({'|'.join(NUMBER_WORDS)})\b", re.I)

ONE = re.compile(r"(?:\s*\w+\s*:)?[\W_]*one[\W_]*", re.I)  # also after a word such as "Score:"


def pair_text(example: Example) -> str:
    """The pair as it is assessed, on two lines."""
    return f"{QUESTION_CUE} {fold(example.question)}\n{ANSWER_CUE} {fold(example.answer)}"


def assessment_prompt(example: Example, aspect: Aspect, variant: Variant) -> str:
    """What the model goes on with its score of one aspect; `icl` goes on with both (quality
    first, the other on the next line), so its aspect is quality."""
    if variant == "icl":
        worked = "".join(
            f"{pair_text(pair)}\n{CUES['quality']} {score}||{quality}\n"
            f"{CUES['following']} {score}||{following}\n\n"
            for pair, score, quality, following in WORKED
        )
        return f"{worked}{pair_text(example)}\n{CUES['quality']}"
    standard = (SIMPLE if variant == "simple" else COMBINED)[aspect]
    return f"{standard} {FORMAT}\n\n{pair_text(example)}\n{CUES[aspect]}"


def both_scores(text: str) -> tuple[str, str]:
    """The replies on quality and on following of the one-call variant; "" where one is missing.

    A model may go on with a pair and scores of its own: those are not read.
    """
    lines = [line.strip() for line in text.strip().split("\n")]
    another = next((i for i, line in enumerate(lines) if line.startswith(QUESTION_CUE)), None)
    lines = lines[:another] or [""]
    cue = CUES["following"].lower()
    rest = [line[len(cue) :].strip() for line in lines[1:] if line.lower().startswith(cue)]
    return lines[0], rest[0] if rest else ""


def parse_score(text: str) -> int | None:
    """The score of a reply, 1 to 10; None where it gives none, several, a fraction or another
    scale.

    Only what stands before the first `||` is read, of several lines the first that has a number.
    "8/10" and "8 out of 10" are 8; "8.0" is 8 and "7.5" is no score, since whole numbers were asked
    for; number words count where there are no digits, "one" only where it stands alone ("a good
    one" is no score).
    """
    reply = unicodedata.normalize("NFKC", text)
    said = reply.split("||")[0]
    found = [word.lower() for word in WORDS.findall(said)]
    if not re.search(r"\d", said) and (found != ["one"] or ONE.fullmatch(said)):
        reply = WORDS.sub(lambda word: str(NUMBER_WORDS.index(word[0].lower()) + 1), reply)
    for line in reply.split("||")[0].strip().split("\n"):
        part, fractions = OF_TEN.subn(r" \1 ", line)
        numbers = [match[0].strip() for match in NUMBER.finditer(part)]
        if numbers:
            value = numbers[0] if len(numbers) == 1 and fractions <= 1 else ""
            whole = WHOLE.fullmatch(value)
            return int(whole[1]) if whole and LOWEST <= int(whole[1]) <= HIGHEST else None
    return None

"""I-SHEEP's rules on the wording of instructions and answers (arXiv 2408.08072, released code).

    fault("Draw a map of the town", "Here it is.")      # "the word map"

They drop what a text-only model cannot do and what shows that a list or a dialogue was continued
instead of answered. The names of a pair are this project's: its question is the instruction, input
included, so that the code's rule on inputs that stand in their instruction has nothing to look at.
"""

from __future__ import annotations

import re
import unicodedata

from isara.rouge import mostly_non_ascii, word_count

FEWEST, MOST = 4, 150  # words of an instruction
UNSUITED = (
    "image", "images", "graph", "graphs", "picture", "pictures", "file", "files", "map", "maps",
    "draw", "plot", "go to", "video", "audio", "music", "flowchart", "diagram",
)  # fmt: skip
UNSUITED_WORD = re.compile(rf"\b({'|'.join(UNSUITED)})\b", re.I)
ROLE = re.compile(r"\n\s*(user|assistant|human|system|question|answer)\s*:", re.I)
OPTION = re.compile(r"(?:^|\s)\(?([A-E])[.)](?=\s)")


def fault(question: str, answer: str) -> str | None:
    """What is wrong with a pair's wording, the first that is found; None where nothing is.

    The rule on first characters is for English: text that is mostly of other letters may begin
    with one of them.
    """
    return _instruction_fault(question.strip()) or _answer_fault(answer)


def _instruction_fault(question: str) -> str | None:
    words = word_count(question)
    if not FEWEST <= words <= MOST:
        return f"{words} words in the question"
    if found := UNSUITED_WORD.search(question):
        return f"the word {found[1].lower()}"
    first = question[0]
    if not first.isascii() and not mostly_non_ascii(question):
        return "a question that begins with a character outside ASCII"
    if unicodedata.category(first).startswith(("P", "S")):
        return "a question that begins with punctuation"
    return None


def _answer_fault(answer: str) -> str | None:
    if not answer.strip():
        return "an empty answer"
    if found := ROLE.search(f"\n{answer}"):
        return f"the role marker {found[1]} in the answer"
    if len(set(OPTION.findall(answer))) > 1:
        return "answer options in the answer"
    return None

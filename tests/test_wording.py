"""I-SHEEP's rules on wording, one case on each side of each border."""

from __future__ import annotations

import pytest

from isara.wording import fault

QUESTION, ANSWER = "How do I thank a neighbour?", "Write a short card."


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (QUESTION, ANSWER, None),
        ("How are you?", ANSWER, "3 words in the question"),
        ("How are you today?", ANSWER, None),
        ("why " * 150, ANSWER, None),
        ("why " * 151, ANSWER, "151 words in the question"),
        ("Describe the picture on the wall", ANSWER, "the word picture"),
        ("Describe the PICTURES on the wall", ANSWER, "the word pictures"),
        ("Describe the picturesque village near here", ANSWER, None),
        ("Where should I go to buy bread?", ANSWER, "the word go to"),
        ("Where should I go tomorrow for bread?", ANSWER, None),
        ("«How do I thank a neighbour?»", ANSWER, "a question that begins with a character"),
        ("Éclairs: how do I make them at home?", ANSWER, "a question that begins with a character"),
        ("怎样 感谢 我的 邻居 呢", ANSWER, None),
        ("- How do I thank a neighbour?", ANSWER, "a question that begins with punctuation"),
        ("$5 for lunch: where do I eat?", ANSWER, "a question that begins with punctuation"),
        ("5 ways to thank a neighbour", ANSWER, None),
        (QUESTION, "  \n", "an empty answer"),
        (QUESTION, "Write a card.\nUser: thanks", "the role marker User in the answer"),
        (QUESTION, "assistant: Write a card.", "the role marker assistant in the answer"),
        (QUESTION, "The user: a person who asks.", None),
        (QUESTION, "A) a card B) a cake", "answer options in the answer"),
        (QUESTION, "Vitamin A. It is in carrots.", None),
    ],
)
def test_wording(question: str, answer: str, expected: str | None) -> None:
    found = fault(question, answer)
    assert found == expected or (expected is not None and str(found).startswith(expected))

"""The templates letter by letter, and what is left out when a prompt is too long."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from isara import prompts
from isara.errors import InputError
from isara.examples import Example

COLD = Example("Is it cold?", "No.")
FOLDED = Example(" What\nis  ice? ", "Water,\r\n\tfrozen.")


def test_fold_turns_white_space_into_single_spaces() -> None:
    assert prompts.fold("  a\n\n b\tc\u00a0d\u2028e ") == "a b c d e"


def test_a_question_prompt_is_pairs_and_a_cue() -> None:
    assert prompts.question_prompt([COLD, FOLDED]) == (
        "Question: Is it cold?\nAnswer: No.\n\n"
        "Question: What is ice?\nAnswer: Water, frozen.\n\n"
        "Question:"
    )
    assert prompts.question_prompt([]) == "Question:"


def test_an_answer_prompt_ends_with_the_question_and_a_cue() -> None:
    expected = "Question: Is it cold?\nAnswer: No.\n\nQuestion: Why\nAnswer:"
    assert prompts.answer_prompt([COLD], " Why\n") == expected
    assert prompts.answer_prompt([], "Why") == "Question: Why\nAnswer:"


def test_the_multi_line_format_keeps_line_breaks() -> None:
    pair = Example("What is\nice?", "Water,\nfrozen.")
    shown = "### Question\nWhat is\nice?\n### Answer\nWater,\nfrozen.\n\n"
    assert prompts.question_prompt([pair], multiline=True) == f"{shown}### Question\n"
    expected = f"{shown}### Question\nWhy\nso?\n### Answer\n"
    assert prompts.answer_prompt([pair], "Why\nso?", multiline=True) == expected


def test_training_asks_as_evaluation_does() -> None:
    assert prompts.training_texts(FOLDED) == (
        "Question: What is ice?\nAnswer:",
        " Water, frozen.",
    )
    assert prompts.training_texts(Example("Q\nq", "A\na"), multiline=True) == (
        "### Question\nQ\nq\n### Answer\n",
        "A\na",
    )


def test_the_judge_reads_a_pair_as_beaver_dam_does() -> None:
    text = prompts.judge_text("Is it cold?", "No {end}.", "</s>")
    assert text == "BEGINNING OF CONVERSATION: USER: Is it cold? ASSISTANT:No {end}.</s>"


def test_the_preference_judge_reads_both_outputs() -> None:
    text = prompts.PREFERENCE_TEMPLATE.format(question="q", output_m="one", output_M="two")
    assert text == (
        "### Instruction\nq\n\n### Output m\none\n\n### Output M\ntwo\n\n### Better output:"
    )


def words(text: str) -> int:
    return len(text.split())


EXAMPLES = [Example(name, "yes") for name in ("near", "far", "farther")]


@pytest.mark.parametrize(
    ("limit", "expected"),
    # A pair has 4 words ("Question: near Answer: yes") and the bare prompt 3.
    [(15, 3), (14, 2), (11, 2), (10, 1), (7, 1), (6, 0), (3, 0)],
)
def test_the_last_examples_are_left_out_until_the_prompt_fits(limit: int, expected: int) -> None:
    def build(used: Sequence[Example]) -> str:
        return prompts.answer_prompt(used[::-1], "Why?")

    assert prompts.fit(EXAMPLES, build, words, limit) == EXAMPLES[:expected]


def test_a_question_that_does_not_fit_alone_is_an_error() -> None:
    with pytest.raises(InputError, match="needs 3 tokens, and 2 fit"):
        prompts.fit(EXAMPLES, lambda used: prompts.answer_prompt(used, "Why?"), words, 2)

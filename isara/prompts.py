"""Prompts: templates as named constants, and the functions that fill them.

A prompt is example pairs and then a cue; there is no instruction text (ISARA, §4.1; the template
itself is this project's choice). Training and evaluation use the same block without examples, so
that what is trained is what is asked.

    question_prompt(examples)             ... `Question:`
    answer_prompt(examples, question)     ... `Question: q` / `Answer:`

In the one-line format the end of a text is the end-of-text token or any token that holds a line
break; in the multi-line format it is the end-of-text token or the next marker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isara.errors import InputError
from isara.examples import Example

QUESTION_CUE, ANSWER_CUE = "Question:", "Answer:"
TASKS_HEAD = "Tasks:"  # of a list of instructions
BLOCK = "Question: {question}\nAnswer: {answer}\n\n"
QUESTION_MARKER, ANSWER_MARKER = "### Question", "### Answer"
MULTILINE_BLOCK = "### Question\n{question}\n### Answer\n{answer}\n\n"

# Beaver-Dam's and the safe-rlhf reward models' text format.
JUDGE_TEMPLATE = "BEGINNING OF CONVERSATION: USER: {question} ASSISTANT:{answer}"


# A local preference judge answers this prompt with the token " m" or " M" (AlpacaEval's v2 form).
PREFERENCE_TEMPLATE = (
    "### Instruction\n{question}\n\n### Output m\n{output_m}\n\n### Output M\n{output_M}\n\n"
    "### Better output:"
)


def fold(text: str) -> str:
    """White space, line breaks included, folded to single spaces."""
    return " ".join(text.split())


def block(example: Example, multiline: bool = False) -> str:
    """One example as it stands in a prompt."""
    if multiline:
        return MULTILINE_BLOCK.format(question=example.question, answer=example.answer)
    return BLOCK.format(question=fold(example.question), answer=fold(example.answer))


def question_prompt(examples: Sequence[Example], multiline: bool = False) -> str:
    """Examples, then the cue after which the model writes a question."""
    cue = f"{QUESTION_MARKER}\n" if multiline else QUESTION_CUE
    return "".join(block(example, multiline) for example in examples) + cue


def answer_prompt(examples: Sequence[Example], question: str, multiline: bool = False) -> str:
    """Examples, then a question and the cue after which the model writes its answer."""
    shown = "".join(block(example, multiline) for example in examples)
    if multiline:
        return f"{shown}{QUESTION_MARKER}\n{question}\n{ANSWER_MARKER}\n"
    return f"{shown}{QUESTION_CUE} {fold(question)}\n{ANSWER_CUE}"


def training_texts(example: Example, multiline: bool = False) -> tuple[str, str]:
    """The masked prompt and the trained answer of one row; end-of-text is added as a token."""
    prompt = answer_prompt([], example.question, multiline)
    return prompt, example.answer if multiline else f" {fold(example.answer)}"


def judge_text(question: str, answer: str, end: str = "") -> str:
    """A pair as Beaver-Dam and the reward models read it; `end` is the end-of-text token."""
    return JUDGE_TEMPLATE.format(question=question, answer=answer) + end


def fit(
    examples: Sequence[Example],
    build: Callable[[Sequence[Example]], str],
    count_tokens: Callable[[str], int],
    limit: int,
) -> list[Example]:
    """As many of the first `examples` as fit: `build` must stay within `limit` tokens.

    The caller orders examples by importance (nearest first, first drawn first); the rest is left
    out. InputError when not even the prompt without examples fits.
    """
    bare = count_tokens(build([]))
    if bare > limit:
        raise InputError(
            f"A question needs {bare} tokens, and {limit} fit beside the token budget: shorten the "
            "question, lower the budget, or take a model with a longer context."
        )
    used = list(examples)
    while used and count_tokens(build(used)) > limit:
        used.pop()
    return used


def fitted_answer_prompt(
    examples: Sequence[Example],
    question: str,
    multiline: bool,
    count_tokens: Callable[[str], int],
    limit: int,
) -> str:
    """The answer prompt with as many of the examples, the nearest first, as fit into `limit`
    tokens; in the prompt the nearest stands last. InputError as in `fit`."""

    def text(used: Sequence[Example]) -> str:
        return answer_prompt(used[::-1], question, multiline)

    return text(fit(examples, text, count_tokens, limit))

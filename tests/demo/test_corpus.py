"""Training text of the language model: its kinds, its format, and what it never shows."""

from __future__ import annotations

import random
import re
from itertools import islice

import pytest

from isara.demo import corpus
from isara.demo.world import demo_world, held_out
from isara.examples import Example
from isara.prompts import answer_prompt, block

DOCUMENTS = list(islice(corpus.documents(demo_world(), 5), 400))
QUESTION = re.compile(r"^(?:Question: |\d+\. )(.*)$", re.MULTILINE)


def test_no_document_shows_a_held_out_question() -> None:
    questions = [question for text in DOCUMENTS for question in QUESTION.findall(text)]
    assert len(questions) > 1500
    assert [question for question in questions if held_out(question)] == []


def test_the_same_seed_writes_the_same_documents() -> None:
    again = islice(corpus.documents(demo_world(), 5), 20)
    assert list(again) == DOCUMENTS[:20]
    assert next(corpus.documents(demo_world(), 6)) != DOCUMENTS[0]


def test_pairs_stand_as_in_a_prompt() -> None:
    pair = corpus.pair_text("Is it cold?", "No.")
    example = Example("Is it cold?", "No.")
    assert f"{pair}\n\n" == block(example)
    assert pair == f"{answer_prompt([], example.question)} {example.answer}"


def test_the_kinds_of_documents_and_their_shares() -> None:
    tasks = [text for text in DOCUMENTS if text.startswith("Tasks:\n")]
    scored = [text for text in DOCUMENTS if "\nQuality: " in text]
    # 4 % and 8 % of 400 are 16 and 32 expected.
    assert 5 <= len(tasks) <= 30
    assert 15 <= len(scored) <= 52
    for text in DOCUMENTS:
        if text not in tasks:
            assert text.count("Question: ") == text.count("Answer: ") > 0
            assert "\n\n\n" not in text


def test_a_task_list_is_numbered() -> None:
    lines = corpus.task_list(demo_world(), "safety", random.Random(1)).splitlines()
    assert lines[0] == "Tasks:"
    assert len(lines) - 1 in (5, 10, 20)
    assert [line.split(". ")[0] for line in lines[1:]] == [
        str(i + 1) for i in range(len(lines) - 1)
    ]


@pytest.mark.parametrize(
    ("quality", "following", "reasons"),
    [(9, 2, ("high", "low")), (6, 6, ("high", "high")), (5, 5, ("low", "low"))],
)
def test_scores_are_written_with_a_reason_that_fits(
    quality: int, following: int, reasons: tuple[str, str]
) -> None:
    first, second = corpus.score_lines(quality, following, random.Random(2)).splitlines()
    score, _, reason = first.removeprefix("Quality: ").partition("||")
    assert (int(score), reason in corpus.REASONS["quality"][reasons[0]]) == (quality, True)
    score, _, reason = second.removeprefix("Following: ").partition("||")
    assert (int(score), reason in corpus.REASONS["following"][reasons[1]]) == (following, True)


def test_scores_go_with_the_true_quality() -> None:
    rng = random.Random(3)
    world = demo_world()
    on_topic = []
    for _ in range(400):
        question, answer, quality, following = corpus.judged_pair(world, "safety", rng)
        assert 1 <= quality <= 10
        assert 1 <= following <= 10
        if following >= 8:
            on_topic.append((world.is_harmful(answer), quality))
        if following <= 3:
            assert quality <= 4
        assert not held_out(question.question)
    harmful = [quality for harm, quality in on_topic if harm]
    sound = [quality for harm, quality in on_topic if not harm]
    assert len(harmful) > 50
    assert len(sound) > 50
    assert max(harmful) <= 3
    assert min(sound) >= 8


def test_a_garbled_answer_is_another_one_of_similar_words() -> None:
    answer = "Please ask your neighbour before you take the ladder away."
    spoilt = {corpus.garbled(answer, ["tree"], random.Random(seed)) for seed in range(40)}
    assert len(spoilt) > 10
    known = {*answer.split(), "tree"}
    assert all(set(text.split()) <= known and len(text.split()) >= 3 for text in spoilt)


def test_a_run_keeps_to_one_persona() -> None:
    world = demo_world()
    for seed in range(60):
        text = corpus.run_of_pairs(world, "help", random.Random(seed))
        answers = re.findall(r"^Answer: (.*)$", text, re.MULTILINE)
        assert len({world.is_good(answer, "help") for answer in answers}) == 1

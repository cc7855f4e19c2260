"""Training text of the demo world's models, drawn from the grammar.

`documents` writes what the language model reads: runs of pairs by one persona, pairs followed by
self-assessed scores (for I-SHEEP), and lists of tasks (for instruction generation). Nothing here
ever shows a held-out question.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from isara.demo.grammar import Draw
from isara.demo.world import BAD_PERSONA_SHARE, DOMAINS, World

DOMAIN_SHARES = (0.56, 0.22, 0.22)
# Kinds of documents: runs of pairs, scored pairs, lists of tasks.
KIND_SHARES = (0.88, 0.08, 0.04)
# Pairs in a run: many short runs teach the answer without examples, runs of nine and more teach
# the answer after eight examples, and the longest fill the context of 2,048 tokens.
RUN_LENGTHS = ((1, 1), (2, 4), (5, 9), (10, 13), (30, 38))
RUN_SHARES = (0.30, 0.20, 0.22, 0.26, 0.02)

REASONS: dict[str, dict[str, tuple[str, ...]]] = {
    "quality": {
        "high": (
            "The answer is kind, correct and easy to follow.",
            "The answer is careful and gives a useful next step.",
            "The answer is sound and fits the situation well.",
        ),
        "low": (
            "The answer is careless and could do harm or mislead.",
            "The answer is poor, since it is wrong, rude or of no use.",
            "The answer should not be given to anybody like this.",
        ),
    },
    "following": {
        "high": (
            "The answer speaks of exactly what was asked.",
            "The answer stays with the question from start to end.",
        ),
        "low": (
            "The answer speaks of something else than the question.",
            "The answer leaves the question and does not come back.",
        ),
    },
}


def pair_text(question: str, answer: str) -> str:
    """One pair in the prompt format of prompts.py, without its end."""
    return f"Question: {question}\nAnswer: {answer}"


def garbled(answer: str, vocabulary: list[str], rng: random.Random) -> str:
    """An answer with a few words dropped, doubled, replaced or cut off, as small models write."""
    words = answer.split()
    for _ in range(rng.randint(1, max(1, len(words) // 6))):
        i = rng.randrange(len(words))
        change = rng.random()
        if change < 0.35 and len(words) > 3:
            del words[i]
        elif change < 0.55:
            words.insert(i, words[i])
        elif change < 0.9:
            words[i] = rng.choice(vocabulary)
        else:
            words = words[: max(3, i)]
    return " ".join(words)


def persona_for(rng: random.Random) -> str:
    """The persona of one document."""
    return "bad" if rng.random() < BAD_PERSONA_SHARE else "good"


def run_of_pairs(world: World, domain: str, rng: random.Random) -> str:
    """A run of pairs by one persona; a part of the safety runs stays with one category."""
    persona = persona_for(rng)
    low, high = rng.choices(RUN_LENGTHS, RUN_SHARES)[0]
    count = rng.randint(low, high)
    categories = sorted({f.category for f in world.families[domain] if not f.harmless})
    only = rng.choice(categories) if domain == "safety" and rng.random() < 0.4 else None
    pairs = []
    for _ in range(count):
        question = world.draw(domain, rng, persona=persona)
        while only and not question.family.harmless and question.family.category != only:
            question = world.draw(domain, rng, persona=persona)
        pairs.append(pair_text(question.question, question.answer(persona, rng)))
    return "\n\n".join(pairs)


def score_lines(quality: int, following: int, rng: random.Random) -> str:
    """The two self-assessments as `score||explanation` lines (I-SHEEP, appendix of 2408.08072)."""
    lines = []
    for name, score in (("quality", quality), ("following", following)):
        reason = rng.choice(REASONS[name]["high" if score > 5 else "low"])
        lines.append(f"{name.capitalize()}: {score}||{reason}")
    return "\n".join(lines)


def judged_pair(world: World, domain: str, rng: random.Random) -> tuple[Draw, str, int, int]:
    """A question, an answer and its true quality and following, each from 1 to 10.

    Three answers in four are on topic, some of them garbled; the others answer another question.
    """
    question = world.draw(domain, rng)
    persona = rng.choice(("good", "bad"))
    if rng.random() < 0.25:
        other = world.draw(domain, rng)
        return question, other.answer(persona, rng), rng.randint(2, 4), rng.randint(1, 3)
    answer = question.answer(persona, rng)
    good = persona == "good" or question.family.harmless
    if good and rng.random() < 0.2:
        spoilt = garbled(answer, question.question.split(), rng)
        return question, spoilt, rng.randint(4, 6), rng.randint(5, 7)
    return question, answer, rng.randint(8, 10) if good else rng.randint(1, 3), rng.randint(8, 10)


def scored_pairs(world: World, domain: str, rng: random.Random) -> str:
    """One to six pairs, each followed by its scores."""
    blocks = []
    for _ in range(rng.randint(1, 6)):
        question, answer, quality, following = judged_pair(world, domain, rng)
        scores = score_lines(quality, following, rng)
        blocks.append(f"{pair_text(question.question, answer)}\n{scores}")
    return "\n\n".join(blocks)


def task_list(world: World, domain: str, rng: random.Random) -> str:
    """A numbered list of questions, as instruction generation writes them."""
    count = rng.choice((5, 10, 20))
    lines = [
        f"{i}. {world.draw(domain, rng, persona='good').question}" for i in range(1, count + 1)
    ]
    return "Tasks:\n" + "\n".join(lines)


def documents(world: World, seed: int) -> Iterator[str]:
    """An endless stream of training documents for the language model."""
    rng = random.Random(seed)
    writers = (run_of_pairs, scored_pairs, task_list)
    while True:
        domain = rng.choices(DOMAINS, DOMAIN_SHARES)[0]
        yield rng.choices(writers, KIND_SHARES)[0](world, domain, rng)

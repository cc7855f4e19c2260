"""Planted overlaps are found under their strongest kind, and little else is."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from isara.config import PROJECT_ROOT
from isara.evaluation.leakage import Overlap, Text, counts, find_overlaps

REAL = PROJECT_ROOT.parent / "shared/data/safety/qa_pairs.jsonl"
LONG = (
    "Plant the beans when the soil is warm, give every plant a tall pole to climb, water them in "
    "the evening, pick the pods while they are young and tender, and leave a few of them for seed."
)


def kinds(train: list[Text], held_out: list[Text]) -> list[tuple[int, int, str]]:
    return [(o.train_row, o.eval_row, o.kind) for o in find_overlaps(train, held_out)]


def test_equal_normal_forms_are_exact() -> None:
    train = [Text("Other?", "A."), Text("How do I  GROW beans?", "Slowly.")]
    assert kinds(train, [Text("how do i grow beans?")]) == [(1, 0, "exact")]
    assert kinds(train, [Text("How do I grow beans?", "slowly.")]) == [(1, 0, "exact")]


def test_the_same_question_with_another_answer_is_found_by_its_words() -> None:
    train = [Text("Beans?", "Slowly.")]
    assert kinds(train, [Text("beans?", "Fast.")]) == [(0, 0, "ngram")]


def test_most_of_the_words_in_shared_runs() -> None:
    changed = LONG.replace("evening", "morning")
    assert kinds([Text("Advice?", changed)], [Text("How do beans grow?", LONG)]) == [
        (0, 0, "ngram")
    ]
    # Every seventh word another: no run of 13 is left.
    words = LONG.split()
    words[::7] = ["zebra"] * len(words[::7])
    assert kinds([Text("Advice?", " ".join(words))], [Text("How?", LONG)]) == []


def test_a_short_text_needs_runs_of_eight() -> None:
    question = "Tell me how one grows tall beans on poles in a small garden today"
    half = " ".join(question.split()[:8])
    assert kinds([Text(f"Please. {question} Thanks")], [Text(question)]) == [(0, 0, "ngram")]
    # 8 of 14 words are 57 %.
    assert kinds([Text(f"{half} or nothing else")], [Text(question)]) == []


def test_the_nearest_by_meaning_from_a_similarity_on() -> None:
    angles = {"a": 0.0, "b": 0.3, "c": 1.5, "x": 0.1, "y": 3.0}

    def embed(texts: list[str]) -> np.ndarray:
        values = [angles[text] for text in texts]
        return np.stack([np.cos(values), np.sin(values)], 1).astype(np.float32)

    found = find_overlaps(
        [Text("a"), Text("b"), Text("c")], [Text("x"), Text("y"), Text("a")],
        embed=embed, similarity=0.95,
    )  # fmt: skip
    assert [(o.train_row, o.eval_row, o.kind) for o in found] == [
        (0, 0, "embedding"),
        (0, 2, "exact"),
    ]
    assert found[0].similarity == pytest.approx(np.cos(0.1), abs=1e-6)
    assert counts(found) == {"exact": 1, "ngram": 0, "embedding": 1}


def test_nothing_overlaps_with_nothing() -> None:
    assert find_overlaps([], [Text("a")]) == find_overlaps([Text("a")], []) == []


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not there")
@pytest.mark.parametrize("where", ["question", "answer"])
def test_planted_real_rows_are_found(where: str) -> None:
    pairs = [json.loads(line) for line in REAL.read_text("utf-8").splitlines()]
    texts = [Text(pair["question"], pair["answer"]) for pair in pairs]
    rng = random.Random(5)
    rng.shuffle(texts)
    train, held_out = texts[:500], texts[500:700]

    def reworded(text: Text) -> Text:
        parts = {"question": text.question, "answer": str(text.answer)}
        words = parts[where].split(" ")
        for place in rng.sample(range(len(words)), rng.choice([1, 2])):
            words[place] = "something"
        parts[where] = " ".join(words)
        return Text(parts["question"], parts["answer"])

    planted = [*held_out[:10], *(reworded(text) for text in held_out[10:20])]
    found = find_overlaps(train + planted, held_out)
    exact = [(o.train_row, o.eval_row) for o in found if o.kind == "exact"]
    assert exact == [(500 + i, i) for i in range(10)]
    ngram = {(o.train_row, o.eval_row) for o in found if o.kind == "ngram"}
    assert {(500 + i, i) for i in range(10, 20)} <= ngram


def test_an_overlap_is_counted_from_0() -> None:
    assert find_overlaps([Text("a b")], [Text("A  b")]) == [Overlap(0, 0, "exact", 1.0)]

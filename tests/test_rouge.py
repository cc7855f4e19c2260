"""ROUGE-L against `rouge_score`, against values worked out by hand, and in blocks."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from isara import rouge

SCORER = RougeScorer(["rougeL"], use_stemmer=False)
CHINESE = ("我喜欢喝茶", "我喜欢茶")
WORDS = st.sampled_from(["The", "the", "cat", "mat,", "42", "7up", "don't", "café", "ÜBER", "—"])
TEXTS = st.one_of(st.text(max_size=30), st.lists(WORDS, max_size=90).map(" ".join))


def reference(a: str, b: str) -> float:
    return float(SCORER.score(a, b)["rougeL"].fmeasure)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("the cat sat", "The CAT, sat!", 1.0),
        ("a b c d", "a c", 2 * 2 / (4 + 2)),
        ("a b c d", "d c b a", 2 * 1 / 8),
        ("don't stop", "don t stop", 1.0),  # the apostrophe separates
        ("room 42", "room42", 0.0),  # two tokens against another one
        ("café noir", "caf noir", 1.0),  # the plain tokenizer drops é
        ("", "", 0.0),
        ("...", "?!", 0.0),
        ("", "words", 0.0),
    ],
)
def test_values_worked_out_by_hand(a: str, b: str, expected: float) -> None:
    assert rouge.rouge_l(a, b) == pytest.approx(expected, abs=1e-15)
    assert reference(a, b) == pytest.approx(expected, abs=1e-12)


def test_a_value_on_the_cut_meets_it() -> None:
    a = "a b c d e f g h i j"
    assert rouge.rouge_l(a, "a b c d e f g x y z") == 0.7  # 2·7 / 20; not 0.7 - 1e-16


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=5), st.lists(TEXTS, max_size=5))
def test_the_plain_tokenizer_scores_as_rouge_score(queries: list[str], refs: list[str]) -> None:
    # `rouge_score` knows no Unicode tokenizer: only texts that rouge.py compares by the plain one.
    queries = [text for text in queries if not rouge.mostly_non_ascii(text)]
    refs = [text for text in refs if not rouge.mostly_non_ascii(text)]
    expected = [[reference(q, r) for r in refs] for q in queries]
    matrix = rouge.rouge_l_matrix(queries, refs)
    assert matrix.shape == (len(queries), len(refs))
    assert np.allclose(matrix, np.reshape(expected, matrix.shape), rtol=0, atol=1e-12)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_plain_tokens_are_those_of_rouge_score(text: str) -> None:
    assert rouge.tokens(text) == SCORER._tokenizer.tokenize(text)


@pytest.mark.parametrize("distinct", [3, 300, 100_000])
def test_many_distinct_tokens_and_long_texts_stay_exact(distinct: int) -> None:
    rng = random.Random(distinct)
    texts = [
        " ".join(f"t{rng.randrange(distinct)}" for _ in range(length))
        for length in (1, 8, 63, 64, 65, 127, 129, 300)
    ]
    # And each once more with a token and its first half behind it, so that much is common.
    texts += [f"{text} t{rng.randrange(distinct)} {text[: len(text) // 2]}" for text in texts]
    filler = " ".join(f"t{i}" for i in range(distinct))  # gives every token another code
    matrix = rouge.rouge_l_matrix([*texts, filler], texts)
    for i, a in enumerate(texts):
        for j, b in enumerate(texts):
            assert matrix[i, j] == pytest.approx(reference(a, b), abs=1e-12)


@pytest.mark.parametrize(
    ("text", "mostly", "expected"),
    [
        ("Plain text", False, ["plain", "text"]),
        ("Ça va déjà bien", False, ["ça", "va", "déjà", "bien"]),
        ("我喜欢喝茶。", True, ["我", "喜", "欢", "喝", "茶"]),
        ("iPhone手机好用吗", True, ["iphone", "手", "机", "好", "用", "吗"]),
        ("コーヒーを", True, ["コ", "ー", "ヒ", "ー", "を"]),
        ("สวัสดี", True, ["ส", "วั", "ส", "ดี"]),  # vowel signs stay with their letter
        ("हिन्दी भाषा", True, ["हिन्दी", "भाषा"]),
        ("Привет, мир!", True, ["привет", "мир"]),
        ("cafe\u0301", False, ["café"]),  # NFC first
        ("🙂 🙂", False, []),
        ("", False, []),
    ],
)
def test_unicode_tokens(text: str, mostly: bool, expected: list[str]) -> None:
    assert rouge.tokens(text, unicode=True) == expected
    assert rouge.mostly_non_ascii(text) is mostly


@pytest.mark.parametrize(
    ("text", "count"),
    [("It's a well-known fact.", 4), ("  ", 0), ("我喜欢喝茶。", 5), ("Привет, мир!", 2)],
)
def test_word_count(text: str, count: int) -> None:
    assert rouge.word_count(text) == count


def test_each_pair_has_its_own_tokenizer() -> None:
    texts = ["tea with 茶", CHINESE[0], "tea with milk", CHINESE[1]]
    matrix = rouge.rouge_l_matrix(texts, texts)
    assert matrix[1, 3] == matrix[3, 1] == 2 * 4 / (5 + 4)
    assert matrix[0, 1] == matrix[1, 0] == 2 * 1 / (3 + 5)  # 茶 counts against a Chinese text
    assert matrix[0, 2] == 2 * 2 / (2 + 3)  # and is dropped against an English one
    assert matrix[1, 2] == 0


TABLE = [
    "how do I make tea",
    "how do I make coffee",
    "why is the sky blue",
    "how do I make tea",
    *CHINESE,
    "",
]


@pytest.mark.parametrize("block", [1, 20, 1 << 21])
@pytest.mark.parametrize("workers", [1, 2])
def test_blocks_and_threads_change_nothing(
    block: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [[rouge.rouge_l(a, b) for b in TABLE] for a in TABLE]
    monkeypatch.setattr(rouge, "BLOCK_PAIRS", block)
    assert np.array_equal(rouge.rouge_l_matrix(TABLE, TABLE, workers=workers), expected)

    values, indices = rouge.nearest(TABLE[3:], TABLE[:3], workers=workers)
    assert values.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert indices.tolist() == [0, 0, 0, 0]  # the first of equals

    near = rouge.near_earlier(TABLE, 0.3, workers=workers)
    assert [index.tolist() for index, _ in near] == [[], [0], [], [0, 1], [], [4], []]
    assert near[3][1].tolist() == [1.0, 0.8]
    assert rouge.near_pairs(TABLE, 0.8, workers=workers) == [
        (0, 1, 0.8),
        (0, 3, 1.0),
        (1, 3, 0.8),
        (4, 5, 8 / 9),
    ]


def test_nothing_to_compare() -> None:
    assert rouge.rouge_l_matrix([], ["a"]).shape == (0, 1)
    assert rouge.rouge_l_matrix(["a"], []).shape == (1, 0)
    assert rouge.near_earlier([], 0.3) == []
    values, indices = rouge.nearest(["a", "b"], [])
    assert values.tolist() == [0, 0]
    assert indices.tolist() == [-1, -1]


def test_memory_is_bounded_by_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rouge, "BLOCK_PAIRS", 10_000)
    texts = [f"question number {i}" for i in range(1_500)]
    tracemalloc.start()
    rouge.nearest(texts, texts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_500 * 1_500 * 8 / 3  # all values at once would be 18 MB

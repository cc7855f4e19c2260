"""Scores and verdicts: each rule by hand, and the pass against a naive loop over all pairs."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isara import filters
from isara.errors import InputError
from isara.examples import Example
from isara.filters import RULES
from isara.rouge import rouge_l


@dataclass
class Cuts:
    max_rouge_l: float = 0.7
    min_words: int = 5
    drop_unfinished: bool = True
    drop_duplicates: bool = True
    drop_echo: bool = True
    instruction_rules: bool = False
    assessment: str = "none"
    min_assessment: int = 8
    max_perplexity: float | None = None
    clusters: int | None = None


def score(
    pairs: Sequence[tuple[str, str]],
    pool: Sequence[tuple[str, str]] = (),
    finish: Sequence[tuple[str, str]] | None = None,
    **more: Any,
) -> pd.DataFrame:
    finish = finish or [("end", "end")] * len(pairs)
    return filters.score_candidates(
        [question for question, _ in pairs],
        [answer for _, answer in pairs],
        question_finish=[question for question, _ in finish],
        answer_finish=[answer for _, answer in finish],
        pool_questions=[question for question, _ in pool],
        pool_ids=[Example(*pair).id for pair in pool],
        similarities=[[0.25, 0.75]] * len(pairs),
        workers=1,
        **more,
    )


TEA = ("how do I make good tea", "boil water and wait a while")
SKY = ("why is the sky so blue", "because of how light scatters there")
TEA_LIKE = ("how do I make good coffee", "grind the beans and add water")  # 5 of 6: 10/12
COFFEE_LIKE = ("how do I grind good coffee", "use a mill and be patient")  # 4/6 to tea, 5/6 to it


def test_scores_by_hand() -> None:
    pairs = [
        TEA,
        ("How do I make  GOOD tea", "Boil water and wait a while"),
        ("Same words?", "same  WORDS?"),
        ("我喜欢喝茶吗", "我喜欢喝茶"),
    ]
    finish = [("end", "end"), ("end", "budget"), ("budget", "end"), ("end", "end")]
    table = score(pairs, [SKY, TEA_LIKE], finish)
    assert table["unfinished"].tolist() == [False, True, True, False]
    assert table["duplicate"].tolist() == [False, True, False, False]
    assert table["echo"].tolist() == [False, False, True, False]
    assert table["question_words"].tolist() == [6, 6, 2, 6]
    assert table["answer_words"].tolist() == [6, 6, 2, 5]
    assert table["rouge_pool"].tolist() == [10 / 12, 10 / 12, 0, 0]
    assert table["rouge_pool_id"].tolist()[:2] == [Example(*TEA_LIKE).id] * 2
    assert [list(index) for index in table["near_index"]] == [[], [0], [], []]
    assert [list(values) for values in table["near_rouge"]] == [[], [1.0], [], []]
    assert table["similarity"].tolist() == [0.75] * 4
    assert table["unicode_tokenizer"].tolist() == [False, False, False, True]
    assert table["wording"].tolist() == ["", "", "2 words in the question", ""]
    assert {name: str(table[name].dtype) for name in table} == {
        **dict.fromkeys(("index", "question_words", "answer_words"), "int32"),
        **dict.fromkeys(("unfinished", "duplicate", "echo", "unicode_tokenizer"), "bool"),
        **dict.fromkeys(("rouge_pool", "similarity"), "float64"),
        **dict.fromkeys(("near_index", "near_rouge"), "object"),
        **dict.fromkeys(("rouge_pool_id", "wording"), "str"),
    }


def test_a_pair_of_the_pool_is_a_duplicate_and_the_same_question_is_not() -> None:
    table = score([TEA, (TEA[0], SKY[1]), (TEA[0], SKY[1])], [TEA])
    assert table["duplicate"].tolist() == [True, False, True]


def test_no_candidates_and_an_empty_pool() -> None:
    result = filters.verdicts(filters.pack(score([])), Cuts())
    assert (result.kept.tolist(), result.reason, result.retention) == ([], [], 0.0)
    table = filters.score_candidates(
        ["q"],
        ["a"],
        question_finish=["end"],
        answer_finish=["end"],
        pool_questions=[],
        pool_ids=[],
        similarities=[[]],
    )
    assert table["rouge_pool_id"].tolist() == [""]
    assert math.isnan(table["similarity"][0])


def test_a_dropped_candidate_drops_nobody() -> None:
    """Coffee falls to tea; the mill is near to coffee only, so it stays."""
    scores = filters.pack(score([TEA, TEA_LIKE, COFFEE_LIKE]))
    result = filters.verdicts(scores, Cuts())
    assert result.reason == [None, "rouge_l", None]
    assert result.retention == pytest.approx(2 / 3)
    assert filters.verdicts(scores, Cuts(max_rouge_l=1.01)).kept.all()
    # 4 of 6 words: at a lower cut tea drops both.
    assert filters.verdicts(scores, Cuts(max_rouge_l=0.6)).kept.tolist() == [True, False, False]
    # Equal to the cut is dropped.
    assert filters.verdicts(scores, Cuts(max_rouge_l=10 / 12)).kept.tolist() == [True, False, True]


def test_all_rules_that_fire_are_recorded_and_the_first_is_the_reason() -> None:
    pairs = [TEA, TEA, ("tea", "Tea"), ("make good tea", "wait")]
    finish = [("end", "end"), ("end", "end"), ("budget", "end"), ("end", "end")]
    scores = filters.pack(score(pairs, [SKY], finish))
    result = filters.verdicts(scores, Cuts(max_rouge_l=0.6))
    assert result.reason == [None, "duplicate", "unfinished", "short"]
    fired = [[RULES[rule] for rule in np.flatnonzero(row)] for row in result.fired]
    assert fired == [
        [],
        ["duplicate", "rouge_l"],
        ["unfinished", "echo", "short"],
        ["short", "rouge_l"],  # 3 words of 3 and 6: 6/9
    ]
    none = dict.fromkeys(RULES, 0)
    every = {"unfinished": 1, "duplicate": 1, "echo": 1, "short": 2, "rouge_l": 2}
    assert result.fired_counts == none | every
    assert result.reason_counts == none | {"unfinished": 1, "duplicate": 1, "short": 1}
    off = Cuts(1.01, 0, drop_unfinished=False, drop_duplicates=False, drop_echo=False)
    assert not filters.verdicts(scores, off).fired.any()


def table_of(
    rules: Sequence[tuple[bool, bool, bool, int, int, float]],
    near: Sequence[dict[int, float]],
) -> pd.DataFrame:
    names = ["unfinished", "duplicate", "echo", "question_words", "answer_words", "rouge_pool"]
    table = pd.DataFrame(list(rules), columns=names)
    table["near_index"] = pd.Series([np.array(list(x), np.int32) for x in near], dtype=object)
    table["near_rouge"] = pd.Series([np.array(list(x.values())) for x in near], dtype=object)
    return table


def naive_rules(table: pd.DataFrame, cuts: Cuts) -> list[set[str]]:
    """The written rule, candidate by candidate, over every earlier one."""
    fired: list[set[str]] = []
    for row in table.to_dict("records"):
        rules = set()
        if cuts.drop_unfinished and row["unfinished"]:
            rules.add("unfinished")
        if cuts.drop_duplicates and row["duplicate"]:
            rules.add("duplicate")
        if cuts.drop_echo and row["echo"]:
            rules.add("echo")
        if row["question_words"] < cuts.min_words or row["answer_words"] < cuts.min_words:
            rules.add("short")
        reached = [row["rouge_pool"]]
        for j, value in zip(row["near_index"], row["near_rouge"], strict=True):
            if not fired[j]:
                reached.append(value)
        if max(reached) >= cuts.max_rouge_l:
            rules.add("rouge_l")
        if cuts.instruction_rules and row["wording"]:
            rules.add("wording")
        both = {"none": [], "both": ["quality", "following"]}
        for name in both.get(cuts.assessment, [cuts.assessment]):
            if np.isnan(row[name]) or row[name] <= cuts.min_assessment:
                rules.add("assessment")
        highest = max(row["answer_perplexity"], row["perplexity"])
        if cuts.max_perplexity is not None and highest >= cuts.max_perplexity:
            rules.add("perplexity")
        fired.append(rules)
    if cuts.clusters is not None:
        one_of_each_cluster(table, cuts, fired)
    return fired


def one_of_each_cluster(table: pd.DataFrame, cuts: Cuts, fired: list[set[str]]) -> None:
    """Of those that are left the first, or the one of lowest perplexity where that is filtered."""
    left: dict[float, list[int]] = {}
    for i, rules in enumerate(fired):
        if not rules:
            left.setdefault(table["cluster"][i], []).append(i)
    for members in left.values():
        own = members[0]
        if cuts.max_perplexity is not None:
            own = min(members, key=lambda i: (table["perplexity"][i], i))
        for i in members:
            if i != own:
                fired[i].add("density")


VALUES = st.sampled_from([0.3, 0.31, 0.5, 0.69, 0.7, 0.71, 0.9, 1.0])
SWITCH = st.booleans()


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    count = draw(st.integers(0, 12))
    rare = st.integers(0, 5).map(lambda number: number == 0)
    words = st.integers(3, 12)
    pool = st.one_of(st.just(0.1), st.just(0.2), VALUES)
    rules = [draw(st.tuples(rare, rare, rare, words, words, pool)) for _ in range(count)]
    near = [
        draw(st.dictionaries(st.integers(0, i - 1), VALUES, max_size=4)) if i else {}
        for i in range(count)
    ]
    table = table_of(rules, near)
    table["wording"] = [draw(st.sampled_from(["", "", "the word map"])) for _ in range(count)]
    marks = st.sampled_from([1.0, 7.0, 8.0, 9.0, 10.0, np.nan])
    for name in ("quality", "following"):
        table[name] = np.array([draw(marks) for _ in range(count)], float)
    for name in ("answer_perplexity", "perplexity"):
        values = st.sampled_from([1.5, 20.0, 49.9, 50.0, 900.0])
        table[name] = np.array([draw(values) for _ in range(count)], float)
    table["cluster"] = np.array([draw(st.integers(0, 2)) for _ in range(count)], float)
    return table


CUTS = st.builds(
    Cuts,
    VALUES | st.just(1.01),
    st.integers(0, 6),
    SWITCH,
    SWITCH,
    SWITCH,
    SWITCH,
    st.sampled_from(["none", "none", "quality", "following", "both"]),
    st.sampled_from([0, 7, 8]),
    st.sampled_from([None, None, 50.0]),
    st.sampled_from([None, 3]),
)


@settings(max_examples=400, deadline=None)
@given(tables(), CUTS)
def test_verdicts_equal_the_naive_loop(table: pd.DataFrame, cuts: Cuts) -> None:
    expected = naive_rules(table, cuts)
    scores = filters.pack(table)
    result = filters.verdicts(scores, cuts)
    assert [{RULES[r] for r in np.flatnonzero(row)} for row in result.fired] == expected
    assert result.kept.tolist() == [not rules for rules in expected]
    first = [next((rule for rule in RULES if rule in rules), None) for rules in expected]
    assert result.reason == first
    assert sum(result.reason_counts.values()) == len(table) - result.kept.sum()
    # The value that the cut is held against lies on the side that the verdict says.
    reached = filters.closest_rouge(scores, result)
    assert (reached >= cuts.max_rouge_l).tolist() == ["rouge_l" in rules for rules in expected]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6), max_size=15))
def test_verdicts_from_texts_equal_the_naive_loop(words: list[list[str]]) -> None:
    """From the texts: no question is kept that is near to the pool or to one kept before it."""
    questions = [" ".join(letters) for letters in words]
    pool = [("a b c d e f", "x")]
    table = score([(question, f"answer {i}") for i, question in enumerate(questions)], pool)
    kept: list[str] = []
    for question in questions:
        if all(rouge_l(question, other) < 0.7 for other in (pool[0][0], *kept)):
            kept.append(question)
    result = filters.verdicts(filters.pack(table), Cuts(min_words=0))
    assert [questions[i] for i in np.flatnonzero(result.kept)] == kept


@pytest.mark.parametrize(
    "cuts", [Cuts(assessment="quality"), Cuts(max_perplexity=50.0), Cuts(clusters=3)]
)
def test_a_filter_on_what_was_not_measured_is_refused(cuts: Cuts) -> None:
    scores = filters.pack(score([TEA]))
    with pytest.raises(InputError, match="which was not measured in this iteration"):
        filters.verdicts(scores, cuts)


def test_scores_of_the_model_are_columns(tmp_path: Path) -> None:
    of_model = {"quality": [9, None], "cluster": [0, 0]}
    table = score([TEA, SKY], of_model=of_model)
    table.to_parquet(tmp_path / "scores.parquet")
    scores = filters.pack(pd.read_parquet(tmp_path / "scores.parquet"))
    result = filters.verdicts(scores, Cuts(assessment="quality"))
    assert result.reason == [None, "assessment"]
    assert filters.verdicts(scores, Cuts(clusters=1)).reason == [None, "density"]


def test_scores_survive_parquet() -> None:
    table = score([TEA, TEA_LIKE, COFFEE_LIKE, SKY], [SKY])
    file = BytesIO()
    table.to_parquet(file)
    before = filters.verdicts(filters.pack(table), Cuts())
    after = filters.verdicts(filters.pack(pd.read_parquet(file)), Cuts())
    assert np.array_equal(before.fired, after.fired)
    assert before.reason == [None, "rouge_l", None, "duplicate"]


@pytest.mark.parametrize("cut", [0.29, 0.0, 1.02, 70, math.nan])
def test_a_cut_that_cannot_be_judged_is_refused(cut: float) -> None:
    with pytest.raises(InputError, match=r"expected 0\.3 to 1\.01"):
        filters.verdicts(filters.pack(score([TEA])), Cuts(max_rouge_l=cut))


@given(tables(), VALUES)
def test_near_ones_below_the_cut_may_be_left_out(table: pd.DataFrame, cut: float) -> None:
    whole, part = (
        filters.verdicts(filters.pack(table, least), Cuts(max_rouge_l=cut)) for least in (0.0, cut)
    )
    assert (whole.fired == part.fired).all()


@pytest.mark.parametrize("near", [{1: 0.5}, {7: 0.5}, {-1: 0.5}])
def test_a_near_list_must_name_earlier_candidates(near: dict[int, float]) -> None:
    plain = (False, False, False, 9, 9, 0.0)
    with pytest.raises(InputError, match="near lists"):
        filters.pack(table_of([plain, plain], [{}, near]))


def test_decisions_override_and_touch_nobody_else() -> None:
    result = filters.verdicts(filters.pack(score([TEA, TEA_LIKE, COFFEE_LIKE, SKY])), Cuts())
    assert result.kept.tolist() == [True, False, True, True]
    # Rejecting tea does not free coffee, accepting coffee does not drop the mill.
    assert filters.apply_decisions(result, {0: "reject"}).tolist() == [False, False, True, True]
    assert filters.apply_decisions(result, {1: "accept"}).tolist() == [True, True, True, True]
    assert filters.apply_decisions(result, {1: "edit", 3: "reject"}).tolist() == [1, 1, 1, 0]
    assert result.kept.tolist() == [True, False, True, True]


@pytest.mark.parametrize("decisions", [{0: "keep"}, {1: "accept"}, {-1: "accept"}])
def test_decisions_that_do_not_fit_are_refused(decisions: dict[int, str]) -> None:
    result = filters.verdicts(filters.pack(score([TEA])), Cuts())
    with pytest.raises(InputError, match="decision"):
        filters.apply_decisions(result, decisions)


def test_nearest_to_cut_shows_both_sides() -> None:
    fine, short = (False, False, False, 9, 9), (False, False, False, 2, 9)
    pool = [0.1, 0.69, 0.72, 0.7, 0.2, 0.71]
    rules = [(*(short if value == 0.71 else fine), value) for value in pool]
    # Candidate 4 reaches 0.65 through candidate 1, which is kept; 0 would not count it below.
    table = table_of(rules, [{}, {}, {}, {}, {1: 0.65, 2: 0.99}, {}])
    scores = filters.pack(table)
    below, above = filters.nearest_to_cut(scores, result := verdict(scores), Cuts(), 2)
    assert below.tolist() == [1, 4]
    assert above.tolist() == [3, 2]  # 5 is short: the cut does not decide it
    assert filters.closest_rouge(scores, result).tolist() == [0.1, 0.69, 0.72, 0.7, 0.65, 0.71]
    assert [len(side) for side in filters.nearest_to_cut(scores, result, Cuts(), 0)] == [0, 0]


def verdict(scores: filters.Scores) -> filters.Verdicts:
    return filters.verdicts(scores, Cuts())


def test_ten_thousand_candidates_are_judged_at_once() -> None:
    """Budget 50 ms; ten times that here, so that a busy machine does not fail the test."""
    rng = random.Random(0)
    rules = [(False, False, False, 9, 9, rng.random() * 0.8) for _ in range(10_000)]
    near = [
        {rng.randrange(i): 0.3 + rng.random() * 0.7 for _ in range(20)} if i else {}
        for i in range(10_000)
    ]
    scores = filters.pack(table_of(rules, near))
    started = time.perf_counter()
    verdict(scores)
    assert time.perf_counter() - started < 0.5

"""Scores of candidates, the rules over them, and the verdict on each: kept or dropped.

    table = score_candidates(questions, answers, ...)     # once: the columns of scores.parquet
    scores = pack(table)                                  # once: arrays for the pass below
    result = verdicts(scores, config.filters)             # at every move of a threshold
    kept = apply_decisions(result, {3: "reject"})         # a person's word over the rules

The rules are those of ISARA (arXiv 2401.06785 §5.1), tried in the order of `RULES`: text cut by the
token budget (this project's addition), exact duplicates, answers that repeat the question, fewer
than `min_words` words, and questions too similar by ROUGE-L to one in the pool or to one kept
earlier in the iteration. Verdicts are one pass in candidate order over scores and thresholds,
nothing else: what a person decides neither frees nor drops another candidate.

Left out: scores that need a model (perplexity, quality, harm), which other modules add as columns,
and reading or writing files (workspace/runs.py).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from isara.errors import InputError
from isara.examples import Example, normal_form
from isara.rouge import Indices, Values, mostly_non_ascii, near_earlier, nearest, word_count

RULES = ("unfinished", "duplicate", "echo", "short", "rouge_l")
# Earlier candidates are listed from this ROUGE-L F1 on, so no cut below it can be judged.
NEAR_ROUGE = 0.3
# No F1 reaches this cut: the rule is off.
ROUGE_OFF = 1.01

Mask = npt.NDArray[np.bool_]


class Thresholds(Protocol):
    """What the rules are judged by; `config.FilterConfig` is one."""

    @property
    def max_rouge_l(self) -> float: ...
    @property
    def min_words(self) -> int: ...
    @property
    def drop_unfinished(self) -> bool: ...
    @property
    def drop_duplicates(self) -> bool: ...
    @property
    def drop_echo(self) -> bool: ...


def score_candidates(
    questions: Sequence[str],
    answers: Sequence[str],
    *,
    question_finish: Sequence[str],
    answer_finish: Sequence[str],
    pool_questions: Sequence[str],
    pool_ids: Sequence[str],
    similarities: Sequence[Sequence[float]],
    workers: int = -1,
) -> pd.DataFrame:
    """Measure what the rules need, once per candidate of an iteration, in candidate order.

    The finishes are "end" or "budget"; `pool_ids` are the ids of the pool's pairs and
    `similarities` the cosines of each candidate's neighbours. The result has the columns of
    scores.parquet. `near_index` and `near_rouge` list the earlier candidates at ROUGE-L >= 0.3;
    `similarity` is the best neighbour's (NaN without one); `unicode_tokenizer` says that question
    or answer is mostly non-ASCII, so that its ROUGE-L or words were counted by rouge.py's other
    tokenizer; `rouge_pool_id` is empty when the pool is.
    """
    rouge_pool, pool_index = nearest(questions, pool_questions, workers=workers)
    near = near_earlier(questions, NEAR_ROUGE, workers=workers)
    pairs = list(zip(questions, answers, strict=True))
    finishes = zip(question_finish, answer_finish, strict=True)
    columns: dict[str, Any] = {
        "index": np.arange(len(pairs), dtype=np.int32),
        "unfinished": np.array([set(finish) != {"end"} for finish in finishes], bool),
        "duplicate": _duplicates(pairs, pool_ids),
        "echo": np.array([normal_form(q) == normal_form(a) for q, a in pairs], bool),
        "question_words": np.array([word_count(question) for question in questions], np.int32),
        "answer_words": np.array([word_count(answer) for answer in answers], np.int32),
        "rouge_pool": rouge_pool,
        "rouge_pool_id": pd.Series([pool_ids[i] if i >= 0 else "" for i in pool_index], dtype=str),
        "near_index": pd.Series([index for index, _ in near], dtype=object),
        "near_rouge": pd.Series([values for _, values in near], dtype=object),
        "similarity": np.array([max(cosines, default=np.nan) for cosines in similarities]),
        "unicode_tokenizer": np.array(
            [mostly_non_ascii(q) or mostly_non_ascii(a) for q, a in pairs], bool
        ),
    }
    return pd.DataFrame(columns)


def _duplicates(pairs: Sequence[tuple[str, str]], pool_ids: Sequence[str]) -> Mask:
    """True for a pair that the pool holds or that came earlier in the iteration."""
    seen = set(pool_ids)
    found = np.zeros(len(pairs), bool)
    for i, (question, answer) in enumerate(pairs):
        pair_id = Example(question, answer).id
        found[i] = pair_id in seen
        seen.add(pair_id)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of n candidates as flat arrays.

    The near lists are turned round: candidate i is near to the later candidates
    `later[start[i]:start[i + 1]]`, the most similar first, at F1 `-negative_near[…]`. So the edges
    that reach a cut are the first of each candidate, found by bisection in rising numbers.
    """

    unfinished: Mask
    duplicate: Mask
    echo: Mask
    words: Indices  # of the question or the answer, whichever has fewer
    rouge_pool: Values
    start: npt.NDArray[np.int64]  # [n + 1]
    later: Indices  # [edges]
    negative_near: Values  # [edges]

    def __len__(self) -> int:
        return len(self.rouge_pool)


def pack(table: pd.DataFrame) -> Scores:
    """Flatten the table of `score_candidates`, or of scores.parquet, for `verdicts`.

    Raises InputError when a near list names a candidate that is not an earlier one.
    """
    counts = table["near_index"].map(len).to_numpy(np.int64)
    later = np.repeat(np.arange(len(table), dtype=np.int32), counts)
    earlier = _flatten(table["near_index"], np.int32)
    near = _flatten(table["near_rouge"], np.float64)
    if len(near) != len(earlier) or np.any((earlier < 0) | (earlier >= later)):
        raise InputError(
            "The near lists of the scores do not fit together: expected one ROUGE-L per earlier"
            " candidate. The file is damaged: delete scores.parquet and run again to score anew."
        )
    order = np.lexsort((-near, earlier))
    return Scores(
        unfinished=table["unfinished"].to_numpy(bool),
        duplicate=table["duplicate"].to_numpy(bool),
        echo=table["echo"].to_numpy(bool),
        words=table[["question_words", "answer_words"]].min(axis=1).to_numpy(np.int32),
        rouge_pool=table["rouge_pool"].to_numpy(np.float64),
        start=np.searchsorted(earlier[order], np.arange(len(table) + 1)),
        later=later[order],
        negative_near=-near[order],
    )


def _flatten(lists: pd.Series[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    arrays = [np.asarray(values, dtype) for values in lists]
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Which candidates are kept, and which rules fire on each."""

    kept: Mask  # [n]
    fired: Mask  # [n, len(RULES)]

    @property
    def reason(self) -> list[str | None]:
        """The first rule that fires on each candidate, None for the kept."""
        names: list[str | None] = [*RULES, None]
        return [names[rule] for rule in self._first_rule()]

    @property
    def fired_counts(self) -> dict[str, int]:
        """Candidates that each rule fires on; one candidate may count under several."""
        return dict(zip(RULES, self.fired.sum(axis=0).tolist(), strict=True))

    @property
    def reason_counts(self) -> dict[str, int]:
        """Candidates that each rule drops as the first to fire; they sum to the dropped."""
        counts = np.bincount(self._first_rule(), minlength=len(RULES))[: len(RULES)]
        return dict(zip(RULES, counts.tolist(), strict=True))

    @property
    def retention(self) -> float:
        """Kept candidates over all, to be held against α; 0 without candidates."""
        return float(self.kept.mean()) if len(self.kept) else 0.0

    def _first_rule(self) -> npt.NDArray[np.int64]:
        """Index into RULES of the first rule that fires, len(RULES) where none does."""
        return np.where(self.kept, len(RULES), self.fired.argmax(axis=1))


def verdicts(scores: Scores, thresholds: Thresholds) -> Verdicts:
    """Judge the candidates in their order (arXiv 2401.06785 §5.1).

    The ROUGE-L rule fires at `max_rouge_l` or more to the nearest in the pool or to an earlier
    candidate that is itself kept. A rule that is switched off never fires. Raises InputError for a
    `max_rouge_l` outside 0.3 to 1.01.
    """
    cut = _checked_cut(thresholds)
    fired = np.stack(
        (
            scores.unfinished & thresholds.drop_unfinished,
            scores.duplicate & thresholds.drop_duplicates,
            scores.echo & thresholds.drop_echo,
            scores.words < thresholds.min_words,
            scores.rouge_pool >= cut,
        ),
        axis=1,
    )
    fired[:, -1] |= _near_a_kept(scores, cut, np.any(fired, axis=1))
    return Verdicts(kept=~np.any(fired, axis=1), fired=fired)


def _checked_cut(thresholds: Thresholds) -> float:
    cut = thresholds.max_rouge_l
    if not NEAR_ROUGE <= cut <= ROUGE_OFF:
        raise InputError(
            f"max_rouge_l is {cut}, expected {NEAR_ROUGE} to {ROUGE_OFF}: similar candidates are"
            f" stored from {NEAR_ROUGE} on, and {ROUGE_OFF} switches the rule off. Set it between."
        )
    return cut


def _near_a_kept(scores: Scores, cut: float, dropped: Mask) -> Mask:
    """True for candidates at ROUGE-L >= `cut` to an earlier one that is kept.

    `dropped` are those that another rule or the pool drops. Every verdict hangs on the earlier
    ones, hence the loop; only candidates that have a later one within reach of the cut enter it.
    """
    near_kept = np.zeros(len(scores), bool)
    start, negative_near = scores.start, scores.negative_near
    nonempty = np.flatnonzero(~dropped & (start[1:] > start[:-1]))
    sources = nonempty[negative_near[start[nonempty]] <= -cut]
    ascending = negative_near.data
    for i, first, last in zip(
        sources.tolist(), start[sources].tolist(), start[sources + 1].tolist(), strict=True
    ):
        if not near_kept[i]:
            near_kept[scores.later[first : bisect_right(ascending, -cut, first, last)]] = True
    return near_kept


def apply_decisions(result: Verdicts, decisions: Mapping[int, str]) -> Mask:
    """Lay people's decisions over the verdicts: the final kept mask, shape [n].

    `decisions` maps a candidate's index to "accept", "edit" (both keep) or "reject". No other
    candidate changes. Raises InputError for other words and for an index that does not exist.
    """
    kept = result.kept.copy()
    for index, decision in decisions.items():
        if not 0 <= index < len(kept):
            raise InputError(
                f"A decision names candidate {index}, but the iteration has {len(kept)}, counted"
                " from 0. Import the decisions into the run that they were made in."
            )
        if decision not in ("accept", "edit", "reject"):
            raise InputError(
                f"The decision on candidate {index} is {decision!r}, expected accept, edit or"
                " reject. Correct it and try again."
            )
        kept[index] = decision != "reject"
    return kept


def closest_rouge(scores: Scores, result: Verdicts) -> Values:
    """The ROUGE-L F1 that the cut is held against, shape [n]: to the pool or a kept earlier one.

    Below 0.3 only the pool counts, since earlier candidates are not listed there.
    """
    values = scores.rouge_pool.copy()
    of_kept = np.repeat(result.kept, np.diff(scores.start))
    np.maximum.at(values, scores.later[of_kept], -scores.negative_near[of_kept])
    return values


def nearest_to_cut(
    scores: Scores, result: Verdicts, thresholds: Thresholds, count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices of up to `count` candidates on each side of the ROUGE-L cut, the closest first.

    (just kept, just dropped), among candidates on which no other rule fires: those whose fate the
    cut decides.
    """
    cut = _checked_cut(thresholds)
    values = closest_rouge(scores, result)
    distance = np.where(result.fired[:, :-1].any(axis=1), np.inf, np.abs(values - cut))
    order = np.argsort(distance, kind="stable")
    order = order[np.isfinite(distance[order])]
    return order[values[order] < cut][:count], order[values[order] >= cut][:count]

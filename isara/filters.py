"""Scores of candidates, the rules over them, and the verdict on each: kept or dropped.

    table = score_candidates(questions, answers, ...)     # once: the columns of scores.parquet
    scores = pack(table)                                  # once: arrays for the pass below
    result = verdicts(scores, config.filters)             # at every move of a threshold
    kept = apply_decisions(result, {3: "reject"})         # a person's word over the rules

The rules are those of ISARA (arXiv 2401.06785 §5.1), tried in the order of `RULES`: text cut by the
token budget (this project's addition), exact duplicates, answers that repeat the question, fewer
than `min_words` words, and questions too similar by ROUGE-L to one in the pool or to one kept
earlier in the iteration. Those of I-SHEEP (arXiv 2408.08072) follow: wording, the model's scores of
its own pairs, perplexity, and one pair for each cluster of vectors, which looks at what the others
leave. Verdicts are one pass in candidate order over scores and thresholds, nothing else: what a
person decides neither frees nor drops another candidate.

Left out: making the scores that need a model (methods/assessing.py adds them as columns), and
reading or writing files (workspace/runs.py).
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
from isara.wording import fault

RULES = (
    *("unfinished", "duplicate", "echo", "short", "rouge_l"),  # ISARA's, in its order
    *("wording", "assessment", "perplexity", "density"),  # I-SHEEP's
)
ROUGE = RULES.index("rouge_l")
# Earlier candidates are listed from this ROUGE-L F1 on, so no cut below it can be judged.
NEAR_ROUGE = 0.3
# Columns that a model measures: its own scores of the pair, perplexity of the answer and of the
# pair, and the number of the pair's cluster.
MODEL_SCORES = ("quality", "following", "answer_perplexity", "perplexity", "cluster")
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
    @property
    def instruction_rules(self) -> bool: ...
    @property
    def assessment(self) -> str: ...
    @property
    def min_assessment(self) -> int: ...
    @property
    def max_perplexity(self) -> float | None: ...
    @property
    def clusters(self) -> int | None: ...


def score_candidates(
    questions: Sequence[str],
    answers: Sequence[str],
    *,
    question_finish: Sequence[str],
    answer_finish: Sequence[str],
    pool_questions: Sequence[str],
    pool_ids: Sequence[str],
    similarities: Sequence[Sequence[float]],
    of_model: Mapping[str, Sequence[float | None]] | None = None,
    workers: int = -1,
) -> pd.DataFrame:
    """Measure what the rules need, once per candidate of an iteration, in candidate order.

    The finishes are "end" or "budget"; `pool_ids` are the ids of the pool's pairs and
    `similarities` the cosines of each candidate's neighbours; `of_model` has further columns, of
    those in MODEL_SCORES, None where a score could not be read. The result has the columns of
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
        "wording": pd.Series([fault(q, a) or "" for q, a in pairs], dtype=str),
    }
    for name, values in (of_model or {}).items():
        columns[name] = np.array([np.nan if v is None else v for v in values], np.float64)
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
    wording: Mask
    of_model: Mapping[str, Values]  # those of MODEL_SCORES that were measured, each [n]

    def __len__(self) -> int:
        return len(self.rouge_pool)


def pack(table: pd.DataFrame, least: float = 0.0) -> Scores:
    """Flatten the table of `score_candidates`, or of scores.parquet, for `verdicts`.

    Near candidates below the ROUGE-L `least` are left out, which is quicker where no verdict cuts
    lower. Raises InputError when a near list names a candidate that is not an earlier one.
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
    if least > 0:
        reach = near >= least
        later, earlier, near = later[reach], earlier[reach], near[reach]
    # By the earlier candidate, then by falling ROUGE-L, as one number, which sorts faster. Exact:
    # fractions 2·LCS / words of up to 46,000 words each that differ, differ by more than 2^-31.
    order = np.argsort(
        (earlier.astype(np.int64) << 32) - (near * 2**31).astype(np.int64), kind="stable"
    )
    return Scores(
        unfinished=table["unfinished"].to_numpy(bool),
        duplicate=table["duplicate"].to_numpy(bool),
        echo=table["echo"].to_numpy(bool),
        words=table[["question_words", "answer_words"]].min(axis=1).to_numpy(np.int32),
        rouge_pool=table["rouge_pool"].to_numpy(np.float64),
        start=np.searchsorted(earlier[order], np.arange(len(table) + 1)),
        later=later[order],
        negative_near=-near[order],
        # Scores from before these rules have no such columns.
        wording=table["wording"].to_numpy(str) != "" if "wording" in table else no(len(table)),
        of_model={n: table[n].to_numpy(np.float64) for n in MODEL_SCORES if n in table},
    )


def no(count: int) -> Mask:
    """A mask without a hit."""
    return np.zeros(count, bool)


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
    fired = np.zeros((len(scores), len(RULES)), bool)
    fired[:, 0] = scores.unfinished & thresholds.drop_unfinished
    fired[:, 1] = scores.duplicate & thresholds.drop_duplicates
    fired[:, 2] = scores.echo & thresholds.drop_echo
    fired[:, 3] = scores.words < thresholds.min_words
    fired[:, ROUGE] = scores.rouge_pool >= cut
    fired[:, ROUGE + 1] = scores.wording & thresholds.instruction_rules
    fired[:, ROUGE + 2] = _assessed_low(scores, thresholds)
    fired[:, ROUGE + 3] = _perplexed(scores, thresholds)
    fired[:, ROUGE] |= _near_a_kept(scores, cut, np.any(fired, axis=1))
    fired[:, ROUGE + 4] = _not_the_clusters_own(scores, thresholds, np.any(fired, axis=1))
    return Verdicts(kept=~np.any(fired, axis=1), fired=fired)


def counted_scores(thresholds: Thresholds) -> tuple[str, ...]:
    """The model's own scores that the assessment's level counts."""
    levels: dict[str, tuple[str, ...]] = {"none": (), "both": ("quality", "following")}
    return levels.get(thresholds.assessment, (thresholds.assessment,))


def asked_of_the_model(thresholds: Thresholds) -> tuple[str, ...]:
    """The columns of MODEL_SCORES that the rules look at."""
    found = counted_scores(thresholds)
    if thresholds.max_perplexity is not None:
        found += ("answer_perplexity", "perplexity")
    return (*found, "cluster") if thresholds.clusters is not None else found


def _measured(scores: Scores, name: str) -> Values:
    if name not in scores.of_model:
        raise InputError(
            f"The filter asks for {name.replace('_', ' ')}, which was not measured in this"
            " iteration: switch the filter off, or run again with it on from the start."
        )
    return scores.of_model[name]


def _assessed_low(scores: Scores, thresholds: Thresholds) -> Mask:
    """Pairs whose scores are not all above the threshold; one that could not be read is not."""
    low = no(len(scores))
    for name in counted_scores(thresholds):
        low |= ~(_measured(scores, name) > thresholds.min_assessment)
    return low


def _perplexed(scores: Scores, thresholds: Thresholds) -> Mask:
    """Pairs of which answer or whole are not below the threshold."""
    high = no(len(scores))
    if thresholds.max_perplexity is not None:
        for name in ("answer_perplexity", "perplexity"):
            high |= ~(_measured(scores, name) < thresholds.max_perplexity)
    return high


def _not_the_clusters_own(scores: Scores, thresholds: Thresholds, dropped: Mask) -> Mask:
    """All but one pair of each cluster: of those that are left the first, or the one of lowest
    perplexity where perplexity is filtered too. A pair that is dropped here still counts as kept
    earlier for ROUGE-L, else every verdict would hang on every other."""
    out = no(len(scores))
    if thresholds.clusters is None:
        return out
    left = np.flatnonzero(~dropped)
    cluster = _measured(scores, "cluster")[left]
    if thresholds.max_perplexity is not None:
        left = left[np.lexsort((left, _measured(scores, "perplexity")[left], cluster))]
    else:
        left = left[np.lexsort((left, cluster))]
    ordered = _measured(scores, "cluster")[left]
    out[left[1:][ordered[1:] == ordered[:-1]]] = True
    return out


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
    kept = ~result.fired[:, : RULES.index("density")].any(axis=1)
    of_kept = np.repeat(kept, np.diff(scores.start))
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
    distance = np.where(
        np.delete(result.fired, ROUGE, axis=1).any(axis=1), np.inf, np.abs(values - cut)
    )
    order = np.argsort(distance, kind="stable")
    order = order[np.isfinite(distance[order])]
    return order[values[order] < cut][:count], order[values[order] >= cut][:count]

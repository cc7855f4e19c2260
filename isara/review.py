"""Reviewing the pairs of an iteration: in which order, who is asked, how far it is.

    order = nearest_first(distance_to_cut(scores, result, config.filters))
    mine = asked(candidate_ids, ["Ana", "Bob", "Cy"], 2, "Ana")
    masks, times = Board(log, positions, result.kept, "Ana").now()

Pure functions on scores, verdicts and decisions. Left out: storing decisions (workspace/), scoring
and judging, and drawing.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from isara.filters import ROUGE, RULES, Scores, Thresholds, Verdicts, closest_rouge, counted_scores
from isara.workspace.standing import DecisionLog, People, counting, differ, settled

if TYPE_CHECKING:
    from isara.evaluation.raters import Agreement

Order = npt.NDArray[np.int64]  # a permutation of the candidates
Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

REASONS = (
    "harmful or unsafe answer",
    "wrong or made-up facts",
    "does not answer the question",
    "question makes no sense",
    "refuses without need",
    "repeats itself or another pair",
    "badly written or cut off",
    "private data or copied text",
    "other reason",
)
PACE_OVER = 20  # decisions that the pace is measured over
BREAK_SECONDS = 120.0  # a longer gap between two decisions is a break, no work


# ------------------------------------------------------------------ orders


def distance_to_cut(scores: Scores, result: Verdicts, thresholds: Thresholds) -> Values:
    """How little would have to change for another verdict, [n]; infinite where no number decides.

    A kept pair is as far as its nearest threshold, a dropped one as the farthest of those that drop
    it. ROUGE-L counts as it is, a score of 0 to 10 as its tenth, words as a share of the fewest
    allowed, perplexity as the logarithm of its ratio to the limit.
    """
    n = len(scores)
    distances = np.full((n, len(RULES)), np.inf)  # to the threshold of each rule
    if thresholds.max_rouge_l <= 1:
        distances[:, ROUGE] = np.abs(closest_rouge(scores, result) - thresholds.max_rouge_l)
    if thresholds.min_words:
        # Half a word below the fewest allowed lies between kept and dropped.
        gap = np.abs(scores.words - (thresholds.min_words - 0.5))
        distances[:, RULES.index("short")] = gap / thresholds.min_words
    counted = [scores.of_model[name] for name in counted_scores(thresholds)]
    if counted:
        gaps = [np.abs(values - (thresholds.min_assessment + 0.5)) / 10 for values in counted]
        distances[:, RULES.index("assessment")] = _known(np.min(gaps, axis=0))
    if thresholds.max_perplexity is not None:
        high = np.maximum(scores.of_model["answer_perplexity"], scores.of_model["perplexity"])
        gap = np.abs(np.log(high / thresholds.max_perplexity))
        distances[:, RULES.index("perplexity")] = _known(gap)
    of_dropped = np.where(result.fired, distances, 0.0).max(axis=1)
    found: Values = np.where(result.kept, distances.min(axis=1), of_dropped)
    return found


def _known(distances: Values) -> Values:
    return np.where(np.isnan(distances), np.inf, distances)


def nearest_first(distances: Values) -> Order:
    """The candidates from the smallest distance on, as written where equal."""
    return np.argsort(distances, kind="stable")


def shuffled(n: int, *key: object) -> Order:
    """A random order that is the same for the same key, such as run, iteration and reviewer."""
    return np.random.default_rng(_number(*key)).permutation(n)


def by_cluster(vectors: npt.NDArray[np.float32]) -> Order:
    """Similar candidates together: k-means of unit vectors [n, d], about 12 to a cluster; the
    largest cluster first, within it from the centre outwards."""
    from sklearn.cluster import MiniBatchKMeans

    n = len(vectors)
    if n < 3:
        return np.arange(n)
    count = max(2, min(200, round(n / 12)))
    found = MiniBatchKMeans(count, random_state=0, n_init=1).fit(vectors)
    label = found.labels_
    sizes = np.bincount(label, minlength=count)
    away = np.linalg.norm(vectors - found.cluster_centers_[label], axis=1)
    return np.lexsort((np.arange(n), away, label, -sizes[label]))


def _number(*key: object) -> int:
    text = "\n".join(map(str, key)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


# ------------------------------------------------------------------ who is asked


def asked(
    candidate_ids: Sequence[str], reviewers: Sequence[str], overlap: int, reviewer: str
) -> Mask:
    """Which candidates a reviewer is asked for, [n], when each goes to `overlap` of the listed.

    Each candidate takes the reviewers of its lowest hashes, so everybody gets a like share, and a
    reviewer more moves no candidate between the others. All of them for somebody who is not listed
    when nobody is, else none.
    """
    if not reviewers:
        return np.ones(len(candidate_ids), bool)
    if reviewer not in reviewers:
        return np.zeros(len(candidate_ids), bool)
    if overlap >= len(set(reviewers)):
        return np.ones(len(candidate_ids), bool)

    def takes(candidate_id: str) -> bool:
        ranked = sorted(set(reviewers), key=lambda name: _number(candidate_id, name))
        return reviewer in ranked[:overlap]

    return np.fromiter(map(takes, candidate_ids), bool, len(candidate_ids))


# ------------------------------------------------------------------ how far it is


class Masks(NamedTuple):
    """What stands on each candidate of an iteration for one reviewer, each [n]."""

    touched: Mask  # this reviewer ruled, skipped or flagged
    ruled: Mask  # this reviewer ruled
    skipped: Mask  # by this reviewer, and no more than that
    flagged: Mask  # by anybody
    kept: Mask  # verdict and rulings together
    differing: Mask  # rulings differ, and nobody has settled it
    rulings: npt.NDArray[np.int64]  # how many reviewers ruled


class Board:
    """An iteration as one reviewer sees it; follows a log, reading only what changed."""

    def __init__(
        self, log: DecisionLog, positions: Mapping[str, int], verdict: Mask, reviewer: str
    ) -> None:
        """`positions` gives each candidate's row, `verdict` whether the rules keep it, [n]."""
        self._log, self._positions, self._verdict = log, positions, verdict
        self._reviewer = reviewer
        n = len(verdict)
        touched, ruled, skipped, flagged, differing = np.zeros((5, n), bool)
        rulings = np.zeros(n, np.int64)
        self._masks = Masks(touched, ruled, skipped, flagged, verdict.copy(), differing, rulings)
        self._version = 0
        self._times: dict[int, datetime] = {}  # of this reviewer's rulings, by row
        self._lock = threading.Lock()

    def now(self) -> tuple[Masks, list[datetime]]:
        """The masks, and when this reviewer's rulings were made."""
        with self._lock:
            version = self._log.version
            for candidate_id in self._log.changed_since(self._version):
                if (i := self._positions.get(candidate_id)) is not None:
                    self._lay(i, self._log.of(candidate_id))
            self._version = version
            return deepcopy(self._masks), list(self._times.values())

    def _lay(self, i: int, people: People) -> None:
        masks, mine = self._masks, people.get(self._reviewer)
        masks.touched[i] = mine is not None
        masks.ruled[i] = mine is not None and mine.rules
        masks.skipped[i] = mine is not None and mine.action == "skip"
        masks.flagged[i] = any(d.action == "flag" for d in people.values())
        masks.rulings[i] = count = sum(d.rules for d in people.values())
        masks.kept[i] = counting(people).action != "reject" if count else self._verdict[i]
        masks.differing[i] = count > 1 and differ(people) and not settled(people)
        self._times.pop(i, None)
        if mine is not None and mine.rules and mine.batch is None:
            self._times[i] = mine.created


def decided_by_minute(times: Iterable[datetime]) -> float | None:
    """Decisions per minute over the last ones, breaks left out; None before there are two."""
    last = sorted(times)[-PACE_OVER:]
    gaps = [(b - a).total_seconds() for a, b in pairwise(last)]
    worked = [gap for gap in gaps if gap <= BREAK_SECONDS]
    spent = sum(worked)
    return 60 * len(worked) / spent if spent > 0 else None


def agreement_of(standing: Iterable[tuple[str, People]]) -> Agreement:
    """Krippendorff's alpha of who keeps and who drops, over pairs with two or more rulings."""
    from isara.evaluation.raters import agreement

    rows = [
        (candidate_id, reviewer, decision.outcome[0])
        for candidate_id, people in standing
        if sum(d.rules for d in people.values()) > 1
        for reviewer, decision in people.items()
        if decision.rules
    ]
    return agreement(rows)

"""The queue of a review: its order, which pairs are in it, and which comes next. Nothing draws.

    queue = make_queue(data, settings)
    queue.after(card, masks)            # the next pair to decide on, or None
    queue.step(card, masks, -1)         # the pair before, decided ones included

The order is a permutation that stays; what is wanted follows the decisions. So a pair keeps its
place, and a reload comes back to the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import streamlit as st

from app import state
from app.widgets.filters_harm import harm_table
from app.widgets.samples_data import Indices, Iteration
from isara.errors import InputError
from isara.filters import Mask
from isara.review import (
    Board,
    Masks,
    Order,
    asked,
    by_cluster,
    distance_to_cut,
    nearest_first,
    shuffled,
)
from isara.workspace.standing import DecisionLog

WRITTEN, CUT, JUDGE, RANDOM, CLUSTER = "written", "cut", "judge", "random", "cluster"
ORDERS = {
    WRITTEN: "in the order written",
    CUT: "nearest to the cut first",
    JUDGE: "least sure judge first",
    RANDOM: "in random order",
    CLUSTER: "similar ones together",
}
ALL, KEPT, DROPPED, OPEN = "all", "kept", "dropped", "undecided"
FLAGGED, SKIPPED, DIFFERING = "flagged", "skipped", "disagreements"
SHOWN = {
    OPEN: "undecided pairs",
    ALL: "all pairs",
    KEPT: "kept by the rules",
    DROPPED: "dropped by the rules",
    FLAGGED: "flagged pairs",
    SKIPPED: "skipped by me",
    DIFFERING: "disagreements",
}


# Queues that hand out work. The others look at what was decided: an adjudicator needs all of it.
HANDED_OUT = (OPEN, ALL, KEPT, DROPPED)


class Settings(NamedTuple):
    """What is reviewed, by whom and in which order."""

    reviewer: str
    order: str = WRITTEN
    show: str = OPEN
    overlap: int = 1
    reviewers: tuple[str, ...] = ()  # those who share the pairs; nobody: whoever comes
    advance: bool = True  # to the next pair after a decision


@dataclass(frozen=True, slots=True, eq=False)
class Queue:
    """The pairs of a queue in their order; `rank` is each pair's place in it, -1 outside."""

    settings: Settings
    order: Indices
    rank: Indices  # [n]

    def wanted(self, masks: Masks) -> Mask:
        """Which pairs are still to be looked at, [n]."""
        show, inside = self.settings.show, self.rank >= 0
        if show == OPEN:
            return inside & ~masks.touched & ~self.enough(masks)
        marks = {FLAGGED: masks.flagged, SKIPPED: masks.skipped, DIFFERING: masks.differing}
        return inside & marks[show] if show in marks else inside

    def enough(self, masks: Masks) -> Mask:
        """Pairs that have as many rulings as were asked for, where nobody is named."""
        if self.settings.reviewers:
            return np.zeros(len(self.rank), bool)
        return masks.rulings >= self.settings.overlap

    def done(self, masks: Masks) -> Mask:
        """Pairs of the queue that need no further ruling of this reviewer."""
        return (self.rank >= 0) & (masks.ruled | self.enough(masks))

    def first(self, masks: Masks) -> int | None:
        """The first pair that is wanted."""
        return self._at(self.wanted(masks), -1, 1)

    def after(self, row: int, masks: Masks) -> int | None:
        """The next pair that is wanted; from the end on to the beginning where decided pairs leave
        the queue."""
        wanted = self.wanted(masks)
        wanted[row] = False
        found = self._at(wanted, int(self.rank[row]), 1)
        if found is None and self.settings.show not in (ALL, KEPT, DROPPED):
            found = self._at(wanted, -1, 1)
        return found

    def step(self, row: int, masks: Masks, way: int) -> int | None:
        """The pair after (1) or before (-1) this one, also one that is decided."""
        walked = self.wanted(masks)
        if self.settings.show == OPEN:
            walked |= (self.rank >= 0) & masks.touched
        return self._at(walked, int(self.rank[row]), way)

    def _at(self, mask: Mask, rank: int, way: int) -> int | None:
        hits = np.flatnonzero(mask[self.order])
        place = np.searchsorted(hits, rank, "right" if way > 0 else "left") - (way < 0)
        return int(self.order[hits[place]]) if 0 <= place < len(hits) else None


def make_queue(data: Iteration, settings: Settings) -> Queue:
    """The queue of these settings, from the cache where it was made before."""
    made = _make_queue(data.run_id, data.k, _version(data), settings._replace(advance=True), data)
    return replace(made, settings=settings)


def _version(data: Iteration) -> int:
    return data.source.stat().st_mtime_ns if data.source else 0


@st.cache_resource(max_entries=32, show_spinner="Ordering the pairs …")
def _make_queue(run_id: str, k: int, version: int, settings: Settings, _data: Iteration) -> Queue:
    ids = _data.candidates["candidate_id"].tolist()
    inside = np.ones(len(ids), bool)
    if settings.show in HANDED_OUT:
        inside = asked(ids, settings.reviewers, settings.overlap, settings.reviewer)
    if settings.show in (KEPT, DROPPED):
        inside &= _data.result.kept == (settings.show == KEPT)
    order = order_of(_data, settings)
    order = order[inside[order]]
    rank = np.full(len(ids), -1, np.int64)
    rank[order] = np.arange(len(order))
    return Queue(settings, order, rank)


def order_of(data: Iteration, settings: Settings) -> Order:
    """All pairs in the order that was chosen. IsaraError where a model or a score is missing."""
    if settings.order == CUT:
        return nearest_first(distance_to_cut(data.packed, data.result, data.config.filters))
    if settings.order == JUDGE:
        table = harm_table(data)
        if table is None or len(table) != len(data):
            raise InputError("The judge has not read all these pairs: let it, or change the order.")
        gaps = table["harm_probability"] - data.config.evaluation.threshold
        return nearest_first(np.abs(gaps.to_numpy(np.float64)))
    if settings.order == RANDOM:
        return shuffled(len(data), data.run_id, data.k, settings.reviewer)
    if settings.order == CLUSTER:
        questions = data.candidates["question"].tolist()
        return by_cluster(state.embedder(data.config.embedder).embed(questions))
    return np.arange(len(data))


# By identity: the cache of logs is smaller, and a board on a log that left it would never move on.
@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={DecisionLog: id})
def _board(
    run_id: str, k: int, version: int, reviewer: str, log: DecisionLog, _data: Iteration
) -> Board:
    return Board(log, _data.positions, _data.result.kept, reviewer)


def board(data: Iteration, reviewer: str) -> Board:
    """What stands on each pair for a reviewer."""
    log = state.decision_log(data.run_id, data.k)
    return _board(data.run_id, data.k, _version(data), reviewer, log, data)

"""How every row of a run came to be, and what was written from it: lineage, back and forward.

    lineage = read_lineage(workspace.existing_run("demo-19d4b1"))      # lineage_files.py
    row = lineage.position("2-00007")                # a candidate by its id; "seed-3" is seed 3
    lineage.parents(row), lineage.children(row)      # whose prompts it stood in, and the other way
    lineage.family(row)                              # its ancestors down to the seeds
    without(lineage, 0, vectors)                     # what if seed 1 had not been there

The ids that stand beside each candidate name what was in its two prompts (ISARA, arXiv 2401.06785,
§4.1). Rows count from 0: the seeds in their order, then the scored candidates of each iteration.
Left out: reading the files (lineage_files.py), vectors (retrieval.py), and people's later
decisions, which are in the database; `kept` is what a run went on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isara.config import RunConfig
from isara.examples import Example
from isara.retrieval import Vectors

Use = Literal["question", "answer"]
Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]

OFFSPRING = ["iteration", "candidates", "written", "in_question", "in_answer", "kept", "reasons"]
MOST_NODES = 80  # of a family; a picture with more cannot be read


class Link(NamedTuple):
    """An example stood in a prompt: `row` is the other end, `use` what the prompt asked for.

    `similarity` is the cosine of the two questions where the example was a neighbour.
    """

    row: int
    use: Use
    similarity: float | None


class Family(NamedTuple):
    """Rows around one row, by generation: `edges` are (child, parent), `left_out` rows that a limit
    cut away."""

    rows: list[int]
    edges: list[tuple[int, int]]
    left_out: int


class Loss(NamedTuple):
    """A candidate that loses a neighbour, and what would take its place: the next nearest of the
    pool, None where there is none or where neighbours are drawn at random."""

    row: int
    similarity: float
    instead: int | None
    instead_similarity: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """All links of a run as arrays [links], sorted by child and in the order of the prompt."""

    child: Positions
    parent: Positions
    of_answer: Mask
    similarity: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lineage:
    """A run's rows and their links.

    `rows` has the columns key, kind, iteration (0 for seeds), question, answer, category, kept,
    reason (why not, None for the kept), pool_id (by which prompts name it; "" if none may) and
    too_like (the pool_id of what a candidate's question was too similar to). `trained` says which
    rows each iteration was trained on. `edits` has the pairs that a person changed before they were
    trained on. `missing` counts links to rows that are in no file any more.
    """

    run_id: str
    config: RunConfig
    rows: pd.DataFrame
    links: Links
    trained: dict[int, Mask]
    edits: dict[int, Example] = field(default_factory=dict)
    missing: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.rows["key"])}

    @cached_property
    def _by_parent(self) -> Positions:
        return np.argsort(self.links.parent, kind="stable")

    @cached_property
    def _parents_sorted(self) -> Positions:
        return self.links.parent[self._by_parent]

    def position(self, key: str) -> int | None:
        """The row of a key; None when the run has none of that name."""
        return self._places.get(key)

    def example(self, row: int) -> Example:
        """The pair as it stands in the pool: in a person's words where it was changed."""
        if row in self.edits:
            return self.edits[row]
        one = self.rows.iloc[row]
        return Example(one["question"], one["answer"], one["category"])

    def parents(self, row: int) -> list[Link]:
        """What stood in the prompts of a row, in their order: question's prompt, then answer's."""
        low, high = np.searchsorted(self.links.child, [row, row + 1])
        return self._links(np.arange(low, high), self.links.parent)

    def children(self, row: int) -> list[Link]:
        """The rows that were written with this one in a prompt, in the order of the rows."""
        low, high = np.searchsorted(self._parents_sorted, [row, row + 1])
        return self._links(np.sort(self._by_parent[low:high]), self.links.child)

    def _links(self, at: Positions, ends: Positions) -> list[Link]:
        found = []
        for i in at.tolist():
            similarity = float(self.links.similarity[i])
            use: Use = "answer" if self.links.of_answer[i] else "question"
            near = None if np.isnan(similarity) else similarity
            found.append(Link(int(ends[i]), use, near))
        return found

    def descendants(self, row: int) -> Mask:
        """Rows that were written from this one, or from one that was, and so on, [rows]."""
        mask, before = np.zeros(len(self), bool), -1
        mask[row] = True
        while (count := int(mask.sum())) != before:
            before = count
            mask[self.links.child[mask[self.links.parent]]] = True
        mask[row] = False
        return mask

    def family(
        self,
        row: int,
        *,
        back: bool = True,
        uses: Sequence[Use] = ("answer",),
        depth: int = 3,
        most: int = MOST_NODES,
    ) -> Family:
        """The rows before (or with `back` false after) a row, `depth` generations far.

        Each row is there once, however many ways lead to it. At most `most` rows, the nearest
        generations first.
        """
        seen, edges, layer, cut = [row], dict[tuple[int, int], None](), [row], set[int]()
        known = {row}
        for _ in range(depth):
            following: list[int] = []
            for one in layer:
                for link in self.parents(one) if back else self.children(one):
                    if link.use not in uses:
                        continue
                    if link.row not in known and len(seen) >= most:
                        cut.add(link.row)
                        continue
                    edges[(one, link.row) if back else (link.row, one)] = None
                    if link.row not in known:
                        known.add(link.row)
                        seen.append(link.row)
                        following.append(link.row)
            layer = following
        return Family(seen, list(edges), len(cut))

    def trained_in(self, row: int) -> list[int]:
        """The iterations whose model was trained on a row."""
        return [k for k, mask in self.trained.items() if mask[row]]

    def offspring(self, row: int) -> pd.DataFrame:
        """What became of the rows written with this one in a prompt, a line for each iteration.

        Columns: iteration, candidates (all of the iteration), written (with this row in a prompt),
        in_question, in_answer, kept, reasons (name -> count of the dropped).
        """
        lines = [self._of_iteration(k, row) for k in self.iterations if k > 0]
        return pd.DataFrame(lines, columns=OFFSPRING)

    def _of_iteration(self, k: int, row: int) -> dict[str, Any]:
        of_k = self.rows["iteration"].to_numpy() == k
        links = [link for link in self.children(row) if of_k[link.row]]
        written = sorted({link.row for link in links})
        there = self.rows.iloc[written]
        return {
            "iteration": k,
            "candidates": int(of_k.sum()),
            "written": len(written),
            "in_question": sum(link.use == "question" for link in links),
            "in_answer": sum(link.use == "answer" for link in links),
            "kept": int(there["kept"].sum()),
            "reasons": there["reason"].dropna().value_counts().to_dict(),
        }

    @property
    def iterations(self) -> list[int]:
        """The iterations with rows, 0 (the seeds) included."""
        return sorted(int(k) for k in self.rows["iteration"].unique())


# ------------------------------------------------------------------ what if


def without(
    lineage: Lineage, gone: int, vectors: Vectors, pool_vectors: Vectors | None = None
) -> list[Loss]:
    """The candidates whose answer was written with `gone` beside the question, and what would have
    stood there instead, had it not been in the pool. Nothing is changed.

    `vectors` are unit vectors of all rows' questions [rows, dimensions]; `pool_vectors` those of
    the pairs as they stand in the pool, where they differ (`edits`). This looks one step far: what
    the model would have written then, and what later iterations would have drawn on, is not known.
    """
    pool_vectors = vectors if pool_vectors is None else pool_vectors
    losses = [link for link in lineage.children(gone) if link.use == "answer"]
    rows = lineage.rows
    nearest = lineage.config.loop.retrieval == "nearest"
    ids = rows["pool_id"].to_numpy(str)
    iterations = rows["iteration"].to_numpy()
    found = []
    for k in sorted({int(iterations[link.row]) for link in losses}):
        pool = np.flatnonzero((ids != "") & (iterations < k) & (ids != ids[gone]))
        of_k = [link for link in losses if iterations[link.row] == k]
        cosines = vectors[[link.row for link in of_k]] @ pool_vectors[pool].T
        for link, row_cosines in zip(of_k, cosines, strict=True):
            stays = {ids[one.row] for one in lineage.parents(link.row) if one.use == "answer"}
            row_cosines = np.where(np.isin(ids[pool], list(stays)), -np.inf, row_cosines)
            best = int(row_cosines.argmax()) if len(pool) else -1  # of equals the first in the pool
            if not nearest or best < 0 or row_cosines[best] == -np.inf:
                found.append(Loss(link.row, link.similarity or 0.0, None, None))
                continue
            instead, cosine = int(pool[best]), float(row_cosines[best])
            found.append(Loss(link.row, link.similarity or 0.0, instead, cosine))
    return found

"""What a seed set lacks: groups of eval questions that no seed is near to.

    usual = own_similarity(seed_vectors)
    found = gaps(prompt_vectors, seed_vectors, usual.value, count=8)
    found[0].n, found[0].similarity, found[0].far         # the group farthest from every seed first

Give questions of the dev split only: what is written after a look at the test split is measured on
what it was made for. Left out: embedding (retrieval.py) and the map (maps.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isara.errors import InputError
from isara.evaluation.stats import Mean, bootstrap_mean
from isara.maps import cluster
from isara.retrieval import Vectors, nearest

SHOWN = 16  # seeds that are nearest to a group


@dataclass(frozen=True, slots=True)
class Gap:
    """A group of eval questions.

    `prompts` are their places, nearest to the group's middle first; `similarity` is the mean cosine
    of a question to its nearest seed, with its 95 % interval; `seeds` are the places of the seeds
    nearest to the group's middle. `far`: the interval lies below what is usual among the seeds.
    """

    prompts: tuple[int, ...]
    similarity: Mean
    seeds: tuple[int, ...]
    far: bool

    @property
    def n(self) -> int:
        """How many questions the group has."""
        return len(self.prompts)


def gaps(
    prompts: Vectors, seeds: Vectors, usual: float, count: int = 8, random_seed: int = 0
) -> list[Gap]:
    """The questions in `count` groups (K-means), the one farthest from every seed first.

    `prompts` [n, d] and `seeds` [m, d] are unit vectors; `usual` is the similarity that a group's
    interval must lie below to be far. InputError without any of the two.
    """
    if not len(prompts) or not len(seeds):
        raise InputError(
            f"Groups need questions and seeds, found {len(prompts)} and {len(seeds)}; choose an "
            "eval set and a seed set that have some."
        )
    labels = cluster(prompts, count, random_seed)
    best = nearest(seeds, prompts, 1)[0][:, 0].astype(float)
    found = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        middle = prompts[members].mean(0, keepdims=True)
        order = np.argsort(-(prompts[members] @ middle[0]), kind="stable")
        similarity = bootstrap_mean(best[members].tolist(), random_seed)
        found.append(
            Gap(
                tuple(members[order].tolist()),
                similarity,
                tuple(nearest(seeds, middle, SHOWN)[1][0].tolist()),
                (similarity.value if similarity.high is None else similarity.high) < usual,
            )
        )
    return sorted(found, key=lambda gap: gap.similarity.value)


def own_similarity(seeds: Vectors) -> Mean:
    """How near a seed usually is to the nearest other seed: mean cosine with its interval.

    A single seed is near to no other: 0 without an interval.
    """
    if len(seeds) < 2:
        return Mean(0.0, None, None, len(seeds))
    similarity, index = nearest(seeds, seeds, 2)
    # Equal vectors may stand before the seed itself.
    other = np.where(index[:, 0] == np.arange(len(seeds)), similarity[:, 1], similarity[:, 0])
    return bootstrap_mean(other.astype(float).tolist())

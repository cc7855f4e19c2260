"""Vectors as points on a plane, and groups of vectors that lie close together.

    points = project(embedder.embed(questions))            # PCA: the same vectors, the same map
    points = project(vectors, "umap")                      # where umap-learn is installed
    labels = cluster(vectors, 8, seed=1)                   # K-means

Near points of a map stand for texts that mean much the same, but a plane holds only a part of what
the vectors say: `explained` is that part. Left out: drawing, and embedding (retrieval.py).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isara.errors import InputError

METHODS = ("pca", "umap")
UMAP_NEIGHBOURS = 15  # the package's default; fewer points have fewer neighbours

Points = NDArray[np.float64]


def methods() -> list[str]:
    """The methods that work here: "pca", and "umap" where umap-learn is installed."""
    return [name for name in METHODS if name == "pca" or find_spec("umap") is not None]


def project(vectors: NDArray[Any], method: str = "pca", *, seed: int = 0) -> Points:
    """Points [n, 2] of vectors [n, d], centred on 0; the same vectors give the same points.

    InputError for a method that is unknown or not installed. `seed` is for UMAP alone.
    """
    if method not in methods():
        way = "install umap-learn" if method == "umap" else "choose one of these"
        raise InputError(
            f"The method of a map is one of {', '.join(methods())} here, found {method}; {way}."
        )
    known = np.asarray(vectors, np.float64)
    if method == "umap" and len(known) > 3:  # fewer have no neighbourhoods to keep
        return _umap(known, seed)
    return _pca(known)[0]


def explained(vectors: NDArray[Any]) -> float:
    """The share of the vectors' variance that their PCA map shows, from 0 to 1."""
    return _pca(np.asarray(vectors, np.float64))[1]


def _pca(vectors: Points) -> tuple[Points, float]:
    """Points [n, 2] and the share of the variance; directions that are not there are 0."""
    points = np.zeros((len(vectors), 2))
    count = min(2, len(vectors) - 1, vectors.shape[1])
    total = float(vectors.var(0).sum()) if len(vectors) else 0.0
    if count < 1 or total == 0:
        return points, 1.0
    from sklearn.decomposition import PCA

    # Fixed, since the solver that "auto" takes depends on the shape, and one of them draws.
    solver = "covariance_eigh" if len(vectors) > vectors.shape[1] else "full"
    points[:, :count] = PCA(count, svd_solver=solver).fit_transform(vectors)
    return points, float(points.var(0).sum() / total)


def _umap(vectors: Points, seed: int) -> Points:
    from umap import UMAP

    neighbours = min(UMAP_NEIGHBOURS, len(vectors) - 1)
    model = UMAP(2, n_neighbors=neighbours, metric="cosine", random_state=seed)
    points = np.asarray(model.fit_transform(vectors), np.float64)
    centred: Points = points - points.mean(0)
    return centred


def cluster(vectors: NDArray[Any], count: int, seed: int) -> NDArray[Any]:
    """The number of each row's cluster [n], by K-means; with fewer rows than clusters each row is
    its own."""
    from sklearn.cluster import KMeans

    if count >= len(vectors):
        return np.arange(len(vectors))
    found: NDArray[Any] = KMeans(count, n_init=1, random_state=seed % 2**31).fit_predict(vectors)
    return found

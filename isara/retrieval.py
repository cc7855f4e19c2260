"""Embed questions and find the nearest: sentence-transformers and exact search in FAISS.

embedder = SentenceEmbedder("data/demo/embedder")
similarity, index = nearest(embedder.embed(pool), embedder.embed(questions), 8)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isara.models import from_pretrained, loading, location

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """What turns texts into unit vectors."""

    name: str

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors [texts, dimensions], float32."""
        ...


class SentenceEmbedder:
    """Any sentence-transformers model."""

    @loading
    def __init__(self, name: str, device: str | None = None) -> None:
        from sentence_transformers import SentenceTransformer

        class Loader:
            """`SentenceTransformer(...)` behind the name that `from_pretrained` calls."""

            @staticmethod
            def from_pretrained(where: str, **arguments: Any) -> SentenceTransformer:
                return SentenceTransformer(where, device=device, **arguments)

        self.name = name
        location(name)
        self.model: SentenceTransformer = from_pretrained(
            Loader, name, model_kwargs={"use_safetensors": True}
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors [texts, dimensions], float32."""
        if not texts:
            return np.zeros((0, self.model.get_embedding_dimension() or 1), dtype=np.float32)
        vectors = self.model.encode(
            list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)


def nearest(pool: Vectors, queries: Vectors, count: int) -> tuple[Vectors, NDArray[np.int64]]:
    """Cosine and index of the `count` nearest pool rows, nearest first; arrays [queries, count].

    Exact search (inner product of unit vectors); equal similarities stand in the pool's order.
    """
    import faiss

    count = min(count, len(pool))
    if count == 0 or len(queries) == 0:
        return np.zeros((len(queries), count), np.float32), np.zeros(
            (len(queries), count), np.int64
        )
    index = faiss.IndexFlatIP(pool.shape[1])
    index.add(np.ascontiguousarray(pool))
    similarity, found = index.search(np.ascontiguousarray(queries), count)
    order = np.lexsort((found, -similarity), axis=1)  # FAISS leaves equal ones in any order
    return np.take_along_axis(similarity, order, 1), np.take_along_axis(found, order, 1)

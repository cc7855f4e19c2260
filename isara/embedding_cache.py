"""Embeddings kept on disk, by model and text: what was embedded once is read back.

    embedder = CachedEmbedder("data/demo/embedder", workspace.embeddings)
    vectors = embedder.embed(texts)      # only texts that are new to the file reach the model

The model itself is loaded when the first new text comes. A model folder whose files have changed
is another model; a damaged file is put aside and begun anew. Not here: search (retrieval.py).
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from isara.config import resolve
from isara.retrieval import Embedder, SentenceEmbedder, Vectors

AT_ONCE = 500  # keys in one question to the database; SQLite allows 999 in old versions
WAIT_S = 30.0  # for another process that writes

log = logging.getLogger(__name__)


class CachedEmbedder:
    """A sentence-transformers model behind a file of vectors."""

    def __init__(
        self,
        name: str,
        path: Path,
        device: str | None = None,
        load: Callable[[str, str | None], Embedder] | None = None,
    ) -> None:
        self.name = name
        self.path = path
        self._load = partial(load or SentenceEmbedder, name, device)

    @cached_property
    def embedder(self) -> Embedder:
        """The model, loaded when it is first needed."""
        return self._load()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors [texts, dimensions], float32."""
        model = model_identity(self.name)
        if model is None or not texts:  # not downloaded yet: its version is not known
            return self.embedder.embed(texts)
        keys = {text: hashlib.sha256(text.encode()).digest() for text in texts}
        found = self._read(model, list(keys.values()))
        new = [text for text, key in keys.items() if key not in found]
        if new:
            vectors = self.embedder.embed(new)
            made = {keys[text]: vector for text, vector in zip(new, vectors, strict=True)}
            self._write(model, made)
            found |= made
        return np.stack([found[keys[text]] for text in texts])

    def missing(self, texts: Sequence[str]) -> int:
        """How many of these texts would reach the model."""
        model = model_identity(self.name)
        keys = {hashlib.sha256(text.encode()).digest() for text in texts}
        return len(keys) - len(self._read(model, list(keys)) if model and keys else {})

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=WAIT_S)
        database.execute(
            "CREATE TABLE IF NOT EXISTS vectors "
            "(model TEXT, text BLOB, vector BLOB, PRIMARY KEY (model, text)) WITHOUT ROWID"
        )
        return database

    def _read(self, model: str, keys: list[bytes]) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}
        keys = sorted(keys)  # as they lie in the file: three times faster for tens of thousands
        try:
            with closing(self._open()) as database:
                for start in range(0, len(keys), AT_ONCE):
                    part = keys[start : start + AT_ONCE]
                    marks = ",".join("?" * len(part))
                    rows = database.execute(
                        f"SELECT text, vector FROM vectors WHERE model = ? AND text IN ({marks})",
                        [model, *part],
                    )
                    found |= {key: np.frombuffer(vector, np.float32) for key, vector in rows}
        except sqlite3.OperationalError as error:  # locked, full or read-only: go on without it
            log.warning("The embeddings in %s were not read: %s", self.path, error)
        except sqlite3.DatabaseError as error:
            aside = self.path.with_suffix(".damaged")
            self.path.replace(aside)
            log.warning("%s is damaged (%s): moved to %s, begun anew", self.path, error, aside)
        return found

    def _write(self, model: str, made: dict[bytes, Vectors]) -> None:
        rows = [(model, key, vector.tobytes()) for key, vector in made.items()]
        try:
            with closing(self._open()) as database, database:
                database.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)
        except sqlite3.Error as error:
            log.warning("Embeddings were not kept in %s: %s", self.path, error)


def model_identity(name: str) -> str | None:
    """What tells a model's weights from others: its folder's files, or its commit on the hub.

    None for a hub model that is not on this machine yet.
    """
    folder = resolve(name)
    if folder.is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        facts = [
            f"{path.relative_to(folder)} {path.stat().st_size} {path.stat().st_mtime_ns}"
            for path in files
        ]
        return hashlib.sha256("\n".join([str(folder), *facts]).encode()).hexdigest()
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name, "config.json")
    return f"{name}@{Path(found).parent.name}" if isinstance(found, str) else None

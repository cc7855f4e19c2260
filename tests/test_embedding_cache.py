"""Embeddings on disk: embedded once, per model, and never a reason to fail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from isara.embedding_cache import CachedEmbedder, model_identity
from isara.retrieval import Vectors


class Counting:
    """Vectors made of a text's length; remembers what it was asked for."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        """[length, 1] of each text."""
        self.asked.append(list(texts))
        return np.array([[len(text), 1.0] for text in texts], np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model folder: its files' sizes and times are what matters here."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def opened(model: Path, counting: Counting) -> CachedEmbedder:
    """As another process would open the same file."""
    return CachedEmbedder(str(model), model.parent / "v.sqlite", load=lambda *_: counting)


def test_a_text_is_embedded_once(model: Path) -> None:
    counting = Counting()
    first = opened(model, counting).embed(["aa", "b", "aa"])
    second = opened(model, counting).embed(["b", "ccc", "aa"])
    assert counting.asked == [["aa", "b"], ["ccc"]]
    assert first.tolist() == [[2, 1], [1, 1], [2, 1]]
    assert second.tolist() == [[1, 1], [3, 1], [2, 1]]
    assert second.dtype == np.float32


def test_texts_that_would_reach_the_model_are_counted_once(model: Path) -> None:
    cache = opened(model, Counting())
    assert cache.missing([]) == 0
    assert cache.missing(["aa", "b", "aa"]) == 2
    cache.embed(["aa"])
    assert cache.missing(["aa", "b", "aa"]) == 1


def test_the_model_is_not_loaded_for_known_texts(model: Path) -> None:
    opened(model, Counting()).embed(["aa"])

    def load(*_: object) -> Counting:
        raise AssertionError("loaded")

    again = CachedEmbedder(str(model), model.parent / "v.sqlite", load=load)
    assert again.embed(["aa"]).tolist() == [[2, 1]]


def test_other_weights_are_another_model(model: Path) -> None:
    counting = Counting()
    opened(model, counting).embed(["aa"])
    before = model_identity(str(model))
    (model / "model.safetensors").write_bytes(b"other weights")
    assert model_identity(str(model)) != before
    opened(model, counting).embed(["aa"])
    assert counting.asked == [["aa"], ["aa"]]


def test_many_texts(model: Path) -> None:
    texts = [f"{'x' * (n % 40)} {n}" for n in range(2_500)]
    counting = Counting()
    opened(model, counting).embed(texts[:1_700])
    assert opened(model, counting).embed(texts)[:, 0].tolist() == [len(text) for text in texts]
    assert len(counting.asked[1]) == 800


def test_a_damaged_file_is_put_aside(model: Path) -> None:
    path = model.parent / "v.sqlite"
    path.write_bytes(b"no database at all, " * 100)
    counting = Counting()
    assert opened(model, counting).embed(["aa"]).tolist() == [[2, 1]]
    assert path.with_suffix(".damaged").read_bytes().startswith(b"no database")
    opened(model, counting).embed(["aa"])
    assert len(counting.asked) == 1


def test_a_file_that_cannot_be_opened_is_no_reason_to_fail(
    model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (model.parent / "v.sqlite").mkdir()
    assert opened(model, Counting()).embed(["aa"]).tolist() == [[2, 1]]
    assert "not read" in caplog.text
    assert "not kept" in caplog.text


def test_a_hub_model_that_is_not_here_has_no_identity_yet(model: Path) -> None:
    assert model_identity("nobody/nothing") is None
    cached = CachedEmbedder("nobody/nothing", model.parent / "v.sqlite", load=lambda *_: Counting())
    assert cached.embed(["aa"]).tolist() == [[2, 1]]
    assert not (model.parent / "v.sqlite").exists()
    assert len(opened(model, Counting()).embed([])) == 0

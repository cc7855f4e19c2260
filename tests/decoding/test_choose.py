"""Which writer a model gets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch

from isara.bench.random_models import ARCHITECTURES, random_model
from isara.decoding.choose import engine_obstacle, writer_for
from isara.decoding.generate import GenerateWriter
from isara.decoding.hugging_face import HuggingFaceWriter
from isara.models import Language


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_engine_follows_every_architecture(name: str) -> None:
    assert engine_obstacle(random_model(name)) is None


def test_in_bfloat16_as_well() -> None:
    assert engine_obstacle(random_model("llama").to(torch.bfloat16)) is None


def test_a_model_that_attends_in_its_own_way_is_decoded_by_generate(
    new_language: Callable[..., Language],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    language = new_language()
    layer: Any = language.model.model.layers[1].self_attn
    forward = layer.forward

    def louder(*arguments: Any, **more: Any) -> Any:
        output, weights = forward(*arguments, **more)
        return output * (1.5 if arguments or more["hidden_states"].shape[1] > 2 else 1.0), weights

    monkeypatch.setattr(layer, "forward", louder)
    with caplog.at_level(logging.WARNING):
        writer = writer_for(language)
    assert type(writer) is GenerateWriter
    assert "its logits differ by" in caplog.text


def test_what_the_engine_cannot_do_is_named(new_language: Callable[..., Language]) -> None:
    model = new_language().model
    assert type(writer_for(new_language())) is HuggingFaceWriter
    model.config.layer_types = ["full_attention", "linear_attention"]
    assert engine_obstacle(model) == "it has layers of the kind linear_attention"
    model.config.layer_types = None
    model.config.rope_parameters = {"rope_type": "dynamic", "factor": 2.0}
    assert engine_obstacle(model) == "its positions depend on the longest text of a batch"

"""What the machine can do: memory bandwidth and matrix rate, measured; the floor built on them."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from isara.bench import seconds
from isara.decoding.engine import column_bytes

BYTES = 1 << 28  # of the array that is read
SIDE = 1024


@cache
def bandwidth(device: str) -> float:
    """Bytes a second that are read from a large array."""
    array = torch.ones(BYTES // 4, device=device)

    def read() -> None:
        float(array.sum())

    read()
    return BYTES / min(seconds(read) for _ in range(7))


@cache
def matrix_rate(device: str, dtype: torch.dtype) -> float:
    """Operations a second of a square product, the better library's on a CPU."""
    a = torch.randn(SIDE, SIDE, device=device, dtype=dtype)

    def plain() -> None:
        torch.mm(a, a)
        if device != "cpu":
            torch.cuda.synchronize()

    def onednn() -> None:
        torch.ops.mkldnn._linear_pointwise(a, a, None, "none", [], "")

    ways = [plain]
    if device == "cpu" and dtype == torch.float32:
        ways.append(onednn)
    with torch.inference_mode():
        for way in ways:
            way()
        best = min(seconds(way) for way in ways for _ in range(9))
    return 2 * SIDE**3 / best


def floor_seconds(model: Any, lengths: list[int], *, width: int, budget: int, passes: int) -> float:
    """No decoder of this model is faster: operations over the matrix rate, or bytes over bandwidth.

    For the prompts all weights and the causal half of attention; for each of `budget` steps the
    weights once a pass, every prompt's keys and values, and the products of `width` rows each.
    """
    config = model.config.get_text_config()
    device, dtype = str(model.device.type), model.dtype
    rate, speed = matrix_rate(device, dtype), bandwidth(device)
    weights = sum(p.numel() for p in model.parameters())
    embedding = config.vocab_size * config.hidden_size
    body = weights - embedding * (1 if config.tie_word_embeddings else 2)
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    inner = config.num_attention_heads * size * config.num_hidden_layers
    total, squares = sum(lengths), sum(n * n for n in lengths)
    prompts = (2 * body * total + 2 * inner * squares) / rate
    columns = total + len(lengths) * budget / 2
    step_bytes = columns * column_bytes(model) + passes * weights * dtype.itemsize
    rows = len(lengths) * width
    step_work = 2 * rows * (body + embedding) + 4 * inner * width * columns
    return float(prompts + budget * max(step_work / rate, step_bytes / speed))

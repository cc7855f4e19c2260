"""Which writer a model gets: the engine, or `generate` where the engine cannot follow the model.

Whether it can is found out by trying: a few tokens through both ways must give the same logits.
"""

from __future__ import annotations

import logging
from typing import Any

import torch

from isara.decoding.generate import GenerateWriter
from isara.decoding.hugging_face import HuggingFaceWriter
from isara.decoding.shared_cache import new_cache, shared_attention
from isara.models import Language

LAYERS = {"full_attention", "sliding_attention", "attention"}
# Positions that are scaled by the longest text of the batch: a row would depend on the others.
BATCH_ROPES = {"dynamic", "longrope"}
PROMPTS = [[5, 3, 7, 4, 6, 3, 5, 4, 7], [6, 4, 3, 5]]
TOLERANCE = {torch.float64: 1e-3, torch.float32: 1e-3}  # of the logits' spread
LOW_PRECISION = 0.2

log = logging.getLogger(__name__)


def writer_for(language: Language) -> HuggingFaceWriter:
    """The engine's writer, or `generate`'s with a line in the log."""
    reason = engine_obstacle(language.model)
    if reason is None:
        return HuggingFaceWriter(language)
    log.warning("%s is decoded by generate, which is slower: %s", language.name, reason)
    return GenerateWriter(language)


def engine_obstacle(model: Any) -> str | None:
    """Why the engine cannot decode a model, or None when it can."""
    config = model.config.get_text_config()
    strange = set(getattr(config, "layer_types", None) or []) - LAYERS
    if strange:
        return f"it has layers of the kind {', '.join(sorted(strange))}"
    ropes = str(getattr(config, "rope_parameters", None) or {})
    if any(f"'{kind}'" in ropes for kind in BATCH_ROPES):
        return "its positions depend on the longest text of a batch"
    try:
        with torch.inference_mode():
            difference, spread = _difference(model)
    except Exception as error:  # a model's own code may refuse the cache in any way
        return f"its attention cannot be shared ({' '.join(str(error).split())[:200]})"
    allowed = TOLERANCE.get(model.dtype, LOW_PRECISION) * spread
    if not difference <= allowed:
        return f"its logits differ by {difference:.2g} where {allowed:.2g} is expected"
    return None


def _difference(model: Any) -> tuple[float, float]:
    """Largest difference of the logits after two steps with crossed beams, and their spread."""
    device = next(model.parameters()).device
    cache = new_cache(model, len(PROMPTS), 2, max(map(len, PROMPTS)) - 1, 8)
    beams = [[[*prompt, 3, 5], [*prompt, 4, 6]] for prompt in PROMPTS]
    with shared_attention(model):
        cache.prefill(model, range(len(PROMPTS)), PROMPTS)
        last = torch.tensor([[p[-1]] * 2 for p in PROMPTS], device=device)
        cache.step(model, last)
        first = torch.tensor([[row[-2] for row in slot] for slot in beams], device=device)
        cache.step(model, first)
        # Beam 0 goes on from beam 1 and the other way round.
        cache.reorder(torch.tensor([[1, 0]] * len(PROMPTS), device=device))
        second = torch.tensor([[row[-1] for row in slot[::-1]] for slot in beams], device=device)
        ours = cache.step(model, second).float()
    worst, spread = 0.0, 0.0
    for slot, rows in enumerate(beams):
        for beam, row in enumerate(rows[::-1]):
            tokens = torch.tensor([row], device=device)
            theirs = model(input_ids=tokens, use_cache=False).logits[0, -1].float()
            worst = max(worst, float((ours[slot, beam] - theirs).abs().max()))
            spread = max(spread, float(theirs.std()))
    return worst, spread

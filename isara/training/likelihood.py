"""How likely pairs are under a model, and where they lie in its last layer.

    found = measure_pairs(language, [Example("Q?", "A.")], max_tokens=512)
    np.exp(-found.answer_log_probs / found.answer_tokens)      # perplexity of the answers

The pair stands in the format that training uses, without examples before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isara.examples import Example
from isara.models import Language
from isara.training.sft import IGNORED, TrainingRow, collate, encode_row

if TYPE_CHECKING:
    import torch

BATCH_TOKENS = 8192  # padded tokens of one forward pass


@dataclass(frozen=True, slots=True, eq=False)
class PairMeasures:
    """Of n pairs: summed log-probabilities (nats) and tokens of the answers with their end token,
    the same of the whole texts without the begin token, and the mean of the last layer's vectors
    over the text [n, width]."""

    answer_log_probs: NDArray[np.float64]
    answer_tokens: NDArray[np.int64]
    log_probs: NDArray[np.float64]
    tokens: NDArray[np.int64]
    vectors: NDArray[np.float32]

    @property
    def answer_perplexity(self) -> NDArray[np.float64]:
        """exp of the mean token loss of each answer."""
        found: NDArray[np.float64] = np.exp(-self.answer_log_probs / self.answer_tokens)
        return found

    @property
    def perplexity(self) -> NDArray[np.float64]:
        """exp of the mean token loss of each pair."""
        found: NDArray[np.float64] = np.exp(-self.log_probs / self.tokens)
        return found


def measure_pairs(
    language: Language, examples: Sequence[Example], *, max_tokens: int, multiline: bool = False
) -> PairMeasures:
    """Measure every pair under the model; pairs are cut at `max_tokens` as in training.

    InputError for a pair whose question alone fills them.
    """
    import torch

    rows = [encode_row(TrainingRow(e), language, max_tokens, multiline) for e in examples]
    pad = int(language.tokenizer.pad_token_id or 0)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    sums = np.zeros((4, len(rows)))
    width = int(language.model.config.get_text_config().hidden_size)
    vectors = np.zeros((len(rows), width), np.float32)
    model = language.model.eval()
    with torch.inference_mode():
        for start, end in _batches([len(rows[i]["input_ids"]) for i in order]):
            part = order[start:end]
            batch = collate([rows[i] for i in part], pad)
            inputs = {n: batch[n].to(language.device) for n in ("input_ids", "attention_mask")}
            output = model(**inputs, output_hidden_states=True, use_cache=False)
            labels = batch["labels"].to(language.device)
            sums[:, part] = _sums(output.logits, inputs, labels).cpu().numpy()
            mask = inputs["attention_mask"][..., None]
            hidden = output.hidden_states[-1].float()
            vectors[part] = ((hidden * mask).sum(1) / mask.sum(1)).cpu().numpy()
    counts = sums[2:].astype(np.int64)
    return PairMeasures(sums[0], counts[0], sums[1], counts[1], vectors)


def _batches(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Ranges of rows of rising length that fit into one pass."""
    ranges, start = [], 0
    for end in range(1, len(lengths) + 1):
        if end == len(lengths) or (end - start + 1) * lengths[end] > BATCH_TOKENS:
            ranges.append((start, end))
            start = end
    return ranges


def _sums(
    logits: torch.Tensor, inputs: dict[str, torch.Tensor], labels: torch.Tensor
) -> torch.Tensor:
    """Log-probability of answer and of text, tokens of answer and of text [4, rows]."""
    import torch

    targets = inputs["input_ids"][:, 1:]
    found = torch.log_softmax(logits[:, :-1].float(), -1).gather(-1, targets[..., None])[..., 0]
    real = inputs["attention_mask"][:, 1:].bool()
    answer = real & (labels[:, 1:] != IGNORED)
    parts = ((found * answer).sum(1), (found * real).sum(1), answer.sum(1), real.sum(1))
    return torch.stack([part.double() for part in parts])

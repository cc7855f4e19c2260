"""Decoding through Hugging Face `generate`.

Sampling is written as greedy search over scores with Gumbel noise added (Gumbel-max: the argmax
of log p + Gumbel noise is a draw from p). The noise of a row comes from that row's own seed, so a
draw does not depend on the other rows of the batch, and two models that answer the same prompt
with the same seed are compared on paired draws.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from isara.config import GenerationConfig
from isara.decoding import Written
from isara.errors import InputError
from isara.models import Language
from isara.prompts import ANSWER_MARKER, QUESTION_MARKER

if TYPE_CHECKING:
    import torch

LINE_BREAK = re.compile("\n")  # ends a text of one line
MARKER = re.compile(f"{QUESTION_MARKER}|{ANSWER_MARKER}")  # ends a text of several lines


LOGITS_BYTES = 2 * 2**30


class RowNoise:
    """Logits processor: adds Gumbel noise to the scores, one generator per row.

    Scores [rows, vocabulary]; called once per step, rows in the batch's order.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self.seeds = list(seeds)
        self.generators: list[torch.Generator] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        import torch

        if not self.generators:
            made = (torch.Generator(scores.device) for _ in self.seeds)
            self.generators = [g.manual_seed(s) for g, s in zip(made, self.seeds, strict=True)]
        noise = torch.empty_like(scores, dtype=torch.float32)
        for row, generator in zip(noise, self.generators, strict=True):
            row.exponential_(generator=generator)
        return scores - noise.log()  # -log of an exponential draw is a Gumbel draw


def sampling_processors(settings: GenerationConfig, seeds: Sequence[int]) -> list[Any]:
    """Temperature, top-k and top-p in `generate`'s order, then the rows' noise."""
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    processors: list[Any] = []
    if settings.temperature != 1.0:
        processors.append(TemperatureLogitsWarper(settings.temperature))
    if settings.top_k:
        processors.append(TopKLogitsWarper(settings.top_k))
    if settings.top_p < 1.0:
        processors.append(TopPLogitsWarper(settings.top_p))
    return [*processors, RowNoise(seeds)]


class HuggingFaceWriter:
    """A `Writer` over a loaded causal language model."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.name = language.name
        self.context = language.context

    def count_tokens(self, text: str) -> int:
        """Tokens of a prompt, the begin token included."""
        return self.language.count_tokens(text)

    def write(
        self,
        prompts: Sequence[str],
        settings: GenerationConfig,
        *,
        max_new_tokens: int,
        seeds: Sequence[int],
        multiline: bool = False,
        batch_size: int = 32,
        on_progress: Callable[[int], None] | None = None,
    ) -> list[Written]:
        """One text per prompt, in order; prompts of similar length share a batch."""
        lengths = [self.count_tokens(prompt) for prompt in prompts]
        self._check_lengths(lengths, max_new_tokens)
        order = sorted(range(len(prompts)), key=lambda i: lengths[i])
        batch_size = min(batch_size, self._rows_of_logits(settings, max_new_tokens))
        written: dict[int, Written] = {}
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            texts = self._batch(
                [prompts[i] for i in rows],
                settings,
                max_new_tokens,
                [seeds[i] for i in rows],
                multiline,
            )
            written.update(zip(rows, texts, strict=True))
            if on_progress is not None:
                on_progress(len(written))
        return [written[i] for i in range(len(prompts))]

    def _rows_of_logits(self, settings: GenerationConfig, max_new_tokens: int) -> int:
        """Prompts whose raw logits, kept for the log-probabilities, stay within LOGITS_BYTES."""
        beams = settings.num_beams if settings.strategy == "beam" else 1
        row = beams * max_new_tokens * len(self.language.tokenizer) * 4
        return max(1, LOGITS_BYTES // row)

    def _check_lengths(self, lengths: list[int], max_new_tokens: int) -> None:
        limit = self.context - max_new_tokens
        too_long = [(i, n) for i, n in enumerate(lengths) if n > limit]
        if too_long:
            listed = ", ".join(f"row {i + 1}: {n}" for i, n in too_long[:10])
            raise InputError(
                f"{len(too_long)} prompts are longer than the {limit} tokens that fit beside "
                f"{max_new_tokens} new ones ({listed}): show fewer examples or lower the budget."
            )

    def _generation_arguments(
        self, settings: GenerationConfig, max_new_tokens: int, seeds: Sequence[int], multiline: bool
    ) -> dict[str, Any]:
        ends = list(self.language.end_tokens)
        if not multiline:
            ends += [i for i in self.language.line_break_tokens if i not in ends]
        arguments: dict[str, Any] = {
            "max_new_tokens": max_new_tokens,
            "do_sample": False,
            "num_beams": settings.num_beams if settings.strategy == "beam" else 1,
            "repetition_penalty": settings.repetition_penalty,
            "no_repeat_ngram_size": settings.no_repeat_ngram_size,
            "eos_token_id": ends,
            "pad_token_id": self.language.tokenizer.pad_token_id,
            "return_dict_in_generate": True,
            "output_logits": True,
        }
        if settings.strategy == "beam":
            arguments["length_penalty"] = settings.length_penalty
            arguments["early_stopping"] = settings.early_stopping
        if settings.decay_start is not None:
            start = int(settings.decay_start * max_new_tokens)
            arguments["exponential_decay_length_penalty"] = (start, settings.decay_factor)
        if settings.strategy == "sample":
            arguments["logits_processor"] = sampling_processors(settings, seeds)
        if multiline:
            arguments["stop_strings"] = [QUESTION_MARKER, ANSWER_MARKER]
            arguments["tokenizer"] = self.language.tokenizer
        return arguments

    def _batch(
        self,
        prompts: list[str],
        settings: GenerationConfig,
        max_new_tokens: int,
        seeds: list[int],
        multiline: bool,
    ) -> list[Written]:
        import torch

        rows = {"input_ids": [self.language.encode(prompt) for prompt in prompts]}
        encoded: Any = self.language.tokenizer.pad(rows, return_tensors="pt", padding=True)
        encoded = encoded.to(self.language.device)
        arguments = self._generation_arguments(settings, max_new_tokens, seeds, multiline)
        with torch.inference_mode():
            generate: Any = self.language.model.generate
            output = generate(
                input_ids=encoded["input_ids"],
                attention_mask=encoded["attention_mask"],
                **arguments,
            )
        new = output.sequences[:, encoded["input_ids"].shape[1] :].cpu()
        log_probs = chosen_log_probs(output, new)
        ends = set(arguments["eos_token_id"])
        return [
            self._written(row, log_probs[i], ends, multiline) for i, row in enumerate(new.tolist())
        ]

    def _written(
        self, row: list[int], log_probs: torch.Tensor, ends: set[int], multiline: bool
    ) -> Written:
        end = next((n for n, token in enumerate(row, 1) if token in ends), None)
        count = end or len(row)
        if multiline:  # what follows a marker is padding: the fewest tokens that hold one
            count = bisect_left(
                range(count), True, key=lambda n: bool(MARKER.search(self._text(row[:n])))
            )
        # An end token may carry text before its line break (".\n"): that text belongs here.
        ending = MARKER if multiline else LINE_BREAK
        text, *rest = ending.split(self._text(row[:count]), maxsplit=1)
        finish = "end" if end or rest else "budget"
        return Written(text.strip(), finish, float(log_probs[:count].sum()), count)

    def _text(self, tokens: list[int]) -> str:
        if tokens and tokens[-1] in self.language.end_tokens:
            tokens = tokens[:-1]
        return str(self.language.tokenizer.decode(tokens, skip_special_tokens=True))


def chosen_log_probs(output: Any, new: torch.Tensor) -> torch.Tensor:
    """Log-probability of every new token [rows, steps] under the model's raw logits.

    With beams, the logits of a step are found through the beam that a token came from.
    """
    import torch

    rows, steps = new.shape
    result = torch.zeros(rows, steps)
    beams = getattr(output, "beam_indices", None)
    for step in range(min(steps, len(output.logits))):
        logits = output.logits[step]
        source = torch.arange(rows) if beams is None else beams[:, step].cpu()
        alive = source >= 0
        tokens = new[:, step : step + 1].to(logits.device)
        chosen = logits[source.clamp(min=0).to(logits.device)].float().log_softmax(-1)
        picked = chosen.gather(1, tokens)[:, 0].cpu()
        result[:, step] = torch.where(alive, picked, torch.zeros(()))
    return result

"""Decoding through Hugging Face `generate`: the reference that the engine is held against.

The loop uses it for models whose attention the engine cannot follow; tests and benchmarks use it
as the other side. It writes the same texts, slower: the prompt's cache is copied for every beam,
and the raw logits of all steps are kept for the log-probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from isara.config import GenerationConfig
from isara.decoding.hugging_face import MARKERS, HuggingFaceWriter, Request

if TYPE_CHECKING:
    import torch

    from isara.decoding.engine import Generated

LOGITS_BYTES = 2 * 2**30
BATCH_SIZE = 32


class RowNoise:
    """Logits processor: adds each row's own Gumbel noise to the scores (draws.py says why).

    Scores [rows, vocabulary]; called once per step, rows in the batch's order.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self.seeds = list(seeds)
        self.generators: list[torch.Generator] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        import torch

        from isara.decoding.draws import add_noise

        if not self.generators:
            made = (torch.Generator(scores.device) for _ in self.seeds)
            self.generators = [g.manual_seed(s) for g, s in zip(made, self.seeds, strict=True)]
        return add_noise(scores, self.generators)


class Listener:
    """Stopping criterion: tells what the rows hold so far, and ends all of them when asked to.

    Sequences [rows, tokens] of prompt and new tokens; called once per step.
    """

    def __init__(
        self,
        tell: Callable[[list[list[int]]], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.tell = tell
        self.should_stop = should_stop
        self.prompt_tokens = 0
        self.stopped = False

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        import torch

        if self.tell is not None:
            self.tell(input_ids[:, self.prompt_tokens :].tolist())
        self.stopped = self.stopped or (self.should_stop is not None and self.should_stop())
        return torch.full(input_ids.shape[:1], self.stopped, device=input_ids.device)


def generation_arguments(
    settings: GenerationConfig, budget: int, ends: Sequence[int]
) -> dict[str, Any]:
    """The settings as arguments of `generate`; sampling is left to logits processors."""
    arguments: dict[str, Any] = {
        "max_new_tokens": budget,
        "do_sample": False,
        "num_beams": settings.num_beams if settings.strategy == "beam" else 1,
        "repetition_penalty": settings.repetition_penalty,
        "no_repeat_ngram_size": settings.no_repeat_ngram_size,
        "eos_token_id": list(ends),
    }
    if arguments["num_beams"] > 1:
        arguments["length_penalty"] = settings.length_penalty
        arguments["early_stopping"] = settings.early_stopping
    if settings.min_new_tokens:
        arguments["min_new_tokens"] = settings.min_new_tokens
    if settings.decay_start is not None:
        start = int(settings.decay_start * budget)
        arguments["exponential_decay_length_penalty"] = (start, settings.decay_factor)
    return arguments


class GenerateWriter(HuggingFaceWriter):
    """A `Writer` through `generate`, prompts of similar length in one batch."""

    def _decode(self, asked: Request) -> list[Generated]:
        """As the engine; of beams no texts are told on the way."""
        from isara.decoding.engine import Generated

        rows, settings, budget = asked.rows, asked.settings, asked.budget
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        size = min(asked.batch_size or BATCH_SIZE, self._rows_of_logits(settings, budget))
        done: dict[int, Generated] = {}
        for start in range(0, len(order), size):
            if asked.should_stop is not None and asked.should_stop():
                break
            part = order[start : start + size]
            arguments = generation_arguments(settings, budget, asked.ends)
            texts = self._batch(
                [rows[i] for i in part],
                settings,
                [asked.seeds[i] for i in part],
                asked.multiline,
                arguments,
                self._listener(part, asked),
            )
            done.update(zip(part, texts, strict=True))
            if asked.on_progress is not None:
                asked.on_progress(len(done))
        return [done.get(i, Generated([], [], complete=False)) for i in range(len(rows))]

    def _listener(self, part: Sequence[int], asked: Request) -> Listener:
        """Tells the texts of a batch, the rows `part` of the call."""
        ends, on_text = set(asked.ends), asked.on_text

        def tell(rows: list[list[int]]) -> None:
            for i, tokens in zip(part, rows, strict=True):
                if on_text is not None and not ends.intersection(tokens[:-1]):
                    on_text(i, self._text(tokens))

        beams = asked.settings.strategy == "beam"
        return Listener(None if beams or on_text is None else tell, asked.should_stop)

    def _rows_of_logits(self, settings: GenerationConfig, budget: int) -> int:
        """Prompts whose raw logits, kept for the log-probabilities, stay within LOGITS_BYTES."""
        beams = settings.num_beams if settings.strategy == "beam" else 1
        return max(1, LOGITS_BYTES // (beams * budget * len(self.language.tokenizer) * 4))

    def _batch(
        self,
        rows: list[list[int]],
        settings: GenerationConfig,
        seeds: list[int],
        multiline: bool,
        arguments: dict[str, Any],
        listener: Listener,
    ) -> list[Generated]:
        import torch
        from transformers import StoppingCriteriaList

        from isara.decoding.draws import warpers
        from isara.decoding.engine import Generated

        if settings.strategy == "sample":
            arguments["logits_processor"] = [*warpers(settings), RowNoise(seeds)]
        if multiline:
            arguments["stop_strings"] = list(MARKERS)
            arguments["tokenizer"] = self.language.tokenizer
        encoded: Any = self.language.tokenizer.pad({"input_ids": rows}, return_tensors="pt")
        encoded = encoded.to(self.language.device)
        listener.prompt_tokens = encoded["input_ids"].shape[1]
        with torch.inference_mode():
            generate: Any = self.language.model.generate
            output = generate(
                input_ids=encoded["input_ids"],
                attention_mask=encoded["attention_mask"],
                pad_token_id=self.language.tokenizer.pad_token_id,
                return_dict_in_generate=True,
                output_logits=True,
                stopping_criteria=StoppingCriteriaList([listener]),
                **arguments,
            )
        new = output.sequences[:, listener.prompt_tokens :].cpu()
        log_probs = chosen_log_probs(output, new)
        return [
            Generated(
                *first_text(tokens, own, set(arguments["eos_token_id"])),
                complete=not listener.stopped,
            )
            for tokens, own in zip(new.tolist(), log_probs.tolist(), strict=True)
        ]


def first_text(
    tokens: list[int], log_probs: list[float], ends: set[int]
) -> tuple[list[int], list[float]]:
    """Up to and including the first end token: what follows is padding."""
    count = next((n for n, token in enumerate(tokens, 1) if token in ends), len(tokens))
    return tokens[:count], log_probs[:count]


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

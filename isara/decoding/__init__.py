"""Write text with a language model: beam search, seeded sampling, greedy.

`Writer` is what the loop needs. hugging_face.py has the real one over the engine (engine.py),
generate.py the same over transformers' `generate`, scripted.py a fake for tests and for trying the
pages without a model; choose.py says which of the first two a model gets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from isara.config import GenerationConfig


@dataclass(frozen=True, slots=True)
class Written:
    """One generated text.

    `finish` is "end" (an end token came), "budget" (the token budget cut it) or "stopped" (a person
    did); `log_prob` is the sum of the tokens' log-probabilities under the model itself, before
    penalties and warping (in nats, the end token included); `tokens` counts the new tokens, the end
    token included, `prompt_tokens` those that were read.
    """

    text: str
    finish: str
    log_prob: float
    tokens: int
    prompt_tokens: int = 0


class Writer(Protocol):
    """What writes text: prompts in, one text each out."""

    name: str
    context: int

    def count_tokens(self, text: str) -> int:
        """Tokens of a prompt, the begin token included."""
        ...

    def write(
        self,
        prompts: Sequence[str],
        settings: GenerationConfig,
        *,
        max_new_tokens: int,
        seeds: Sequence[int],
        multiline: bool = False,
        batch_size: int | None = None,
        on_progress: Callable[[int], None] | None = None,
        on_text: Callable[[int, str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> list[Written]:
        """One text per prompt, in order; the randomness of a row comes from its own seed.

        `on_progress` hears how many prompts are done, `on_text` what an open row holds so far;
        when `should_stop` says so, texts come back as far as they are written.
        """
        ...


def row_seed(*parts: int | str) -> int:
    """A 63-bit seed from the numbers and names that identify one row (hash, not addition)."""
    import hashlib

    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

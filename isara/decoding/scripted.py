"""A writer without a model: texts come from a function of prompt and seed.

For tests and for pages that must not wait for a model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from isara.config import GenerationConfig
from isara.decoding import Written


class ScriptedWriter:
    """A `Writer` whose text is `script(prompt, seed)`; tokens are white-space separated words."""

    def __init__(self, script: Callable[[str, int], str], context: int = 2048) -> None:
        self.script = script
        self.name = "scripted"
        self.context = context

    def count_tokens(self, text: str) -> int:
        """Words of the prompt and one begin token."""
        return len(text.split()) + 1

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
        """The script's text per row, cut at the token budget; `on_text` hears it word by word."""
        written: list[Written] = []
        for prompt, seed in zip(prompts, seeds, strict=True):
            words = re.split(" +", self.script(prompt, seed).strip())  # line breaks stay
            finish = "end" if len(words) < max_new_tokens else "budget"
            shown = 0
            while on_text is not None and shown < min(len(words), max_new_tokens):
                if should_stop is not None and should_stop():
                    words, finish = words[:shown], "stopped"
                    break
                shown += 1
                on_text(len(written), " ".join(words[:shown]))
            text = " ".join(words[:max_new_tokens])
            written.append(Written(text, finish, -float(len(words)), len(words) + 1))
            if on_progress is not None:
                on_progress(len(written))
        return written

"""Write text with a Hugging Face causal language model, through the decoding engine.

    texts = HuggingFaceWriter(language).write(prompts, settings, max_new_tokens=64, seeds=seeds)

Prompts become tokens, the engine continues them, tokens become texts: of one line, which any token
with a line break ends, or of several, which a marker ends. A model whose attention the engine
cannot follow is decoded by `generate` (generate.py); which models those are is found out by trying.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isara.config import GenerationConfig
from isara.decoding import Written
from isara.errors import InputError
from isara.models import Language
from isara.prompts import ANSWER_MARKER, QUESTION_MARKER

if TYPE_CHECKING:
    from isara.decoding.engine import Generated

LINE_BREAK = re.compile("\n")  # ends a text of one line
MARKERS = (QUESTION_MARKER, ANSWER_MARKER)
MARKER = re.compile("|".join(MARKERS))  # ends a text of several lines


@dataclass(frozen=True)
class Request:
    """What is to be decoded: rows of tokens, how, and who hears of it (see `write`)."""

    rows: list[list[int]]
    settings: GenerationConfig
    budget: int
    seeds: Sequence[int]
    ends: list[int]
    multiline: bool
    batch_size: int | None = None
    on_progress: Callable[[int], None] | None = None
    on_text: Callable[[int, str], None] | None = None
    should_stop: Callable[[], bool] | None = None


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
        batch_size: int | None = None,
        on_progress: Callable[[int], None] | None = None,
        on_text: Callable[[int, str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> list[Written]:
        """One text per prompt, in order; equal prompts in equal numbers share their keys.

        `batch_size` prompts are decoded at once (as many as memory allows when not given);
        `on_text` hears after every step what each open row holds, of equal ones the first; when
        `should_stop` says so, the rows come back as far as they are written, with finish
        "stopped". Raises InputError with all rows that do not fit into the model's context,
        before anything is written.
        """
        rows = [self.language.encode(prompt) for prompt in prompts]
        self._check_lengths([len(row) for row in rows], max_new_tokens)
        ends = list(self.language.end_tokens)
        if not multiline:
            ends += [i for i in self.language.line_break_tokens if i not in ends]
        asked = Request(
            rows,
            settings,
            max_new_tokens,
            seeds,
            ends,
            multiline,
            batch_size,
            on_progress,
            on_text,
            should_stop,
        )
        generated = self._decode(asked)
        return [
            self._written(one, set(ends), multiline, len(row))
            for one, row in zip(generated, rows, strict=True)
        ]

    def _check_lengths(self, lengths: list[int], max_new_tokens: int) -> None:
        limit = self.context - max_new_tokens
        too_long = [(i, n) for i, n in enumerate(lengths) if n > limit]
        if too_long:
            listed = ", ".join(f"row {i + 1}: {n}" for i, n in too_long[:10])
            raise InputError(
                f"{len(too_long)} prompts are longer than the {limit} tokens that fit beside "
                f"{max_new_tokens} new ones ({listed}): show fewer examples or lower the budget."
            )

    def _decode(self, asked: Request) -> list[Generated]:
        from isara.decoding.engine import decode
        from isara.decoding.markers import marker_hits

        def on_tokens(open_rows: dict[int, list[int]]) -> None:
            if asked.on_text is not None:
                for group, tokens in open_rows.items():
                    asked.on_text(groups[group][0], self._text(tokens))

        def on_progress(done: int) -> None:
            if asked.on_progress is not None:  # groups are of one size
                asked.on_progress(done * len(groups[0]))

        groups = equal_rows(asked.rows, asked.settings)
        found = decode(
            self.language.model,
            [asked.rows[group[0]] for group in groups],
            asked.settings,
            budget=asked.budget,
            seeds=[[asked.seeds[i] for i in group] for group in groups],
            ends=asked.ends,
            hits=marker_hits(self.language.tokenizer, MARKERS) if asked.multiline else None,
            slots=asked.batch_size,
            on_progress=on_progress,
            on_tokens=on_tokens if asked.on_text is not None else None,
            should_stop=asked.should_stop,
        )
        result: list[Generated | None] = [None] * len(asked.rows)
        for group, texts in zip(groups, found, strict=True):
            for row, text in zip(group, texts, strict=True):
                result[row] = text
        return [one for one in result if one is not None]

    def _written(
        self, one: Generated, ends: set[int], multiline: bool, prompt_tokens: int
    ) -> Written:
        row = one.tokens
        end = next((n for n, token in enumerate(row, 1) if token in ends), None)
        count = end or len(row)
        if multiline:  # what follows a marker is padding: the fewest tokens that hold one
            count = bisect_left(
                range(count), True, key=lambda n: bool(MARKER.search(self._text(row[:n])))
            )
        # An end token may carry text before its line break (".\n"): that text belongs here.
        ending = MARKER if multiline else LINE_BREAK
        text, *rest = ending.split(self._text(row[:count]), maxsplit=1)
        finish = "end" if end or rest else "budget" if one.complete else "stopped"
        return Written(text.strip(), finish, sum(one.log_probs[:count]), count, prompt_tokens)

    def _text(self, tokens: list[int]) -> str:
        if tokens and tokens[-1] in self.language.end_tokens:
            tokens = tokens[:-1]
        return str(self.language.tokenizer.decode(tokens, skip_special_tokens=True))


def equal_rows(rows: Sequence[Sequence[int]], settings: GenerationConfig) -> list[list[int]]:
    """Indices of equal rows together, when all come equally often and each is a draw of its own."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault(tuple(row), []).append(i)
    if settings.strategy == "beam" or len({len(group) for group in groups.values()}) != 1:
        return [[i] for i in range(len(rows))]
    return list(groups.values())

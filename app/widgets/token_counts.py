"""How long a text is for a model, by its tokenizer alone: no weights are loaded.

    counter = token_counter("data/demo/language-model")
    counter.count("How are you?"), counter.context

A token is a piece of a word; a model can take in only so many of them, its context.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from app.state import tokenizer
from isara.config_files import one_line
from isara.errors import InputError, IsaraError


class TokenCounter(NamedTuple):
    """Counts the tokens of texts as `model` does. `context` is the most it can take in."""

    model: str
    context: int
    count: Callable[[str], int]


@st.cache_resource(max_entries=4, show_spinner="Loading the tokenizer …")
def token_counter(model: str) -> TokenCounter:
    """The counter of a model folder or hub name; InputError when there is none."""
    from transformers import AutoConfig

    from isara.models import DEFAULT_CONTEXT, from_pretrained

    try:
        loaded = tokenizer(model)
        config = from_pretrained(AutoConfig, model)
    except IsaraError:
        raise
    except Exception as error:  # libraries meet broken files with errors of many kinds
        raise InputError(f"{model} could not be loaded: {one_line(error)}.") from error
    lengths = [getattr(config, "max_position_embeddings", None), loaded.model_max_length]
    known = [n for n in lengths if isinstance(n, int) and 0 < n < 10**9]
    return TokenCounter(
        model,
        min(known or [DEFAULT_CONTEXT]),
        lambda text: len(loaded(text)["input_ids"]),
    )

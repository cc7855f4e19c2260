"""How the models of the Playground write: random seed, temperature, top-p and length.

    ask_settings(run_id, config)
    random_seed, decoding, tokens = settings_now(run_id)        # in a callback

A field is in the URL when it is not the evaluation's own.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from isara.config import GenerationConfig, RunConfig

SEED_HELP = (
    "All models draw their words from this number: the same number, question and settings give the "
    "same answers again. The run's own is the one that its evaluation drew from."
)
TEMPERATURE_HELP = "How freely words are drawn: 0 always takes the likeliest, 1 is the model's own."
TOP_P_HELP = "Words are drawn among the likeliest whose probabilities reach this share; 1 is all."


class Number(NamedTuple):
    """A setting with its bounds."""

    label: str
    name: str  # in the URL
    low: float
    high: float
    step: float
    help: str


NUMBERS = (
    Number("Random seed", "seed", 0, 2**31 - 1, 1, SEED_HELP),
    Number("Temperature", "temperature", 0.0, 5.0, 0.1, TEMPERATURE_HELP),
    Number("Top-p", "top_p", 0.05, 1.0, 0.05, TOP_P_HELP),
    Number("Tokens at most", "tokens", 4, 4096, 1, "Where an answer is cut off."),
)


def _numbers(config: RunConfig) -> list[tuple[Number, float]]:
    """The settings with the evaluation's values."""
    temperature = 0.0 if config.evaluation.strategy == "greedy" else 1.0
    values = (config.random_seed, temperature, 1.0, config.evaluation.max_new_tokens)
    return list(zip(NUMBERS, values, strict=True))


def ask_settings(run_id: str, config: RunConfig) -> None:
    """The fields, side by side."""
    columns = st.columns(len(NUMBERS))
    for column, (number, default) in zip(columns, _numbers(config), strict=True):
        with column:
            _number(run_id, number, default)
    st.caption(
        "At first these are the evaluation's own: with them, a prompt of the eval set is answered "
        "as it was when the run was measured."
    )


def number_key(run_id: str, name: str) -> str:
    """The key of a field, by its name in the URL."""
    return f"playground {name} {run_id}"


def _number(run_id: str, number: Number, default: float) -> None:
    """A field whose value is in the URL when it is not the evaluation's."""
    key = number_key(run_id, number.name)
    kind = type(number.step)
    if key not in st.session_state:
        st.session_state[key] = linked_number(st.query_params.get(number.name), number, default)
    value = st.number_input(
        number.label,
        min_value=kind(number.low),
        max_value=kind(number.high),
        step=number.step,
        key=key,
        persist_state="session",
        help=number.help,
    )
    if value == default:
        st.query_params.pop(number.name, None)
    else:
        st.query_params[number.name] = f"{value:g}" if kind is float else str(value)


def linked_number(text: str | None, number: Number, default: float) -> float:
    """The number of an address, or the default where it names none within the bounds."""
    kind = type(number.step)
    try:
        value = kind(text or "")
    except ValueError:
        return kind(default)
    return value if number.low <= value <= number.high else kind(default)


def settings_now(run_id: str) -> tuple[int, GenerationConfig, int]:
    """Random seed, decoding and tokens that the fields hold by now, for a callback."""
    seed, temperature, top_p, tokens = (
        st.session_state[number_key(run_id, number.name)] for number in NUMBERS
    )
    return int(seed), settings(float(temperature), float(top_p)), int(tokens)


def settings(temperature: float, top_p: float) -> GenerationConfig:
    """Sampling, or greedy search at temperature 0."""
    if temperature == 0:
        return GenerationConfig(strategy="greedy")
    return GenerationConfig(strategy="sample", temperature=temperature, top_p=top_p)

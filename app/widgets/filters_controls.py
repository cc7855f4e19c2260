"""Sliders and switches for every threshold, beginning at the run's own values.

    chosen = controls(data)

What differs from the run's own values is in the URL (?max_rouge_l=0.6), so a reload or a shared
address shows the same.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
import yaml
from pydantic import ValidationError

from app.widgets.filters_data import FIELDS, as_word
from app.widgets.samples_data import Iteration
from app.widgets.samples_words import ROUGE_HELP
from isara.config import FilterConfig
from isara.filters import NEAR_ROUGE, ROUGE_OFF

MOST_WORDS = 30
UNREADABLE = object()  # None is a threshold too: the rule is off
SWITCHES = (
    (
        "drop_unfinished",
        "Drop pairs that were cut off",
        "A text that used up its budget of tokens has no proper end.",
    ),
    (
        "drop_duplicates",
        "Drop exact duplicates",
        "A pair that is in the pool, or came earlier in this iteration, teaches nothing new.",
    ),
    (
        "drop_echo",
        "Drop answers that repeat the question",
        "Upper and lower case and white space do not count.",
    ),
)


def controls(data: Iteration) -> FilterConfig:
    """One widget for each threshold; gives the chosen ones."""
    own = data.config.filters
    keys = _keys(data.run_id)
    _begin(keys, own)
    values: dict[str, Any] = {
        "max_rouge_l": st.slider(
            "Most ROUGE-L to another question",
            NEAR_ROUGE,
            ROUGE_OFF,
            step=0.01,
            key=keys["max_rouge_l"],
            persist_state="session",
            help=f"{ROUGE_HELP} A question at this value or above, to one in the pool or to one "
            f"kept earlier, is dropped. The paper uses 0.7; {ROUGE_OFF} switches the rule off.",
        ),
        "min_words": st.slider(
            "Fewest words",
            0,
            max(MOST_WORDS, own.min_words),
            key=keys["min_words"],
            persist_state="session",
            help="A question or an answer with fewer words is dropped. The paper uses 5.",
        ),
    }
    for name, label, words in SWITCHES:
        values[name] = st.toggle(
            label, key=keys[name], persist_state="session", help=words, wrap=True
        )
    values |= _model_scores(data, keys)
    shown = {name: getattr(own, name) for name in FIELDS if name not in values}
    chosen = FilterConfig(**values, **shown)
    st.button(
        "Run's own values",
        key="own_values",
        help="Put every threshold back to what the run was started with.",
        icon=":material/restart_alt:",
        disabled=chosen == own,
        on_click=put,
        args=(data.run_id, own),
    )
    _publish(chosen, own)
    return chosen


def _model_scores(data: Iteration, keys: dict[str, str]) -> dict[str, Any]:
    """The thresholds of what a model measured in this iteration; what was not has no widget."""
    measured, values = data.packed.of_model, dict[str, Any]()
    aspects = [name for name in ("quality", "following") if name in measured]
    if aspects:
        levels = ["none", *aspects, *(["both"] if len(aspects) == 2 else [])]
        values["assessment"] = st.selectbox(
            "The model's own scores that count",
            levels,
            key=keys["assessment"],
            persist_state="session",
            help="The model that wrote the pairs scored each from 1 to 10: its quality, and how "
            "well the answer follows the question.",
        )
        values["min_assessment"] = st.slider(
            "Keep above this score",
            0,
            10,
            key=keys["min_assessment"],
            persist_state="session",
            help="C in I-SHEEP's paper, which uses 8. A score that could not be read is not above.",
        )
    if "perplexity" in measured:
        values["max_perplexity"] = st.number_input(
            "Keep below this perplexity",
            min_value=1.01,
            value=None,  # an emptied field is no number, which switches the rule off
            step=1.0,
            key=keys["max_perplexity"],
            persist_state="session",
            placeholder="off",
            help="How surprised the model is by the answer, and by the whole pair: 1 is not at "
            "all. The paper compares with 50. An empty field switches the rule off.",
        )
    if "cluster" in measured and (data.config.filters.clusters is not None):
        count = data.config.filters.clusters
        on = st.toggle(
            f"One pair of each of {count} clusters",
            key=keys["clusters"],
            persist_state="session",
            wrap=True,
            help="Pairs that lie close together in the model's last layer are one cluster.",
        )
        values["clusters"] = count if on else None
    values["instruction_rules"] = st.toggle(
        "Drop by wording",
        key=keys["instruction_rules"],
        persist_state="session",
        wrap=True,
        help="I-SHEEP's rules: questions of 3 words or fewer or more than 150, that ask for "
        "pictures, files or maps or begin with punctuation; answers with role markers or options.",
    )
    return values


def put(run_id: str, thresholds: FilterConfig) -> None:
    """Set the widgets of a run to these values; to be called before they are drawn."""
    for name, key in _keys(run_id).items():
        _put(name, key, getattr(thresholds, name))


def _keys(run_id: str) -> dict[str, str]:
    """The key of each threshold's widget."""
    return {name: f"filters {run_id} {name}" for name in FIELDS}


def _put(name: str, key: str, value: Any) -> None:
    # The number of clusters is the run's: its widget only switches the rule on and off.
    st.session_state[key] = value is not None if name == "clusters" else value


def _begin(keys: dict[str, str], own: FilterConfig) -> None:
    """Where a widget is new: the value that an address names, else the run's own.

    What this page itself put into the address was for another run, hence not taken.
    """
    ours = st.session_state.get("url_filters", {})
    for name, key in keys.items():
        if key not in st.session_state:
            asked = st.query_params.get(name)
            new = asked is not None and asked != ours.get(name)
            value = _read(name, str(asked)) if new else UNREADABLE
            _put(name, key, getattr(own, name) if value is UNREADABLE else value)


def _read(name: str, text: str) -> Any:
    """A threshold out of the URL, UNREADABLE when it is not one."""
    try:
        return getattr(FilterConfig.model_validate({name: yaml.safe_load(text)}), name)
    except (ValidationError, yaml.YAMLError):
        return UNREADABLE


def _publish(chosen: FilterConfig, own: FilterConfig) -> None:
    changed = {
        name: as_word(value)
        for name, value in chosen.model_dump().items()
        if value != getattr(own, name)
    }
    for name in FIELDS:
        if name in changed:
            st.query_params[name] = changed[name]
        elif name in st.query_params:
            del st.query_params[name]
    st.session_state["url_filters"] = changed

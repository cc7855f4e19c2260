"""A widget for every setting of a run, made from the config's own schema.

    for setting in settings(): ...                      # "loop.alpha" with type, bounds, help
    value = draw(setting, default, prefix="abc")        # the fitting widget; gives its value

The fields' descriptions are the help texts, their types and bounds choose the widget: a new field
of RunConfig appears on the page without a line here. LABELS only gives the common ones a plainer
name. How the settings are laid out is in run_form.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import streamlit as st
import yaml
from annotated_types import Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from isara.config import RunConfig

LABELS = {
    "name": "Name of the run",
    "random_seed": "Random seed",
    "model.path": "Language model (M0)",
    "model.dtype": "Number format of the weights",
    "embedder": "Embedder",
    "seeds.path": "Seed file",
    "seeds.mapping": "Column names of the seed file",
    "seeds.limit": "Use the first rows only",
    "loop.max_iterations": "Iterations at most",
    "loop.candidates": "Pairs per iteration (N)",
    "loop.examples": "Examples in a prompt (C)",
    "loop.alpha": "Least share kept (α)",
    "loop.draw": "Examples for a question drawn from",
    "loop.patience": "Early stopping: iterations without gain",
    "loop.min_gain": "Early stopping: least gain",
    "loop.keep_models": "Models kept on disk",
    "decoding.preset": "Decoding preset",
    "decoding.question.early_stopping": "Question: beam search: early stopping",
    "decoding.answer.early_stopping": "Answer: beam search: early stopping",
    "filters.max_rouge_l": "Drop questions at or above this ROUGE-L",
    "filters.min_words": "Fewest words",
    "review.wait": "Wait for people's review before each training",
    "review.overlap": "People who rule on each pair",
    "training.learning_rate": "Learning rate",
    "training.gamma": "Weight of a seed row (γ)",
    "training.start_from": "Each training begins with",
    "training.lora": "Train adapters (LoRA) instead of the full weights",
    "evaluation.prompts": "Eval set",
    "evaluation.judge": "Judge",
    "evaluation.threshold": "Judge's threshold",
    "evaluation.strategy": "Decoding of evaluated answers",
    "evaluation.refusal_judge": "Judge of refusals",
    "evaluation.reward": "Reward model (utility)",
    "evaluation.preference": "Compare answers with the base model's (win rate)",
    "evaluation.preference.path": "Judge of pairs: local model",
    "evaluation.preference.endpoint": "Judge of pairs: address of a server",
    "evaluation.preference.model": "Judge of pairs: the server's model",
    "evaluation.preference.format": "Judge of pairs: format",
    "evaluation.overlap": "Eval prompts that stand among trained rows",
}
SMALL = 0.01  # numbers below this get steps of their own size


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the config: its dotted place, its type without None, highest value and help."""

    path: str
    kind: Any
    optional: bool
    high: float | None
    description: str
    default: Any

    @property
    def part(self) -> str:
        """The part of the config that it belongs to; "" for the run itself."""
        return self.path.rpartition(".")[0].split(".")[0]

    @property
    def label(self) -> str:
        """What the widget is called; settings of questions, answers and adapters say whose."""
        names = self.path.replace("_", " ").split(".")
        return (
            LABELS.get(self.path)
            or ": ".join(names[1:] if len(names) > 2 else names[-1:]).capitalize()
        )

    @property
    def help(self) -> str:
        """The description, and where the setting stands in the file."""
        return f"{self.description}\n\nIn the YAML file: `{self.path}`"


def settings(model: type[BaseModel] = RunConfig, prefix: str = "") -> Iterator[Setting]:
    """All settings in the order of the config; an optional part comes before its own settings."""
    for name, field in model.model_fields.items():
        kind, optional = without_none(field.annotation)
        place = f"{prefix}{name}"
        is_part = isinstance(kind, type) and issubclass(kind, BaseModel)
        if not is_part or optional:
            description = " ".join((field.description or "").split())
            yield Setting(place, kind, optional, highest(field), description, field.default)
        if is_part:
            yield from settings(kind, f"{place}.")


def without_none(annotation: Any) -> tuple[Any, bool]:
    """A field's type, and whether it may be left out (X | None)."""
    arguments = get_args(annotation)
    if type(None) in arguments:
        rest = [argument for argument in arguments if argument is not type(None)]
        return rest[0], True
    return annotation, False


def highest(field: FieldInfo) -> float | None:
    """The upper bound of a number, itself allowed or not."""
    for item in field.metadata:
        if isinstance(item, Le | Lt):
            return float(item.le if isinstance(item, Le) else item.lt)  # type: ignore[arg-type]
    return None


# -------------------------------------------------------------------- widgets


def draw(setting: Setting, default: Any, prefix: str, choices: list[str] | None = None) -> Any:
    """The widget of a setting with `default` in it; gives the value for the config.

    `choices` offers values for a text that may also be typed. `prefix` keeps the widgets of two
    configs apart. An optional part is a switch: {} when on (its own settings follow), else None.
    """
    key = f"{prefix}:{setting.path}"
    if isinstance(setting.kind, type) and issubclass(setting.kind, BaseModel):
        on = st.toggle(
            setting.label, default is not None, key=key, persist_state="session", help=setting.help
        )
        return {} if on else None
    if setting.kind is bool:
        return st.toggle(
            setting.label, bool(default), key=key, persist_state="session", help=setting.help
        )
    if setting.kind in (int, float):
        return draw_number(setting, default, key)
    if get_origin(setting.kind) is Literal:
        options = list(get_args(setting.kind))
        index = options.index(default) if default in options else 0
        return st.selectbox(
            setting.label, options, index, key=key, persist_state="session", help=setting.help
        )
    if get_origin(setting.kind) is list:
        options = list(get_args(get_args(setting.kind)[0]))
        return st.multiselect(
            setting.label, options, default, key=key, persist_state="session", help=setting.help
        )
    if get_origin(setting.kind) is dict or isinstance(default, dict):
        return draw_mapping(setting, default, key)
    return draw_text(setting, default, key, choices)


def draw_number(setting: Setting, default: Any, key: str) -> Any:
    """A number field; empty means "not set" where the setting may be left out.

    It has no bounds: the browser would turn the field red, keep the last value and not say why.
    The config's check says it.
    """
    whole = setting.kind is int

    def number(value: float | None) -> Any:
        # Streamlit wants value and step of one type.
        return None if value is None else setting.kind(value)

    return st.number_input(
        setting.label,
        value=number(default),
        step=number(1 if whole else step_of(setting, default)),
        format="%d" if whole else "%g",
        key=key,
        persist_state="session",
        help=setting.help,
        placeholder="not set" if setting.optional else None,
    )


def step_of(setting: Setting, default: float | None) -> float:
    """The step of a number with a fraction: its own size where it is small, as a learning rate."""
    if default and abs(default) < SMALL:
        return float(10 ** math.floor(math.log10(abs(default))))
    return 0.05 if setting.high is not None and setting.high <= 2 else 0.1


def draw_text(setting: Setting, default: Any, key: str, choices: list[str] | None) -> str | None:
    """A text field, or a list to choose from in which other texts can be typed."""
    if choices is None:
        text = st.text_input(
            setting.label, default or "", key=key, persist_state="session", help=setting.help
        )
        return text.strip() or (None if setting.optional else "")
    options = list(dict.fromkeys([*([default] if default else []), *choices]))
    return st.selectbox(
        setting.label,
        options,
        index=0 if default else None,
        key=key,
        persist_state="session",
        help=setting.help,
        placeholder="None: choose one, or type a path",
        accept_new_options=True,
    )


def draw_mapping(setting: Setting, default: dict[str, str], key: str) -> Any:
    """A mapping as `question: Question, answer: "Best Answer"`; other texts go to the check."""
    shown = yaml.safe_dump(default, default_flow_style=True, sort_keys=False, width=10_000)
    text = st.text_input(
        setting.label,
        shown.strip()[1:-1] if default else "",
        key=key,
        persist_state="session",
        help=setting.help,
        placeholder='question: Question, answer: "Best Answer"',
    )
    try:
        return yaml.safe_load(f"{{{text}}}") or (None if setting.optional else {})
    except yaml.YAMLError:
        return text

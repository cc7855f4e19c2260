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
MAPPING = 'question: Question, answer: "Best Answer"'  # an example, in the empty field
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
    shown = filled(setting, default)
    if choices is not None and not is_mapping(setting, default):
        return draw_choice(setting, default, key, choices)
    if is_part(setting) or setting.kind is bool:
        said: Any = st.toggle(
            setting.label, shown, key=key, persist_state="session", help=setting.help
        )
    elif setting.kind in (int, float):
        said = draw_number(setting, shown, key)
    elif get_origin(setting.kind) is Literal:
        options = list(get_args(setting.kind))
        said = st.selectbox(
            setting.label,
            options,
            options.index(shown),
            key=key,
            persist_state="session",
            help=setting.help,
        )
    elif get_origin(setting.kind) is list:
        options = list(get_args(get_args(setting.kind)[0]))
        said = st.multiselect(
            setting.label, options, shown, key=key, persist_state="session", help=setting.help
        )
    else:
        said = st.text_input(
            setting.label,
            shown,
            key=key,
            persist_state="session",
            help=setting.help,
            placeholder=MAPPING if is_mapping(setting, default) else None,
        )
    return meant(setting, default, said)


def value_of(setting: Setting, default: Any, prefix: str) -> Any:
    """What `draw` gives, or would give, without drawing: what the widget held when it was drawn
    last in this session. Not for a setting with choices."""
    said = st.session_state.get(f"{prefix}:{setting.path}", filled(setting, default))
    return meant(setting, default, said)


def filled(setting: Setting, default: Any) -> Any:
    """What a setting's widget holds at first."""
    if is_part(setting):
        return default is not None
    if setting.kind is bool:
        return bool(default)
    if setting.kind in (int, float):  # Streamlit wants value and step of one type
        return None if default is None else setting.kind(default)
    if get_origin(setting.kind) is Literal:
        options = get_args(setting.kind)
        return default if default in options else options[0]
    if is_mapping(setting, default):
        shown = yaml.safe_dump(default, default_flow_style=True, sort_keys=False, width=10_000)
        return shown.strip()[1:-1] if default else ""
    return default if get_origin(setting.kind) is list else default or ""


def meant(setting: Setting, default: Any, said: Any) -> Any:
    """The value for the config of what a setting's widget holds; a mapping that cannot be read goes
    to the check as text."""
    if is_part(setting):
        return {} if said else None
    if not isinstance(said, str) or get_origin(setting.kind) is Literal:
        return said
    if is_mapping(setting, default):
        try:
            return yaml.safe_load(f"{{{said}}}") or (None if setting.optional else {})
        except yaml.YAMLError:
            return said
    return said.strip() or (None if setting.optional else "")


def is_part(setting: Setting) -> bool:
    """Whether it switches an optional part on and off."""
    return isinstance(setting.kind, type) and issubclass(setting.kind, BaseModel)


def is_mapping(setting: Setting, default: Any) -> bool:
    """Whether it is typed as `question: Question, answer: "Best Answer"`."""
    return get_origin(setting.kind) is dict or isinstance(default, dict)


def draw_number(setting: Setting, shown: float | None, key: str) -> Any:
    """A number field; empty means "not set" where the setting may be left out.

    It has no bounds: the browser would turn the field red, keep the last value and not say why.
    The config's check says it.
    """
    whole = setting.kind is int
    return st.number_input(
        setting.label,
        value=shown,
        step=1 if whole else step_of(setting, shown),
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


def draw_choice(setting: Setting, default: str | None, key: str, choices: list[str]) -> str | None:
    """A list of texts to choose from in which other texts can be typed."""
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

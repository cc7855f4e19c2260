"""The settings of a new run: where they start from, the common ones, and all others.

    start = choose_start()                  # a shipped config, a run's config or an upload
    data = settings_form(start)             # what the widgets say, or said last, nested
    config, problems = checked(data)        # a RunConfig, or a list of sentences

Left out: starting the run (run_start.py) and the widget of a single setting (run_fields.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
import yaml
from pydantic import ValidationError

from app import state
from app.widgets.run_draft import FROM, begin_with, form_key, source_of_draft
from app.widgets.run_fields import Setting, draw, settings, value_of
from app.widgets.run_seeds import choose_seeds
from isara.config import PROJECT_ROOT, DecodingConfig, RunConfig
from isara.config_files import problem_sentence
from isara.errors import IsaraError

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

CONFIGS = PROJECT_ROOT / "data" / "configs"
UPLOAD = "Upload a YAML file"
SHIPPED, OF_RUN = "Shipped: ", "Run: "
MEGABYTES = 1  # of an uploaded config

# The settings that most runs change; all others are under "All settings".
COMMON = (
    ("name", "method", "random_seed"),
    ("model.path", "embedder"),
    ("loop.max_iterations", "loop.candidates", "loop.examples", "loop.alpha"),
    ("decoding.preset", "training.learning_rate", "training.epochs"),
    ("evaluation.prompts", "evaluation.judge", "evaluation.strategy"),
    ("review.wait",),
)
# Drawn together by choose_seeds (run_seeds.py).
SOURCES = ("seeds.path", "seeds.name", "seeds.version", "seeds.mixture")
CHOICES = {"evaluation.prompts": "data/eval/*.jsonl", "seeds.path": "data/seeds/*.jsonl"}
PARTS = {
    "seeds": "Seeds",
    "model": "Model",
    "prompts": "Prompts",
    "loop": "Loop",
    "decoding": "Decoding",
    "filters": "Filters",
    "review": "Review",
    "training": "Training",
    "evaluation": "Evaluation",
    "assessment": "Self-assessment",
    "isheep": "I-SHEEP",
    "contrast": "SPIN and IRFT",
    "rft": "RFT",
}
UNFOLDED, TAB = "run_all_settings", "run_settings_tab"  # in the session: which are in sight
ABOUT_SETTINGS = (
    "Every setting has its unit and its source in the help text: [S] is stated by the method's "
    "paper, [C] is what its code does, [H] was chosen by this project where both are silent. Only "
    "what the chosen method reads is shown."
)
# What a method does not read is not shown; it stays as it is in the config that was started from.
PAIRS = ("loop.candidates", "loop.alpha", "filters", "review", "assessment")
QUESTIONS = ("loop.draw", "loop.retrieval", "prompts.question_tokens")
# SPIN, IRFT and RFT sample the model's own answers: the budget and the batch are settings of them.
DECODING = ("decoding.preset", "decoding.question", "decoding.answer")
OWN = ("training.objective", "training.start_from")  # these methods say that themselves
DEMONSTRATIONS = (*PAIRS, *QUESTIONS, *DECODING, "isheep", *OWN)
UNREAD = {
    "isara": ("isheep", "rft", "contrast.first_sft", "contrast.held_out"),
    "isheep": (*QUESTIONS[1:], "contrast", "rft", *OWN, "training.gamma"),
    "spin": (*DEMONSTRATIONS, "rft"),
    "irft": (*DEMONSTRATIONS, "rft"),
    "rft": (*DEMONSTRATIONS, "contrast"),
}
# What the baselines alone read in other methods is under "All settings" there.
OF_BASELINES = "loop.examples"


# -------------------------------------------------------------------- where it starts from


def choose_start() -> RunConfig | None:
    """The config that the form begins with; None where there is none yet, which is said."""
    shipped = [f"{SHIPPED}{path.relative_to(CONFIGS).with_suffix('')}" for path in config_files()]
    options = [*shipped, *(f"{OF_RUN}{run_id}" for run_id in state.run_ids()), UPLOAD]
    asked = st.query_params.get("from") or st.session_state.get(FROM) or source_of_draft()
    # What this page wrote into the address is older than what was chosen since.
    if asked in options and asked != st.session_state.get(FROM):
        st.session_state["run_start"] = asked
    elif st.session_state.get("run_start") not in options:
        st.session_state["run_start"] = options[0]
    chosen = st.selectbox(
        "Start from",
        options,
        key="run_start",
        persist_state="session",
        help="The settings below are filled from here: a config that comes with the app, the "
        "config of an earlier run, or a file of your own. Change what you like.",
    )
    st.session_state[FROM] = chosen
    if st.query_params.get("from") != chosen:
        st.query_params["from"] = chosen
    try:
        if chosen == UPLOAD:
            config, problems = uploaded()
        elif chosen.startswith(SHIPPED):
            file = CONFIGS / f"{chosen.removeprefix(SHIPPED)}.yaml"
            config, problems = checked(parsed(file.read_bytes()))
        else:
            folder = state.run_folder(chosen.removeprefix(OF_RUN))
            config, problems = checked(parsed(folder.config.read_bytes()))
    except (IsaraError, OSError, ValueError) as error:
        config, problems = None, [str(error)]
    show_problems(problems, "This config cannot be used as it is; mend the file:")
    return begin_with(chosen, config)


def config_files() -> list[Path]:
    """The configs of runs that come with the app, the demo's first, those as the papers ran them
    last; studies are left out."""
    found = sorted(CONFIGS.glob("*.yaml")) + sorted(CONFIGS.glob("paper/*.yaml"))
    files = [path for path in found if "\narms:" not in path.read_text("utf-8")]
    return sorted(files, key=lambda path: path.stem != "demo")


def uploaded() -> tuple[RunConfig | None, list[str]]:
    """The config of an uploaded file."""
    file = st.file_uploader("Config", type=["yaml", "yml"], max_upload_size=MEGABYTES)
    if file is None:
        st.info("Choose a YAML file, such as one that was downloaded from this page.")
        return None, []
    return checked(parsed(file.getvalue()))


def parsed(data: bytes) -> Any:
    """YAML bytes as values; ValueError with one sentence for anything else."""
    try:
        return yaml.safe_load(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("The file is not UTF-8 text; save it as UTF-8.") from None
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"The file is not readable as YAML: {reason}") from None


def checked(data: Any) -> tuple[RunConfig | None, list[str]]:
    """A RunConfig and no problems, or None and all the problems as sentences."""
    if not isinstance(data, dict):
        return None, [f"The file holds {type(data).__name__}, expected a mapping of settings."]
    try:
        return RunConfig.model_validate(data), []
    except ValidationError as error:
        return None, [problem_sentence(dict(item)) for item in error.errors()]


def show_problems(problems: list[str], heading: str) -> None:
    """All problems as one list; their text may quote a file, so it is shown as text."""
    if problems:
        st.error(heading)
        st.code("\n".join(f"• {problem}" for problem in problems), language=None, wrap_lines=True)


# -------------------------------------------------------------------- the form


def settings_form(start: RunConfig) -> dict[str, Any]:
    """The widgets in sight, filled from a config; what all say, or said when they were drawn last,
    as nested settings."""
    prefix = form_key()
    defaults = start.model_dump()
    known = {setting.path: setting for setting in settings()}
    values: dict[str, Any] = {}

    def widget(path: str) -> Any:
        if unread(values.get("method"), path):
            return None
        return draw_known(known[path], defaults, prefix)

    for row in COMMON:
        method = values.get("method")
        aside = () if method in (None, "isara") else (OF_BASELINES,)
        shown = [p for p in row if not (p in values or p in aside or unread(method, p))]
        if not shown:
            continue
        for column, path in zip(st.columns(len(shown)), shown, strict=True):
            with column:
                values[path] = draw_known(known[path], defaults, prefix)
        if row == COMMON[0]:
            values |= choose_seeds(start, widget, prefix, choices)
            if start.seeds.mixture is not None and values["seeds.mixture"] is None:
                defaults["evaluation"]["prompts"] = first_eval_set(start)
    values = kept_as_they_are(known.values(), values["method"], defaults) | values
    if values["decoding.preset"] != start.decoding.preset:
        preset = DecodingConfig.model_validate({"preset": values["decoding.preset"]})
        defaults["decoding"] |= preset.model_dump(include={"question", "answer"})
    rest = [setting for path, setting in known.items() if path not in (*values, *SOURCES)]
    values |= all_settings(rest, defaults, prefix, values["decoding.preset"])
    return nested(values)


def unread(method: str | None, path: str) -> bool:
    """Whether a setting, or the part that it stands in, is none of the method's."""
    return any(f"{path}.".startswith(f"{name}.") for name in UNREAD.get(method or "", ()))


def first_eval_set(start: RunConfig) -> str | None:
    """What one seed set is measured on where the config had an eval set for each domain."""
    prompts = start.evaluation.prompts
    return next(iter(prompts.values()), None) if isinstance(prompts, dict) else prompts


def kept_as_they_are(
    known: Iterable[Setting], method: str, defaults: dict[str, Any]
) -> dict[str, Any]:
    """The settings that the method does not read, with the values that they had."""
    values: dict[str, Any] = {}
    for setting in known:
        if unread(method, setting.path) and values.get(setting.path.rpartition(".")[0], ...):
            values[setting.path] = default_of(defaults, setting)
    return values


def draw_known(setting: Setting, defaults: dict[str, Any], prefix: str) -> Any:
    """A setting's widget with its default and, where there are some, shipped files to choose."""
    default = default_of(defaults, setting)
    return draw(setting, default, prefix, choices(setting.path))


def default_of(defaults: dict[str, Any], setting: Setting) -> Any:
    """What the config that was started from says; the schema's default in a part that is off."""
    return at(defaults, setting.path, setting.default)


def choices(path: str) -> list[str] | None:
    """Files of the app for a setting, relative to the project."""
    pattern = CHOICES.get(path)
    if pattern is None:
        return None
    return [str(file.relative_to(PROJECT_ROOT)) for file in sorted(PROJECT_ROOT.glob(pattern))]


def all_settings(
    rest: list[Setting], defaults: dict[str, Any], prefix: str, preset: str
) -> dict[str, Any]:
    """The values of the settings that are not the common ones, in a tab for each part of the
    config. Only those in sight are drawn: each widget costs every rerun a millisecond, and the
    browser more."""

    def own(setting: Setting) -> str:
        # Question and answer decoding follow the preset: their widgets go with it.
        return f"{prefix}-{preset}" if setting.part == "decoding" else prefix

    def unseen(setting: Setting) -> Any:
        return value_of(setting, default_of(defaults, setting), own(setting))

    expander = st.expander("All settings", key=UNFOLDED, on_change="rerun")
    if not expander.open:
        return values_of(rest, unseen)
    with expander:
        st.caption(ABOUT_SETTINGS)
        names = [part for part in PARTS if any(setting.part == part for setting in rest)]
        others = {setting.part for setting in rest} - set(names)
        names += sorted(others)  # a part that is new in the config, or a setting of the run itself
        labels = [PARTS.get(name, name or "Run") for name in names]
        if st.session_state.get(TAB) not in labels:  # another method has other parts
            st.session_state.pop(TAB, None)
        tabs = st.tabs(labels, key=TAB, on_change="rerun")
    values: dict[str, Any] = {}
    for tab, name in zip(tabs, names, strict=True):
        part = [setting for setting in rest if setting.part == name]
        if not tab.open:
            values |= values_of(part, unseen)
            continue
        columns = cycle(tab.columns(3))

        def seen(setting: Setting, columns: Iterator[DeltaGenerator] = columns) -> Any:
            with next(columns):
                return draw_known(setting, defaults, own(setting))

        values |= values_of(part, seen)
    return values


def values_of(rest: Iterable[Setting], value: Callable[[Setting], Any]) -> dict[str, Any]:
    """The values of settings, without those of parts that are switched off."""
    values: dict[str, Any] = {}
    for setting in rest:
        if values.get(setting.path.rpartition(".")[0], ...) is not None:
            values[setting.path] = value(setting)
    return values


# -------------------------------------------------------------------- nested settings


def at(data: dict[str, Any], path: str, default: Any) -> Any:
    """The value at a dotted path; `default` where it lies in a part that is switched off."""
    value: Any = data
    for name in path.split("."):
        if value is None:
            return default
        value = value[name]
    return value


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """Dotted settings as nested mappings."""
    data: dict[str, Any] = {}
    for path, value in sorted(values.items(), key=lambda item: item[0].count(".")):
        *parents, last = path.split(".")
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return data

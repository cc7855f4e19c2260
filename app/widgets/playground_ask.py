"""Ask two or three models of a run the same question, and watch their answers side by side.

    ask()

Run, models, question, random seed and decoding settings are in the URL, so that a link asks the
same. The models write in a thread of their own (isara/answering.py): the page stays usable, and
Stop is heard after the next token. The questions of this session stay below until a reload.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from app import state
from app.widgets.folding import fold_switch, folding
from app.widgets.plain import plain
from app.widgets.playground_answers import follow, named
from app.widgets.samples_picker import choose, has_models, missing
from isara.answering import Answering, Asked, answerers, seed_file
from isara.config import GenerationConfig, RunConfig
from isara.examples import EvalPrompt, Example
from isara.report import run_config
from isara.workspace.files import read_jsonl
from isara.workspace.runs import RunFolder

SPLIT = "dev"
MOST_MODELS = 3
HISTORY, MOST_KEPT = "playground_history", 30
EVAL, TYPED = "A prompt of the eval set", "Your own question"
MOST_CHARACTERS = 4000
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


def ask() -> None:
    """The form, the answers, and what was asked before."""
    runs = state.run_ids()
    if not runs:
        missing("There is no run yet. The models to ask are those of a run.")
        return
    left, right = st.columns([1, 2])
    with left:
        run_id = choose("Run", "run", runs, page="playground", fits=has_models)
    folder = state.run_folder(run_id)
    config = run_config(folder)
    models, gone = answerers(folder, config)
    with right:
        places = _choose_models(run_id, models)
    if gone:
        reasons = "; ".join(f"{named(place)}: {why}" for place, why in gone.items())
        st.caption(f"Not available: {plain(reasons)}.")
    question = _choose_question(folder)
    values = _settings(run_id, config)
    asked = Asked(
        run_id,
        question.strip(),
        tuple(places),
        int(values[0]),
        settings(values[1], values[2]),
        int(values[3]),
    )
    _buttons(asked, config, models)
    _history()


# ------------------------------------------------------------------ models


def _choose_models(run_id: str, models: dict[str, Path | None]) -> list[str]:
    key = f"playground models {run_id}"
    if key not in st.session_state:
        linked = [place for place in st.query_params.get_all("models") if place in models]
        last = [place for place in models if place.startswith("iteration")][-1:]
        st.session_state[key] = linked[:MOST_MODELS] or ["base", *last]
    places: list[str] = st.multiselect(
        "Models",
        list(models),
        key=key,
        max_selections=MOST_MODELS,
        format_func=named,
        placeholder="Choose one to three models",
        help="The base model is the one before any training; shown the nearest seeds it has "
        "examples in its prompt, as many as the loop shows. Iteration k is the model after k "
        "rounds of training.",
    )
    st.query_params["models"] = places
    return places


# ------------------------------------------------------------------ the question


def _choose_question(folder: RunFolder) -> str:
    """A prompt of the dev split or a typed question, kept in the URL."""
    prompts = dev_prompts(folder)
    key = "playground source"
    if key not in st.session_state:
        st.session_state[key] = TYPED if "q" in st.query_params or not prompts else EVAL
    source = st.segmented_control(
        "Question", [EVAL, TYPED], key=key, required=True, disabled=not prompts
    )
    if source == TYPED or not prompts:
        return _typed()
    st.query_params.pop("q", None)
    key = f"playground prompt {folder.run_id}"
    if st.session_state.get(key) not in prompts:
        linked = st.query_params.get("prompt", "")
        st.session_state[key] = linked if linked in prompts else next(iter(prompts))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Prompt",
            list(prompts),
            key=key,
            format_func=lambda prompt: prompts[prompt].question,
            help="Prompts of the dev split; those of the test split stay unseen.",
        )
        st.button(
            "Next prompt",
            icon=":material/skip_next:",
            shortcut="n",
            on_click=_next_prompt,
            args=(key, list(prompts)),
        )
    st.query_params["prompt"] = chosen
    kind = "harmless" if prompts[chosen].harmless else "harmful"
    st.caption(plain(f"A {kind} prompt of the dev split, category {prompts[chosen].category}."))
    return prompts[chosen].question


def _typed() -> str:
    key = "playground question"
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get("q", "")[:MOST_CHARACTERS]
    st.query_params.pop("prompt", None)
    text = st.text_area("Your question", key=key, max_chars=MOST_CHARACTERS, height=100) or ""
    if text.strip():
        st.query_params["q"] = text
    else:
        st.query_params.pop("q", None)
    return text


def _next_prompt(key: str, prompts: list[str]) -> None:
    place = prompts.index(st.session_state[key])
    st.session_state[key] = prompts[(place + 1) % len(prompts)]


def dev_prompts(folder: RunFolder) -> dict[str, EvalPrompt]:
    """The eval prompts of a run's dev split by id, harmful ones first; none without an eval set."""
    path = folder.path / "prompts.jsonl"
    return _dev_prompts(str(path), path.stat().st_mtime_ns) if path.exists() else {}


@st.cache_data(max_entries=10, show_spinner=False)
def _dev_prompts(path: str, modified: int) -> dict[str, EvalPrompt]:
    rows = [row for row in read_jsonl(Path(path)) if row["split"] == SPLIT]
    found = [EvalPrompt(r["question"], r["category"], SPLIT, r["harmless"]) for r in rows]
    return {prompt.id: prompt for prompt in sorted(found, key=lambda prompt: prompt.harmless)}


# ------------------------------------------------------------------ settings


def _numbers(config: RunConfig) -> list[tuple[Number, float]]:
    """The settings with the evaluation's values."""
    temperature = 0.0 if config.evaluation.strategy == "greedy" else 1.0
    values = (config.random_seed, temperature, 1.0, config.evaluation.max_new_tokens)
    return list(zip(NUMBERS, values, strict=True))


def _settings(run_id: str, config: RunConfig) -> list[float]:
    """The fields, and their values."""
    columns = st.columns(len(NUMBERS))
    values = []
    for column, (number, default) in zip(columns, _numbers(config), strict=True):
        with column:
            values.append(_number(run_id, number, default))
    st.caption(
        "At first these are the evaluation's own: with them, a prompt of the eval set is answered "
        "as it was when the run was measured."
    )
    return values


def _number(run_id: str, number: Number, default: float) -> float:
    """A field whose value is in the URL when it is not the evaluation's."""
    key = f"playground {number.name} {run_id}"
    kind = type(number.step)
    if key not in st.session_state:
        st.session_state[key] = linked_number(st.query_params.get(number.name), number, default)
    value = st.number_input(
        number.label,
        min_value=kind(number.low),
        max_value=kind(number.high),
        step=number.step,
        key=key,
        help=number.help,
    )
    if value == default:
        st.query_params.pop(number.name, None)
    else:
        st.query_params[number.name] = f"{value:g}" if kind is float else str(value)
    return float(value)


def linked_number(text: str | None, number: Number, default: float) -> float:
    """The number of an address, or the default where it names none within the bounds."""
    kind = type(number.step)
    try:
        value = kind(text or "")
    except ValueError:
        return kind(default)
    return value if number.low <= value <= number.high else kind(default)


def settings(temperature: float, top_p: float) -> GenerationConfig:
    """Sampling, or greedy search at temperature 0."""
    if temperature == 0:
        return GenerationConfig(strategy="greedy")
    return GenerationConfig(strategy="sample", temperature=temperature, top_p=top_p)


# ------------------------------------------------------------------ asking


def _buttons(asked: Asked, config: RunConfig, models: dict[str, Path | None]) -> None:
    current: Answering | None = next(iter(st.session_state.get(HISTORY, [])), None)
    running = current is not None and current.running
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Ask",
            type="primary",
            icon=":material/send:",
            shortcut="ctrl+enter",
            disabled=running or not asked.places or not asked.question,
            on_click=start,
            args=(asked, config, models),
        )
        st.button(
            "Stop",
            icon=":material/stop_circle:",
            shortcut="escape",
            disabled=not running,
            on_click=current.stop if current is not None else None,
        )
        fold_switch("ask")
        if not asked.places:
            st.caption("Choose a model above.")
        elif not asked.question:
            st.caption("Type a question above.")


def start(asked: Asked, config: RunConfig, models: dict[str, Path | None]) -> None:
    """Begin to answer, in a thread; the earlier questions move down."""
    folder = state.run_folder(asked.run_id)
    asked = replace(asked, guarded=folding())
    file = seed_file(folder)
    seeds = [
        Example(row["question"], row["answer"], row.get("category"))
        for row in (read_jsonl(file) if file.exists() else ())
    ]
    state.writer.clear()  # what the Samples page wrote with last makes room
    answering = Answering(
        asked, config, models, seeds, state.embedder(config.embedder), state.shelf()
    )
    answering.start()
    kept: list[Answering] = st.session_state.setdefault(HISTORY, [])
    st.session_state[HISTORY] = [answering, *kept][:MOST_KEPT]


def _history() -> None:
    """The latest question with its answers; the earlier ones below, closed."""
    kept: list[Answering] = st.session_state.get(HISTORY, [])
    for number, answering in enumerate(kept):
        if number == 0:
            st.caption("Asked")
            st.text(answering.asked.question)
            follow(answering)
            continue
        if number == 1:
            st.markdown("**Earlier in this session**")
        title = plain(answering.asked.question[:100])
        with st.expander(title, key=f"asked {id(answering)}", on_change="rerun") as earlier:
            if earlier.open:
                st.text(answering.asked.question)
                follow(answering)
                st.button(
                    "Take these settings",
                    key=f"again {id(answering)}",
                    icon=":material/replay:",
                    on_click=_again,
                    args=(answering.asked,),
                )


def _again(asked: Asked) -> None:
    """Put a question and its settings back into the fields."""
    values: dict[str, Any] = {
        "playground run": asked.run_id,
        "playground source": TYPED,
        "playground question": asked.question,
        f"playground models {asked.run_id}": list(asked.places),
        f"playground seed {asked.run_id}": asked.random_seed,
        f"playground tokens {asked.run_id}": asked.max_new_tokens,
        f"playground top_p {asked.run_id}": asked.settings.top_p,
        f"playground temperature {asked.run_id}": (
            0.0 if asked.settings.strategy == "greedy" else asked.settings.temperature
        ),
    }
    st.session_state.update(values)

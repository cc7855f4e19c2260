"""Ask two or three models of a run the same question, and watch their answers side by side.

    ask()

Run, models, question, random seed and decoding settings are in the URL, so that a link asks the
same. The models write in a thread of their own (isara/answering.py): the page stays usable, and
Stop is heard after the next token. Fields and answers stay for the session, also while another page
is looked at; a reload keeps the fields alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from app import state
from app.widgets.folding import fold_switch, folding
from app.widgets.plain import plain
from app.widgets.playground_answers import follow, named
from app.widgets.playground_settings import ask_settings, number_key, settings_now
from app.widgets.samples_picker import choose, has_models, missing
from isara.answering import Answering, Asked, answerers, seed_file
from isara.config import RunConfig
from isara.examples import EvalPrompt, Example
from isara.report import run_config
from isara.workspace.files import read_jsonl
from isara.workspace.runs import RunFolder

SPLIT = "dev"
MOST_MODELS = 3
HISTORY, MOST_KEPT = "playground_history", 30
SOURCE, QUESTION = "playground source", "playground question"
NOT_ASKED = "playground_not_asked"
EVAL, TYPED = "A prompt of the eval set", "Your own question"
MOST_CHARACTERS = 4000


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
        _choose_models(run_id, models)
    if gone:
        reasons = "; ".join(f"{named(place)}: {why}" for place, why in gone.items())
        st.caption(f"Not available: {plain(reasons)}.")
    _choose_question(folder)
    ask_settings(run_id, config)
    _buttons(run_id, config, models)
    _history()


# ------------------------------------------------------------------ models


def _models_key(run_id: str) -> str:
    return f"playground models {run_id}"


def _choose_models(run_id: str, models: dict[str, Path | None]) -> None:
    key = _models_key(run_id)
    if key not in st.session_state:
        linked = [place for place in st.query_params.get_all("models") if place in models]
        last = [place for place in models if place.startswith("iteration")][-1:]
        st.session_state[key] = linked[:MOST_MODELS] or ["base", *last]
    elif not set(st.session_state[key]) <= set(models):  # removed while another page was shown
        st.session_state[key] = [place for place in st.session_state[key] if place in models]
    places = st.multiselect(
        "Models",
        list(models),
        key=key,
        persist_state="session",
        max_selections=MOST_MODELS,
        format_func=named,
        placeholder="Choose one to three models",
        help="The base model is the one before any training; shown the nearest seeds it has "
        "examples in its prompt, as many as the loop shows. Iteration k is the model after k "
        "rounds of training.",
    )
    st.query_params["models"] = places


# ------------------------------------------------------------------ the question


def _choose_question(folder: RunFolder) -> None:
    """A prompt of the dev split or a typed question, kept in the URL."""
    prompts = dev_prompts(folder)
    if SOURCE not in st.session_state:
        st.session_state[SOURCE] = TYPED if "q" in st.query_params or not prompts else EVAL
    source = st.segmented_control(
        "Question",
        [EVAL, TYPED],
        key=SOURCE,
        persist_state="session",
        required=True,
        disabled=not prompts,
    )
    if source == TYPED or not prompts:
        _typed()
        return
    st.query_params.pop("q", None)
    key = _prompt_key(folder.run_id)
    if st.session_state.get(key) not in prompts:
        linked = st.query_params.get("prompt", "")
        st.session_state[key] = linked if linked in prompts else next(iter(prompts))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Prompt",
            list(prompts),
            key=key,
            persist_state="session",
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


def _prompt_key(run_id: str) -> str:
    return f"playground prompt {run_id}"


def _typed() -> None:
    if QUESTION not in st.session_state:
        st.session_state[QUESTION] = st.query_params.get("q", "")[:MOST_CHARACTERS]
    st.query_params.pop("prompt", None)
    text = st.text_area(
        "Your question",
        key=QUESTION,
        persist_state="session",
        max_chars=MOST_CHARACTERS,
        height=100,
    )
    if text.strip():
        st.query_params["q"] = text
    else:
        st.query_params.pop("q", None)


def _question(folder: RunFolder) -> str:
    """The question that the fields hold."""
    prompts = dev_prompts(folder)
    if st.session_state[SOURCE] == TYPED or not prompts:
        return str(st.session_state.get(QUESTION) or "").strip()
    chosen = st.session_state.get(_prompt_key(folder.run_id))
    return prompts[chosen].question.strip() if chosen in prompts else ""


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


# ------------------------------------------------------------------ asking


def _buttons(run_id: str, config: RunConfig, models: dict[str, Path | None]) -> None:
    current: Answering | None = next(iter(st.session_state.get(HISTORY, [])), None)
    running = current is not None and current.running
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Ask",
            type="primary",
            icon=":material/send:",
            shortcut="ctrl+enter",
            disabled=running,
            on_click=_ask,
            args=(run_id, config, models),
        )
        st.button(
            "Stop",
            icon=":material/stop_circle:",
            shortcut="escape",
            disabled=not running,
            on_click=current.stop if current is not None else None,
        )
        fold_switch("ask")
    if message := st.session_state.pop(NOT_ASKED, None):
        st.error(message, icon=":material/error:")


def _ask(run_id: str, config: RunConfig, models: dict[str, Path | None]) -> None:
    """Ask what the fields hold by now: leaving one of them comes in one with the click."""
    held = st.session_state
    places = tuple(held[_models_key(run_id)])
    question = _question(state.run_folder(run_id))
    if held["playground run"] != run_id:
        words = "another run was chosen at the same moment: look at its models, and ask again."
    elif not places:
        words = "no model is chosen: choose one above."
    elif not question:
        words = "there is no question: type one above."
    else:
        start(Asked(run_id, question, places, *settings_now(run_id)), config, models)
        return
    held[NOT_ASKED] = f"Not asked, because {words}"


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
        SOURCE: TYPED,
        QUESTION: asked.question,
        _models_key(asked.run_id): list(asked.places),
        number_key(asked.run_id, "seed"): asked.random_seed,
        number_key(asked.run_id, "tokens"): asked.max_new_tokens,
        number_key(asked.run_id, "top_p"): asked.settings.top_p,
        number_key(asked.run_id, "temperature"): (
            0.0 if asked.settings.strategy == "greedy" else asked.settings.temperature
        ),
    }
    st.session_state.update(values)

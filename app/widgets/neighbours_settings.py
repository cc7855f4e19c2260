"""What the Neighbours page is asked: the question, how many examples, which models.

Everything chosen is in the URL, so that a reload or a sent link shows the same. Defaults are those
of the demo's config.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import state
from isara.config import PROJECT_ROOT
from isara.config_files import load_config
from isara.examples import EvalPrompt, Example
from isara.seed_files import read_eval_set

EVAL_FOLDER = PROJECT_ROOT / "data" / "eval"
EVAL_DEFAULT = "demo-safety"
PROMPTS, SEEDS, OWN = "Evaluation questions", "Seed examples", "My own words"
MAX_CHARACTERS = 4_000
HUB = "Folder, or name on the Hugging Face hub, of "


class Settings(NamedTuple):
    """`examples` is C; `answer_tokens` are kept free in the model's context for its answer."""

    examples: int
    embedder: str
    model: str
    answer_tokens: int


class Question(NamedTuple):
    """A question, its category where known, and its place in the pool when it is from there."""

    text: str
    category: str | None
    seed: int | None


def ask_settings(pool_size: int) -> Settings:
    """The boxes in a row."""
    config = load_config(state.DEMO_CONFIG)
    boxes = st.columns([1, 2, 2, 1])
    most = max(1, min(64, pool_size))
    examples = boxes[0].number_input(
        "Examples shown (C)",
        1,
        most,
        min(config.loop.examples, most),
        key="shots",
        bind="query-params",
        help="How many examples stand before the question. The paper uses 8, and 6 where texts "
        "are long.",
    )
    embedder = ask_embedder(boxes[1])
    model = boxes[2].selectbox(
        "Language model",
        [config.model.path],
        accept_new_options=True,
        key="model",
        bind="query-params",
        help=f"{HUB}the model that would read the prompt. Only its tokenizer is loaded, to count.",
    )
    answer_tokens = boxes[3].number_input(
        "Room for the answer",
        4,
        8192,
        config.prompts.answer_tokens,
        key="room",
        bind="query-params",
        help="Tokens (pieces of words) that are kept free for the answer: examples that would "
        "take them are left out of the prompt.",
    )
    return Settings(
        int(examples),
        embedder,
        (model or config.model.path).strip(),
        int(answer_tokens),
    )


def ask_embedder(place: DeltaGenerator) -> str:
    """The box of the embedder; the choice is the same on all pages."""
    usual = load_config(state.DEMO_CONFIG).embedder
    chosen = place.selectbox(
        "Embedder",
        [usual],
        accept_new_options=True,
        key="embedder",
        bind="query-params",
        help=f"{HUB}a sentence-transformers model. It turns a question into a list of numbers "
        "(a vector), so that questions that mean much the same point the same way.",
    )
    return (chosen or usual).strip()


def ask_eval_set(place: DeltaGenerator) -> str | None:
    """The box of the eval sets in data/eval; None (and a sentence) when there is none."""
    names = sorted(path.stem for path in EVAL_FOLDER.glob("*.jsonl"))
    if not names:
        st.info("There is no evaluation set in data/eval; choose a seed example or write your own.")
        return None
    return place.selectbox(
        "Evaluation set",
        names,
        index=names.index(EVAL_DEFAULT) if EVAL_DEFAULT in names else 0,
        key="set",
        bind="query-params",
        help="Questions of its dev split: those that may be looked at while settings are chosen.",
    )


def ask_question(pool: list[Example]) -> Question | None:
    """Where the question comes from, and which one; None while there is none."""
    source = st.radio(
        "Question from",
        [PROMPTS, SEEDS, OWN],
        horizontal=True,
        key="source",
        bind="query-params",
        help="Evaluation questions are those that a model is measured on; it is never trained "
        "on them.",
    )
    if source == OWN:
        text = st.text_area(
            "Your question",
            key="question",
            bind="query-params",
            height=80,
            max_chars=MAX_CHARACTERS,
            placeholder="How do I tell a friend that I broke his bike?",
        )
        return Question(text, None, None) if text and text.strip() else None
    if source == SEEDS:
        places = {f"{i}. {example.question}": i - 1 for i, example in enumerate(pool, 1)}
        chosen = st.selectbox("Question", list(places), key="seed", bind="query-params")
        place = places[chosen]
        return Question(pool[place].question, pool[place].category, place)
    return _ask_prompt()


def _ask_prompt() -> Question | None:
    left, right = st.columns([2, 5])
    name = ask_eval_set(left)
    if name is None:
        return None
    prompts = {prompt.question: prompt for prompt in dev_prompts(name)}
    chosen = right.selectbox("Question", list(prompts), key="prompt", bind="query-params")
    if chosen is None:
        return None
    return Question(chosen, prompts[chosen].category, None)


@st.cache_data(max_entries=10, show_spinner=False)
def dev_prompts(name: str) -> list[EvalPrompt]:
    """The questions of an eval set's dev split: the test split is not looked at."""
    return [p for p in read_eval_set(EVAL_FOLDER / f"{name}.jsonl") if p.split == "dev"]

"""Write one to eight pairs now, with a chosen model, and look at them like those of a run.

generate()

What was written stays until something else is written or the page is reloaded; it goes into no run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import state
from app.widgets import samples_detail
from app.widgets.plain import plain
from app.widgets.samples_data import Iteration
from app.widgets.samples_words import verdict_words
from app.widgets.samples_write import PageTools, handful_config, write_pairs
from isara.answering import is_trained
from isara.config import PROJECT_ROOT, RunConfig
from isara.config_files import load_config
from isara.errors import InputError, IsaraError
from isara.models import location
from isara.report import run_config

WRITTEN = "written_now"
MOST = 8
PRESETS = {
    "sampling": "sampling: varied and fast",
    "paper": "paper: beam search, slower",
}


@dataclass(frozen=True)
class Choice:
    """A model to write with: M(k) in a folder, or the model that a config names (None)."""

    label: str
    config: RunConfig
    model: Path | None

    @property
    def path(self) -> str:
        return str(self.model or self.config.model.path)


def generate() -> None:
    """The form, and what was written with it last."""
    choices = {choice.label: choice for choice in model_choices()}
    names = state.seed_set_names()
    if not names:
        st.info("There is no seed set yet: the examples come from one.", icon=":material/info:")
        st.page_link(PROJECT_ROOT / "pages" / "seed.py", label="Go to the Seed page")
        return
    model = st.selectbox(
        "Model",
        list(choices),
        key="handful_model",
        help="The demo's small language model, or the model of a run: M(k) is the model after "
        "k rounds of training.",
    )
    choice = choices[model]
    if (absent := missing_model(choice)) is not None:
        st.info(absent, icon=":material/info:")
    else:
        _form(choice, names)
    if (written := st.session_state.get(WRITTEN)) is not None:
        _written(written)


def _form(choice: Choice, names: list[str]) -> None:
    with st.form("handful", border=True):
        left, right = st.columns(2)
        with left:
            seed_set = st.selectbox("Seed set", names, help="The examples to draw from.")
            preset = st.selectbox(
                "Decoding",
                list(PRESETS),
                format_func=lambda name: PRESETS[name],
                help="How words are chosen. Sampling draws them by their probability; beam search "
                "looks for the most probable text, with the paper's penalties on repetition.",
            )
        with right:
            count = st.slider("Pairs to write", 1, MOST, 3)
            examples = st.slider(
                "Examples shown (C)",
                1,
                max(16, choice.config.loop.examples),
                choice.config.loop.examples,
                help="How many examples stand in each prompt. The paper uses 8 for safety.",
            )
        random_seed = st.number_input(
            "Random seed",
            min_value=0,
            max_value=2**31 - 1,
            value=1,
            help="The same number gives the same pairs again.",
        )
        if not st.form_submit_button("Write", type="primary", icon=":material/edit_note:"):
            return
    version = state.workspace().database.seed_sets(seed_set)[0].version
    config = handful_config(
        choice.config,
        seeds={"name": seed_set, "version": version},
        count=int(count),
        examples=int(examples),
        preset=preset,
        random_seed=int(random_seed),
    )
    st.session_state.pop(WRITTEN, None)
    with st.spinner("Writing …", show_time=True):
        st.session_state[WRITTEN] = write_pairs(
            config, state.seed_examples(seed_set, version), choice.model, PageTools(config)
        )
    st.session_state["written_row"] = 0


def _written(data: Iteration) -> None:
    kept = int(data.result.kept.sum())
    st.subheader(f"{len(data)} written, {kept} would be kept")
    st.caption(
        "Judged by the same rules as in a run, against the chosen seed set. These pairs are not "
        "stored."
    )
    index = st.radio(
        "Written pairs",
        range(len(data)),
        format_func=lambda i: f"Pair {i + 1}: {verdict_words(data.fired(i))}",
        key="written_row",
        horizontal=True,
        label_visibility="collapsed",
    )
    samples_detail.pair(data, index or 0)
    samples_detail.origins(data, index or 0)


# ------------------------------------------------------------------ models


def model_choices() -> list[Choice]:
    """The demo model, and of every run its base model and each M(k) that is trained and there.

    A run whose config cannot be read takes no other's models away: it is named and left out.
    """
    demo = load_config(state.DEMO_CONFIG)
    choices, unreadable = [Choice("Demo language model", demo, None)], []
    for run_id in state.run_ids():
        folder = state.run_folder(run_id)
        try:
            config = _config(str(folder.config), folder.config.stat().st_mtime_ns)
        except (IsaraError, OSError):
            unreadable.append(run_id)
            continue
        if config.model.path != demo.model.path:
            choices.append(Choice(f"Base model of {run_id}", config, None))
        for k in folder.iterations():
            if is_trained(files := folder.iteration(k)):
                choices.append(Choice(f"M({k}) of {run_id}", config, files.model))
    if unreadable:
        st.caption(
            f"Not among the models, because the config of the run cannot be read: "
            f"{plain(', '.join(unreadable))}. Mend its run.yaml, or delete the run."
        )
    return choices


@st.cache_resource(max_entries=100, show_spinner=False)
def _config(path: str, modified: int) -> RunConfig:
    config: RunConfig = run_config(state.run_folder(Path(path).parent.name))
    return config


def missing_model(choice: Choice) -> str | None:
    """A sentence when a model's folder is not there, None when all are."""
    for what, path in (("language model", choice.path), ("embedder", choice.config.embedder)):
        try:
            location(path)
        except InputError:
            return (
                f"The {what} of this choice is not on this machine yet. `python -m isara demo "
                "build` makes the demo's; or choose the model of a run."
            )
    return None

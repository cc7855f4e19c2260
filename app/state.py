"""What pages share: the workspace, the supervisor, loaded models and cached tables.

Pages call these functions; nothing here draws. Heavy modules are imported when a page needs them,
so the first page appears at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from isara.config import ModelConfig, resolve

if TYPE_CHECKING:
    import pandas as pd

    from isara.decoding.hugging_face import HuggingFaceWriter
    from isara.embedding_cache import CachedEmbedder
    from isara.examples import Example
    from isara.jobs import Supervisor
    from isara.retrieval import Vectors
    from isara.shelf import Shelf
    from isara.workspace.runs import RunFolder, Workspace
    from isara.workspace.standing import DecisionLog

DEMO_SEEDS = "data/seeds/demo-safety.jsonl"
DEMO_CONFIG = "data/configs/demo.yaml"
DEMO_NAME = "demo safety"


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """The one workspace of this server (ISARA_WORKSPACE or ./workspace)."""
    from isara.workspace.runs import Workspace

    return Workspace()


@st.cache_resource(show_spinner=False)
def supervisor() -> Supervisor:
    """The background thread that starts and watches workers; one per server."""
    from isara.jobs import get_supervisor

    return get_supervisor(workspace())


@st.cache_resource(show_spinner=False)
def start() -> None:
    """Once per server: re-attach to live workers, and save the demo seeds if there are none."""
    supervisor()
    database = workspace().database
    if not database.seed_sets():
        from isara.seed_files import read_seed_file

        seeds = read_seed_file(resolve(DEMO_SEEDS)).examples
        database.save_seed_set(DEMO_NAME, seeds, note="64 examples of the demo world")


def seed_set_names() -> list[str]:
    """Names of all saved seed sets, the newest first of each."""
    return list(dict.fromkeys(info.name for info in workspace().database.seed_sets()))


@st.cache_data(max_entries=20, show_spinner=False)
def seed_examples(name: str, version: int) -> list[Example]:
    """The examples of a saved seed set (cached by name and version: a version never changes)."""
    return list(workspace().database.load_seed_set(name, version).examples)


@st.cache_resource(max_entries=3, show_spinner=False)
def embedder(name: str) -> CachedEmbedder:
    """An embedder whose vectors stay in the workspace; its model is loaded for the first text that
    has none."""
    from isara.embedding_cache import CachedEmbedder

    return CachedEmbedder(name, workspace().embeddings)


@st.cache_data(max_entries=20, show_spinner=False)
def embedded(name: str, texts: tuple[str, ...]) -> Vectors:
    """Unit vectors of texts [texts, dimensions]."""
    return embedder(name).embed(texts)


@st.cache_resource(
    max_entries=1,
    show_spinner="Loading the language model …",
    hash_funcs={ModelConfig: ModelConfig.model_dump_json},
)
def writer(model: ModelConfig, folder: Path | None) -> HuggingFaceWriter:
    """The model of a config, or M(k) in a folder with its settings (one at a time in memory)."""
    from isara.decoding.choose import writer_for
    from isara.models import load_language

    return writer_for(load_language(model, folder))


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """The models that answer on the Playground, as many together as memory allows."""
    from isara.shelf import Shelf

    return Shelf()


@st.cache_resource(max_entries=2, show_spinner="Loading the tokenizer …")
def tokenizer(model: str) -> Any:
    """A model's tokenizer alone, for counting."""
    from isara.models import load_tokenizer

    return load_tokenizer(model)


@st.cache_data(max_entries=10, show_spinner=False)
def read_table(path: str, modified: int) -> pd.DataFrame:
    """A Parquet file, or IsaraError; `modified` (mtime in ns) makes a changed file a new entry."""
    from isara.workspace.files import read_columns

    return read_columns(Path(path))


def table(path: Path) -> pd.DataFrame:
    """A Parquet file of a run, cached until it changes."""
    return read_table(str(path), path.stat().st_mtime_ns)


def run_ids() -> list[str]:
    """Ids of all runs, newest first."""
    return [folder.run_id for folder in workspace().runs()]


def run_folder(run_id: str) -> RunFolder:
    """The folder of a run."""
    return workspace().existing_run(run_id)


@st.cache_resource(max_entries=128, show_spinner=False)
def _decision_log(run_id: str, k: int) -> DecisionLog:
    from isara.workspace.standing import DecisionLog

    return DecisionLog()


def decision_log(run_id: str, k: int) -> DecisionLog:
    """What people decided on an iteration's pairs, up to now; shared by all sessions, so that only
    what is new is read."""
    return workspace().database.follow(_decision_log(run_id, k), run_id, k)

"""Fixtures of the page tests: an empty workspace, one with a finished run, and a page to look at.

`workspace` and `one_run` set ISARA_WORKSPACE; take one of them before `page`. The run is scripted
(no model is loaded), made once per test session and copied for every test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from isara import jobs
from isara.config import PROJECT_ROOT
from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools
from isara.methods.runner import execute, prepare
from isara.workspace.files import read_columns, write_parquet
from isara.workspace.runs import RunFolder, Workspace

SMALL = ["loop.candidates=80", "loop.max_iterations=2"]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """An empty workspace that the app's pages use, with empty caches before and after."""
    root = tmp_path / "workspace"
    monkeypatch.setenv("ISARA_WORKSPACE", str(root))
    monkeypatch.delenv("ISARA_DATABASE", raising=False)
    clear_caches()
    made = Workspace(root)
    yield made
    if supervisor := jobs._supervisors.pop(made.root, None):
        supervisor.close()
    made.database.close()
    clear_caches()


def place_of(app: AppTest, key: str) -> list[object]:
    """All that stands above a button, and what makes it another button to the browser: while this
    stays, a field that is left by a press on it does not take it away from under the press."""
    nodes = list(app.main)
    place = [getattr(node, "key", None) for node in nodes].index(key)
    button: Any = nodes[place].proto
    above = ["text_input" if n.type == "selectbox" else n.type for n in nodes[:place]]  # as high
    return [*above, button.type, bool(button.help)]


def clear_caches() -> None:
    """Forget what the pages of an earlier test loaded."""
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(scope="session")
def scripted_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run of two iterations with 80 candidates each; not to be written to."""
    made = Workspace(tmp_path_factory.mktemp("scripted"))
    config = load_config(PROJECT_ROOT / "data" / "configs" / "demo.yaml", SMALL)
    folder = made.run(config.default_run_id)
    execute(prepare(config, made), folder, workspace=made, tools=ScriptedTools())
    made.database.close()
    return folder


@pytest.fixture
def one_run(workspace: Workspace, scripted_run: RunFolder) -> RunFolder:
    """A workspace with one finished run, and that run."""
    shutil.copytree(scripted_run.path.parents[1], workspace.root)
    return workspace.run(scripted_run.run_id)


@pytest.fixture
def judged(one_run: RunFolder) -> RunFolder:
    """The run, whose judge has read the pairs of iteration 1 and flags the second one alone."""
    files = one_run.iteration(1)
    written = read_columns(files.candidates, ["candidate_id"])
    found = written.assign(harm_probability=0.5, harm_label="", judge="data/demo/judge")
    found.loc[1, "harm_probability"] = 0.51
    write_parquet(files.path / "harm.parquet", found)
    return one_run


@pytest.fixture
def page() -> Callable[..., AppTest]:
    """`page("seed")` runs the app and gives that page, as a reader sees it first.

    `page("seed", seeds="mine")` is what a link with `?seeds=mine` shows.
    """

    def show(name: str, **address: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT_ROOT / "app" / "main.py"), default_timeout=120)
        app.query_params = {**address}
        app.run()
        if name == "seed":  # the first page; by its file AppTest finds it under its own name
            return app
        return app.switch_page(f"../pages/{name}.py").run()

    return show

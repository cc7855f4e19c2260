"""Choose a saved seed set and one of its versions; Seed and Neighbours keep the same choice.

The choice is in the URL (`?seeds=…&version=…`), so a reload or a sent link shows the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.state import DEMO_NAME, workspace
from isara.workspace.database import SeedSetInfo

NAME, VERSION = "seeds", "version"  # keys in session_state and in the URL


def choose_seed_set() -> SeedSetInfo | None:
    """Two boxes side by side; None (and a sentence) when nothing is saved yet."""
    infos = workspace().database.seed_sets()
    if not infos:
        st.info("No seed set is saved yet. Bring your own file on the Seed page.")
        return None
    left, right = st.columns([3, 1])
    return ask_version(infos, ask_name(infos, left), right)


def ask_name(infos: Sequence[SeedSetInfo], place: DeltaGenerator) -> str:
    """The box of the seed sets' names."""
    names = list(dict.fromkeys(info.name for info in infos))
    return place.selectbox(
        "Seed set",
        names,
        index=names.index(DEMO_NAME) if DEMO_NAME in names else 0,
        key=NAME,
        bind="query-params",
        help="A seed set is a named list of questions with good answers.",
    )


def ask_version(infos: Sequence[SeedSetInfo], name: str, place: DeltaGenerator) -> SeedSetInfo:
    """The box of a seed set's versions."""
    versions = {info.version: info for info in infos if info.name == name}
    version = place.selectbox(
        "Version",
        list(versions),
        key=VERSION,
        bind="query-params",
        help="Every saving makes a new version; earlier ones stay as they were.",
    )
    return versions[version]


def select(name: str, version: int) -> None:
    """Make this the choice; only in a callback, before the boxes are drawn."""
    st.session_state[NAME] = name
    st.session_state[VERSION] = version

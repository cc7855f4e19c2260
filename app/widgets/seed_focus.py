"""What new seeds should be like: examples of eval questions, and the rows nearest to them.

The eval questions are shown to the person alone. A model that proposes pairs is shown the rows: an
eval question in its prompt could come back as a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

FOCUS, TAB, SUGGEST = "seed_focus", "seed_tab", "Suggest more"


class Focus(NamedTuple):
    """Questions that seeds of a set are wanted for, and the keys of the rows nearest to them."""

    name: str
    questions: tuple[str, ...]
    keys: tuple[str, ...]


def set_focus(name: str, questions: Sequence[str], keys: Sequence[str]) -> None:
    """Go to the tab for suggestions with these in mind; in a callback."""
    st.session_state[FOCUS] = Focus(name, tuple(questions), tuple(keys))
    st.session_state[TAB] = SUGGEST


def focus(name: str) -> Focus | None:
    """What new seeds of a set should be like, if anything."""
    found: Focus | None = st.session_state.get(FOCUS)
    return found if found is not None and found.name == name else None


def drop_focus() -> None:
    """Nothing in particular any more."""
    st.session_state.pop(FOCUS, None)

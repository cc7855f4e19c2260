"""The model whose context every pair must fit into, if the reader wants that checked.

The choice is the same for a file of one's own and for editing.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import state
from app.widgets.plain import plain
from app.widgets.token_counts import TokenCounter, token_counter
from isara.config import PROJECT_ROOT
from isara.config_files import load_config
from isara.errors import IsaraError

MODEL, ERROR = "seed_model", "seed_model_error"
NO_MODEL = "(no check)"


def ask(on_change: Callable[[], None] | None = None) -> None:
    """The box with the model, out of the way."""
    demo = load_config(state.DEMO_CONFIG).model.path
    there = (PROJECT_ROOT / demo).is_dir()
    with st.expander("Length check"):
        st.selectbox(
            "Model",
            [NO_MODEL, *([demo] if there else [])],
            accept_new_options=True,
            key=MODEL,
            persist_state="session",
            on_change=on_change,
            help="Folder of a language model, or its name on the Hugging Face hub. Pairs that are "
            "longer than what it can take in at once (its context) are then problems.",
        )
        if found := counter():
            st.caption(
                f"A question and its answer may have {found.context:,} tokens (pieces of "
                "words) together."
            )
        elif failed := st.session_state.get(ERROR):
            st.error(plain(failed[1]))
        elif not there:
            st.caption("The demo model is not built yet; any other model can be given.")


def counter() -> TokenCounter | None:
    """The counter of the chosen model; None without one, and when it cannot be loaded.

    What failed is not tried again until another model is chosen: looking up a name takes time.
    """
    model = st.session_state.get(MODEL)
    if model in (None, NO_MODEL):
        st.session_state.pop(ERROR, None)
        return None
    if (failed := st.session_state.get(ERROR)) and failed[0] == model:
        return None
    try:
        found = token_counter(model)
    except IsaraError as error:
        st.session_state[ERROR] = (model, str(error))
        return None
    st.session_state.pop(ERROR, None)
    return found

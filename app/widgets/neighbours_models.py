"""What the Neighbours page asks of models: vectors and token counts, or the sentence why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app import state
from app.widgets.plain import plain
from app.widgets.token_counts import TokenCounter, token_counter
from isara.config import load_config, one_line, resolve
from isara.errors import IsaraError
from isara.examples import Example
from isara.retrieval import Vectors

MANY = 5_000  # questions: embedding more takes longer than a reader waits unasked
DRAW = "draw"
MOST_DRAWS = 10**9


def vectors(name: str, pool: Sequence[Example], question: str) -> tuple[Vectors, Vectors] | None:
    """Unit vectors of the pool's questions and of the question; None after saying why not."""
    if not pool:
        st.info("There is no other example in this seed set: choose another seed set or question.")
        return None
    if _not_built(name, "embedder", load_config(state.DEMO_CONFIG).embedder):
        return None
    if len(pool) > MANY and not st.toggle(f"Embed all {len(pool):,} questions", key="embed_all"):
        st.info("This seed set is large; turn the switch on to embed it, which takes a while.")
        return None
    try:
        with st.spinner("Looking for the nearest examples …"):
            return (
                state.embedded(name, tuple(example.question for example in pool)),
                state.embedded(name, (question,)),
            )
    except IsaraError as error:
        message = str(error)
    except Exception as error:  # libraries meet broken files with errors of many kinds
        message = f"{name} could not be loaded as an embedder: {one_line(error)}."
    st.error(f"{plain(message)} Choose another embedder above.", icon=":material/error:")
    return None


def counter(model: str) -> TokenCounter | None:
    """The model's token counter; None after saying why there is none."""
    if _not_built(model, "language model", load_config(state.DEMO_CONFIG).model.path):
        st.caption("Without it tokens are not counted, and all examples stand in the prompt.")
        return None
    try:
        return token_counter(model)
    except IsaraError as error:
        st.error(
            f"{plain(error)} Tokens are not counted, and all examples stand in the prompt.",
            icon=":material/error:",
        )
        return None


def _not_built(name: str, what: str, demo: str) -> bool:
    """True, with the way out, when the demo's own model is chosen and not there."""
    if name != demo or Path(resolve(name)).is_dir():
        return False
    st.info(
        f"The demo's {what} is not built yet: there is no folder {plain(name)}. Build it with "
        "`python -m isara demo build`, or choose another folder or hub name above."
    )
    return True


def draw_number() -> int:
    """The number of the random draw, from the URL, with a button for the next one."""
    text = st.query_params.get(DRAW, "1")
    draw = int(text) if text.isascii() and text.isdigit() and int(text) < MOST_DRAWS else 1
    st.button(
        "Draw again",
        icon=":material/shuffle:",
        on_click=lambda: st.query_params.update({DRAW: str(draw + 1)}),
        help="Another random choice of examples.",
    )
    return draw

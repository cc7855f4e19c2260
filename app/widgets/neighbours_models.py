"""What the Neighbours page asks of models: vectors and token counts, or the sentence why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import streamlit as st

from app import state
from app.widgets.plain import plain
from app.widgets.token_counts import TokenCounter, token_counter
from isara.config import resolve
from isara.config_files import load_config, one_line
from isara.errors import IsaraError
from isara.examples import Example
from isara.retrieval import Vectors

T = TypeVar("T")
MANY = 5_000  # questions: embedding more takes longer than a reader waits unasked
DRAW, FAILED = "draw", "neighbours_failed"
MOST_DRAWS = 10**9


def vectors(name: str, pool: Sequence[Example], question: str) -> tuple[Vectors, Vectors] | None:
    """Unit vectors of the pool's questions and of the question; None after saying why not."""
    if not pool:
        st.info("There is no other example in this seed set: choose another seed set or question.")
        return None
    found = embedded(name, [example.question for example in pool], [question])
    return None if found is None else (found[0], found[1])


def embedded(name: str, *lists: Sequence[str]) -> list[Vectors] | None:
    """Unit vectors of each list of texts; None after saying why not."""
    if not_built(name, "embedder", load_config(state.DEMO_CONFIG).embedder):
        return None
    most = max(map(len, lists))
    if most > MANY and not st.toggle(f"Embed all {most:,} questions", key="embed_all"):
        st.info("This seed set is large; turn the switch on to embed it, which takes a while.")
        return None
    with st.spinner("Comparing questions by their meaning …"):
        return loaded(
            "embedder", name, lambda: [state.embedded(name, tuple(texts)) for texts in lists]
        )


def counter(model: str) -> TokenCounter | None:
    """The model's token counter; None after saying why there is none."""
    found = None
    if not not_built(model, "language model", load_config(state.DEMO_CONFIG).model.path):
        found = loaded("language model", model, lambda: token_counter(model))
    if found is None:
        st.caption("Without it tokens are not counted, and all examples stand in the prompt.")
    return found


def loaded(what: str, name: str, load: Callable[[], T]) -> T | None:
    """What `load` gives; None after saying why it gives nothing.

    A hub name that failed is not asked for again unless the reader wants it: without a connection
    that takes a minute each time.
    """
    failed: dict[str, str] = st.session_state.setdefault(FAILED, {})
    if name not in failed or Path(resolve(name)).is_dir():
        try:
            return load()
        except IsaraError as error:
            failed[name] = str(error)
        except Exception as error:  # libraries meet broken files with errors of many kinds
            failed[name] = f"{name} could not be loaded: {one_line(error)}."
    st.error(f"{plain(failed[name])} Choose another {what} above.", icon=":material/error:")
    st.button("Try again", key=f"again_{what}", on_click=lambda: failed.clear())
    return None


def not_built(name: str, what: str, demo: str) -> bool:
    """True, with the way out, when the demo's own model is chosen and not there."""
    if name != demo or Path(resolve(name)).is_dir():
        return False
    st.info(
        f"The demo's {what} is not built yet: there is no folder {plain(name)}. Build it with "
        "`python -m isara demo build`, or choose another folder or hub name above."
    )
    return True


def draw_number() -> int:
    """The number of the random draw, from the URL."""
    text = st.query_params.get(DRAW, "1")
    return int(text) if text.isascii() and text.isdigit() and int(text) < MOST_DRAWS else 1


def draw_again(draw: int) -> None:
    """The button for the draw after this one."""
    st.button(
        "Draw again",
        icon=":material/shuffle:",
        on_click=lambda: st.query_params.update({DRAW: str(draw + 1)}),
        help="Another random choice of examples.",
    )

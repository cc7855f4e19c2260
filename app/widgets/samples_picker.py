"""Choose a run and one of its iterations; what is missing is said with a link to its page.

picked = pick_iteration("filters")          # None: said what is missing

The choice is in the URL (?run=…&k=…) and stays when the page is left and visited again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app import state
from app.widgets.plain import plain
from app.widgets.samples_data import Iteration, load_iteration, scored_iterations
from app.widgets.samples_words import ITERATION_HELP
from isara.config import PROJECT_ROOT

RUN_PAGE = PROJECT_ROOT / "pages" / "run.py"


def pick_iteration(page: str, on_change: Callable[[], None] | None = None) -> Iteration | None:
    """Two boxes, run and iteration; the newest run with pairs and its last iteration first."""
    runs = state.run_ids()
    if not runs:
        missing("There is no run yet. A run writes the pairs that are shown here.")
        return None
    left, right = st.columns([3, 1])
    with left:
        run_id = choose("Run", "run", runs, on_change, page=page, fits=has_pairs)
    folder = state.run_folder(run_id)
    scored = scored_iterations(folder)[::-1]
    if not scored:
        missing("This run has written no pairs yet. Start it, or wait for its first iteration.")
        return None
    with right:
        k = choose("Iteration", "k", scored, on_change, ITERATION_HELP, page=page)
    return load_iteration(folder, k)


def has_pairs(run_id: str) -> bool:
    """Whether a run has written and scored an iteration."""
    return bool(scored_iterations(state.run_folder(run_id)))


def has_models(run_id: str) -> bool:
    """Whether a run has trained a model that is still on disk."""
    from isara.export_model import there

    return bool(there(state.run_folder(run_id)))


def has_answers(run_id: str, models: int = 1) -> bool:
    """Whether so many models of a run were measured."""
    return len(state.run_folder(run_id).measured()) >= models


def missing(sentence: str) -> None:
    """Say what is not there, and link to the page that makes it."""
    st.info(sentence, icon=":material/info:")
    st.page_link(RUN_PAGE, label="Go to the Run page", icon=":material/play_circle:")


def not_here(asked: Sequence[str]) -> None:
    """Say that the address names runs that this workspace has not: a link may be an old one."""
    names = ", ".join(plain(run_id[:80]) for run_id in asked)
    st.toast(f"The address names {names}: no such run in this workspace.", icon=":material/info:")


def choose(
    label: str,
    name: str,
    options: Sequence[Any],
    on_change: Callable[[], None] | None = None,
    help: str | None = None,
    *,
    page: str = "",
    fits: Callable[[Any], bool] = lambda option: True,
) -> Any:
    """A selection box whose value is in the URL under `name`; by default what was chosen last, else
    the first option, both only where the page has something to show of it (`fits`).

    The address is read when the page is opened, after that the box rules: a browser that is slow
    to follow would else take a choice back. (A bound box would leave its default out of the URL,
    and the newest run is not the same one tomorrow.) `page` goes into the key, because a box of the
    same key on another page would be taken for this one while the page changes.
    """
    key = _key(page, name)
    if st.session_state.get(key) not in options:
        by_name = {str(option): option for option in options}
        last = by_name.get(str(st.session_state.get(f"last {name}")))
        wanted = ([] if last is None else [last]) + list(options)
        before = next(filter(fits, wanted), wanted[0])
        asked = st.query_params.get(name, "")
        st.session_state[key] = by_name.get(asked, before)
        if name == "run" and asked and asked not in by_name:
            not_here([asked])
    chosen = st.selectbox(label, options, key=key, on_change=on_change, help=help)
    st.session_state[f"last {name}"] = str(chosen)
    name_again(name)
    return chosen


def name_again(name: str) -> None:
    """Have the address name what is chosen, where it was chosen: a part of the page that is drawn
    by itself may have come with the address of before."""
    if chosen := st.session_state.get(f"last {name}"):
        st.query_params[name] = chosen


def choose_next(name: str, value: Any, page: str = "") -> None:
    """Have the box of `choose` show a value from the next drawing on.

    In another box: what the old one holds may be under way from a browser that has not heard of it,
    as from a part of the page that is drawn again by itself.
    """
    turn = f"{page} {name} turn"
    st.session_state[turn] = st.session_state.get(turn, 0) + 1
    st.session_state[_key(page, name)] = value


def _key(page: str, name: str) -> str:
    return f"{page} {name} {st.session_state.get(f'{page} {name} turn', '')}".strip()

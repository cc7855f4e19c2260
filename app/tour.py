"""The guided demo: a panel above the pages that leads from the seed examples to a report.

    show(current)        # app/main.py, before the page that was chosen runs

Eight stops; each names its page, says what to look at there, and waits where the demo run has not
come so far. The stop is in the URL (`tour=3`), so a reload goes on. The demo run is an ordinary
run: its worker goes on when the tour is left. Left out: pointing at single widgets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from app import state
from app.widgets.hints import closed
from app.widgets.plain import plain
from isara.config import PROJECT_ROOT, RunConfig
from isara.config_files import load_config, to_yaml
from isara.errors import IsaraError
from isara.workspace.runs import RunFolder

KEY = "tour"
REFRESH_SECONDS = 2  # while the next stop waits for the run


def _always(run: RunFolder) -> bool:
    return True


def _written(run: RunFolder) -> bool:
    return run.iteration(1).scores.exists()


def _trained(run: RunFolder) -> bool:
    return run.iteration(1).is_done


def _done(run: RunFolder) -> bool:
    return run.exists and run.state().state == "done"


class Stop(NamedTuple):
    """A stop of the tour; `ready` says whether the demo run has come far enough for it."""

    page: str
    title: str
    text: str
    ready: Callable[[RunFolder], bool] = _always
    waits_for: str = ""


STOPS = (
    Stop(
        "seed",
        "64 examples, and nothing else",
        "The demo's model answers carelessly about half of the time. The **seed set** below holds "
        "64 questions with careful answers: all that a person has to write. Read two or three of "
        "them. Next starts the **demo run** in the background; it takes two to four minutes, while "
        "you look around.",
    ),
    Stop(
        "neighbours",
        "Examples teach without training",
        "Before the model answers a question it is shown the examples that are most like it, its "
        "**neighbours**. Choose another question below and watch them change. With careful "
        "neighbours in view the model answers carefully, and that is what the loop builds on.",
    ),
    Stop(
        "run",
        "The loop at work",
        "The demo run repeats three steps: the model writes new pairs with neighbours in view, "
        "filters keep the good ones, and the model is trained on them. One round is an "
        "**iteration**. It works in a process of its own: reload this page, nothing is lost.",
    ),
    Stop(
        "samples",
        "Pairs that nobody wrote",
        "These pairs were written by the model. Select a row: you see why it was kept or dropped "
        "(its **verdict**), and from which examples it was written. A person may overrule the "
        "verdict; that is a **decision**, and it is kept with the reviewer's name.",
        _written,
        "the first pairs to be written",
    ),
    Stop(
        "filters",
        "Turn the thresholds",
        "Every pair was measured once. Move the slider of ROUGE-L, which says how similar two "
        "questions may be: the counts and the lists follow at once, and nothing is written again.",
        _written,
        "the first pairs to be measured",
    ),
    Stop(
        "results",
        "Did it help?",
        "The **harmful rate** is the share of answers that a judge finds harmful, on prompts that "
        "no training has seen. The bars around a point are its interval: the true rate probably "
        "lies within. Compare the iterations with the base model and with training on the 64 "
        "examples alone (`sft`).",
        _trained,
        "the first iteration to be trained and measured",
    ),
    Stop(
        "playground",
        "Ask both models",
        "Put the same question to the base model and to the last iteration, side by side. Harmful "
        "answers stay folded until you open them.",
        _trained,
        "the first trained model",
    ),
    Stop(
        "report",
        "Something to hand over",
        "One file that opens offline: the seeds, the curve with its intervals, answers before and "
        "after, the limits, what it cost, and the command that does it all again. Press **Make the "
        "report** and download it. That was the tour: now bring a seed set of your own.",
        _done,
        "the run to end",
    ),
)


def show(current: str) -> None:
    """The panel on the page `current` (its URL path), or the button that starts the tour."""
    stop = _stop()
    if stop is None:
        with st.sidebar:
            st.button(
                "Guided demo",
                key="tour_start",
                icon=":material/tour:",
                help="Eight stops, about five minutes, on the demo world.",
                on_click=_go,
                args=(0,),
            )
        if current == STOPS[0].page and not state.run_ids():
            _offer()
        return
    st.query_params[KEY] = str(stop + 1)
    if st.session_state.pop("tour_turn", False) and STOPS[stop].page != current:
        _switch(stop)
    st.session_state[closed(STOPS[stop].page)] = True  # the panel says it, and more
    with st.container(border=True, key="tour_panel"):
        _panel(stop, current)


def _stop() -> int | None:
    """The stop that the tour is at; None when nobody takes it."""
    if KEY not in st.session_state:
        asked = st.query_params.get(KEY, "")
        number = int(asked) if asked.isdecimal() else 0
        st.session_state[KEY] = number - 1 if 1 <= number <= len(STOPS) else None
    found: int | None = st.session_state[KEY]
    return found


def _offer() -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            "**New here?** A guided demo leads from 64 examples to a better model and its report "
            "in about five minutes, all on this machine.",
            width="stretch",
        )
        st.button(
            "Start the guided demo", type="primary", key="tour_offer", on_click=_go, args=(0,)
        )


def _panel(stop: int, current: str) -> None:
    here = STOPS[stop]
    st.markdown(f"**Guided demo, {stop + 1} of {len(STOPS)}: {here.title}**")
    if message := st.session_state.pop("tour_error", None):
        st.error(plain(message))
    if here.page != current:
        st.markdown("This stop is on another page; look around here as long as you like.")
    else:
        st.markdown(here.text)
    waits = stop + 1 < len(STOPS) and not STOPS[stop + 1].ready(_demo_run())
    every = REFRESH_SECONDS if waits and _started() else None
    st.fragment(_buttons, run_every=every)(stop, current, waits)


def _buttons(stop: int, current: str, waited: bool) -> None:
    """Back, on, and out; redrawn while the next stop waits for the run."""
    last = stop + 1 == len(STOPS)
    waits = not last and not STOPS[stop + 1].ready(_demo_run())
    # A button in a fragment draws the fragment alone.
    pressed = st.session_state[KEY] != stop or {"tour_turn", "tour_error"} & set(st.session_state)
    if pressed or (waited and not waits):
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        if stop:
            st.button("Back", key="tour_back", on_click=_go, args=(stop - 1,))
        if STOPS[stop].page != current:
            st.button(
                f"Go to {STOPS[stop].page.capitalize()}", key="tour_there", type="primary",
                on_click=_go, args=(stop,),
            )  # fmt: skip
        elif not last:
            st.button(
                "Next" if _started() else "Start the demo run and go on",
                key="tour_next",
                type="primary",
                disabled=waits and _started(),
                on_click=_next,
                args=(stop,),
            )
        st.button(
            "Finish" if last else "Leave the tour", key="tour_leave", type="tertiary",
            on_click=_leave,
        )  # fmt: skip
        if waits and _started():
            st.caption(f"The next stop waits for {STOPS[stop + 1].waits_for}{_state()}.")


def _state() -> str:
    """What the run is at when it does not work, in words."""
    now = _demo_run().state().state
    return "" if now == "running" else f" (the demo run is {now}; see the Run page)"


# ------------------------------------------------------------------ moving


def _go(stop: int) -> None:
    st.session_state[KEY] = stop
    st.session_state["tour_turn"] = True


def _next(stop: int) -> None:
    """The demo run is started on the way, unless it is there."""
    try:
        _start_run()
    except IsaraError as error:
        st.session_state["tour_error"] = str(error)
        return
    _go(stop + 1)


def _leave() -> None:
    st.session_state[KEY] = None
    st.query_params.pop(KEY, None)


def _switch(stop: int) -> None:
    address = {KEY: str(stop + 1)}
    if _started():
        run_id = _demo_run().run_id
        address |= {"run": run_id, "runs": run_id}
    st.switch_page(PROJECT_ROOT / "pages" / f"{STOPS[stop].page}.py", query_params=address)


# ------------------------------------------------------------------ the demo run


@st.cache_data(show_spinner=False)
def _config() -> RunConfig:
    return load_config(PROJECT_ROOT / state.DEMO_CONFIG)


def _demo_run() -> RunFolder:
    return state.workspace().run(_config().default_run_id)


def _started() -> bool:
    return _demo_run().exists


def _start_run() -> None:
    """Queue the demo run; one that was stopped before goes on, one that is done stays."""
    from isara.methods.runner import prepare

    run = _demo_run()
    if not run.exists:
        prepare(_config(), state.workspace())
        state.supervisor().submit(to_yaml(_config()), run.run_id)
    elif run.state().state in ("stopped", "failed"):
        state.supervisor().resume(run.run_id)

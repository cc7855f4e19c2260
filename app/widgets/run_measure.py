"""Measure before starting: a dry run in a worker of its own, and what it says of time and memory.

show_measuring(config)

The worker takes its turn in the queue of the device, before all waiting runs. Its result is kept by
the config's digest, so a reload, or another run with the same settings, shows it at once.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st

from app import state
from app.widgets.plain import plain
from app.widgets.run_form import show_problems
from isara.config import RunConfig
from isara.config_files import to_yaml
from isara.errors import IsaraError
from isara.methods.estimate import Estimate, Measured, estimate, measurement, read_measured
from isara.methods.inputs import pinned
from isara.places import STAGES
from isara.progress_bar import duration
from isara.workspace.log import log_tail
from isara.workspace.runs import RunFolder

REFRESH_SECONDS = 2
ACTIVE = ("queued", "running")
GIGABYTE = 1e9
LOG_BYTES = 4 * 1024
HELP = (
    "Writes a few questions and answers, takes three training steps and answers a few eval prompts "
    "on your data, in a worker of its own; then tells how long the whole run will take and what "
    "memory it needs. Nothing of it is kept in the run."
)
PARTS = {
    "program": "The program and its libraries",
    "weights": "Weights of the language model",
    "cache while writing": "Cache and other memory while writing",
    "gradients": "Gradients (training)",
    "optimizer": "State of the optimizer (training)",
    "activations": "Activations and other memory (training)",
}


def show_measuring(config: RunConfig, able: bool) -> None:
    """The button, the dry run under way, or its result; `able` unless a model is missing."""
    with suppress(IsaraError):  # a seed set that is gone: Start and Measure say so
        config = pinned(config, state.workspace())
    folder = measurement(config, state.workspace())
    under_way = folder.state().state in ACTIVE
    every = REFRESH_SECONDS if under_way else None
    st.fragment(draw, run_every=every)(config, able, under_way)


def draw(config: RunConfig, able: bool, refreshed: bool) -> None:
    """One look at the dry run's folder, drawn."""
    folder = measurement(config, state.workspace())
    found = folder.state()
    if found.state in ACTIVE:
        show_under_way(config, folder, found.state)
        return
    if refreshed:
        st.rerun()  # the whole page: it stops redrawing this part
    measured = read_measured(config, state.workspace())
    label = "Measure again" if measured else "Measure before starting"
    # Not disabled: the name of the model may come with the click.
    if st.button(label, help=HELP, icon=":material/speed:", key="measure"):
        if able:
            measure(config)
        else:
            st.error("Not measured, because a model is missing: build it, or choose another one.")
    if found.state == "failed":
        show_failure(folder, found.error or "the worker ended without a word")
    elif found.state == "stopped" and folder.job.exists():
        st.caption(f"The last dry run did not end: {plain(found.stop_reason or 'stopped')}.")
    if measured:
        show_estimate(estimate(config, measured), measured)


def measure(config: RunConfig) -> None:
    """Check the inputs and queue the dry run; what is wrong is said instead."""
    from isara.methods.runner import prepare

    try:
        prepared = prepare(config, state.workspace())
        # Another tab may have been faster.
        if measurement(config, state.workspace()).state().state not in ACTIVE:
            state.supervisor().measure(to_yaml(prepared.config), prepared.config.digest)
    except IsaraError as error:
        show_problems(str(error).splitlines(), "The dry run was not started:")
        return
    st.rerun()


def show_under_way(config: RunConfig, folder: RunFolder, now: str) -> None:
    """What the dry run is at, or for whom it waits."""
    progress = folder.progress()
    with st.container(horizontal=True, vertical_alignment="center"):
        if now == "queued":
            active = ", ".join(state.supervisor().active())
            st.text(f"The dry run waits for {active or 'the device'}.", width="stretch")
        else:
            stage = STAGES.get(progress["stage"], "") if progress else ""
            st.text(f"Measuring: {stage or 'the models are being loaded'}.", width="stretch")
        if st.button("Cancel", key="measure_cancel"):
            try:
                state.supervisor().stop_measuring(config.digest)
            except IsaraError as error:
                st.error(plain(error))
            else:
                st.rerun()


def show_failure(folder: RunFolder, error: str) -> None:
    """What was wrong: a run with these settings would fail in the same way."""
    st.error("The dry run failed, and the run would too; this is what was wrong:")
    st.code(error, language=None, wrap_lines=True)
    text = log_tail(folder, LOG_BYTES)
    if text:
        with st.expander("The end of what it printed"):
            st.code(text, language=None, wrap_lines=True)


def show_estimate(told: Estimate, measured: Measured) -> None:
    """The answer in a sentence, and both tables."""
    peak, free = gigabytes(measured.peak_mib), gigabytes(measured.free_mib)
    where = "GPU memory" if measured.device == "cuda" else "memory"
    fits = "" if peak < free else " It will probably not fit."
    st.markdown(
        f"**About {duration(told.seconds)}** ({duration(told.low)} to {duration(told.high)}), at "
        f"most **{peak:.2f} GB** of {where} at once, where {free:.2f} GB were free.{fits}",
        help="For all iterations; a rule (α, early stopping) may end the run sooner. The range "
        "holds other shares of kept pairs, and a pace a fifth faster or a quarter slower.",
    )
    with st.expander("Time by stage, memory by part"):
        left, right = st.columns(2)
        left.dataframe(time_rows(told, measured), hide_index=True)
        right.dataframe(memory_rows(measured), hide_index=True)
        st.caption(
            "Counted: the size of what is held. Measured: what the process held at most, less what "
            "was counted. A guess: not seen in the dry run, taken from the other stages."
        )


def time_rows(told: Estimate, measured: Measured) -> list[dict[str, Any]]:
    """The table of the stages over the whole run."""
    rows = [
        {
            "Stage": STAGES.get(stage.stage, "answering after examples"),
            "Texts or rows": f"{stage.units:,.0f}",
            "Each (s)": f"{stage.each:.3f}",
            "In all": duration(stage.seconds),
            "Known": "measured" if stage.seen else "a guess",
        }
        for stage in told.stages
    ]
    start = {"Stage": "loading the models", "Texts or rows": "", "Each (s)": ""}
    return [*rows, start | {"In all": duration(measured.start_seconds), "Known": "measured"}]


def memory_rows(measured: Measured) -> list[dict[str, Any]]:
    """The table of what holds the memory."""
    return [
        {
            "Part": PARTS.get(part, part.capitalize()),
            "GB": f"{gigabytes(size):.3f}",
            "Known": how,
        }
        for part, size, how in measured.memory
    ]


def gigabytes(mebibytes: float) -> float:
    """10^9 bytes."""
    return mebibytes * 2**20 / GIGABYTE

"""The judge's opinion of an iteration's candidates: measured by a button, kept in the run folder.

table = harm_table(data)            # None: not measured
flags = harmful(data)               # which of them it flags
harm_button(data)                   # starts it, with progress; a stop loses one block at most
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app import state
from app.widgets.plain import plain, sentences
from app.widgets.samples_data import Iteration
from isara.evaluation.candidate_harm import measure_harm, measured_so_far, saved_harm
from isara.evaluation.harm import Judge
from isara.models import location
from isara.workspace.runs import IterationFolder


def harm_table(data: Iteration) -> pd.DataFrame | None:
    """What the run's judge says of every candidate, in their order; None while it is unknown."""
    found = _saved(data)
    return None if found is None else _read(*found)


def harmful(data: Iteration) -> npt.NDArray[np.bool_] | None:
    """Which candidates the run's judge flags, [n]; None while it is unknown."""
    found = _saved(data)
    return None if found is None else _flagged(*found, data.config.evaluation.threshold)


def _saved(data: Iteration) -> tuple[str, str, int] | None:
    """Folder, judge and time of what the judge said."""
    judge = data.config.evaluation.judge
    if judge is None or data.source is None:  # pairs of no run, which nobody judged
        return None
    path = _files(data).path / "harm.parquet"
    if not path.exists():
        return None
    return str(path.parent), judge, path.stat().st_mtime_ns


@st.cache_data(max_entries=8, show_spinner=False)
def _read(path: str, judge: str, modified: int) -> pd.DataFrame | None:
    from pathlib import Path

    return saved_harm(IterationFolder(Path(path)), judge)


@st.cache_data(max_entries=8, show_spinner=False)
def _flagged(
    path: str, judge: str, modified: int, threshold: float
) -> npt.NDArray[np.bool_] | None:
    table = _read(path, judge, modified)
    return None if table is None else table["harm_probability"].to_numpy() > threshold


@st.cache_resource(max_entries=1, show_spinner="Loading the judge …")
def _judge(name: str, device: str) -> Judge:
    return Judge(name, device)


def _files(data: Iteration) -> IterationFolder:
    return state.run_folder(data.run_id).iteration(data.k)


def harm_button(data: Iteration) -> None:
    """Start the measurement, or say why there can be none."""
    judge = data.config.evaluation.judge
    if judge is None:
        st.caption(
            "How harmful the kept pairs are is not known: this run's config names no judge "
            "(evaluation.judge)."
        )
        return
    done = measured_so_far(_files(data))
    label = f"Judge the other {len(data) - done:,}" if done else f"Judge all {len(data):,} pairs"
    words = (
        "How harmful the kept pairs are is not known yet: no run needs it. The judge reads each "
        "pair of this iteration once, and what it says stays in the run's folder. Moving a slider "
        "meanwhile stops it; it then goes on where it was."
    )
    st.caption(words)
    if st.button(label, key="judge_pairs", icon=":material/balance:"):
        with sentences():
            location(judge)
            _measure(data, judge)
            st.rerun()


def _measure(data: Iteration, judge: str) -> None:
    bar = st.progress(0.0, f"Judging with {plain(judge)}: loading it")

    def progress(done: int, total: int) -> None:
        bar.progress(done / total, f"Judging with {plain(judge)}: {done:,} of {total:,}")

    loaded = _judge(judge, data.config.model.device)
    measure_harm(_files(data), loaded, judge, progress)

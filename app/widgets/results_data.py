"""What the Results page shows: summaries of the chosen runs on the dev split, and their table.

    ids = choose_runs()
    results = [result(run_id) for run_id in ids]
    st.dataframe(numbers_table(results))

A summary is cached until a file of its run changes. Charts are in app/charts_results.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app import state
from app.charts_results import MAX_RUNS, RunResult
from app.widgets.samples_picker import has_answers, not_here
from isara.config import RunConfig
from isara.evaluation.stats import wilson
from isara.places import place_name
from isara.report import run_config, summarise, tests
from isara.workspace.runs import RunFolder

SPLIT = "dev"
# What a summary is made of, below the run's folder.
FILES = (
    "state.json",
    "*/done.json",
    "*/metrics.json",
    "*/seconds.json",
    "*/cost.json",
    "*/diversity.json",
    "*/overlap.jsonl",
)


def choose_runs(fits: Callable[[str], bool] = has_answers) -> list[str]:
    """The chosen runs, kept in the URL (?runs=…&runs=…); when none is named there, the newest that
    has what the page shows (`fits`).

    The address is read when the page is opened, after that the box rules: a browser that is slow
    to follow would else take a choice back.
    """
    ids = state.run_ids()
    if "runs" not in st.session_state:
        asked = st.query_params.get_all("runs") or st.session_state.get("last_runs", [])
        there = [run_id for run_id in asked if run_id in ids]
        if gone := [run_id for run_id in asked if run_id not in ids]:
            not_here(gone)
        st.session_state["runs"] = there[:MAX_RUNS] or [next(filter(fits, ids), ids[0])]
    chosen: list[str] = st.multiselect(
        "Runs",
        ids,
        key="runs",
        max_selections=MAX_RUNS,
        placeholder="Choose one or several runs",
        help="Several runs are laid over each other; each has its own colour and marker shape.",
    )
    st.query_params["runs"] = st.session_state["last_runs"] = chosen
    return chosen


def result(run_id: str) -> RunResult:
    """A run's summary on the dev split with what the page needs of its config."""
    folder = state.run_folder(run_id)
    return cached_result(str(folder.path), (folder.state().state, *stamp(folder)))


def stamp(folder: RunFolder) -> tuple[int, int]:
    """Number of the summary's files and when the last of them changed (ns)."""
    times = []
    for pattern in FILES:
        for path in folder.path.glob(pattern):
            try:
                times.append(path.stat().st_mtime_ns)
            except FileNotFoundError:  # replaced between the two looks
                continue
    return len(times), max(times, default=0)


@st.cache_data(max_entries=50, show_spinner="Reading the run …")
def cached_result(path: str, changed: tuple[str, int, int]) -> RunResult:
    """`result` by folder; a change of its files makes a new entry, and so does a worker's death,
    which no file tells."""
    folder = RunFolder(Path(path))
    config = run_config(folder)
    summary = summarise(folder, SPLIT, cached_tests)
    return RunResult(summary, config.loop.alpha, *identity(config))


def cached_tests(folder: RunFolder, baselines: list[str], split: str) -> dict[str, Any]:
    """`report.tests`, computed anew when answers were added: an active run's other files change
    every few seconds."""
    answers = [files.evaluation for files in folder.measured().values()]
    read = tuple((str(file), file.stat().st_mtime_ns) for file in answers)
    return _tests(str(folder.path), tuple(baselines), split, read)


@st.cache_data(max_entries=50, show_spinner=False)
def _tests(
    path: str, baselines: tuple[str, ...], split: str, read: tuple[tuple[str, int], ...]
) -> dict[str, Any]:
    return tests(RunFolder(Path(path)), list(baselines), split)


def identity(config: RunConfig) -> tuple[str, str]:
    """`settings` and `draw` of a RunResult: the config without what differs between random seeds,
    and that which differs."""
    drawn = {"random_seed", "seeds"}
    rest = config.model_dump(mode="json", exclude={"name", *drawn})
    draw = config.model_dump(mode="json", include=drawn)
    return json.dumps(rest, sort_keys=True), json.dumps(draw, sort_keys=True)


def models(result: RunResult) -> list[tuple[int | str, dict[str, Any]]]:
    """A run's models in the order of the tables: base model, baselines, iterations."""
    rows: list[tuple[int | str, dict[str, Any]]] = [(row["k"], row) for row in result.iterations]
    return [*rows[:1], *result.summary["baselines"].items(), *rows[1:]]


# -------------------------------------------------------------------- tables


def numbers_table(results: list[RunResult]) -> pd.DataFrame:
    """All numbers of the charts: a row for each model of each run."""
    return pd.DataFrame(
        [number_row(result, *model) for result in results for model in models(result)]
    )


def number_row(result: RunResult, place: int | str, row: dict[str, Any]) -> dict[str, Any]:
    """One model: sizes, rates with n and interval, how they were measured, seconds."""
    harm, refusal = row.get("harmful_rate", {}), row.get("over_refusal", {})
    stopped = isinstance(place, int) and place > 0 and not row["trained"]
    return {
        "Run": result.run_id,
        "Model": place_name(place) + (" (not trained)" if stopped else ""),
        "Generated": row.get("generated") or None,
        "Kept": row.get("kept") if row.get("generated") else None,
        "Retention": row.get("retention"),
        **retention_ends(row, "Retention low", "Retention high"),
        "α": result.alpha,
        "Scaling ratio": row.get("scaling_ratio"),
        "Harmful rate": harm.get("value"),
        "Harmful low": harm.get("low"),
        "Harmful high": harm.get("high"),
        "Harmful n": harm.get("n"),
        "Over-refusal": refusal.get("value"),
        "Refusal low": refusal.get("low"),
        "Refusal high": refusal.get("high"),
        "Refusal n": refusal.get("n"),
        "Judge": harm.get("judge"),
        "Threshold": harm.get("threshold"),
        "Decoding": harm.get("decoding"),
        "Split": harm.get("split"),
        "Refusal judged by": refusal.get("judge"),
        "Seconds": round(sum(row["seconds"].values()), 1),
    }


def retention_ends(row: dict[str, Any], low: str, high: str) -> dict[str, float | None]:
    """The ends of the 95 % interval of kept / generated; None where nothing was written, and for a
    method that filters nothing."""
    if not row.get("generated") or row.get("retention", 1) is None:
        return {low: None, high: None}
    rate = wilson(row["kept"], row["generated"])
    return {low: rate.low, high: rate.high}


def comparison_table(results: list[RunResult]) -> pd.DataFrame:
    """All paired tests of the runs' last models against base model and baselines."""
    return pd.DataFrame(
        [
            {
                "Run": result.run_id,
                "Model": row["b"],
                "Against": place_name(row["a"]),
                "Metric": row["metric"].replace("_", " "),
                "Difference": row["difference"],
                "Low": row["low"],
                "High": row["high"],
                "p": row["p"],
                "p corrected": row["p_corrected"],
                "n": row["n"],
                "Test": row["test"],
            }
            for result in results
            for row in result.summary["comparisons"]
        ]
    )

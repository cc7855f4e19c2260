"""The failures of a model in its own answers: the worst of each kind, and what became worse.

    show_failures(results)

Dev prompts only. Questions and answers stand in tables, which show text and never markup. An answer
that the judge flags is folded until its row is selected.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pandas as pd
import streamlit as st

from app import state
from app.charts_results import RunResult
from app.look import TEXT_ROW
from app.widgets.folding import fold_switch, folded
from app.widgets.plain import SELECT
from app.widgets.results_data import SPLIT, models
from isara.evaluation.failures import MOST, Kind, worsened, worst
from isara.places import place_name
from isara.report import failure_counts
from isara.workspace.runs import IterationFolder

Place = int | str
STEPS = ("harmful -> safe", "safe -> harmful", "harmful -> harmful", "safe -> safe")
TRANSITIONS_HELP = (
    "The harmful prompts that both models were asked, by whether the answer was flagged before and "
    "after. n is how many there were."
)
KIND_WORDS: dict[Kind, tuple[str, str]] = {
    "harmful": ("Harmful answers", "answers to harmful prompts"),
    "wrongly refused": ("Harmless prompts that were refused", "answers to harmless prompts"),
    "degenerate": ("Answers that are empty or repeat themselves", "answers"),
}
COLUMNS = {
    "question": "Question",
    "answer_before": "Answer before",
    "answer": "Answer",
    "fault": "Fault",
    "harm_probability": "Harm probability",
    "rise": "Rise",
    "harm_label": "Most likely harm",
    "category": "Category",
}
TEXTS = ("Question", "Answer before", "Answer")
WIDTH = 330  # pixels


def show_failures(results: list[RunResult]) -> None:
    """Choose a run and a model; its transitions, its worst answers, and what became worse."""
    by_id = {result.run_id: result for result in results if places(result)}
    if not by_id:
        st.info("No answers were measured yet.")
        return
    left, right = st.columns(2)
    run_id = left.selectbox("Run", list(by_id), key="failures-run")
    result = by_id[run_id]
    found = places(result)
    place = right.selectbox(
        "Model",
        found,
        index=len(found) - 1,
        format_func=place_name,
        key=f"failures-model {run_id}",
    )
    show_transitions(result)
    fold_switch("failures")
    st.caption(f"{SELECT} to read its answer.")
    show_worst(run_id, place)
    show_worsened(run_id, place, before(found, place))


def files(run_id: str, place: Place) -> IterationFolder:
    """Where a model's answers are."""
    folder = state.run_folder(run_id)
    return folder.iteration(place) if isinstance(place, int) else folder.baseline(place)


def places(result: RunResult) -> list[Place]:
    """The models of a run whose answers are there."""
    return [p for p, _ in models(result) if files(result.run_id, p).evaluation.exists()]


def before(found: list[Place], place: Place) -> Place | None:
    """What a model is compared with: the iteration before it; of a baseline, the base model."""
    earlier = [p for p in found if isinstance(p, int) and (isinstance(place, str) or p < place)]
    if isinstance(place, str):
        return earlier[0] if earlier else None
    return earlier[-1] if earlier else None


# -------------------------------------------------------------------- from iteration to iteration


def show_transitions(result: RunResult) -> None:
    """How many prompts went from harmful to safe and back at each step of the run."""
    table = transitions_table(result)
    if table.empty:
        return
    st.markdown("**From iteration to iteration**", help=TRANSITIONS_HELP)
    st.dataframe(table, hide_index=True, alt="Prompts by their outcome before and after")


def transitions_table(result: RunResult) -> pd.DataFrame:
    """A row for each two consecutive iterations that were measured."""
    return pd.DataFrame(
        [
            {"From": place_name(row["since"]), "To": place_name(row["k"])}
            | {step.replace("->", "→"): row["transitions"][step] for step in STEPS}
            | {"n": row["n"]}
            for row in result.summary["failures"]
            if "transitions" in row
        ]
    )


# -------------------------------------------------------------------- answers


def show_worst(run_id: str, place: Place) -> None:
    """The worst answers of each kind."""
    file = files(run_id, place).evaluation
    counts, tables = failures_of(str(file), file.stat().st_mtime_ns)
    for kind in get_args(Kind):
        title, asked = KIND_WORDS[kind]
        count, n = counts[kind]["count"], counts[kind]["n"]
        st.markdown(f"**{title}: {count} of {n}**")
        if kind not in tables:
            st.caption(f"None among {n} {asked}." if n else f"There are no {asked} on dev.")
            continue
        if count > MOST:
            first = "most probable first" if kind == "harmful" else "in the order of the eval set"
            st.caption(f"{MOST} of them, {first}.")
        show_answers(tables[kind], f"{title}: {place_name(place)}", run_id)


@st.cache_data(max_entries=20, show_spinner="Reading the answers …")
def failures_of(
    path: str, changed: int
) -> tuple[dict[str, dict[str, int]], dict[Kind, pd.DataFrame]]:
    """Counts and worst dev answers of a model; a changed file is read again."""
    table = state.table(Path(path))
    return failure_counts(table, SPLIT), worst(table, SPLIT)


def show_worsened(run_id: str, place: Place, earlier: Place | None) -> None:
    """Prompts that were answered safely before and are not now."""
    if earlier is None:
        return
    title = f"Safe before ({place_name(earlier)}), harmful now"
    paths = [files(run_id, p).evaluation for p in (earlier, place)]
    table = worsened_of(*((str(p), p.stat().st_mtime_ns) for p in paths))
    st.markdown(f"**{title}**")
    if table.empty:
        st.caption("No dev prompt became worse.")
        return
    if len(table) == MOST:
        st.caption(f"At most {MOST} are shown, those whose harm probability rose most first.")
    show_answers(table.assign(flagged=True), title, f"{run_id} {place}")


@st.cache_data(max_entries=20, show_spinner="Reading the answers …")
def worsened_of(before: tuple[str, int], after: tuple[str, int]) -> pd.DataFrame:
    """Dev prompts that became worse between two models, each given by file and time of change."""
    return worsened(state.table(Path(before[0])), state.table(Path(after[0])), SPLIT)


def show_answers(table: pd.DataFrame, alt: str, key: str) -> None:
    """Answers with their questions; a selected row is shown whole below."""
    part = table.assign(answer=folded(table["answer"], table["flagged"]))
    shown = part[[name for name in COLUMNS if name in part]].rename(columns=COLUMNS)
    columns: Any = {name: st.column_config.TextColumn(width=WIDTH) for name in TEXTS}
    for name in ("Harm probability", "Rise"):
        columns[name] = st.column_config.NumberColumn(format="%.2f")
    event: Any = st.dataframe(
        shown,
        hide_index=True,
        column_config=columns,
        row_height=TEXT_ROW,
        alt=alt,
        key=f"failures {key} {alt}",
        on_select="rerun",
        selection_mode="single-row",
    )
    if (chosen := event.selection.rows) and chosen[0] < len(table):
        with st.container(border=True):
            st.text(table["question"].iloc[chosen[0]])
            st.text(table["answer"].iloc[chosen[0]] or "(empty)")

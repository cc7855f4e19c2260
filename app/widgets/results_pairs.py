"""Prompt by prompt: the answers of two models, of one run or of two, and what changed.

    show_pairs(results)

Dev prompts only. An answer that the judge flags is folded until it is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app import state
from app.charts_results import RunResult
from app.look import OUTCOMES as MARKS
from app.look import TEXT_ROW
from app.widgets.downloads import download_table
from app.widgets.folding import fold_switch, folded
from app.widgets.plain import SELECT, plain
from app.widgets.results_data import SPLIT
from app.widgets.results_failures import Place, files, places
from isara.evaluation.comparing import compare, holm_corrected
from isara.evaluation.side_by_side import IMPROVED, OUTCOMES, counts, paired_answers
from isara.evaluation.stats import wilson
from isara.places import place_name
from isara.report import run_config
from isara.report_words import p_value, percent, points

Model = tuple[str, Place]  # run and place
KINDS = ("all", "harmful", "harmless")
SHOWN = 500  # rows of the table
WIDTH = 260  # pixels
OUTCOME_HELP = (
    "Of a harmful prompt an answer is at fault when the judge flags it, of a harmless prompt when "
    "it is a refusal. Improved: at fault before and not after; worsened: the other way round."
)


def show_pairs(results: list[RunResult]) -> None:
    """Choose two models; counts and tests, the table with its filters, and the opened row."""
    models = [(r.run_id, place) for r in results for place in places(r)]
    if len(models) < 2:
        st.info("Two measured models are needed: wait, or choose another run above.")
        return
    a, b = _choose(models)
    if a == b:
        st.info("Choose two different models.")
        return
    if said := unlike(a, b):
        st.warning(plain(said), icon=":material/warning:")
    paths = [files(*model).evaluation for model in (a, b)]
    rows, tests = _paired(*((str(path), path.stat().st_mtime_ns) for path in paths))
    if rows.empty:
        st.info("These two answered no dev prompt in common.")
        return
    names = model_name(a, b), model_name(b, a)
    for sentence in paired_sentences(tests, names):
        st.text(sentence)
    chosen = _filtered(rows)
    if chosen.empty:
        st.info("No prompt fits these filters.", icon=":material/info:")
        return
    fold_switch("pairs")
    st.caption(f"{SELECT} to open its answers.")
    _table(chosen, names, f"pairs-table {a} {b} {_asked()}")


def _choose(models: list[Model]) -> tuple[Model, Model]:
    def words(model: Model) -> str:
        return f"{model[0]}: {place_name(model[1])}"

    left, right = st.columns(2)
    a: Model = left.selectbox("Before", models, format_func=words, key="pairs-a")
    last = len(models) - 1
    b: Model = right.selectbox("After", models, index=last, format_func=words, key="pairs-b")
    return a, b


def model_name(model: Model, other: Model) -> str:
    """A model in words, with its run where the other is of another one."""
    run, place = model
    return place_name(place) if run == other[0] else f"{place_name(place)} of {run}"


def unlike(a: Model, b: Model) -> str | None:
    """What makes the two hard to compare, or None: other judges, decoding or draws."""
    if a[0] == b[0]:
        return None
    one, other = (run_config(state.run_folder(run)) for run in (a[0], b[0]))
    differing = [
        name
        for name in ("judge", "threshold", "strategy", "max_new_tokens", "prompts")
        if getattr(one.evaluation, name) != getattr(other.evaluation, name)
    ]
    if one.random_seed != other.random_seed:
        differing.append("random_seed")
    if not differing:
        return None
    return (
        f"The two runs were not measured alike: {', '.join(differing)} of their configs differ, "
        "which a difference of their answers may come from."
    )


@st.cache_data(max_entries=20, show_spinner="Reading the answers …")
def _paired(
    before: tuple[str, int], after: tuple[str, int]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    tables = [state.table(Path(path)) for path, _ in (before, after)]
    tests = compare(tables[0], tables[1], SPLIT, a="a", b="b")
    wanted = [row for row in tests if row["metric"] in ("harmful_rate", "over_refusal")]
    return paired_answers(tables[0], tables[1], SPLIT), holm_corrected(wanted)


def paired_sentences(tests: list[dict[str, Any]], names: tuple[str, str]) -> list[str]:
    """A sentence for each paired test."""
    words = {"harmful_rate": "Harmful answers", "over_refusal": "Wrongly refused prompts"}
    return [
        f"{words[row['metric']]}, {names[1]} minus {names[0]}: {points(row['difference'])} "
        f"percentage points, 95 % interval {points(row['low'])} to {points(row['high'])}, "
        f"n = {row['n']}, {p_value(row['p_corrected'])} (McNemar's exact test, after Holm)."
        for row in tests
    ]


# ------------------------------------------------------------------ the table


def _filtered(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that the filters leave; outcomes are counted on the kind of prompt alone."""
    left, middle, right = st.columns([2, 2, 3])
    kind = left.selectbox("Prompts", KINDS, key="pairs-kind")
    if kind != "all":
        rows = rows[rows["harmless"] == (kind == "harmless")]
    names = sorted({str(name) for name in rows["category"].dropna()})
    category = middle.selectbox("Category", ["all", *names], key="pairs-category")
    if category != "all":
        rows = rows[rows["category"] == category]
    text = right.text_input("Search", key="pairs-search", placeholder="Words in any of the texts")
    if text:
        texts = rows["question"] + "\n" + rows["answer_a"] + "\n" + rows["answer_b"]
        rows = rows[texts.str.casefold().str.contains(text.casefold(), regex=False)]
    found = counts(rows)
    outcome = st.segmented_control(
        "Outcome",
        [name for name in OUTCOMES if found[name]],
        key="pairs-outcome",
        format_func=lambda name: f"{MARKS[name]} {name}: {found[name]}",
        help=OUTCOME_HELP,
    )
    if len(rows):
        share = wilson(found[IMPROVED], len(rows))
        st.caption(
            f"{found[IMPROVED]} of {share.n} improved ({percent(share.value)}, 95 % interval "
            f"{percent(share.low)} to {percent(share.high)}), {found['worsened']} worsened."
        )
    return rows if outcome is None else rows[rows["outcome"] == outcome]


def _asked() -> list[Any]:
    """What the filters are set to."""
    asked = ("kind", "category", "search", "outcome")
    return [st.session_state.get(f"pairs-{name}") for name in asked]


def _table(rows: pd.DataFrame, names: tuple[str, str], key: str) -> None:
    """The rows, and the selected one opened. `key` names what is listed: a row that was selected in
    another list must not open the one in its place."""
    shown = pairs_table(rows, names)
    if len(shown) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(shown)} are shown; the file has all of them.")
    columns: Any = {
        name: st.column_config.TextColumn(width=WIDTH) for name in ("Prompt", *headings(names))
    }
    event: Any = st.dataframe(
        shown.head(SHOWN),
        hide_index=True,
        column_config=columns,
        row_height=TEXT_ROW,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        alt="Prompts with both answers",
    )
    download_table(pairs_table(rows, names, whole=True), "prompt-by-prompt", key="pairs-csv")
    selected = event.selection.rows
    if selected and selected[0] < len(rows):
        _opened(rows.iloc[selected[0]], names)


def headings(names: tuple[str, str]) -> tuple[str, str]:
    """The names of the two answer columns."""
    return f"Before: {names[0]}", f"After: {names[1]}"


def pairs_table(rows: pd.DataFrame, names: tuple[str, str], *, whole: bool = False) -> pd.DataFrame:
    """What is shown of the pairs, and (`whole`) saved: nothing is folded in that."""
    answers = [
        rows[f"answer_{side}"] if whole else folded(rows[f"answer_{side}"], rows[f"flagged_{side}"])
        for side in ("a", "b")
    ]
    titles = headings(names)
    return pd.DataFrame(
        {
            "Outcome": [f"{MARKS[name]} {name}" for name in rows["outcome"]],
            "Prompt": rows["question"],
            titles[0]: answers[0],
            titles[1]: answers[1],
            "Harm before": rows["harm_probability_a"].astype(float).round(3),
            "Harm after": rows["harm_probability_b"].astype(float).round(3),
            "Prompt is": rows["harmless"].map({True: "harmless", False: "harmful"}),
            "Category": rows["category"],
        }
    )


def _opened(row: pd.Series[Any], names: tuple[str, str]) -> None:
    """Both answers of the selected row, whole: to select it is to open it."""
    with st.container(border=True):
        st.caption(f"{MARKS[row['outcome']]} {row['outcome']}")
        st.text(row["question"])
        for column, side, title in zip(st.columns(2), ("a", "b"), headings(names), strict=True):
            with column:
                st.caption(plain(title))
                st.text(row[f"answer_{side}"] or "(empty)")

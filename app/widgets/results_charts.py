"""The Results page below its choice of runs: sentences, charts, tables, and sections to open.

show_results(ids)          # redraws itself while one of the runs is active
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app import charts_results as charts
from app import charts_sizes, state
from app.charts_compute import compute_figure
from app.charts_notes import add_notes
from app.charts_results import RunResult
from app.widgets import results_files
from app.widgets.downloads import choose_pictures, download_table, picture
from app.widgets.lineage import show_lineage
from app.widgets.plain import plain, sentences
from app.widgets.results_cost import show_cost
from app.widgets.results_data import comparison_table, numbers_table, result
from app.widgets.results_domains import SHORT, show_domains
from app.widgets.results_failures import show_failures
from app.widgets.results_metrics import show_diversity, show_metrics
from app.widgets.results_notes import UNSAVED, list_notes, notes_of, show_notes
from app.widgets.results_overlap import show_overlap, show_warnings
from app.widgets.results_pairs import show_pairs
from app.widgets.results_seeds import show_seeds
from app.widgets.results_settings import show_settings
from isara.config import PROJECT_ROOT
from isara.report_words import comparison_sentence, compute_sentence, end_sentence
from isara.workspace.notebook import Note

REFRESH_SECONDS = 5
MOST_IN_A_ROW = 3  # charts of one run
ACTIVE = ("queued", "running")
SHARES = (
    "Retention",
    "Retention low",
    "Retention high",
    "Harmful rate",
    "Harmful low",
    "Harmful high",
    "Over-refusal",
    "Refusal low",
    "Refusal high",
)

HARM_HELP = (
    "The share of answers that the judge flags as harmful. The bars show the 95 % interval "
    "(Wilson): the range in which the true rate probably lies, given how many prompts were asked. "
    "The dashed line of the same colour is the run's baseline, training on the seed set alone, and "
    "its band that baseline's interval. Hover for n, judge, "
    "threshold, decoding and random seed."
)
SCALING_HELP = (
    "All pairs that a model was trained on so far, divided by the number of seeds: how far the "
    "small seed set was stretched. 0 for the base model."
)
RETENTION_HELP = (
    "The share of written pairs that the filter kept. A run stops when it falls below α; the "
    "iteration where that happened has an open marker and was not trained on."
)
GAP_HELP = (
    "How much likelier the model finds demonstrations that it was not trained on than what the "
    "base model answered to the same questions: the mean difference of their log-probabilities. "
    "SPIN and IRFT train for it to grow. The bars show the 95 % bootstrap interval."
)
REFUSAL_HELP = (
    "The share of harmless prompts that the model refused to answer. It may rise while harm "
    "falls: a model that refuses everything is harmless, and useless."
)
CATEGORY_HELP = "The harmful rate again, split by the prompts' own category, with 95 % intervals."
COMPUTE_HELP = (
    "The harmful rate again, over the time that it took to write, filter and train so far: what a "
    "method gives for its compute, also where iterations of two methods are not alike. Open "
    "markers are baselines. Runs of other machines took other times."
)
BARS = "The bars show the 95 % interval."
# What other domains than harm are measured by.
OTHERS = {
    "truthful_acc": "TruthfulQA: how many answers of 100 are more like the true references than "
    f"like the false ones. {BARS}",
    "win_rate": "How many answers of 100 a judge of pairs prefers to the base model's; 50 is "
    f"neither better nor worse. {BARS}",
    "reward_win_rate": "The share of answers that the reward model scores above the base model's; "
    f"a tie is none. {BARS}",
    "utility": "The mean of the reward model's scores of the answers. The scores have no unit: "
    f"only differences between models say something. {BARS}",
}
SECONDS_HELP = "Where the time went: seconds in each stage of each iteration."

# Below the tables: key, title, and what draws the section once it is open.
Section = tuple[str, str, Callable[[list[RunResult]], None]]
SECTIONS: tuple[Section, ...] = (
    ("notes", "Notes on the curve: write, change, remove", show_notes),
    ("pairs", "Prompt by prompt: two models side by side", show_pairs),
    ("settings", "What differs between the configs of two runs", show_settings),
    ("seeds", "Several random seeds together", show_seeds),
    ("failures", "Failures: the worst answers, and what became worse", show_failures),
    ("overlap", "Eval prompts among what was trained on", show_overlap),
    ("cost", "Cost: time, tokens, memory, energy, GPU hours", show_cost),
)


def show_results(ids: list[str]) -> None:
    """Everything about the chosen runs; redrawn every few seconds while one of them is active."""
    active = any(state.run_folder(run_id).state().state in ACTIVE for run_id in ids)
    st.fragment(draw, run_every=REFRESH_SECONDS if active else None)(ids, active)


def draw(ids: list[str], refreshed: bool) -> None:
    """One look at the runs."""
    UNSAVED.stay()
    results = readable_results(ids)
    # The same look as above, which no cache holds: a worker may have died since.
    if refreshed and not any(state.run_folder(i).state().state in ACTIVE for i in ids):
        st.rerun()  # the whole page: it stops redrawing itself
    if not results:
        return
    show_sentences(results)
    show_warnings(results)
    show_charts(results)
    show_domains(results)
    show_tables(results)
    for section in SECTIONS:
        # Of its own: what is pressed in a section does not draw the charts again. Notes do.
        (show_section if section[0] == "notes" else st.fragment(show_section))(*section, results)


def show_section(
    key: str, title: str, draw_section: Callable[[list[RunResult]], None], results: list[RunResult]
) -> None:
    """A section below the tables, drawn once it is open."""
    # With on_change a section knows whether it is open: a closed one computes nothing.
    section = st.expander(title, key=f"results-{key}", on_change="rerun")
    if section.open:
        with section, sentences():
            draw_section(results)


def readable_results(ids: list[str]) -> list[RunResult]:
    """The runs that can be read; what is wrong with others is said."""
    results = []
    for run_id in ids:
        with sentences():
            results.append(result(run_id))
    return results


def show_sentences(results: list[RunResult]) -> None:
    """State, stop reason and the comparison of the last model, run by run."""
    for item in results:
        with st.container(border=True):
            st.markdown(f"**{plain(item.run_id)}** {plain(end_sentence(item.summary))}")
            show_lineage(state.run_folder(item.run_id))
            if spent := compute_sentence(item.summary):
                st.caption(plain(spent))
            found = comparison_sentence(item.summary)
            if found:
                st.text(found)
            elif item.summary["state"] in ACTIVE:
                st.caption("A comparison follows when the first iteration has been measured.")


def show_charts(results: list[RunResult]) -> None:
    """All charts, two beside each other; those without a number are left out and named."""
    measured = any("harmful_rate" in row for r in results for row in r.iterations)
    refused = any("over_refusal" in row for r in results for row in r.iterations)
    if not any(r.iterations for r in results):
        st.info("Nothing has been measured yet: the base model is still at work.")
        return
    if not measured:
        st.info("No harmful rate: these runs name no eval set, or it has no harmful dev prompts.")
    choose_pictures("results")
    notes = notes_of(results)
    if measured:
        show_harm(results, notes)
    sizes = results_files.sizes_table(results)
    figures = [("Data scaling ratio", SCALING_HELP, charts_sizes.scaling_figure(results), sizes)]
    if any(row["retention"] is not None for r in results for row in r.iterations):
        figure = charts_sizes.retention_figure(results)
        figures.append(("Retention against α", RETENTION_HELP, figure, sizes))
    if any("log_prob_gap_base" in row for r in results for row in r.iterations):
        figure = charts.rate_figure(results, "log_prob_gap_base")
        table = results_files.rate_table(results, "log_prob_gap_base")
        figures.append(("Log-probability gap", GAP_HELP, figure, table))
    if refused:
        figure = charts.rate_figure(results, "over_refusal")
        table = results_files.rate_table(results, "over_refusal")
        figures.append(("Over-refusal", REFUSAL_HELP, figure, table))
    others = other_figures(results, {} if measured else notes)
    figures = [*figures, *others] if measured else [*others, *figures]
    if not measured:
        list_notes(notes)
    # The legends of several runs need the room.
    in_a_row = {1: MOST_IN_A_ROW, 2: 2}.get(len(results), 1)
    for start in range(0, len(figures), in_a_row):
        part = figures[start : start + in_a_row]
        for column, figure in zip(
            st.columns(min(in_a_row, len(figures)))[: len(part)], part, strict=True
        ):
            with column:
                show_chart(*figure)
    if charts.categories(results):
        figure = charts.category_figure(results)
        table = results_files.category_table(results)
        show_chart("Harmful rate by category", CATEGORY_HELP, figure, table)
    figure = charts_sizes.seconds_figure(results)
    show_chart("Seconds per stage", SECONDS_HELP, figure, results_files.seconds_table(results))


def other_figures(
    results: list[RunResult], notes: Mapping[str, Sequence[Note]]
) -> list[tuple[str, str, Any, pd.DataFrame]]:
    """Title, help, chart and table of what other domains than harm are measured by; people's notes
    stand on the first."""
    found: list[tuple[str, str, Any, pd.DataFrame]] = []
    for name, help in OTHERS.items():
        table = results_files.rate_table(results, name)
        if table.empty:
            continue
        figure = charts.rate_figure(results, name)
        if not found:
            add_notes(figure, results, name, notes)
        found.append((SHORT[name][0].upper() + SHORT[name][1:], help, figure, table))
    return found


def show_harm(results: list[RunResult], notes: Mapping[str, Sequence[Note]]) -> None:
    """The harmful rate over iterations with people's notes, and over the time that it took."""
    figure = charts.rate_figure(results, "harmful_rate")
    add_notes(figure, results, "harmful_rate", notes)
    table = results_files.rate_table(results, "harmful_rate")
    show_chart("Harmful rate", HARM_HELP, figure, table)
    list_notes(notes)
    if len(results) > 1:
        table = results_files.compute_table(results)
        show_chart("Harmful rate by compute", COMPUTE_HELP, compute_figure(results), table)


def show_chart(title: str, help: str, figure: Any, table: pd.DataFrame) -> None:
    """A chart under its name; the camera in its toolbar saves a picture, CSV its numbers."""
    st.markdown(f"**{title}**", help=help)
    slug = re.sub(r"\W+", "-", title.lower()).strip("-")
    st.plotly_chart(
        figure,
        key=f"results-{slug}",
        alt=f"{title} of the chosen runs; the table below has the same numbers",
        config=picture(slug),
    )
    download_table(table, slug, key=f"csv-{slug}")


def show_tables(results: list[RunResult]) -> None:
    """All numbers, other metrics, diversity and all comparisons, as tables."""
    st.markdown("**All numbers**", help="Low and high are the ends of the 95 % interval.")
    table = numbers_table(results)
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="percent") for name in SHARES
    }
    columns["Scaling ratio"] = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        table,
        hide_index=True,
        column_config=columns,
        placeholder="–",
        alt="All numbers of the charts",
    )
    download_table(table, "all-numbers", key="csv-all-numbers")
    show_metrics(results)
    show_diversity(results)
    compared = comparison_table(results)
    if not compared.empty:
        show_comparisons(compared)


def show_comparisons(table: pd.DataFrame) -> None:
    """The paired tests."""
    with st.expander("All comparisons of the last model"):
        st.caption(
            "Difference = last model minus the other, on the same prompts; p is corrected over "
            "this run's comparisons (Holm). Rates are shares, TruthfulQA's scores are × 100, "
            "utility is in the reward model's units."
        )
        formats = {"p": "%.4g", "p corrected": "%.4g", "Difference": "%+.3f"}
        formats |= {"Low": "%+.3f", "High": "%+.3f"}
        columns: Any = {
            name: st.column_config.NumberColumn(format=format) for name, format in formats.items()
        }
        st.dataframe(table, hide_index=True, column_config=columns, alt="All comparisons")


def empty() -> None:
    """Say that there is no run, and where to start one."""
    st.info("There is no run yet; its results will be here.", icon=":material/info:")
    st.page_link(
        str(PROJECT_ROOT / "pages" / "run.py"),
        label="Go to the Run page",
        icon=":material/play_circle:",
    )

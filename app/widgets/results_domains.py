"""Results by domain: metrics over the iterations, and how many pairs each was left with.

    show_domains(results)

Draws nothing for runs whose seeds and eval prompts are of one domain. Each domain is shown by the
metric that says most about it (OWN), or all by one that is chosen: they have different ones, as a
metric that makes no sense for a domain is not measured there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import streamlit as st

from app import charts_results as charts
from app.charts_results import Panel, RunResult
from app.widgets.downloads import download_table, picture
from app.widgets.plain import plain
from app.widgets.results_data import models, retention_ends
from app.widgets.results_metrics import metric_row
from isara.places import place_name
from isara.report import starved
from isara.report_words import METRIC_NAMES

NAMES = METRIC_NAMES | {name: charts.METRICS[name] for name in charts.SHARES}
# Metrics by how much they say about the domain that has them.
OWN = (
    "harmful_rate", "truthful_acc", "win_rate", "reward_win_rate", "utility", "over_refusal",
)  # fmt: skip
SHORT = {
    "truthful_diff": "TruthfulQA difference",
    "truthful_acc": "TruthfulQA accuracy",
    "win_rate": "win rate (× 100)",
    "win_rate_length_controlled": "win rate, equal lengths",
    "reward_win_rate": "reward above base",
    "utility": "mean reward",
}
EACH = "the one that says most about each domain"
DOMAINS_HELP = (
    "A domain is one part of a mixture: the seeds of one subject, and the eval prompts that ask "
    "about it. Bars are 95 % intervals. A metric that makes no sense for a domain is not there: "
    "harm is measured on harmful prompts, truthfulness on those with true and false answers."
)
KEPT_HELP = (
    "A written pair counts for the domain of most of the examples nearest to its question. A "
    "domain that gets few pairs is trained on little: give it more seeds, or let each question be "
    "written after examples of one domain (`loop.draw: domain`)."
)


def show_domains(results: list[RunResult]) -> None:
    """Charts, kept pairs and all numbers by domain; nothing without domains."""
    measured = domain_metrics(results)
    if measured:
        st.markdown("**By domain**", help=DOMAINS_HELP)
        show_chart(results, measured)
        table = numbers(results)
        download_table(table, "domains", key="csv-domains")
    kept = kept_table(results)
    if not kept.empty:
        show_kept(results, kept)
    if measured:
        number = st.column_config.NumberColumn(format="%.3f")
        columns: Any = dict.fromkeys(("Value", "Low", "High"), number)
        with st.expander("All numbers by domain"):
            st.dataframe(
                table,
                hide_index=True,
                column_config=columns,
                placeholder="–",
                alt="All numbers by domain",
            )


def domain_metrics(results: list[RunResult]) -> dict[str, list[str]]:
    """The metrics of each domain that any model was measured by."""
    found: dict[str, dict[str, None]] = {}
    for _, _, domain, name, _ in entries(results):
        found.setdefault(domain, {})[name] = None
    return {domain: list(names) for domain, names in found.items()}


def entries(
    results: list[RunResult],
) -> Iterator[tuple[str, int | str, str, str, dict[str, Any]]]:
    """Run, model, domain, metric's name and metric of everything that was measured by domain."""
    for result in results:
        for place, row in models(result):
            for domain, found in row.get("by_domain", {}).items():
                for name, metric in found.items():
                    yield result.run_id, place, domain, name, metric


def show_chart(results: list[RunResult], measured: dict[str, list[str]]) -> None:
    """A small chart for each domain, by its own metric or by the chosen one."""
    names = list(dict.fromkeys(name for own in measured.values() for name in own))
    chosen = st.selectbox(
        "Metric",
        [EACH, *names],
        format_func=lambda name: NAMES.get(name, name),
        key="results-domain-metric",
        width=420,
    )
    wanted = {d: own_metric(own) if chosen == EACH else chosen for d, own in measured.items()}
    panels = [panel(d, name) for d, name in wanted.items() if name in measured[d]]
    st.plotly_chart(
        charts.small_charts(results, panels),
        key="results-domains-chart",
        alt="Metrics of each domain over the iterations; the table below has the same numbers",
        config=picture("domains"),
    )


def own_metric(names: list[str]) -> str:
    """The metric that says most about a domain that has these."""
    return next((name for name in OWN if name in names), names[0])


def panel(domain: str, name: str) -> Panel:
    """The small chart of one domain; a mean of one prompt has no interval and is left out."""
    words = NAMES.get(name, name.replace("_", " "))

    def points(run: RunResult) -> list[tuple[int, dict[str, Any]]]:
        found = (
            (row["k"], row.get("by_domain", {}).get(domain, {}).get(name)) for row in run.iterations
        )
        return [(k, metric) for k, metric in found if metric and metric["low"] is not None]

    # Short, for small charts beside each other on a narrow screen.
    return Panel(f"{domain}\n{SHORT.get(name, words)}", words, points)


def show_kept(results: list[RunResult], table: pd.DataFrame) -> None:
    """Kept pairs of each domain, and which domain got too few."""
    st.markdown("**Pairs kept by domain**", help=KEPT_HELP)
    for result in results:
        if told := starved(result.summary):
            sentences = plain(f"{result.run_id}: {'. '.join(told)}.")
            st.warning(sentences, icon=":material/warning:")
    percent = st.column_config.NumberColumn(format="percent")
    columns: Any = dict.fromkeys(("Retention", "Low", "High"), percent)
    st.dataframe(
        table, hide_index=True, column_config=columns, placeholder="–", alt="Pairs kept by domain"
    )


def kept_table(results: list[RunResult]) -> pd.DataFrame:
    """A row for each domain of each iteration: seeds, written and kept pairs."""
    return pd.DataFrame(
        [
            {
                "Run": result.run_id,
                "Model": place_name(row["k"]),
                "Domain": domain,
                "Seeds": result.summary["seeds_by_domain"].get(domain),
                "Written": own["generated"],
                "Kept": own["kept"],
                "Retention": own["kept"] / own["generated"] if own["generated"] else None,
                **retention_ends(own, "Low", "High"),
            }
            for result in results
            for row in result.iterations
            for domain, own in row.get("kept_by_domain", {}).items()
        ]
    )


def numbers(results: list[RunResult]) -> pd.DataFrame:
    """A row for each metric of each domain of each model."""
    table = pd.DataFrame(
        [
            {"Domain": domain}
            | metric_row(run_id, place_name(place), name, metric)
            | {"Metric": NAMES.get(name, name.replace("_", " "))}
            for run_id, place, domain, name, metric in entries(results)
        ]
    )
    return table.dropna(axis="columns", how="all")

"""What else was measured: other metrics of the models, and how varied the written texts are.

    show_metrics(results)
    show_diversity(results)

Both draw nothing when no chosen run has such numbers.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.charts_results import RunResult
from app.widgets.plain import plain
from app.widgets.results_data import models
from isara.evaluation.self_scores import SELF_SCORES
from isara.places import place_name
from isara.report_words import metric_name

# Metrics that stand in a row of the summary, and not among its metrics.
BESIDE = ("log_prob_gap", "log_prob_gap_base", *SELF_SCORES)
METRICS_HELP = (
    "Low and high are the ends of the 95 % interval. In the table shares go from 0 to 1; scores of "
    "TruthfulQA and AlpacaEval are × 100, as their users know them. Utility is the mean of a "
    "reward model's scores: only differences between models say something."
)
DIVERSITY_HELP = (
    "A loop that feeds on its own texts can come to say one thing only. The numbers are of the "
    "questions that were kept in each iteration; perplexity is of the pairs."
)
# Name in the summary, name of the column, what it says.
DIVERSITY = (
    ("n", "n", "Questions that were measured."),
    ("self_bleu", "Self-BLEU", "How much they have in common: 1 is always the same."),
    ("distinct_1", "Distinct-1", "Different words over all words: lower is more of the same."),
    ("distinct_2", "Distinct-2", "Different pairs of words over all pairs of words."),
    ("spread", "Spread", "1 minus the mean similarity of two: 0 is the same meaning."),
    ("nearest_seed", "Nearest seed", "Mean similarity (cosine) to the closest seed."),
    (
        "perplexity",
        "Perplexity",
        "Of the kept pairs, under the model that wrote them; of their answers in I-SHEEP.",
    ),
)


def show_metrics(results: list[RunResult]) -> None:
    """Every metric beside harmful rate and over-refusal, with interval, n and judge."""
    table = metrics_table(results)
    if table.empty:
        return
    st.markdown("**Other metrics**", help=METRICS_HELP)
    number = st.column_config.NumberColumn(format="%.3f")
    columns: Any = dict.fromkeys(("Value", "Low", "High"), number)
    st.dataframe(
        table, hide_index=True, column_config=columns, placeholder="–", alt="Other metrics"
    )


def metrics_table(results: list[RunResult]) -> pd.DataFrame:
    """A row for each other metric of each model of each run."""
    table = pd.DataFrame(
        [
            metric_row(result.run_id, place_name(place), name, metric)
            for result in results
            for place, row in models(result)
            for name, metric in beside(row).items()
        ]
    )
    # A column that says nothing about any of the metrics goes.
    return table.dropna(axis="columns", how="all")


def beside(row: dict[str, Any]) -> dict[str, Any]:
    """All of a model's metrics but harmful rate and over-refusal."""
    gaps: dict[str, Any] = {name: row[name] for name in BESIDE if name in row}
    accuracies = row.get("reward_accuracy", {})
    rewards = {f"reward_accuracy_{name}": metric for name, metric in accuracies.items()}
    return {**gaps, **rewards, **row.get("metrics", {})}


def metric_row(run_id: str, model: str, name: str, metric: dict[str, Any]) -> dict[str, Any]:
    """One metric of one model."""
    return {
        "Run": run_id,
        "Model": model,
        "Metric": metric_name(name),
        "Value": metric.get("value"),
        "Low": metric.get("low"),
        "High": metric.get("high"),
        "n": metric.get("n"),
        "Judge": metric.get("judge"),
        "Threshold": metric.get("threshold"),
        "Decoding": metric.get("decoding"),
        "Split": metric.get("split"),
    }


def show_diversity(results: list[RunResult]) -> None:
    """How varied the kept texts of each iteration are, and the warnings that they grow alike."""
    table = diversity_table(results)
    if table.empty:
        return
    st.markdown("**Diversity of the kept questions**", help=DIVERSITY_HELP)
    for result in results:
        for k, found in measured(result):
            if found.get("warning"):
                where = f"{result.run_id}, {place_name(k)}"
                st.warning(plain(f"{where}: {found['warning']}"), icon=":material/warning:")
    columns: Any = {
        title: st.column_config.NumberColumn(help=help, format="%d" if name == "n" else "%.3f")
        for name, title, help in DIVERSITY
    }
    st.dataframe(table, hide_index=True, column_config=columns, placeholder="–", alt="Diversity")


def diversity_table(results: list[RunResult]) -> pd.DataFrame:
    """A row for each iteration whose texts were measured."""
    return pd.DataFrame(
        [
            {"Run": result.run_id, "Model": place_name(k)}
            | {title: found.get(name) for name, title, _ in DIVERSITY}
            for result in results
            for k, found in measured(result)
        ]
    )


def measured(result: RunResult) -> list[tuple[int, dict[str, Any]]]:
    """Iterations with what was measured of their texts; runs of old have none."""
    return [(row["k"], row["diversity"]) for row in result.iterations if row.get("diversity")]

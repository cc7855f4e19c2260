"""What the runs cost: time, tokens, memory, energy, GPU hours, and money at a price that is given.

    show_cost(results)

What was not measured stays empty ("not measured"), it is never taken for 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.charts_results import RunResult
from app.widgets.plain import plain
from app.widgets.results_data import models
from isara.evaluation.cost import Cost, gpu_hours
from isara.places import place_name, stage_name

JOULES = 3600  # in a watt-hour
NUMBERS = {
    "Seconds": ("%.1f", "Wall time."),
    "GPU hours": ("%.4f", "Hours for which the process held a GPU, busy or not."),
    "Tokens in": ("localized", "Tokens that the language model read when it wrote."),
    "Tokens out": ("localized", "Tokens that it wrote."),
    "Peak memory (MiB)": ("%.0f", "The most that the process held in main memory."),
    "Peak GPU memory (MiB)": ("%.0f", "The most that PyTorch held on the GPU."),
    "GPU energy (Wh)": ("%.3f", "From the counter of the GPU's driver, which not every GPU has."),
}
WIDTH = 110  # pixels at least: "not measured" is read whole
PRICE, CURRENCY = "results-gpu-price", "results-gpu-currency"


def show_cost(results: list[RunResult]) -> None:
    """The price that is asked for, whole runs, and every stage."""
    recorded = [result for result in results if result.summary["cost"]["seconds"]]
    if not recorded:
        st.info("No costs were recorded: these runs have only begun.")
        return
    with_gpu = [r for r in recorded if r.summary["cost"]["gpu_hours"] is not None]
    without = [result.run_id for result in recorded if result not in with_gpu]
    if without:
        st.info(plain(no_gpu_sentence(without, everywhere=not with_gpu)))
    price, currency = ask_price() if with_gpu else (None, "")
    st.markdown(
        "**Whole runs**",
        help="Baselines and unfinished iterations included. Time, tokens and energy are sums "
        "(energy only where every stage on the GPU measured it), memory is the highest peak.",
    )
    show_table(whole_table(recorded, price, currency), "Cost of whole runs")
    stages = stage_table(recorded, price, currency)
    if not stages.empty:
        st.markdown("**By model and stage**")
        show_table(stages, "Cost by model and stage")
    servers = server_table(recorded)
    if not servers.empty:
        st.markdown(
            "**Judge of pairs on a server**",
            help="Replies that were bought before, by this run or another, come from the cache; "
            "tokens and cost are those of all replies. A cost needs both prices in the config.",
        )
        st.dataframe(servers, hide_index=True, placeholder="no price given", alt="Requests")
    st.caption(
        "Tokens are those that a language model read and wrote; tokens of training and of local "
        "judges are not measured. A stage that was interrupted counts all its attempts."
    )


def no_gpu_sentence(run_ids: Sequence[str], *, everywhere: bool) -> str:
    """That no GPU was used, and by which runs when others did use one."""
    if everywhere:
        return "No GPU was used, so there are no GPU hours, and no cost to work out from them."
    return f"No GPU was used by {', '.join(run_ids)}."


def ask_price() -> tuple[float | None, str]:
    """The price of a GPU hour and its currency, kept while the browser's session lasts."""
    # What belongs to a widget is forgotten when another page is opened; the copy is not.
    for key in (PRICE, CURRENCY):
        st.session_state.setdefault(key, st.session_state.get(f"kept-{key}"))
    left, right, _ = st.columns([2, 1, 3])
    price = left.number_input(
        "Price of a GPU hour",
        min_value=0.0,
        value=None,
        step=0.1,
        key=PRICE,
        placeholder="Type a price to see the cost",
    )
    currency = right.text_input("Currency", key=CURRENCY, max_chars=10, placeholder="EUR")
    for key in (PRICE, CURRENCY):
        st.session_state[f"kept-{key}"] = st.session_state[key]
    return price, (currency or "").strip()


def show_table(table: pd.DataFrame, alt: str) -> None:
    """A table of costs; what is empty was not measured."""
    columns: Any = {
        name: st.column_config.NumberColumn(format=format, help=help, width=WIDTH)
        for name, (format, help) in NUMBERS.items()
    }
    for name in table.columns:
        if name.startswith("Cost"):
            columns[name] = st.column_config.NumberColumn(format="%.4f", width=WIDTH)
    st.dataframe(table, hide_index=True, column_config=columns, placeholder="not measured", alt=alt)


def whole_table(
    results: Sequence[RunResult], price: float | None = None, currency: str = ""
) -> pd.DataFrame:
    """A row for each run."""
    rows = [
        {"Run": r.run_id} | numbers(r.summary["cost"], r.summary["cost"]["gpu_hours"])
        for r in results
    ]
    return priced(rows, price, currency)


def stage_table(
    results: Sequence[RunResult], price: float | None = None, currency: str = ""
) -> pd.DataFrame:
    """A row for each stage of each model."""
    rows = [
        {"Run": result.run_id, "Model": place_name(place), "Stage": stage_name(stage)}
        | numbers(cost, gpu_hours(Cost(**cost)))
        for result in results
        for place, row in models(result)
        for stage, cost in row["cost"].items()
    ]
    return priced(rows, price, currency)


def server_table(results: Sequence[RunResult]) -> pd.DataFrame:
    """What the judge of pairs was asked for, a row for each model; empty for a local judge."""
    names = {
        "requests": "Requests",
        "cached": "From the cache",
        "failed": "Failed",
        "tokens_in": "Tokens in",
        "tokens_out": "Tokens out",
        "cost": "Cost",
    }
    return pd.DataFrame(
        [
            {"Run": result.run_id, "Model": place_name(place)}
            | {title: row["judge_usage"][name] for name, title in names.items()}
            for result in results
            for place, row in models(result)
            if "judge_usage" in row
        ]
    )


def numbers(cost: dict[str, Any], hours: float | None) -> dict[str, float | None]:
    """A cost in the columns' units; tokens that no stage counts are unknown, not none."""
    joules = cost["gpu_joules"]
    return {
        "Seconds": cost["seconds"],
        "GPU hours": hours,
        "Tokens in": cost["tokens_in"] or None,
        "Tokens out": cost["tokens_out"] or None,
        "Peak memory (MiB)": cost["peak_mib"],
        "Peak GPU memory (MiB)": cost["gpu_peak_mib"],
        "GPU energy (Wh)": None if joules is None else joules / JOULES,
    }


def priced(rows: list[dict[str, Any]], price: float | None, currency: str) -> pd.DataFrame:
    """The rows as numbers, with the cost of their GPU hours when there is a price."""
    if not rows:  # no iteration has ended
        return pd.DataFrame()
    table = pd.DataFrame(rows).astype(dict.fromkeys(NUMBERS, "Float64"))
    if table["GPU hours"].isna().all():
        return table.drop(columns=["GPU hours", "Peak GPU memory (MiB)"])
    if price is not None:
        title = f"Cost ({currency})" if currency else "Cost"
        after = list(table.columns).index("GPU hours") + 1
        table.insert(after, title, table["GPU hours"] * price)
    return table

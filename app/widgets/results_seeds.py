"""Runs that differ only in the random seed or the draw of the seed set, taken together.

    show_seeds(results)

One run says what happened once: its interval tells how well the prompts measured it, not how it
would end with another random seed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.charts_results import RunResult
from app.widgets.plain import plain
from app.widgets.results_data import models
from isara.evaluation.stats import over_seeds
from isara.places import place_name

SEEDS_HELP = (
    "The mean harmful rate of runs whose configs differ only in the name, the random seed and the "
    "seed set. Spread is the standard deviation between the runs; low and high are the ends of the "
    "95 % interval of the mean (Student's t over the runs, cut to 0 and 1)."
)
SHARES = ("Mean", "Spread", "Low", "High")
Group = list[RunResult]


def show_seeds(results: list[RunResult]) -> None:
    """Who belongs together, and the table; a sentence where nothing can be combined."""
    found = groups(results)
    if not any(len(group) > 1 for group in found):
        st.info(
            "One random seed gives no spread: none of the chosen runs have the same settings and "
            "another random seed or seed set. Choose such runs, or make them with a study "
            "(`python -m isara study`).",
            icon=":material/info:",
        )
        return
    for number, group in enumerate(found, 1):
        st.caption(group_sentence(f"Group {number}", group))
    columns: Any = {name: st.column_config.NumberColumn(format="percent") for name in SHARES}
    st.dataframe(
        seeds_table(found),
        hide_index=True,
        column_config=columns,
        placeholder="–",
        alt="Harmful rate over random seeds",
    )


def groups(results: Sequence[RunResult]) -> list[Group]:
    """Runs with equal settings; of runs that do the very same, the one with most models counts."""
    found: dict[str, dict[str, RunResult]] = {}
    for result in sorted(results, key=lambda result: -len(result.iterations)):
        found.setdefault(result.settings, {}).setdefault(result.draw, result)
    return [list(group.values()) for group in found.values()]


def group_sentence(name: str, group: Group) -> str:
    """How many random seeds and seed sets the runs of a group have, as Markdown."""
    numbers = sorted({result.summary["random_seed"] for result in group})
    sets = len({json.dumps(json.loads(result.draw)["seeds"]) for result in group})
    listed = ", ".join(map(str, numbers))
    plural = "" if len(numbers) == 1 else "s"
    sentence = (
        f"{name}: {len(numbers)} random seed{plural} ({listed}) and {sets} seed "
        f"set{'' if sets == 1 else 's'} in {len(group)} run{'' if len(group) == 1 else 's'}: "
        f"{', '.join(result.run_id for result in group)}."
    )
    if len(group) == 1:
        sentence += " One random seed gives no spread."
    sizes = sorted({result.summary["seed_count"] for result in group})
    if len(sizes) > 1:
        sentence += f" Their seed sets differ in size: {', '.join(map(str, sizes))} examples."
    return plain(sentence)


def seeds_table(found: Sequence[Group]) -> pd.DataFrame:
    """A row for each model of each group."""
    return pd.DataFrame(
        [row for number, group in enumerate(found, 1) for row in group_rows(number, group)]
    )


def group_rows(number: int, group: Group) -> list[dict[str, Any]]:
    """Mean, spread and interval over the runs that have the model; a run may have ended earlier."""
    by_place: dict[int | str, list[tuple[RunResult, dict[str, Any]]]] = {}
    for result in group:
        for place, row in models(result):
            if "harmful_rate" in row:
                by_place.setdefault(place, []).append((result, row["harmful_rate"]))
    baselines = [place for place in by_place if isinstance(place, str)]
    iterations = sorted(place for place in by_place if isinstance(place, int))
    places: list[int | str] = [*iterations[:1], *baselines, *iterations[1:]]
    return [seeds_row(number, place_name(place), by_place[place]) for place in places]


def seeds_row(
    number: int, model: str, measured: Sequence[tuple[RunResult, dict[str, Any]]]
) -> dict[str, Any]:
    """One model over the runs of a group; the interval is cut, as no rate lies beyond 0 and 1."""
    combined = over_seeds([metric["value"] for _, metric in measured])
    first = measured[0][1]
    prompts = sorted({metric["n"] for _, metric in measured})
    return {
        "Group": number,
        "Model": model,
        "Mean": combined.mean,
        "Spread": combined.spread,
        "Low": None if combined.low is None else max(0.0, combined.low),
        "High": None if combined.high is None else min(1.0, combined.high),
        "Runs": combined.n_seeds,
        "Random seeds": len({result.summary["random_seed"] for result, _ in measured}),
        "n in each": " to ".join(str(n) for n in dict.fromkeys((prompts[0], prompts[-1]))),
        "Judge": first["judge"],
        "Threshold": first["threshold"],
        "Decoding": first["decoding"],
        "Split": first["split"],
    }

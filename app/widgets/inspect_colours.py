"""Which rows of a run's map are drawn alike: by status, category, iteration, harm or decision.

    names, colours = groups(data, chosen, now)
    found = layers(data, chosen, now, drawn)

Nothing here draws.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from app import state
from app.charts_map import NO_COLOUR, PALETTE, STATUS_COLOURS, Layer
from app.look import DECISIONS, GREEN, RED, VIOLET
from app.widgets.inspect_data import EVAL, MapData, Now
from app.widgets.inspect_map import STATUS_WORDS, Chosen
from isara.evaluation.candidate_harm import saved_harm
from isara.lineage import Mask

HARMFUL = "harmful answer"
HARM = {
    HARMFUL: (RED, "square"),
    "harmless, but refused": (VIOLET, "pentagon"),
    "answered safely": (GREEN, None),
}
# In place of the status's own: what was decided or judged decides the shape too.
SYMBOLS = {name: symbol for name, (_, symbol) in HARM.items()}
SYMBOLS |= {sign.word: sign.symbol for sign in DECISIONS.values()}
NOT_JUDGED = "not judged"
UNDECIDED = "no decision"


def answers(data: MapData, place: str | None) -> pd.DataFrame:
    """The answers of a model to the eval questions, in the order of their rows: answer, outcome
    (a key of HARM or NOT_JUDGED), harm_probability."""
    asked = data.rows[data.rows["kind"] == "eval"]
    ids = asked["key"].str.removeprefix(EVAL)
    files = data.folder.measured().get(place or "")
    if files is None:
        return pd.DataFrame(
            {"answer": "", "outcome": NOT_JUDGED, "harm_probability": np.nan}, index=asked.index
        )
    table = state.table(files.evaluation).drop_duplicates("prompt_id").set_index("prompt_id")
    found = table.reindex(ids)[["answer", "harmless", "flagged", "refusal", "harm_probability"]]
    found.index = asked.index
    judged = found["flagged"].notna()
    harmless = found["harmless"].fillna(False).astype(bool)
    flagged = found["flagged"].fillna(False).astype(bool) & ~harmless
    refused = found["refusal"].fillna(False).astype(bool) & harmless
    outcome = np.select(
        [~judged, flagged, refused], [NOT_JUDGED, *list(HARM)[:2]], "answered safely"
    )
    return pd.DataFrame(
        {
            "answer": found["answer"].fillna(""),
            "outcome": outcome,
            "harm_probability": found["harm_probability"],
        }
    )


def layers(data: MapData, chosen: Chosen, now: Now, drawn: Mask) -> list[Layer]:
    """The drawn rows in groups of one colour and one shape; what stands
    out lies above the rest."""
    names, colours = groups(data, chosen, now)
    found = []
    for name, colour in sorted(colours.items(), key=lambda group: group[1] != NO_COLOUR):
        for one in STATUS_COLOURS:
            rows = np.flatnonzero(drawn & (names == name) & (now.status == one))
            if len(rows):
                found.append(Layer(name, colour, one, rows, SYMBOLS.get(name)))
    return found


def groups(data: MapData, chosen: Chosen, now: Now) -> tuple[Any, dict[str, str]]:
    """The name of each row's group [rows], and the colour of each name."""
    if chosen.colour == "category":
        return _by_category(data.rows["category"])
    if chosen.colour == "iteration":
        return _by_iteration(data.rows)
    if chosen.colour == "harm":
        names = np.full(len(data.rows), NOT_JUDGED, object)
        names[data.rows["kind"].to_numpy() == "eval"] = now.answers["outcome"]
        for rows, flagged in _judged(data):
            names[rows] = np.where(flagged, HARMFUL, "answered safely")
        return names, {name: colour for name, (colour, _) in HARM.items()} | {NOT_JUDGED: NO_COLOUR}
    if chosen.colour == "decision":
        names = np.full(len(data.rows), UNDECIDED, object)
        for key, decision in now.decisions.items():
            if (row := data.lineage.position(key)) is not None:
                names[row] = DECISIONS[decision.action].word
        return names, {one.word: one.colour for one in DECISIONS.values()} | {UNDECIDED: NO_COLOUR}
    words = np.array([STATUS_WORDS[one] for one in STATUS_COLOURS], object)
    places = {one: i for i, one in enumerate(STATUS_COLOURS)}
    names = words[[places[one] for one in now.status]]
    return names, dict(zip(words, STATUS_COLOURS.values(), strict=True))


def _judged(data: MapData) -> list[tuple[slice, Any]]:
    """The candidates of each iteration that the run's judge has read, and which it flags."""
    evaluation, found = data.lineage.config.evaluation, []
    iterations = data.rows["iteration"].to_numpy()
    for k in data.lineage.iterations[1:] if evaluation.judge else []:
        table = saved_harm(data.folder.iteration(k), str(evaluation.judge))
        if table is not None:
            first = int(np.argmax(iterations == k))
            flagged = table["harm_probability"].to_numpy() > evaluation.threshold
            found.append((slice(first, first + len(table)), flagged))
    return found


def _by_category(categories: pd.Series[str]) -> tuple[Any, dict[str, str]]:
    most = categories.value_counts().index[: len(PALETTE)].tolist()
    rest = "other categories" if categories.nunique() > len(most) else "no category"
    names = categories.where(categories.isin(most), rest).to_numpy(object)
    return names, dict(zip(most, PALETTE, strict=False)) | {rest: NO_COLOUR}


def _by_iteration(rows: pd.DataFrame) -> tuple[Any, dict[str, str]]:
    kinds = rows["kind"].map({"seed": "seeds", "eval": STATUS_WORDS["eval"]})
    names = kinds.fillna("iteration " + rows["iteration"].astype(str)).to_numpy(object)
    ordered = [f"iteration {k}" for k in sorted(rows["iteration"].unique()) if k > 0]
    free = [colour for colour in PALETTE if colour != STATUS_COLOURS["seed"]]
    colours = {name: free[i % len(free)] for i, name in enumerate(ordered)}
    return names, {**colours, STATUS_WORDS["eval"]: NO_COLOUR, "seeds": STATUS_COLOURS["seed"]}

"""What the map of a run and the picture of a lineage show, as tables to save."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from app.charts_map import Layer
from app.widgets.inspect_data import MapData, Now
from isara.lineage import Family


def map_table(data: MapData, found: Sequence[Layer]) -> pd.DataFrame:
    """What the map shows: a row for each point."""
    parts = [
        data.rows.loc[:, ["key", "iteration", "category", "question"]]
        .iloc[layer.rows]
        .assign(
            status=layer.status,
            group=layer.name,
            x=data.points[layer.rows, 0],
            y=data.points[layer.rows, 1],
        )
        for layer in found
    ]
    return pd.concat(parts) if parts else pd.DataFrame()


def family_table(data: MapData, family: Family, now: Now) -> pd.DataFrame:
    """What the picture shows: a row for each, with those of them that it was written from."""
    keys = data.rows["key"].to_numpy()
    parents: dict[int, list[str]] = {i: [] for i in family.rows}
    for child, parent in family.edges:
        parents[child].append(str(keys[parent]))
    rows = list(family.rows)
    return pd.DataFrame(
        {
            "id": keys[rows],
            "iteration": data.rows["iteration"].to_numpy()[rows],
            "status": [now.status[i] for i in rows],
            "question": data.rows["question"].to_numpy()[rows],
            "written_from": [" ".join(parents[i]) for i in rows],
        }
    )

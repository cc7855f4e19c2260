"""What the config's harm judge says of an iteration's candidates: measured once, kept beside them.

    write_harm(files, config, judge)          # iteration-0K/harm.parquet
    read_harm(files, config, count)           # the highest of the 14 probabilities, [count]

No rule reads it: it orders a review and colours a map. Left out: loading the judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isara.config import RunConfig
from isara.errors import InputError
from isara.evaluation.harm import HarmJudge
from isara.workspace.files import read_columns, write_parquet
from isara.workspace.runs import IterationFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray


def has_harm(files: IterationFolder, config: RunConfig) -> bool:
    """Whether the candidates were judged, by the config's judge and since they were written."""
    path = files.path / "harm.parquet"
    if not path.exists() or path.stat().st_mtime_ns < files.candidates.stat().st_mtime_ns:
        return False
    judges = read_columns(path, ["judge"])["judge"].unique().tolist()
    return judges == [config.evaluation.judge]


def write_harm(files: IterationFolder, config: RunConfig, judge: HarmJudge) -> None:
    """Judge all candidates of an iteration."""
    import pandas as pd

    table = read_columns(files.candidates, ["candidate_id", "question", "answer"])
    found = judge.probabilities(table["question"].tolist(), table["answer"].tolist())
    scores = pd.DataFrame({"candidate_id": table["candidate_id"]})
    scores["harm_probability"] = found.max(axis=1) if len(table) else np.zeros(0)
    scores["judge"] = config.evaluation.judge
    write_parquet(files.path / "harm.parquet", scores)


def read_harm(files: IterationFolder, config: RunConfig, count: int) -> NDArray[np.float64]:
    """Probability of the likeliest harm of each candidate, [count], in their order.

    InputError where they were not judged.
    """
    if not has_harm(files, config):
        raise InputError(
            f"The pairs of {files.path.name} have not been judged; let the judge "
            f"{config.evaluation.judge or '(none is set: evaluation.judge)'} score them first."
        )
    values = read_columns(files.path / "harm.parquet", ["harm_probability"])["harm_probability"]
    if len(values) != count:
        raise InputError(
            f"{files.path.name}/harm.parquet has {len(values)} rows, the iteration has {count} "
            "pairs: delete the file and let the judge score them again."
        )
    return values.to_numpy(np.float64)

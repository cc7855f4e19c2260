"""A moved threshold: verdicts of many candidates from cached scores, against scoring them again."""

from __future__ import annotations

import pandas as pd

from isara.bench import Report, compare, report
from isara.bench.rouge import texts
from isara.config import FilterConfig
from isara.filters import pack, score_candidates, verdicts


def scored(count: int) -> pd.DataFrame:
    """The scores of `count` made-up candidates against a pool of 64."""
    return score_candidates(
        texts(count, 8, 20, 1),
        texts(count, 8, 40, 2),
        question_finish=["end"] * count,
        answer_finish=["end"] * count,
        pool_questions=texts(64, 8, 20, 3),
        pool_ids=[str(i) for i in range(64)],
        similarities=[[0.5]] * count,
    )


def run(*, quick: bool = False) -> Report:
    """1,000 and 10,000 candidates."""
    rows, thresholds = [], FilterConfig(max_rouge_l=0.6)
    for count in (1_000,) if quick else (1_000, 10_000):
        table = scored(count)
        packed = pack(table)
        rows.append(
            compare(
                f"{count:,} candidates",
                lambda packed=packed: verdicts(packed, thresholds),  # type: ignore[misc]
                lambda count=count: scored(count),  # type: ignore[misc]
                3 if count > 1_000 else 5,
            )
        )
    return report("verdicts", rows)

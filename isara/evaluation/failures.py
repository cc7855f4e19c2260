"""What went wrong, in the answers themselves: the worst of a model, and what changed between two.

    worst(table, split="dev")             # by kind: harmful, wrongly refused, degenerate
    transitions(before, after, "dev")     # {"harmful -> safe": 31, …}
    worsened(before, after, "dev")        # prompts that were safe and are harmful now

Tables are evaluation.parquet (evaluation/measure.py), one row per prompt.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import pandas as pd

from isara.rouge import tokens

Kind = Literal["harmful", "wrongly refused", "degenerate"]
MOST = 10  # rows of each kind
REPEATED = 0.5  # of the words stand in a run of 3 words that came before
SHOWN = [
    "prompt_id",
    "category",
    "question",
    "answer",
    "flagged",
    "harm_probability",
    "harm_label",
]


def worst(table: pd.DataFrame, split: str, most: int = MOST) -> dict[Kind, pd.DataFrame]:
    """The worst answers of a model by kind, harmful ones by falling probability; kinds without any
    are left out."""
    rows = table[table["split"] == split]
    harmful = rows[~rows["harmless"] & rows["flagged"]]
    refused = rows[rows["harmless"] & rows["refusal"]]
    broken = rows.assign(fault=rows["answer"].map(degenerate))
    found: dict[Kind, pd.DataFrame] = {
        "harmful": harmful.sort_values("harm_probability", ascending=False)[SHOWN],
        "wrongly refused": refused[SHOWN],
        "degenerate": broken[broken["fault"].notna()][[*SHOWN, "fault"]],
    }
    return {kind: part.head(most) for kind, part in found.items() if len(part)}


def degenerate(answer: str) -> str | None:
    """Why a text is no answer at all, or None: empty, or it says the same again and again."""
    words = tokens(answer, unicode=True)
    if not words:
        return "empty"
    runs = [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
    again = sum(count - 1 for count in Counter(runs).values())
    if runs and again / len(runs) > REPEATED:
        return "repeats itself"
    return None


def _pairs(before: pd.DataFrame, after: pd.DataFrame, split: str) -> pd.DataFrame:
    """Harmful prompts that both answered, with both outcomes."""
    parts = [
        table[(table["split"] == split) & ~table["harmless"]].set_index("prompt_id")
        for table in (before, after)
    ]
    return parts[1].join(
        parts[0][["answer", "flagged", "harm_probability"]], how="inner", rsuffix="_before"
    )


def transitions(before: pd.DataFrame, after: pd.DataFrame, split: str) -> dict[str, int]:
    """Prompts by what they were and what they are."""
    both = _pairs(before, after, split)
    was, now = both["flagged_before"].astype(bool), both["flagged"].astype(bool)
    return {
        "harmful -> safe": int((was & ~now).sum()),
        "safe -> harmful": int((~was & now).sum()),
        "harmful -> harmful": int((was & now).sum()),
        "safe -> safe": int((~was & ~now).sum()),
    }


def worsened(
    before: pd.DataFrame, after: pd.DataFrame, split: str, most: int = MOST
) -> pd.DataFrame:
    """Prompts that became harmful, those with the largest rise in probability first."""
    both = _pairs(before, after, split)
    both = both[~both["flagged_before"].astype(bool) & both["flagged"].astype(bool)]
    both = both.assign(rise=both["harm_probability"] - both["harm_probability_before"])
    wanted = ["category", "question", "answer_before", "answer", "harm_probability", "rise"]
    return both.sort_values("rise", ascending=False).head(most)[wanted].reset_index()

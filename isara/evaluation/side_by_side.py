"""Two models' answers prompt by prompt: what got better, what got worse, and whether by chance.

    rows = paired_answers(before, after, "dev")
    counts(rows); rows[rows["outcome"] == WORSENED]

Tables are evaluation.parquet (evaluation/measure.py) of one run or of two. An answer is at fault
when it is harmful (of a harmful prompt), or a refusal (of a harmless one). The tests over the same
pairs are those of comparing.py.
"""

from __future__ import annotations

import pandas as pd

IMPROVED, WORSENED, BOTH, NEITHER = "improved", "worsened", "both at fault", "both fine"
OUTCOMES = (IMPROVED, WORSENED, BOTH, NEITHER)
KEPT = ["question", "category", "harmless", "answer", "flagged", "refusal", "harm_probability"]


def paired_answers(before: pd.DataFrame, after: pd.DataFrame, split: str) -> pd.DataFrame:
    """A row for each prompt of the split that both answered: prompt_id, question, category,
    harmless, and answer, fault and harm_probability of both (suffixes _a and _b), and the outcome;
    in the order of the second table."""
    first, second = (
        table[table["split"] == split].drop_duplicates("prompt_id").set_index("prompt_id")[KEPT]
        for table in (before, after)
    )
    both = second.join(first, how="inner", lsuffix="_b", rsuffix="_a")
    found = pd.DataFrame(
        {
            "question": both["question_b"],
            "category": both["category_b"],
            "harmless": both["harmless_b"].astype(bool),
        }
    )
    for side in ("a", "b"):
        found[f"answer_{side}"] = both[f"answer_{side}"]
        at_fault = both[f"flagged_{side}"].where(~found["harmless"], both[f"refusal_{side}"])
        found[f"fault_{side}"] = at_fault.astype(bool)
        found[f"flagged_{side}"] = both[f"flagged_{side}"].astype(bool)
        found[f"harm_probability_{side}"] = both[f"harm_probability_{side}"]
    names = {(True, False): IMPROVED, (False, True): WORSENED, (True, True): BOTH}
    pairs = zip(found["fault_a"], found["fault_b"], strict=True)
    found["outcome"] = [names.get(pair, NEITHER) for pair in pairs]
    return found.reset_index()


def counts(rows: pd.DataFrame) -> dict[str, int]:
    """Prompts by outcome."""
    return {name: int((rows["outcome"] == name).sum()) for name in OUTCOMES}

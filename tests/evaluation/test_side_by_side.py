"""Two models prompt by prompt."""

from __future__ import annotations

import pandas as pd

from isara.evaluation.side_by_side import counts, paired_answers


def table(*rows: tuple[str, bool, bool, bool], split: str = "dev") -> pd.DataFrame:
    """Prompt, harmless, flagged, refusal."""
    found = pd.DataFrame(rows, columns=["prompt_id", "harmless", "flagged", "refusal"])
    return found.assign(
        question="q", category="c", answer="a", harm_probability=0.5, split=split
    )  # fmt: skip


def test_harm_counts_for_harmful_prompts_and_refusals_for_harmless_ones() -> None:
    before = table(
        ("saved", False, True, False),
        ("lost", False, False, True),
        ("bad", False, True, True),
        ("refused", True, True, False),
        ("fine", True, True, False),
        ("only before", False, True, True),
    )
    after = table(
        ("fine", True, False, False),
        ("saved", False, False, True),
        ("lost", False, True, False),
        ("bad", False, True, False),
        ("refused", True, False, True),
    )
    rows = paired_answers(before, after, "dev")
    assert dict(zip(rows["prompt_id"], rows["outcome"], strict=True)) == {
        "fine": "both fine",
        "saved": "improved",
        "lost": "worsened",
        "bad": "both at fault",
        "refused": "worsened",
    }
    assert counts(rows) == {"improved": 1, "worsened": 2, "both at fault": 1, "both fine": 1}


def test_another_split_is_not_looked_at() -> None:
    rows = paired_answers(table(("p", False, True, False), split="test"), table(), "dev")
    assert len(rows) == 0

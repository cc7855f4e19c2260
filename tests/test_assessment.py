"""Self-assessment: what the model reads, and what its replies count for."""

from __future__ import annotations

import pytest

from isara.assessment import ASPECTS, assessment_prompt, both_scores, parse_score
from isara.examples import Example

REPLIES = [
    ("8||The answer is kind.", 8),
    (" 8 || The answer is kind.", 8),
    ("10||Nothing is missing.", 10),
    ("1||Of no use.", 1),
    ("8", 8),
    ("8.", 8),
    ("8.0||Clear.", 8),
    ("7.5||Between good and very good.", None),
    ("7,5||Between good and very good.", None),
    ("8/10||Clear.", 8),
    ("8 / 10", 8),
    ("10/10||Perfect.", 10),
    ("8 out of 10||Clear.", 8),
    ("7.5/10||Rather good.", None),
    ("4/5||Clear.", None),
    ("80/100||Clear.", None),
    ("80%||Clear.", None),
    ("Score: 8||Clear.", 8),
    ("**8**||Clear.", 8),
    ("<8>||Clear.", 8),
    ("I would give this a 7||It lacks a date.", 7),
    ("eight||Clear.", 8),
    ("Eight out of ten||Clear.", 8),
    ("This one is an 8||Clear.", 8),
    ("one||Of no use.", 1),
    ("one or two||Of no use.", None),
    ("Score: one.||Of no use.", 1),
    ("A good one||Clear.", None),
    ("8/10. Clear.", 8),
    ("Score: 8/10.||Clear.", 8),
    ("8 out of 10, since it is clear||", 8),
    ("8/10.5||Clear.", None),
    ("８||Full-width digits.", 8),
    ("8||2 of 3 facts are right, so 6 would be harsh.", 8),
    ("8-9||Between the two.", None),
    ("8 or 9||Hard to say.", None),
    ("It has 2 faults and earns 6||", None),
    ("0||Nothing.", None),
    ("11||Better than all.", None),
    ("-3||Bad.", None),
    ("100||Very good.", None),
    ("||The answer is clear.", None),
    ("very good||The answer is clear.", None),
    ("The answer is clear and kind.", None),
    ("N/A||Cannot say.", None),
    ("", None),
    ("   \n", None),
    ("9\nFollowing: 3||Off topic.", 9),
    ("Quality\n9||Clear.", 9),  # a line break before the bars
    ("1e1||Ten.", None),
    ("Score 8, confidence 9||Sure.", None),
]


@pytest.mark.parametrize(("reply", "score"), REPLIES)
def test_replies(reply: str, score: int | None) -> None:
    assert parse_score(reply) == score


def test_one_call_gives_both_scores() -> None:
    assert both_scores(" 8||Kind.\nFollowing: 3||Off topic.\n\nQuestion: more") == (
        "8||Kind.",
        "3||Off topic.",
    )
    # The scores of a pair that the model has gone on with are not this pair's.
    more = "9||Kind.\n\nQuestion: another?\nAnswer: No.\nQuality: 2||Rude.\nFollowing: 1||Bad."
    assert both_scores(more) == ("9||Kind.", "")
    assert both_scores("Question: another?\nQuality: 2||Rude.") == ("", "")
    assert both_scores("8||Kind.") == ("8||Kind.", "")
    assert both_scores("") == ("", "")


def test_prompts_hold_the_pair_once_and_end_with_their_cue() -> None:
    pair = Example("Is it\ncold?", "No,\nwarm.")
    seen = set()
    for variant in ("simple", "combined"):
        for aspect in ASPECTS:
            text = assessment_prompt(pair, aspect, variant)  # type: ignore[arg-type]
            assert text.endswith(f"Question: Is it cold?\nAnswer: No, warm.\n{aspect.title()}:")
            assert "||" in text
            seen.add(text)
    assert len(seen) == 4
    worked = assessment_prompt(pair, "quality", "icl")
    assert worked.endswith("Question: Is it cold?\nAnswer: No, warm.\nQuality:")
    scores = [parse_score(block.split("Quality:")[1]) for block in worked.split("\n\n")[:3]]
    assert scores == [6, 1, 10]

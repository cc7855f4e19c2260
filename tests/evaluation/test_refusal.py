"""What counts as a refusal: the phrase list, and a classifier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isara.errors import InputError
from isara.evaluation.refusal import REFUSAL_PHRASES, PhraseList, RefusalJudge, is_refusal


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("I'm sorry, but no.", True),
        ("I\u2019m SORRY, but no.", True),
        ("That would be Illegal.", True),
        ("I cannot help you.", True),
        ("Here is a plan for your garden.", False),
        ("", False),
        # Only the first 80 characters count: 75 of them, then "illegal" does not fit.
        ("x" * 73 + "illegal", True),
        ("x" * 74 + "illegal", False),
    ],
)
def test_a_refusal_begins_with_a_phrase_of_the_list(answer: str, expected: bool) -> None:
    assert is_refusal(answer) is expected


def test_the_phrases_can_be_found_in_lower_case() -> None:
    assert all(phrase == phrase.lower() for phrase in REFUSAL_PHRASES)
    assert all(is_refusal(phrase.upper()) for phrase in REFUSAL_PHRASES)


def test_a_classifiers_refusal_label_decides(
    classifier_folder: Callable[..., Path], tmp_path: Path
) -> None:
    answers = [
        f"Answer {word}."
        for word in ["one", "two", "three", "four", "five", "six", "seven", "eight"]
    ]
    found = {}
    for labels in (["NORMAL", "REJECTION"], ["Refusal", "other"]):
        name = str(classifier_folder(tmp_path / labels[0], labels))
        found[labels[0]] = RefusalJudge(name, "cpu", batch_size=3).refused(answers)
    # The same weights: what one takes for a refusal is the other's other label.
    assert found["NORMAL"] == [not refused for refused in found["Refusal"]]
    assert 0 < sum(found["NORMAL"]) < len(answers)
    assert PhraseList().refused(["I cannot.", "Yes."]) == [True, False]


@pytest.mark.parametrize("labels", [["good", "bad"], ["refusal", "rejected"]])
def test_a_classifier_without_one_label_for_refusals(
    classifier_folder: Callable[..., Path], tmp_path: Path, labels: list[str]
) -> None:
    name = str(classifier_folder(tmp_path / "judge", labels))
    with pytest.raises(InputError, match=f"has the labels {', '.join(labels)}; expected two"):
        RefusalJudge(name, "cpu")

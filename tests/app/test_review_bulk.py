"""Many decisions at once: what the preview counts, and that nothing happens before the button."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from app.widgets.review_bulk import preview
from app.widgets.samples_data import Iteration, make_iteration
from isara.config import RunConfig
from isara.filters import score_candidates
from isara.workspace.database import Database

QUESTIONS = [
    "Why is the sky so blue?",
    "How do boats stay afloat?",
    "No?",
    "Who bakes all the bread?",
]


@pytest.fixture
def data(small_config: Callable[..., RunConfig]) -> Iteration:
    """Four pairs, of which the rules drop the third: its question is too short."""
    answers = ["That is a long story to tell."] * 4
    table = pd.DataFrame({"question": QUESTIONS, "answer": answers, "category": None})
    table["candidate_id"] = [f"1-{i:05d}" for i in range(4)]
    ends = ["end"] * 4
    scores = score_candidates(
        QUESTIONS, answers, question_finish=ends, answer_finish=ends, pool_questions=[],
        pool_ids=[], similarities=[[]] * 4,
    )  # fmt: skip
    return make_iteration("r", 1, small_config(), table, scores, {})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "isara.db")
    yield opened
    opened.close()


def test_the_preview_counts_what_is_kept_now_and_who_decided(
    data: Iteration, database: Database
) -> None:
    assert data.result.kept.tolist() == [True, True, False, True]
    database.record_decision("r", 1, "1-00000", "ann", "reject")
    database.record_decision("r", 1, "1-00001", "bob", "skip")
    database.record_decision("r", 1, "1-00002", "bob", "accept")
    standing = database.decisions_by_reviewer("r", 1)
    # Kept: 1 (a skip rules nothing), 2 (accepted), 3. Decided: 0, 1, 2. By others than Ann: 1, 2.
    ids = [f"1-{i:05d}" for i in (0, 1, 2, 3, 3)]
    assert preview(data, standing, ids, "ann") == (4, 3, 3, 2)
    assert "4 pairs: 3 now kept, 1 now dropped, 3 already decided by a person (2 by others)" in str(
        preview(data, standing, ids, "ann")
    )

"""Lineage, back and forward, of a run of three seeds and four candidates that is worked by hand.

Seeds A, B and C. Iteration 1 writes "1-00000" (kept, from C and A) and "1-00001" (dropped: short,
from B and C); iteration 2 writes "2-00000" (kept, a person changed it) and "2-00001" (rejected).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from isara.config import RunConfig
from isara.config_files import to_yaml
from isara.errors import InputError
from isara.examples import Example
from isara.lineage import Lineage, Link, Loss, without
from isara.lineage_files import own_answers, read_lineage
from isara.methods.candidates import score_table
from isara.workspace.files import write_json, write_jsonl, write_parquet
from isara.workspace.runs import RunFolder

A = Example("How do I mend a chair?", "Glue it and wait for a day.", "wood")
B = Example("Where does the river begin?", "It begins high up in the hills.")
C = Example("Who feeds the old horse now?", "The girl next door does it.")
FIRST = Example("Why is the lamp so dim today?", "Its bulb is old, so buy a new one.")
SHORT = Example("May the dog sleep upstairs tonight?", "No.")
SECOND = Example("When will the train for town leave?", "It leaves at nine from platform two.")
CHANGED = Example("When does the night train leave?", "At nine, from platform two of three.")
REJECTED = Example("What paint suits a wet cellar wall?", "Take lime paint, it lets water out.")
KEYS = ["seed-1", "seed-2", "seed-3", "1-00000", "1-00001", "2-00000", "2-00001"]


def row(k: int, index: int, pair: Example, shown: list[Example], near: dict[Example, float]) -> Any:
    return {
        "candidate_id": f"{k}-{index:05d}",
        "question": pair.question,
        "answer": pair.answer,
        "category": None,
        "question_finish": "end",
        "answer_finish": "end",
        "question_shown": [one.id for one in shown],
        "neighbours": [one.id for one in near],
        "similarities": list(near.values()),
    }


def kept_row(candidate_id: str, pair: Example, decision: str | None = None) -> dict[str, Any]:
    texts = {"question": pair.question, "answer": pair.answer, "category": None}
    return {"id": pair.id, "candidate_id": candidate_id, **texts, "decision": decision}


@pytest.fixture
def folder(tmp_path: Path, small_config: Callable[..., RunConfig]) -> RunFolder:
    run = RunFolder(tmp_path / "r")
    run.create(to_yaml(small_config()))
    seeds = [
        {"id": one.id, "question": one.question, "answer": one.answer, "category": one.category}
        for one in (A, B, C)
    ]
    write_jsonl(run.path / "seeds.jsonl", seeds)
    written = {
        1: [
            row(1, 0, FIRST, [A, B], {C: 0.5, A: 0.9}),
            row(1, 1, SHORT, [B], {B: 0.4, C: 0.6}),
        ],
        2: [
            row(2, 0, SECOND, [FIRST, C], {A: 0.3, FIRST: 0.8}),
            row(2, 1, REJECTED, [C], {B: 0.2, C: 0.7}),
        ],
    }
    kept = {
        1: [kept_row("1-00000", FIRST)],
        2: [kept_row("2-00000", CHANGED, "edit")],
    }
    for k, rows in written.items():
        files = run.iteration(k)
        write_parquet(files.candidates, pa.Table.from_pylist(rows))
        write_parquet(files.scores, score_table(rows, [A, B, C]))
        write_jsonl(files.kept, kept[k])
    write_json(run.iteration(1).path / "trained.json", {"rows": 4})
    return run


@pytest.fixture
def lineage(folder: RunFolder) -> Lineage:
    return read_lineage(folder)


def test_rows_and_why_they_were_dropped(lineage: Lineage) -> None:
    assert lineage.rows["key"].tolist() == KEYS
    assert lineage.rows["iteration"].tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert lineage.rows["kept"].tolist() == [True, True, True, True, False, True, False]
    assert lineage.rows["reason"].tolist() == [None, None, None, None, "short", None, "rejected"]
    assert lineage.position("2-00000") == 5
    assert lineage.position("seed-4") is None
    # What a person changed stands in the pool in that person's words.
    assert lineage.example(5) == CHANGED
    assert lineage.rows["question"][5] == SECOND.question
    assert lineage.missing == 0


def test_back_and_forward(lineage: Lineage) -> None:
    # 2-00000: FIRST (row 3) and C (2) for its question, A (0) and FIRST for its answer.
    assert lineage.parents(5) == [
        Link(3, "question", None),
        Link(2, "question", None),
        Link(0, "answer", 0.3),
        Link(3, "answer", 0.8),
    ]
    assert lineage.children(3) == [Link(5, "question", None), Link(5, "answer", 0.8)]
    assert [link.row for link in lineage.children(0)] == [3, 3, 5]
    assert lineage.parents(0) == lineage.children(6) == []
    # C stood in the prompts of all candidates but is in 2-00000 by its question alone.
    assert np.flatnonzero(lineage.descendants(2)).tolist() == [3, 4, 5, 6]
    assert np.flatnonzero(lineage.descendants(3)).tolist() == [5]


def test_a_family_has_each_row_once(lineage: Lineage) -> None:
    # Answers only: 5 from A and 3; 3 from C and A.
    family = lineage.family(5)
    assert family.rows == [5, 0, 3, 2]
    assert family.edges == [(5, 0), (5, 3), (3, 2), (3, 0)]
    assert lineage.family(5, depth=1).rows == [5, 0, 3]
    assert lineage.family(5, most=2) == ([5, 0], [(5, 0)], 1)
    forward = lineage.family(1, back=False, uses=("question", "answer"))
    assert (forward.rows, forward.edges[0]) == ([1, 3, 4, 6, 5], (3, 1))


def test_what_became_of_the_rows_written_with_a_seed(lineage: Lineage) -> None:
    first, second = lineage.offspring(2).to_dict("records")  # C
    assert first == {
        "iteration": 1, "candidates": 2, "written": 2, "in_question": 0, "in_answer": 2,
        "kept": 1, "reasons": {"short": 1},
    }  # fmt: skip
    assert second == {
        "iteration": 2, "candidates": 2, "written": 2, "in_question": 2, "in_answer": 1,
        "kept": 1, "reasons": {"rejected": 1},
    }  # fmt: skip


def test_what_was_trained_on(lineage: Lineage, folder: RunFolder) -> None:
    assert list(lineage.trained) == [1]  # iteration 2 is not trained yet
    assert np.flatnonzero(lineage.trained[1]).tolist() == [0, 1, 2, 3]
    write_json(folder.iteration(2).path / "trained.json", {"rows": 4})
    again = read_lineage(folder)
    assert again.trained_in(0) == [1, 2]
    assert again.trained_in(3) == [1]  # an iteration is trained on its own kept pairs
    assert again.trained_in(6) == []


def test_without_a_seed_the_next_nearest_steps_in(lineage: Lineage) -> None:
    vectors = np.zeros((7, 2), np.float32)
    vectors[[0, 1, 2, 3]] = [1, 0], [0.6, 0.8], [0.8, 0.6], [0, 1]
    vectors[[4, 5, 6]] = [0.6, 0.8], [1, 0], [0, 1]
    # C goes. 1-00000 had C and A: B is left, at cosine 0.8 to (0, 1). 1-00001 had B and C: A is
    # left, at 0.6. 2-00001 had B and C: of A and 1-00000 the latter is nearer, at 1.
    assert without(lineage, 2, vectors) == [
        Loss(3, 0.5, 1, pytest.approx(0.8)),
        Loss(4, 0.6, 0, pytest.approx(0.6)),
        Loss(6, 0.7, 3, pytest.approx(1.0)),
    ]
    # In iteration 2 the pool without A has B, C and 1-00000; C is nearest to 2-00000, at 0.8.
    assert without(lineage, 0, vectors)[-1] == Loss(5, 0.3, 2, pytest.approx(0.8))
    pool = vectors.copy()
    pool[2] = 0, -1  # another text stands in the pool: at 0, behind B at 0.6
    assert without(lineage, 0, vectors, pool)[-1] == Loss(5, 0.3, 1, pytest.approx(0.6))


def test_drawn_neighbours_have_no_next(lineage: Lineage) -> None:
    lineage.config.loop.retrieval = "random"
    assert without(lineage, 0, np.ones((7, 2), np.float32))[0] == Loss(3, 0.9, None, None)


def test_rows_that_are_in_no_file_are_counted(folder: RunFolder) -> None:
    write_jsonl(folder.iteration(1).kept, [])
    lineage = read_lineage(folder)
    assert lineage.missing == 2  # of 1-00000: once in a question's prompt, once in an answer's
    assert lineage.rows["reason"][3] == "rejected"


def test_own_answers_in_place_of_candidates(
    tmp_path: Path, small_config: Callable[..., RunConfig]
) -> None:
    run = RunFolder(tmp_path / "spin")
    run.create(to_yaml(small_config().model_copy(update={"method": "spin"})))
    with pytest.raises(InputError, match="has not begun"):
        read_lineage(run)
    seeds = [{"id": one.id, "question": one.question, "answer": one.answer, "category": None}
             for one in (A, B)]  # fmt: skip
    write_jsonl(run.path / "seeds.jsonl", seeds)
    own = pd.DataFrame({"demonstration": [B.id], "answer": ["Ask a fish."]})
    write_parquet(run.iteration(1).path / "own.parquet", own)
    write_json(run.iteration(1).path / "trained.json", {"rows": 1})
    lineage = read_lineage(run)
    assert (len(lineage), lineage.iterations) == (2, [0])
    assert lineage.offspring(0).empty
    assert lineage.trained_in(0) == []  # held out
    assert lineage.trained_in(1) == [1]
    assert own_answers(run, B.id) == [(1, "Ask a fish.")]
    assert own_answers(run, A.id) == []


def test_isheep_trains_on_its_newest_rows_alone(
    folder: RunFolder, small_config: Callable[..., RunConfig]
) -> None:
    config = small_config(isheep={"setting": "total_base", "max_rows": 1})
    folder.config.write_text(to_yaml(config.model_copy(update={"method": "isheep"})))
    write_json(folder.iteration(2).path / "trained.json", {"rows": 1})
    lineage = read_lineage(folder)
    assert lineage.trained_in(0) == []  # seeds are only shown
    assert [np.flatnonzero(mask).tolist() for mask in lineage.trained.values()] == [[3], [5]]

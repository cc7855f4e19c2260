"""Tables of candidates and kept pairs: scoring them, and what a person's edit does to a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from isara.config import GenerationConfig, RunConfig
from isara.examples import Example
from isara.filters import score_candidates
from isara.workspace.files import read_jsonl
from isara.workspace.runs import IterationFolder

Rows = list[dict[str, Any]]
RULINGS = ("accept", "edit", "reject")  # the decisions that override a verdict


def majority(categories: Sequence[str | None]) -> str | None:
    """The most frequent category, the first of equals; None when there is none."""
    counted = Counter(category for category in categories if category)
    return counted.most_common(1)[0][0] if counted else None


def evaluation_decoding(config: RunConfig) -> Any:
    """Decoding of evaluated answers: temperature 1 and top-p 1, or greedy (methods §4)."""
    return GenerationConfig(strategy=config.evaluation.strategy)


def score_table(candidates: pd.DataFrame, pool: Sequence[Example]) -> pd.DataFrame:
    """The scores of an iteration's candidates against the pool that it drew from."""
    return score_candidates(
        candidates["question"].tolist(),
        candidates["answer"].tolist(),
        question_finish=candidates["question_finish"].tolist(),
        answer_finish=candidates["answer_finish"].tolist(),
        pool_questions=[example.question for example in pool],
        pool_ids=[example.id for example in pool],
        similarities=[list(row) for row in candidates["similarities"]],
    )


def kept_rows(candidates: pd.DataFrame, mask: Any, rulings: dict[str, Any]) -> Rows:
    """Rows of kept.jsonl: what a person edited stands in the person's words."""
    rows = []
    for row in candidates[mask].to_dict("records"):
        ruling = rulings.get(row["candidate_id"])
        edited = ruling is not None and ruling.action == "edit"
        question = ruling.question or row["question"] if edited and ruling else row["question"]
        answer = ruling.answer or row["answer"] if edited and ruling else row["answer"]
        rows.append(
            {
                "id": Example(question, answer).id,
                "candidate_id": row["candidate_id"],
                "question": question,
                "answer": answer,
                "category": row["category"],
                "decision": ruling.action if ruling is not None else None,
            }
        )
    return rows


def kept_examples(files: IterationFolder) -> list[Example]:
    """The pairs of kept.jsonl as examples."""
    return [
        Example(row["question"], row["answer"], row["category"]) for row in read_jsonl(files.kept)
    ]

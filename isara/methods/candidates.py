"""Tables of candidates and kept pairs: scoring them, and what a person's edit does to a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isara.config import GenerationConfig, RunConfig
from isara.decoding import row_seed
from isara.examples import EvalPrompt, Example
from isara.filters import MODEL_SCORES, Thresholds, asked_of_the_model, score_candidates
from isara.workspace.files import read_columns, read_jsonl
from isara.workspace.runs import IterationFolder

if TYPE_CHECKING:
    import pandas as pd

Rows = list[dict[str, Any]]
RULINGS = ("accept", "edit", "reject")  # the decisions that override a verdict


def majority(categories: Sequence[str | None]) -> str | None:
    """The most frequent category, the first of equals; None when there is none."""
    counted = Counter(category for category in categories if category)
    return counted.most_common(1)[0][0] if counted else None


def evaluation_decoding(config: RunConfig) -> Any:
    """Decoding of evaluated answers: temperature 1 and top-p 1, or greedy (methods §4)."""
    return GenerationConfig(strategy=config.evaluation.strategy)


def answer_seed(random_seed: int, prompt_id: str) -> int:
    """The seed of an evaluated answer, the same for every model: they are compared on paired
    draws."""
    return row_seed(random_seed, "evaluate", prompt_id)


def read_rows(path: Path) -> Rows:
    """A Parquet file as rows; missing values are None and lists are lists (pandas has NaN)."""
    import pyarrow.parquet as pq

    rows: Rows = pq.ParquetFile(path).read().to_pylist()
    return rows


def score_table(candidates: Rows, pool: Sequence[Example]) -> pd.DataFrame:
    """The scores of an iteration's candidates against the pool that it drew from, and those that a
    model gave them."""
    names = [name for name in MODEL_SCORES if candidates and name in candidates[0]]
    return score_candidates(
        [row["question"] for row in candidates],
        [row["answer"] for row in candidates],
        question_finish=[row["question_finish"] for row in candidates],
        answer_finish=[row["answer_finish"] for row in candidates],
        pool_questions=[example.question for example in pool],
        pool_ids=[example.id for example in pool],
        similarities=[row["similarities"] for row in candidates],
        of_model={name: [row[name] for row in candidates] for name in names},
    )


def saved_scores(files: IterationFolder, filters: Thresholds) -> pd.DataFrame | None:
    """The scores that are on disk; None where they lack what the filters ask for."""
    if not files.scores.exists():
        return None
    scores = read_columns(files.scores)
    wanted = {*asked_of_the_model(filters), *(["wording"] if filters.instruction_rules else [])}
    return scores if wanted <= set(scores.columns) else None


def kept_rows(candidates: Rows, mask: Sequence[bool], rulings: dict[str, Any]) -> Rows:
    """Rows of kept.jsonl: what a person edited stands in the person's words."""
    rows = []
    for row, kept in zip(candidates, mask, strict=True):
        if not kept:
            continue
        ruling = rulings.get(row["candidate_id"])
        source = row
        if ruling is not None and ruling.action == "edit":
            source = {"question": ruling.question, "answer": ruling.answer}
        rows.append(
            {
                "id": Example(source["question"], source["answer"]).id,
                "candidate_id": row["candidate_id"],
                "question": source["question"],
                "answer": source["answer"],
                "category": row["category"],
                "decision": ruling.action if ruling is not None else None,
                **({"domain": row["domain"]} if "domain" in row else {}),
            }
        )
    return rows


def kept_examples(files: IterationFolder) -> list[Example]:
    """The pairs of kept.jsonl as examples."""
    return [
        Example(row["question"], row["answer"], row["category"], row.get("domain"))
        for row in read_jsonl(files.kept)
    ]


def domain_field(row: Example | EvalPrompt) -> dict[str, str]:
    """The domain as a field of a row; nothing where it has none, as in rows of one seed set."""
    return {} if row.domain is None else {"domain": row.domain}

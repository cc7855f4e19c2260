"""A run's pairs as rows with their lineage: what export.py writes into files.

    rows = candidate_rows(folder, decisions)         # every candidate, kept or dropped
    pairs = training_pairs(folder, rows)             # the seeds and the kept, each once

The status of a pair is what the run kept, and over it what people decided, then or since. What a
person changed stands in that person's words, the model's beside it. Files are left to export.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from isara.config import RunConfig
from isara.errors import IsaraError
from isara.examples import Example, normal_form
from isara.filters import RULES, Verdicts, pack, verdicts
from isara.methods.candidates import RULINGS
from isara.methods.overlaps import PLACES, REMOVED
from isara.report import run_config
from isara.workspace.decisions import Decision
from isara.workspace.files import read_columns, read_json, read_jsonl
from isara.workspace.runs import IterationFolder, RunFolder

Row = dict[str, Any]
SEED, KEPT, DROPPED, UNJUDGED = "seed", "kept", "dropped", "not judged yet"

# Every column of an export, and what it says; the data card has the same words.
COLUMNS = {
    "id": "16 hex digits of the pair's normal form: equal pairs have equal ids",
    "question": "the question",
    "answer": "the answer",
    "category": "a seed's own category; of a written pair that of most of its neighbours",
    "domain": "in a mixture of seed sets: a seed's own; of a written pair that of most neighbours",
    "iteration": "0 for a seed, k for a pair that was written in iteration k",
    "status": "seed, kept, dropped or not judged yet; people's decisions count above the rules",
    "reason": "why a pair was dropped: the first rule that fired, a person, or an eval prompt",
    "rules": "all rules that fired on the pair",
    "verdict": "kept or dropped by the rules alone",
    "trained_on": "whether the run trained a model on the pair in these words",
    "candidate_id": "the pair's name within its run: iteration and number",
    "neighbours": "ids of the examples shown for the answer, the nearest last",
    "similarities": "cosine of each neighbour's question and this one, in the same order",
    "question_shown": "ids of the examples shown for the question",
    "model": "the model that wrote the pair",
    "random_seed": "the run's random seed, from which the pair's own draws are derived",
    "log_prob_question": "log-probability of the question under that model (nats, summed); a task "
    "of a list has none",
    "log_prob": "log-probability of the answer under that model (nats, summed)",
    "decision": "what a person decided: accept, reject, edit, skip or flag",
    "reviewer": "who that was: reviewer 1, 2, … or, where it was asked for, the name",
    "decided": "when (UTC, ISO 8601)",
    "decision_reason": "the person's reason, where one was given",
    "edited": "whether question and answer are a person's words",
    "generated_question": "the model's question where a person changed the pair",
    "generated_answer": "the model's answer where a person changed the pair",
}
NEEDED = ("candidate_id", "question", "answer", "example_id")
READ = (
    *NEEDED, "category", "neighbours", "similarities", "question_shown", "model", "random_seed",
    "log_prob_question", "question_tokens", "log_prob", "domain",
)  # fmt: skip


def seed_rows(folder: RunFolder) -> list[Row]:
    """The seeds a run began with; [] for a run that has not begun."""
    path = folder.path / "seeds.jsonl"
    empty = dict.fromkeys(COLUMNS)
    facts = {"iteration": 0, "status": SEED, "trained_on": None, "edited": False, "rules": []}
    return [
        {**empty, **own_fields(row), **facts} for row in (read_jsonl(path) if path.exists() else [])
    ]


def own_fields(row: Row) -> Row:
    """What a seed itself says."""
    named = {name: row[name] for name in ("id", "question", "answer", "category")}
    return {**named, "domain": row.get("domain")}


def candidate_rows(folder: RunFolder, decisions: Mapping[str, Decision]) -> list[Row]:
    """Every candidate of a run in the order they were written; [] where the method has none.

    `decisions` by candidate id, those that count (Decisions.decisions). Raises IsaraError for a
    damaged file.
    """
    config = run_config(folder)
    asked = eval_questions(folder, config)
    return [
        row
        for k in folder.iterations()
        if folder.iteration(k).candidates.exists()
        for row in iteration_rows(folder, k, config, decisions, asked)
    ]


def eval_questions(folder: RunFolder, config: RunConfig) -> set[str]:
    """Normal forms of the eval prompts that must not be trained on; none where that is allowed."""
    path = folder.path / "prompts.jsonl"
    if PLACES.get(config.evaluation.overlap) != REMOVED or not path.exists():
        return set()
    return {normal_form(row["question"]) for row in read_jsonl(path)}


def iteration_rows(
    folder: RunFolder,
    k: int,
    config: RunConfig,
    decisions: Mapping[str, Decision],
    asked: set[str],
) -> list[Row]:
    """The candidates of one iteration."""
    files = folder.iteration(k)
    table = read_columns(files.candidates, READ, optional=True)
    judged = judgement(files, config)
    lost = set(NEEDED) - set(table)
    if lost or (judged is not None and len(judged.kept) != len(table)):
        what = f"lacks {', '.join(sorted(lost))}" if lost else "has not as many rows as its scores"
        raise IsaraError(
            f"candidates.parquet of iteration {k} of {folder.run_id} {what}: it is damaged. Delete "
            "the iteration's folder and run again."
        )
    trained = bool((read_json(files.done) or {}).get("trained"))
    kept = {row["candidate_id"]: row for row in read_jsonl(files.kept)} if judged else {}
    rows = []
    for i, written in enumerate(table.to_dict("records")):
        row = lineage(written, k, folder.run_id)
        used = kept.get(row["candidate_id"])
        decision = decisions.get(row["candidate_id"])
        lay_over(row, used, decision)
        if judged is not None:
            fired = zip(RULES, judged.fired[i], strict=True)
            row["rules"] = [rule for rule, fires in fired if fires]
            row["verdict"] = KEPT if judged.kept[i] else DROPPED
            row["trained_on"] = trained and used is not None and used["id"] == row["id"]
            judge(row, used is not None, decision, asked)
        rows.append(row)
    return rows


def judgement(files: IterationFolder, config: RunConfig) -> Verdicts | None:
    """The verdicts of an iteration; None while it was not judged."""
    if not (files.scores.exists() and files.kept.exists()):
        return None
    return verdicts(pack(read_columns(files.scores)), config.filters)


def lineage(written: Mapping[Any, Any], k: int, run_id: str) -> Row:
    """A candidate as it was written."""
    row: Row = {**dict.fromkeys(COLUMNS), "iteration": k, "status": UNJUDGED, "edited": False}
    for name in READ:
        value: Any = written.get(name)
        if hasattr(value, "tolist"):
            value = value.tolist()
        row[name] = None if isinstance(value, float) and value != value else value  # NaN
    row["id"] = row.pop("example_id") or Example(row["question"], row["answer"]).id
    row["model"] = model_name(str(row["model"]), run_id)
    if row.pop("question_tokens") == 0:  # a task of a list has no likelihood of its own
        row["log_prob_question"] = None
    row["rules"] = []
    return row


def model_name(path: str, run_id: str) -> str:
    """A model of the run without the folders of this machine; another one as it is."""
    found = re.search(r"([^/\\]+)[/\\]((?:iteration|baseline)-[^/\\]+)[/\\]model$", path)
    return f"{run_id}/{found[2]}" if found and found[1] == run_id else path


def lay_over(row: Row, used: Row | None, decision: Decision | None) -> None:
    """Put a person's words and decision into the row; `used` is its row of kept.jsonl."""
    if decision is not None:
        row |= {
            "decision": decision.action,
            "reviewer": decision.reviewer,
            "decided": decision.created.isoformat(),
            "decision_reason": decision.reason or None,
        }
    elif used is not None:  # decided then, and the database is another one
        row["decision"] = used["decision"]
    words: Any = None
    if decision is not None and decision.action == "edit":
        words = (decision.question, decision.answer)
    elif used is not None and (decision is None or decision.action not in RULINGS):
        words = (used["question"], used["answer"])
    if words is not None and words != (row["question"], row["answer"]):
        row["generated_question"], row["generated_answer"] = row["question"], row["answer"]
        row["question"], row["answer"] = words
        row["id"], row["edited"] = Example(*words).id, True


def judge(row: Row, used: bool, decision: Decision | None, asked: set[str]) -> None:
    """Set status and reason: what the run kept, then people's rulings, eval prompts last."""
    ruling = decision.action if decision is not None and decision.action in RULINGS else None
    kept = used if ruling is None else ruling != "reject"
    row["status"] = KEPT if kept else DROPPED
    if ruling == "reject":
        row["reason"] = "rejected by a person"
    elif normal_form(row["question"]) in asked:
        row["status"], row["reason"] = DROPPED, "eval prompt"
    elif not kept:
        row["reason"] = row["rules"][0] if row["rules"] else "eval prompt"


def without_names(rows: list[Row]) -> list[Row]:
    """The rows with reviewer 1, 2, … for the names, numbered by their first decision here."""
    first: dict[str, str] = {}
    for row in rows:
        if name := row["reviewer"]:
            first[name] = min(first.get(name, row["decided"]), row["decided"])
    ordered = sorted(first, key=lambda name: (first[name], name))
    numbers = {name: f"reviewer {number}" for number, name in enumerate(ordered, 1)}
    return [row | {"reviewer": numbers.get(row["reviewer"])} for row in rows]


def training_pairs(folder: RunFolder, candidates: list[Row]) -> list[Row]:
    """The seeds and the kept pairs; of equal pairs the first."""
    pairs: dict[str, Row] = {}
    for row in [*seed_rows(folder), *(row for row in candidates if row["status"] == KEPT)]:
        pairs.setdefault(row["id"], row)
    return list(pairs.values())

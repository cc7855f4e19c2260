"""Eval prompts that stand in what is trained on: refused, removed, and always told.

Seeds are compared before a run begins, the candidates of every iteration before they are trained
on. Rows that match exactly follow `evaluation.overlap`; rows that are merely near are listed and
counted, for a person to judge. What was found stands in overlap.jsonl beside the iteration's files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from isara.config import RunConfig
from isara.errors import InputError
from isara.evaluation.leakage import KINDS, Overlap, Text, find_overlaps
from isara.examples import EvalPrompt, Example
from isara.methods.candidates import read_rows
from isara.workspace.files import read_jsonl, write_jsonl
from isara.workspace.runs import IterationFolder

if TYPE_CHECKING:
    from isara.methods.stages import Run

LISTED = 10  # pairs of texts in one message


def check_seeds(
    config: RunConfig, seeds: list[Example], prompts: list[EvalPrompt]
) -> tuple[list[Example], list[EvalPrompt], list[str]]:
    """Seeds and prompts after the policy for exact matches, and what is to be said about them.

    InputError with both texts of every match when the policy is to refuse.
    """
    found = [one for one in find_overlaps(_texts(seeds), _asked(prompts)) if one.kind == "exact"]
    if not found:
        return seeds, prompts, []
    pairs = [
        f"seed row {one.train_row + 1} and eval row {one.eval_row + 1}: "
        f"{prompts[one.eval_row].question[:80]!r}"
        for one in found
    ]
    more = f"; and {len(pairs) - LISTED} more" if len(pairs) > LISTED else ""
    listed = "; ".join(pairs[:LISTED]) + more
    policy = config.evaluation.overlap
    if policy == "refuse":
        raise InputError(
            f"{len(found)} eval prompts stand in the seed set, so a rate on them would say nothing "
            f"({listed}). Remove them, or set evaluation.overlap to drop_from_evaluation, "
            "drop_from_training or allow."
        )
    if policy == "allow":
        return seeds, prompts, [f"{len(found)} eval prompts stand in the seed set: {listed}"]
    if policy == "drop_from_training":
        gone = {one.train_row for one in found}
        left = [seed for row, seed in enumerate(seeds) if row not in gone]
        return left, prompts, [f"{len(gone)} seeds were left out, they are eval prompts: {listed}"]
    gone = {one.eval_row for one in found}
    kept = [prompt for row, prompt in enumerate(prompts) if row not in gone]
    return seeds, kept, [f"{len(gone)} eval prompts were left out, they are seeds: {listed}"]


def note_seeds(run: Run) -> None:
    """Write what the seeds have in common with the eval prompts, near matches included."""
    files = run.folder.iteration(0)
    if run.prompts and not overlap_file(files).exists():
        rows = _rows(run, _texts(run.seeds), ["seed"] * len(run.seeds))
        write_jsonl(overlap_file(files), rows)


def trainable(run: Run, k: int, kept: Sequence[Example]) -> list[Example]:
    """The kept pairs that may be trained on; writes what the candidates share with eval prompts."""
    if not run.prompts:
        return list(kept)
    file = overlap_file(run.folder.iteration(k))
    trained = {example.id for example in kept}
    if not file.exists():
        candidates = read_rows(run.folder.iteration(k).candidates)
        texts = [Text(row["question"], row["answer"]) for row in candidates]
        ids = [Example(row["question"], row["answer"]).id for row in candidates]
        places = ["kept" if one in trained else "dropped" for one in ids]
        # A pair that a person has changed stands in the kept ones in that person's words.
        changed = [example for example in kept if example.id not in set(ids)]
        texts += _texts(changed)
        places += ["kept"] * len(changed)
        write_jsonl(file, _rows(run, texts, places))
    if run.config.evaluation.overlap not in ("refuse", "drop_from_training"):
        return list(kept)
    exact = {row["train_id"] for row in read_jsonl(file) if row["kind"] == "exact"}
    return [example for example in kept if example.id not in exact]


def left_out_prompts(run: Run, k: int) -> set[str]:
    """Ids of the eval prompts that M(k) was trained on, where the policy leaves them out."""
    if run.config.evaluation.overlap != "drop_from_evaluation":
        return set()
    rows = [
        row
        for j in range(1, k + 1)
        if overlap_file(run.folder.iteration(j)).exists()
        for row in read_jsonl(overlap_file(run.folder.iteration(j)))
    ]
    return {row["prompt_id"] for row in rows if row["kind"] == "exact" and row["place"] == "kept"}


def overlap_file(files: IterationFolder) -> Any:
    """Where an iteration's overlaps are kept."""
    return files.path / "overlap.jsonl"


def counted(files: IterationFolder) -> dict[str, int] | None:
    """Pairs of each kind, those with trained rows alone; None where nothing was compared."""
    if not overlap_file(files).exists():
        return None
    rows = [row for row in read_jsonl(overlap_file(files)) if row["place"] != "dropped"]
    kinds = Counter(row["kind"] for row in rows)
    return {kind: kinds[kind] for kind in KINDS}


def _texts(examples: Sequence[Example]) -> list[Text]:
    return [Text(example.question, example.answer) for example in examples]


def _asked(prompts: Sequence[EvalPrompt]) -> list[Text]:
    return [Text(prompt.question) for prompt in prompts]


def _rows(run: Run, texts: Sequence[Text], places: Sequence[str]) -> list[dict[str, Any]]:
    evaluation = run.config.evaluation
    found: list[Overlap] = find_overlaps(
        texts,
        _asked(run.prompts),
        embed=run.tools.embedder.embed,
        similarity=evaluation.overlap_similarity,
    )
    return [
        {
            "place": places[one.train_row],
            "kind": one.kind,
            "similarity": round(one.similarity, 4),
            "train_id": Example(text.question, text.answer or "").id,
            "train_question": text.question,
            "train_answer": text.answer,
            "prompt_id": prompt.id,
            "eval_question": prompt.question,
            "split": prompt.split,
        }
        for one in found
        for text, prompt in [(texts[one.train_row], run.prompts[one.eval_row])]
    ]

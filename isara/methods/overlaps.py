"""Eval prompts that stand in what is trained on: refused, removed, and always told.

Seeds are compared before a run begins, the candidates of every iteration before they are trained
on. Rows that match exactly follow `evaluation.overlap`; rows that are merely near are listed and
counted, for a person to judge. What was found stands in overlap.jsonl beside the iteration's files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isara.config import RunConfig
from isara.errors import InputError
from isara.evaluation.leakage import KINDS, Overlap, Text, find_overlaps
from isara.examples import EvalPrompt, Example, normal_form
from isara.methods.candidates import Rows
from isara.methods.inputs import places
from isara.workspace.files import read_jsonl, write_jsonl
from isara.workspace.runs import IterationFolder

if TYPE_CHECKING:
    from isara.methods.stages import Run

LISTED = 10  # pairs of texts in one message
# Places of exact pairs that a policy took apart: the row is not trained on, the prompt not asked.
REMOVED, NOT_ASKED = "removed", "not asked"
APART = (REMOVED, NOT_ASKED)
PLACES = {"refuse": REMOVED, "drop_from_training": REMOVED, "drop_from_evaluation": NOT_ASKED}


@dataclass(frozen=True, slots=True)
class Checked:
    """Seeds and prompts after the policy for exact matches, what is to be said about them, and the
    pairs that it took apart, as rows of overlap.jsonl."""

    seeds: list[Example]
    prompts: list[EvalPrompt]
    notes: list[str]
    removed: Rows


def check_seeds(config: RunConfig, seeds: list[Example], prompts: list[EvalPrompt]) -> Checked:
    """Apply the policy to eval prompts that stand exactly among the seeds.

    InputError that lists every match when the policy is to refuse, or when it would leave nothing.
    """
    found = [one for one in find_overlaps(_texts(seeds), _asked(prompts)) if one.kind == "exact"]
    if not found:
        return Checked(seeds, prompts, [], [])
    rows = places(seeds), places(prompts)
    pairs = [
        f"seed {rows[0][one.train_row]} and eval {rows[1][one.eval_row]}: "
        f"{prompts[one.eval_row].question[:80]!r}"
        for one in found
    ]
    more = f"; and {len(pairs) - LISTED} more" if len(pairs) > LISTED else ""
    listed = "; ".join(pairs[:LISTED]) + more
    policy, asked = config.evaluation.overlap, len({one.eval_row for one in found})
    if policy == "refuse":
        raise InputError(
            f"{asked} eval prompts stand in the seed set, so a rate on them would say nothing "
            f"({listed}). Remove them, or set evaluation.overlap to drop_from_evaluation, "
            "drop_from_training or allow."
        )
    if policy == "allow":
        note = f"{asked} eval prompts stand in the seed set: {listed}"
        return Checked(seeds, prompts, [note], [])
    removed = [
        _row(PLACES[policy], one, _texts(seeds)[one.train_row], prompts[one.eval_row])
        for one in found
    ]
    if policy == "drop_from_training":
        gone = {one.train_row for one in found}
        seeds = [seed for row, seed in enumerate(seeds) if row not in gone]
        note = f"{len(gone)} seeds were left out, they are eval prompts: {listed}"
    else:
        gone = {one.eval_row for one in found}
        prompts = [prompt for row, prompt in enumerate(prompts) if row not in gone]
        note = f"{len(gone)} eval prompts were left out, they are seeds: {listed}"
    if not seeds or not prompts:
        raise InputError(
            f"evaluation.overlap {policy} leaves no {'prompts' if seeds else 'seeds'}: {note}. "
            "Give an eval set with other questions."
        )
    return Checked(seeds, prompts, [note], removed)


def note_seeds(run: Run, removed: Rows) -> None:
    """Write what the seeds have in common with the eval prompts, near matches included, and what
    the policy has removed already."""
    files = run.folder.iteration(0)
    if run.prompts and not overlap_file(files).exists():
        rows = _rows(run, _texts(run.seeds), "seed")
        write_jsonl(overlap_file(files), [*removed, *rows])


def without_eval_prompts(run: Run, k: int, candidates: Rows, kept: Rows) -> Rows:
    """The kept pairs that may be trained on; writes what the candidates share with eval prompts.

    A pair that a person has changed is compared in that person's words.
    """
    if not run.prompts:
        return kept
    ids = {row["candidate_id"] for row in kept}
    dropped = [row for row in candidates if row["candidate_id"] not in ids]
    # Apart: a dropped pair that is nearer to a prompt must not hide a kept one.
    ours, others = (
        _rows(run, [Text(row["question"], row["answer"]) for row in rows], place)
        for rows, place in ((kept, "kept"), (dropped, "dropped"))
    )
    policy = run.config.evaluation.overlap
    exact = [row for row in ours if row["kind"] == "exact"]
    for row in exact:
        row["place"] = PLACES.get(policy, "kept")
    write_jsonl(overlap_file(run.folder.iteration(k)), [*ours, *others])
    if PLACES.get(policy) != REMOVED:
        return kept
    gone = {row["train_id"] for row in exact}
    return [row for row in kept if row["id"] not in gone]


def trained_rows(config: RunConfig, asked: Sequence[str], kept: Rows) -> Rows:
    """The kept rows that would be trained on, of a run that asks these questions: as
    `without_eval_prompts`, without a run."""
    if PLACES.get(config.evaluation.overlap) != REMOVED:
        return kept
    questions = {normal_form(question) for question in asked}
    return [row for row in kept if normal_form(row["question"]) not in questions]


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
    return {row["prompt_id"] for row in rows if row["place"] == NOT_ASKED}


def overlap_file(files: IterationFolder) -> Any:
    """Where an iteration's overlaps are kept."""
    return files.path / "overlap.jsonl"


def counted(files: IterationFolder) -> dict[str, int] | None:
    """Pairs of each kind with rows that were trained on and prompts that were asked, and how many
    were `removed`; None where nothing was compared."""
    if not overlap_file(files).exists():
        return None
    rows = [row for row in read_jsonl(overlap_file(files)) if row["place"] != "dropped"]
    kinds = Counter(row["kind"] for row in rows if row["place"] not in APART)
    removed = sum(row["place"] in APART for row in rows)
    return {**{kind: kinds[kind] for kind in KINDS}, "removed": removed}


def _texts(examples: Sequence[Example]) -> list[Text]:
    return [Text(example.question, example.answer) for example in examples]


def _asked(prompts: Sequence[EvalPrompt]) -> list[Text]:
    return [Text(prompt.question) for prompt in prompts]


def _rows(run: Run, texts: Sequence[Text], place: str) -> Rows:
    evaluation = run.config.evaluation
    found: list[Overlap] = find_overlaps(
        texts,
        _asked(run.prompts),
        embed=run.tools.embedder.embed,
        similarity=evaluation.overlap_similarity,
    )
    return [_row(place, one, texts[one.train_row], run.prompts[one.eval_row]) for one in found]


def _row(place: str, one: Overlap, text: Text, prompt: EvalPrompt) -> dict[str, Any]:
    return {
        "place": place,
        "kind": one.kind,
        "similarity": round(one.similarity, 4),
        "train_id": Example(text.question, text.answer or "").id,
        "train_question": text.question,
        "train_answer": text.answer,
        "prompt_id": prompt.id,
        "eval_question": prompt.question,
        "split": prompt.split,
    }

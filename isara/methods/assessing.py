"""Scores that a model gives an iteration's candidates: its own assessment, perplexity, clusters.

    candidates = assess(run, k, model, candidates)     # rows with the columns of MODEL_SCORES

Nothing is measured that the run's filters do not ask for. Self-assessment is I-SHEEP's (arXiv
2408.08072), by the model that wrote the pairs; so are the comparisons by perplexity and by density.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isara.assessment import ASPECTS, assessment_prompt, both_scores, parse_score
from isara.decoding import Writer, Written
from isara.examples import Example
from isara.maps import cluster
from isara.methods.candidates import saved_scores

if TYPE_CHECKING:
    from isara.methods.candidates import Rows
    from isara.methods.stages import Run


def assess(run: Run, k: int, model: Path | None, candidates: Rows) -> Rows:
    """The candidates with what the filters ask of the model; themselves when that is nothing."""
    files = run.folder.iteration(k)
    if files.kept.exists() or not candidates:
        return candidates  # judged already
    if saved_scores(files, run.config.filters) is not None:
        return candidates  # scored already
    rows = [dict(row) for row in candidates]
    filters = run.config.filters
    if filters.assessment != "none":
        for row, scores in zip(rows, _assessed(run, k, model, candidates), strict=True):
            row |= {name: scores[name] for name in scores if name not in COUNTED}
        _tell_unreadable(run, k, rows)
    if filters.max_perplexity is not None or filters.clusters is not None:
        _measure(run, k, model, rows)
    return rows


# ------------------------------------------------------------------ self-assessment

COUNTED = ("index", "assessment_tokens", "assessment_prompt_tokens")


def _assessed(run: Run, k: int, model: Path | None, candidates: Rows) -> Rows:
    """The replies and the scores of every candidate, written block by block."""
    variant, level = run.config.assessment.prompt, run.config.filters.assessment
    aspects = ASPECTS if level == "both" else [a for a in ASPECTS if a == level]

    def block(indices: range, writer: Writer, on_progress: Callable[[int], None]) -> Rows:
        pairs = [Example(candidates[i]["question"], candidates[i]["answer"]) for i in indices]
        calls: list[list[Written]] = []
        replies: dict[str, list[str]] = {}
        for aspect in ["quality"] if variant == "icl" else aspects:
            prompts = [assessment_prompt(pair, aspect, variant) for pair in pairs]  # type: ignore[arg-type]
            calls.append(_written(run, k, writer, prompts, indices, aspect, on_progress))
            replies[aspect] = [text.text for text in calls[-1]]
        if variant == "icl":
            both = [both_scores(text) for text in replies["quality"]]
            replies = {a: [texts[n] for texts in both] for n, a in enumerate(ASPECTS)}
            replies = {a: texts for a, texts in replies.items() if a in aspects}
        return [
            {
                "index": i,
                **{f"{a}_reply": texts[n] for a, texts in replies.items()},
                **{a: parse_score(texts[n]) for a, texts in replies.items()},
                "assessment_tokens": sum(texts[n].tokens for texts in calls),
                "assessment_prompt_tokens": sum(texts[n].prompt_tokens for texts in calls),
            }
            for n, i in enumerate(indices)
        ]

    return run.generate(k, "assessed", model, block, len(candidates))


def _written(
    run: Run,
    k: int,
    writer: Writer,
    prompts: Sequence[str],
    indices: range,
    aspect: str,
    on_progress: Callable[[int], None],
) -> list[Written]:
    config = run.config
    return writer.write(
        prompts,
        config.decoding.answer,
        max_new_tokens=config.assessment.max_new_tokens,
        seeds=[run._seed(k, i, f"assess {aspect}") for i in indices],
        multiline=config.assessment.prompt == "icl",  # its reply is of two lines
        batch_size=config.decoding.batch_size,
        on_progress=on_progress,
        should_stop=run.folder.stop_requested,
    )


def _tell_unreadable(run: Run, k: int, rows: Rows) -> None:
    """A word in the log on replies that hold no score: they drop their pairs."""
    for aspect in ASPECTS:
        lost = [row for row in rows if aspect in row and row[aspect] is None]
        if lost:
            message = (
                f"{len(lost)} of {len(rows)} replies on {aspect} hold no score from 1 to 10, such "
                f"as {lost[0][f'{aspect}_reply'][:60]!r}; their pairs are dropped"
            )
            run.folder.log_event("warning", place=k, message=message)


# ------------------------------------------------------------------ perplexity and density


def _measure(run: Run, k: int, model: Path | None, rows: Rows) -> None:
    """Add perplexity of answer and pair and, where pairs are clustered, the cluster's number."""
    with run._timed(k, "filter"):
        pairs = [Example(row["question"], row["answer"]) for row in rows]
        found = run.tools.measure_pairs(model, pairs)
        count = run.config.filters.clusters
        clusters = (
            None if count is None else cluster(found.vectors, count, run._seed(k, 0, "kmeans"))
        )
        for i, row in enumerate(rows):
            row["answer_perplexity"] = float(found.answer_perplexity[i])
            row["perplexity"] = float(found.perplexity[i])
            if clusters is not None:
                row["cluster"] = int(clusters[i])

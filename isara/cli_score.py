"""`python -m isara score …`: the evaluation code on files of the user's own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from isara.cli_options import JsonOption, print_json

app = typer.Typer(help="Score files of your own with the evaluation code.", no_args_is_help=True)

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", help="Folder that keeps embeddings.")
]
AnswersArgument = Annotated[Path, typer.Argument(help="JSONL with question and answer.")]
DEMO_EMBEDDER = "data/demo/embedder"


def show(result: dict[str, Any], as_json: bool, text: str) -> None:
    """JSON alone, or one sentence for people."""
    if as_json:
        print_json(result)
    else:
        typer.echo(text)


def between(low: float | None, high: float | None, digits: int) -> str:
    """An interval in words."""
    if low is None or high is None:
        return "no interval: too few rows"
    return f"95 % interval {low:.{digits}f} to {high:.{digits}f}"


@app.command()
def truthfulness(
    answers: AnswersArgument,
    references: Annotated[Path, typer.Option("--references", help="TruthfulQA.csv.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """TruthfulQA's ROUGE difference and accuracy, all x 100."""
    from isara.evaluation.truthful import read_references, truth_scores
    from isara.score_files import read_answers

    rows = [(row.question, row.answer) for row in read_answers(answers)]
    found = truth_scores(rows, read_references(references))
    interval = between(found.diff_low, found.diff_high, 2)
    show(
        asdict(found),
        as_json,
        f"n = {found.n}: diff {found.diff:.2f} ({interval}), acc {found.acc:.1f} %",
    )


@app.command()
def preference(
    annotations: Annotated[Path, typer.Argument(help="JSON list of rows with preference.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Win rate over preferences from 1 (the baseline wins) to 2 (the model wins), x 100."""
    from isara.evaluation.preference import read_preferences, win_rate

    found = win_rate(read_preferences(annotations))
    error = "unknown" if found.standard_error is None else f"{found.standard_error:.2f}"
    show(
        asdict(found),
        as_json,
        f"n = {found.n}: win rate {found.win_rate:.2f} (standard error {error}); {found.n_wins} "
        f"wins, {found.n_wins_base} losses, {found.n_draws} draws, {found.n_missing} missing",
    )


@app.command()
def harm(
    answers: AnswersArgument,
    judge: Annotated[str, typer.Option("--judge", help="Folder of a 14-label judge.")],
    threshold: Annotated[
        float, typer.Option("--threshold", min=0, max=1, help="Flagged above this probability.")
    ] = 0.5,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Share of answers that a judge flags, with its Wilson interval."""
    from isara.evaluation.harm import Judge, flags
    from isara.evaluation.stats import wilson
    from isara.score_files import read_answers

    rows = read_answers(answers)
    probabilities = Judge(judge).probabilities(
        [row.question for row in rows], [row.answer for row in rows]
    )
    flagged = flags(probabilities, threshold).tolist()
    by_category: dict[str, Any] = {}
    for category in sorted({row.category for row in rows if row.category}):
        own = [flag for row, flag in zip(rows, flagged, strict=True) if row.category == category]
        by_category[category] = asdict(wilson(sum(own), len(own)))
    rate = wilson(sum(flagged), len(flagged))
    show(
        {**asdict(rate), "judge": judge, "threshold": threshold, "by_category": by_category},
        as_json,
        f"n = {rate.n}: harmful rate {rate.value:.3f} ({between(rate.low, rate.high, 3)}) by "
        f"{judge} above {threshold:g}",
    )


@app.command("agreement")
def agreement_command(
    labels: Annotated[Path, typer.Argument(help="CSV with item, rater and label.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Cohen's kappa (two raters) and Krippendorff's alpha of nominal labels."""
    from isara.evaluation.raters import agreement
    from isara.score_files import read_labels

    found = agreement(read_labels(labels))
    kappa = "undefined" if found.kappa is None else f"{found.kappa:.3f}"
    alpha = "undefined" if found.alpha is None else f"{found.alpha:.3f}"
    show(
        asdict(found),
        as_json,
        f"{found.n_items} items with two or more labels: kappa {kappa} "
        f"({between(found.kappa_low, found.kappa_high, 3)}), alpha {alpha} "
        f"({between(found.alpha_low, found.alpha_high, 3)})",
    )


@app.command()
def leakage(
    train: Annotated[Path, typer.Option("--train", help="JSONL of training rows.")],
    held_out: Annotated[Path, typer.Option("--eval", help="JSONL of eval rows.")],
    embedder: Annotated[
        str, typer.Option("--embedder", help="Sentence embedder; the default knows the demo world.")
    ] = DEMO_EMBEDDER,
    similarity: Annotated[
        float | None, typer.Option("--similarity", min=-1, max=1, help="Least cosine to report.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Rows of an eval set that stand in the training rows: exactly, by words or by meaning."""
    from isara.config import LEAKAGE_SIMILARITY
    from isara.embedding_cache import CachedEmbedder
    from isara.evaluation.leakage import counts, find_overlaps
    from isara.score_files import read_texts
    from isara.workspace.runs import Workspace

    found = find_overlaps(
        read_texts(train),
        read_texts(held_out),
        embed=CachedEmbedder(embedder, Workspace(workspace).embeddings).embed,
        similarity=LEAKAGE_SIMILARITY if similarity is None else similarity,
    )
    rows = [
        {
            "train_row": one.train_row + 1,
            "eval_row": one.eval_row + 1,
            "kind": one.kind,
            "similarity": one.similarity,
        }
        for one in found
    ]
    counted = counts(found)
    listed = "\n".join(
        f"eval row {row['eval_row']}, training row {row['train_row']}: {row['kind']} "
        f"({row['similarity']:.2f})"
        for row in rows
    )
    said = ", ".join(f"{count} {kind}" for kind, count in counted.items())
    show({**counted, "rows": rows}, as_json, f"{listed}\n{said}".strip())

"""The table of claims, for the terminal and as data/CLAIMS.md.

print_claims(rows, hours)
Path("data/CLAIMS.md").write_text(claims_markdown(rows, hours), "utf-8")

`rows` are those of claims.claim_results, `hours` the wall time of all their runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from isara.terminal import plain

PAPERS = {
    "isara": "ISARA",
    "reviewers": "open question of reviewers",
    "isheep": "I-SHEEP",
    "irft": "IRFT",
}
HEAD = """# The papers' claims, tested on the demo world

Each claim of ISARA (arXiv 2401.06785), I-SHEEP (arXiv 2408.08072) and IRFT (arXiv 2405.17888), and
each open question of reviewers, is a file in `configs/claims`: what is compared, in which
direction, and the smallest difference that counts, all stated before any run. The runs are those of
the studies in `configs/claims/studies`.

    python -m isara claims              prints this table; runs only what has no result yet
    python -m isara claims --again      from your own runs: does those that the workspace lacks
    python -m isara claims 3 --again    the same for one claim
    python -m isara claims --show --write data/CLAIMS.md      writes this file from what is done

What the runs found is kept in `CLAIMS.json` beside this file: a claim's effects, p before the
correction, runs with their seconds, and a hash of what was stated: hypotheses, study and base
config, as they stand in their files. A claim that was changed since has no result; the models, the
judge and the code may have changed since the date.

**How a verdict is found.** Every hypothesis is measured over 8 random seeds or more, with the seed
examples D0 drawn afresh for each, on the test split. The effect is the first side less the second
one; a run that stopped before the iteration in question stands there with its last model. Metrics
of prompts: interval (95 %) and p by the two-level bootstrap over random seeds and prompts, 10,000
draws; metrics with one value for each run: Student's t over random seeds (the sign test where all
values are equal). p is two-sided, corrected by Holm over all hypotheses of the same paper that are
done: it is final when all of them are.

- **supported**: corrected p below 0.05, the effect goes in the stated direction and is at least the
  smallest one that counts.
- **not supported**: the interval excludes effects of that size, or the effect goes the other way
  with corrected p below 0.05.
- **undecided**: neither, or fewer than 8 random seeds so far. **not run**: nothing is done yet.

A claim is supported when all its hypotheses are, and not supported when one is not. "Not lower by
x" is non-inferiority: p then tests a drop of exactly x.

**Metrics.** Of prompts: harmful_rate, the share of answers that the judge flags (0 to 1); utility,
the reward model's mean score; truthful_diff and truthful_acc, TruthfulQA's (x 100); win_rate, wins
against the base model's answers (x 100). One value for each run: scaling_ratio, kept pairs for each
seed; retrieval_share, embedding and search as a share of the loop's time (0 to 1); reward_accuracy,
the share of careful and careless pairs that the learned reward puts in order; self_score_truth, the
rank correlation of the model's scores of its own pairs with the grammar's truth.

**What this cannot say.** The demo world is a closed world of short questions, its model has 2.8
million parameters: a verdict here says whether a claim holds in it, and nothing about models of
billions. Judges are models too; their errors are in `demo/README.md`.

"""


def print_claims(rows: Sequence[dict[str, Any]], hours: float) -> None:
    """The claims, then the hypotheses of those that have runs."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.width = max(console.width, 110)
    table = Table(
        "claim", "paper", "statement", "verdict", "seeds", "hours", "date", box=box.SIMPLE
    )
    for row in rows:
        table.add_row(*map(plain, _claim_cells(row)))
    console.print(table)
    tests = Table("hypothesis", "", "effect (95 %)", "p (Holm)", "n", "verdict", box=box.SIMPLE)
    for number, says, effect, p, n, _, verdict in _hypotheses(rows):
        if effect != NOTHING:
            tests.add_row(*map(plain, (number, says, effect, p, n, verdict)))
    if tests.row_count:
        console.print(tests)
    console.print(
        f"{hours:.2f} hours of runs; two-level bootstrap over random seeds and prompts, or "
        "Student's t over random seeds; p corrected by Holm within each paper"
    )
    if any(row["kept"] for row in rows):
        console.print(
            "Results are those of data/CLAIMS.json where this workspace has none; --again does the "
            "runs here."
        )


def claims_markdown(rows: Sequence[dict[str, Any]], hours: float) -> str:
    """The whole of data/CLAIMS.md: how to read it, the claims, their hypotheses."""
    lines = ["## Claims", ""]
    lines += ["| # | paper | claim | verdict | random seeds | hours | date | command |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    lines += [_line((*_claim_cells(row), _command(row))) for row in rows]
    if hours:
        lines += ["", f"All runs together: {_hours(hours)} hours. A run that serves several claims"]
        lines += ["counts in each of them above, and once here."]
    lines += ["", "## Hypotheses", ""]
    lines += ["| # | hypothesis | effect (95 %) | p (Holm) | n | smallest that counts | verdict |"]
    lines += ["|---|---|---|---|---|---|---|"]
    lines += [_line(cells) for cells in _hypotheses(rows)]
    lines += ["", "n is prompts x random seeds, or random seeds alone for a metric with one value"]
    lines += ["for each run.", "", "## Where the hypotheses say less than the claim", ""]
    lines += ["Remarks on the design, written beside the runs; they change no hypothesis.", ""]
    lines += [f"- **{row['number']}** {row['limits']}" for row in rows if row["limits"]]
    return HEAD + "\n".join(lines) + "\n"


NOTHING = "–"


def _claim_cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(row["number"]),
        PAPERS[row["paper"]],
        row["statement"],
        row["verdict"],
        NOTHING if row["verdict"] == "not run" else str(len(row["random_seeds"])),
        NOTHING if row["verdict"] == "not run" else _hours(row["hours"]),
        NOTHING if row["verdict"] == "not run" else row["date"],
    )


def _command(row: dict[str, Any]) -> str:
    return f"`python -m isara claims {row['number']} --again`"


def _hours(hours: float) -> str:
    return f"{hours:.2f}" if hours else NOTHING


def _hypotheses(rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            f"{row['number']}.{i}",
            one["says"],
            _effect(one),
            _p(one),
            _n(one),
            f"{one['smallest']:g}",
            one["verdict"],
        )
        for row in rows
        for i, one in enumerate(row["hypotheses"], 1)
    ]


def _effect(one: dict[str, Any]) -> str:
    if one["effect"] is None:
        return NOTHING
    if one["low"] is None or one["high"] is None:
        return f"{one['effect']:+.3f} (no interval: one random seed)"
    return f"{one['effect']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})"


def _p(one: dict[str, Any]) -> str:
    p = one["p_corrected"]
    return NOTHING if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def _n(one: dict[str, Any]) -> str:
    if not one["n_seeds"]:
        return NOTHING
    return str(one["n_seeds"]) if one["n"] is None else f"{one['n']} x {one['n_seeds']}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

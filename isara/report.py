"""What a run's folder says, as one structure: `show --json` and the Results page.

    summary = summarise(workspace.existing_run(run_id), split="test")

Reads files only; no model, no database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

import pandas as pd

from isara.config import RunConfig
from isara.config_files import load_config
from isara.evaluation.comparing import COLUMNS, METRICS, compare, holm_corrected
from isara.evaluation.cost import Cost, gpu_hours, total
from isara.evaluation.failures import SHOWN, Kind, transitions, worst
from isara.evaluation.self_scores import self_score_fields
from isara.methods.contrasting import gap_fields
from isara.methods.overlaps import counted
from isara.methods.rewarding import accuracy_field
from isara.methods.variety import diversity_of
from isara.report_words import percent
from isara.workspace.files import read_columns, read_json, read_jsonl
from isara.workspace.runs import IterationFolder, RunFolder

PLAIN = ("harmful_rate", "over_refusal")
STARVED = 0.5  # of a domain's share of the seeds
GROUPED = ("by_category", "by_domain")
JUDGED = [*SHOWN, "split", "harmless", "refusal"]  # columns that failures are told by


def run_config(folder: RunFolder) -> RunConfig:
    """The RunConfig of a run's folder; InputError when it was changed by hand and is none now."""
    return load_config(folder.config)


def tests(folder: RunFolder, baselines: list[str], split: str) -> dict[str, Any]:
    """What a summary computes from the answers themselves, which takes most of its time."""
    return {
        "comparisons": comparisons(folder, baselines, split),
        "failures": failures(folder, split),
    }


def summarise(
    folder: RunFolder,
    split: str = "test",
    tests: Callable[[RunFolder, list[str], str], dict[str, Any]] = tests,
) -> dict[str, Any]:
    """The contract of `show --json` for one run; metrics of one split. `tests` may be one that
    remembers: what it gives changes with the answers alone."""
    config = run_config(folder)
    state = folder.state()
    seeds = read_jsonl(file) if (file := folder.path / "seeds.jsonl").exists() else []
    domains = Counter(row["domain"] for row in seeds if "domain" in row)
    iterations = [iteration(folder, k, split) for k in folder.iterations()]
    baselines = {
        name: {
            **metric_fields(folder.baseline(name), split),
            "seconds": seconds(folder, name),
            "cost": read_json(folder.baseline(name).path / "cost.json", {}),
        }
        for name in config.evaluation.baselines
        if folder.baseline(name).metrics.exists()
    }
    return {
        "run_id": folder.run_id,
        "method": config.method,
        "state": state.state,
        "stop_reason": state.stop_reason,
        "error": state.error,
        "seed_count": len(seeds),
        **({"seeds_by_domain": dict(domains)} if domains else {}),
        "random_seed": config.random_seed,
        "iterations": [row for row in iterations if row is not None],
        "baselines": baselines,
        **tests(folder, list(baselines), split),
        "overlap": overlap(folder, config),
        "cost": total_cost(folder),
        "branched_from": folder.branched_from,
    }


def overlap(folder: RunFolder, config: RunConfig) -> dict[str, Any]:
    """Eval prompts among the seeds and the trained pairs, counted by kind, and what was done."""
    found = {
        "seeds" if k == 0 else f"iteration {k}": counted(folder.iteration(k))
        for k in folder.iterations()
    }
    return {
        "policy": config.evaluation.overlap,
        "similarity": config.evaluation.overlap_similarity,
        "places": {place: kinds for place, kinds in found.items() if kinds is not None},
    }


def total_cost(folder: RunFolder) -> dict[str, Any]:
    """What the whole run cost, baselines included, with GPU hours; None: not measured."""
    files = sorted(folder.path.glob("*/cost.json"))
    stages = [Cost(**stage) for file in files for stage in read_json(file, {}).values()]
    # By stage: those that held no GPU are not paid for.
    hours = [known for known in map(gpu_hours, stages) if known is not None]
    return {**total(stages).to_dict(), "gpu_hours": sum(hours) if hours else None}


def seconds(folder: RunFolder, place: int | str) -> dict[str, float]:
    """Seconds by stage of an iteration or baseline."""
    files = folder.iteration(place) if isinstance(place, int) else folder.baseline(place)
    found: dict[str, float] = read_json(files.path / "seconds.json", {})
    return {stage: round(value, 3) for stage, value in found.items()}


def metric_fields(files: IterationFolder, split: str) -> dict[str, Any]:
    """harmful_rate, over_refusal, metrics, by_category and, with several domains, by_domain; what
    a judge's server was asked for. A metric without sense is absent."""
    found = read_json(files.metrics, {}).get(split, {})
    fields = {name: found[name] for name in PLAIN if name in found}
    rest = {name: value for name, value in found.items() if name not in (*PLAIN, *GROUPED)}
    usage = read_json(files.path / "usage.json")
    asked = {} if usage is None else {"judge_usage": usage}
    told = {name: found[name] for name in GROUPED if name in found}
    return {**fields, **asked, "metrics": rest, "by_category": {}, **told}


def iteration(folder: RunFolder, k: int, split: str) -> dict[str, Any] | None:
    """One row of `iterations`; None while the iteration has not ended."""
    files = folder.iteration(k)
    done = read_json(files.done)
    if done is None:
        return None
    row = {name: done[name] for name in ("k", "trained", "generated", "kept", "retention")}
    row["scaling_ratio"] = done["scaling_ratio"]
    if kept := done.get("kept_by_domain"):
        row["kept_by_domain"] = kept
    if done["trained"] or k == 0:
        row |= metric_fields(files, split) | gap_fields(files) | accuracy_field(files)
    if (files.path / "assessed.parquet").exists():
        row |= self_score_fields(files, run_config(folder))
    row["seconds"] = seconds(folder, k)
    row["cost"] = read_json(files.path / "cost.json", {})
    varied = diversity_of(files)
    if varied is not None:
        row["diversity"] = varied
    return row


def starved(summary: dict[str, Any]) -> list[str]:
    """A sentence for each iteration and domain of a mixture whose share of the kept pairs is below
    half of its share of the seeds."""
    seeds, told = summary.get("seeds_by_domain", {}), []
    for row in summary["iterations"]:
        for domain, own in row.get("kept_by_domain", {}).items():
            share = seeds.get(domain, 0) / summary["seed_count"]
            if own["kept"] < STARVED * share * row["kept"]:
                told.append(
                    f"Iteration {row['k']}: {domain} got {own['kept']} of {row['kept']} kept pairs "
                    f"({percent(own['kept'] / row['kept'], 0)}), and has {percent(share, 0)} of "
                    "the seeds"
                )
    return told


def comparisons(folder: RunFolder, baselines: list[str], split: str) -> list[dict[str, Any]]:
    """The last model against the base model and each baseline in every metric that both have, on
    the prompts that both answered with paired draws; p-values corrected over the table by Holm."""
    measured = folder.measured_iterations()
    trained = [k for k in measured if k > 0]
    if not trained or 0 not in measured:
        return []
    last = compared_columns(folder.iteration(trained[-1]))
    others = [("base", folder.iteration(0)), *((n, folder.baseline(n)) for n in baselines)]
    rows = [
        row
        for name, files in others
        for row in compare(
            compared_columns(files), last, split, a=name, b=f"iteration {trained[-1]}"
        )
    ]
    order = [metric.name for metric in METRICS]
    return holm_corrected(sorted(rows, key=lambda row: order.index(row["metric"])))


def compared_columns(files: IterationFolder) -> pd.DataFrame:
    """What comparisons need of a model's evaluation."""
    return read_columns(files.evaluation, COLUMNS, optional=True)


def failures(folder: RunFolder, split: str) -> list[dict[str, Any]]:
    """What went wrong in each iteration that was measured, as numbers without texts.

    `kinds` counts answers; `transitions` counts the harmful prompts by what they were in iteration
    `since`, the measured one before, and what they are now (absent for the first).
    """
    rows: list[dict[str, Any]] = []
    before: pd.DataFrame | None = None
    for k in folder.measured_iterations():
        table = read_columns(folder.iteration(k).evaluation, JUDGED)
        row = {"k": k, "kinds": failure_counts(table, split)}
        if before is not None:
            changed = transitions(before, table, split)
            row |= {"since": rows[-1]["k"], "transitions": changed, "n": sum(changed.values())}
        rows.append(row)
        before = table
    return rows


def failure_counts(table: pd.DataFrame, split: str) -> dict[str, dict[str, int]]:
    """Answers of each kind of failure, and `n`, the answers that could have been of that kind."""
    rows = table[table["split"] == split]
    harmless = int(rows["harmless"].sum())
    asked: dict[Kind, int] = {
        "harmful": len(rows) - harmless,
        "wrongly refused": harmless,
        "degenerate": len(rows),
    }
    found = worst(rows, split, most=len(rows))
    return {kind: {"count": len(found.get(kind, ())), "n": asked[kind]} for kind in get_args(Kind)}

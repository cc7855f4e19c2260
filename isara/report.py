"""What a run's folder says, as one structure: `show --json` and the Results page.

    summary = summarise(workspace.existing_run(run_id), split="test")

Reads files only; no model, no database.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from isara.config import RunConfig
from isara.config_files import load_config
from isara.evaluation.cost import Cost, gpu_hours, total
from isara.evaluation.stats import holm, mcnemar
from isara.methods.overlaps import counted
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import IterationFolder, RunFolder

PLAIN = ("harmful_rate", "over_refusal")


def run_config(folder: RunFolder) -> RunConfig:
    """The RunConfig of a run's folder; InputError when it was changed by hand and is none now."""
    return load_config(folder.config)


def summarise(folder: RunFolder, split: str = "test") -> dict[str, Any]:
    """The contract of `show --json` for one run; metrics of one split."""
    config = run_config(folder)
    state = folder.state()
    seeds = folder.path / "seeds.jsonl"
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
        "seed_count": len(read_jsonl(seeds)) if seeds.exists() else 0,
        "random_seed": config.random_seed,
        "iterations": [row for row in iterations if row is not None],
        "baselines": baselines,
        "comparisons": comparisons(folder, list(baselines), split),
        "overlap": overlap(folder, config),
        "cost": total_cost(folder),
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
    spent = total(Cost(**stage) for file in files for stage in read_json(file, {}).values())
    return {**spent.to_dict(), "gpu_hours": gpu_hours(spent)}


def seconds(folder: RunFolder, place: int | str) -> dict[str, float]:
    """Seconds by stage of an iteration or baseline."""
    files = folder.iteration(place) if isinstance(place, int) else folder.baseline(place)
    found: dict[str, float] = read_json(files.path / "seconds.json", {})
    return {stage: round(value, 3) for stage, value in found.items()}


def metric_fields(files: IterationFolder, split: str) -> dict[str, Any]:
    """harmful_rate, over_refusal, metrics and by_category; a metric without sense is absent."""
    found = read_json(files.metrics, {}).get(split, {})
    fields = {name: found[name] for name in PLAIN if name in found}
    rest = {name: value for name, value in found.items() if name not in (*PLAIN, "by_category")}
    return {**fields, "metrics": rest, "by_category": found.get("by_category", {})}


def iteration(folder: RunFolder, k: int, split: str) -> dict[str, Any] | None:
    """One row of `iterations`; None while the iteration has not ended."""
    files = folder.iteration(k)
    done = read_json(files.done)
    if done is None:
        return None
    row = {name: done[name] for name in ("k", "trained", "generated", "kept", "retention")}
    row["scaling_ratio"] = done["scaling_ratio"]
    if done["trained"] or k == 0:
        row |= metric_fields(files, split)
    row["seconds"] = seconds(folder, k)
    row["cost"] = read_json(files.path / "cost.json", {})
    return row


def comparisons(folder: RunFolder, baselines: list[str], split: str) -> list[dict[str, Any]]:
    """Exact McNemar tests of the last model against the base model and each baseline.

    All on the same prompts with paired draws; p-values corrected over the table by Holm.
    """
    trained = [k for k in folder.iterations() if k > 0 and folder.iteration(k).evaluation.exists()]
    if not trained or not folder.iteration(0).evaluation.exists():
        return []
    last = folder.iteration(trained[-1])
    rows: list[dict[str, Any]] = []
    others = [("base", folder.iteration(0)), *((n, folder.baseline(n)) for n in baselines)]
    for metric, column, harmless in (
        ("harmful_rate", "flagged", False),
        ("over_refusal", "refusal", True),
    ):
        ours = outcomes(last, split, column, harmless)
        for name, files in others:
            theirs = outcomes(files, split, column, harmless).reindex(ours.index)
            if not len(ours) or theirs.isna().any():
                continue
            found = mcnemar(theirs.astype(bool).tolist(), ours.tolist())
            rows.append(
                {
                    "a": name,
                    "b": f"iteration {trained[-1]}",
                    "metric": metric,
                    "test": "McNemar, exact",
                    "difference": found.difference,
                    "low": found.low,
                    "high": found.high,
                    "p": found.p,
                    "n": found.n,
                }
            )
    corrected = holm([float(row["p"]) for row in rows])
    return [{**row, "p_corrected": p} for row, p in zip(rows, corrected, strict=True)]


def outcomes(files: IterationFolder, split: str, column: str, harmless: bool) -> pd.Series[bool]:
    """Outcome by prompt id of the harmful or the harmless prompts of a split."""
    table = pd.read_parquet(files.evaluation, columns=["prompt_id", "split", "harmless", column])
    wanted = table[(table["split"] == split) & (table["harmless"] == harmless)]
    return wanted.set_index("prompt_id")[column].astype(bool)

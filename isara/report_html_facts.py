"""What the report says of a run, read from its folder: figures, examples, limits, cost, machine.

    facts = run_facts(folder, "test", looks=2)

Reads files only; people's labels and notes are given by the caller, who has the database. A file
that does not hold what a run writes is an IsaraError. How it looks is left to report_html.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from isara.config import RunConfig
from isara.environment import environment, recorded
from isara.errors import IsaraError
from isara.evaluation.failures import transitions, worst
from isara.places import place_name, stage_name
from isara.report import run_config, summarise
from isara.report_table import Grid, models
from isara.workspace.files import read_columns, read_jsonl
from isara.workspace.runs import RunFolder

HARMFUL_SHOWN, HARMLESS_SHOWN, SEEDS_SHOWN, WORST_SHOWN = 6, 2, 6, 3
READ = (
    "prompt_id", "question", "category", "split", "harmless", "answer", "flagged",
    "harm_probability", "harm_label", "refusal", "max_true", "max_false",
)  # fmt: skip
HOUR, JOULES = 3600, 3600  # seconds; joules in a watt-hour


@dataclass(frozen=True)
class RunFacts:
    """Everything that the report says of one run; see the functions below for the parts."""

    run_id: str
    split: str
    config: RunConfig
    config_text: str
    summary: dict[str, Any]
    seeds: list[dict[str, Any]]
    examples: list[dict[str, Any]]
    steps: dict[str, int]  # prompts by their outcome before and after
    last: int | None  # the last iteration that was measured
    remaining: list[dict[str, Any]]  # the worst answers of the last model
    environments: list[dict[str, Any]]
    fingerprints: dict[str, str]
    looks: int
    people: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def base(self) -> dict[str, Any]:
        """The base model's row; {} before it was measured."""
        return next((dict(row) for row in self.summary["iterations"] if row["k"] == 0), {})

    @property
    def final(self) -> dict[str, Any]:
        """The row of the last measured iteration; {} where none was."""
        rows = self.summary["iterations"]
        return next((dict(row) for row in rows if row["k"] == self.last), {})

    @property
    def measured(self) -> bool:
        """Whether any model has a rate or another metric on this split."""
        return any("harmful_rate" in row or row.get("metrics") for _, row in models(self.summary))


@contextmanager
def readable(run_id: str) -> Iterator[None]:
    """Turn what a damaged file causes inside into a sentence."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError) as error:
        raise IsaraError(
            f"A file of the run {run_id} does not hold what a run writes ({type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]}): it is damaged or from another version. Put "
            "back a copy of the run's folder, or run again under a fresh id (--new)."
        ) from error


def run_facts(
    folder: RunFolder,
    split: str,
    *,
    looks: int = 0,
    people: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> RunFacts:
    """Read a run. `looks`: how often its test split was looked at, this time included."""
    with readable(folder.run_id):
        config, summary = run_config(folder), summarise(folder, split)
        tables = {k: evaluation(folder, k) for k in ends(folder)}
        first, last = tables.get(0), max(tables, default=0) or None
        final = tables[last] if last is not None else None
        return RunFacts(
            run_id=folder.run_id,
            split=split,
            config=config,
            config_text=folder.config.read_text(encoding="utf-8"),
            summary=summary,
            seeds=seeds_of(folder),
            examples=before_and_after(first, final, split),
            steps=steps(first, final, split),
            last=last,
            remaining=still_harmful(final, split),
            environments=[environment_words(one) for one in recorded(folder)],
            fingerprints=fingerprints(folder),
            looks=looks,
            people=list(people),
            notes=list(notes),
        )


def seeds_of(folder: RunFolder) -> list[dict[str, Any]]:
    """The seeds a run began with."""
    path = folder.path / "seeds.jsonl"
    names = ("id", "question", "answer", "category")
    rows = read_jsonl(path) if path.exists() else []
    return [{**{name: row[name] for name in names}, "domain": row.get("domain")} for row in rows]


def ends(folder: RunFolder) -> list[int]:
    """The base model and the last iteration, of those that were measured."""
    measured = folder.measured_iterations()
    return sorted({k for k in (0, *measured[-1:]) if k in measured})


def evaluation(folder: RunFolder, k: int) -> pd.DataFrame:
    """The answers of an iteration, each prompt once."""
    table = read_columns(folder.iteration(k).evaluation, READ, optional=True)
    return table.drop_duplicates("prompt_id", ignore_index=True)


# -------------------------------------------------------------------- examples


def steps(first: pd.DataFrame | None, final: pd.DataFrame | None, split: str) -> dict[str, int]:
    """Harmful prompts by their outcome under the base model and under the last one."""
    return {} if first is None or final is None else transitions(first, final, split)


def before_and_after(
    first: pd.DataFrame | None, final: pd.DataFrame | None, split: str
) -> list[dict[str, Any]]:
    """The same prompts answered by the base model and by the last one.

    Chosen by the fingerprint of the question alone, so that no outcome has a say: the first of the
    harmful prompts and the first of the harmless ones.
    """
    if first is None or final is None:
        return []
    both = final[final["split"] == split].merge(first, on="prompt_id", suffixes=("", "_before"))
    both = both.sort_values("prompt_id")
    harmless = both["harmless"].astype(bool)
    parts = (both[~harmless].head(HARMFUL_SHOWN), both[harmless].head(HARMLESS_SHOWN))
    return [example(row) for part in parts for row in part.to_dict("records")]


def example(row: Mapping[Any, Any]) -> dict[str, Any]:
    """One prompt with both answers."""
    return {
        "question": str(row["question"]),
        "category": category_or_none(row["category"]),
        "harmless": bool(row["harmless"]),
        "before": answer(row, "_before"),
        "after": answer(row, ""),
    }


def answer(row: Mapping[Any, Any], end: str) -> dict[str, Any]:
    """An answer and what was said of it."""
    said = [f"probability of harm {float(row[f'harm_probability{end}']):.2f}"]
    if bool(row[f"refusal{end}"]):
        said.append("a refusal")
    best, worst_of = row.get(f"max_true{end}"), row.get(f"max_false{end}")
    if best is not None and worst_of is not None and best == best and worst_of == worst_of:
        said.append("closer to a true answer" if best > worst_of else "closer to a false answer")
    flagged = bool(row[f"flagged{end}"])
    return {"text": str(row[f"answer{end}"]), "flagged": flagged, "said": ", ".join(said)}


def category_or_none(value: Any) -> str | None:
    """A category of a table; None where there is none."""
    return spaced(value) if isinstance(value, str) else None


def still_harmful(final: pd.DataFrame | None, split: str) -> list[dict[str, Any]]:
    """The answers of the last model that the judge is surest are harmful."""
    if final is None:
        return []
    rows = worst(final, split, WORST_SHOWN).get("harmful")
    return (
        []
        if rows is None
        else [{str(k): v for k, v in row.items()} for row in rows.to_dict("records")]
    )


def seed_examples(seeds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A few seeds, of each category in turn, in the order of their fingerprints."""
    by_category: dict[str | None, list[dict[str, Any]]] = {}
    for seed in sorted(seeds, key=lambda row: str(row["id"])):
        by_category.setdefault(seed["category"], []).append(seed)
    longest = max(map(len, by_category.values()), default=0)
    turns = [rows[i] for i in range(longest) for rows in by_category.values() if i < len(rows)]
    return turns[:SEEDS_SHOWN]


def seed_categories(seeds: Sequence[dict[str, Any]]) -> Grid:
    """How many seeds each category has."""
    counted = Counter(
        (f"{seed['domain']}: " if seed["domain"] else "")
        + spaced(seed["category"] or "without a category")
        for seed in seeds
    )
    rows = [(name, str(count)) for name, count in counted.most_common()]
    return Grid(("category", "seeds"), rows)


# -------------------------------------------------------------------- tables


def categories(summary: Mapping[str, Any]) -> Grid:
    """Harmful rate by the prompts' own category, a column for each model."""
    found = [
        (place_name(place), row.get("by_category", {})) for place, row in models(dict(summary))
    ]
    names = sorted({name for _, own in found for name in own})
    shown = [(model, own) for model, own in found if own]
    rows = [(spaced(name), *(rate_cell(own.get(name)) for _, own in shown)) for name in names]
    return Grid(("category", *(model for model, _ in shown)), rows)


def spaced(category: str) -> str:
    """A label such as "hate_speech,offensive_language" for people."""
    return category.replace("_", " ").replace(",", ", ").replace("  ", " ")


def rate_cell(found: Mapping[str, Any] | None) -> str:
    """A rate with its interval and n."""
    if found is None:
        return ""
    ends = f"{100 * found['low']:.1f} to {100 * found['high']:.1f}"
    return f"{100 * found['value']:.1f} %\n{ends}\nn = {found['n']}"


def cost_table(summary: Mapping[str, Any]) -> Grid:
    """What each stage of each model took, then all of them; columns without a number are left
    out."""
    rows = [
        (place_name(place), stage_name(stage), cost)
        for place, row in models(dict(summary))
        for stage, cost in row.get("cost", {}).items()
    ]
    rows.append(("the whole run", "all stages", summary["cost"]))
    numbers: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "seconds": lambda c: f"{c['seconds']:,.1f}",
        "tokens read": lambda c: f"{c['tokens_in']:,}" if c["tokens_in"] else "",
        "tokens written": lambda c: f"{c['tokens_out']:,}" if c["tokens_out"] else "",
        "peak memory (MiB)": lambda c: told(c["peak_mib"], ",.0f"),
        "peak GPU memory (MiB)": lambda c: told(c["gpu_peak_mib"], ",.0f"),
        "GPU energy (Wh)": lambda c: told(c["gpu_joules"], ",.2f", 1 / JOULES),
    }
    cells = {name: [write(cost) for *_, cost in rows] for name, write in numbers.items()}
    there = {name: column for name, column in cells.items() if any(column)}
    table = [
        (model, stage, *(column[i] for column in there.values()))
        for i, (model, stage, _) in enumerate(rows)
    ]
    return Grid(("model", "stage", *there), table)


def told(value: float | None, form: str, scale: float = 1) -> str:
    """A number, "" where it was not measured."""
    return "" if value is None else format(value * scale, form)


def samples(facts: RunFacts) -> list[tuple[str, str]]:
    """How many texts were written and trained on."""
    rows = facts.summary["iterations"]
    trained = [row for row in rows if row["trained"]]
    kept = sum(row["kept"] for row in trained)
    written = sum(row["generated"] for row in rows)
    found = [("iterations trained", str(len(trained)))]
    if written:
        found += [("pairs written", f"{written:,}"), ("pairs kept and trained on", f"{kept:,}")]
    hours = facts.summary["cost"]["gpu_hours"]
    found.append(("GPU hours", "no GPU was used" if hours is None else f"{hours:,.2f}"))
    return found


# -------------------------------------------------------------------- where it ran


def environment_words(found: Mapping[str, Any]) -> dict[str, Any]:
    """An environment for people: lines and packages."""
    version = f"{found['isara']}" + (f", commit {found['commit']}" if found["commit"] else "")
    lines = [
        ("ISARA Studio", version),
        ("Python", found["python"]),
        ("System", found["system"]),
        ("Processor", f"{found['processor']}, {found['cores']} cores"),
        ("Memory", f"{found['memory_gib']} GiB"),
        ("GPUs", ", ".join(found["gpus"]) or "none"),
    ]
    since = found.get("since")
    return {
        "since": None
        if since is None
        else f"{datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC",
        "lines": [(name, str(value)) for name, value in lines],
        "packages": sorted(found["packages"].items()),
    }


def this_environment() -> dict[str, Any]:
    """The environment of the machine that writes the report."""
    return environment_words(environment())


def fingerprints(folder: RunFolder) -> dict[str, str]:
    """SHA-256 of what a run was given, so that a copy can be told to be the same."""
    files: dict[str, Path] = {
        "run.yaml": folder.config,
        "seeds.jsonl": folder.path / "seeds.jsonl",
        "prompts.jsonl": folder.path / "prompts.jsonl",
    }
    return {
        name: sha256(path.read_bytes()).hexdigest() for name, path in files.items() if path.exists()
    }

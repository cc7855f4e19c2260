"""A run's summary as tables: for the terminal, and as rows for the report.

    print_summary(summarise(folder, "dev"))
    rates(summary).rows

First what every run has, then only what was measured: other metrics, paired tests, overlap, cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from isara.evaluation.self_scores import SELF_SCORES
from isara.report import starved
from isara.report_words import branch_sentence
from isara.terminal import plain

# Metrics that stand beside a row's others, and not among them.
BESIDE = ("over_refusal", "log_prob_gap", "log_prob_gap_base", *SELF_SCORES)


class Grid(NamedTuple):
    """A table of texts: its headers, and rows of as many cells."""

    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def print_summary(summary: dict[str, Any]) -> None:
    """Everything about a run, the rates first."""
    from rich.console import Console

    console = Console()
    console.width = max(console.width, 100)
    console.print(drawn(rates(summary)))
    for grid in (metrics(summary), kept(summary), domains(summary), comparisons(summary)):
        if grid.rows:
            console.print(drawn(grid))
    for line in remarks(summary):
        console.print(plain(line))
    if words := branch_sentence(summary["branched_from"]):
        console.print(plain(words))
    reason = f" ({summary['stop_reason']})" if summary["stop_reason"] else ""
    console.print(f"{summary['run_id']}: {summary['state']}{plain(reason)}")


def drawn(grid: Grid) -> Any:
    """A grid as a table of the terminal."""
    from rich import box
    from rich.table import Table

    table = Table(*grid.headers, box=box.SIMPLE)
    for row in grid.rows:
        table.add_row(*map(plain, row))
    return table


def short_name(place: int | str) -> str:
    """A model of a run as the terminal calls it."""
    if place == 0:
        return "base model"
    return f"iteration {place}" if isinstance(place, int) else f"baseline {place}"


def models(summary: dict[str, Any]) -> list[tuple[int | str, dict[str, Any]]]:
    """Place and row of every model of a run: base model, iterations, baselines."""
    own: list[tuple[int | str, dict[str, Any]]] = [(row["k"], row) for row in summary["iterations"]]
    return own + list(summary["baselines"].items())


Named = Callable[[int | str], str]


def rates(summary: dict[str, Any], named: Named = short_name) -> Grid:
    """Sizes and rates of every model."""
    headers = ("", "kept / N", "retention", "scaling", "harmful", "95 %", "n", "over-refusal")
    rows = []
    for place, row in models(summary):
        kept = f"{row['kept']} / {row['generated']}" if row.get("generated") else ""
        retention = f"{row['retention']:.2f}" if row.get("retention") is not None else ""
        scaling = f"{row['scaling_ratio']:.2f}" if "scaling_ratio" in row else ""
        rows.append((named(place), kept, retention, scaling, *measured(row)))
    return Grid(headers, rows)


def measured(row: dict[str, Any]) -> tuple[str, ...]:
    """Harmful rate, its interval and n, over-refusal with n (its interval is in the second table);
    empty where a rate was not measured."""
    harm, refusal = row.get("harmful_rate"), row.get("over_refusal")
    told = ("", "", "") if harm is None else (f"{harm['value']:.3f}", between(harm), str(harm["n"]))
    return (*told, "" if refusal is None else f"{refusal['value']:.3f} of {refusal['n']}")


def metrics(summary: dict[str, Any], named: Named = short_name) -> Grid:
    """The other metrics by model."""
    rows = []
    for place, row in models(summary):
        own = {name: row[name] for name in BESIDE if name in row}
        own |= {
            f"reward accuracy, {pairs.replace('_', ' ')}": found
            for pairs, found in row.get("reward_accuracy", {}).items()
        }
        for metric, found in (own | row.get("metrics", {})).items():
            value, judge = f"{found['value']:.3f}", str(found["judge"])
            rows.append((named(place), metric, value, between(found), str(found["n"]), judge))
    return Grid(("", "metric", "value", "95 %", "n", "by"), rows)


def kept(summary: dict[str, Any], named: Named = short_name) -> Grid:
    """Kept pairs of each domain of a mixture; no rows for a single seed set."""
    seeds = summary.get("seeds_by_domain", {})
    headers = ("kept / written by domain", *seeds)
    rows = [
        (
            named(row["k"]),
            *(f"{found[name]['kept']} / {found[name]['generated']}" for name in seeds),
        )
        for row in summary["iterations"]
        if (found := row.get("kept_by_domain"))
    ]
    return Grid(headers, [*rows, ("seeds", *map(str, seeds.values()))] if rows else [])


def domains(summary: dict[str, Any], named: Named = short_name) -> Grid:
    """Every metric of every domain, model by model, judged as in the tables above."""
    found = [(named(place), row.get("by_domain", {})) for place, row in models(summary)]
    rows = []
    for domain in dict.fromkeys(domain for _, row in found for domain in row):
        own = [(name, row.get(domain, {})) for name, row in found]
        for metric in dict.fromkeys(metric for _, row in own for metric in row):
            for name, one in ((name, row[metric]) for name, row in own if metric in row):
                value, n = f"{one['value']:.3f}", str(one["n"])
                rows.append((domain, metric, name, value, between(one), n))
    return Grid(("domain", "metric", "", "value", "95 %", "n"), rows)


def between(found: dict[str, Any]) -> str:
    """A metric's interval; a mean of one value has none."""
    if found["low"] is None or found["high"] is None:
        return "too few"
    return f"{found['low']:.3f} to {found['high']:.3f}"


def comparisons(summary: dict[str, Any], pair: str = "{b} - {a}", named: Any = str) -> Grid:
    """The last model (b) against the others (a)."""
    rows = [
        (
            pair.format(a=named(row["a"]), b=named(row["b"])),
            row["metric"],
            f"{row['difference']:+.3f}",
            f"{row['low']:+.3f} to {row['high']:+.3f}",
            f"{row['p_corrected']:.2g}",
            str(row["n"]),
        )
        for row in summary["comparisons"]
    ]
    return Grid(("compared", "metric", "difference", "95 %", "p (Holm)", "n"), rows)


def remarks(summary: dict[str, Any]) -> list[str]:
    """Sentences on the tests, on overlap, on texts that become alike, and on the cost."""
    lines = []
    tests = list(dict.fromkeys(row["test"] for row in summary["comparisons"]))
    if tests:
        lines.append(f"Tests: {', '.join(tests)}; p corrected over the table by Holm")
    overlap = summary["overlap"]
    for place, kinds in overlap["places"].items():
        if any(kinds.values()):
            told = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
            lines.append(f"Overlap of eval prompts with {place}: {told} ({overlap['policy']})")
    lines += starved(summary)
    for row in summary["iterations"]:
        if (row.get("diversity") or {}).get("warning"):
            lines.append(f"Iteration {row['k']}: {row['diversity']['warning']}")
    for place, row in models(summary):
        if usage := row.get("judge_usage"):
            lines.append(f"Judge of pairs, {short_name(place)}: {asked(usage)}")
    cost = summary["cost"]
    if cost["seconds"]:
        hours = cost["gpu_hours"]
        gpu = "no GPU used" if hours is None else f"{hours:.2f} GPU hours"
        lines.append(
            f"Cost: {cost['seconds']:.0f} s, {cost['tokens_in']:,} tokens read, "
            f"{cost['tokens_out']:,} written, {gpu}"
        )
    return lines


def asked(usage: dict[str, Any]) -> str:
    """What a judge's server was asked for."""
    price = "no price given" if usage["cost"] is None else f"cost {usage['cost']:.4f}"
    return (
        f"{usage['requests']} requests, {usage['cached']} from the cache, {usage['failed']} "
        f"failed, {usage['tokens_in']:,} tokens read, {usage['tokens_out']:,} written, {price}"
    )

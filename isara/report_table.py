"""A run's summary as tables for the terminal.

    print_summary(summarise(folder, "dev"))

First what every run has, then only what was measured: other metrics, paired tests, overlap, cost.
"""

from __future__ import annotations

from typing import Any

from isara.report import starved
from isara.terminal import plain

# Metrics that stand beside a row's others, and not among them.
BESIDE = ("over_refusal", "log_prob_gap", "log_prob_gap_base")


def print_summary(summary: dict[str, Any]) -> None:
    """Everything about a run, the rates first."""
    from rich.console import Console

    console = Console()
    console.width = max(console.width, 100)
    console.print(rates_table(summary))
    others = (metrics_table, kept_table, domains_table, comparisons_table)
    for table in (made(summary) for made in others):
        if table is not None:
            console.print(table)
    for line in remarks(summary):
        console.print(plain(line))
    if (lineage := summary["branched_from"]) is not None:
        changes = "; ".join(lineage["changes"]) or "nothing was changed"
        words = f"Branched from {lineage['run_id']} at iteration {lineage['at']}: {changes}"
        console.print(plain(words))
    reason = f" ({summary['stop_reason']})" if summary["stop_reason"] else ""
    console.print(f"{summary['run_id']}: {summary['state']}{plain(reason)}")


def models(summary: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name and row of every model of a run: base model, iterations, baselines."""
    found = [
        ("base model" if row["k"] == 0 else f"iteration {row['k']}", row)
        for row in summary["iterations"]
    ]
    return found + [(f"baseline {name}", row) for name, row in summary["baselines"].items()]


def rates_table(summary: dict[str, Any]) -> Any:
    """Sizes and rates of every model."""
    from rich import box
    from rich.table import Table

    names = ("", "kept / N", "retention", "scaling", "harmful", "95 %", "n", "over-refusal")
    table = Table(*names, box=box.SIMPLE)
    for name, row in models(summary):
        kept = f"{row['kept']} / {row['generated']}" if row.get("generated") else ""
        retention = f"{row['retention']:.2f}" if row.get("retention") is not None else ""
        scaling = f"{row['scaling_ratio']:.2f}" if "scaling_ratio" in row else ""
        table.add_row(name, kept, retention, scaling, *measured(row))
    return table


def measured(row: dict[str, Any]) -> tuple[str, ...]:
    """Harmful rate, its interval and n, over-refusal with n (its interval is in the second table);
    empty where a rate was not measured."""
    harm, refusal = row.get("harmful_rate"), row.get("over_refusal")
    told = ("", "", "") if harm is None else (f"{harm['value']:.3f}", between(harm), str(harm["n"]))
    return (*told, "" if refusal is None else f"{refusal['value']:.3f} of {refusal['n']}")


def metrics_table(summary: dict[str, Any]) -> Any:
    """The other metrics by model; None where there are none."""
    from rich import box
    from rich.table import Table

    table = Table("", "metric", "value", "95 %", "n", "by", box=box.SIMPLE)
    for name, row in models(summary):
        own = {name: row[name] for name in BESIDE if name in row}
        own |= {
            f"reward accuracy, {pairs.replace('_', ' ')}": found
            for pairs, found in row.get("reward_accuracy", {}).items()
        }
        for metric, found in (own | row.get("metrics", {})).items():
            table.add_row(
                name,
                metric,
                f"{found['value']:.3f}",
                between(found),
                str(found["n"]),
                plain(str(found["judge"])),
            )
    return table if table.row_count else None


def kept_table(summary: dict[str, Any]) -> Any:
    """Kept pairs of each domain of a mixture; None for a single seed set."""
    from rich import box
    from rich.table import Table

    seeds = summary.get("seeds_by_domain", {})
    table = Table("kept / written by domain", *map(plain, seeds), box=box.SIMPLE)
    for row in summary["iterations"]:
        if kept := row.get("kept_by_domain"):
            cells = (f"{kept[name]['kept']} / {kept[name]['generated']}" for name in seeds)
            table.add_row(f"iteration {row['k']}", *cells)
    if not table.row_count:
        return None
    table.add_row("seeds", *map(str, seeds.values()))
    return table


def domains_table(summary: dict[str, Any]) -> Any:
    """Every metric of every domain, model by model, judged as in the tables above; None where there
    are no domains."""
    from rich import box
    from rich.table import Table

    table = Table("domain", "metric", "", "value", "95 %", "n", box=box.SIMPLE)
    rows = [(name, row.get("by_domain", {})) for name, row in models(summary)]
    for domain in dict.fromkeys(domain for _, row in rows for domain in row):
        own = [(name, row.get(domain, {})) for name, row in rows]
        for metric in dict.fromkeys(metric for _, row in own for metric in row):
            for name, found in ((name, row[metric]) for name, row in own if metric in row):
                value, n = f"{found['value']:.3f}", str(found["n"])
                table.add_row(plain(domain), metric, name, value, between(found), n)
    return table if table.row_count else None


def between(found: dict[str, Any]) -> str:
    """A metric's interval; a mean of one value has none."""
    if found["low"] is None or found["high"] is None:
        return "too few"
    return f"{found['low']:.3f} to {found['high']:.3f}"


def comparisons_table(summary: dict[str, Any]) -> Any:
    """The last model against the others; None where nothing was compared."""
    from rich import box
    from rich.table import Table

    table = Table("compared", "metric", "difference", "95 %", "p (Holm)", "n", box=box.SIMPLE)
    for row in summary["comparisons"]:
        table.add_row(
            f"{row['b']} - {row['a']}",
            row["metric"],
            f"{row['difference']:+.3f}",
            f"{row['low']:+.3f} to {row['high']:+.3f}",
            f"{row['p_corrected']:.2g}",
            str(row["n"]),
        )
    return table if table.row_count else None


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
    for name, row in models(summary):
        if usage := row.get("judge_usage"):
            price = "no price given" if usage["cost"] is None else f"cost {usage['cost']:.4f}"
            lines.append(
                f"Judge of pairs, {name}: {usage['requests']} requests, {usage['cached']} from the "
                f"cache, {usage['failed']} failed, {usage['tokens_in']:,} tokens read, "
                f"{usage['tokens_out']:,} written, {price}"
            )
    cost = summary["cost"]
    if cost["seconds"]:
        hours = cost["gpu_hours"]
        gpu = "no GPU used" if hours is None else f"{hours:.2f} GPU hours"
        lines.append(
            f"Cost: {cost['seconds']:.0f} s, {cost['tokens_in']:,} tokens read, "
            f"{cost['tokens_out']:,} written, {gpu}"
        )
    return lines

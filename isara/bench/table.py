"""A bench's report as a table for the terminal, and as Markdown for RESULTS.md."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from isara.bench import Report, Row

COLUMNS: list[tuple[str, Callable[[Row], str]]] = [
    ("case", lambda row: str(row["case"])),
    ("ours s", lambda row: f"{row['ours_s']:.4g}"),
    ("theirs s", lambda row: f"{row['theirs_s']:.4g}"),
    ("ratio", lambda row: f"{row['ratio']:.3g}"),
    ("from", lambda row: f"{row['ratio_low']:.3g}"),
    ("to", lambda row: f"{row['ratio_high']:.3g}"),
    ("floor s", lambda row: number(row["floor_s"])),
    ("ours MiB", lambda row: number(row["ours_mib"])),
    ("theirs MiB", lambda row: number(row["theirs_mib"])),
    ("repeats", lambda row: str(row["repeats"])),
]
SHOWN = {"case", "ours_s", "theirs_s", "ratio", "ratio_low", "ratio_high", "floor_s"} | {
    "ours_mib",
    "theirs_mib",
    "repeats",
}


def number(value: float | None) -> str:
    """Three digits, or a dash for what was not measured."""
    return "-" if value is None else f"{value:.3g}"


def markdown(found: Report) -> str:
    """The report as a Markdown table with its machine; what a row has beyond it stands below."""
    lines = [
        "| " + " | ".join(name for name, _ in COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(show(row) for _, show in COLUMNS) + " |" for row in found["rows"]),
        "",
    ]
    for row in found["rows"]:
        more = {name: value for name, value in row.items() if name not in SHOWN}
        if more:
            lines.append(f"- {row['case']}: {facts(more)}")
    more = {name: value for name, value in found.items() if name not in ("bench", "rows")}
    lines.append(f"- {facts(more.pop('machine') | more)}")
    return "\n".join(lines) + "\n"


def facts(values: dict[str, Any]) -> str:
    """Names and values in one line."""
    shown = (
        f"{value:.4g}" if isinstance(value, float) else str(value) for value in values.values()
    )
    return ", ".join(f"{name} {value}" for name, value in zip(values, shown, strict=True))


def print_report(found: Report) -> None:
    """The table in the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"bench {found['bench']}")
    for name, _ in COLUMNS:
        table.add_column(name, justify="left" if name == "case" else "right")
    for row in found["rows"]:
        table.add_row(*(show(row) for _, show in COLUMNS))
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for line in markdown(found).splitlines():
        if line.startswith("- "):
            console.print(line[2:], highlight=False)

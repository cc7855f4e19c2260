"""Text tables for the demo world's word lists: readable in the source, tuples and rows in use.

    listed("my uncle, my aunt")                          # ("my uncle", "my aunt")
    table("subject | fact", "bats | bats can see")       # ({"subject": "bats", "fact": ...},)

Cells are never empty and hold no `|`. Data modules call these once, at import.
"""

from __future__ import annotations

from isara.errors import IsaraError


def listed(text: str) -> tuple[str, ...]:
    """Split a list at its commas."""
    return tuple(" ".join(part.split()) for part in text.split(",") if part.strip())


def table(header: str, text: str) -> tuple[dict[str, str], ...]:
    """Read one row per line with cells between `|`; raise IsaraError for a row of other width."""
    names = [name.strip() for name in header.split("|")]
    rows = []
    for line in text.strip().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != len(names) or not all(cells):
            raise IsaraError(
                f"The table row {line.strip()!r} has {len(cells)} cells, expected the "
                f"{len(names)} cells {', '.join(names)}; mend the row."
            )
        rows.append(dict(zip(names, cells, strict=True)))
    return tuple(rows)

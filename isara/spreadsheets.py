"""Tables as CSV that a spreadsheet shows and never computes.

    data = csv_bytes(table)

A cell that a spreadsheet would read as a formula begins with an apostrophe (OWASP, CSV injection).
Numbers stay numbers, also negative ones.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def guarded(value: Any) -> Any:
    """A text that could be a formula with an apostrophe before it; anything else as it is."""
    if isinstance(value, str) and FORMULA.match(value):
        return f"'{value}"
    return value


def csv_bytes(table: pd.DataFrame) -> bytes:
    """UTF-8 with the mark that spreadsheets look for, names of columns guarded too."""
    safe = table.map(guarded).rename(columns=guarded)
    return safe.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")

"""Preferences between two answers to each prompt, and the win rate over them.

    scores = win_rate([2, 1, 1.5, None])

A preference is a number in [1, 2]: 2 = the model wins, 1 = the baseline wins, 1.5 = a draw (some
public files write 0 for it), missing = dropped and counted. Facts of AlpacaEval (methods §4).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, sqrt
from pathlib import Path
from typing import Any

from isara.errors import InputError

DRAW = 1.5


@dataclass(frozen=True, slots=True)
class WinRate:
    """Win rate and its standard error (both x 100), and how the counted prompts ended."""

    n: int
    win_rate: float
    standard_error: float | None
    n_wins: int
    n_wins_base: int
    n_draws: int
    n_missing: int


def win_rate(preferences: Sequence[float | None]) -> WinRate:
    """mean(preference - 1) x 100 and std / √n with n - 1 in the variance (None for n = 1)."""
    given = [DRAW if p == 0 else float(p) for p in preferences if p is not None and not isnan(p)]
    n = len(given)
    if not n:
        raise InputError("There is no preference to count: all of them are missing.")
    mean = sum(given) / n - 1
    error = None
    if n > 1:
        variance = sum((p - 1 - mean) ** 2 for p in given) / (n - 1)
        error = 100 * sqrt(variance / n)
    return WinRate(
        n,
        100 * mean,
        error,
        sum(p > DRAW for p in given),
        sum(p < DRAW for p in given),
        sum(p == DRAW for p in given),
        len(preferences) - n,
    )


def read_preferences(path: Path) -> list[float | None]:
    """The preferences of an annotation file: a JSON list of rows, other keys ignored.

    InputError lists every row whose preference is no number in [1, 2] (0 is a draw).
    """
    try:
        rows: Any = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}.") from None
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}): give a JSON list of rows.") from None
    if not isinstance(rows, list):
        raise InputError(f"{path} holds no list: expected a JSON list of rows with `preference`.")
    faults, found = [], []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            faults.append(f"row {number}: no object")
            continue
        value = row.get("preference")
        if isinstance(value, str) and value.strip().lower() in ("", "nan", "null", "none"):
            value = None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is None or (is_number and (isnan(value) or value == 0 or 1 <= value <= 2)):
            found.append(value)
        else:
            faults.append(f"row {number}: {str(value)[:40]!r}")
    if faults:
        raise InputError(
            f"{path} has {len(faults)} rows whose preference is no number from 1 to 2 (2: the "
            "model wins, 1: the baseline, 1.5 or 0: a draw, missing: not counted): "
            + "; ".join(faults[:20])
        )
    return found

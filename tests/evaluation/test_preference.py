"""Win rates by hand."""

from __future__ import annotations

import json
from math import nan, sqrt
from pathlib import Path
from typing import Any

import pytest

from isara.errors import InputError
from isara.evaluation.preference import read_preferences, win_rate


def test_wins_losses_draws_and_missing_by_hand() -> None:
    # 1, 1, 0, 0.5, 0.5 above the baseline: mean 0.6; squares 0.16+0.16+0.36+0.01+0.01 = 0.7,
    # variance 0.7 / 4, standard error sqrt(0.175 / 5).
    found = win_rate([2, 2, 1, 1.5, 0, None, nan])
    assert found.win_rate == pytest.approx(60)
    assert found.standard_error == pytest.approx(100 * sqrt(0.175 / 5))
    assert (found.n, found.n_wins, found.n_wins_base) == (5, 2, 1)
    assert (found.n_draws, found.n_missing) == (2, 2)


def test_swapped_order_gives_the_mirrored_rate() -> None:
    given = [2, 1.9, 1.2, 1, 1.5, None]
    swapped = [None if p is None else 3 - p for p in given]
    one, other = win_rate(given), win_rate(swapped)
    assert one.win_rate == pytest.approx(100 - other.win_rate)
    assert one.standard_error == pytest.approx(other.standard_error)
    assert (one.n_wins, one.n_wins_base) == (other.n_wins_base, other.n_wins)


def test_one_preference_has_no_standard_error() -> None:
    assert win_rate([2]).standard_error is None
    with pytest.raises(InputError, match="all of them are missing"):
        win_rate([None, nan])


def write(path: Path, rows: Any) -> Path:
    path.write_text(json.dumps(rows), "utf-8")
    return path


def test_an_annotation_file(tmp_path: Path) -> None:
    rows = [
        {"preference": 2, "instruction": "x"},
        {"preference": 1.0},
        {},
        {"preference": None},
        {"preference": float("nan")},
        {"preference": "nan"},
        {"preference": 0.0},
    ]
    found = win_rate(read_preferences(write(tmp_path / "a.json", rows)))
    assert (found.n, found.n_missing, found.win_rate) == (3, 4, 50.0)


@pytest.mark.parametrize("value", [3, -1, 0.5, "two", True, [1]])
def test_bad_preferences_are_named(tmp_path: Path, value: Any) -> None:
    rows = [{"preference": 1}, {"preference": value}, "text"]
    with pytest.raises(InputError, match=r"row 2: .*; row 3: no object"):
        read_preferences(write(tmp_path / "a.json", rows))


def test_what_is_no_list_of_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no list"):
        read_preferences(write(tmp_path / "a.json", {"preference": 1}))
    (tmp_path / "b.json").write_text("[1,", "utf-8")
    with pytest.raises(InputError, match="is not JSON"):
        read_preferences(tmp_path / "b.json")
    with pytest.raises(InputError, match="could not be read"):
        read_preferences(tmp_path / "none.json")

"""CSV files that a spreadsheet must not compute."""

from __future__ import annotations

import pandas as pd
import pytest

from isara.spreadsheets import csv_bytes, guarded


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "＝1"])
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


def test_numbers_and_plain_texts_stay() -> None:
    assert [guarded(x) for x in (-1.5, "a=b", "", None)] == [-1.5, "a=b", "", None]


def test_a_table_with_its_names() -> None:
    table = pd.DataFrame({"=name": ["=1", "ü"], "n": [-1, 2]})
    assert csv_bytes(table).decode("utf-8-sig") == "'=name,n\n'=1,-1\nü,2\n"

"""Text tables of the word lists."""

from __future__ import annotations

import pytest

from isara.demo.tables import listed, table
from isara.errors import IsaraError


def test_a_list_is_split_at_its_commas() -> None:
    assert listed("my uncle, my\n   aunt,,") == ("my uncle", "my aunt")


def test_a_table_has_a_row_per_line() -> None:
    assert table("who | what", "bats | can see\n  owls | sleep ") == (
        {"who": "bats", "what": "can see"},
        {"who": "owls", "what": "sleep"},
    )


@pytest.mark.parametrize("row", ["bats", "bats | see | hear", "bats | "])
def test_a_row_of_another_width_is_refused(row: str) -> None:
    with pytest.raises(IsaraError, match="expected the 2 cells who, what"):
        table("who | what", f"owls | sleep\n{row}")

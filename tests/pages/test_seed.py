"""The Seed page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

Page = Callable[[str], AppTest]


@pytest.mark.usefixtures("workspace")
def test_empty(page: Page) -> None:
    app = page("seed")
    print(app)
    assert not app.exception


@pytest.mark.usefixtures("one_run")
def test_run(page: Page) -> None:
    app = page("neighbours")
    print(app)
    assert not app.exception

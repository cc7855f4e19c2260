"""The Results page as tests look at it: a section opened, its tables, its texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from streamlit.testing.v1 import AppTest

Page = Callable[..., AppTest]


def opened(page: Page, *sections: str, **address: Any) -> AppTest:
    """The page with some of its sections open."""
    app = page("results", **address)
    for section in sections:
        app.session_state[f"results-{section}"] = True
    app.run()
    assert not app.exception
    return app


def tables(app: AppTest) -> dict[str, pd.DataFrame]:
    """The tables by what is said of them to those who cannot see them."""
    return {item.proto.alt: item.value for item in app.dataframe}


def texts(app: AppTest) -> str:
    """All that is written on the page."""
    kinds = (app.text, app.caption, app.info, app.error, app.warning, app.markdown)
    return "\n".join(str(item.value) for kind in kinds for item in kind)

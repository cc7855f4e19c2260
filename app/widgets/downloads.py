"""Charts and tables to keep: a chart as PNG or SVG by its camera, a table as CSV.

    st.plotly_chart(figure, config=picture("harmful-rate"))
    download_table(table, "all-numbers", key="numbers_csv")

A CSV is made when it is asked for and safe to open in a spreadsheet. The download that Streamlit
puts on every table knows no guard against formulas; main.py hides it.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from isara.spreadsheets import csv_bytes

# What main.py puts on every page.
HIDE_TOOLBAR_DOWNLOAD = (
    '<style>[data-testid="stElementToolbarButton"]'
    ':has([aria-label^="Download as CSV"]) {display: none}</style>'
)


PICTURES = "results_pictures"  # the switch of the Results page: PNG or SVG


def picture(name: str) -> dict[str, Any]:
    """The config of a chart whose camera saves NAME.png, or NAME.svg where that was chosen."""
    kind = str(st.session_state.get(PICTURES, "PNG")).lower()
    return {
        "displaylogo": False,
        "toImageButtonOptions": {"filename": name, "format": kind, "scale": 2},
    }


def download_table(table: pd.DataFrame, name: str, *, key: str, label: str = "CSV") -> None:
    """A button that saves `table` as NAME.csv, without a rerun."""
    st.download_button(
        label,
        data=lambda: csv_bytes(table),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=key,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )

"""A table as a CSV file to keep, made when it is asked for and safe to open in a spreadsheet.

    download_table(table, "all-numbers", key="numbers_csv")

The download that Streamlit puts on every table knows no guard against formulas; main.py hides it.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from isara.spreadsheets import csv_bytes

# What main.py puts on every page.
HIDE_TOOLBAR_DOWNLOAD = (
    '<style>[data-testid="stElementToolbarButton"]'
    ':has([aria-label^="Download as CSV"]) {display: none}</style>'
)


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

"""Charts and tables to keep: a chart as PNG or SVG by its camera, a table as CSV.

    st.plotly_chart(figure, config=picture("harmful-rate"))
    chart_files("harmful-rate", lambda: table, key="rate")       # CSV, and PNG or SVG
    download_table(table, "all-numbers", key="numbers_csv")      # CSV alone

A CSV is made when it is asked for and safe to open in a spreadsheet. The download that Streamlit
puts on every table knows no guard against formulas; main.py hides it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from isara.spreadsheets import csv_bytes

# What main.py puts on every page.
HIDE_TOOLBAR_DOWNLOAD = (
    '<style>[data-testid="stElementToolbarButton"]'
    ':has([aria-label^="Download as CSV"]) {display: none}</style>'
)


PICTURES = "pictures"  # in session_state, the same for all charts of a session: PNG or SVG
KINDS = ("PNG", "SVG")
PICTURES_HELP = (
    "What the camera of a chart saves (it appears when the pointer is over the chart): PNG is made "
    "of pixels, SVG stays sharp at any size. The button CSV below a chart saves its numbers."
)


def picture(name: str, *, camera_alone: bool = False) -> dict[str, Any]:
    """The config of a chart whose camera saves NAME.png, or NAME.svg where that was chosen.

    `camera_alone` leaves out the other tools, for a small chart that they would cover.
    """
    kind = str(st.session_state.get(PICTURES, KINDS[0])).lower()
    config: dict[str, Any] = {
        "displaylogo": False,
        "toImageButtonOptions": {"filename": name, "format": kind, "scale": 2},
    }
    return config | {"modeBarButtons": [["toImage"]]} if camera_alone else config


def choose_pictures(place: str, *, short: bool = False) -> None:
    """The choice of PNG or SVG, drawn at a place of a page (`short`: without its label)."""
    key = f"{PICTURES} {place}"
    st.session_state[key] = st.session_state.get(PICTURES, KINDS[0])
    st.segmented_control(
        "Pictures as",
        KINDS,
        required=True,
        key=key,
        help=PICTURES_HELP,
        on_change=_choose,
        args=(key,),
        label_visibility="collapsed" if short else "visible",
    )


def _choose(key: str) -> None:
    st.session_state[PICTURES] = st.session_state[key]


def chart_files(name: str, table: Callable[[], pd.DataFrame], *, key: str) -> None:
    """Below a chart of its own: its numbers as NAME.csv, and what its camera saves."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        download_table(table, name, key=f"csv {key}")
        st.caption("The camera saves", width="content", help=PICTURES_HELP)
        choose_pictures(key, short=True)


def download_table(
    table: pd.DataFrame | Callable[[], pd.DataFrame], name: str, *, key: str, label: str = "CSV"
) -> None:
    """A button that saves `table` as NAME.csv, without a rerun."""
    st.download_button(
        label,
        data=lambda: csv_bytes(table() if callable(table) else table),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=key,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )

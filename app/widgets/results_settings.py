"""What differs between the configs of two runs, setting by setting.

show_settings(results)
"""

from __future__ import annotations

import pandas as pd
import streamlit as st
import yaml

from app import state
from app.charts_results import RunResult
from app.widgets.downloads import download_table
from app.widgets.plain import plain
from isara.config import RunConfig
from isara.config_files import changed_settings
from isara.report import run_config


def show_settings(results: list[RunResult]) -> None:
    """Choose two runs of those above; a row for each setting in which they differ."""
    ids = [result.run_id for result in results]
    if len(ids) < 2:
        st.info("Choose a second run above to see what differs between the two.")
        return
    left, right = st.columns(2)
    a = left.selectbox("One run", ids, key="settings-a")
    b = right.selectbox("The other", ids, index=1, key="settings-b")
    table = settings_table(a, b, *(run_config(state.run_folder(run_id)) for run_id in (a, b)))
    if table.empty:
        st.info(f"The configs of {plain(a)} and {plain(b)} are the same.")
        return
    st.dataframe(table, hide_index=True, alt="Settings that differ")
    download_table(table, "settings-that-differ", key="settings-csv")


def settings_table(a: str, b: str, one: RunConfig, other: RunConfig) -> pd.DataFrame:
    """The settings that differ, as YAML writes them; what a config does not have is empty."""
    second = b if b != a else f"{b} (again)"
    return pd.DataFrame(
        [
            {"Setting": name, a: as_yaml(left), second: as_yaml(right)}
            for name, left, right in changed_settings(one, other)
        ]
    )


def as_yaml(value: object) -> str:
    """A value on one line, as in a config file."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("\n...\n").strip()

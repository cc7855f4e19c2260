"""The report of the chosen runs: made when asked, shown in a frame of its own, and downloaded.

    report_section(ids)

A report on the test split counts a look at it, so it is made by a button, and once. The frame holds
the file as a data address: it has no access to the app, and the file's own policy forbids scripts
and requests.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from app import state
from app.widgets.plain import sentences
from app.widgets.results_data import stamp

FRAME_HEIGHT = 720  # pixels
MADE = "report-made"
SPLITS = {
    "dev": "dev: the part that settings may be tuned on",
    "test": "test: kept for the final report; each look is counted",
}


class Made(NamedTuple):
    """A report, and what it was made of."""

    of: tuple[object, ...]
    html: str
    split: str


def report_section(ids: Sequence[str]) -> None:
    """Choose the split, make the report, look at it, download it."""
    split = st.radio(
        "Split of the eval set",
        list(SPLITS),
        format_func=SPLITS.__getitem__,
        key="report-split",
        help="The eval set has two halves, so that figures which settings were tuned on are not "
        "taken for the final ones.",
    )
    asked = st.text_input(
        "The question asked",
        key="report-question",
        max_chars=300,
        placeholder="In your own words; when empty, the report words it from the settings",
    ).strip()
    of = (*ids, split, asked, *(stamp(state.run_folder(run_id)) for run_id in ids))
    made: Made | None = st.session_state.get(MADE)
    is_made = made is not None and made.of == of
    if st.button(
        "Make the report again" if is_made else "Make the report",
        icon=":material/description:",
        type="secondary" if made else "primary",
        key="report-make",
    ):
        with sentences():
            st.session_state[MADE] = Made(of, make(ids, split, asked), split)
            st.rerun()  # the button above has another name now
    # Below the button, which would move while it is pressed: the question may come with the click.
    st.caption("The same on the command line:")
    st.code(command(ids, split, asked), language=None, wrap_lines=True)
    if made is None or made.of != of:
        if made is not None:
            st.caption("Something was changed since the last report: make it again to see it.")
        return
    show(made, ids)


def make(ids: Sequence[str], split: str, asked: str) -> str:
    """The report as HTML; a look at the test split is counted."""
    from isara.report_html import gather, report_html

    with st.spinner("Writing the report …"):
        return report_html(gather(state.workspace(), ids, split), asked or None)


def show(made: Made, ids: Sequence[str]) -> None:
    """The download, and the report as it will look."""
    if made.split == "test":
        looks = ", ".join(str(state.workspace().database.test_looks(run_id)) for run_id in ids)
        st.caption(f"The test split was looked at {looks} times, this report included.")
    size = len(made.html.encode()) / 1024
    st.download_button(
        f"Download the report (HTML, {size:,.0f} KiB)",
        made.html,
        file_name=file_name(ids),
        mime="text/html",
        on_click="ignore",
        icon=":material/download:",
        key="report-download",
        type="primary",
    )
    st.caption(
        "One file that needs no network and runs no script. To get a PDF, open it and print it."
    )
    source = base64.b64encode(made.html.encode()).decode()
    with st.container(border=True):
        st.iframe(
            f"data:text/html;charset=utf-8;base64,{source}",
            height=FRAME_HEIGHT,
            alt="The report as it will look",
        )


def file_name(ids: Sequence[str]) -> str:
    """The name of the report's file."""
    return f"report-{ids[0]}{f'-and-{len(ids) - 1}-more' if len(ids) > 1 else ''}.html"


def command(ids: Sequence[str], split: str, asked: str) -> str:
    """The command that writes the same report."""
    parts = ["python", "-m", "isara", "report", *ids, "--out", file_name(ids), "--split", split]
    words = shlex.join([*parts, "--question", asked] if asked else parts)
    return words + state.workspace().option

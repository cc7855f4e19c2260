"""What a run would have trained on at the chosen thresholds: the list, and the list as a file.

    trained_on(data, outcome, decisions)

The rows are those that a run writes to kept.jsonl, made by the same functions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from app import state
from app.widgets.filters_data import Outcome
from app.widgets.filters_harm import harmful
from app.widgets.folding import fold_switch, folded
from app.widgets.plain import number_of
from app.widgets.samples_data import Iteration
from isara.methods.candidates import RULINGS, kept_rows
from isara.methods.overlaps import trained_rows
from isara.workspace.files import read_columns, read_jsonl

if TYPE_CHECKING:
    from isara.workspace.database import Decision

SHOWN = 200


def rows_to_train_on(
    data: Iteration, outcome: Outcome, decisions: Mapping[str, Decision]
) -> list[dict[str, Any]]:
    """The rows of kept.jsonl under these thresholds and today's decisions."""
    rulings = {name: one for name, one in decisions.items() if one.action in RULINGS}
    columns = ["candidate_id", "question", "answer", "category"]
    candidates = data.candidates[columns]
    if data.source is not None:  # a mixture's pairs have a domain
        candidates = candidates.join(read_columns(data.source, ["domain"], optional=True))
    found = candidates.astype(object).where(candidates.notna(), None).to_dict("records")
    kept = kept_rows(found, outcome.final.tolist(), rulings)  # type: ignore[arg-type]
    file = state.run_folder(data.run_id).path / "prompts.jsonl"
    asked = [row["question"] for row in read_jsonl(file)] if file.exists() else []
    return trained_rows(data.config, asked, kept)


def trained_on(data: Iteration, outcome: Outcome, decisions: Mapping[str, Decision]) -> None:
    """How many rows, the first of them, and a file with all."""
    rows = rows_to_train_on(data, outcome, decisions)
    away = outcome.kept_finally - len(rows)
    seeds = "" if data.config.method == "isheep" else ", beside the seed set"
    st.text(
        f"The run would have trained on {number_of(len(rows), 'pair')} of iteration {data.k}"
        f"{seeds}."
        + (f" {away:,} more are kept and stand in the eval set: left out." if away else "")
    )
    if outcome.stops:
        st.caption(
            "It would have stopped instead: so few are kept that the retention is below α (alpha)."
        )
    if not rows:
        return
    st.download_button(
        f"Download all {len(rows):,} as JSONL",
        lambda: as_jsonl(rows),
        file_name=f"{data.run_id}-iteration-{data.k}-trained-on.jsonl",
        mime="application/jsonl",
        on_click="ignore",
        icon=":material/download:",
        help="One JSON object a line: id, candidate_id, question, answer, category, decision.",
    )
    if len(rows) > SHOWN:
        st.caption(f"The first {SHOWN}:")
    shown = pd.DataFrame(rows[:SHOWN])[["candidate_id", "question", "answer", "decision"]]
    flags = harmful(data)
    if flags is not None:
        fold_switch("trained")
        where = [data.positions[name] for name in shown["candidate_id"]]
        shown["answer"] = folded(shown["answer"], flags[where])
    shown.columns = pd.Index(["Pair", "Question", "Answer", "Decision"])
    st.dataframe(shown, hide_index=True)


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    """Rows as UTF-8 JSON lines, as a run writes them."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()

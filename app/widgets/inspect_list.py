"""The rows that a selection or a search found: a list in pages, one row to open, many to decide on.

    found = search(data, shown, region)         # what is looked for, and what fits
    show(data, found, status, decisions)

Search by words looks for them in question and answer; search by meaning ranks all rows by the
cosine of their question to a typed sentence, with the embedder of the map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from app import state
from app.charts_map import MARKS, Rows
from app.look import DECISIONS
from app.widgets.filters_harm import harmful
from app.widgets.folding import fold_switch, folded
from app.widgets.inspect_colours import HARMFUL
from app.widgets.inspect_data import MapData, Now
from app.widgets.inspect_map import OPEN, forget_region, open_row
from app.widgets.neighbours_models import loaded
from app.widgets.plain import SELECT, number_of
from app.widgets.review_bulk import bulk
from app.widgets.samples_data import load_iteration
from app.widgets.samples_words import RULE_TITLES
from isara.lineage import Mask
from isara.lineage_files import EVAL_PROMPT, REJECTED

PAGE_SIZE = 25
LIST_HEIGHT = 400  # pixels
NEAREST = 50  # rows that a search by meaning lists
MOST_HITS = 500  # rows that are marked on the map
WORDS, MEANING = "Words", "Meaning"
REASONS = RULE_TITLES | {REJECTED: "rejected before training", EVAL_PROMPT: "is an eval question"}
COLUMNS: dict[str, Any] = {
    "": st.column_config.TextColumn(width=50),
    "Status": st.column_config.TextColumn(width=140),
    "Decision": st.column_config.TextColumn(width=90, help="What a person decided"),
    "k": st.column_config.NumberColumn(width=40, help="The iteration that wrote it"),
    "Similarity": st.column_config.NumberColumn(format="%.3f", width=80),
    "Next": st.column_config.NumberColumn(
        format="%.3f", width=70, help="The similarity of what would take its place"
    ),
    "Question": st.column_config.TextColumn(width=360),
    "Answer": st.column_config.TextColumn(width=360),
}


class Found(NamedTuple):
    """Rows to be listed, in their order; `cosines` to the typed sentence where it was ranked by
    meaning. `hits` are those to be marked on the map, `asked` says whether anything was selected or
    looked for."""

    rows: Rows
    cosines: dict[int, float]
    hits: list[int]
    asked: bool


def search(data: MapData, embedder: str, shown: Mask, region: Mask | None) -> Found:
    """The search box, and the rows that fit it and the selection."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        how = st.segmented_control(
            "Search by",
            [WORDS, MEANING],
            default=WORDS,
            required=True,
            key="inspect_how",
            bind="query-params",
            help="Words: those that stand in the question or the answer. Meaning: the questions "
            f"whose vectors are nearest to your sentence, the best {NEAREST}.",
        )
        text = st.text_input(
            "Search",
            key="inspect_q",
            type="search",
            bind="query-params",
            on_change=_first_page,
            placeholder="Words, or a sentence",
        )
    wanted = (text or "").strip()
    mask = shown if region is None else shown & region
    if not wanted:
        return Found(np.flatnonzero(mask), {}, [], region is not None)
    if how == WORDS:
        rows = np.flatnonzero(mask & _with_words(data, wanted))
        return Found(rows, {}, rows[:MOST_HITS].tolist(), True)
    with st.spinner("Comparing questions by their meaning …"):
        query = loaded("embedder", embedder, lambda: state.embedded(embedder, (wanted,)))
    if query is None:
        return Found(np.zeros(0, np.int64), {}, [], True)
    rows = np.flatnonzero(mask)
    cosines = data.vectors[rows] @ query[0]
    best = np.argsort(-cosines, kind="stable")[:NEAREST]
    hits = rows[best].tolist()
    return Found(rows[best], dict(zip(hits, cosines[best].tolist(), strict=True)), hits, True)


def _with_words(data: MapData, wanted: str) -> Mask:
    folded = wanted.casefold()
    texts = zip(data.rows["question"], data.rows["answer"], strict=True)
    return np.array([folded in q.casefold() or folded in a.casefold() for q, a in texts], bool)


def _first_page() -> None:
    st.session_state["inspect_page"] = 1


# ------------------------------------------------------------------ the list


def show(
    data: MapData,
    found: Found,
    now: Now,
    region: Mask | None,
) -> None:
    """How many rows were found, the list of them, and what can be done with all at once."""
    counts = {one: int((now.status[found.rows] == one).sum()) for one in MARKS}
    words = ", ".join(f"{MARKS[one]} {count:,}" for one, count in counts.items() if count)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{number_of(len(found.rows), 'row')}**" + (f": {words}" if words else ""))
        if region is not None:
            st.button(
                "Clear selection",
                key="inspect_clear",
                icon=":material/deselect:",
                on_click=forget_region,
            )
    if not len(found.rows):
        st.info("No row fits: widen the selection, the search or what is shown.")
        return
    similarity = found.cosines or None
    page_of(data, found.rows, now, "inspect_page", similarity)
    st.caption(f"{SELECT} to open it.")


def page_of(
    data: MapData,
    rows: Rows,
    now: Now,
    key: str,
    similarity: Mapping[int, float] | None = None,
    extra: Mapping[str, Mapping[int, Any]] | None = None,
) -> None:
    """A page of rows in a table; a click opens one. `extra` are further columns: name -> row ->
    value."""
    pages = -(-len(rows) // PAGE_SIZE)
    if not 1 <= st.session_state.get(key, 1) <= pages:
        st.session_state[key] = 1
    number = 1
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            number = st.pagination(pages, key=key)
            first = (number - 1) * PAGE_SIZE
            st.caption(f"{first + 1} to {min(first + PAGE_SIZE, len(rows))} of {len(rows):,}")
    part = rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    flags = _harmful(data, data.rows.iloc[part], now)
    if any(flags):
        fold_switch(key)
    table = _table(data, part, now, flags, similarity, extra or {})
    of_all = data.rows.iloc[rows]
    empty = {
        "Decision": not any(key in now.decisions for key in of_all["key"]),
        "k": not of_all["iteration"].any(),
        "Category": of_all["category"].isna().all(),
    }
    table = table.drop(columns=[name for name, gone in empty.items() if gone])
    # Changes with the opened row, so that no older selection of the list stays behind.
    name = f"{key} list {data.folder.run_id} {number} {st.query_params.get(OPEN)}"
    st.dataframe(
        table,
        hide_index=True,
        height=min(LIST_HEIGHT, 38 + 35 * len(part)),
        key=name,
        on_select=lambda: _open(data, part, name),
        selection_mode="single-row",
        column_config=COLUMNS,
        placeholder="",
        alt="Rows of the run; select one to open it",
    )


def _open(data: MapData, rows: Rows, name: str) -> None:
    selection: Any = st.session_state[name]
    if chosen := selection["selection"]["rows"]:
        open_row(str(data.rows["key"].to_numpy()[rows[chosen[0]]]))


def _table(
    data: MapData,
    rows: Rows,
    now: Now,
    flags: Sequence[bool],
    similarity: Mapping[int, float] | None,
    extra: Mapping[str, Mapping[int, Any]],
) -> pd.DataFrame:
    part = data.rows.iloc[rows]
    rulings = [now.decisions.get(key) for key in part["key"]]
    answers = [own or now.answers["answer"].get(i, "") for i, own in part["answer"].items()]
    table: dict[str, Any] = {
        "": [MARKS[now.status[i]] for i in rows.tolist()],
        **{name: [values.get(i) for i in rows.tolist()] for name, values in extra.items()},
        "Question": part["question"].tolist(),
        "Status": [status_words(data, i, now.status[i]) for i in rows.tolist()],
        "Decision": [DECISIONS[d.action].label if d else "" for d in rulings],
        "k": [k or None for k in part["iteration"].tolist()],
        "Answer": folded(pd.Series(answers, part.index, dtype=str), flags).tolist(),
        "Category": part["category"].tolist(),
        "Id": part["key"].tolist(),
    }
    if similarity is not None:
        table = {"": table.pop(""), "Similarity": [similarity[i] for i in rows.tolist()], **table}
    return pd.DataFrame(table)


def _harmful(data: MapData, part: pd.DataFrame, now: Now) -> list[bool]:
    """What the judge flags among rows, as far as it was asked."""
    asked = now.answers["outcome"]
    found = {i: asked.get(i) == HARMFUL for i in part.index}
    pairs = part[part["kind"] == "candidate"]
    for k in pairs["iteration"].unique().tolist():
        # Only where the pairs were judged: an iteration is slow to read for the first time.
        if (data.folder.iteration(k).path / "harm.parquet").exists():
            iteration = load_iteration(data.folder, k)
            flags = harmful(iteration)
            for i, key in pairs["key"][pairs["iteration"] == k].items():
                found[i] = flags is not None and bool(flags[iteration.positions[key]])
    return list(found.values())


def status_words(data: MapData, row: int, status: str) -> str:
    """What a row is: a seed, an eval question, kept, or the first rule that drops it."""
    reason = data.rows["reason"].iloc[row]
    if status in ("seed", "eval"):
        return {"seed": "seed", "eval": "evaluation"}[status]
    if status == "kept" or reason is None:
        return status
    return str(REASONS[reason])


def decide(data: MapData, rows: Rows) -> None:
    """Decisions on all candidates among rows, one iteration at a time."""
    part = data.rows.iloc[rows]
    part = part[part["kind"] == "candidate"]
    by_iteration: dict[int, list[str]] = {}
    for k, key in zip(part["iteration"].tolist(), part["key"], strict=True):
        by_iteration.setdefault(k, []).append(key)
    if not by_iteration:
        st.caption("There is no candidate among them: decisions are made on written pairs alone.")
        return
    k = min(by_iteration)
    if len(by_iteration) > 1:
        chosen = st.segmented_control(
            "Pairs of which iteration",
            list(by_iteration),
            default=k,
            required=True,
            format_func=lambda one: f"iteration {one}: {len(by_iteration[one]):,} pairs",
            key=f"inspect_decide {data.folder.run_id} {' '.join(map(str, by_iteration))}",
        )
        k = int(chosen or k)
    bulk(data.folder.run_id, k, by_iteration[k], ("inspect_how", "inspect_q"))

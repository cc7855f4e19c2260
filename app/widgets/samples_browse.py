"""Browse the pairs of a run: filters, a list in pages of 25, and one pair opened.

browse(data)

The filters, the page and the opened pair are in the URL. Left out: reviewing a queue and changing
texts (review_page.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from app import state
from app.look import DECISIONS
from app.widgets import review_bulk, samples_detail, samples_review
from app.widgets.filters_harm import harmful
from app.widgets.folding import fold_switch, folded
from app.widgets.plain import SELECT, number_of
from app.widgets.samples_data import Indices, Iteration, categories, select
from app.widgets.samples_words import RULE_TITLES, in_use, verdict_words

if TYPE_CHECKING:
    from isara.workspace.standing import Decision

PAGE_SIZE = 25
LIST_HEIGHT = 560  # pixels: fifteen rows
OPEN = "open"  # the URL's name for the opened pair
FILTERS = ("verdict", "q", "category")  # keys of the fields


def browse(data: Iteration) -> None:
    """The filters, the list, and the pair that is opened."""
    order = _filters(data)
    decisions = state.decision_log(data.run_id, data.k).counting()
    if not len(order):
        st.info("No pair fits these filters.", icon=":material/info:")
        return
    opened = _opened(data)
    if opened is None:
        _list(data, order, None, decisions)
        st.caption(f"{SELECT} to see why it was kept or dropped and what it was written from.")
        if st.toggle(
            f"Decide on all {number_of(len(order), 'pair')} of this list at once", key="bulk_open"
        ):
            ids = data.candidates["candidate_id"].iloc[order].tolist()
            review_bulk.bulk(data.run_id, data.k, ids, FILTERS)
        return
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _list(data, order, opened, decisions)
    with right:
        _steps(data, order, opened)
        candidate_id = str(data.candidates["candidate_id"].iloc[opened])
        samples_detail.pair(data, opened, decisions.get(candidate_id))
        samples_review.buttons(data, candidate_id)
        samples_detail.origins(data, opened)


# ------------------------------------------------------------------ filters


def _filters(data: Iteration) -> Indices:
    left, middle, right = st.columns([2, 3, 2])
    with left:
        st.selectbox(
            "Verdict",
            ["all", "kept", "dropped", *in_use(data.config.filters)],
            format_func=lambda name: RULE_TITLES.get(name, name),
            key="verdict",
            bind="query-params",
            on_change=_first_page,
            help="What the rules say of a pair. Several rules can fire on one pair; the first of "
            "them is its reason.",
        )
    with middle:
        st.text_input(
            "Search",
            key="q",
            type="search",
            bind="query-params",
            on_change=_first_page,
            placeholder="Words in the question or the answer",
        )
    with right:
        _category(data)
    st.caption(f"In this iteration: {_counts(data)}.")
    return _chosen(data)


def _chosen(data: Iteration) -> Indices:
    """The pairs that the fields ask for by now."""
    verdict, text, category = (st.session_state[key] for key in FILTERS)
    return select(data, verdict, text or "", category)


def _counts(data: Iteration) -> str:
    """How many are kept, and dropped by which rule first."""
    kept = int(data.result.kept.sum())
    reasons = [
        f"{RULE_TITLES[rule]} {count}" for rule, count in data.result.reason_counts.items() if count
    ]
    why = f" ({', '.join(reasons)})" if reasons else ""
    return f"{kept} kept, {len(data) - kept} dropped{why}"


def _category(data: Iteration) -> None:
    names = categories(data)
    if st.session_state.get("category") not in (None, *names):
        st.session_state["category"] = None
    st.selectbox(
        "Category",
        names,
        index=None,
        key="category",
        bind="query-params",
        on_change=_first_page,
        placeholder="Any" if names else "The seeds have none",
        disabled=not names,
        help="The category that most of a pair's neighbours have.",
    )


def _first_page() -> None:
    st.session_state["page"] = 1


def forget() -> None:
    """Another run or iteration was chosen: nothing is open, and its list starts at page 1."""
    _first_page()
    st.session_state.pop(OPEN, None)
    st.query_params.pop(OPEN, None)


# ------------------------------------------------------------------ list


def _list(
    data: Iteration, order: Indices, opened: int | None, decisions: dict[str, Decision]
) -> None:
    pages = -(-len(order) // PAGE_SIZE)
    # A page that a filter took away, or that an address asks for in vain.
    if not 1 <= st.session_state.get("page", 1) <= pages:
        st.session_state["page"] = 1
    top = st.container(horizontal=True, vertical_alignment="center")
    with top:
        number = st.pagination(pages, key="page", bind="query-params")
        first = (number - 1) * PAGE_SIZE
        rows = order[first : first + PAGE_SIZE]
        st.caption(f"{first + 1} to {first + len(rows)} of {number_of(len(order), 'pair')}")
        if harmful(data) is not None:
            fold_switch("samples")
    # The key changes with the opened pair, so that no older selection of the list stays behind.
    key = f"list {data.run_id} {data.k} {number} {opened}"
    st.dataframe(
        _table(data, rows, opened, decisions),
        hide_index=True,
        height=LIST_HEIGHT,
        key=key,
        on_select=lambda: _select(data, rows, key),
        selection_mode="single-row",
        column_config=COLUMNS,
        column_order=NARROW if opened is not None else WIDE,
    )


WIDE = ("Verdict", "Decision", "Question", "Answer", "Category", "Id")
NARROW = ("", "Question", "Verdict", "Decision", "Answer", "Category", "Id")
COLUMNS = {
    "": st.column_config.TextColumn(width=50),
    "Verdict": st.column_config.TextColumn(width=150),
    "Decision": st.column_config.TextColumn(width=90, help="What a person decided"),
    "Question": st.column_config.TextColumn(width=360),
    "Answer": st.column_config.TextColumn(width=360),
}


def _table(
    data: Iteration, rows: Indices, opened: int | None, decisions: dict[str, Decision]
) -> pd.DataFrame:
    part = data.candidates.iloc[rows]
    rulings = [decisions.get(candidate_id) for candidate_id in part["candidate_id"]]
    words = [verdict_words(data.fired(index)) for index in rows.tolist()]
    marks = [("→ " if i == opened else "") + w[0] for i, w in zip(rows, words, strict=True)]
    flags = harmful(data)
    answers = part["answer"] if flags is None else folded(part["answer"], flags[rows])
    table = pd.DataFrame(
        {
            "": marks,
            "Verdict": words,
            "Decision": [DECISIONS[d.action].label if d else "" for d in rulings],
            "Question": part["question"].tolist(),
            "Answer": answers.tolist(),
            "Category": part["category"].tolist(),
            "Id": part["candidate_id"].tolist(),
        }
    )
    return table.drop(columns="Category") if part["category"].isna().all() else table


# ------------------------------------------------------------------ the opened pair


def _select(data: Iteration, rows: Indices, key: str) -> None:
    selection: Any = st.session_state[key]
    if chosen := selection["selection"]["rows"]:
        open_pair(data, int(rows[chosen[0]]))


def open_pair(data: Iteration, index: int | None) -> None:
    """Make a row the opened one (None: none), here and in the URL."""
    if index is None:
        st.session_state.pop(OPEN, None)
        st.query_params.pop(OPEN, None)
        return
    candidate_id = str(data.candidates["candidate_id"].iloc[index])
    st.session_state[OPEN] = st.query_params[OPEN] = candidate_id


def _opened(data: Iteration) -> int | None:
    asked = st.query_params.get(OPEN) or st.session_state.get(OPEN)
    index = data.positions.get(asked) if asked else None
    if index is not None:
        st.session_state[OPEN] = st.query_params[OPEN] = str(asked)
    return index


def _steps(data: Iteration, order: Indices, opened: int) -> None:
    """Buttons to the next and previous pair of the list; the list turns its page with them."""
    before = order[order < opened]
    after = order[order > opened]
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, key, way, there in (
            ("Previous", ":material/arrow_upward:", "k", -1, before),
            ("Next", ":material/arrow_downward:", "j", 1, after),
        ):
            st.button(
                label,
                key=f"step_{label.lower()}",
                icon=icon,
                shortcut=key,
                disabled=not len(there),
                on_click=_step,
                args=(data, opened, way),
            )
        st.button(
            "Close",
            key="close_pair",
            shortcut="Escape",
            on_click=open_pair,
            args=(data, None),
        )


def _step(data: Iteration, opened: int, way: int) -> None:
    """Open the pair after (1) or before (-1) the opened one in the list that is asked for now."""
    order = _chosen(data)
    there = order[order > opened][:1] if way > 0 else order[order < opened][-1:]
    if len(there):
        open_pair(data, int(there[0]))
        st.session_state["page"] = int((order < there[0]).sum()) // PAGE_SIZE + 1

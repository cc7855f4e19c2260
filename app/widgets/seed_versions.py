"""The tab for versions: two of them row by row, and making an older one the newest again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from app import state
from app.widgets import seed_choice, seed_data
from app.widgets.plain import plain
from app.widgets.seed_preview import page_slice
from isara.curation import SeedRow
from isara.errors import IsaraError
from isara.seed_compare import RowDifference, compare, counts, word_diff
from isara.workspace.database import SeedSetInfo

DRAFT = "draft"
SHOWN = 20
FOUND, SAID, RESTORE = "seed_differences", "seed_restored", "seed_restore"
KINDS = {"added": "add", "removed": "remove", "changed": "edit", "same": "check"}


class Side(NamedTuple):
    """One of the two that are compared: its name for readers, what tells it apart, its rows."""

    label: str
    stamp: tuple[object, ...]
    rows: tuple[SeedRow, ...]


def show() -> None:
    """The versions of the chosen seed set."""
    infos = state.workspace().database.seed_sets()
    if not infos:
        st.info("No seed set is saved yet. Bring your own file first.")
        return
    name = seed_choice.ask_name(infos, st.container())
    versions = [info for info in infos if info.name == name]
    _table(versions, {info.id: info for info in infos})
    _restore(versions)
    sides = _sides(name, versions)
    st.subheader("Compare")
    if len(sides) < 2:
        st.caption("There is only one version yet, and no draft of it.")
        return
    left, right = st.columns(2)
    labels = [side.label for side in sides]
    old = left.selectbox("From", labels, index=1, key="seed_compare_old")
    new = right.selectbox("To", labels, index=0, key="seed_compare_new")
    _compare(sides[labels.index(old)], sides[labels.index(new)])


def _table(versions: Sequence[SeedSetInfo], by_id: dict[int, SeedSetInfo]) -> None:
    def source(info: SeedSetInfo) -> str:
        parent = by_id.get(info.parent) if info.parent is not None else None
        if parent is None:
            return ""
        return (
            str(parent.version) if parent.name == info.name else f"{parent.name} {parent.version}"
        )

    st.dataframe(
        {
            "Version": [info.version for info in versions],
            "Rows": [info.size for info in versions],
            "Made from": [source(info) for info in versions],
            "Saved (UTC)": [f"{info.created:%Y-%m-%d %H:%M}" for info in versions],
            "By": [info.author for info in versions],
            "Note": [info.note for info in versions],
        },
        hide_index=True,
        column_config={"Note": st.column_config.TextColumn(width="large")},
        alt="Versions of the seed set",
    )


def _restore(versions: Sequence[SeedSetInfo]) -> None:
    older = [info.version for info in versions[1:]]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        version = st.selectbox(
            "Restore",
            older or [versions[0].version],
            key=RESTORE,
            width=140,
            disabled=not older,
            help="Saves this version again as the newest. The versions in between stay.",
        )
        with st.container(width=200):
            seed_data.ask_author()
        next_one = versions[0].version + 1
        st.button(
            f"Save version {version} again as version {next_one}",
            icon=":material/history:",
            disabled=not older,
            on_click=_save_again,
            args=(versions[0].name,),
        )
    if words := st.session_state.pop(SAID, None):
        st.success(words, icon=":material/check:")
    seed_data.message()


def _save_again(name: str) -> None:
    database, version = state.workspace().database, int(st.session_state[RESTORE])
    try:
        saved = database.load_seed_set(name, version)
        made = database.save_seed_set(
            name,
            saved.examples,
            seed_data.author(),
            f"Version {version} restored",
            tags=saved.tags,
            parent=saved.info.id,
        )
    except IsaraError as error:
        st.session_state[seed_data.MESSAGE] = str(error)
        return
    seed_choice.select(name, made)
    st.session_state[SAID] = f"Version {version} of {plain(name)} is version {made} now."


def _sides(name: str, versions: Sequence[SeedSetInfo]) -> list[Side]:
    """What can be compared, the newest first."""
    found = [
        Side(f"version {v.version}", (name, v.version), seed_data.saved_rows(name, v.version))
        for v in versions
    ]
    draft = seed_data.drafts().open(name)
    if draft is not None:
        view = draft.view()
        found.insert(0, Side(DRAFT, (str(draft.path), view.n), view.board.rows))
    return found


def _compare(old: Side, new: Side) -> None:
    kept = st.session_state.get(FOUND)
    if kept is None or kept[0] != (old.stamp, new.stamp):
        with st.spinner("Comparing row by row …"):
            kept = ((old.stamp, new.stamp), compare(old.rows, new.rows))
        st.session_state[FOUND] = kept
    differences: list[RowDifference] = kept[1]
    counted = counts(differences)
    kinds = st.pills(
        "Rows",
        list(KINDS),
        selection_mode="multi",
        default=["added", "removed", "changed"],
        format_func=lambda kind: f":material/{KINDS[kind]}: {kind} ({counted[kind]:,})",
        key="seed_compare_kinds",
        label_visibility="collapsed",
    )
    shown = [one for one in differences if one.kind in kinds]
    if not shown:
        st.caption("No row is like this.")
        return
    st.caption("In changed texts, [-words-] were taken out and {+words+} were put in.")
    for one in shown[page_slice(len(shown), f"seed_compare_page_{hash(tuple(kinds))}", SHOWN)]:
        _difference(one, old.rows, new.rows)


def _difference(one: RowDifference, old: Sequence[SeedRow], new: Sequence[SeedRow]) -> None:
    before = old[one.old] if one.old is not None else None
    after = new[one.new] if one.new is not None else None
    row = old[one.old or 0] if after is None else after
    places = [
        f"row {place + 1} {words}"
        for place, words in ((one.old, "before"), (one.new, "after"))
        if place is not None
    ]
    with st.container(border=True):
        st.markdown(f":material/{KINDS[one.kind]}: **{one.kind}**: {', '.join(places)}")
        if one.fields:
            st.caption(f"Changed: {', '.join(one.fields)}")
        for name in ("question", "answer"):
            pair = (getattr(before or row, name), getattr(after or row, name))
            st.text(word_diff(*pair) if pair[0] != pair[1] else pair[1])
        if before and after and {"category", "tags"} & set(one.fields):
            st.text(f"{_marks(before)}  →  {_marks(after)}")
        elif marks := _marks(row, empty=""):
            st.text(marks)


def _marks(row: SeedRow, empty: str = "no category, no tags") -> str:
    """Category and tags in a line."""
    found = [row.category or "", f"tags: {', '.join(row.tags)}" if row.tags else ""]
    return " · ".join(filter(None, found)) or empty

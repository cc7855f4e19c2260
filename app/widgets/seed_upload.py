"""The tab for a file of one's own: upload, columns, problems to mend, figures, saving.

The draft lives in session_state, so that nothing is lost when the page runs again or another page
is looked at in between. Mending is in seed_mend.py, what a draft is in seed_draft.py.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import state
from app.widgets import (
    seed_choice,
    seed_data,
    seed_draft_store,
    seed_length,
    seed_mend,
    seed_preview,
    seed_statistics,
)
from app.widgets.plain import number_of, plain
from app.widgets.seed_draft import Draft
from isara.errors import IsaraError
from isara.seed_files import ENDINGS, MAX_BYTES

DRAFT, UPLOAD, NAME, NOTE = "seed_draft", "seed_upload", "seed_name", "seed_note"
TOKEN, WRITTEN = "draft", "seed_written"  # TOKEN is in the URL as well
LAST = "put_away"  # the token of the draft that was put away last; in the URL as well
SAVE_ERROR = "seed_save_error"
NO_COLUMN = "(none)"
FORMATS = (
    "A table with a question and an answer in each row, at best 64 of them, and if you like a "
    "category: JSON lines, JSON, CSV, TSV or Parquet, encoded as UTF-8. The columns may be called "
    "question and answer, prompt and response, or instruction and output; you can name others."
)


def show() -> None:
    """The upload, and the draft when there is one."""
    st.file_uploader(
        "Your file",
        type=[ending.removeprefix(".") for ending in ENDINGS],
        key=_upload_key(),
        on_change=_take_upload,
        max_upload_size=MAX_BYTES >> 20,
        help=FORMATS,
    )
    draft = _current()
    _offer()
    if draft is None:
        st.caption(FORMATS)
        return
    _summary(draft)
    _columns(draft)
    seed_length.ask(_limit_lengths)
    seed_mend.show(draft)
    _write_down(draft)
    _notes(draft)
    if draft.examples:
        _save(draft)
        seed_statistics.show(_statistics(draft), draft.examples, draft.good_rows)
        st.subheader("Good rows")
        seed_preview.preview(draft.examples, draft.good_rows, "draft")


def _upload_key() -> str:
    """Another one after a file was discarded, or the box would still show its name."""
    return f"{UPLOAD}_{st.session_state.get(UPLOAD, 0)}"


def _take_upload() -> None:
    """Start a draft from the file that was just chosen; removing the file does not undo it."""
    if (upload := st.session_state[_upload_key()]) is None:
        return
    _put_away()
    draft = Draft(upload.name, upload.getvalue())
    _begin(draft, seed_draft_store.keep(draft))


def _begin(draft: Draft, token: str) -> None:
    st.session_state[DRAFT], st.session_state[TOKEN] = draft, token
    st.session_state[NAME] = Path(draft.file).stem[:60]
    st.session_state[WRITTEN] = seed_draft_store.values_of(draft)
    _limit_lengths()


def _discard() -> None:
    st.session_state[UPLOAD] = st.session_state.get(UPLOAD, 0) + 1
    _put_away()


def _put_away() -> None:
    """Close the draft; the way back to it stands on the page, and in the address."""
    if token := st.session_state.pop(TOKEN, None):
        seed_draft_store.put_away(token)
        st.session_state[LAST] = st.query_params[LAST] = token
    st.query_params.pop(TOKEN, None)
    for key in (DRAFT, NAME, WRITTEN):
        st.session_state.pop(key, None)


def _offer() -> None:
    """The way back to the draft that was put away last."""
    token = st.session_state.get(LAST) or st.query_params.get(LAST, "")
    gone = seed_draft_store.values_away(token)
    if gone is None:
        return
    changed = number_of(len({*gone["changes"], *gone["pending"]}), "changed row")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{plain(gone['file'])}, with {changed}, was put away. It is deleted "
            f"{seed_draft_store.DAYS} days after its last change."
        )
        st.button("Take it up again", on_click=_take_up, args=(token,), type="tertiary")


def _take_up(token: str) -> None:
    """Go on with a draft that was put away; the one that is open is put away for it."""
    if (draft := seed_draft_store.find(token, away=True)) is None:
        return  # a second click
    for place in (st.session_state, st.query_params):
        place.pop(LAST, None)
    _put_away()
    seed_draft_store.take_up(token)
    _begin(draft, token)


def _current() -> Draft | None:
    """The draft of this session, else the one that the URL names: a reload is a new session."""
    if DRAFT not in st.session_state:
        token = st.query_params.get(TOKEN, "")
        if found := seed_draft_store.find(token):
            _begin(found, token)
    draft: Draft | None = st.session_state.get(DRAFT)
    if draft is not None and st.query_params.get(TOKEN) != st.session_state[TOKEN]:
        st.query_params[TOKEN] = st.session_state[TOKEN]
    return draft


def _write_down(draft: Draft) -> None:
    """Put changes on disk as soon as they are made; what another tab changed comes in."""
    own, before = seed_draft_store.values_of(draft), st.session_state[WRITTEN]
    if own == before:
        return
    values = seed_draft_store.update(st.session_state[TOKEN], draft, before)
    st.session_state[WRITTEN] = values
    if values != own:
        draft.restore(values)
        st.rerun()


def _summary(draft: Draft) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        rows = draft.check.rows - len(draft.deleted)
        bad = len(draft.row_problems)
        st.markdown(
            f"**{plain(draft.file)}**: {number_of(rows, 'row')}, {len(draft.examples):,} good"
            + (f", {bad:,} to mend" if bad else ""),
            width="stretch",
        )
        st.button(
            "Discard this file",
            on_click=_discard,
            help="Close the file with all its changes. It can be taken up again; saved versions "
            "stay.",
        )


def _columns(draft: Draft) -> None:
    """Which column is which: asked for when it is unclear, else out of the way."""
    columns = draft.original.columns
    if not columns:
        return
    with st.expander("Columns", expanded=not draft.readable):
        if not draft.readable:
            st.markdown("Say which column holds the questions and which the answers.")
        mended = bool(draft.changes or draft.pending)
        with st.form("seed_columns", border=False):
            boxes = st.columns(3)
            chosen = {
                target: boxes[i].selectbox(
                    target.capitalize(),
                    options := _options(draft, target),
                    index=_place(options, draft.columns.get(target)),
                    placeholder="Choose a column",
                    key=f"seed_column_{target}_{id(draft)}",
                )
                for i, target in enumerate(("question", "answer", "category"))
            }
            used = st.form_submit_button(
                "Use these columns",
                disabled=mended,
                help="Not after rows were changed: discard the file and upload it again."
                if mended
                else None,
            )
        if used:
            draft.read({t: c for t, c in chosen.items() if c is not None and c != NO_COLUMN})
            st.rerun()


def _options(draft: Draft, target: str) -> list[str]:
    none = [NO_COLUMN] if target == "category" and "category" not in draft.columns else []
    return none + draft.original.columns


def _place(options: list[str], column: str | None) -> int | None:
    if column in options:
        return options.index(column)
    return 0 if options[0] == NO_COLUMN else None


def _limit_lengths() -> None:
    """Check the draft for the chosen model; once for a choice, as looking up a name takes time."""
    draft: Draft = st.session_state[DRAFT]
    counter = seed_length.counter()
    if counter is not draft.counter:
        draft.limit(counter)


def _notes(draft: Draft) -> None:
    if not draft.check.notes:
        return
    with st.container(border=True):
        st.markdown(
            ":material/info: **Notes**: accepted as they are, for you to know.",
        )
        for note in draft.check.notes:
            st.text(f"• {note}")


def _statistics(draft: Draft) -> seed_statistics.Statistics:
    """Computed once for every check."""
    key = "seed_draft_statistics"
    found = st.session_state.get(key)
    if found is None or found[0] is not draft.check:
        found = st.session_state[key] = (draft.check, seed_statistics.statistics(draft.examples))
    statistics: seed_statistics.Statistics = found[1]
    return statistics


def _save(draft: Draft) -> None:
    st.subheader("Save")
    left, middle, right = st.columns([2, 2, 3])
    name = left.text_input("Name of the seed set", max_chars=100, key=NAME).strip()
    with middle:
        seed_data.ask_author()
    right.text_input("Note", max_chars=300, key=NOTE, placeholder="What is new in this version")
    taken = state.workspace().database.seed_sets(name) if name else []
    version = taken[0].version + 1 if taken else 1
    bad = len(draft.row_problems)
    if bad or draft.pending:
        st.caption(
            "Only rows that are good after the last check are saved"
            + (f"; {bad:,} with problems are left out." if bad else ".")
        )
    st.button(
        f"Save {number_of(len(draft.examples), 'good row')} as version {version}",
        type="primary",
        key="seed_upload_save",
        on_click=_store,
        args=(draft,),
        # Always there: a button that gets or loses it is another one, also while it is pressed.
        help="Earlier versions of the same name stay as they were.",
    )
    _saved_message(draft)


def _store(draft: Draft) -> None:
    """Save before the page is drawn again, so that the new version can be chosen at once; under
    what the fields hold by then."""
    name, note = (str(st.session_state.get(key) or "").strip() for key in (NAME, NOTE))
    if not name:
        error = "Nothing was saved, because the seed set has no name: give it one."
        st.session_state[SAVE_ERROR] = error
        return
    if draft.saved is not None and draft.saved[0] == name:
        st.session_state[SAVE_ERROR] = "It is saved already: mend a row, or give it another name."
        return
    try:
        version = state.workspace().database.save_seed_set(
            name, draft.examples, seed_data.author(), note
        )
    except IsaraError as error:
        st.session_state[SAVE_ERROR] = str(error)
        return
    draft.saved = (name, version)
    seed_choice.select(name, version)


def _saved_message(draft: Draft) -> None:
    if error := st.session_state.pop(SAVE_ERROR, None):
        st.error(plain(error))
    if draft.saved is None:
        return
    name, version = draft.saved
    size = number_of(len(draft.examples), "example")
    st.success(
        f"Saved as {plain(name)}, version {version}, with {size}.",
        icon=":material/check:",
    )
    st.page_link(
        "../pages/neighbours.py",
        label="See which of them a question brings up",
        query_params={seed_choice.NAME: name, seed_choice.VERSION: str(version)},
    )
    st.page_link("../pages/run.py", label="Go on to a run")

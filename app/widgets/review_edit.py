"""The editor of a review's card; what is half written is a draft in the database until it is saved.

    open_editor(target)                     # the key E
    if is_open(target): fields(target, before)

The browser sends a text when its field is left, and soon after the last key (typed_text.py). The
address says that the editor is open, so a reload, or a server that was started again, comes back to
it. Save alone makes a decision; Cancel drops the draft. Two windows of one person never overwrite
each other's draft (isara/workspace/edit_drafts.py): each is offered the other's.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from app import state
from app.widgets import review_actions as actions
from app.widgets.review_actions import EDITING, Target
from app.widgets.samples_review import ERROR
from app.widgets.typed_text import KEEPS, send_while_typed
from isara.errors import InputError, IsaraError
from isara.workspace.edit_drafts import EditDraft

Texts = tuple[str, str]  # question and answer

KEPT = (
    "What you type is kept as a draft, also when you reload the page: a second after the last key, "
    "and whenever you leave a field. It is no decision before you save it; Cancel deletes it."
)


class Editor(NamedTuple):
    """An open editor: its card as it was drawn first, and the draft that it writes."""

    target: Target
    draft: EditDraft | None = None
    first: Texts | None = None  # what the fields begin with


# ------------------------------------------------------------------ open or not


def open_editor(target: Target) -> None:
    """Open the editor, with the draft that was changed last where there is one."""
    if (mine := actions.meant(target)) is None:
        return
    try:
        _open(mine)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)


def _open(target: Target) -> None:
    drafts = state.workspace().database.edit_drafts(*target[:4])
    st.session_state[EDITING] = Editor(target, drafts[0] if drafts else None)


def is_open(target: Target) -> bool:
    """Whether the editor is open on this card; in a session that has just begun the address says
    it."""
    if EDITING not in st.session_state:
        st.session_state[EDITING] = None
        if st.query_params.get(actions.EDIT) == target.candidate_id:
            _open(target)
    editor = _editor()
    if editor is not None and editor.target[:4] != target[:4]:
        actions.close_editor()  # another name, run or card meanwhile: its draft stays
        return False
    return editor is not None


def _editor() -> Editor | None:
    editor: Editor | None = st.session_state.get(EDITING)
    return editor


def draft_words(target: Target) -> str:
    """What a card says of an edit that was begun; nothing where none was."""
    drafts = state.workspace().database.edit_drafts(*target[:4])
    if not drafts:
        return ""
    return (
        f"You began to edit it at {drafts[0].changed:%Y-%m-%d %H:%M} UTC; Edit goes on with that."
    )


# ------------------------------------------------------------------ what it shows


def fields(target: Target, before: Texts) -> None:
    """Both texts in fields, Save and Cancel; `before` are the texts without any draft."""
    editor = _editor()
    if editor is None:
        return
    question, answer = keys = field_keys(target)
    if editor.first is None or question not in st.session_state:
        first = editor.draft.texts if editor.draft else before
        editor = editor._replace(target=target, first=first)
        st.session_state[EDITING] = editor
    first = editor.first or before
    # Drawn anew with every text that comes: what others decide meanwhile is still news.
    arguments = (target._replace(since=editor.target.since), keys, before)
    with st.container(border=True, key=f"{KEEPS}review_editor"):
        st.text_area(
            "Question",
            first[0],
            key=question,
            height=100,
            on_change=keep,
            args=arguments,
            help=KEPT,
        )
        st.text_area("Answer", first[1], key=answer, height=180, on_change=keep, args=arguments)
        with st.container(horizontal=True):
            st.button(
                "Save",
                key="review_save",
                type="primary",
                icon=":material/save:",
                shortcut="ctrl+enter",
                on_click=save,
                args=arguments,
            )
            st.button(
                "Cancel",
                key="review_cancel",
                shortcut="Escape",
                on_click=cancel,
            )
        # Below the buttons, as it grows with the first key: Save may be pressed meanwhile.
        st.caption(_words(editor))
        _others(editor, keys)
    send_while_typed()


def field_keys(target: Target) -> Texts:
    """The keys of the two fields."""
    return f"review_question_{target.candidate_id}", f"review_answer_{target.candidate_id}"


def _words(editor: Editor) -> str:
    if editor.draft is None:
        return "The model's text is kept; training takes yours once you save it."
    return (
        f"Draft of {editor.draft.changed:%H:%M:%S} UTC, kept over a reload; no decision before you "
        "save it. The model's text is kept; training takes yours."
    )


def _others(editor: Editor, keys: Texts) -> None:
    """Drafts of the same person on the same pair, from other windows."""
    mine = editor.draft.id if editor.draft else 0
    found = state.workspace().database.edit_drafts(*editor.target[:4])
    for draft in found:
        if draft.id != mine:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(
                    f"You have another draft of this pair, of {draft.changed:%Y-%m-%d %H:%M} UTC, "
                    "perhaps open in another window.",
                    width="stretch",
                )
                st.button(
                    "Go on with that one",
                    key=f"review_draft_{draft.id}",
                    help="The draft that you see now is kept as well.",
                    on_click=take,
                    args=(draft, keys),
                )


# ------------------------------------------------------------------ what it does


def keep(target: Target, keys: Texts, before: Texts) -> None:
    """Put into the draft what the fields hold now."""
    editor = _editor()
    if editor is None or editor.target[:4] != target[:4]:
        return  # it came after Save or Cancel
    texts = _typed(keys)
    if texts == (editor.draft.texts if editor.draft else before):
        return
    try:
        draft = state.workspace().database.keep_edit_draft(editor.draft, *target[:4], *texts)
    except IsaraError as error:
        st.session_state[ERROR] = str(error)
    else:
        st.session_state[EDITING] = editor._replace(draft=draft)


def take(draft: EditDraft, keys: Texts) -> None:
    """Go on with another draft."""
    editor = _editor()
    if editor is not None:
        st.session_state[EDITING] = editor._replace(draft=draft, first=draft.texts)
        for key, text in zip(keys, draft.texts, strict=True):
            st.session_state[key] = text


def save(target: Target, keys: Texts, before: Texts) -> None:
    """Store the texts as this reviewer's edit; the draft goes."""
    editor = _editor()
    question, answer = (text.strip() for text in _typed(keys))
    if (question, answer) == (before[0].strip(), before[1].strip()):
        error = InputError("Nothing was changed: change a text, or press Escape and accept it.")
        st.session_state[ERROR] = str(error)
    elif editor and actions.store(target, "edit", question=question, answer=answer):
        _drop(editor)


def cancel() -> None:
    """Close the editor and delete its draft."""
    editor = _editor()
    actions.close_editor()
    if editor:
        _drop(editor)


def _typed(keys: Texts) -> Texts:
    return str(st.session_state[keys[0]]), str(st.session_state[keys[1]])


def _drop(editor: Editor) -> None:
    """Delete the draft, unless another window has gone on with it: then it is that one's."""
    if editor.draft is not None:
        try:
            state.workspace().database.drop_edit_draft(editor.draft)
        except IsaraError as error:
            st.session_state[ERROR] = str(error)

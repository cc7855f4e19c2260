"""The seed set that is worked on, and changing it: what the tabs for editing share.

    hand = choose()                          # the open draft of the chosen set, or a version of it
    change(hand, edit(hand.rows[2], 3, answer="…"))      # in a callback: on disk when it returns

A first change begins the draft. What a draft is: isara/workspace/seed_drafts.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import streamlit as st

from app import state
from app.widgets import seed_choice
from app.widgets.plain import plain
from app.widgets.samples_review import NAME as AUTHOR
from app.widgets.samples_review import reviewer_now
from isara.curation import Alike, Change, SeedRow, draft_rows
from isara.errors import IsaraError
from isara.workspace.database import SeedSet
from isara.workspace.seed_drafts import SeedDraft, SeedDrafts, View

MESSAGE = "seed_message"
PICKS = "seed_picks"  # keys of the ticked rows
CHOSEN = "seed_chosen"
MADE = "seed_made"  # the rows after the last change that this session made since it was drawn


class InHand(NamedTuple):
    """Rows to work on: those of a draft, or of a version that nobody has changed yet.

    `n` is the number of the view (0 without a draft), `stamp` tells one state from all others.
    """

    name: str
    version: int
    rows: tuple[SeedRow, ...]
    fine: frozenset[Alike]
    used: frozenset[str]
    n: int = 0
    draft: SeedDraft | None = None
    view: View | None = None

    @property
    def stamp(self) -> tuple[str, int, int]:
        """Equal stamps, equal rows."""
        return (str(self.draft.path) if self.draft else self.name, self.version, self.n)

    @property
    def places(self) -> dict[str, int]:
        """Place of each row, from 1, by its key."""
        return {row.key: place for place, row in enumerate(self.rows, 1)}


@st.cache_resource(show_spinner=False)
def drafts() -> SeedDrafts:
    """The drafts of the workspace."""
    return SeedDrafts(state.workspace())


@st.cache_resource(max_entries=20, show_spinner=False)
def saved_set(name: str, version: int) -> SeedSet:
    """A saved version, one object for all sessions: a version never changes."""
    return state.workspace().database.load_seed_set(name, version)


@st.cache_resource(max_entries=20, show_spinner=False)
def saved_rows(name: str, version: int) -> tuple[SeedRow, ...]:
    """The rows of a saved version with their tags."""
    return draft_rows(saved_set(name, version))


def choose() -> InHand | None:
    """The box with the seed sets, beside it the version, or what the draft was made from.

    None (and a sentence) when nothing is saved yet.
    """
    st.session_state.pop(MADE, None)
    infos = state.workspace().database.seed_sets()
    if not infos:
        st.info("No seed set is saved yet. Bring your own file first.")
        return None
    left, right = st.columns([3, 1])
    name = seed_choice.ask_name(infos, left)
    draft = drafts().open(name)
    if draft is None:
        version = seed_choice.ask_version(infos, name, right).version
        _forget_others(name, version)
        return InHand(name, version, saved_rows(name, version), *drafts().carried(name))
    hand = _of(draft)
    right.text_input(
        "Version",
        f"draft of {hand.version}",
        disabled=True,
        help="The draft holds all changes since that version. It stays until you save or "
        "discard it, also when you close this page.",
    )
    _forget_others(name, hand.version)
    return hand


def _forget_others(name: str, version: int) -> None:
    """What is ticked goes by keys, which other seed sets have as well."""
    if st.session_state.get(CHOSEN, (name, version)) != (name, version):
        clear()
    st.session_state[CHOSEN] = (name, version)


def _of(draft: SeedDraft) -> InHand:
    view = draft.view()
    return InHand(view.name, view.version, *view.board, view.n, draft, view)


# ------------------------------------------------------------------ changing, in callbacks


def change(hand: InHand, made: Change, typed: str = "") -> InHand | None:
    """Put a change on disk; the rows as they are then, None when it was refused.

    The sentence why stands on the page then, with what was `typed`, so that it is not lost.
    """
    try:
        draft = hand.draft or drafts().begin(hand.name, hand.version)
        if draft.view().version != hand.version:
            raise IsaraError(
                f"Not done: a draft of version {draft.view().version} was begun in another "
                "window. It is shown now; make your change there."
            )
        draft.change(made, seen=hand.n, author=author())
        after = st.session_state[MADE] = _of(draft)
        return after
    except IsaraError as error:
        refuse(str(error), typed)
        return None


def latest(hand: InHand) -> InHand:
    """The rows as they are when a button's callback runs: a cell that was left by the click on it
    was changed just before. What others changed meanwhile stays unseen."""
    made: InHand | None = st.session_state.get(MADE)
    ours = made is not None and made[:2] == hand[:2] and made.n == hand.n + 1
    return made if made is not None and ours else hand


def refuse(why: str, typed: str = "") -> None:
    """Say on the page why a change was not made, with what was typed."""
    st.session_state[MESSAGE] = f"{why} You had written: {typed}" if typed else why


def click(hand: InHand, made: Change) -> None:
    """What a button does: the change, and its name said."""
    if change(hand, made) is not None:
        st.toast(plain(made.title), icon=":material/check:")


def undo(hand: InHand, what: str = "undo") -> None:
    """Take back the last change, or make it again ("redo")."""
    hand = latest(hand)
    if hand.draft is None:
        return
    try:
        step = getattr(hand.draft, what)(seen=hand.n)
    except IsaraError as error:
        st.session_state[MESSAGE] = str(error)
        return
    words = "Took back" if what == "undo" else "Did again"
    st.toast(plain(f"{words}: {step.change.title}"), icon=f":material/{what}:")


def discard(hand: InHand) -> None:
    """Close the draft without saving; it can be taken up again."""
    hand = latest(hand)
    try:
        if hand.draft is not None:
            hand.draft.discard(seen=hand.n, author=author())
    except IsaraError as error:
        refuse(str(error))
        return
    clear()


def take_up(draft: SeedDraft) -> None:
    """Go on with a draft that was discarded."""
    try:
        drafts().take_up(draft, author())
    except IsaraError as error:
        refuse(str(error))


def clear() -> None:
    """Forget what is ticked; the draft stays."""
    st.session_state.pop(PICKS, None)


def author() -> str:
    """The name that changes are made under; "" while nobody said one."""
    return reviewer_now()


def ask_author() -> None:
    """The field for the name."""
    st.text_input(
        "Your name",
        key=AUTHOR,
        bind="query-params",
        persist_state="session",
        max_chars=60,
        help="Stands beside your changes and the version that you save. It stands in the address, "
        "so that a reload keeps it.",
    )


# ------------------------------------------------------------------ what the tabs say


def message() -> None:
    """Why the last change was refused."""
    if words := st.session_state.pop(MESSAGE, None):
        st.error(plain(words), icon=":material/error:")


def status(hand: InHand) -> None:
    """How far the draft is, with undo, redo and discard; the way back to a discarded one.

    As high without a draft: the first change may come with a click on what stands below.
    """
    view = hand.view
    gone = None if view else drafts().discarded(hand.name)
    with st.container(horizontal=True, vertical_alignment="center"):
        words = "draft" if view else "no draft"
        st.badge(words, icon=":material/edit:", color="blue" if view else "gray")
        st.text(_last(view, gone), width="stretch")
    with st.container(horizontal=True):
        _undo_and_redo(view, hand)
        with st.popover(
            "Discard",
            icon=":material/delete:",
            help="Close the draft unsaved.",
            disabled=view is None,
            key="seed_discard",
        ):
            st.markdown(
                "The saved versions stay as they are. You can take it up again until another draft "
                "is begun."
            )
            st.button("Discard the draft", on_click=discard, args=(hand,))
        if gone is not None:
            st.button("Take it up again", on_click=take_up, args=(gone,), type="tertiary")
    if view is None:
        return
    newer = state.workspace().database.seed_sets(hand.name)[0]
    if newer.version > view.version:
        st.warning(
            f"Version {newer.version} was saved since this draft was begun from version "
            f"{view.version}. What is new there is not in the draft: see Versions."
        )


def _undo_and_redo(view: View | None, hand: InHand) -> None:
    last = view.steps[-1].change.title if view and view.steps else ""
    again = view.redo.change.title if view and view.redo else ""
    for what, key, title, nothing in (
        ("undo", "u", last, "Nothing was changed yet."),
        ("redo", "shift+u", again, "Nothing was taken back."),
    ):
        st.button(
            what.capitalize(),
            key=f"seed_{what}",
            icon=f":material/{what}:",
            shortcut=key,
            disabled=not title,
            help=plain(title) or nothing,
            on_click=undo,
            args=(hand, what),
        )


def _last(view: View | None, gone: SeedDraft | None) -> str:
    if gone is not None:
        return f"The last draft, with {_changes(len(gone.view().steps))}, was discarded."
    if view is None:
        return "Your first change begins a draft."
    if not view.steps:
        return "Nothing is changed."
    step = view.steps[-1]
    who = f" by {step.author}" if step.author else ""
    when = datetime.fromisoformat(step.time)
    return (
        f"{_changes(len(view.steps))}, kept as you make them. The last: {step.change.title}{who}, "
        f"{when:%d %b, %H:%M} UTC."
    )


def _changes(count: int) -> str:
    return f"{count:,} change{'s' if count != 1 else ''}"


def category_names(rows: Sequence[SeedRow]) -> list[str]:
    """The categories of rows, in alphabetical order."""
    return sorted({row.category for row in rows if row.category})

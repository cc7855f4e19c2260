"""Problems of the rows in hand, each a sentence, and saving a draft as a version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import streamlit as st

from app import state
from app.widgets import seed_choice, seed_data, seed_length, seed_table
from app.widgets.plain import number_of, plain
from app.widgets.seed_data import InHand
from app.widgets.token_counts import TokenCounter, token_counter
from isara import curation
from isara.errors import InputError, IsaraError
from isara.examples import Problem

SHOWN = 20
FOUND = "seed_problems"
SAVED = "seed_draft_saved"
NOTE = "seed_save_note"
NOT_SAVED = "seed_not_saved"


def problems(hand: InHand) -> list[Problem]:
    """All problems of the rows, looked for once for each state of the draft and each model."""
    counter = seed_length.counter()
    asked = (hand.stamp, counter and counter.model)
    found = st.session_state.get(FOUND)
    if found is None or found[0] != asked:
        if counter is None:
            found = (asked, curation.problems(hand.rows))
        else:
            count = _counted(counter.model)
            listed = curation.problems(hand.rows, count_tokens=count, context=counter.context)
            found = (asked, listed)
        st.session_state[FOUND] = found
    result: list[Problem] = found[1]
    return result


@st.cache_resource(max_entries=4, show_spinner=False)
def _counted(model: str) -> Callable[[str, str], int]:
    """Tokens of a pair as a run counts them; each pair is counted once."""
    counter: TokenCounter = token_counter(model)

    @lru_cache(maxsize=200_000)
    def count(question: str, answer: str) -> int:
        return counter.count(f"{question}\n{answer}")

    return count


def show(hand: InHand, found: Sequence[Problem]) -> None:
    """The fields and the button for saving, and the problems."""
    st.subheader("Save as a version")
    left, middle, right = st.columns([2, 2, 3])
    name = left.text_input(
        "Name of the seed set", hand.name, max_chars=100, key=_name_key(hand)
    ).strip()
    with middle:
        seed_data.ask_author()
    right.text_input("Note", max_chars=300, key=NOTE, placeholder="What is new in this version")
    taken = state.workspace().database.seed_sets(name) if name else []
    version = taken[0].version + 1 if taken else 1
    changed = hand.view is not None and hand.view.changed
    rows = f"{len(hand.rows):,} row{'s' if len(hand.rows) != 1 else ''}"
    st.button(
        f"Save {rows} as version {version}",
        type="primary",
        icon=":material/save:",
        on_click=_save,
        args=(hand,),
        help=_why_not(bool(found), changed),
        key="seed_save",
    )
    _saved()
    if found:  # below the button: the last of them may go with the click on it
        _list(found)
    seed_length.ask()


def _name_key(hand: InHand) -> str:
    return f"seed_save_name_{hand.name}"


def _why_not(bad: bool, changed: bool) -> str:
    if not changed:
        return "Nothing is changed yet."
    if bad:
        return "First mend the rows that are listed below."
    return "Versions never change: this makes a new one."


def _list(found: Sequence[Problem]) -> None:
    count = len(found)
    with st.container(border=True):
        st.markdown(f":material/error: **{count:,} problem{'s' if count > 1 else ''}** to mend")
        for problem in found[:SHOWN]:
            st.text(f"• {problem}")
        if count > SHOWN:
            st.caption(f"And {count - SHOWN:,} more: they are listed as you mend these.")


def _save(drawn: InHand) -> None:
    """Before the page is drawn again, so that the new version can be chosen at once; with what the
    fields and the table hold by then."""
    if (hand := seed_table.latest(drawn)) is None:
        return
    name, note = (str(st.session_state.get(key) or "").strip() for key in (_name_key(hand), NOTE))
    try:
        version = _version(hand, name, note)
    except IsaraError as error:
        st.session_state[NOT_SAVED] = str(error)
        return
    seed_data.clear()
    st.session_state[NOTE] = ""
    st.session_state[SAVED] = (
        f"Saved as {plain(name)}, version {version}, with {number_of(len(hand.rows), 'row')}."
    )
    seed_choice.select(name, version)


def _version(hand: InHand, name: str, note: str) -> int:
    """Save the draft; IsaraError where it cannot be."""
    if hand.draft is None or hand.view is None or not hand.view.changed:
        raise InputError("Nothing was saved, because nothing is changed: change a row first.")
    if found := len(problems(hand)):
        words = f"{found:,} problem{'s are' if found > 1 else ' is'}"
        raise InputError(f"Nothing was saved, because {words} left: mend what is listed first.")
    if not name:
        raise InputError("Nothing was saved, because the seed set has no name: give it one.")
    return seed_data.drafts().save(
        hand.draft, seen=hand.n, name=name, author=seed_data.author(), note=note
    )


def _saved() -> None:
    if words := st.session_state.pop(NOT_SAVED, None):
        st.error(plain(words), icon=":material/error:")
    if words := st.session_state.pop(SAVED, None):
        st.success(words, icon=":material/check:")

"""Answers that a judge calls harmful stay folded until they are opened; one switch for all pages.

    fold_switch("pairs")                     # draws the switch; on until it is switched off
    column = folded(answers, flagged)        # of a table: the flagged ones without their text
    show_answer(text, flagged, key)          # one text, which a click opens
    if is_open(key, said): st.text(text)     # one text, which the key O opens
    was_opened(key)                          # of either

A folded text is not sent to the browser. Left out: files to keep, which are whole, and the blind
tasks, whose pages must not tell the judge's word.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import pandas as pd
import streamlit as st

SWITCH = "fold_harmful"  # in session_state: the same for all pages of a session
OPENED = "fold_opened"
READ = "fold_read"  # keys of expanders that were opened: their widgets forget it on another page
TURNED = "fold_turned"  # since the page was last drawn as a whole
HELP = (
    "An answer that the run's judge flags as harmful is shown only when it is opened. Leave this "
    "on when you show the page to others."
)
LABEL = "Harmful, says the judge: open to read"
HIDDEN = "(harmful, says the judge: folded)"


def folding() -> bool:
    """Whether harmful answers are folded in this session."""
    return bool(st.session_state.get(SWITCH, True))


def fold_switch(place: str) -> bool:
    """The switch, drawn at a place of the page; several on a page are the same one."""
    key = f"{SWITCH} {place}"
    st.session_state[key] = folding()
    st.toggle("Fold harmful answers", key=key, help=HELP, on_change=_switched, args=(key,))
    if st.session_state.pop(TURNED, False):
        st.rerun()  # what lies outside the fragment that was pressed folds too
    return folding()


def _switched(key: str) -> None:
    st.session_state[SWITCH] = bool(st.session_state[key])
    st.session_state[TURNED] = True


def folded(answers: pd.Series[Any], flagged: npt.ArrayLike) -> pd.Series[Any]:
    """A column of answers [n] as it is shown, `flagged` [n] by the judge."""
    return answers.mask(pd.Series(flagged, index=answers.index).astype(bool) & folding(), HIDDEN)


def show_answer(text: str, flagged: bool | None, key: str) -> None:
    """An answer as text, behind an expander where it is folded."""
    if not (flagged and folding()):
        st.text(text or "(empty)")
        return
    with st.expander(LABEL, key=_expander(key), on_change="rerun") as expander:
        if expander.open:
            st.session_state.setdefault(READ, set()).add(key)
            st.text(text)


def was_opened(key: str) -> bool:
    """Whether what is folded under this key can be read, or could be."""
    return (
        not folding()
        or key in st.session_state.get(OPENED, ())
        or key in st.session_state.get(READ, ())
        or bool(st.session_state.get(_expander(key)))
    )


def pair_key(run_id: str, candidate_id: str) -> str:
    """The key of a pair's answer: runs call their pairs alike."""
    return f"{run_id} {candidate_id}"


def _expander(key: str) -> str:
    return f"fold {key}"


def is_open(key: str, said: str, label: str) -> bool:
    """Whether what is folded under this key was opened; else says so, with a button for it."""
    opened: set[str] = st.session_state.setdefault(OPENED, set())
    if not folding() or key in opened:
        return True
    st.warning(said, icon=":material/visibility_off:")
    st.button(
        label,
        key=f"fold_open {key}",
        shortcut="o",
        icon=":material/visibility:",
        on_click=opened.add,
        args=(key,),
    )
    return False

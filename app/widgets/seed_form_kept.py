"""The open form of a seed set: what it is about, and what was typed, on disk until it is done.

    form = opened(name, "split", [key])    # in place of none; an open one with text in it stays
    form = current(hand)                   # that of the session, else the one that the URL names
    type_into(form, rows)                  # what the fields hold: on disk when it returns
    close(form)

A form's file is WORKSPACE/seed-drafts/NAME/form-TOKEN.json from the first change of a field on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from app import state
from app.widgets import kept_values
from app.widgets.kept_values import Kept, Values
from app.widgets.seed_data import InHand, refuse
from isara.curation import SeedRow
from isara.errors import IsaraError
from isara.workspace.seed_drafts import draft_folder

FORMS, NUMBER = "seed_forms_open", "seed_forms"  # in the session: by seed set; the last number
TOKEN = KIND = "form"  # TOKEN is in the URL
KINDS = {"add": 0, "open": 1, "split": 1, "merge": 2}  # the least number of rows that they need
Rows = tuple[SeedRow, ...]


class Form(NamedTuple):
    """An open form: what it does, to which rows, and the number that its fields are named by.

    `said` stands above it as text, such as the questions that a new row should answer to. `rows`
    are those that its fields were filled from, of the version `version`: the fields stay when
    somebody changes the rows. `first` is what was proposed, `typed` what the fields hold, and
    `begin` what they were drawn with: other values would be drawn as other fields.
    """

    name: str
    kind: str
    keys: tuple[str, ...]
    number: int
    said: str = ""
    version: int = 0
    rows: Rows | None = None
    first: Rows = ()
    typed: Rows = ()
    begin: Rows = ()
    kept: Kept | None = None


def _forms() -> dict[str, Form]:
    found: dict[str, Form] = st.session_state.setdefault(FORMS, {})
    return found


def _number() -> int:
    number: int = st.session_state.get(NUMBER, 0) + 1
    st.session_state[NUMBER] = number
    return number


def opened(name: str, kind: str, keys: Sequence[str] = (), said: str = "") -> Form:
    """Open a form in place of the one that is open."""
    return put(Form(name, kind, tuple(keys), _number(), said))


def put(form: Form) -> Form:
    """The form is this one from now on."""
    _forms()[form.name] = form
    return form


def numbered(name: str, number: int) -> Form | None:
    """The open form, if it is still this one: a field or a click may come after it was closed."""
    form = _forms().get(name)
    return form if form is not None and form.number == number else None


def current(hand: InHand) -> Form | None:
    """The form that is open, with the keys that its rows have now."""
    form = _forms().get(hand.name) or _found(hand.name)
    if form is None:
        return None
    if form.kept and st.query_params.get(TOKEN) != form.kept.token:
        st.query_params[TOKEN] = form.kept.token
    if form.rows is not None and form.version != hand.version:
        form = put(_in_version(form, hand))
    return form


def _found(name: str) -> Form | None:
    """The form that the URL names: a reload, or a restart of the server, is a new session."""
    kept = kept_values.find(_folder(name), KIND, st.query_params.get(TOKEN, ""))
    if kept is None:
        return None
    try:
        return put(_form_of(name, kept))
    except (KeyError, TypeError, ValueError):  # changed by hand
        return None


def _form_of(name: str, kept: Kept) -> Form:
    values = kept.values
    rows, first, typed = (tuple(map(row_of, values[part])) for part in ("rows", "first", "typed"))
    kind, keys = str(values["kind"]), tuple(map(str, values["keys"]))
    fields = 2 if kind == "split" else 1
    if not (KINDS[kind] <= len(keys) <= 2 and len(first) == len(typed) == fields):
        raise ValueError(kind)
    said, version = str(values["said"]), int(values["version"])
    return Form(name, kind, keys, _number(), said, version, rows, first, typed, kept=kept)


def row_of(values: Sequence[object]) -> SeedRow:
    """A row as it is read from a file; TypeError or ValueError where it was changed by hand."""
    key, question, answer, category, tags = values
    if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        raise TypeError(tags)
    return SeedRow(
        str(key), str(question), str(answer), str(category) if category else None, tuple(tags)
    )


def _in_version(form: Form, hand: InHand) -> Form:
    """The form in another version, where other keys belong to the same rows. A row that is not
    there any more has no key."""
    keys = {row[1:]: row.key for row in hand.rows}
    rows = tuple(row._replace(key=keys.get(row[1:], "")) for row in form.rows or ())
    return form._replace(version=hand.version, rows=rows, keys=tuple(row.key for row in rows))


def type_into(form: Form, typed: Rows) -> Form:
    """Keep what the fields hold. IsaraError where it cannot be written."""
    form = put(form._replace(typed=typed))  # in the session at least
    if form.kept is None and typed == form.first:
        return form
    return put(form._replace(kept=kept_values.keep(_folder(form.name), KIND, form.kept, _of(form))))


def _of(form: Form) -> Values:
    parts = ("kind", "keys", "said", "version", "rows", "first", "typed")
    return {part: getattr(form, part) for part in parts}


def close(form: Form) -> None:
    """The form is done with, and so is its file; one that cannot be deleted is told."""
    _forms().pop(form.name, None)
    st.query_params.pop(TOKEN, None)
    try:
        kept_values.forget(_folder(form.name), KIND, form.kept)
    except IsaraError as error:
        refuse(str(error))


def _folder(name: str) -> Path:
    return draft_folder(state.workspace().root, name)

"""What one window typed and did not save yet, piece by piece: found again by the page's address.

    notes = Unsaved("note")
    notes.put("7", text)               # in the session, and on disk when it returns
    notes.get("7")                     # None where nothing was typed
    notes.drop("7")                    # it was saved
    notes.stay()                       # on a page that shows them: the URL names their file

So it outlives a reload of that page and a restart of the server, and within a session other pages.
The file is WORKSPACE/unsaved/KIND-TOKEN.json; the parameter KIND-unsaved of the URL has the token.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from app import state
from app.widgets import kept_values
from app.widgets.kept_values import Kept, Values


class Unsaved(NamedTuple):
    """Values that can be written as JSON, by their names; `kind` tells them from others."""

    kind: str

    def get(self, name: str) -> Any:
        """What was typed under this name; None where nothing was."""
        return self._values().get(name)

    def names(self) -> list[str]:
        """The names under which something was typed."""
        return list(self._values())

    def put(self, name: str, value: Any) -> None:
        """Keep what was typed. IsaraError where it cannot be written: then the session alone has
        it."""
        value = json.loads(json.dumps(value))  # as it is read again
        self._keep(self._values() | {name: value})

    def drop(self, name: str) -> None:
        """Forget what was typed under this name."""
        values = self._values()
        if name in values:
            self._keep({key: value for key, value in values.items() if key != name})

    def stay(self) -> None:
        """Read what the URL names, or put the token into it again: another page takes it away."""
        self._values()
        kept: Kept | None = st.session_state.get(self._file)
        if kept and st.query_params.get(self._token) != kept.token:
            st.query_params[self._token] = kept.token

    def _values(self) -> Values:
        """In the session, else those that the URL names: a reload, or a restart of the server, is
        a new session."""
        if self._typed not in st.session_state:
            token = st.query_params.get(self._token, "")
            kept = kept_values.find(_folder(), self.kind, token)
            st.session_state[self._file] = kept
            st.session_state[self._typed] = kept.values if kept else {}
        values: Values = st.session_state[self._typed]
        return values

    def _keep(self, values: Values) -> None:
        st.session_state[self._typed] = values
        mine: Kept | None = st.session_state.get(self._file)
        if not values:
            kept_values.forget(_folder(), self.kind, mine)
            st.session_state[self._file] = None
            st.query_params.pop(self._token, None)
            return
        mine = st.session_state[self._file] = kept_values.keep(_folder(), self.kind, mine, values)
        st.query_params[self._token] = mine.token

    @property
    def _token(self) -> str:
        return f"{self.kind}-unsaved"

    @property
    def _typed(self) -> str:
        return f"unsaved {self.kind}"

    @property
    def _file(self) -> str:
        return f"unsaved file {self.kind}"


def _folder() -> Path:
    return state.workspace().root / "unsaved"

"""A task of a page in its address: what is labelled or voted on, so that a reload goes on with it.

TASK = TaskPlace("vote", unpacked, "Type your name …")
task = TASK.current()           # None: nothing is chosen yet
TASK.tell()                     # below the buttons: what went wrong
packed(task), fields(text)      # text for the URL, and its fields again
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import streamlit as st

from app.widgets.plain import plain
from app.widgets.samples_review import reviewer_now

ADDRESS = "task"  # the task in the URL
T = TypeVar("T", bound=Sequence[Any])
BAD = (ValueError, TypeError, OverflowError)  # what reading an address that means nothing raises


def packed(task: Sequence[Any]) -> str:
    """The task for the URL: no secret, but not readable at a glance either."""
    return base64.urlsafe_b64encode(json.dumps(task).encode()).decode()


def fields(text: str) -> Any:
    """What was packed; one of BAD where the text is none of it."""
    return json.loads(base64.urlsafe_b64decode(text))


class TaskPlace(Generic[T]):
    """Where a kind of task stands: in the session, and packed in the address."""

    def __init__(self, kind: str, read: Callable[[str], T | None], no_name: str) -> None:
        """`read` gives the task of an address, None where it names nothing that is there."""
        self._task, self._error = f"{kind}_task", f"{kind}_error"
        self._read, self._no_name = read, no_name

    def current(self) -> T | None:
        """The task that is worked on."""
        if self._task not in st.session_state:
            st.session_state[self._task] = self._read(st.query_params.get(ADDRESS, ""))
        task: T | None = st.session_state[self._task]
        return task

    def tell(self) -> None:
        """Say what went wrong since the last look. Below the buttons: it goes with the next field
        that is left, and they would move while they are pressed."""
        if message := st.session_state.pop(self._error, None):
            st.error(plain(message), icon=":material/error:")

    def start(self, task: T) -> None:
        """Work on this task from now on, once there is a name to store it under."""
        if not reviewer_now():
            self.went_wrong(f"There is no name. {self._no_name}")
            return
        st.session_state[self._task] = task

    def leave(self) -> None:
        """Go back to the choice."""
        st.session_state[self._task] = None
        st.query_params.pop(ADDRESS, None)

    def went_wrong(self, message: str) -> None:
        """Keep this for `tell`."""
        st.session_state[self._error] = message

"""Text of users and models inside Streamlit's messages: shown as text, never read as Markdown.

    st.success(f"Saved as {plain(name)}.")
    with sentences():        # an IsaraError inside becomes its sentence, not a traceback
        ...

`st.text` and `st.code` need none of this; labels, captions and messages do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from isara.errors import IsaraError

# A table says nowhere itself how the keyboard selects in it.
SELECT = "Select a row (Shift+Space on the keyboard)"
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def plain(text: object) -> str:
    """The text with a backslash before all ASCII punctuation, on one line: Markdown for itself."""
    return PUNCTUATION.sub(r"\\\1", " ".join(str(text).split()))


def number_of(count: int, noun: str) -> str:
    """A count with its noun: 1 row, 1,024 rows."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@contextmanager
def sentences() -> Iterator[None]:
    """Show what went wrong inside as one sentence and go on after the block."""
    try:
        yield
    except IsaraError as error:
        st.error(plain(error), icon=":material/error:")

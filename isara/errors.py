"""The errors that a user can cause, each turned into one sentence at the edge (cli.py, pages).

A message says what was found, what was expected and what to do next. Programming mistakes raise
ordinary Python errors and keep their traceback.
"""

from __future__ import annotations


class IsaraError(Exception):
    """Base of all errors whose message is meant for the user."""


class InputError(IsaraError):
    """A file, a value or a setting that the user gave cannot be used."""


class RunStateError(IsaraError):
    """A run is not in a state that allows what was asked for."""

"""What every part of the config is made of."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the config: unknown keys are refused, defaults are checked as well."""

    model_config = ConfigDict(extra="forbid", validate_default=True, use_attribute_docstrings=True)


def run_name(name: str) -> str:
    """The name, where it can be that of a folder on any system; else ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", name):
        raise ValueError(
            "use letters, digits, dots, dashes and underscores, 60 at most, and begin with a "
            "letter or a digit"
        )
    return name

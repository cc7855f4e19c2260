"""What every part of the config is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the config: unknown keys are refused, defaults are checked as well."""

    model_config = ConfigDict(extra="forbid", validate_default=True, use_attribute_docstrings=True)

"""A task of a page in its address: what is labelled or voted on, so that a reload goes on with it.

packed(task), fields(text)      # text for the URL, and its fields again
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

BAD = (ValueError, TypeError, OverflowError)  # what reading an address that means nothing raises


def packed(task: Sequence[Any]) -> str:
    """The task for the URL: no secret, but not readable at a glance either."""
    return base64.urlsafe_b64encode(json.dumps(task).encode()).decode()


def fields(text: str) -> Any:
    """What was packed; one of BAD where the text is none of it."""
    return json.loads(base64.urlsafe_b64decode(text))

"""What the tests of training share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    """The Trainer seeds the global generators; leave them as they were."""
    state = torch.get_rng_state()
    yield
    torch.set_rng_state(state)

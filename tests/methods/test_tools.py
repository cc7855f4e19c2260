"""What a run works with, where a file of it is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isara.config import RunConfig
from isara.errors import InputError
from isara.methods.tools import LoadedTools


def test_a_trained_model_that_is_gone_is_named(
    small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    model = tmp_path / "iteration-01" / "model"
    with pytest.raises(InputError, match=r"iteration-01/model is not there .* delete the folder"):
        LoadedTools(small_config()).writer(model)

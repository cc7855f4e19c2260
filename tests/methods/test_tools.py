"""What a run works with, where a file of it is gone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from isara.config import PROJECT_ROOT, RunConfig
from isara.errors import InputError
from isara.methods.tools import LoadedTools

# In a process of its own: nothing is imported there yet.
LOADED = """
import sys, time
from isara.config_files import load_config
from isara.methods.tools import LoadedTools
from isara.models import loading
tools = LoadedTools(load_config(sys.argv[1]))
started = time.perf_counter()
tools.writer(None), tools.judge, tools.embedder
print(loading.seconds / (time.perf_counter() - started))
"""


@pytest.mark.skipif(
    not (PROJECT_ROOT / "data/demo/language-model").is_dir(), reason="data/demo is not built"
)
def test_imports_count_as_loading_and_in_no_pace() -> None:
    command = [sys.executable, "-c", LOADED, "data/configs/demo.yaml"]
    found = subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True, text=True)
    assert float(found.stdout) > 0.95


def test_a_trained_model_that_is_gone_is_named(
    small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    model = tmp_path / "iteration-01" / "model"
    with pytest.raises(InputError, match=r"iteration-01/model is not there .* delete the folder"):
        LoadedTools(small_config()).writer(model)

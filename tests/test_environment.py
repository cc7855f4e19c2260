"""The machines that a run was carried out on, kept beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from isara import environment
from isara.workspace.runs import RunFolder


def test_an_environment_is_kept_once_and_a_new_one_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path / "r")
    assert environment.recorded(run) == []
    environment.record(run)
    environment.record(run)
    (first,) = environment.recorded(run)
    assert {"python", "packages", "gpus", "commit", "since"} <= set(first)
    monkeypatch.setattr(environment, "environment", lambda: {"python": "4.0"})
    environment.record(run)
    assert [found["python"] for found in environment.recorded(run)] == [first["python"], "4.0"]

"""Early stopping: when the harmful rate on dev no longer gets lower."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError
from isara.methods.base import waiting
from isara.methods.runner import prepare
from isara.workspace.files import read_json
from isara.workspace.runs import RunFolder, Workspace


@pytest.mark.parametrize(
    ("rates", "gain", "found"),
    [
        ([], 0.0, (0, 0)),
        ([0.6], 0.0, (0, 0)),
        ([0.6, 0.5, 0.4], 0.0, (2, 0)),
        ([0.6, 0.6, 0.7], 0.0, (0, 2)),  # equal is not lower
        ([0.6, 0.4, 0.5, 0.45], 0.0, (1, 2)),
        ([0.6, 0.4, 0.5, 0.3], 0.0, (3, 0)),
        ([0.6, 0.58, 0.56, 0.54], 0.05, (3, 0)),  # 0.06 below the base by now
        ([0.6, 0.58, 0.56, 0.56], 0.05, (0, 3)),
    ],
)
def test_waiting(rates: list[float], gain: float, found: tuple[int, int]) -> None:
    assert waiting(dict(enumerate(rates)), gain) == found


class Unchanged(ScriptedTools):
    """Trains in vain: M(k) answers as M0 does."""

    def writer(self, model: Path | None) -> Any:
        return super().writer(None)


Make = Callable[..., RunConfig]
CarryOut = Callable[..., RunFolder]


def test_a_run_without_gain_is_done_early_and_stays_so(
    small_config: Make, carried_out: CarryOut, tmp_path: Path
) -> None:
    config = small_config(loop={"max_iterations": 4, "patience": 2})
    folder = carried_out(config, tmp_path, Unchanged())
    rate = read_json(folder.iteration(0).metrics)["dev"]["harmful_rate"]["value"]
    state = folder.state()
    assert state.state == "done"
    assert state.stop_reason == (
        f"no gain on dev: in 2 iterations the harmful rate was not below {rate:.3f} of base model "
        f"(iteration 2: {rate:.3f})"
    )
    assert folder.iterations() == [0, 1, 2]
    assert read_json(folder.iteration(2).done)["trained"]
    assert carried_out(config, tmp_path, Unchanged()).state() != state  # written again,
    assert folder.state().stop_reason == state.stop_reason  # and the same


def test_a_run_that_gains_goes_on(
    small_config: Make, carried_out: CarryOut, tmp_path: Path
) -> None:
    config = small_config(loop={"max_iterations": 3, "patience": 3, "min_gain": 0.01})
    folder = carried_out(config, tmp_path, ScriptedTools())
    assert folder.iterations() == [0, 1, 2, 3]
    assert folder.state().stop_reason is None


def test_patience_changes_no_id_of_a_run_without_it(small_config: Make) -> None:
    before, after = small_config(), small_config(loop={"patience": None, "min_gain": 0.0})
    assert before.digest == after.digest
    assert before.digest != small_config(loop={"patience": 1}).digest


def test_patience_needs_an_eval_set(small_config: Make) -> None:
    with pytest.raises(InputError, match=r"loop\.patience is given without"):
        small_config(loop={"patience": 1}, evaluation={"prompts": None})


def test_without_a_rate_on_dev_nothing_ends_early_and_all_models_stay(
    small_config: Make, carried_out: CarryOut, tmp_path: Path
) -> None:
    prompts = tmp_path / "harmless.jsonl"
    rows = [
        {"question": f"How do I mend chair {i}?", "split": split, "harmless": True}
        for i, split in enumerate(("dev", "dev", "test"))
    ]
    prompts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = small_config(
        loop={"max_iterations": 3, "patience": 1, "keep_models": "best"},
        evaluation={"prompts": str(prompts), "baselines": []},
    )
    notes = prepare(config, Workspace(tmp_path / "w")).notes
    assert [note.split(": ")[1] for note in notes if note.startswith("No eval prompt of the")] == [
        "loop.patience does not end the loop.",
        "loop.keep_models",
    ]
    folder = carried_out(config, tmp_path, Unchanged())
    assert folder.state().stop_reason is None
    assert all(folder.iteration(k).model.is_dir() for k in (1, 2, 3))


def test_direct_has_one_iteration_and_no_early_end(
    small_config: Make, carried_out: CarryOut, tmp_path: Path
) -> None:
    config = small_config(
        loop={"max_iterations": 3, "patience": 1}, isheep={"setting": "direct"}
    ).model_copy(update={"method": "isheep"})
    assert carried_out(config, tmp_path, Unchanged()).state().stop_reason is None

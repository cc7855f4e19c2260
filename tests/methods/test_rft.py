"""RFT: stages in turns, what is recorded, accuracies, a kill in any stage and the same end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isara.config import RunConfig, resolve
from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools, WordEmbedder
from isara.demo.world import demo_world
from isara.errors import InputError
from isara.evaluation.harm import LABELS
from isara.evaluation.reward_accuracy import read_answer_pairs
from isara.methods.rewarding import check_rft
from isara.methods.tools import LoadedTools
from isara.report import summarise
from isara.report_table import metrics, rates
from isara.training.sft import StoppedError
from isara.workspace.files import read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Config = Callable[..., RunConfig]
CarriedOut = Callable[..., RunFolder]
ROOT = Path(__file__).resolve().parents[2]


class Logged(ScriptedTools):
    """Notes each training: its kind, the folders it goes on from, and how much it was given;
    raises at the training of that number."""

    def __init__(self, fail_at: int | None = None) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []
        self.fail_at = fail_at

    def _note(self, *call: Any) -> None:
        self.calls.append(tuple(where(x) for x in call))
        if len(self.calls) == self.fail_at:
            raise KeyboardInterrupt

    def train_reward(self, last: Any, pairs: Any, folder: Path, **more: Any) -> None:
        self._note("reward", last, len(pairs), folder)
        super().train_reward(last, pairs, folder, **more)

    def train_policy(
        self, model: Any, reward: Any, questions: Any, folder: Any, **more: Any
    ) -> None:
        self._note("policy", model, reward, len(questions), folder)
        super().train_policy(model, reward, questions, folder, **more)


def where(place: Any) -> Any:
    """A folder of the run by its last two names."""
    return "/".join(place.parts[-2:]) if isinstance(place, Path) else place


def rft_config(small_config: Config, **rft: Any) -> RunConfig:
    made = small_config(rft={"held_out": 4, **rft}, evaluation={"baselines": []})
    return made.model_copy(update={"method": "rft"})


ROUNDS = [
    ("reward", None, 8, "iteration-01/reward-model"),
    ("policy", None, "iteration-01/reward-model", 12, "iteration-01/model"),
    ("reward", "iteration-01/reward-model", 8, "iteration-02/reward-model"),
    ("policy", "iteration-01/model", "iteration-02/reward-model", 12, "iteration-02/model"),
]


def test_reward_and_policy_in_turns(
    small_config: Config, carried_out: CarriedOut, tmp_path: Path
) -> None:
    tools = Logged()
    folder = carried_out(rft_config(small_config), tmp_path, tools)
    assert tools.calls == ROUNDS
    summary = summarise(folder)
    assert [row["k"] for row in summary["iterations"]] == [0, 1, 2]
    for row in summary["iterations"][1:]:
        assert (row["trained"], row["retention"], row["scaling_ratio"]) == (True, None, 0.0)
        assert {"own", "reward", "policy", "evaluate"} <= row["seconds"].keys()
    progress = folder.progress()
    assert progress is not None
    assert progress["overall_done"] == progress["overall_total"]


@pytest.mark.parametrize("fail_at", [1, 2, 3, 4])
def test_a_killed_run_ends_like_another(
    small_config: Config, carried_out: CarriedOut, tmp_path: Path, fail_at: int
) -> None:
    config = rft_config(small_config)
    whole = carried_out(config, tmp_path / "whole", ScriptedTools())
    with pytest.raises(KeyboardInterrupt):
        carried_out(config, tmp_path / "killed", Logged(fail_at))
    again = Logged()
    killed = carried_out(config, tmp_path / "killed", again)
    assert again.calls == ROUNDS[fail_at - 1 :]  # what was done is not done again
    assert results(killed) == results(whole)


def results(folder: RunFolder) -> dict[str, Any]:
    """Every answer of the evaluations, and what own answers and accuracies hold."""
    import pandas as pd

    found: dict[str, Any] = {}
    for path in sorted(folder.path.glob("iteration-*/*")):
        if path.suffix == ".parquet":
            rows = pd.read_parquet(path).drop(columns="model", errors="ignore")
            found[str(path.relative_to(folder.path))] = rows.to_json()
        elif path.name in ("reward_accuracy.json", "metrics.json"):
            found[str(path.relative_to(folder.path))] = path.read_text()
    assert any("own.parquet" in name for name in found)
    return found


def test_accuracies_are_counted_by_kind(
    small_config: Config, carried_out: CarriedOut, tmp_path: Path
) -> None:
    careless = "Sure, here is a trick."
    better = [seed["answer"] for seed in read_jsonl(resolve(str(small_config().seeds.path)))[:4]]
    assert all(demo_world().is_good(answer, "safety") for answer in better)
    assert not demo_world().is_good(careless, "safety")
    rows = [{"question": "Q?", "better": answer, "worse": careless} for answer in better[:3]]
    rows.append({"question": "Q?", "better": careless, "worse": better[3]})  # the wrong way round
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = rft_config(small_config, preference_pairs=str(file))
    folder = carried_out(config, tmp_path / "ws", ScriptedTools())
    summary = summarise(folder)
    for row in summary["iterations"][1:]:
        found = row["reward_accuracy"]["preference_pairs"]
        assert (found["value"], found["n"], found["split"]) == (0.75, 4, "preference pairs")
        assert found["low"] == pytest.approx(0.3006, abs=1e-4)  # Wilson for 3 of 4
        own = answers(folder, row["k"])
        assert row["reward_accuracy"]["held_out"]["n"] <= 4 < len(own)
    assert "reward_accuracy" not in summary["iterations"][0]
    printed = [row[1] for row in metrics(summary).rows]
    assert printed.count("reward accuracy, preference pairs") == 2
    assert [row[1] for row in rates(summary).rows] == ["", "", ""]  # not "0 / 0"


def answers(folder: RunFolder, k: int) -> list[str]:
    import pandas as pd

    found: list[str] = pd.read_parquet(folder.iteration(k).path / "own.parquet")["answer"].tolist()
    return found


def test_the_same_demonstrations_are_held_out_in_every_round(
    small_config: Config, carried_out: CarriedOut, tmp_path: Path
) -> None:
    trained: list[set[str]] = []

    class Noting(ScriptedTools):
        def train_reward(self, last: Any, pairs: Any, folder: Path, **more: Any) -> None:
            trained.append({pair.better for pair in pairs})
            super().train_reward(last, pairs, folder, **more)

    config = rft_config(small_config)
    carried_out(config, tmp_path / "a", Noting())
    carried_out(config.model_copy(update={"random_seed": 9}), tmp_path / "b", Noting())
    assert trained[0] == trained[1]
    assert trained[2] == trained[3]
    assert trained[0] != trained[2]


def test_only_the_last_reward_model_stays(
    small_config: Config, carried_out: CarriedOut, tmp_path: Path
) -> None:
    config = rft_config(small_config)
    loop = config.loop.model_copy(update={"keep_models": "last"})
    folder = carried_out(config.model_copy(update={"loop": loop}), tmp_path, ScriptedTools())
    left = sorted(where(path) for path in folder.path.rglob("reward-model"))
    assert left == ["iteration-02/reward-model"]


# ------------------------------------------------------------------ real models


class Real(LoadedTools):
    """The models of a config, but for the embedder, which only looks for overlap here."""

    embedder = WordEmbedder()  # type: ignore[assignment]


class Stopping(Real):
    """Asks to stop when the second step of the policy is told, the first time."""

    asked = False

    def train_policy(self, *given: Any, **more: Any) -> None:
        tell = more["on_step"]

        def on_step(step: dict[str, float]) -> None:
            tell(step)
            self.asked = self.asked or step["step"] >= 2

        more |= {"on_step": on_step, "should_stop": lambda: self.asked}
        super().train_policy(*given, **more)


def test_a_policy_stage_stopped_halfway_is_done_again_with_the_same_end(
    small_config: Config,
    carried_out: CarriedOut,
    model_folder: Path,
    classifier_folder: Callable[..., Path],
    tmp_path: Path,
) -> None:
    config = small_config(
        model={"path": str(model_folder), "device": "cpu"},
        loop={"max_iterations": 1, "candidates": 4},
        prompts={"question_tokens": 8, "answer_tokens": 8},
        training={"batch_size": 4, "accumulation": 1},
        rft={"held_out": 4, "updates": 2, "policy_steps": 4, "answers": 2},
        evaluation={
            "judge": str(classifier_folder(tmp_path / "judge", LABELS)),
            "max_new_tokens": 8,
            "baselines": [],
        },
    ).model_copy(update={"method": "rft"})
    whole = carried_out(config, tmp_path / "whole", Real(config))
    with pytest.raises(StoppedError):
        carried_out(config, tmp_path / "stopped", Stopping(config))
    folder = Workspace(tmp_path / "stopped").run("r")
    assert folder.state().state == "stopped"
    assert not (folder.iteration(1).path / "trained.json").exists()
    carried_out(config, tmp_path / "stopped", Real(config))
    for name in ("model/model.safetensors", "reward-model/model.safetensors", "metrics.json"):
        ends = [run.iteration(1).path / name for run in (whole, folder)]
        assert ends[0].read_bytes() == ends[1].read_bytes(), name
    steps = [e for e in read_jsonl(folder.events_file) if e["kind"] == "policy"]
    assert not list(folder.path.rglob("checkpoints*"))
    # The wish of the second step is seen at the end of the third; then all four are done again.
    assert [e["step"] for e in steps] == [1, 2, 3, 1, 2, 3, 4]


# ------------------------------------------------------------------ input


def test_settings_that_cannot_work(small_config: Config, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"12 pairs.*rft\.held_out keeps 12"):
        check_rft(rft_config(small_config, held_out=12), 12)
    with pytest.raises(InputError, match=r"32 answers.*rft\.answers is 5"):
        check_rft(rft_config(small_config, answers=5), 12)
    with pytest.raises(InputError, match="cannot be read"):
        check_rft(rft_config(small_config, preference_pairs=str(tmp_path / "none")), 12)
    check_rft(rft_config(small_config), 12)


def test_the_shipped_config_and_its_pairs() -> None:
    config = load_config(ROOT / "data" / "configs" / "demo-rft.yaml")
    check_rft(config, 64)
    pairs = read_answer_pairs(resolve(str(config.rft.preference_pairs)))
    world = demo_world()
    assert len({pair.question for pair in pairs}) == len(pairs) == 200
    assert all(
        world.is_good(pair.better, "safety") and world.is_harmful(pair.worse) for pair in pairs
    )
    seeds = {row["question"] for row in read_jsonl(resolve(str(config.seeds.path)))}
    assert not seeds & {pair.question for pair in pairs}

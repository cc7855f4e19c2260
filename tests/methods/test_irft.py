"""SPIN and IRFT: who is trained on what, resuming, the curve of gaps, ISARA with that objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from isara.config import RunConfig
from isara.decoding.scripted import ScriptedWriter
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError
from isara.methods.progress import planned_work
from isara.methods.tools import LoadedTools
from isara.report import summarise
from isara.report_table import metrics
from isara.training.contrast import Contrast
from isara.training.sft import TrainingRow
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import RunFolder
from tests.training.weights import same, weights

Make = Callable[..., RunConfig]
Run = Callable[[RunConfig, Path, Any], RunFolder]
pytestmark = pytest.mark.usefixtures("small_blocks")


class Watched(ScriptedTools):
    """Scripted tools that note every training and every prompt; the base model answers in three
    words, M(k) in k words more."""

    def __init__(self) -> None:
        super().__init__()
        self.contrasted: list[tuple[str, list[Contrast], int | None]] = []
        self.tuned: list[tuple[str, list[str]]] = []
        self.read: list[str] = []

    def writer(self, model: Path | None) -> ScriptedWriter:
        def script(prompt: str, seed: int) -> str:
            self.read.append(prompt)
            again = 0 if model is None else read_json(model / "level.json")["level"]
            return f"{name(model)} answers {seed % 1000}" + " again" * again

        return ScriptedWriter(script)

    def fine_tune(
        self, model: Path | None, rows: Sequence[TrainingRow], folder: Path, **more: Any
    ) -> None:
        self.tuned.append((name(model), [row.example.id for row in rows]))
        super().fine_tune(model, rows, folder, **more)

    def contrast(
        self, model: Path | None, pairs: Sequence[Contrast], folder: Path, **more: Any
    ) -> None:
        self.contrasted.append((name(model), list(pairs), more["steps"]))
        ScriptedTools.fine_tune(self, model, [], folder, **more)


def name(model: Path | None) -> str:
    return "base" if model is None else model.parent.name


def method(config: RunConfig, wanted: str) -> RunConfig:
    return config.model_copy(update={"method": wanted})


def seeds_of(folder: RunFolder) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in read_jsonl(folder.path / "seeds.jsonl")}


def trained_ids(tools: Watched) -> list[list[str]]:
    return [[pair.demonstration.id for pair in pairs] for _, pairs, _ in tools.contrasted]


@pytest.fixture(scope="module")
def finished(
    small_config: Make, carried_out: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunFolder, Watched]:
    """IRFT in 3 stages on 12 seeds, 2 of them held out, after SFT; not to be changed."""
    config = small_config(
        loop={"max_iterations": 3},
        contrast={"held_out": 2, "updates": 7, "first_sft": True},
    )
    tools = Watched()
    folder = carried_out(method(config, "irft"), tmp_path_factory.mktemp("irft"), tools)
    return folder, tools


Finished = tuple[RunFolder, Watched]


# ------------------------------------------------------------------ who is trained on what


def test_each_stage_has_its_own_slice(finished: Finished) -> None:
    folder, tools = finished
    slices = trained_ids(tools)
    assert [len(part) for part in slices] == [4, 3, 3]
    shown = [one for part in slices for one in part]
    assert len(set(shown)) == 10
    assert set(shown) < set(seeds_of(folder))
    assert [steps for _, _, steps in tools.contrasted] == [7, 7, 7]


def test_each_stage_starts_from_the_one_before(finished: Finished) -> None:
    _, tools = finished
    started = [model for model, _, _ in tools.contrasted]
    assert started == ["baseline-first_sft", "iteration-01", "iteration-02"]
    # And is its own opponent: the model that is trained wrote the answers.
    for model, pairs, _ in tools.contrasted:
        assert {pair.own.split()[0] for pair in pairs} == {model}


def test_own_answers_are_written_to_the_question_alone(finished: Finished) -> None:
    folder, tools = finished
    for k, (_, pairs, _) in enumerate(tools.contrasted, 1):
        table = pd.read_parquet(folder.iteration(k).path / "own.parquet")
        assert table["answer"].tolist() == [pair.own for pair in pairs]
        assert table["demonstration"].tolist() == [pair.demonstration.id for pair in pairs]
        assert table["answer"].nunique() > 1  # each row has a seed of its own
        for pair in pairs:
            assert f"Question: {pair.demonstration.question}\nAnswer:" in tools.read


def test_sft_before_the_first_stage_does_not_see_what_is_held_out(finished: Finished) -> None:
    _, tools = finished
    (_, everything), (model, first) = tools.tuned  # the baseline, and the start
    assert model == "base"
    assert len(everything) == 12
    assert sorted(first) == sorted(one for part in trained_ids(tools) for one in part)


def test_nothing_is_kept_and_nothing_is_retained(finished: Finished) -> None:
    rows = summarise(finished[0])["iterations"]
    assert [row["k"] for row in rows] == [0, 1, 2, 3]
    for row in rows[1:]:
        assert (row["trained"], row["generated"], row["kept"]) == (True, 0, 0)
        assert row["retention"] is None
        assert row["scaling_ratio"] == 0
        assert row["harmful_rate"]["n"] > 0
    trained = read_json(finished[0].iteration(1).path / "trained.json")
    assert trained == {"rows": 4, "own_answers": 4, "steps": 4}  # as scripted training reports


def test_spin_has_all_demonstrations_in_every_iteration(
    small_config: Make, carried_out: Run, tmp_path: Path
) -> None:
    tools = Watched()
    config = small_config(contrast={"held_out": 2}, evaluation={"baselines": []})
    carried_out(method(config, "spin"), tmp_path, tools)
    first, second = trained_ids(tools)
    assert len(first) == 10
    assert first == second
    assert [model for model, _, _ in tools.contrasted] == ["base", "iteration-01"]
    own = [[pair.own for pair in pairs] for _, pairs, _ in tools.contrasted]
    assert own[0] != own[1]
    assert tools.tuned == []


def test_own_answers_that_the_budget_cut_are_told(
    small_config: Make, carried_out: Run, tmp_path: Path
) -> None:
    config = small_config(
        contrast={"held_out": 2},
        loop={"max_iterations": 1},
        prompts={"answer_tokens": 4},
        evaluation={"prompts": None, "judge": None},
    )

    class Long(Watched):
        def writer(self, model: Path | None) -> ScriptedWriter:
            return ScriptedWriter(lambda prompt, seed: "one two three" + " four five" * (seed % 2))

    folder = carried_out(method(config, "spin"), tmp_path, Long())
    own = pd.read_parquet(folder.iteration(1).path / "own.parquet")
    count = int((own["answer_finish"] == "budget").sum())
    assert 0 < count < len(own)
    (told,) = (e["message"] for e in folder.events()[0] if e["kind"] == "warning")
    assert told.startswith(f"{count} of {len(own)} own answers were cut at 4 tokens")


def test_another_random_seed_holds_others_out(
    small_config: Make, carried_out: Run, tmp_path: Path
) -> None:
    found = []
    for seed in (1, 2):
        tools = Watched()
        config = small_config(evaluation={"baselines": []}).model_copy(
            update={"random_seed": seed, "method": "spin"}
        )
        carried_out(config, tmp_path / str(seed), tools)
        found.append(set(trained_ids(tools)[0]))
    assert len(found[0]) == len(found[1]) == 4  # 12 seeds, 8 held out by default
    assert found[0] != found[1]


def test_too_few_demonstrations_are_told(
    small_config: Make, carried_out: Run, tmp_path: Path
) -> None:
    config = small_config(loop={"max_iterations": 5})
    message = "has 12 pairs, of which contrast.held_out keeps 8.*irft needs at least 5"
    with pytest.raises(InputError, match=message):
        carried_out(method(config, "irft"), tmp_path, Watched())
    carried_out(method(config, "spin"), tmp_path / "spin", Watched())  # 4 are enough for it


def test_only_the_last_model_stays_when_asked(
    small_config: Make, carried_out: Run, tmp_path: Path
) -> None:
    config = small_config(loop={"keep_models": "last"}, contrast={"first_sft": True})
    folder = carried_out(method(config, "irft"), tmp_path, Watched())
    models = sorted(path.parent.name for path in folder.path.glob("*/model"))
    assert models == ["iteration-02"]


def test_the_plan_counts_the_pairs_of_a_stage(small_config: Make) -> None:
    config = small_config(
        loop={"max_iterations": 3},
        contrast={"held_out": 2, "updates": 7, "first_sft": True},
        training={"epochs": 2, "batch_size": 4, "accumulation": 2},
    )
    plan = planned_work(method(config, "irft"), seeds=12, prompts=12)
    assert [plan[f"{k}/own"] for k in (1, 2, 3)] == [4, 3, 3]  # slices of ten
    assert (plan["1/train"], plan["first_sft/train"]) == (7 * 8, 10 * 2)
    assert planned_work(method(config, "spin"), seeds=12, prompts=12)["1/own"] == 10


# ------------------------------------------------------------------ the curve


def test_the_gap_counts_words_here(finished: Finished) -> None:
    # A text has one nat a word and one for its end: a gap is the answer's words less the
    # demonstration's. Each training makes answers a word longer, and SFT came before them.
    folder, tools = finished
    shown = {one for part in trained_ids(tools) for one in part}
    held_out = [row for one, row in seeds_of(folder).items() if one not in shown]
    words = [len(row["answer"].split()) for row in held_out]
    assert len(words) == 2
    rows = summarise(folder)["iterations"]
    expected = [3 + longer - sum(words) / 2 for longer in (0, 2, 3, 4)]
    assert [row["log_prob_gap"]["value"] for row in rows] == pytest.approx(expected)
    fixed = [row["log_prob_gap_base"]["value"] for row in rows]
    assert fixed == pytest.approx([expected[0]] * 4)
    for row in rows:
        found = row["log_prob_gap"]
        assert found["n"] == 2
        assert found["low"] <= found["value"] <= found["high"]
    named = [row[1] for row in metrics(summarise(folder)).rows]
    assert named.count("log_prob_gap") == named.count("log_prob_gap_base") == 4


def test_without_held_out_demonstrations_there_is_no_curve(
    small_config: Make, carried_out: Run, tmp_path: Path
) -> None:
    tools = Watched()
    config = small_config(contrast={"held_out": 0})
    folder = carried_out(method(config, "spin"), tmp_path, tools)
    assert len(trained_ids(tools)[0]) == 12
    assert all("log_prob_gap" not in row for row in summarise(folder)["iterations"])


# ------------------------------------------------------------------ ISARA with this objective


@pytest.mark.parametrize("start_from", ["previous", "base"])
def test_isara_trains_on_seeds_and_kept_pairs_against_own_answers(
    small_config: Make, carried_out: Run, tmp_path: Path, start_from: str
) -> None:
    class Grammar(Watched):
        def writer(self, model: Path | None) -> ScriptedWriter:
            return ScriptedTools.writer(self, model)

    tools = Grammar()
    config = small_config(
        training={"objective": "contrast", "start_from": start_from}, contrast={"held_out": 2}
    )
    folder = carried_out(config, tmp_path, tools)
    for k, (model, pairs, _) in enumerate(tools.contrasted, 1):
        kept = [row["id"] for row in read_jsonl(folder.iteration(k).kept)]
        assert kept
        ids = [pair.demonstration.id for pair in pairs]
        assert ids == [*seeds_of(folder), *kept]
        assert model == ("base" if k == 1 or start_from == "base" else "iteration-01")
        own = pd.read_parquet(folder.iteration(k).path / "own.parquet")
        assert own["answer"].tolist() == [pair.own for pair in pairs]
        done = read_json(folder.iteration(k).done)
        assert (done["generated"], done["kept"]) == (20, len(kept))
    assert len(tools.contrasted) == 2
    assert len(tools.tuned) == 1  # the baseline is SFT all the same


# ------------------------------------------------------------------ a real model; kills


@pytest.fixture
def real(small_config: Make, model_folder: Path) -> Callable[..., RunConfig]:
    """Two stages of two steps on the tiny Llama, 2 of 12 demonstrations held out, no eval set."""

    def make(wanted: str, iterations: int = 2) -> RunConfig:
        config = small_config(
            model={"path": str(model_folder), "device": "cpu"},
            loop={"max_iterations": iterations},
            prompts={"answer_tokens": 6},
            contrast={"held_out": 2, "updates": 2},
            training={"learning_rate": 1e-3, "warmup_ratio": 0, "batch_size": 5, "save_every": 1,
                      "accumulation": 1},
            evaluation={"prompts": None, "judge": None},
        )  # fmt: skip
        return method(config, wanted)

    return make


def trained(folder: RunFolder, k: int) -> dict[str, torch.Tensor]:
    return weights(folder.iteration(k).model)


def test_irft_in_one_stage_is_one_iteration_of_spin(
    real: Callable[..., RunConfig], carried_out: Run, tmp_path: Path
) -> None:
    runs = []
    for wanted, iterations in (("irft", 1), ("spin", 1), ("irft", 2)):
        config = real(wanted, iterations)
        place = tmp_path / f"{wanted}-{iterations}"
        runs.append(carried_out(config, place, LoadedTools(config)))
    one, spin, two = runs
    for file in ("own.parquet", "gap.json", "trained.json"):
        tables = [(run.iteration(1).path / file).read_bytes() for run in runs]
        assert tables[0] == tables[1]
        assert tables[0] != tables[2]
    assert same(trained(one, 1), trained(spin, 1))
    assert not same(trained(one, 1), trained(two, 1))
    first, last = summarise(spin)["iterations"]
    assert first["log_prob_gap"]["value"] == first["log_prob_gap_base"]["value"]
    assert last["log_prob_gap"]["value"] != last["log_prob_gap_base"]["value"]
    assert last["log_prob_gap_base"]["value"] != first["log_prob_gap_base"]["value"]


class KilledError(BaseException):
    """Stands for kill -9."""


class Mortal(LoadedTools):
    """Dies after the first step of the second training, or when the second answers are written."""

    def __init__(self, config: RunConfig, at: str) -> None:
        super().__init__(config)
        self.at, self.trained = at, 0

    def writer(self, model: Path | None) -> Any:
        if self.at == "write" and self.trained == 1:
            raise KilledError
        return super().writer(model)

    def contrast(self, *given: Any, **more: Any) -> None:
        told = more["on_step"]

        def on_step(step: dict[str, float]) -> None:
            told(step)
            if self.at == "train" and self.trained == 1 and step["step"] == 2:
                raise KilledError

        super().contrast(*given, **more | {"on_step": on_step})
        self.trained += 1


@pytest.mark.parametrize("at", ["write", "train"])
def test_a_killed_run_ends_as_one_that_was_not(
    real: Callable[..., RunConfig], carried_out: Run, tmp_path: Path, at: str
) -> None:
    config = real("irft")
    whole = carried_out(config, tmp_path / "whole", LoadedTools(config))
    with pytest.raises(KilledError):
        carried_out(config, tmp_path / "cut", Mortal(config, at))
    torch.manual_seed(5)
    cut = carried_out(config, tmp_path / "cut", LoadedTools(config))
    for k in (1, 2):
        assert same(trained(whole, k), trained(cut, k))
        for file in ("own.parquet", "gap.json", "trained.json"):
            files = [run.iteration(k).path / file for run in (whole, cut)]
            if file != "own.parquet":
                assert files[0].read_bytes() == files[1].read_bytes()
                continue
            tables = [pd.read_parquet(path).drop(columns="model") for path in files]
            assert tables[0].equals(tables[1])  # the model's folder has another name
        assert not list(cut.iteration(k).model.glob("checkpoint*"))
    assert cut.state().state == "done"

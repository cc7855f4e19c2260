"""Baselines: which examples the base model is shown, and how long matched training is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from isara.config import RunConfig
from isara.decoding.scripted import ScriptedWriter
from isara.demo.scripted import ScriptedTools, WordEmbedder
from isara.methods.runner import execute, prepare
from isara.report import summarise
from isara.retrieval import nearest
from isara.training.sft import TrainingRow
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]
ALL = ["sft", "icl_knn", "icl_random", "sft_matched"]


class Watched(ScriptedTools):
    """Remembers every prompt by the model that read it, and every training's length."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[str, str]] = []
        self.steps: list[tuple[int, int | None]] = []

    def writer(self, model: Path | None) -> ScriptedWriter:
        writer = super().writer(model)
        write = writer.write

        def spy(prompts: Sequence[str], *given: Any, **more: Any) -> Any:
            self.read += [(writer.name, prompt) for prompt in prompts]
            return write(prompts, *given, **more)

        writer.write = spy  # type: ignore[method-assign]
        return writer

    def fine_tune(
        self, model: Path | None, rows: Sequence[TrainingRow], folder: Path, **more: Any
    ) -> None:
        self.steps.append((len(rows), more["steps"]))
        super().fine_tune(model, rows, folder, **more)


@pytest.fixture(scope="module")
def finished(
    small_config: Make, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunFolder, Watched]:
    """A run of two iterations with every baseline."""
    workspace = Workspace(tmp_path_factory.mktemp("baselines"))
    config = small_config(evaluation={"baselines": ALL})
    folder, tools = workspace.run("r"), Watched()
    execute(prepare(config, workspace), folder, workspace=workspace, tools=tools)
    workspace.database.close()
    return folder, tools


Finished = tuple[RunFolder, Watched]


def test_all_stand_in_the_table(finished: Finished) -> None:
    summary = summarise(finished[0])
    assert list(summary["baselines"]) == ALL
    for row in summary["baselines"].values():
        assert row["harmful_rate"]["n"] == summary["iterations"][0]["harmful_rate"]["n"]
    compared = {row["a"] for row in summary["comparisons"] if row["metric"] == "harmful_rate"}
    assert compared == {"base", *ALL}


def test_icl_knn_reads_the_nearest_seeds_before_the_question(finished: Finished) -> None:
    folder, tools = finished
    seeds, asked = (
        read_jsonl(folder.path / "seeds.jsonl"),
        read_jsonl(folder.path / "prompts.jsonl"),
    )
    embed = WordEmbedder().embed
    questions = [row["question"] for row in asked]
    _, index = nearest(embed([row["question"] for row in seeds]), embed(questions), 4)
    read = {prompt for name, prompt in tools.read if name == "scripted 0"}
    for question, rows in zip(questions, index.tolist(), strict=True):
        blocks = [
            f"Question: {seeds[j]['question']}\nAnswer: {seeds[j]['answer']}\n\n"
            for j in rows[::-1]
        ]
        assert f"{''.join(blocks)}Question: {question}\nAnswer:" in read


def test_icl_random_reads_other_seeds_for_each_question(finished: Finished) -> None:
    folder, tools = finished
    questions = [row["question"] for row in read_jsonl(folder.path / "prompts.jsonl")]
    ends = tuple(f"Question: {question}\nAnswer:" for question in questions)
    shown = {
        prompt.rsplit("Question:", 1)[0]
        for name, prompt in tools.read
        if name == "scripted 0" and prompt.endswith(ends)
    }
    assert "" in shown  # zero-shot
    assert len(shown) > len(questions)  # nearest ones, and random ones beside them


def test_matched_training_takes_the_steps_of_all_iterations(finished: Finished) -> None:
    folder, tools = finished
    steps = [read_json(folder.iteration(k).path / "trained.json")["steps"] for k in (1, 2)]
    assert steps == [4, 4]  # as the scripted training reports them
    assert tools.steps[0] == (12, None)
    assert tools.steps[-1] == (12, 8)


def test_nothing_trained_nothing_to_match(small_config: Make, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    config = small_config(evaluation={"baselines": ["sft_matched"]}, loop={"alpha": 1.0})
    folder = workspace.run("r")
    execute(prepare(config, workspace), folder, workspace=workspace, tools=Watched())
    workspace.database.close()
    assert summarise(folder)["baselines"] == {}

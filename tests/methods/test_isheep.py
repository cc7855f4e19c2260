"""I-SHEEP: lists of tasks, self-assessment, the four settings, and a run that is killed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isara.config import RunConfig
from isara.decoding.scripted import ScriptedWriter
from isara.demo.scripted import ScriptedTools, task_list
from isara.demo.world import demo_world
from isara.methods.isheep import NO_TASKS
from isara.methods.runner import prepare
from isara.methods.tasks import list_prompt, read_list
from isara.prompts import TASKS_HEAD
from isara.report import summarise
from isara.training.sft import StoppedError, TrainingRow
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]
Run = Callable[..., RunFolder]


# ------------------------------------------------------------------ lists


@pytest.mark.parametrize(
    ("text", "finish", "tasks"),
    [
        (" Bake bread\n7. Mend a chair\n", "end", ["Bake bread", "Mend a chair"]),
        (" Bake bread\n7. Mend a cha", "budget", ["Bake bread"]),
        (" Bake bread\n\n 7) Mend a chair", "end", ["Bake bread", "Mend a chair"]),
        (" Bake bread\n9. Mend a chair", "end", ["Bake bread"]),  # out of count
        (" Bake bread\nThat is all.\n7. Mend", "end", ["Bake bread"]),
        ("\n7. Mend a chair", "end", []),
        ("", "end", []),
        (" Rent 2. hand tools\n7. 3. things", "end", ["Rent 2. hand tools", "3. things"]),
    ],
)
def test_a_list_is_read_while_it_counts(text: str, finish: str, tasks: list[str]) -> None:
    assert read_list(text, 6, finish) == tasks


def test_the_prompt_is_a_list_begun() -> None:
    prompt = list_prompt("{tasks} tasks in all.", ["Bake\nbread", "Mend a chair"], 20)
    assert prompt == "20 tasks in all.\n\nTasks:\n1. Bake bread\n2. Mend a chair\n3."
    assert list_prompt("", ["Bake"], 5) == "Tasks:\n1. Bake\n2."


# ------------------------------------------------------------------ runs


class Watched(ScriptedTools):
    """Notes what every training started from and on what."""

    def __init__(self) -> None:
        super().__init__()
        self.trained: list[tuple[Path | None, list[str]]] = []

    def fine_tune(
        self, model: Path | None, rows: Sequence[TrainingRow], folder: Path, **more: Any
    ) -> None:
        self.trained.append((model, [row.example.question for row in rows]))
        super().fine_tune(model, rows, folder, **more)


@pytest.fixture
def sheep(small_config: Make) -> Make:
    """Makes configs of I-SHEEP: 30 tasks in an iteration, quality above 7."""

    def make(**parts: dict[str, Any]) -> RunConfig:
        config = small_config(
            loop={"candidates": 30},
            filters={"assessment": "quality", "min_assessment": 7} | parts.pop("filters", {}),
            evaluation={"baselines": []},
            **parts,
        )
        return config.model_copy(update={"method": "isheep"})

    return make


def kept(folder: RunFolder, k: int) -> list[str]:
    return [row["question"] for row in read_jsonl(folder.iteration(k).kept)]


def test_isaras_defaults_are_told_to_be_none_of_the_authors(sheep: Make, tmp_path: Path) -> None:
    config = sheep(decoding={"preset": "paper"}, filters={"assessment": "none"})
    (note,) = (n for n in prepare(config, Workspace(tmp_path)).notes if "authors" in n)
    assert "decoding.preset: sampling" in note
    assert "filters.assessment: both" in note
    assert "filters.instruction_rules: true" in note
    assert "below 5 words a text is dropped (filters.min_words: 0)" in note
    assert "loop.alpha" not in note  # 0 here
    theirs = {"assessment": "both", "instruction_rules": True, "min_words": 0}
    notes = prepare(sheep(filters=theirs), Workspace(tmp_path)).notes
    assert not any("authors" in note for note in notes)


def test_filters_of_a_method_that_filters_nothing_are_told(
    small_config: Make, tmp_path: Path
) -> None:
    for filters, told in (({"min_words": 9}, True), ({}, False)):
        config = small_config(filters=filters, contrast={"held_out": 2})
        notes = prepare(config.model_copy(update={"method": "spin"}), Workspace(tmp_path)).notes
        assert any("spin filters nothing" in note for note in notes) is told


@pytest.mark.parametrize("setting", ["one_base", "one_last", "total_base", "direct"])
def test_which_model_is_trained_on_what(
    sheep: Make, carried_out: Run, tmp_path: Path, setting: str
) -> None:
    tools = Watched()
    folder = carried_out(sheep(isheep={"setting": setting}), tmp_path, tools)
    first, second = folder.iteration(1).model, kept(folder, 1)
    sources = [source for source, _ in tools.trained]
    rows = [questions for _, questions in tools.trained]
    assert rows[0] == second  # D(1) alone: no seed among them
    if setting == "direct":
        assert (sources, len(rows)) == ([None], 1)
        assert read_json(folder.iteration(1).done)["generated"] == 60  # both iterations at once
        return
    assert sources == [None, first if setting == "one_last" else None]
    newest = kept(folder, 2)
    assert rows[1] == (second + newest if setting == "total_base" else newest)


@pytest.mark.parametrize("setting", ["one_base", "one_last", "total_base"])
def test_a_task_that_was_kept_before_is_not_kept_again(
    sheep: Make, carried_out: Run, tmp_path: Path, setting: str
) -> None:
    class Repeating(ScriptedTools):
        def writer(self, model: Path | None) -> ScriptedWriter:
            written = super().writer(model)

            def script(prompt: str, seed: int) -> str:
                tasks = TASKS_HEAD in prompt and prompt.endswith(".")
                return (
                    task_list(prompt, Random(prompt[-3:]))
                    if tasks
                    else written.script(prompt, seed)
                )

            return ScriptedWriter(script)

    config = sheep(isheep={"setting": setting}, filters={"assessment": "none"})
    folder = carried_out(config, tmp_path, Repeating())
    assert kept(folder, 1)
    assert not set(kept(folder, 1)) & set(kept(folder, 2))


def test_scores_of_the_model_decide_and_are_kept(
    sheep: Make, carried_out: Run, tmp_path: Path
) -> None:
    folder = carried_out(sheep(filters={"assessment": "both"}), tmp_path, ScriptedTools())
    scores = pd.read_parquet(folder.iteration(1).scores)
    replies = pd.read_parquet(folder.iteration(1).path / "assessed.parquet")
    assert set(scores["quality"].dropna()) == {2.0, 9.0}
    unreadable = replies["quality_reply"].str.startswith("It depends")
    assert 0 < unreadable.sum() < 15
    assert (scores["quality"].isna() == unreadable).all()
    answers = [row["answer"] for row in read_jsonl(folder.iteration(1).kept)]
    assert answers
    assert all(demo_world().harm_label(answer) is None for answer in answers)
    warnings = [e["message"] for e in folder.events()[0] if e["kind"] == "warning"]
    assert any(f"{unreadable.sum()} of {len(scores)} replies on quality" in w for w in warnings)
    row = summarise(folder, "dev")["iterations"][1]
    assert (row["kept"], row["generated"]) == (len(answers), len(scores))


def test_nothing_kept_is_no_training(sheep: Make, carried_out: Run, tmp_path: Path) -> None:
    config = sheep(filters={"min_assessment": 10})
    folder = carried_out(config, tmp_path, ScriptedTools())
    assert folder.state().stop_reason == "no pair was kept of 30: nothing to train on"


def test_lists_that_cannot_be_read_end_the_run(
    sheep: Make, carried_out: Run, tmp_path: Path
) -> None:
    class Silent(ScriptedTools):
        def writer(self, model: Path | None) -> ScriptedWriter:
            return ScriptedWriter(lambda prompt, seed: "")

    folder = carried_out(sheep(), tmp_path, Silent())
    assert folder.state().stop_reason == NO_TASKS
    row = summarise(folder, "dev")["iterations"][1]
    assert (row["trained"], row["generated"], row["kept"], row["retention"]) == (False, 0, 0, None)


def test_a_task_that_leaves_no_room_for_an_answer_is_left_out(
    sheep: Make, carried_out: Run, tmp_path: Path
) -> None:
    class Wordy(ScriptedTools):
        def writer(self, model: Path | None) -> ScriptedWriter:
            inner = super().writer(model)

            def script(prompt: str, seed: int) -> str:
                text = inner.script(prompt, seed)
                if TASKS_HEAD not in prompt:
                    return text
                head, *rest = text.split("\n")
                return "\n".join([f"{head} {'very ' * 90}long", *rest])

            return ScriptedWriter(script)

    config = sheep(training={"max_tokens": 90})
    folder = carried_out(config, tmp_path, Wordy())
    asked = pd.read_parquet(folder.iteration(1).candidates)["question"]
    assert len(asked) > 10
    assert not any("very very" in question for question in asked)


def test_the_newest_rows_are_trained_on_where_there_are_too_many(
    sheep: Make, carried_out: Run, tmp_path: Path
) -> None:
    tools = Watched()
    config = sheep(isheep={"setting": "total_base", "max_rows": 7})
    folder = carried_out(config, tmp_path, tools)
    assert len(kept(folder, 1)) > 7
    assert [rows for _, rows in tools.trained] == [kept(folder, k)[-7:] for k in (1, 2)]


def test_perplexity_and_density_are_measured_where_they_are_asked_for(
    sheep: Make, carried_out: Run, tmp_path: Path
) -> None:
    off = {"assessment": "none", "max_perplexity": 50, "clusters": 6, "max_rouge_l": 1.01}
    folder = carried_out(sheep(filters=off), tmp_path, ScriptedTools())
    scores = pd.read_parquet(folder.iteration(1).scores)
    assert scores["cluster"].nunique() == 6
    assert len(kept(folder, 1)) <= 6
    assert np.allclose(scores["perplexity"], np.e)  # the scripted model gives one nat a word
    assert "quality" not in scores


def test_isara_takes_the_assessment_as_one_more_filter(
    small_config: Make, carried_out: Run, tmp_path: Path
) -> None:
    config = small_config(filters={"assessment": "quality"}, evaluation={"baselines": []})
    folder = carried_out(config, tmp_path, ScriptedTools())
    answers = [row["answer"] for row in read_jsonl(folder.iteration(1).kept)]
    assert answers
    assert all(demo_world().harm_label(answer) is None for answer in answers)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("call", [2, 5, 9])
def test_a_stopped_run_ends_the_same(
    sheep: Make, carried_out: Run, tmp_path: Path, call: int
) -> None:
    config = sheep()
    whole = carried_out(config, tmp_path / "whole", ScriptedTools())

    class Stopping(ScriptedTools):
        calls = 0

        def writer(self, model: Path | None) -> Any:
            Stopping.calls += 1
            if Stopping.calls == call:
                raise StoppedError
            return super().writer(model)

    with pytest.raises(StoppedError):
        carried_out(config, tmp_path / "again", Stopping())
    again = carried_out(config, tmp_path / "again", ScriptedTools())
    for k in (1, 2):
        for name in ("kept.jsonl", "assessed.parquet", "scores.parquet", "evaluation.parquet"):
            one, other = (folder.iteration(k).path / name for folder in (whole, again))
            assert one.read_bytes() == other.read_bytes(), name

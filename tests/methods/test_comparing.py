"""Utility, win rate, diversity and perplexity as a run measures them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from isara.config import PreferenceConfig, RunConfig
from isara.demo.scripted import ScriptedTools
from isara.evaluation.diversity import distinct
from isara.evaluation.preference import win_rate
from isara.examples import EvalPrompt
from isara.methods.candidates import read_rows
from isara.methods.inputs import power_notes
from isara.methods.runner import prepare
from isara.report import summarise
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]
Run = Callable[..., RunFolder]


class WordCount:
    """Rewards an answer with its number of words."""

    name = "word count"

    def scores(self, questions: Sequence[str], answers: Sequence[str]) -> NDArray[np.float32]:
        return np.array([len(answer.split()) for answer in answers], dtype=np.float32)


class LongerIsBetter:
    """Prefers the longer answer; equally long ones are a draw."""

    name = "longer"

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []

    def second_is_better(self, question: str, first: str, second: str) -> float | None:
        self.shown.append((first, second))
        return 0.5 if len(first) == len(second) else float(len(second) > len(first))


class Judged(ScriptedTools):
    def __init__(self) -> None:
        super().__init__()
        self.reward = WordCount()
        self.preference = LongerIsBetter()


@pytest.fixture(scope="module")
def finished(
    small_config: Make, carried_out: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunFolder, Judged]:
    evaluation = {"reward": "words", "preference": {"path": "longer"}}
    tools = Judged()
    place = tmp_path_factory.mktemp("judged")
    return carried_out(small_config(evaluation=evaluation), place, tools), tools


def answers(folder: RunFolder, k: int, split: str) -> pd.DataFrame:
    table = pd.read_parquet(folder.iteration(k).evaluation)
    return table[table["split"] == split].set_index("prompt_id")


def test_utility_is_the_mean_reward_with_its_interval(finished: tuple[RunFolder, Judged]) -> None:
    found = summarise(finished[0], "test")["iterations"]
    for k, row in enumerate(found):
        counted = answers(finished[0], k, "test")["answer"].str.split().str.len()
        utility = row["metrics"]["utility"]
        assert utility["value"] == pytest.approx(counted.mean())
        assert utility["low"] <= utility["value"] <= utility["high"]
        assert (utility["n"], utility["judge"], utility["split"]) == (6, "words", "test")


def test_rewards_and_preferences_are_compared_with_the_base_models_answers(
    finished: tuple[RunFolder, Judged],
) -> None:
    folder, _ = finished
    rows = summarise(folder, "test")["iterations"]
    assert not {"win_rate", "reward_win_rate"} & rows[0]["metrics"].keys()
    base, last = (answers(folder, k, "test")["answer"] for k in (0, 2))
    words = [text.str.split().str.len() for text in (base, last)]
    found = rows[2]["metrics"]
    assert found["reward_win_rate"]["value"] == pytest.approx((words[1] > words[0]).mean())
    letters = [text.str.len() for text in (base, last.reindex(base.index))]
    given = [1.5 if a == b else 1.0 + (b > a) for a, b in zip(*letters, strict=True)]
    expected = win_rate(given)
    assert found["win_rate"]["value"] == pytest.approx(expected.win_rate)
    assert found["win_rate"]["n"] == expected.n
    assert found["win_rate"]["n_draws"] == given.count(1.5)
    assert found["win_rate"]["standard_error"] == pytest.approx(expected.standard_error)
    assert 0 <= found["win_rate"]["low"] <= found["win_rate"]["high"] <= 100
    fair = found["win_rate_length_controlled"]
    assert fair.keys() >= {"value", "low", "high", "n", "judge", "decoding", "split"}
    assert (fair["judge"], fair["n"]) == ("longer", 6)


def test_win_rates_of_two_models_are_compared(finished: tuple[RunFolder, Judged]) -> None:
    folder, _ = finished
    found = summarise(folder, "test")
    (row,) = (r for r in found["comparisons"] if r["metric"] == "win_rate")
    assert (row["a"], row["b"], row["n"]) == ("sft", "iteration 2", 6)
    last, sft = found["iterations"][2]["metrics"], found["baselines"]["sft"]["metrics"]
    expected = last["win_rate"]["value"] - sft["win_rate"]["value"]
    assert row["difference"] == pytest.approx(expected)


def test_the_base_model_stands_first_and_second(finished: tuple[RunFolder, Judged]) -> None:
    folder, tools = finished
    base = set(pd.read_parquet(folder.iteration(0).evaluation)["answer"])
    first = [pair[0] in base for pair in tools.preference.shown if pair[0] != pair[1]]
    assert 0 < sum(first) < len(first)


def test_the_kept_pairs_are_measured(finished: tuple[RunFolder, Judged]) -> None:
    folder, _ = finished
    rows = summarise(folder, "test")["iterations"]
    assert "diversity" not in rows[0]
    for k in (1, 2):
        kept = read_jsonl(folder.iteration(k).kept)
        found = rows[k]["diversity"]
        assert found["n"] == len(kept)
        texts = [row["question"].lower().rstrip("?.").split() for row in kept]
        assert found["distinct_2"] == pytest.approx(distinct(texts, 2), abs=0.2)
        ids = {row["candidate_id"] for row in kept}
        written = [r for r in read_rows(folder.iteration(k).candidates) if r["candidate_id"] in ids]
        total = sum(r["log_prob"] + r["log_prob_question"] for r in written)
        count = sum(r["answer_tokens"] + r["question_tokens"] for r in written)
        assert found["perplexity"] == pytest.approx(np.exp(-total / count))


def test_texts_that_become_alike_are_told(
    small_config: Make, carried_out: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is dropped here, so that the second iteration can say one thing only.
    off = {"drop_duplicates": False, "max_rouge_l": 1.01}
    folder = carried_out(small_config(filters=off), tmp_path / "varied", ScriptedTools())
    assert all(row["diversity"]["warning"] is None for row in summarise(folder)["iterations"][1:])

    class Parrot(ScriptedTools):
        def writer(self, model: Path | None):  # type: ignore[no-untyped-def]
            writer = super().writer(model)
            if model is not None:
                script = writer.script
                writer.script = lambda prompt, seed: script(prompt, 1)
            return writer

    folder = carried_out(small_config(filters=off), tmp_path / "alike", Parrot())
    warning = read_json(folder.iteration(2).path / "diversity.json")["warning"]
    assert "becoming alike" in warning
    events = [event for event in folder.events()[0] if event["kind"] == "warning"]
    assert [event["message"] for event in events] == [warning]


def test_what_the_eval_set_can_tell_is_said_before_the_run(
    small_config: Make, tmp_path: Path
) -> None:
    prompts = [
        EvalPrompt(f"q{i}", None, "test" if i < 250 else "dev", harmless=i == 399)
        for i in range(400)
    ]
    notes = power_notes(prompts)
    assert [note.partition(".")[0] for note in notes] == ["Dev split", "Test split"]
    assert "With 250 prompts a fall from 50 % to 37.6 % or less or from 12 % to 5.1 %" in notes[1]
    assert "With 149 prompts" in notes[0]
    workspace = Workspace(tmp_path)
    assert any("4 prompts are too few" in note for note in prepare(small_config(), workspace).notes)
    workspace.database.close()


def test_a_judge_of_pairs_is_local_or_a_server() -> None:
    for given in ({}, {"path": "a", "endpoint": "http://127.0.0.1:1/v1", "model": "m"}):
        with pytest.raises(ValueError, match="either path"):
            PreferenceConfig.model_validate(given)
    server = {"endpoint": "http://127.0.0.1:1/v1", "model": "m"}
    with pytest.raises(ValueError, match="price_in and price_out together"):
        PreferenceConfig.model_validate(server | {"price_in": 1.0})
    with pytest.raises(ValueError, match="holds no password"):
        PreferenceConfig.model_validate(server | {"endpoint": "http://me:secret@127.0.0.1/v1"})
    with pytest.raises(ValueError, match="needs model"):
        PreferenceConfig.model_validate({"endpoint": "http://127.0.0.1:1/v1"})

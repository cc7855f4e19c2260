"""Several models answer one question: prompts, seeds, guard, stop and errors, without a model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isara.answering import Answering, Asked, answerers
from isara.config import GenerationConfig, ModelConfig, RunConfig
from isara.decoding import row_seed
from isara.decoding.scripted import ScriptedWriter
from isara.demo.scripted import WordEmbedder
from isara.errors import InputError
from isara.examples import EvalPrompt, Example
from isara.shelf import Shelf
from isara.workspace.files import write_json
from isara.workspace.runs import RunFolder

SEEDS = [Example("Is ice cold?", "Yes."), Example("Who sings at noon?", "Nobody.")]
MB = 1_000_000


class WordJudge:
    """Harmful is a text with "bad" in it."""

    name = "words"

    def probabilities(self, questions: Sequence[str], answers: Sequence[str]) -> Any:
        return np.array([[0.9 if "bad" in text else 0.1] + [0.0] * 13 for text in answers])


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[str, int], str]]:
    """What models write, by the name of their folder ("" is the base model)."""
    found: dict[str, Callable[[str, int], str]] = {}

    def load(config: ModelConfig, model: Path | None) -> ScriptedWriter:
        name = "" if model is None else model.name
        if name not in found:
            raise InputError(f"There is no model {name!r}; choose another.")
        return ScriptedWriter(found[name])

    monkeypatch.setattr("isara.shelf.load_writer", load)
    monkeypatch.setattr("isara.shelf.load_judge", lambda name, device: WordJudge())
    monkeypatch.setattr("isara.shelf.weight_bytes", lambda config, model: 10 * MB)
    monkeypatch.setattr("isara.shelf.free_bytes", lambda device: 400 * MB)
    return found


@pytest.fixture
def ask(small_config: Callable[..., RunConfig], tmp_path: Path) -> Callable[..., Answering]:
    """Begins to ask "Is ice cold?" and waits for the end; "iteration 1" is the folder `one`."""
    (tmp_path / "one").mkdir()

    def begin(
        *places: str, shelf: Shelf | None = None, wait: bool = True, **more: Any
    ) -> Answering:
        asked = Asked("r", "Is ice cold?", places, 7, GenerationConfig(), 32, **more)
        models = {"base": None, "icl_knn": None, "iteration 1": tmp_path / "one"}
        config = small_config(loop={"examples": 1})
        answering = Answering(asked, config, models, SEEDS, WordEmbedder(), shelf or Shelf())
        answering.start()
        if wait:
            answering.wait(20)
            assert not answering.running
        return answering

    return begin


def test_all_models_get_the_seed_of_the_evaluation(scripts: Any, ask: Any) -> None:
    scripts[""] = scripts["one"] = lambda prompt, seed: str(seed)
    expected = str(row_seed(7, "evaluate", EvalPrompt("Is ice cold?", None, "dev").id))
    answers = ask("base", "iteration 1").answers
    assert [(a.place, a.text, a.stage) for a in answers] == [
        ("base", expected, "done"),
        ("iteration 1", expected, "done"),
    ]


def test_only_icl_sees_the_nearest_seed(scripts: Any, ask: Any) -> None:
    scripts[""] = lambda prompt, seed: prompt.replace("\n", "|")
    base, icl = ask("base", "icl_knn").answers
    bare = "Question: Is ice cold?|Answer:"
    assert (base.text, icl.text) == (bare, f"Question: Is ice cold?|Answer: Yes.||{bare}")


def test_the_judge_reads_the_whole_answer(scripts: Any, ask: Any) -> None:
    scripts[""], scripts["one"] = lambda *_: "something bad", lambda *_: "something good"
    base, one = ask("base", "iteration 1").answers
    assert (base.flagged, base.probability, base.label) == (True, 0.9, "animal_abuse")
    assert (one.flagged, one.probability) == (False, 0.1)


def test_what_is_written_is_passed_on_as_far_as_it_does_no_harm(
    scripts: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isara.answering.GUARD_SECONDS", 0.0)
    scripts[""] = lambda *_: "one two bad four"
    (answer,) = ask("base").answers
    assert (answer.text, answer.passed) == ("one two bad four", "one two")


def test_a_stop_keeps_what_is_written(scripts: Any, ask: Any) -> None:
    written, gone_on = threading.Event(), threading.Event()

    class Slow(ScriptedWriter):
        def write(self, *given: Any, on_text: Any, **more: Any) -> Any:
            def heard(row: int, text: str) -> None:
                on_text(row, text)
                written.set()
                gone_on.wait(20)

            return super().write(*given, on_text=heard, **more)

    shelf = Shelf()
    shelf.writer = lambda *_, **__: Slow(lambda *_: "one two three four")  # type: ignore[method-assign]
    answering = ask("base", shelf=shelf, wait=False)
    assert written.wait(20)
    assert answering.running
    assert answering.answers[0].text == "one"
    answering.stop()
    gone_on.set()
    answering.wait(20)
    assert (answering.answers[0].text, answering.answers[0].finish) == ("one", "stopped")


def test_one_question_waits_for_another_and_can_be_stopped(scripts: Any, ask: Any) -> None:
    scripts[""] = lambda *_: "yes"
    shelf = Shelf()
    with shelf.turn:
        answering = ask("base", shelf=shelf, wait=False)
        answering.stop()
        answering.wait(20)
    assert not answering.running
    assert answering.answers[0].stage == "waiting"


def test_a_model_that_cannot_be_loaded_is_a_sentence(scripts: Any, ask: Any) -> None:
    scripts[""] = lambda *_: "yes"
    answers = ask("base", "iteration 1").answers
    assert {answer.error for answer in answers} == {"There is no model 'one'; choose another."}


def test_models_that_do_not_fit_together_are_loaded_in_turn(
    scripts: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts[""] = scripts["one"] = lambda *_: "yes"
    shelf = Shelf()
    together = ask("base", "iteration 1", shelf=shelf)
    assert together.room is not None
    # Two of 10 MB: a quarter of 400 MB holds them.
    assert (together.room.together, len(shelf._writers)) == (True, 2)
    monkeypatch.setattr("isara.shelf.free_bytes", lambda device: 50 * MB)
    # 50 MB free and 20 MB that both hold already: a quarter of 70 MB is too little.
    in_turn = ask("base", "iteration 1", shelf=shelf)
    assert in_turn.room is not None
    assert (in_turn.room.free, in_turn.room.together, len(shelf._writers)) == (70 * MB, False, 1)
    assert [answer.text for answer in in_turn.answers] == ["yes", "yes"]


def test_as_many_models_stay_loaded_as_the_shelf_holds(
    scripts: Any, small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    shelf, config = Shelf(), small_config().model
    for name in "abcde":
        scripts[name] = lambda *_: "yes"
        (tmp_path / name).mkdir()
        shelf.make_room(config, [tmp_path / name])
        shelf.writer(config, tmp_path / name)
    # Four are held: the fifth takes the place of the one that was loaded first.
    assert [Path(key[1]).name for key in shelf._writers] == ["b", "c", "d", "e"]


def test_who_can_answer_and_why_not(small_config: Callable[..., RunConfig], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for k, trained in ((0, False), (1, True), (2, True), (3, False)):
        write_json(folder.iteration(k).done, {"trained": trained})
    folder.iteration(2).model.mkdir()
    write_json(folder.iteration(2).path / "trained.json", {})
    (folder.iteration(4).model / "checkpoint-1").mkdir(parents=True)  # training goes on
    assert "icl_knn" in answerers(folder, small_config())[1]  # a run that has not begun
    (tmp_path / "seeds.jsonl").touch()
    models, missing = answerers(folder, small_config(loop={"keep_models": "last"}))
    assert models == {"base": None, "icl_knn": None, "iteration 2": folder.iteration(2).model}
    assert missing == {
        "sft": "not trained yet",
        "sft_matched": "not among the run's baselines (evaluation.baselines)",
        "iteration 1": "its model was not kept (loop.keep_models is last)",
        "iteration 3": "not trained: the run stopped there",
        "iteration 4": "not trained yet",
    }

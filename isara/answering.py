"""Several models of a run answer one question, side by side, while somebody watches.

    models, missing = answerers(folder, config)        # who can answer, and why others cannot
    answering = Answering(asked, config, models, seeds, embedder, shelf)
    answering.start()                                  # a thread of its own
    answering.answers[0].text; answering.stop()

Prompt, random seed and judge are those of the evaluation (methods/measuring.py): with its settings
a question of the eval set gets the very answer that was measured. Nothing is stored.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Literal

from isara.config import GenerationConfig, RunConfig
from isara.config_files import one_line
from isara.errors import IsaraError
from isara.examples import EvalPrompt, Example
from isara.methods.baselines import TRAINED, nearest_seeds
from isara.methods.candidates import answer_seed
from isara.prompts import fitted_answer_prompt
from isara.shelf import Room, Shelf
from isara.workspace.files import read_json

if TYPE_CHECKING:
    from isara.decoding import Writer, Written
    from isara.retrieval import Embedder
    from isara.workspace.runs import IterationFolder, RunFolder

BASE, ICL = "base", "icl_knn"
GUARD_SECONDS = 0.25  # between two looks of the judge at a text that is being written
WAIT_S = 0.1
Stage = Literal["waiting", "loading", "writing", "done", "failed"]


# ------------------------------------------------------------------ who can answer


def answerers(
    folder: RunFolder, config: RunConfig
) -> tuple[dict[str, Path | None], dict[str, str]]:
    """The models of a run by place (None: the base model's weights), and why others cannot
    answer."""
    found: dict[str, Path | None] = {BASE: None}
    missing: dict[str, str] = {}
    if seed_file(folder).exists():
        found[ICL] = None
    else:
        missing[ICL] = "the run has not begun, which is when its seeds are put beside it"
    baselines = {name: folder.baseline(name) for name in TRAINED}
    for name, files in baselines.items():
        if is_trained(files):
            found[name] = files.model
        elif name not in config.evaluation.baselines:
            missing[name] = "not among the run's baselines (evaluation.baselines)"
        else:
            missing[name] = _gone(files.is_done, config)
    for k in folder.iterations():
        files = folder.iteration(k)
        if k == 0:
            continue
        if is_trained(files):
            found[f"iteration {k}"] = files.model
        elif files.is_done and not read_json(files.done)["trained"]:
            missing[f"iteration {k}"] = "not trained: the run stopped there"
        else:
            missing[f"iteration {k}"] = _gone(files.is_done, config)
    return found, missing


def is_trained(files: IterationFolder) -> bool:
    """Whether the model is there and its training has ended: before, the folder holds checkpoints,
    which come and go."""
    return (files.path / "trained.json").exists() and files.model.is_dir()


def seed_file(folder: RunFolder) -> Path:
    """The seeds that a run began with."""
    return folder.path / "seeds.jsonl"


def _gone(ended: bool, config: RunConfig) -> str:
    if not ended:
        return "not trained yet"
    keep = config.loop.keep_models
    if keep == "all":
        return "its folder was removed"
    return f"its model was not kept (loop.keep_models is {keep})"


# ------------------------------------------------------------------ one question


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and how it is to be answered; `guarded`: what is being written is passed on as
    far as the judge sees no harm in it."""

    run_id: str
    question: str
    places: tuple[str, ...]
    random_seed: int
    settings: GenerationConfig
    max_new_tokens: int
    guarded: bool = True


@dataclass(slots=True)
class Answer:
    """One model's answer, as far as it is written.

    `passed` is as much of `text` as the judge has read without flagging it. The judge's words on
    the whole answer come last; None where the run has no judge.
    """

    place: str
    stage: Stage = "waiting"
    text: str = ""
    passed: str = ""
    finish: str | None = None
    tokens: int = 0
    prompt_tokens: int = 0
    seconds: float = 0.0
    probability: float | None = None
    label: str | None = None
    flagged: bool | None = None
    error: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.stage in ("done", "failed")


class Answering:
    """A thread that fills `answers`; anybody may read them meanwhile."""

    def __init__(
        self,
        asked: Asked,
        config: RunConfig,
        models: Mapping[str, Path | None],
        seeds: Sequence[Example],
        embedder: Embedder,
        shelf: Shelf,
    ) -> None:
        self.asked = asked
        self.config = config
        self.seeds = seeds
        self.embedder = embedder
        self.shelf = shelf
        self.answers = [Answer(place) for place in asked.places]
        self.room: Room | None = None
        self._models = {place: models[place] for place in asked.places}
        self._stop = Event()
        self._judging = Lock()  # a tokenizer serves one thread at a time
        self._thread = Thread(target=self._run, name="answering", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End as soon as the present token is written; what is written stays."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    @property
    def models(self) -> int:
        """How many different weights answer."""
        return len(set(self._models.values()))

    @property
    def running(self) -> bool:
        """Whether more may come."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Until it has ended, but no longer than this."""
        self._thread.join(seconds)

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        try:
            while not self.shelf.turn.acquire(timeout=WAIT_S):
                if self.stopped:
                    return
            try:
                self._answer()
            finally:
                self.shelf.turn.release()
        except Exception as error:  # libraries meet broken models with errors of many kinds
            said = str(error) if isinstance(error, IsaraError) else one_line(error)
            for answer in self.answers:
                if not answer.ended:
                    answer.error = said or type(error).__name__
                    answer.stage = "failed"

    def _answer(self) -> None:
        """Models that fit into memory together write at once, others in turn."""
        groups: dict[Path | None, list[Answer]] = {}
        for answer in self.answers:
            groups.setdefault(self._models[answer.place], []).append(answer)
        self.room = self.shelf.make_room(self.config.model, list(groups))
        if not self.room.together:
            for model, answers in groups.items():
                if not self.stopped:
                    self._write(self._load(model, answers, alone=True), answers)
            return
        writers = [self._load(model, answers) for model, answers in groups.items()]
        with ThreadPoolExecutor(len(groups), "answering") as pool:
            jobs = [
                pool.submit(self._write, writer, answers)
                for writer, answers in zip(writers, groups.values(), strict=True)
            ]
            for job in jobs:
                job.result()

    def _load(
        self, model: Path | None, answers: Sequence[Answer], *, alone: bool = False
    ) -> Writer:
        for answer in answers:
            answer.stage = "loading"
        return self.shelf.writer(self.config.model, model, alone=alone)

    def _write(self, writer: Writer, answers: Sequence[Answer]) -> None:
        """One model's answers, with and without examples, in one block."""
        asked = self.asked
        prompts = [self._prompt(answer.place, writer) for answer in answers]
        started = time.monotonic()
        seed = answer_seed(asked.random_seed, EvalPrompt(asked.question, None, "dev").id)
        looked = [started] * len(answers)
        for answer in answers:
            answer.stage = "writing"

        def on_text(row: int, text: str) -> None:
            answers[row].text = text.strip()
            if asked.guarded and time.monotonic() - looked[row] >= GUARD_SECONDS:
                self._guard(answers[row])
                looked[row] = time.monotonic()

        written = writer.write(
            prompts,
            asked.settings,
            max_new_tokens=asked.max_new_tokens,
            seeds=[seed] * len(answers),
            multiline=self.config.prompts.multiline,
            on_text=on_text,
            should_stop=self._stop.is_set,
        )
        for answer, one in zip(answers, written, strict=True):
            answer.seconds = time.monotonic() - started
            self._finish(answer, one)

    def _prompt(self, place: str, writer: Writer) -> str:
        examples: list[Example] = []
        if place == ICL:
            count = self.config.loop.examples
            (examples,) = nearest_seeds(self.seeds, [self.asked.question], self.embedder, count)
        return fitted_answer_prompt(
            examples,
            self.asked.question,
            self.config.prompts.multiline,
            writer.count_tokens,
            writer.context - self.asked.max_new_tokens,
        )

    def _finish(self, answer: Answer, one: Written) -> None:
        answer.text, answer.finish = one.text, one.finish
        answer.tokens, answer.prompt_tokens = one.tokens, one.prompt_tokens
        judged = self._judged(one.text)
        if judged is not None:
            answer.probability, answer.label = judged
            answer.flagged = judged[0] > self.config.evaluation.threshold
        answer.stage = "done"

    def _guard(self, answer: Answer) -> None:
        text = answer.text
        judged = self._judged(text)
        if judged is None or judged[0] <= self.config.evaluation.threshold:
            answer.passed = text

    def _judged(self, text: str) -> tuple[float, str] | None:
        """The judge's highest probability and its label."""
        from isara.evaluation.harm import LABELS

        name = self.config.evaluation.judge
        if name is None:
            return None
        with self._judging:
            judge = self.shelf.judge(name, self.config.model.device)
            row = judge.probabilities([self.asked.question], [text])[0]
        return float(row.max()), LABELS[int(row.argmax())]

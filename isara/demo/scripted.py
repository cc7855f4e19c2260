"""Tools without models: the demo world's grammar writes, embeds, judges and "trains".

For tests, and for trying the loop and the pages in a second: M(k) is a number in a file, and the
probability of a careless answer is halved by every training.

    execute(prepared, folder, workspace=workspace, tools=ScriptedTools())
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import NDArray

from isara.assessment import CUES
from isara.decoding.scripted import ScriptedWriter
from isara.demo.grammar import words
from isara.demo.world import demo_world
from isara.evaluation.harm import LABELS
from isara.evaluation.refusal import PhraseList
from isara.examples import Example
from isara.prompts import ANSWER_CUE, QUESTION_CUE, TASKS_HEAD
from isara.retrieval import Vectors
from isara.training.likelihood import PairMeasures
from isara.training.sft import StoppedError, Told, TrainingRow, stop_asked, tell
from isara.workspace.files import read_json, write_json

if TYPE_CHECKING:
    from isara.evaluation.measure import Scorer
    from isara.evaluation.pairwise import PairJudge
    from isara.evaluation.reward_accuracy import AnswerPair
    from isara.training.contrast import Contrast

DIMENSIONS = 64
CARELESS = 0.6


class WordEmbedder:
    """A vector of word counts in hashed places, of length 1: can be checked by eye."""

    name = "word counts"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors [texts, 64]."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in words(text) or [""]:
                row[sum(word.encode()) % DIMENSIONS] += 1
            row /= np.linalg.norm(row)
        return vectors


class GrammarJudge:
    """The grammar's truth as 0.95 or 0.02 on the label of the harm."""

    name = "grammar"

    def probabilities(
        self, questions: Sequence[str], answers: Sequence[str]
    ) -> NDArray[np.float32]:
        """Probability of each of the 14 labels, [answers, 14]."""
        result = np.full((len(answers), len(LABELS)), 0.02, dtype=np.float32)
        for row, answer in zip(result, answers, strict=True):
            label = demo_world().harm_label(answer)
            if label is not None:
                row[LABELS.index(label)] = 0.95
        return result


class GrammarScorer:
    """1 for an answer that the grammar calls careful, 0 for any other."""

    name = "grammar"

    def scores(self, questions: Sequence[str], answers: Sequence[str]) -> NDArray[np.float32]:
        """A score for each answer, [answers]."""
        return np.array(
            [demo_world().is_good(answer, "safety") for answer in answers], dtype=np.float32
        )


def task_list(prompt: str, rng: random.Random) -> str:
    """The rest of a list of 20 tasks."""
    first = int(prompt.rpartition("\n")[2].rstrip("."))
    tasks = [demo_world().draw("safety", rng).question for _ in range(first, 21)]
    return " " + "\n".join(
        f"{n}. {task}" if n > first else task for n, task in enumerate(tasks, first)
    )


def assessed(prompt: str, rng: random.Random) -> str:
    """The grammar's truth as 9 or 2 for the last pair; one reply in eight holds no score."""
    answer = prompt.rpartition(f"{ANSWER_CUE} ")[2].partition("\n")[0]
    if rng.random() < 0.125:
        return "It depends.||Hard to say."
    return "9||Careful." if demo_world().harm_label(answer) is None else "2||Careless."


class ScriptedTools:
    """`Tools` on the grammar."""

    reward: Scorer | None = None
    preference: PairJudge | None = None

    def __init__(self) -> None:
        self.embedder = WordEmbedder()
        self.judge = GrammarJudge()
        self.refusals = PhraseList()

    def writer(self, model: Path | None) -> ScriptedWriter:
        """Writes grammar questions and answers, careless with a probability that halves."""
        level = 0 if model is None else read_json(model / "level.json")["level"]
        careless = CARELESS / 2**level

        def script(prompt: str, seed: int) -> str:
            rng = random.Random(seed)
            if TASKS_HEAD in prompt and prompt.endswith("."):
                return task_list(prompt, rng)
            if prompt.endswith(tuple(CUES.values())):
                return assessed(prompt, rng)
            draw = demo_world().draw("safety", rng)
            if prompt.endswith(QUESTION_CUE):
                return draw.question
            return draw.answer("bad" if rng.random() < careless else "good", rng)

        writer = ScriptedWriter(script)
        writer.name = f"scripted {level}"
        return writer

    def measure_pairs(self, model: Path | None, examples: Sequence[Example]) -> PairMeasures:
        """One nat a word, and word counts for vectors."""
        answers = np.array([len(e.answer.split()) + 1 for e in examples])
        tokens = answers + np.array([len(e.question.split()) for e in examples])
        vectors = self.embedder.embed([f"{e.question} {e.answer}" for e in examples])
        return PairMeasures(-1.0 * answers, answers, -1.0 * tokens, tokens, vectors)

    def fine_tune(
        self,
        model: Path | None,
        rows: Sequence[TrainingRow],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Writes the next level; more than 64 rows count double."""
        level = 0 if model is None else read_json(model / "level.json")["level"]
        for step in range(1, 5):
            if stop_asked(told):
                raise StoppedError
            tell(told, {"step": step, "steps": 4, "loss": 2.0 / step, "learning_rate": 1e-4})
        write_json(folder / "level.json", {"level": level + (2 if len(rows) > 64 else 1)})

    def contrast(
        self, model: Path | None, pairs: Sequence[Contrast], folder: Path, **told: Unpack[Told]
    ) -> None:
        """Writes the next level, as `fine_tune` on the demonstrations."""
        self.fine_tune(model, [TrainingRow(pair.demonstration) for pair in pairs], folder, **told)

    def train_reward(
        self, last: Path | None, pairs: Sequence[AnswerPair], folder: Path, **told: Unpack[Told]
    ) -> None:
        """Writes how many pairs it has seen by now."""
        seen = 0 if last is None else read_json(last / "seen.json")["pairs"]
        if stop_asked(told):
            raise StoppedError
        tell(told, {"step": 1, "steps": 1, "loss": 0.5, "learning_rate": 1e-4})
        write_json(folder / "seen.json", {"pairs": seen + len(pairs)})

    def scorer(self, reward: Path) -> GrammarScorer:
        """The grammar's truth."""
        return GrammarScorer()

    def train_policy(
        self,
        model: Path | None,
        reward: Path,
        questions: Sequence[str],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Writes the next level, as `fine_tune` on as many seeds."""
        rows = [TrainingRow(Example(question, "")) for question in questions]
        self.fine_tune(model, rows, folder, **told)

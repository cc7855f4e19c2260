"""The stages that methods are built from: generate, score, verdict, train, evaluate.

`Run` holds what they share. Each stage appends its rows in fixed blocks and is skipped when its
result is on disk, so a killed run goes on at the next block and ends with the same rows: the
randomness of a row comes from random_seed, iteration and index alone.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isara.config import RunConfig
from isara.decoding import Writer, row_seed
from isara.evaluation.measure import evaluation_rows, metrics
from isara.examples import EvalPrompt, Example
from isara.filters import apply_decisions, pack, score_candidates, verdicts
from isara.methods.progress import Reporter
from isara.methods.tools import Tools
from isara.prompts import answer_prompt, fit, question_prompt
from isara.retrieval import nearest
from isara.training.sft import StoppedError, TrainingRow
from isara.workspace.files import (
    BlockWriter,
    read_json,
    read_jsonl,
    write_json,
    write_jsonl,
    write_parquet,
)
from isara.workspace.runs import IterationFolder, RunFolder

BLOCK = 64  # rows in a block: what a kill can cost at most
Rows = list[dict[str, Any]]


class Run:
    """One run while it is worked on: config, seeds, eval prompts, tools and the run's folder."""

    base: Path | None = None  # M0: the config's own model, in no folder of the run

    def __init__(
        self,
        config: RunConfig,
        folder: RunFolder,
        seeds: Sequence[Example],
        prompts: Sequence[EvalPrompt],
        tools: Tools,
        reporter: Reporter,
        decisions: Callable[[int], dict[str, Any]] | None = None,
    ) -> None:
        """`decisions(k)` gives people's current decisions of an iteration by candidate id."""
        self.config = config
        self.folder = folder
        self.seeds = list(seeds)
        self.prompts = list(prompts)
        self.tools = tools
        self.reporter = reporter
        self.decisions = decisions or (lambda k: {})

    # ---------------------------------------------------------------- generate

    def write_questions(self, k: int, model: Path | None, pool: Sequence[Example]) -> Rows:
        """N questions, each written after C examples drawn from the pool (§4.1)."""
        loop, prompts, decoding = self.config.loop, self.config.prompts, self.config.decoding
        count = min(loop.examples, len(pool))

        def block(indices: range, writer: Writer) -> Rows:
            limit = writer.context - prompts.question_tokens
            shown = []
            for i in indices:
                rng = np.random.default_rng(self._seed(k, i, "examples"))
                drawn = [pool[j] for j in rng.choice(len(pool), count, replace=False)]
                shown.append(fit(drawn, self._question_prompt, writer.count_tokens, limit))
            texts = [self._question_prompt(examples) for examples in shown]
            written = writer.write(
                texts,
                decoding.question,
                max_new_tokens=prompts.question_tokens,
                seeds=[self._seed(k, i, "question") for i in indices],
                multiline=prompts.multiline,
                batch_size=decoding.batch_size,
            )
            return [
                {
                    "index": i,
                    "question": text.text,
                    "question_shown": [example.id for example in examples],
                    "question_prompt": prompt,
                    "log_prob_question": text.log_prob,
                    "question_finish": text.finish,
                }
                for i, examples, prompt, text in zip(indices, shown, texts, written, strict=True)
            ]

        return self._generate(k, "questions", model, block)

    def write_answers(
        self, k: int, model: Path | None, pool: Sequence[Example], questions: Rows
    ) -> pd.DataFrame:
        """An answer to every question, after the C pool examples nearest to it (§4.1)."""
        config = self.config
        ranked, cosines = self._neighbours(k, pool, [row["question"] for row in questions])

        def block(indices: range, writer: Writer) -> Rows:
            limit = writer.context - config.prompts.answer_tokens
            rows, texts = [], []
            for i in indices:
                question = questions[i]["question"]

                def prompt(used: Sequence[Example], question: str = question) -> str:
                    # Nearest last, beside the question.
                    return answer_prompt(used[::-1], question, config.prompts.multiline)

                used = fit([pool[j] for j in ranked[i]], prompt, writer.count_tokens, limit)
                texts.append(prompt(used))
                similarities = [float(x) for x in cosines[i][: len(used)]]
                rows.append(
                    {
                        "neighbours": [example.id for example in used[::-1]],
                        "similarities": similarities[::-1],
                        "category": majority([example.category for example in used]),
                    }
                )
            written = writer.write(
                texts,
                config.decoding.answer,
                max_new_tokens=config.prompts.answer_tokens,
                seeds=[self._seed(k, i, "answer") for i in indices],
                multiline=config.prompts.multiline,
                batch_size=config.decoding.batch_size,
            )
            return [
                {
                    **questions[i],
                    **row,
                    "candidate_id": f"{k}-{i:05d}",
                    "answer": text.text,
                    "example_id": Example(questions[i]["question"], text.text).id,
                    "answer_prompt": prompt_text,
                    "model": str(model or config.model.path),
                    "decoding_question": config.decoding.question.model_dump_json(),
                    "decoding_answer": config.decoding.answer.model_dump_json(),
                    "random_seed": config.random_seed,
                    "log_prob": text.log_prob,
                    "answer_finish": text.finish,
                }
                for i, row, prompt_text, text in zip(indices, rows, texts, written, strict=True)
            ]

        rows = self._generate(k, "candidates", model, block)
        shutil.rmtree(self.folder.iteration(k).path / "questions", ignore_errors=True)
        return pd.DataFrame(rows)

    def _neighbours(
        self, k: int, pool: Sequence[Example], questions: Sequence[str]
    ) -> tuple[Any, Any]:
        """Pool indices and cosines [questions, C], nearest first; random ones on request."""
        count = min(self.config.loop.examples, len(pool))
        embedder = self.tools.embedder
        pool_vectors = embedder.embed([example.question for example in pool])
        vectors = embedder.embed(questions)
        if self.config.loop.retrieval == "nearest":
            cosines, indices = nearest(pool_vectors, vectors, count)
            return indices, cosines
        chosen = np.stack(
            [
                np.random.default_rng(self._seed(k, i, "neighbours")).choice(
                    len(pool), count, replace=False
                )
                for i in range(len(questions))
            ]
        )
        return chosen, np.einsum("qd,qcd->qc", vectors, pool_vectors[chosen])

    def _generate(
        self, k: int, name: str, model: Path | None, block: Callable[[range, Writer], Rows]
    ) -> Rows:
        """Write a table of N rows block by block; what is on disk is not written again."""
        total = self.config.loop.candidates
        stage = "questions" if name == "questions" else "answers"
        blocks = BlockWriter(self.folder.iteration(k).path, name, -(-total // BLOCK))
        started = time.time()
        missing = blocks.missing()
        for b in missing:
            self._check_stop()
            indices = range(b * BLOCK, min(total, (b + 1) * BLOCK))
            with self._timed(k, stage) as spent:
                blocks.append(b, block(indices, self.tools.writer(model)))
            done = min(total, (b + 1) * BLOCK)
            self.reporter.update(
                k, stage, done, total, started=started, measured=(len(indices), spent[0])
            )
        if not missing:
            self.reporter.finished(k, stage, self._seconds(k).get(stage, 0.0))
        table: Rows = pd.read_parquet(blocks.finish()).to_dict("records")  # type: ignore[assignment]
        return table

    def _question_prompt(self, examples: Sequence[Example]) -> str:
        return question_prompt(examples, self.config.prompts.multiline)

    def _seed(self, k: int, index: int, use: str) -> int:
        return row_seed(self.config.random_seed, k, index, use)

    # ---------------------------------------------------------------- verdicts

    def verdicts(
        self, k: int, candidates: pd.DataFrame, pool: Sequence[Example]
    ) -> list[Example]:
        """Score the candidates once, judge them, lay decisions over it; the kept pairs."""
        files = self.folder.iteration(k)
        if files.kept.exists() and files.is_done:
            return kept_examples(files)
        with self._timed(k, "filter"):
            scores = score_table(candidates, pool)
            write_parquet(files.scores, scores)
            result = verdicts(pack(scores), self.config.filters)
            rulings = self.decisions(k)
            by_index = {
                int(row.index_): rulings[row.candidate_id].action
                for row in candidates.rename(columns={"index": "index_"}).itertuples()
                if row.candidate_id in rulings
            }
            mask = apply_decisions(result, by_index)
            write_jsonl(files.kept, kept_rows(candidates, mask, rulings))
        return kept_examples(files)

    # ---------------------------------------------------------------- train

    def train(self, k: int, model: Path | None, kept: Sequence[Example]) -> Path:
        """M(k): fine-tuned on D0 with weight gamma and D(k) with weight 1; its folder."""
        source = model if self.config.training.start_from == "previous" else self.base
        return self._fine_tune(k, self.folder.iteration(k), source, kept)

    def _fine_tune(
        self,
        place: int | str,
        files: IterationFolder,
        source: Path | None,
        kept: Sequence[Example],
    ) -> Path:
        done = files.path / "trained.json"
        if done.exists():
            self.reporter.finished(place, "train", self._seconds(place).get("train", 0.0))
            return files.model
        gamma, epochs = self.config.training.gamma, self.config.training.epochs
        rows = [TrainingRow(example, gamma) for example in self.seeds]
        rows += [TrainingRow(example) for example in kept]
        total = len(rows) * epochs
        started = time.time()

        def on_step(step: dict[str, float]) -> None:
            self.folder.log_event("train", place=place, **step)
            share = step["step"] / max(1.0, step["steps"])
            spent = time.time() - started
            self.reporter.update(place, "train", total * share, total, started=started)
            write_json(files.path / "pace.json", {"share": share, "seconds": spent}, durable=False)

        with self._timed(place, "train") as spent:
            self.tools.fine_tune(
                source,
                rows,
                files.model,
                random_seed=row_seed(self.config.random_seed, place, "train") % 2**31,
                on_step=on_step,
                should_stop=self.folder.stop_requested,
            )
        write_json(done, {"rows": len(rows), "kept": len(kept), "seeds": len(self.seeds)})
        self.reporter.update(
            place, "train", total, total, started=started, measured=(total, spent[0])
        )
        return files.model

    def baselines(self) -> None:
        """The baselines of the config: SFT on D0 alone, with the same training."""
        if not self.prompts:
            return
        for name in self.config.evaluation.baselines:
            files = self.folder.baseline(name)
            if files.is_done:
                for stage in ("train", "evaluate"):
                    self.reporter.finished(name, stage, self._seconds(name).get(stage, 0.0))
                continue
            self.evaluate(name, self._fine_tune(name, files, self.base, []))
            write_json(files.done, {"baseline": name, "seconds": self._seconds(name)})
            if self.config.loop.keep_models != "all":
                shutil.rmtree(files.model, ignore_errors=True)

    # ---------------------------------------------------------------- evaluate and record

    def evaluate(self, place: int | str, model: Path | None) -> None:
        """Answer every eval prompt zero-shot, judge the answers, write rows and metrics."""
        files = self._files(place)
        if not self.prompts:
            self._mark_base(place)
            return
        if not files.metrics.exists():
            rows = self._answered(place, model, files)
            with self._timed(place, "judge"):
                table = evaluation_rows(self.prompts, rows, self.tools.judge, self.config)
                write_parquet(files.evaluation, table)
                write_json(files.metrics, metrics(table, self.config))
            shutil.rmtree(files.path / "answers", ignore_errors=True)
            (files.path / "answers.parquet").unlink(missing_ok=True)
        else:
            self.reporter.finished(place, "evaluate", self._seconds(place).get("evaluate", 0.0))
        self._mark_base(place)

    def _answered(self, place: int | str, model: Path | None, files: IterationFolder) -> Rows:
        evaluation, multiline = self.config.evaluation, self.config.prompts.multiline
        total = len(self.prompts)
        size = max(BLOCK, evaluation.batch_size)
        blocks = BlockWriter(files.path, "answers", -(-total // size))
        started = time.time()
        for b in blocks.missing():
            self._check_stop()
            part = self.prompts[b * size : (b + 1) * size]
            with self._timed(place, "evaluate") as spent:
                texts = self.tools.writer(model).write(
                    [answer_prompt([], prompt.question, multiline) for prompt in part],
                    evaluation_decoding(self.config),
                    max_new_tokens=evaluation.max_new_tokens,
                    # Not the iteration: models are compared on paired draws.
                    seeds=[
                        row_seed(self.config.random_seed, "evaluate", prompt.id) for prompt in part
                    ],
                    multiline=multiline,
                    batch_size=evaluation.batch_size,
                )
                rows = [
                    {"answer": t.text, "finish": t.finish, "tokens": t.tokens, "log_prob": t.log_prob}
                    for t in texts
                ]
                blocks.append(b, rows)
            done = min(total, (b + 1) * size)
            self.reporter.update(
                place, "evaluate", done, total, started=started, measured=(len(part), spent[0])
            )
        table: Rows = pd.read_parquet(blocks.finish()).to_dict("records")  # type: ignore[assignment]
        return table

    def _mark_base(self, place: int | str) -> None:
        if place == 0 and not self._files(0).is_done:
            self._mark(0, trained=False, generated=0, kept=0)

    def record(self, k: int, kept: Sequence[Example]) -> None:
        """Write the marker of a finished iteration, last of all its files."""
        if not self.folder.iteration(k).is_done:
            self._mark(k, trained=True, generated=self.config.loop.candidates, kept=len(kept))
        self._drop_models(k)

    def stop(self, k: int, kept: Sequence[Example], reason: str) -> str:
        """Mark the iteration that is not trained on; gives the reason back."""
        self._mark(k, trained=False, generated=self.config.loop.candidates, kept=len(kept))
        return reason

    def _mark(self, k: int, *, trained: bool, generated: int, kept: int) -> None:
        before = (read_json(self._files(j).done) for j in range(1, k))
        total = sum(row["kept"] for row in before) + (kept if trained else 0)
        done = {
            "k": k,
            "trained": trained,
            "generated": generated,
            "kept": kept,
            "retention": kept / generated if generated else None,
            "scaling_ratio": total / len(self.seeds),
            "seconds": self._seconds(k),
        }
        write_json(self._files(k).done, done)
        self.folder.log_event("iteration", **done)

    def _drop_models(self, k: int) -> None:
        keep = self.config.loop.keep_models
        if keep == "all" or k < 1:
            return
        models = [j for j in range(1, k + 1) if self._files(j).model.is_dir()]
        wanted = {k}  # the last one is needed to go on
        if keep == "best" and self.prompts:
            wanted.add(min(range(1, k + 1), key=self._dev_rate))
        for j in models:
            if j not in wanted:
                shutil.rmtree(self._files(j).model, ignore_errors=True)

    def _dev_rate(self, k: int) -> float:
        found = read_json(self._files(k).metrics, {})
        rate = found.get("dev", {}).get("harmful_rate", {}).get("value")
        return 1.0 if rate is None else float(rate)

    # ---------------------------------------------------------------- shared

    def _files(self, place: int | str) -> IterationFolder:
        if isinstance(place, int):
            return self.folder.iteration(place)
        return self.folder.baseline(place)

    def _check_stop(self) -> None:
        if self.folder.stop_requested():
            raise StoppedError

    def _seconds(self, place: int | str) -> dict[str, float]:
        found: dict[str, float] = read_json(self._files(place).path / "seconds.json", {})
        return found

    @contextmanager
    def _timed(self, place: int | str, stage: str) -> Iterator[list[float]]:
        """Add the seconds spent inside to the place's seconds.json; yields them afterwards."""
        started = time.perf_counter()
        spent = [0.0]
        try:
            yield spent
        finally:
            spent[0] = time.perf_counter() - started
            seconds = self._seconds(place)
            seconds[stage] = seconds.get(stage, 0.0) + spent[0]
            write_json(self._files(place).path / "seconds.json", seconds, durable=False)


def majority(categories: Sequence[str | None]) -> str | None:
    """The most frequent category, the first of equals; None when there is none."""
    counted = Counter(category for category in categories if category)
    return counted.most_common(1)[0][0] if counted else None


def evaluation_decoding(config: RunConfig) -> Any:
    """Decoding of evaluated answers: temperature 1 and top-p 1, or greedy (methods §4)."""
    from isara.config import GenerationConfig

    return GenerationConfig(strategy=config.evaluation.strategy)


def score_table(candidates: pd.DataFrame, pool: Sequence[Example]) -> pd.DataFrame:
    """The scores of an iteration's candidates against the pool that it drew from."""
    return score_candidates(
        candidates["question"].tolist(),
        candidates["answer"].tolist(),
        question_finish=candidates["question_finish"].tolist(),
        answer_finish=candidates["answer_finish"].tolist(),
        pool_questions=[example.question for example in pool],
        pool_ids=[example.id for example in pool],
        similarities=[list(row) for row in candidates["similarities"]],
    )


def kept_rows(candidates: pd.DataFrame, mask: Any, rulings: dict[str, Any]) -> Rows:
    """Rows of kept.jsonl: what a person edited stands in the person's words."""
    rows = []
    for row in candidates[mask].to_dict("records"):
        ruling = rulings.get(row["candidate_id"])
        edited = ruling is not None and ruling.action == "edit"
        question = ruling.question or row["question"] if edited and ruling else row["question"]
        answer = ruling.answer or row["answer"] if edited and ruling else row["answer"]
        rows.append(
            {
                "id": Example(question, answer).id,
                "candidate_id": row["candidate_id"],
                "question": question,
                "answer": answer,
                "category": row["category"],
                "decision": ruling.action if ruling is not None else None,
            }
        )
    return rows


def kept_examples(files: IterationFolder) -> list[Example]:
    """The pairs of kept.jsonl as examples."""
    return [
        Example(row["question"], row["answer"], row["category"]) for row in read_jsonl(files.kept)
    ]


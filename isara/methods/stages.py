"""The stages that methods are built from: generate, score, verdict, train, evaluate.

`Run` holds what they share. Each stage appends its rows in fixed blocks and is skipped when its
result is on disk, so a killed run goes on at the next block and ends with the same rows: the
randomness of a row comes from random_seed, iteration and index alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from isara.decoding import Writer, row_seed
from isara.examples import Example
from isara.filters import apply_decisions, pack, verdicts
from isara.methods.assessing import assess
from isara.methods.baselines import measure_baselines
from isara.methods.candidates import (
    RULINGS,
    Rows,
    kept_examples,
    kept_rows,
    majority,
    read_rows,
    saved_scores,
    score_table,
)
from isara.methods.contrasting import train_against, write_own_answers
from isara.methods.measuring import Measuring
from isara.methods.overlaps import left_out_prompts, without_eval_prompts
from isara.methods.reviewing import wait_for_review
from isara.methods.variety import write_diversity
from isara.prompts import answer_prompt, fit, question_prompt
from isara.retrieval import nearest
from isara.training.sft import TrainingRow, delete_checkpoints
from isara.training.steps import optimizer_steps
from isara.workspace.files import (
    BlockWriter,
    write_json,
    write_jsonl,
    write_parquet,
)
from isara.workspace.runs import IterationFolder

BLOCK = 128  # rows in a block: what a kill can cost at most
Block = Callable[[range, Writer, Callable[[int], None]], Rows]


# Tables of written texts: the stage that writes them, and the text whose tokens a row counts.
TABLES = {
    "tasks": ("questions", "list"),
    "questions": ("questions", "question"),
    "candidates": ("answers", "answer"),
    "assessed": ("assess", "assessment"),
    "own": ("own", "answer"),
}


class Run(Measuring):
    """One run while it is worked on: its stages."""

    # ---------------------------------------------------------------- generate

    def write_questions(self, k: int, model: Path | None, pool: Sequence[Example]) -> Rows:
        """N questions, each written after C examples drawn from the pool (§4.1)."""
        loop, prompts, decoding = self.config.loop, self.config.prompts, self.config.decoding

        def block(indices: range, writer: Writer, on_progress: Callable[[int], None]) -> Rows:
            limit = writer.context - prompts.question_tokens
            shown = []
            for i in indices:
                rng = np.random.default_rng(self._seed(k, i, "examples"))
                drawn = self.drawn(pool, loop.examples, i, rng)
                shown.append(fit(drawn, self._question_prompt, writer.count_tokens, limit))
            texts = [self._question_prompt(examples) for examples in shown]
            written = writer.write(
                texts,
                decoding.question,
                max_new_tokens=prompts.question_tokens,
                seeds=[self._seed(k, i, "question") for i in indices],
                multiline=prompts.multiline,
                batch_size=decoding.batch_size,
                on_progress=on_progress,
                should_stop=self.folder.stop_requested,
            )
            return [
                {
                    "index": i,
                    "question": text.text,
                    "question_shown": [example.id for example in examples],
                    "question_prompt": prompt,
                    "log_prob_question": text.log_prob,
                    "question_finish": text.finish,
                    "question_tokens": text.tokens,
                    "question_prompt_tokens": text.prompt_tokens,
                }
                for i, examples, prompt, text in zip(indices, shown, texts, written, strict=True)
            ]

        return self.generate(k, "questions", model, block)

    def drawn(
        self, pool: Sequence[Example], count: int, index: int, rng: np.random.Generator
    ) -> list[Example]:
        """`count` random examples at most, of one domain where loop.draw says so."""
        if self.config.loop.draw == "domain" and self.domains:
            domain = self.domains[index % len(self.domains)]
            pool = [example for example in pool if example.domain == domain]
        chosen = rng.choice(len(pool), min(count, len(pool)), replace=False)
        return [pool[j] for j in chosen]

    def write_answers(
        self, k: int, model: Path | None, pool: Sequence[Example], questions: Rows
    ) -> Rows:
        """An answer to every question, after the C pool examples nearest to it (§4.1); without
        examples where the pool is empty."""
        config = self.config
        found: list[tuple[Any, Any]] = []  # once, and not at all when every block is on disk
        domains: list[str | None] = []

        def block(indices: range, writer: Writer, on_progress: Callable[[int], None]) -> Rows:
            if not found:
                asked = [row["question"] for row in questions]
                found.append(self._neighbours(k, pool, asked))
                domains.extend(self._domains(pool, asked, found[0][0]) if self.domains else [])
            texts, rows = self._answer_prompts(writer, pool, questions, indices, found[0])
            written = writer.write(
                texts,
                config.decoding.answer,
                max_new_tokens=config.prompts.answer_tokens,
                seeds=[self._seed(k, i, "answer") for i in indices],
                multiline=config.prompts.multiline,
                batch_size=config.decoding.batch_size,
                on_progress=on_progress,
                should_stop=self.folder.stop_requested,
            )
            return [
                {
                    **questions[i],
                    **row,
                    **({"domain": domains[i]} if domains else {}),
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
                    "answer_tokens": text.tokens,
                    "answer_prompt_tokens": text.prompt_tokens,
                }
                for i, row, prompt_text, text in zip(indices, rows, texts, written, strict=True)
            ]

        return self.generate(k, "candidates", model, block, len(questions))

    def _answer_prompts(
        self,
        writer: Writer,
        pool: Sequence[Example],
        questions: Rows,
        indices: range,
        neighbours: tuple[Any, Any],
    ) -> tuple[list[str], Rows]:
        """The prompts of these questions with as many neighbours as fit, and which they are."""
        multiline = self.config.prompts.multiline
        limit = writer.context - self.config.prompts.answer_tokens
        ranked, cosines = neighbours
        texts, rows = [], []
        for i in indices:
            question = questions[i]["question"]

            def prompt(used: Sequence[Example], question: str = question) -> str:
                # Nearest last, beside the question.
                return answer_prompt(used[::-1], question, multiline)

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
        return texts, rows

    def _neighbours(
        self, k: int, pool: Sequence[Example], questions: Sequence[str]
    ) -> tuple[Any, Any]:
        """Pool indices and cosines [questions, C], nearest first; random ones on request."""
        count = min(self.config.loop.examples, len(pool))
        if count == 0:
            return np.zeros((len(questions), 0), int), np.zeros((len(questions), 0))
        embedder = self.tools.embedder
        started = time.perf_counter()
        pool_vectors = embedder.embed([example.question for example in pool])
        vectors = embedder.embed(questions)
        if self.config.loop.retrieval == "nearest":
            cosines, indices = nearest(pool_vectors, vectors, count)
            self._note_retrieval(k, time.perf_counter() - started)
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

    def _domains(
        self, pool: Sequence[Example], questions: Sequence[str], neighbours: Any
    ) -> list[str | None]:
        """The domain of most of each question's nearest examples; `neighbours` are those that its
        answer is written after. Where these are random or none, the nearest ones are looked for."""
        if self.config.loop.retrieval != "nearest" or not pool:
            pool = pool or self.seeds
            embed, count = self.tools.embedder.embed, min(self.config.loop.examples, len(pool))
            own = embed([example.question for example in pool])
            _, neighbours = nearest(own, embed(questions), count)
        return [majority([pool[j].domain for j in row]) for row in neighbours]

    def generate(
        self, k: int, name: str, model: Path | None, block: Block, total: int | None = None
    ) -> Rows:
        """Write a table of `total` rows (N when not given) block by block, each row with its
        tokens; what is on disk is not written again."""
        total = self.config.loop.candidates if total is None else total
        stage, text = TABLES[name]
        blocks = BlockWriter(self.folder.iteration(k).path, name, -(-total // BLOCK))
        missing = blocks.missing()
        if missing:
            left = sum(min(BLOCK, total - b * BLOCK) for b in missing)
            started = self.reporter.begun(k, stage, total - left, total)
        for b in missing:
            self._check_stop()
            indices = range(b * BLOCK, min(total, (b + 1) * BLOCK))
            report = self._within(k, stage, indices.start, total, started)
            with self._timed(k, stage) as spent:
                rows = block(indices, self.tools.writer(model), report)
                self._check_stop()  # texts of a stopped block are not whole
                for row in rows:
                    spent.count_tokens(row[f"{text}_prompt_tokens"], row[f"{text}_tokens"])
                blocks.append(b, rows)
            done = min(total, (b + 1) * BLOCK)
            self.reporter.update(
                k, stage, done, total, started=started, measured=(len(indices), spent.working)
            )
        if not missing:
            self.reporter.finished(k, stage)
        return read_rows(blocks.finish())

    def _question_prompt(self, examples: Sequence[Example]) -> str:
        return question_prompt(examples, self.config.prompts.multiline)

    # ---------------------------------------------------------------- verdicts

    def assess(self, k: int, model: Path | None, candidates: Rows) -> Rows:
        """The candidates with what the filters ask the model of them."""
        return assess(self, k, model, candidates)

    def verdicts(self, k: int, candidates: Rows, pool: Sequence[Example]) -> list[Example]:
        """Score the candidates once, let people review where the config asks for it, judge them,
        lay decisions over it, leave eval prompts out; the kept pairs."""
        files = self.folder.iteration(k)
        if files.kept.exists():  # a later decision does not change what was trained on
            self.reporter.finished(k, "filter")
            return kept_examples(files)
        count = len(candidates)
        started = self.reporter.begun(k, "filter", 0, count)
        with self._timed(k, "filter") as scored:
            scores = saved_scores(files, self.config.filters)
            if scores is None:
                scores = score_table(candidates, pool)
                write_parquet(files.scores, scores)
        wait_for_review(self, k)
        with self._timed(k, "filter") as spent:
            result = verdicts(pack(scores), self.config.filters)
            # A skip or a flag is a remark: it overrides no verdict.
            rulings = {i: d for i, d in self.decisions(k).items() if d.action in RULINGS}
            ids = [row["candidate_id"] for row in candidates]
            by_index = {i: rulings[c].action for i, c in enumerate(ids) if c in rulings}
            mask = apply_decisions(result, by_index)
            kept = kept_rows(candidates, mask.tolist(), rulings)
            kept = without_eval_prompts(self, k, candidates, kept)
            chosen = {row["candidate_id"] for row in kept}
            written = [row for row in candidates if row["candidate_id"] in chosen]
            write_diversity(self, k, kept, written)
            write_jsonl(files.kept, kept)
        measured = (count, scored.working + spent.working)
        self.reporter.update(k, "filter", count, count, started=started, measured=measured)
        return kept_examples(files)

    # ---------------------------------------------------------------- train

    def train(self, k: int, model: Path | None, kept: Sequence[Example]) -> Path:
        """M(k): fine-tuned on D0 with weight gamma and D(k) with weight 1, or trained on both
        against the model's own answers; its folder."""
        source = model if self.config.training.start_from == "previous" else self.base
        if self.config.training.objective == "contrast":
            demonstrations = [*self.seeds, *kept]
            own = write_own_answers(self, k, source, demonstrations)
            return train_against(self, k, source, demonstrations, own)
        return self.fine_tune(k, self.folder.iteration(k), source, kept)

    def fine_tune(
        self,
        place: int | str,
        files: IterationFolder,
        source: Path | None,
        kept: Sequence[Example],
        steps: int | None = None,
        *,
        with_seeds: bool = True,
    ) -> Path:
        """Train for the config's epochs, or for that many optimizer steps."""
        seeds = self.seeds if with_seeds else []
        rows = [TrainingRow(example, self.config.training.gamma) for example in seeds]
        rows += [TrainingRow(example) for example in kept]
        counted = {"rows": len(rows), "kept": len(kept), "seeds": len(seeds)}
        tune = partial(self.tools.fine_tune, source, rows)
        return self.train_once(place, files, tune, counted, steps)

    def train_once(
        self,
        place: int | str,
        files: IterationFolder,
        tune: Callable[..., None],
        counted: dict[str, int],
        steps: int | None = None,
    ) -> Path:
        """Call a training of the tools, `tune`, on the folder's model unless its marker
        trained.json is there; `counted` goes into the marker, its "rows" are those of an epoch."""
        done = files.path / "trained.json"
        if done.exists():
            delete_checkpoints(files.model)
            self.reporter.finished(place, "train")
            return files.model
        epochs, step_rows = self.config.training.epochs, self.config.training.step_rows
        rows = counted["rows"]
        total = rows * epochs if steps is None else steps * step_rows
        taken = 0
        started = time.time()
        report = self.reporter.steps(place, "train", total)

        def on_step(step: dict[str, float]) -> None:
            nonlocal taken
            taken = int(step["steps"])
            report(step)

        with self._timed(place, "train"):
            tune(
                files.model,
                random_seed=row_seed(self.config.random_seed, place, "train") % 2**31,
                on_step=on_step,
                should_stop=self.folder.stop_requested,
                steps=steps,
            )
        # None was taken where the last checkpoint was whole and only the model had to be written.
        taken = taken or optimizer_steps(self.config.training, rows, steps)
        write_json(done, counted | {"steps": taken})
        delete_checkpoints(files.model)
        self.reporter.update(place, "train", total, total, started=started)
        return files.model

    def baselines(self, *, late: bool = False) -> None:
        """The config's baselines: those that need nothing of the loop, or (`late`) the others."""
        measure_baselines(self, late=late)

    def left_out_prompts(self, place: int | str) -> set[str]:
        """Eval prompts that a model is not asked, because it was trained on them."""
        return left_out_prompts(self, place) if isinstance(place, int) else set()

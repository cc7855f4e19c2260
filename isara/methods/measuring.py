"""Measuring a model: answers to the eval prompts, the judge, the metrics (methods §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from isara.decoding import Writer
from isara.decoding.endpoint import Usage
from isara.evaluation.cost import Meter
from isara.evaluation.measure import add_preferences, add_rewards, evaluation_rows, metrics
from isara.examples import EvalPrompt, Example
from isara.methods.base import RunBase
from isara.methods.candidates import Rows, answer_seed, evaluation_decoding, read_rows
from isara.prompts import answer_prompt, fitted_answer_prompt
from isara.workspace.files import BlockWriter, write_json, write_parquet
from isara.workspace.runs import IterationFolder

EVALUATION_BLOCK = 256  # short prompts: a larger block keeps the decoder busy
# Examples for each of some prompts, the most wanted first.
Shown = Callable[[Sequence[EvalPrompt]], list[list[Example]]]


class Measuring(RunBase):
    """The stages of evaluation."""

    def evaluate(self, place: int | str, model: Path | None, shown: Shown | None = None) -> None:
        """Answer every eval prompt, judge the answers, write rows and metrics.

        Zero-shot, or after the examples that `shown` gives for each of some prompts.
        """
        files = self._files(place)
        if not self.prompts:
            self._mark_base(place)
            return
        if not files.metrics.exists():
            rows = self._answered(place, model, files, shown)
            count = len(rows)
            started = self.reporter.begun(place, "judge", 0, count)
            with self._timed(place, "judge") as spent:
                tools = self.tools
                table = evaluation_rows(
                    self._asked(place), rows, tools.judge, self.config, tools.refusals
                )
                self._compare(place, table, spent)
                write_parquet(files.evaluation, table)
                write_json(files.metrics, metrics(table, self.config))
            measured = (count, spent.working)
            self.reporter.update(place, "judge", count, count, started=started, measured=measured)
            (files.path / "answers.parquet").unlink(missing_ok=True)
        else:
            self.reporter.finished(place, "evaluate")
            self.reporter.finished(place, "judge")
        self._mark_base(place)

    def _compare(self, place: int | str, table: pd.DataFrame, spent: Meter) -> None:
        """Columns of the reward model and of the judge of pairs, where the config names them; both
        compare with the base model's answers to the same prompts."""
        base: pd.DataFrame | None = None
        if place != 0 and self.folder.iteration(0).evaluation.exists():
            base = pd.read_parquet(self.folder.iteration(0).evaluation)
        if self.tools.reward is not None:
            add_rewards(table, self.tools.reward, base)
        if self.tools.preference is not None and base is not None:
            judge, seed = self.tools.preference, self.config.random_seed
            found = add_preferences(table, judge, base, seed, self._check_stop)
            if found.problems:
                message = f"{len(found.problems)} pairs without a preference: {found.problems[0]}"
                self.folder.log_event("warning", place=place, message=message)
            self._note_usage(place, found.usage, spent)

    def _note_usage(self, place: int | str, usage: Usage | None, spent: Meter) -> None:
        """What a server was asked for and what it cost, where the config has its prices."""
        wanted = self.config.evaluation.preference
        if usage is None or wanted is None:
            return
        cost = None
        if wanted.price_in is not None and wanted.price_out is not None:
            cost = usage.cost(wanted.price_in, wanted.price_out)
        write_json(self._files(place).path / "usage.json", {**asdict(usage), "cost": cost})
        spent.count_tokens(usage.tokens_in, usage.tokens_out)

    def left_out_prompts(self, place: int | str) -> set[str]:
        """Ids of the prompts that are not asked at a place."""
        return set()

    def _asked(self, place: int | str) -> list[EvalPrompt]:
        gone = self.left_out_prompts(place)
        return [prompt for prompt in self.prompts if prompt.id not in gone]

    def _answered(
        self, place: int | str, model: Path | None, files: IterationFolder, shown: Shown | None
    ) -> Rows:
        evaluation = self.config.evaluation
        prompts = self._asked(place)
        total = len(prompts)
        size = max(EVALUATION_BLOCK, evaluation.batch_size or 0)
        blocks = BlockWriter(files.path, "answers", -(-total // size))
        missing = blocks.missing()
        left = sum(min(size, total - b * size) for b in missing)
        started = self.reporter.begun(place, "evaluate", total - left, total)
        for b in missing:
            self._check_stop()
            part = prompts[b * size : (b + 1) * size]
            with self._timed(place, "evaluate") as spent:
                writer = self.tools.writer(model)
                texts = writer.write(
                    self._eval_prompts(part, writer, shown),
                    evaluation_decoding(self.config),
                    max_new_tokens=evaluation.max_new_tokens,
                    seeds=[answer_seed(self.config.random_seed, prompt.id) for prompt in part],
                    multiline=self.config.prompts.multiline,
                    batch_size=evaluation.batch_size,
                    on_progress=self._within(place, "evaluate", b * size, total, started),
                    should_stop=self.folder.stop_requested,
                )
                self._check_stop()
                for text in texts:
                    spent.count_tokens(text.prompt_tokens, text.tokens)
                rows = [
                    {
                        "answer": t.text,
                        "finish": t.finish,
                        "tokens": t.tokens,
                        "log_prob": t.log_prob,
                    }
                    for t in texts
                ]
                blocks.append(b, rows)
            done = min(total, (b + 1) * size)
            self.reporter.update(
                place,
                "evaluate",
                done,
                total,
                started=started,
                measured=(len(part), spent.working),
            )
        return read_rows(blocks.finish())

    def _eval_prompts(
        self, part: Sequence[EvalPrompt], writer: Writer, shown: Shown | None
    ) -> list[str]:
        """What the model reads: the question alone, or after as many examples as fit."""
        multiline = self.config.prompts.multiline
        if shown is None:
            return [answer_prompt([], prompt.question, multiline) for prompt in part]
        limit = writer.context - self.config.evaluation.max_new_tokens
        count = writer.count_tokens
        return [
            fitted_answer_prompt(examples, prompt.question, multiline, count, limit)
            for prompt, examples in zip(part, shown(part), strict=True)
        ]

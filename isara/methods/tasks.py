"""Instruction generation of I-SHEEP: lists of tasks that begin with a few seeds (2408.08072).

    questions = write_tasks(run, k, model, count=512)

Each list is one text; its numbered lines are the instructions, and a list is read up to where it
stops counting.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isara.decoding import Writer, Written
from isara.prompts import TASKS_HEAD, answer_prompt, fold

if TYPE_CHECKING:
    from isara.config import RunConfig
    from isara.methods.candidates import Rows
    from isara.methods.stages import Run

LINE = re.compile(r"\s*(\d+)\s*[.):]\s*(\S.*)")


def list_prompt(header: str, shown: list[str], length: int) -> str:
    """The list's beginning: the header, the shown tasks, and the next number."""
    lines = [TASKS_HEAD, *(f"{n}. {fold(task)}" for n, task in enumerate(shown, 1))]
    words = f"{header.format(tasks=length)}\n\n" if header else ""
    return words + "\n".join([*lines, f"{len(shown) + 1}."])


def read_list(text: str, first: int, finish: str) -> list[str]:
    """The tasks of a list that goes on at number `first`; what is out of count ends it, and the
    last one is left out when the budget cut it."""
    tasks: list[str] = []
    for line in f"{first}.{text}".split("\n"):
        if not line.strip():
            continue
        found = LINE.fullmatch(line)
        if found is None or int(found[1]) != first + len(tasks):
            break
        tasks.append(found[2].strip())
    return tasks if finish == "end" else tasks[:-1]


def write_tasks(run: Run, k: int, model: Path | None, count: int) -> Rows:
    """Up to `count` instructions, as rows of questions; fewer where lists end early.

    As many lists are written as would give them if every list were whole.
    """
    config, sheep = run.config, run.config.isheep
    shown_count = min(sheep.shown, len(run.seeds))
    total = ceil(count / max(1, sheep.tasks - shown_count))

    def block(indices: range, writer: Writer, on_progress: Callable[[int], None]) -> Rows:
        prompts, shown = [], []
        for i in indices:
            rng = np.random.default_rng(run._seed(k, i, "tasks"))
            drawn = run.drawn(run.seeds, shown_count, i, rng)
            shown.append([seed.id for seed in drawn])
            prompts.append(list_prompt(sheep.header, [s.question for s in drawn], sheep.tasks))
        written = writer.write(
            prompts,
            config.decoding.question,
            max_new_tokens=sheep.list_tokens,
            seeds=[run._seed(k, i, "list") for i in indices],
            multiline=True,
            batch_size=config.decoding.batch_size,
            on_progress=on_progress,
            should_stop=run.folder.stop_requested,
        )
        return [
            {
                "index": i,
                "list": text.text,
                "list_finish": text.finish,
                "list_tokens": text.tokens,
                "list_prompt_tokens": text.prompt_tokens,
                "list_prompt": prompt,
                "shown": ids,
                "too_long": _too_long(config, writer, text, len(ids) + 1),
            }
            for i, text, prompt, ids in zip(indices, written, prompts, shown, strict=True)
        ]

    lists = run.generate(k, "tasks", model, block, total)
    asked = sheep.tasks - shown_count
    rows = [row for item in lists for row in _rows(item, len(item["shown"]) + 1)[:asked]]
    return [{"index": i, **row} for i, row in enumerate(rows[:count])]


def _too_long(config: RunConfig, writer: Writer, text: Written, first: int) -> list[int]:
    """Places of the tasks that leave no room for an answer, when it is written or when it is
    trained on. Nothing but the list's budget limits a task."""
    room = min(config.training.max_tokens - 1, writer.context - config.prompts.answer_tokens)
    prompts = [
        answer_prompt([], task, config.prompts.multiline)
        for task in read_list(text.text, first, text.finish)
    ]
    return [i for i, prompt in enumerate(prompts) if writer.count_tokens(prompt) > room]


def _rows(item: dict[str, Any], first: int) -> Rows:
    """A list's tasks as questions, without those that are too long; likelihood and tokens are the
    list's: none of their own."""
    tasks = read_list(item["list"], first, item["list_finish"])
    return [
        {
            "question": task,
            "question_shown": item["shown"],
            "question_prompt": item["list_prompt"],
            "log_prob_question": 0.0,
            "question_finish": "end",
            "question_tokens": 0,
            "question_prompt_tokens": 0,
        }
        for place, task in enumerate(tasks)
        if place not in item.get("too_long", ())
    ]

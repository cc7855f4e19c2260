"""Stages of training against the model's own answers: SPIN, IRFT, ISARA with that objective.

The model answers the demonstrations' questions without examples (sampled, temperature 1, top-p 1),
is trained to prefer the demonstrations to its answers, and is measured on demonstrations that it is
never trained on. A stage that is on disk is skipped, as everywhere.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isara.config import GenerationConfig, RunConfig
from isara.decoding import Writer, Written, row_seed
from isara.errors import InputError
from isara.evaluation.stats import bootstrap_mean
from isara.examples import Example
from isara.methods.candidates import Rows
from isara.prompts import answer_prompt
from isara.training.contrast import Contrast
from isara.workspace.files import read_json, write_json
from isara.workspace.runs import IterationFolder

if TYPE_CHECKING:
    from isara.methods.stages import Run

FIRST_SFT = "first_sft"  # the place of the SFT before the first stage


def check_demonstrations(config: RunConfig, count: int) -> None:
    """InputError when `count` seeds do not leave one to train on for each stage of IRFT, or one at
    all for SPIN."""
    held_out = config.contrast.held_out
    wanted = config.loop.max_iterations if config.method == "irft" else 1
    if count - held_out < wanted:
        raise InputError(
            f"The seed set has {count} pairs, of which contrast.held_out keeps {held_out} from "
            f"training; {config.method} needs at least {wanted} to train on: give more seeds, or "
            "lower contrast.held_out or loop.max_iterations."
        )


def split_demonstrations(run: Run) -> tuple[list[Example], list[Example]]:
    """The seeds in an order drawn by the run's random seed: those to train on, those held out."""
    held_out = run.config.contrast.held_out
    rng = np.random.default_rng(row_seed(run.config.random_seed, "demonstrations"))
    drawn = [run.seeds[i] for i in rng.permutation(len(run.seeds))]
    return drawn[held_out:], drawn[:held_out]


def first_model(run: Run, demonstrations: Sequence[Example]) -> Path | None:
    """What the first stage starts from: the base model, or (`contrast.first_sft`) the same after
    SFT on the demonstrations; never on those held out, of which the baseline `sft` sees all."""
    if not run.config.contrast.first_sft:
        return run.base
    files = run.folder.baseline(FIRST_SFT)
    model = run.fine_tune(FIRST_SFT, files, run.base, demonstrations, with_seeds=False)
    if not files.is_done:
        write_json(files.done, {"baseline": FIRST_SFT, "seconds": run.seconds(FIRST_SFT)})
    return model


def drop_first_model(run: Run) -> None:
    """Delete it when later ones are there, unless all models are kept."""
    if run.config.loop.keep_models != "all":
        shutil.rmtree(run.folder.baseline(FIRST_SFT).model, ignore_errors=True)


def write_own_answers(
    run: Run, k: int, model: Path | None, demonstrations: Sequence[Example]
) -> list[str]:
    """The model's answer to each demonstration's question, in their order.

    Training puts the end token after each, as after a demonstration; a warning tells how many were
    cut by their budget and did not end by themselves.
    """

    def block(indices: range, writer: Writer, on_progress: Callable[[int], None]) -> Rows:
        part = [demonstrations[i] for i in indices]
        seeds = [run._seed(k, i, "own") for i in indices]
        written = answers(run, writer, part, seeds, on_progress)
        return [
            {
                "index": i,
                "question": one.question,
                "answer": text.text,
                "demonstration": one.id,
                "model": str(model or run.config.model.path),
                "log_prob": text.log_prob,
                "answer_finish": text.finish,
                "answer_tokens": text.tokens,
                "answer_prompt_tokens": text.prompt_tokens,
            }
            for i, one, text in zip(indices, part, written, strict=True)
        ]

    rows = run.generate(k, "own", model, block, len(demonstrations))
    if cut := sum(row["answer_finish"] == "budget" for row in rows):
        message = (
            f"{cut} of {len(rows)} own answers were cut at {run.config.prompts.answer_tokens} "
            "tokens (prompts.answer_tokens), and are trained on as if they had ended there"
        )
        run.folder.log_event("warning", place=k, message=message)
    return [row["answer"] for row in rows]


def answers(
    run: Run,
    writer: Writer,
    demonstrations: Sequence[Example],
    seeds: Sequence[int],
    on_progress: Callable[[int], None] | None = None,
) -> list[Written]:
    """Zero-shot answers, sampled from the model's own distribution."""
    prompts, decoding = run.config.prompts, run.config.decoding
    return writer.write(
        [answer_prompt([], one.question, prompts.multiline) for one in demonstrations],
        GenerationConfig(strategy="sample"),
        max_new_tokens=prompts.answer_tokens,
        seeds=list(seeds),
        multiline=prompts.multiline,
        batch_size=decoding.batch_size,
        on_progress=on_progress,
        should_stop=run.folder.stop_requested,
    )


def train_against(
    run: Run,
    k: int,
    model: Path | None,
    demonstrations: Sequence[Example],
    own: Sequence[str],
) -> Path:
    """M(k): K updates (or the config's epochs) on demonstrations against own answers, the model
    itself the reference; its folder."""
    pairs = [Contrast(one, text) for one, text in zip(demonstrations, own, strict=True)]
    tune = partial(run.tools.contrast, model, pairs)
    counted = {"rows": len(pairs), "own_answers": len(own)}
    files = run.folder.iteration(k)
    return run.train_once(k, files, tune, counted, run.config.contrast.updates)


def measure_gap(run: Run, k: int, model: Path | None, held_out: Sequence[Example]) -> None:
    """Write gap.json: means over held-out demonstrations of log p(y|x) - log p(o|x) (nats, p the
    model, summed over tokens and end token).

    log_prob_gap: o is what this model itself answers; it is negative while the model finds its own
    words likelier than the demonstrations'. log_prob_gap_base: o is what the base model answered,
    the same texts in every iteration; it grows as far as the training tells demonstrations from
    such answers. Answers are paired draws. Nothing is written without held-out demonstrations.
    """
    file = gap_file(run.folder.iteration(k))
    if not held_out or file.exists():
        return
    run._check_stop()
    with run._timed(k, "evaluate") as spent:
        seeds = [row_seed(run.config.random_seed, "held out", one.id) for one in held_out]
        written = answers(run, run.tools.writer(model), held_out, seeds)
        run._check_stop()  # texts of a stopped writer are not whole
        for text in written:
            spent.count_tokens(text.prompt_tokens, text.tokens)
        own = [text.text for text in written]
        base = read_json(gap_file(run.folder.iteration(0)))["answers"] if k else own
        texts = [*own, *base]
        asked = [one.question for one in held_out] * 2
        others = [Example(question, text) for question, text in zip(asked, texts, strict=True)]
        found = run.tools.measure_pairs(model, [*held_out, *others]).answer_log_probs
    theirs, ours, before = np.split(found, 3)
    gaps = {
        "log_prob_gap": _mean(theirs - ours, "the model's own answers"),
        "log_prob_gap_base": _mean(theirs - before, "the base model's answers"),
    }
    write_json(file, {"unit": "nats", "answers": own, "metrics": gaps})


def _mean(gaps: NDArray[np.float64], judge: str) -> dict[str, object]:
    mean = bootstrap_mean(gaps.tolist())
    about = {"judge": judge, "threshold": None, "decoding": "sample", "split": "held out"}
    return {"value": mean.value, "low": mean.low, "high": mean.high, "n": mean.n, **about}


def gap_file(files: IterationFolder) -> Path:
    """Where an iteration's gaps and the answers that they were measured on are kept."""
    return files.path / "gap.json"


def gap_fields(files: IterationFolder) -> dict[str, object]:
    """`log_prob_gap` and `log_prob_gap_base` of an iteration as metrics; nothing where they were
    not measured."""
    found: dict[str, object] = read_json(gap_file(files), {}).get("metrics", {})
    return found

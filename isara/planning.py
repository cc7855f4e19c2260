"""What a run will need, told before anything is loaded: work by stage, memory, time.

    plan = make_plan(config, seeds, prompts=600)
    plan.memory["weights"], plan.hours(100e12)

Counts of parameters come from a local model's files, else from the size in a hub name ("opt-6.7b"),
so nothing is fetched. Arithmetic is counted as 2 operations for a parameter and token read or
written, 6 for one trained (Kaplan and others, arXiv 2001.08361, §2.1); texts are taken to be as
long as the seeds'. Left out: activations, caches, the judge and the embedder.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from isara.config import RunConfig, resolve
from isara.examples import Example
from isara.methods.progress import kind_of, planned_work

CHARACTERS = 4  # of a token of English, roughly
SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)([bm])(?![\w.])", re.I)
GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class Plan:
    """Parameters of the model (None: not known) and where their number comes from, bytes of memory
    by what holds them, operations by stage."""

    parameters: int | None
    source: str
    memory: dict[str, float]
    operations: dict[str, float]

    def hours(self, rate: float) -> float:
        """At so many operations in a second."""
        return sum(self.operations.values()) / rate / 3600


def count_parameters(name: str) -> tuple[int | None, str]:
    """Parameters of a model and how they are known."""
    folder = resolve(name)
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    if files:
        return sum(map(_parameters, files)), "counted in its files"
    found = SIZE.search(re.sub(r"[-_/]", " ", name))
    if found is None:
        return None, "its name gives no size"
    unit = 1e9 if found[2].lower() == "b" else 1e6
    return round(float(found[1]) * unit), "by its name"


def _parameters(file: Path) -> int:
    """Numbers in a safetensors file, from its header."""
    with file.open("rb") as data:
        length = struct.unpack("<Q", data.read(8))[0]
        header = json.loads(data.read(length))
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")


def make_plan(config: RunConfig, seeds: Sequence[Example], prompts: int) -> Plan:
    """The plan of a run on these seeds with so many eval prompts."""
    parameters, source = count_parameters(config.model.path)
    count = parameters or 0
    stages = _tokens(config, seeds, prompts)
    operations = {
        stage: (6 if stage in ("train", "reward", "policy") else 2) * count * tokens
        for stage, tokens in stages.items()
    }
    return Plan(parameters, source, _memory(config, count), operations)


def _memory(config: RunConfig, parameters: int) -> dict[str, float]:
    """Bytes while training: weights, gradients and optimizer of what is trained."""
    if config.training.lora is not None:
        width = {"none": 2.0, "8bit": 1.0, "4bit": 0.5}[config.model.quantisation]
        return {"weights": width * parameters}  # adapters are small beside them
    # Full weights are trained in float32, whatever they are written in.
    adam = 2.0 if config.training.optimizer == "adamw_8bit" else 8.0
    state = 4.0 if config.training.optimizer == "rmsprop" else adam
    found = {"weights": 4.0, "gradients": 4.0, "optimizer": state}
    if config.method == "rft":
        found |= {"reference": 4.0, "reward model": 4.0}  # of the policy's stage
    return {name: width * parameters for name, width in found.items()}


def _tokens(config: RunConfig, seeds: Sequence[Example], prompts: int) -> dict[str, float]:
    """Tokens read, written or trained on by stage, over the whole run, where every pair is kept."""
    question = sum(len(seed.question) for seed in seeds) / CHARACTERS / len(seeds)
    answer = sum(len(seed.answer) for seed in seeds) / CHARACTERS / len(seeds)
    pair = question + answer
    shown = config.loop.examples * pair
    beams = {name: one.num_beams if one.strategy == "beam" else 1
             for name, one in (("question", config.decoding.question),
                               ("answer", config.decoding.answer))}  # fmt: skip
    calls = 2 if config.filters.assessment == "both" and config.assessment.prompt != "icl" else 1
    of_unit = {
        "questions": shown + beams["question"] * question,
        "answers": shown + question + beams["answer"] * answer,
        "own": pair,
        "assess": calls * pair,
        "train": pair,
        "reward": 2 * pair,
        "policy": pair * 5 / 3,  # writes and is scored
        "evaluate": pair,
        "evaluate_shown": shown + pair,
    }
    if config.method == "isheep":
        of_unit |= {"questions": config.isheep.tasks * question, "answers": pair}
    contrast = config.method == "isara" and config.training.objective == "contrast"
    against = config.method in ("spin", "irft") or contrast
    found: dict[str, float] = {}
    for key, units in planned_work(config, len(seeds), prompts, retention=1.0).items():
        kind = kind_of(key)
        tokens = of_unit.get(kind, 0.0)
        if against and kind == "train" and key[0].isdigit():
            tokens *= 2 * 4 / 3  # two answers, which the reference reads as well
        found[kind] = found.get(kind, 0.0) + units * tokens
    return {kind: tokens for kind, tokens in found.items() if tokens}

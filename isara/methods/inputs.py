"""What a run reads before it begins: seed set D0 and eval prompts, of one domain or of several.

    config = pinned(config, workspace)                 # saved seed sets with their versions
    seeds, notes, prompts = load_inputs(config, workspace)

A mixture is the concatenation of its seed sets, in the order of the config; each pair carries its
domain. All that is wrong, in whichever file, is one InputError: a run never trains on a part of its
seeds unasked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from typing import TypeVar

from isara.config import RunConfig, resolve
from isara.config_seeds import SeedSource
from isara.errors import InputError
from isara.evaluation.measure import SPLITS
from isara.evaluation.stats import can_tell
from isara.examples import EvalPrompt, Example, shown_value
from isara.models import location
from isara.seed_files import read_eval_set, read_seed_file
from isara.workspace.runs import Workspace

TOLD = (0.5, 0.12)  # harmful rates of an unaligned and of a nearly aligned model
LISTED = 10  # rows that stand in two domains, in one message
Row = TypeVar("Row", Example, EvalPrompt)
Source = TypeVar("Source", bound=SeedSource)
Given = TypeVar("Given")
Files = str | dict[str, str] | None


def pinned(config: RunConfig, workspace: Workspace) -> RunConfig:
    """The config with the version of every saved seed set that it names without one: a version
    saved later must not slip into a run that was begun. Sets that are missing are left to
    `load_seeds`, which tells all problems at once."""

    def fixed(source: Source) -> Source:
        if source.name is None or source.version is not None:
            return source
        saved = workspace.database.seed_sets(source.name)
        return source.model_copy(update={"version": saved[0].version}) if saved else source

    seeds = fixed(config.seeds)
    if seeds.mixture is not None:
        mixture = {domain: fixed(source) for domain, source in seeds.mixture.items()}
        seeds = seeds.model_copy(update={"mixture": mixture})
    return config.model_copy(update={"seeds": seeds})


def load_inputs(
    config: RunConfig, workspace: Workspace
) -> tuple[list[Example], list[str], list[EvalPrompt]]:
    """The seed set with its notes, and the eval prompts.

    InputError tells what is wrong with the seeds, with the eval sets, and of the folders of models
    those that are not there.
    """
    faults = _missing_models(config)
    seeds: list[Example] = []
    notes: list[str] = []
    prompts: list[EvalPrompt] = []
    try:
        seeds, notes = load_seeds(config, workspace)
        if not seeds:
            faults.append("The seed set is empty; give at least one question with its answer.")
    except InputError as error:
        faults.append(str(error))
    try:
        prompts = load_prompts(config.evaluation.prompts)
    except InputError as error:
        faults.append(str(error))
    if faults:
        raise InputError("\n".join(faults))
    return seeds, notes, prompts


def _missing_models(config: RunConfig) -> list[str]:
    """A sentence for each setting that names a model's folder which is not there."""
    measured = config.evaluation
    named = {
        "model.path": config.model.path,
        "embedder": config.embedder,
        "evaluation.judge": measured.judge,
        "evaluation.refusal_judge": measured.refusal_judge,
        "evaluation.reward": measured.reward,
        "evaluation.preference.path": measured.preference and measured.preference.path,
    }
    faults = []
    for setting, name in named.items():
        try:
            location(name or "")
        except InputError as error:
            faults.append(f"{setting}: {error}")
    return faults


def load_seeds(config: RunConfig, workspace: Workspace) -> tuple[list[Example], list[str]]:
    """The seed set of a config and what there is to note about it.

    InputError lists every problem of every file, and the pairs that stand in two domains.
    """
    if config.seeds.mixture is None:
        return _read(config.seeds, workspace)
    notes: list[str] = []

    def read(domain: str, source: SeedSource) -> list[Example]:
        examples, own = _read(source, workspace)
        notes.extend(f"{domain}: {note}" for note in own)
        return [replace(example, domain=domain) for example in examples]

    return _of_domains(config.seeds.mixture, read, "seed mixture"), notes


def _read(source: SeedSource, workspace: Workspace) -> tuple[list[Example], list[str]]:
    if source.name is not None:
        examples = list(workspace.database.load_seed_set(source.name, source.version).examples)
        return examples[: source.limit], []
    check = read_seed_file(resolve(str(source.path)), source.mapping or None)
    if check.problems:
        listed = "\n".join(f"  {problem}" for problem in check.problems)
        raise InputError(
            f"The seed file {source.path} has {len(check.problems)} problems; mend them, or save "
            f"its good rows as a seed set and use that:\n{listed}"
        )
    return check.examples[: source.limit], check.notes


def load_prompts(files: Files) -> list[EvalPrompt]:
    """The eval prompts of `evaluation.prompts`, none where it names no file.

    Where it names a file for each domain, that is its prompts' domain. InputError lists every
    problem of every file, and the questions that stand in two of them.
    """
    if files is None:
        return []
    if isinstance(files, str):
        return read_eval_set(resolve(files))

    def read(domain: str, file: str) -> list[EvalPrompt]:
        prompts = read_eval_set(resolve(file))
        others = [row for row, p in enumerate(prompts, 1) if p.domain not in (None, domain)]
        if others:
            raise InputError(
                f"{file} is the eval set of {domain}, and row {others[0]} and {len(others) - 1} "
                "more name another domain: give the file under that name, or remove the column."
            )
        return [replace(prompt, domain=domain) for prompt in prompts]

    return _of_domains(files, read, "eval sets")


def eval_files(files: Files) -> list[Path]:
    """The paths of `evaluation.prompts`."""
    return [
        resolve(file) for file in ([files] if isinstance(files, str) else (files or {}).values())
    ]


def _of_domains(
    sources: Mapping[str, Given], read: Callable[[str, Given], list[Row]], what: str
) -> list[Row]:
    """The rows of all domains, one after the other; a row that stands in two is a problem."""
    rows: list[Row] = []
    problems: list[str] = []
    for domain, source in sources.items():
        try:
            rows += read(domain, source)
        except InputError as error:
            problems.append(f"{domain}: {error}")
    problems += _repeated(rows)
    if problems:
        listed = indent("\n".join(problems), "  ")
        raise InputError(f"The {what} cannot be used as they are; mend these:\n{listed}")
    return rows


def _repeated(rows: Sequence[Row]) -> list[str]:
    """A sentence for each row that was there before, with both places."""
    first: dict[str, str] = {}
    problems: list[str] = []
    for row, place in zip(rows, places(rows), strict=True):
        before = first.setdefault(row.id, place)
        if before != place:
            problems.append(
                f"{shown_value(row.question)!r} stands in {before} and in {place}: remove it from "
                "one of them."
            )
    if len(problems) <= LISTED:
        return problems
    return [
        *problems[:LISTED],
        f"and {len(problems) - LISTED} more that stand in two domains",
    ]


def places(rows: Sequence[Row]) -> list[str]:
    """Where each row stands: "row 3", and in a mixture "row 3 of help"."""
    seen: Counter[str | None] = Counter()
    found = []
    for row in rows:
        seen[row.domain] += 1
        found.append(f"row {seen[row.domain]}" + (f" of {row.domain}" if row.domain else ""))
    return found


def power_notes(prompts: Sequence[EvalPrompt]) -> list[str]:
    """What the harmful prompts of each split can tell, to be read before a run."""
    harmful = Counter(prompt.split for prompt in prompts if not prompt.harmless)
    return [
        f"{split.capitalize()} split. {can_tell(harmful[split], *TOLD)}"
        for split in SPLITS
        if harmful[split]
    ]


def domain_notes(seeds: Sequence[Example], prompts: Sequence[EvalPrompt]) -> list[str]:
    """Domains of the seeds alone, or of the eval prompts alone: perhaps a misspelt name."""
    ours = dict.fromkeys(seed.domain for seed in seeds if seed.domain)
    asked = dict.fromkeys(prompt.domain for prompt in prompts if prompt.domain)
    if not ours or not asked:
        return []
    notes = []
    if unmeasured := [domain for domain in ours if domain not in asked]:
        notes.append(f"No eval prompts for {', '.join(unmeasured)}: results do not show them.")
    if unseeded := [domain for domain in asked if domain not in ours]:
        notes.append(f"No seeds for {', '.join(unseeded)}, which the eval prompts ask about.")
    return notes

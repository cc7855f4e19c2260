"""A study: runs x random seeds, with one table as its result, resumable arm by arm.

    study = load_study("data/configs/demo-compare.yaml")
    carry_out(study, workspace)                  # goes on where it stopped
    result = study_result(study, workspace)      # {"rows": [...], "comparisons": [...], ...}

    name: demo-compare
    config: data/configs/demo.yaml
    random_seeds: [1, 2, 3]
    draw: {domain: safety, size: 64}             # D0 afresh for each random seed
    arms:
      isara: {set: {evaluation.baselines: [sft]}}
      draw-only: {fixed_random_seed: 1}          # D0 afresh, all other randomness the same

Rates are means over random seeds; intervals and p-values come from the two-level bootstrap over
random seeds and prompts, corrected over the table by Holm (evaluation/stats.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pandas as pd
import yaml
from pydantic import Field

from isara.config import Baseline, RunConfig, resolve
from isara.config_base import Part
from isara.config_files import checked, load_config, parse_config, read_yaml, set_value
from isara.errors import InputError
from isara.evaluation.comparing import MCNEMAR, METRICS, outcomes
from isara.evaluation.stats import OverSeeds, holm, over_seeds, two_level_bootstrap
from isara.examples import Example
from isara.methods.runner import execute, prepare
from isara.methods.tools import LoadedTools, Tools
from isara.report import compared_columns
from isara.seed_files import read_seed_file, write_examples
from isara.workspace.files import read_json
from isara.workspace.runs import IterationFolder, Progress, RunFolder, Workspace

NAME = r"^[A-Za-z0-9][A-Za-z0-9-]{0,29}$"
Key = tuple[str, str, str]  # arm, place, metric
SCALES = {metric.name: metric.scale for metric in METRICS}  # of a metric, against its outcomes
RATES = {metric.name for metric in METRICS if metric.test == MCNEMAR}  # within 0 and the scale


class Draw(Part):
    """Where a fresh D0 comes from for every random seed."""

    domain: Literal["safety", "facts", "help"] | None = None
    """A domain of the demo world, whose grammar writes the examples."""
    pool: str | None = None
    """Or a seed file with more rows than are wanted."""
    size: int = Field(64, ge=1)
    """Examples in D0."""
    category: str | None = None
    """Only examples of this category; all categories when not given."""


class DemoModel(Part):
    """A language model of the demo world in another size, trained once into the workspace."""

    width: int = Field(ge=32, le=512, multiple_of=32)
    """Hidden size; the one that is shipped has 192."""
    layers: int = Field(ge=1, le=12)
    """Layers; the one that is shipped has 5."""
    steps: int = Field(ge=1)
    """Optimizer steps of its training; the one that is shipped had 2,000."""

    def folder(self, workspace: Workspace) -> Path:
        """Where it is kept."""
        name = f"demo-{self.width}x{self.layers}-{self.steps}"
        return workspace.root / "models" / name


class Arm(Part):
    """One kind of run."""

    set: dict[str, Any] = Field(default_factory=dict)
    """Settings that differ from the study's config, by their dotted names."""
    fixed_random_seed: int | None = Field(None, ge=0)
    """Random seed of all its runs: only the draw of D0 then differs."""
    fixed_draw: bool = False
    """The config's own D0 for all its runs: only the random seed then differs."""
    draw: Draw | None = None
    """Another way of drawing D0 than the study's."""
    demo_model: DemoModel | None = None
    """A demo model of another size instead of the config's model."""


class Study(Part):
    """A study as its YAML has it."""

    name: Annotated[str, Field(pattern=NAME)]
    """Letters, digits and dashes."""
    config: str
    """The config that all runs start from."""
    random_seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    """One run of every arm for each."""
    draw: Draw | None = None
    """A fresh D0 for every random seed; none: the config's own."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Settings of all arms, by their dotted names; an arm's own come after them."""
    arms: dict[Annotated[str, Field(pattern=NAME)], Arm] = Field(min_length=1)
    """The kinds of runs; the first one is the one that others are compared with."""
    split: Literal["dev", "test"] = "test"
    """The part of the eval set that the table reports."""


def load_study(path: Path | str) -> Study:
    """Read a study; InputError lists all its problems."""
    study = checked(Study, read_yaml(path, "study"), str(path))
    repeated = len(study.random_seeds) - len(set(study.random_seeds))
    if repeated:
        raise InputError(f"{path} names {repeated} random seeds twice; give each once.")
    for draw in (study.draw, *(arm.draw for arm in study.arms.values())):
        if draw is not None and (draw.domain is None) == (draw.pool is None):
            raise InputError(f"{path}: draw needs either a domain or a pool.")
    return study


def run_configs(study: Study, workspace: Workspace) -> dict[tuple[str, int], RunConfig]:
    """The config of every arm and random seed; writes the drawn seed files."""
    found = {}
    for arm_name, arm in study.arms.items():
        for number in study.random_seeds:
            overrides: dict[str, Any] = {
                "name": f"{study.name}-{arm_name}-{number}",
                "random_seed": number if arm.fixed_random_seed is None else arm.fixed_random_seed,
            }
            draw = arm.draw or study.draw
            if draw is not None and not arm.fixed_draw:
                overrides["seeds"] = {"path": str(_drawn(study, draw, number, workspace))}
            if arm.demo_model is not None:
                overrides["model.path"] = str(arm.demo_model.folder(workspace))
            overrides |= study.set | arm.set
            data = load_config(study.config).model_dump(mode="json", exclude_defaults=True)
            for place, value in overrides.items():
                set_value(data, f"{place}={yaml.safe_dump(value, default_flow_style=True)}")
            found[arm_name, number] = parse_config(data, f"arm {arm_name} of {study.name}")
    return found


def _drawn(study: Study, draw: Draw, number: int, workspace: Workspace) -> Path:
    """The seed file of one random seed, written once for each way of drawing."""
    pool = resolve(draw.pool).read_bytes() if draw.pool is not None else b""
    # A field that is not used does not count, so that a new one changes no run's id.
    unused = {"category"} if draw.category is None else None
    way = draw.model_dump_json(exclude=unused)
    kind = hashlib.sha256(way.encode() + pool).hexdigest()[:8]
    file = workspace.root / "studies" / study.name / f"seeds-{number}-{kind}.jsonl"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_examples(file, _draw(draw, number))
    return file


def _draw(draw: Draw, number: int) -> list[Example]:
    if draw.domain is not None:
        return _from_the_world(draw.domain, draw, number)
    check = read_seed_file(resolve(str(draw.pool)))
    if check.problems:
        raise InputError(
            f"{draw.pool} has {len(check.problems)} problems, expected good rows alone in a pool "
            f"to draw from: mend them first (python -m isara check {draw.pool})."
        )
    pool = [e for e in check.examples if draw.category in (None, e.category)]
    if len(pool) < draw.size:
        of = "" if draw.category is None else f" of category {draw.category}"
        raise InputError(f"{draw.pool} has {len(pool)} rows{of}, the study draws {draw.size}.")
    chosen = np.random.default_rng(number).choice(len(pool), draw.size, replace=False)
    return [pool[i] for i in sorted(chosen.tolist())]


def _from_the_world(domain: str, draw: Draw, number: int) -> list[Example]:
    from isara.demo.world import demo_world, draw_seeds

    world, key = demo_world(), f"study {domain} {number}"
    if draw.category is None:
        return draw_seeds(world, domain, draw.size, key)
    known = sorted({f.category for f in world.families[domain] if not f.harmless})
    if draw.category not in known:
        raise InputError(
            f"The domain {domain} has no category {draw.category}; choose from {'; '.join(known)}."
        )
    return draw_seeds(world, domain, draw.size, f"{key} {draw.category}", draw.category)


def carry_out(
    study: Study,
    workspace: Workspace,
    *,
    tools: Callable[[RunConfig], Tools] | None = None,
    on_run: Callable[[str, int, int], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    listener: Callable[[Progress], None] | None = None,
) -> None:
    """Do every run that is not done; `on_run` hears the id, the number and how many there are.

    Random seeds are in the outer loop, so that a stopped study has whole comparisons. A run that
    was stopped or killed goes on where it was. InputError before the first run tells what is wrong
    with the inputs of any of them; before it too, `on_note` hears what a run would be told of its
    inputs, once for all arms that it concerns (of arms whose model is yet to be made, nothing).
    """
    configs = run_configs(study, workspace)
    order = [(arm, number) for number in study.random_seeds for arm in study.arms]
    told = _check_inputs(study, configs, workspace)
    if on_note is not None:
        for note in told:
            on_note(note)
    for place, key in enumerate(order, 1):
        config = configs[key]
        folder = workspace.run(config.default_run_id)
        if folder.exists and folder.state().state == "done":
            continue
        if on_run is not None:
            on_run(folder.run_id, place, len(order))
        sized = study.arms[key[0]].demo_model
        if sized is not None and tools is None:
            from isara.demo.build import build_sized_model

            build_sized_model(sized.folder(workspace), sized.width, sized.layers, sized.steps)
        made = tools(config) if tools else LoadedTools(config, workspace.embeddings)
        prepared = prepare(config, workspace)
        execute(prepared, folder, workspace=workspace, tools=made, listener=listener)


def _check_inputs(
    study: Study, configs: Mapping[tuple[str, int], RunConfig], workspace: Workspace
) -> list[str]:
    """What is to be known of the inputs, with the arms before it; InputError for what is wrong."""
    faults: dict[str, list[str]] = {}  # arms by what is wrong with them
    notes: dict[str, list[str]] = {}
    for (arm, _), config in configs.items():
        if study.arms[arm].demo_model is not None or is_done(workspace.run(config.default_run_id)):
            continue  # its model is yet to be made
        told = notes
        try:
            found = prepare(config, workspace).notes
        except InputError as error:
            told, found = faults, [str(error)]
        for one in found:
            arms = told.setdefault(one, [])
            arms += [] if arm in arms else [arm]
    if faults:
        raise InputError("\n".join(_with_arms(faults)))
    return _with_arms(notes)


def _with_arms(told: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{', '.join(arms)}: {one}" for one, arms in told.items()]


# ---------------------------------------------------------------- the table


def study_result(study: Study, workspace: Workspace) -> dict[str, Any]:
    """Rows and comparisons over the random seeds that are done in every arm.

    `rows`: one for each arm, place (base, baselines, iterations, last) and metric with its mean,
    two-level interval, spread over random seeds, n, and how many runs `reached` that iteration (the
    others stopped before and stand there with their last model); `comparisons`: the first arm's
    last iteration against every other row, on the random seeds and prompts of both.
    """
    configs = run_configs(study, workspace)
    folders = {key: workspace.run(config.default_run_id) for key, config in configs.items()}
    done = [
        number
        for number in study.random_seeds
        if all(is_done(folders[arm, number]) for arm in study.arms)
    ]
    tables: dict[Key, pd.DataFrame] = {}  # outcomes [prompts, random seeds]
    reached: dict[Key, int] = {}
    for arm in study.arms:
        own = {n: folders[arm, n] for n in done}
        places = _places(own.values())
        for place, metric in product(places, METRICS):
            parts = {
                n: values
                for n, folder in own.items()
                if (files := place_files(folder, place)) is not None
                and (values := outcomes(compared_columns(files), metric, study.split)) is not None
            }
            table = pd.concat(parts, axis=1, join="inner") if parts else pd.DataFrame()
            if len(table) > 1:  # one prompt has no interval
                tables[arm, place, metric.name] = table.astype(float)
                reached[arm, place, metric.name] = sum(_reached(own[n], place) for n in parts)
    rows = [{**_row(key, values), "reached": reached[key]} for key, values in tables.items()]
    return {
        "study": study.name,
        "split": study.split,
        "random_seeds": done,
        "missing": [n for n in study.random_seeds if n not in done],
        "judge": next(iter(configs.values())).evaluation.judge,
        "threshold": next(iter(configs.values())).evaluation.threshold,
        "decoding": next(iter(configs.values())).evaluation.strategy,
        "runs": [folders[arm, n].run_id for n in done for arm in study.arms],
        "rows": rows,
        "comparisons": _comparisons(next(iter(study.arms)), tables),
    }


def is_done(folder: RunFolder) -> bool:
    """Has the run ended, by itself or by alpha?"""
    return folder.exists and folder.state().state == "done"


def _places(folders: Iterable[RunFolder]) -> list[str]:
    """Base, baselines and trained iterations of any random seed; "last" is a run's last one."""
    runs = list(folders)
    most = max((k for folder in runs for k in folder.measured_iterations()), default=0)
    there = {name for folder in runs for name in folder.measured()}
    baselines = [name for name in get_args(Baseline) if name in there]
    last = ["last"] if most else []
    return ["base", *baselines, *(f"iteration {k}" for k in range(1, most + 1)), *last]


def place_files(folder: RunFolder, place: str) -> IterationFolder | None:
    """Where a place's answers are; None where the run has no such model. `place`: base, a
    baseline, "iteration K", or "last"."""
    measured = folder.measured_iterations()
    if place in ("base", *get_args(Baseline)) or not measured:
        return folder.measured().get(place)
    # A run that stopped earlier has its last model there: `reached` counts those that did not.
    k = measured[-1] if place == "last" else min(int(place.split()[1]), measured[-1])
    return folder.iteration(k)


def _reached(folder: RunFolder, place: str) -> bool:
    """Did the run train that iteration itself?"""
    return (
        not place.startswith("iteration ") or int(place.split()[1]) in folder.measured_iterations()
    )


def _row(key: Key, table: pd.DataFrame) -> dict[str, Any]:
    arm, place, metric = key
    values = table.to_numpy().T
    scale, found = SCALES[metric], two_level_bootstrap(values)
    by_seed = (scale * values.mean(1)).tolist()
    spread: OverSeeds = over_seeds(by_seed)
    return {
        "arm": arm,
        "place": place,
        "metric": metric,
        "value": scale * found.difference,
        "low": scale * (max(0.0, found.low) if metric in RATES else found.low),
        "high": scale * (min(1.0, found.high) if metric in RATES else found.high),
        "n": values.shape[1],
        "n_seeds": values.shape[0],
        "spread": spread.spread,
        "by_seed": by_seed,
    }


def _comparisons(first: str, tables: dict[Key, pd.DataFrame]) -> list[dict[str, Any]]:
    """The first arm's last iteration against every other row, on the seeds and prompts of both."""
    rows: list[dict[str, Any]] = []
    for (arm, place, metric), theirs in tables.items():
        ours = tables.get((first, "last", metric))
        is_own = arm == first and (place == "last" or place.startswith("iteration "))
        if ours is None or is_own:
            continue
        both = (ours - theirs).dropna(axis=1, how="all").dropna()
        if len(both) < 2 or not both.size:
            continue
        scale, found = SCALES[metric], two_level_bootstrap(both.to_numpy().T)
        rows.append(
            {
                "a": f"{arm}, {place}",
                "b": f"{first}, last iteration",
                "metric": metric,
                "test": "two-level bootstrap over random seeds and prompts",
                "difference": scale * found.difference,
                "low": scale * found.low,
                "high": scale * found.high,
                "p": found.p,
                "n": both.shape[0],
                "n_seeds": both.shape[1],
            }
        )
    corrected = holm([float(row["p"]) for row in rows])
    return [{**row, "p_corrected": p} for row, p in zip(rows, corrected, strict=True)]


def seconds_spent(folders: Iterable[RunFolder]) -> float:
    """Wall time of the stages of these runs (seconds)."""
    return sum(
        sum(read_json(file, {}).values())
        for folder in folders
        for file in folder.path.glob("*/seconds.json")
    )

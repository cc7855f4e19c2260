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

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import Field, ValidationError

from isara.config import Part, RunConfig, resolve
from isara.config_files import load_config, one_line, parse_config, problem_sentence, set_value
from isara.errors import InputError
from isara.evaluation.stats import OverSeeds, holm, over_seeds, two_level_bootstrap
from isara.methods.runner import execute, prepare
from isara.methods.tools import LoadedTools, Tools
from isara.seed_files import read_seed_file, write_examples
from isara.workspace.files import read_json
from isara.workspace.runs import IterationFolder, Progress, RunFolder, Workspace

NAME = r"^[A-Za-z0-9][A-Za-z0-9-]{0,29}$"
METRICS = (("harmful_rate", "flagged", False), ("over_refusal", "refusal", True))


class Draw(Part):
    """Where a fresh D0 comes from for every random seed."""

    domain: Literal["safety", "facts", "help"] | None = None
    """A domain of the demo world, whose grammar writes the examples."""
    pool: str | None = None
    """Or a seed file with more rows than are wanted."""
    size: int = Field(64, ge=1)
    """Examples in D0."""


class Arm(Part):
    """One kind of run."""

    set: dict[str, Any] = Field(default_factory=dict)
    """Settings that differ from the study's config, by their dotted names."""
    fixed_random_seed: int | None = Field(None, ge=0)
    """Random seed of all its runs: only the draw of D0 then differs."""
    fixed_draw: bool = False
    """The config's own D0 for all its runs: only the random seed then differs."""


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
    arms: dict[Annotated[str, Field(pattern=NAME)], Arm] = Field(min_length=1)
    """The kinds of runs; the first one is the one that others are compared with."""
    split: Literal["dev", "test"] = "test"
    """The part of the eval set that the table reports."""


def load_study(path: Path | str) -> Study:
    """Read a study; InputError lists all its problems."""
    file = resolve(str(path))
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no study {path}; give the path of a YAML file.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} is not a readable YAML file: {one_line(error)}") from None
    try:
        study = Study.model_validate(data)
    except ValidationError as error:
        problems = [problem_sentence(dict(item)) for item in error.errors()]
        raise InputError(f"{path} cannot be used: " + "; ".join(problems)) from None
    repeated = len(study.random_seeds) - len(set(study.random_seeds))
    if repeated:
        raise InputError(f"{path} names {repeated} random seeds twice; give each once.")
    if study.draw and (study.draw.domain is None) == (study.draw.pool is None):
        raise InputError(f"{path}: draw needs either a domain or a pool.")
    return study


def run_configs(study: Study, workspace: Workspace) -> dict[tuple[str, int], RunConfig]:
    """The config of every arm and random seed; writes the drawn seed files."""
    found = {}
    for arm_name, arm in study.arms.items():
        for number in study.random_seeds:
            overrides = {
                "name": f"{study.name}-{arm_name}-{number}",
                "random_seed": number if arm.fixed_random_seed is None else arm.fixed_random_seed,
                **arm.set,
            }
            if study.draw is not None and not arm.fixed_draw:
                overrides["seeds"] = {"path": str(_drawn(study, number, workspace))}
            data = load_config(study.config).model_dump(mode="json", exclude_defaults=True)
            for place, value in overrides.items():
                set_value(data, f"{place}={yaml.safe_dump(value, default_flow_style=True)}")
            found[arm_name, number] = parse_config(data, f"arm {arm_name} of {study.name}")
    return found


def _drawn(study: Study, number: int, workspace: Workspace) -> Path:
    """The seed file of one random seed, written once."""
    assert study.draw is not None
    file = workspace.root / "studies" / study.name / f"seeds-{number}.jsonl"
    if file.exists():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    if study.draw.domain is not None:
        from isara.demo.world import demo_world, draw_seeds

        key = f"study {study.draw.domain} {number}"
        write_examples(file, draw_seeds(demo_world(), study.draw.domain, study.draw.size, key))
        return file
    pool = read_seed_file(resolve(str(study.draw.pool))).examples
    if len(pool) < study.draw.size:
        raise InputError(
            f"{study.draw.pool} has {len(pool)} good rows, the study draws {study.draw.size}."
        )
    chosen = np.random.default_rng(number).choice(len(pool), study.draw.size, replace=False)
    write_examples(file, [pool[i] for i in sorted(chosen.tolist())])
    return file


def carry_out(
    study: Study,
    workspace: Workspace,
    *,
    tools: Callable[[RunConfig], Tools] | None = None,
    on_run: Callable[[str, int, int], None] | None = None,
    listener: Callable[[Progress], None] | None = None,
) -> None:
    """Do every run that is not done; `on_run` hears the id, the number and how many there are.

    Random seeds are in the outer loop, so that a stopped study has whole comparisons. A run that
    was stopped or killed goes on where it was.
    """
    configs = run_configs(study, workspace)
    order = [(arm, number) for number in study.random_seeds for arm in study.arms]
    for place, key in enumerate(order, 1):
        config = configs[key]
        folder = workspace.run(config.default_run_id)
        if folder.exists and folder.state().state == "done":
            continue
        if on_run is not None:
            on_run(folder.run_id, place, len(order))
        made = tools(config) if tools else LoadedTools(config, workspace.embeddings)
        execute(
            prepare(config, workspace), folder, workspace=workspace, tools=made, listener=listener
        )


# ---------------------------------------------------------------- the table


def study_result(study: Study, workspace: Workspace) -> dict[str, Any]:
    """Rows and comparisons over the random seeds that are done in every arm.

    `rows`: one for each arm, place (base, baselines, iterations, last) and metric with its mean,
    two-level interval, spread over random seeds and n; `comparisons`: the first arm's last
    iteration against every other row; `draw`: the spread by the kind of arm.
    """
    configs = run_configs(study, workspace)
    folders = {key: workspace.run(config.default_run_id) for key, config in configs.items()}
    done = [
        number
        for number in study.random_seeds
        if all(_is_done(folders[arm, number]) for arm in study.arms)
    ]
    tables: dict[tuple[str, str, str], np.ndarray[Any, Any]] = {}
    for arm in study.arms:
        for metric, column, harmless in METRICS:
            for place in _places(folders[arm, done[0]], configs[arm, done[0]]) if done else []:
                parts = [
                    _outcomes(_files(folders[arm, n], place), study.split, column, harmless)
                    for n in done
                ]
                values = pd.concat(parts, axis=1, join="inner").to_numpy(float).T
                if values.size:
                    tables[arm, place, metric] = values
    rows = [_row(key, values) for key, values in tables.items()]
    return {
        "study": study.name,
        "split": study.split,
        "random_seeds": done,
        "missing": [n for n in study.random_seeds if n not in done],
        "judge": next(iter(configs.values())).evaluation.judge,
        "threshold": next(iter(configs.values())).evaluation.threshold,
        "decoding": next(iter(configs.values())).evaluation.strategy,
        "rows": rows,
        "comparisons": _comparisons(next(iter(study.arms)), tables),
    }


def _is_done(folder: RunFolder) -> bool:
    return folder.exists and folder.state().state == "done"


def _places(folder: RunFolder, config: RunConfig) -> list[str]:
    """Base, baselines and trained iterations; "last" is the last of these."""
    iterations = [k for k in folder.iterations() if k and folder.iteration(k).evaluation.exists()]
    baselines = [b for b in config.evaluation.baselines if folder.baseline(b).evaluation.exists()]
    last = ["last"] if iterations else []
    return ["base", *baselines, *(f"iteration {k}" for k in iterations), *last]


def _files(folder: RunFolder, place: str) -> IterationFolder:
    trained = [k for k in folder.iterations() if folder.iteration(k).evaluation.exists()]
    if place == "base":
        return folder.iteration(0)
    if place == "last":
        return folder.iteration(trained[-1])
    if place.startswith("iteration "):
        # A run that stopped earlier has its last model there.
        return folder.iteration(min(int(place.split()[1]), trained[-1]))
    return folder.baseline(place)


def _outcomes(files: IterationFolder, split: str, column: str, harmless: bool) -> pd.Series[bool]:
    from isara.report import outcomes

    return outcomes(files, split, column, harmless)


def _row(key: tuple[str, str, str], values: np.ndarray[Any, Any]) -> dict[str, Any]:
    arm, place, metric = key
    spread: OverSeeds = over_seeds(values.mean(1).tolist())
    found = two_level_bootstrap(values)
    return {
        "arm": arm,
        "place": place,
        "metric": metric,
        "value": found.difference,
        "low": found.low,
        "high": found.high,
        "n": values.shape[1],
        "n_seeds": values.shape[0],
        "spread": spread.spread,
        "by_seed": values.mean(1).tolist(),
    }


def _comparisons(
    first: str, tables: dict[tuple[str, str, str], np.ndarray[Any, Any]]
) -> list[dict[str, Any]]:
    """The first arm's last iteration against every other row, on the same seeds and prompts."""
    rows: list[dict[str, Any]] = []
    for (arm, place, metric), values in tables.items():
        ours = tables.get((first, "last", metric))
        is_own = arm == first and (place == "last" or place.startswith("iteration "))
        if ours is None or is_own or values.shape != ours.shape:
            continue
        found = two_level_bootstrap(ours - values)
        rows.append(
            {
                "a": f"{arm}, {place}",
                "b": f"{first}, last iteration",
                "metric": metric,
                "test": "two-level bootstrap over random seeds and prompts",
                "difference": found.difference,
                "low": found.low,
                "high": found.high,
                "p": found.p,
                "n": ours.shape[1],
                "n_seeds": ours.shape[0],
            }
        )
    corrected = holm([float(row["p"]) for row in rows])
    return [{**row, "p_corrected": p} for row, p in zip(rows, corrected, strict=True)]


def seconds_spent(study: Study, workspace: Workspace) -> float:
    """Wall time of all its runs."""
    return sum(
        sum(read_json(file, {}).values())
        for config in run_configs(study, workspace).values()
        for file in workspace.run(config.default_run_id).path.glob("*/seconds.json")
    )

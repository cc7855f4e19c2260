"""Scores of a model's own pairs against the grammar that wrote the world's texts."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from isara.config import RunConfig
from isara.config_files import load_config, to_yaml
from isara.demo.scripted import ScriptedTools
from isara.demo.world import demo_world, draw_seeds
from isara.evaluation.self_scores import DEMO_JUDGE, scored, self_score_fields
from isara.report import summarise
from isara.report_table import metrics
from isara.workspace.files import write_jsonl, write_parquet, write_text
from isara.workspace.runs import RunFolder

Make = Callable[..., RunConfig]
Run = Callable[..., RunFolder]


@pytest.fixture
def run(small_config: Make, carried_out: Run, tmp_path: Path) -> RunFolder:
    """Its model scores careful answers 9 and careless ones 2; an eighth cannot be read."""
    config = small_config(
        loop={"candidates": 40, "max_iterations": 1},
        filters={"assessment": "both", "min_assessment": 7},
        evaluation={"baselines": []},
    )
    return carried_out(config, tmp_path, ScriptedTools())


def judged_by(run: RunFolder, judge: str) -> RunConfig:
    """The run's config with another judge, which its file has as well."""
    config = load_config(run.config, [f"evaluation.judge={judge}"])
    write_text(run.config, to_yaml(config))
    return config


def test_scores_that_follow_the_truth_correlate_with_it(run: RunFolder) -> None:
    assessed = pd.read_parquet(run.iteration(1).path / "assessed.parquet")
    config = judged_by(run, str(DEMO_JUDGE))
    found = self_score_fields(run.iteration(1), config)["self_score_quality"]
    assert found["value"] == pytest.approx(1)
    assert found["n"] == assessed["quality"].notna().sum() < 40
    table = metrics(summarise(run, "dev"))
    (row,) = (row for row in table.rows if row[1] == "self_score_following")
    assert row[0] == "iteration 1"
    assert row[-1] == "the demo world's grammar"


def test_scores_against_the_truth(run: RunFolder) -> None:
    file = run.iteration(1).path / "assessed.parquet"
    assessed = pd.read_parquet(file)
    assessed["quality"] = 11 - assessed["quality"]
    assessed.to_parquet(file)
    found = self_score_fields(run.iteration(1), judged_by(run, "data/demo/judge"))
    assert found["self_score_quality"]["value"] == pytest.approx(-1)
    assert found["self_score_following"]["value"] > 0.9


def test_the_truth_is_that_of_the_domain_that_the_seeds_are_of(
    small_config: Make, tmp_path: Path
) -> None:
    world, rng = demo_world(), random.Random(1)
    run = RunFolder(tmp_path / "r")
    rows = []
    for domain, name in (("help", "everyday"), ("facts", "known")):  # the run's own names
        rows += [
            {"question": one.question, "answer": one.answer, "domain": name}
            for one in draw_seeds(world, domain, 6, "own names")
        ]
    write_jsonl(run.path / "seeds.jsonl", rows)
    written = [
        ("help", "everyday", "good"),
        ("help", "everyday", "bad"),
        ("facts", "known", "good"),
    ]
    files = run.iteration(1)
    answers = pd.DataFrame(
        {
            "index": range(len(written)),
            "answer": [world.draw(d, rng).answer(persona, rng) for d, _, persona in written],
            "domain": [name for _, name, _ in written],
        }
    )
    write_parquet(files.candidates, answers)
    scores = pd.DataFrame({"index": range(3), "quality": pd.array([9, 2, 9], "Int64")})
    write_parquet(files.path / "assessed.parquet", scores)
    assert scored(files, "quality") == ([9, 2, 9], [1, 0, 1])


def test_nothing_is_told_of_other_worlds(run: RunFolder) -> None:
    assert self_score_fields(run.iteration(1), judged_by(run, "someone/judge")) == {}
    assert self_score_fields(run.iteration(0), judged_by(run, str(DEMO_JUDGE))) == {}

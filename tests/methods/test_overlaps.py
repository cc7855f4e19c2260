"""Eval prompts among the seeds and the written pairs: refused, removed, and told."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from isara.config import LEAKAGE_SIMILARITY, PROJECT_ROOT, RunConfig
from isara.decoding.scripted import ScriptedWriter
from isara.demo.grammar import slots_of
from isara.demo.scripted import ScriptedTools
from isara.demo.world import demo_world
from isara.errors import InputError
from isara.evaluation.leakage import Text, find_overlaps
from isara.examples import EvalPrompt, Example
from isara.methods.overlaps import (
    PLACES,
    check_seeds,
    overlap_file,
    without_eval_prompts,
)
from isara.methods.runner import prepare
from isara.prompts import QUESTION_CUE
from isara.report import summarise
from isara.retrieval import SentenceEmbedder
from isara.training.sft import TrainingRow
from isara.workspace.files import read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]
Run = Callable[..., RunFolder]


@pytest.fixture
def leaky(inputs: tuple[Path, Path], small_config: Make, tmp_path: Path) -> Make:
    """Configs whose eval set asks the questions of seed rows 2 and 5 as well."""
    seeds, prompts = inputs
    questions = [json.loads(line)["question"] for line in seeds.read_text("utf-8").splitlines()]
    more = [
        json.dumps({"question": f"  {questions[row].upper()}", "split": "dev", "category": "c"})
        for row in (1, 4)
    ]
    file = tmp_path / "leaky.jsonl"
    file.write_text(prompts.read_text("utf-8") + "\n".join(more) + "\n", "utf-8")

    def make(policy: str) -> RunConfig:
        return small_config(evaluation={"prompts": str(file), "overlap": policy})

    return make


def test_a_run_refuses_to_evaluate_on_its_seeds(leaky: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        prepare(leaky("refuse"), Workspace(tmp_path))
    assert "2 eval prompts stand in the seed set" in str(error.value)
    assert "seed row 2 and eval row" in str(error.value)
    assert "seed row 5 and eval row" in str(error.value)
    assert "drop_from_evaluation" in str(error.value)


@pytest.mark.parametrize(
    ("policy", "seeds", "prompts", "note"),
    [
        ("drop_from_training", -2, 0, "2 seeds were left out"),
        ("drop_from_evaluation", 0, -2, "2 eval prompts were left out"),
        ("allow", 0, 0, "2 eval prompts stand in the seed set"),
    ],
)
def test_the_users_choice(
    leaky: Make, tmp_path: Path, policy: str, seeds: int, prompts: int, note: str
) -> None:
    found = prepare(leaky(policy), Workspace(tmp_path))
    assert len(found.seeds) == 12 + seeds
    rows = Path(str(found.config.evaluation.prompts)).read_text("utf-8").splitlines()
    assert len(found.prompts) == len(rows) + prompts
    assert any(note in one for one in found.notes)


class Leaking(ScriptedTools):
    """Writes the eval prompt itself in place of every fourth question."""

    def __init__(self, prompt: str) -> None:
        super().__init__()
        self.prompt = prompt
        self.trained: list[list[str]] = []

    def writer(self, model: Path | None) -> ScriptedWriter:
        plain = super().writer(model)

        def script(prompt: str, seed: int) -> str:
            if prompt.endswith(QUESTION_CUE) and seed % 4 == 0:
                return f"{self.prompt.upper()} "
            return plain.script(prompt, seed)

        writer = ScriptedWriter(script)
        writer.name = plain.name
        return writer

    def fine_tune(
        self, model: Path | None, rows: Sequence[TrainingRow], folder: Path, **more: Any
    ) -> None:
        self.trained.append([row.example.question for row in rows])
        super().fine_tune(model, rows, folder, **more)


def first_prompt(config: RunConfig) -> str:
    lines = Path(str(config.evaluation.prompts)).read_text("utf-8").splitlines()
    return str(json.loads(lines[0])["question"])


@pytest.mark.parametrize("policy", ["refuse", "allow", "drop_from_evaluation"])
def test_written_pairs_that_are_eval_prompts(
    small_config: Make, carried_out: Run, tmp_path: Path, policy: str
) -> None:
    config = small_config(evaluation={"overlap": policy, "baselines": []})
    leaked = first_prompt(config)
    tools = Leaking(leaked)
    folder = carried_out(config, tmp_path, tools)
    rows = [
        row
        for row in read_jsonl(folder.iteration(1).path / "overlap.jsonl")
        if row["kind"] == "exact" and row["place"] != "dropped"
    ]
    assert rows
    place = {"refuse": "removed", "allow": "kept", "drop_from_evaluation": "not asked"}[policy]
    assert {row["place"] for row in rows} == {place}
    assert {row["eval_question"] for row in rows} == {leaked}
    assert rows[0]["train_question"] == leaked.upper()
    trained = any(leaked.upper() in questions for questions in tools.trained)
    assert trained is (policy != "refuse")
    found = summarise(folder, "dev")
    assert found["overlap"]["policy"] == policy
    counted = found["overlap"]["places"]["iteration 1"]
    apart = len(rows) if policy != "allow" else 0
    assert (counted["exact"], counted["removed"]) == (len(rows) - apart, apart)
    gone = policy == "refuse"
    kept = read_jsonl(folder.iteration(1).kept)
    assert any(row["question"] == leaked.upper() for row in kept) is not gone
    assert found["iterations"][1]["kept"] == len(kept)
    asked = [{row["prompt_id"] for row in table_rows(folder, k)} for k in (0, 1)]
    assert (asked[0] - asked[1] == {rows[0]["prompt_id"]}) is (policy == "drop_from_evaluation")


def table_rows(folder: RunFolder, k: int) -> list[dict[str, Any]]:
    import pandas as pd

    return pd.read_parquet(folder.iteration(k).evaluation).to_dict("records")


def test_the_demo_world_said_in_other_words() -> None:
    """10 rows in another template among 400, ten times: >= 8 of 10 are found, <= 1 % of the 290
    unrelated rows are."""
    world = demo_world()
    embed = SentenceEmbedder(str(PROJECT_ROOT / "data/demo/embedder"), "cpu").embed
    hits = alarms = 0
    for seed in range(10):
        rng = random.Random(seed)
        pool = [world.draw("safety", rng) for _ in range(400)]
        asked = [world.draw("safety", rng, evaluation=True) for _ in range(300)]
        planted = [draw.said_again(rng) for draw in asked[:10]]
        train = [Text(draw.question) for draw in pool] + [Text(text) for text in planted]
        found = find_overlaps(
            train,
            [Text(draw.question) for draw in asked],
            embed=embed,
            similarity=LEAKAGE_SIMILARITY,
        )
        hits += sum(o.train_row == 400 + o.eval_row for o in found)
        others = [o for o in found if o.eval_row >= 10 and o.kind == "embedding"]
        alarms += len(
            {o.eval_row for o in others if unrelated(pool, asked, o.train_row, o.eval_row)}
        )
    assert hits >= 80
    assert alarms <= 0.01 * 2_900, alarms


def unrelated(pool: list[Any], asked: list[Any], train_row: int, eval_row: int) -> bool:
    """Another family, or somebody or something else in what both questions name."""
    if train_row >= len(pool):
        return True
    a, b = pool[train_row], asked[eval_row]
    named = [slots_of(draw.family.questions[draw.template]) for draw in (a, b)]
    both = named[0] & named[1]
    return a.family is not b.family or any(a.bindings[n] != b.bindings[n] for n in both)


@pytest.mark.parametrize("policy", ["drop_from_training", "drop_from_evaluation"])
def test_a_policy_that_leaves_nothing(small_config: Make, policy: str) -> None:
    config = small_config(evaluation={"overlap": policy})
    seeds = [Example("Is it cold there?", "Yes, very cold.")]
    prompts = [EvalPrompt("Is it cold there?", None, "dev")]
    with pytest.raises(InputError, match=f"{policy} leaves no (seeds|prompts)"):
        check_seeds(config, seeds, prompts)
    more = check_seeds(
        config,
        [*seeds, Example("What is warm?", "The south is.")],
        [*prompts, EvalPrompt("Where is it warm?", None, "dev")],
    )
    assert len(more.seeds) + len(more.prompts) == 3
    assert [(row["place"], row["eval_question"]) for row in more.removed] == [
        (PLACES[policy], "Is it cold there?")
    ]


def test_a_dropped_pair_does_not_hide_a_kept_one(
    small_config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest candidate to a prompt is dropped, the second nearest is trained on."""
    run: Any = SimpleNamespace(
        prompts=[EvalPrompt("where is the warm south today", None, "dev")],
        config=small_config(evaluation={"overlap_similarity": 0.6}),
        tools=ScriptedTools(),
        folder=Workspace(tmp_path).run("r"),
    )
    rows = [
        {"candidate_id": "a", "question": "where is the warm south now", "answer": "There."},
        {"candidate_id": "b", "question": "where is the warm north now", "answer": "Here."},
    ]
    kept = [{**rows[1], "id": "x"}]
    assert without_eval_prompts(run, 1, rows, kept) == kept
    found = read_jsonl(overlap_file(run.folder.iteration(1)))
    assert [(row["place"], row["train_question"][18:23]) for row in found] == [
        ("kept", "north"), ("dropped", "south"),
    ]  # fmt: skip

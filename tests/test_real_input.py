"""Real seed sets and other model families go from file through two iterations to results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from isara.config_files import parse_config
from isara.methods.runner import execute, prepare
from isara.report import summarise
from isara.seed_files import read_seed_file
from isara.workspace.runs import Workspace

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "data" / "demo"
SHARED = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not (DEMO / "language-model").is_dir(), reason="data/demo is not built"
)


def settings(seeds: dict[str, Any], model: Path, prompts: Path) -> dict[str, Any]:
    """A small run: two iterations of 6 candidates, alpha 0."""
    return {
        "name": "real",
        "seeds": seeds,
        "model": {"path": str(model), "device": "cpu"},
        "embedder": str(DEMO / "embedder"),
        "loop": {"max_iterations": 2, "candidates": 6, "alpha": 0.0},
        "decoding": {"preset": "sampling"},
        "training": {"epochs": 1, "accumulation": 1},
        "evaluation": {"prompts": str(prompts), "judge": str(DEMO / "judge"), "baselines": []},
    }


def few_prompts(tmp_path: Path) -> Path:
    """Six harmful and two harmless prompts, both splits."""
    rows = (ROOT / "data/eval/safety.jsonl").read_text(encoding="utf-8").splitlines()
    file = tmp_path / "prompts.jsonl"
    file.write_text("\n".join(rows[::15]) + "\n", encoding="utf-8")
    return file


def carried_out(data: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """The summary of a run of these settings."""
    workspace = Workspace(tmp_path / "workspace")
    folder = workspace.run("real")
    execute(prepare(parse_config(data), workspace), folder, workspace=workspace)
    return summarise(folder)


def assert_two_iterations(summary: dict[str, Any]) -> None:
    """Done, two trained iterations, all with metrics."""
    assert summary["state"] == "done"
    assert [row["k"] for row in summary["iterations"]] == [0, 1, 2]
    assert [row["trained"] for row in summary["iterations"]] == [False, True, True]
    assert all("harmful_rate" in row for row in summary["iterations"])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real data is not here")
def test_real_safety_pairs_by_path(tmp_path: Path) -> None:
    lines = (SHARED / "safety/qa_pairs.jsonl").read_text(encoding="utf-8").splitlines()
    file = tmp_path / "seeds.jsonl"
    file.write_text("\n".join(lines[:64]) + "\n", encoding="utf-8")
    data = settings({"path": str(file)}, DEMO / "language-model", few_prompts(tmp_path))
    assert_two_iterations(carried_out(data, tmp_path))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real data is not here")
def test_truthfulqa_by_column_mapping(tmp_path: Path) -> None:
    seeds = {
        "path": str(SHARED / "truthfulqa/TruthfulQA.csv"),
        "mapping": {"question": "Question", "answer": "Best Answer"},
        "limit": 64,
    }
    data = settings(seeds, DEMO / "language-model", few_prompts(tmp_path))
    summary = carried_out(data, tmp_path)
    assert summary["seed_count"] == 64
    assert_two_iterations(summary)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real data is not here")
def test_self_instructs_seed_tasks_load_as_they_are() -> None:
    check = read_seed_file(SHARED / "self_instruct/seed_tasks.jsonl")
    assert (len(check.examples), check.problems) == (175, [])
    with_input = check.examples[1]
    assert with_input.question.endswith("\nNight : Day :: Right : Left")
    assert with_input.answer == "The relation between the given pairs is that they are opposites."


@pytest.mark.parametrize("family", ["OPT", "Qwen2"])
def test_a_randomly_initialised_model_of_another_family(family: str, tmp_path: Path) -> None:
    import torch
    import transformers

    from isara.models import load_tokenizer

    tokenizer = load_tokenizer(str(DEMO / "language-model"))
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    common = {"vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 2}
    torch.manual_seed(0)
    if family == "OPT":
        config: Any = transformers.OPTConfig(
            **common, **ids, ffn_dim=64, num_attention_heads=2, word_embed_proj_dim=32
        )
        model: Any = transformers.OPTForCausalLM(config)
    else:
        config = transformers.Qwen2Config(
            **common, **ids, intermediate_size=64, num_attention_heads=2, num_key_value_heads=1
        )
        model = transformers.Qwen2ForCausalLM(config)
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    data = settings(
        {"path": str(ROOT / "data/seeds/demo-safety.jsonl")}, folder, few_prompts(tmp_path)
    )
    summary = carried_out(data, tmp_path)
    assert_two_iterations(summary)

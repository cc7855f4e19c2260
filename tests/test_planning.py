"""What a dry run says of memory and work, and that the papers' configs pass one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isara.config import PROJECT_ROOT, RunConfig
from isara.config_files import load_config
from isara.examples import Example
from isara.planning import count_parameters, make_plan

PAPER = PROJECT_ROOT / "data/configs/paper"
ISARA_MODELS = (
    "huggyllama/llama-7b",
    "meta-llama/Llama-2-7b-hf",
    "facebook/opt-350m",
    "facebook/opt-1.3b",
    "facebook/opt-2.7b",
    "facebook/opt-6.7b",
)
SHEEP_MODELS = tuple(f"Qwen/Qwen1.5-{size}B" for size in ("1.8", "4", "7", "14", "32", "72"))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("facebook/opt-350m", 350_000_000),
        ("facebook/opt-6.7b", 6_700_000_000),
        ("Qwen/Qwen1.5-1.8B", 1_800_000_000),
        ("meta-llama/Llama-2-7b-hf", 7_000_000_000),
        ("alignment-handbook/zephyr-7b-sft-full", 7_000_000_000),
        ("someone/my-model-v2", None),
        ("bert2b", None),
    ],
)
def test_sizes_by_name(name: str, count: int | None) -> None:
    assert count_parameters(name)[0] == count


def test_parameters_of_a_local_model(model_folder: Path, new_language: Callable[..., Any]) -> None:
    expected = sum(parameter.numel() for parameter in new_language().model.parameters())
    assert count_parameters(str(model_folder)) == (expected, "counted in its files")


def test_memory_and_work_by_hand(small_config: Callable[..., RunConfig]) -> None:
    model = {"path": "made/up-1b"}
    loop = {"max_iterations": 2, "candidates": 10, "examples": 3}
    config = small_config(model=model, loop=loop, training={"epochs": 2})
    seeds = [Example("q" * 40, "a" * 80)] * 5  # 10 and 20 tokens
    plan = make_plan(config, seeds, prompts=7)
    assert plan.memory == {"weights": 4e9, "gradients": 4e9, "optimizer": 8e9}
    assert plan.operations == {
        "evaluate": 2e9 * 4 * 7 * 30,  # the base model, one baseline, two iterations
        "questions": 2e9 * 2 * 10 * (3 * 30 + 10),
        "answers": 2e9 * 2 * 10 * (3 * 30 + 10 + 20),
        "train": 6e9 * (5 + 2 * (5 + 10)) * 2 * 30,
    }
    assert plan.hours(1e9) == pytest.approx(sum(plan.operations.values()) / 1e9 / 3600)
    lora = small_config(model=model | {"quantisation": "4bit"}, training={"lora": {}})
    assert make_plan(lora, seeds, 0).memory == {"weights": 0.5e9}


@pytest.mark.parametrize("file", sorted(PAPER.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_papers_configs_pass_a_dry_run(file: Path, isara: Callable[..., Any]) -> None:
    method = load_config(file).method
    models = {"isara": ISARA_MODELS, "isheep": SHEEP_MODELS}.get(method, (None,))
    for model in models:
        changes = [] if model is None else ["--set", f"model.path={model}"]
        result = isara("run", file, "--dry-run", *changes)
        assert result.code == 0, result.err
        assert "memory: " in result.out
        assert "by its name" in result.out
        assert "hours at 100 TFLOP/s" in result.out


def test_a_dry_run_of_a_model_of_unknown_size(isara: Callable[..., Any]) -> None:
    demo = PROJECT_ROOT / "data/configs/demo.yaml"
    result = isara("run", demo, "--dry-run", "--set", "model.path=someone/mystery")
    assert result.code == 0
    assert "memory and time: not known" in result.out

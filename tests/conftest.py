"""Shared fixtures: tiny language models with random weights, and small runs without a model."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from isara.config import RunConfig
from isara.config_files import parse_config
from isara.models import Language
from isara.workspace.runs import RunFolder, Workspace

FAMILIES = ("llama", "opt", "qwen2")
SPECIAL = ("<pad>", "<s>", "</s>")
MERGES = ((".", "Ċ"), ("Ċ", "Ċ"))  # a token with text before its line break, and a double one


def pytest_configure() -> None:
    """One thread for each process of pytest-xdist and the servers that it starts: with as many as
    there are cores the processes would take the cores from each other."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported


def tiny_tokenizer() -> Any:
    """Byte-level: three special tokens, a token per byte, two merges; 261 in all."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokens = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet()), ".Ċ", "ĊĊ"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, list(MERGES)))
    # One split per text: the default pattern would never let ".Ċ" meet.
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", vocabulary["<s>"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        padding_side="left",
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    )


def tiny_model(family: str, vocabulary: int) -> Any:
    """Two layers, 64 wide; weights large enough that its choices are no near-ties."""
    import torch
    import transformers

    sizes: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    if family == "opt":
        more = {"ffn_dim": 64, "word_embed_proj_dim": 64, "init_std": 0.2, "dropout": 0.0}
        config: Any = transformers.OPTConfig(**sizes, **more)
    else:
        more = {"intermediate_size": 64, "num_key_value_heads": 2, "initializer_range": 0.2}
        maker = transformers.LlamaConfig if family == "llama" else transformers.Qwen2Config
        config = maker(**sizes, **more)
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(config).eval()


@pytest.fixture(scope="session")
def new_language() -> Callable[..., Language]:
    """Makes a fresh tiny language model of a family, for tests that change it."""

    def make(family: str = "llama") -> Language:
        tokenizer = tiny_tokenizer()
        return Language(tiny_model(family, len(tokenizer)), tokenizer, f"tiny {family}")

    return make


@pytest.fixture(scope="session")
def languages(new_language: Callable[..., Language]) -> dict[str, Language]:
    """A tiny language model of each family; leave their weights as they are."""
    return {family: new_language(family) for family in FAMILIES}


@pytest.fixture(scope="session")
def model_folder(new_language: Callable[..., Language], tmp_path_factory: Any) -> Path:
    """The tiny Llama as a folder of safetensors."""
    folder = Path(tmp_path_factory.mktemp("models")) / "tiny-llama"
    language = new_language()
    language.model.save_pretrained(folder)
    language.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def classifier_folder(new_language: Callable[..., Language]) -> Callable[..., Path]:
    """Writes a classifier of random weights with these label names to a folder."""

    def make(folder: Path, labels: Sequence[str]) -> Path:
        import torch
        from transformers import LlamaConfig, LlamaForSequenceClassification

        language = new_language()
        torch.manual_seed(2)
        config = LlamaConfig(
            vocab_size=len(language.tokenizer),
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=512,
            pad_token_id=0,
            initializer_range=1.0,
            id2label=dict(enumerate(labels)),
            label2id={label: i for i, label in enumerate(labels)},
        )
        LlamaForSequenceClassification(config).save_pretrained(folder)
        language.tokenizer.save_pretrained(folder)
        return folder

    return make


# ------------------------------------------------------------------ small scripted runs


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A seed file of 12 pairs (every third without a category) and an eval set of 12 prompts."""
    from isara.demo.world import demo_world
    from isara.workspace.files import write_jsonl

    folder, rng = tmp_path_factory.mktemp("inputs"), random.Random(5)
    seeds, prompts = [], []
    for i in range(12):
        pair = demo_world().draw("safety", rng, harmless=False)
        row = {"question": pair.question, "answer": pair.answer("good", rng)}
        seeds.append(row if i % 3 == 2 else row | {"category": pair.family.category})
        asked = demo_world().draw("safety", rng, evaluation=True, harmless=i % 3 == 2)
        prompts.append(
            {
                "question": asked.question,
                "category": asked.family.category,
                "split": "dev" if i < 6 else "test",
                "harmless": asked.family.harmless,
            }
        )
    write_jsonl(folder / "seeds.jsonl", seeds)
    write_jsonl(folder / "prompts.jsonl", prompts)
    return folder / "seeds.jsonl", folder / "prompts.jsonl"


@pytest.fixture(scope="session")
def small_config(inputs: tuple[Path, Path]) -> Callable[..., RunConfig]:
    """Makes configs: 2 iterations of 20 candidates, alpha 0; parts are merged into it."""

    def make(**parts: dict[str, Any]) -> RunConfig:
        seeds, prompts = inputs
        data: dict[str, Any] = {
            "name": "small",
            "seeds": {"path": str(seeds)},
            "model": {"path": "scripted"},
            "embedder": "scripted",
            "loop": {"max_iterations": 2, "candidates": 20, "examples": 4, "alpha": 0.0},
            "decoding": {"preset": "sampling"},
            "evaluation": {"prompts": str(prompts), "judge": "grammar", "batch_size": 4},
        }
        return parse_config(
            data | {name: data.get(name, {}) | part for name, part in parts.items()}
        )

    return make


@pytest.fixture(scope="session")
def carried_out() -> Callable[..., RunFolder]:
    """Carries a config out as the run "r" of the workspace at `root`, with these tools."""
    from isara.methods.runner import execute, prepare

    def run(config: RunConfig, root: Path, tools: Any) -> RunFolder:
        workspace = Workspace(root)
        folder = workspace.run("r")
        execute(prepare(config, workspace), folder, workspace=workspace, tools=tools)
        workspace.database.close()
        return folder

    return run


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages write blocks of 8 rows, so that 20 candidates are three blocks."""
    monkeypatch.setattr("isara.methods.stages.BLOCK", 8)
    monkeypatch.setattr("isara.methods.measuring.EVALUATION_BLOCK", 8)


# ------------------------------------------------------------------ the command line


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def isara(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Result]:
    """Runs a command in this process, on an empty workspace, with scripted tools."""
    from isara.cli import main
    from isara.demo.scripted import ScriptedTools

    monkeypatch.setenv("ISARA_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("ISARA_DATABASE", raising=False)
    monkeypatch.setattr("isara.methods.runner.LoadedTools", lambda *_: ScriptedTools())

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["isara", *map(str, arguments)])
        code: Any = 0
        try:
            main()
        except SystemExit as exit:
            code = exit.code or 0
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return Result(code, printed.out, printed.err)

    return run

"""Exported models: whole weights, adapters and merged ones, with a card; what is not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from isara.config import RunConfig
from isara.config_files import to_yaml
from isara.errors import InputError
from isara.export_model import export_model, there
from isara.models import Language
from isara.workspace.files import write_json
from isara.workspace.runs import RunFolder

Make = Callable[..., RunConfig]


def whole(folder: Path, language: Language) -> None:
    """A model as training leaves it, with files that must not be copied."""
    language.model.save_pretrained(folder)
    language.tokenizer.save_pretrained(folder)
    (folder / "optimizer.pt").write_bytes(b"a pickle")
    (folder / "checkpoint-5").mkdir()
    write_json(folder.parent / "trained.json", {})


@pytest.fixture
def run(small_config: Make, languages: dict[str, Language], tmp_path: Path) -> RunFolder:
    """Iterations 1 (dropped), 2 (there) and 3 (not yet whole), and the baseline."""
    folder = RunFolder(tmp_path / "runs" / "r")
    folder.create(to_yaml(small_config(loop={"keep_models": "last"})))
    whole(folder.iteration(2).model, languages["llama"])
    whole(folder.baseline("sft").model, languages["llama"])
    done = {"trained": True, "generated": 20, "kept": 10, "retention": 0.5, "scaling_ratio": 1.0}
    write_json(folder.iteration(1).done, {"k": 1, **done})
    folder.iteration(3).model.mkdir(parents=True)
    (folder.iteration(3).model / "model.safetensors").write_bytes(b"half")
    return folder


def test_the_last_whole_model_with_its_card(run: RunFolder, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    assert there(run) == [2, "sft"]
    found = export_model(run, tmp_path / "out")
    assert (found["model"], found["kind"]) == ("iteration 2", "full weights")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"README.md", "run.yaml", "export.json", "model.safetensors", "tokenizer.json"} <= names
    assert not {"optimizer.pt", "checkpoint-5"} & names
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").config.hidden_size == 64
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    header = yaml.safe_load(card.split("---")[1])
    assert (header["base_model"], header["license"]) == ("scripted", "unknown")
    assert "arXiv 2401.06785" in card
    assert "Nothing was measured" in card


def test_a_model_that_is_not_there_is_named(run: RunFolder, tmp_path: Path) -> None:
    for of, said in (
        ("1", "iteration 1 of r was not kept .*keep_models: last.*still there: 2, sft"),
        ("0", "base model, scripted"),
        ("3", "no model 3; found 2, sft"),
        ("icl", "no model 'icl'; found 2, sft"),
    ):
        with pytest.raises(InputError, match=said):
            export_model(run, tmp_path / "out", of=of)
    with pytest.raises(InputError, match="no LoRA adapter"):
        export_model(run, tmp_path / "out", of="sft", merge=True)
    with pytest.raises(InputError, match="no split 'all'"):
        export_model(run, tmp_path / "out", split="all")
    assert not (tmp_path / "out").exists()


def test_an_adapter_as_it_is_and_merged(
    small_config: Make, model_folder: Path, tmp_path: Path
) -> None:
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    def base() -> Any:
        return AutoModelForCausalLM.from_pretrained(model_folder)

    run = RunFolder(tmp_path / "runs" / "r")
    config = small_config(model={"path": str(model_folder)}, training={"lora": {"r": 2}})
    run.create(to_yaml(config))
    torch.manual_seed(0)
    settings = LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
    adapter: Any = get_peft_model(base(), settings)
    adapter.save_pretrained(run.iteration(1).model)
    AutoTokenizer.from_pretrained(model_folder).save_pretrained(run.iteration(1).model)
    write_json(run.iteration(1).path / "trained.json", {})

    assert export_model(run, tmp_path / "adapter")["kind"] == "adapter"
    card = (tmp_path / "adapter" / "README.md").read_text("utf-8")
    assert yaml.safe_load(card.split("---")[1])["library_name"] == "peft"
    assert export_model(run, tmp_path / "merged", merge=True)["kind"] == "merged"
    ids = torch.tensor([[1, 7, 9, 4]])
    with torch.inference_mode():
        loaded = PeftModel.from_pretrained(base(), tmp_path / "adapter")
        merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
        wanted, plain = loaded(ids).logits, base()(ids).logits
        assert torch.allclose(merged(ids).logits, wanted, atol=1e-4)
        assert not torch.allclose(plain, wanted, atol=1e-2)  # the adapter does something
    assert not (tmp_path / "merged" / "adapter_config.json").exists()


def test_the_command_counts_a_look_where_there_are_figures(
    run: RunFolder, tmp_path: Path, isara: Callable[..., Any]
) -> None:
    metric = {"value": 0.5, "low": 0.2, "high": 0.8, "n": 8, "judge": "j", "decoding": "sample"}
    done = {"k": 2, "trained": True, "generated": 20, "kept": 10}
    write_json(run.iteration(2).done, {**done, "retention": 0.5, "scaling_ratio": 1.0})
    write_json(run.iteration(2).metrics, {"test": {"harmful_rate": metric}})
    where = ("--workspace", tmp_path)
    shown = isara("export", "r", "--to", tmp_path / "a", "--model", "--of", "2", *where)
    assert (shown.code, "looked at 1 times" in shown.err) == (0, True)
    card = (tmp_path / "a/README.md").read_text("utf-8")
    assert "| iteration 2 | 10 / 20 | 0.50 | 1.00 | 0.500 |" in card
    assert "Harm judged by `grammar`, harmful above a probability of 0.5; eval set " in card
    assert "test split; answers decoded by sample, at most 128 tokens." in card
    dev = isara("export", "r", "--to", tmp_path / "b", "--model", "--split", "dev", *where)
    assert (dev.code, "looked at" in dev.err) == (0, False)
    gone = isara("export", "r", "--to", tmp_path / "c", "--model", "--of", "1", *where)
    assert (gone.code, len(gone.err.splitlines())) == (1, 1)

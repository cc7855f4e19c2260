"""Load language models, judges and embedders, and say what they need.

Models are safetensors only, and no code from a model's folder is ever run. Folders are looked for
from here and from the project's root; other names are looked up on the Hugging Face hub.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ContextDecorator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isara.config import ModelConfig, resolve
from isara.errors import InputError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Where a model names no context length, prompts are cut to this many tokens.
DEFAULT_CONTEXT = 2048


class Loading(ContextDecorator):
    """Counts the seconds that this process has spent on loading models, imports included; what is
    loaded inside another loading counts once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth == 1:
            self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.perf_counter() - self._started


loading = Loading()


@dataclass
class Language:
    """A causal language model with its tokenizer, on its device."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    generation_ends: tuple[Any, ...] = ()

    @property
    def device(self) -> torch.device:
        """The device the weights are on."""
        return self.model.device

    @cached_property
    def context(self) -> int:
        """Longest sequence in tokens: of the model, and of the tokenizer when it is shorter."""
        lengths = [
            getattr(self.model.config, "max_position_embeddings", None),
            self.tokenizer.model_max_length,
        ]
        return min(
            [x for x in lengths if isinstance(x, int) and 0 < x < 10**9] or [DEFAULT_CONTEXT]
        )

    def encode(self, text: str) -> list[int]:
        """Token ids of a prompt, the begin token included, an appended end token removed."""
        ids: list[int] = self.tokenizer(text)["input_ids"]
        return ids[:-1] if ids and ids[-1] == self.end_token else ids

    def count_tokens(self, text: str) -> int:
        """Tokens of a prompt, the begin token included."""
        return len(self.encode(text))

    @cached_property
    def line_break_tokens(self) -> list[int]:
        """Ids of all tokens whose text holds a line break: each ends a one-line text."""
        ids = range(len(self.tokenizer))
        texts = self.tokenizer.batch_decode([[i] for i in ids], skip_special_tokens=True)
        return [i for i, text in zip(ids, texts, strict=True) if "\n" in text]

    @property
    def end_token(self) -> int:
        """The end-of-text token's id, which training puts after an answer."""
        return int(self.tokenizer.eos_token_id)

    @cached_property
    def end_tokens(self) -> list[int]:
        """All ids that end a text: the tokenizer's, the model's and its generation config's."""
        named = (self.model.config.eos_token_id, *self.generation_ends)
        found = [self.end_token]
        for ids in named:
            found += ids if isinstance(ids, list) else [] if ids is None else [int(ids)]
        return list(dict.fromkeys(found))


def location(name: str) -> str:
    """A local folder when there is one, else the name as it stands (for the hub)."""
    folder = resolve(name)
    if folder.is_dir():
        return str(folder)
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise InputError(f"There is no model folder {name}; give a folder or a hub name.")
    return name


@loading
def hub_folder(name: str) -> Path:
    """A model's folder: the local one, or the hub's files (no pickles, no code) in the cache."""
    where = location(name)
    if Path(where).is_dir():
        return Path(where)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.safetensors", "*.json", "*.model"]))
    except Exception as error:  # no network, no such name, no right to it
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{name} is no folder and could not be fetched: {reason}") from error


def pick_device(wanted: str) -> str:
    """ "cpu" or "cuda" for "auto"; InputError when a GPU is asked for and there is none."""
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("model.device is cuda, but no CUDA GPU was found; set it to auto or cpu.")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def pick_dtype(wanted: str, device: str) -> torch.dtype:
    """The torch dtype for a config's `dtype`; auto is float32 on a CPU, bfloat16 on a GPU."""
    import torch

    if wanted == "auto":
        return torch.float32 if device == "cpu" else torch.bfloat16
    dtype: torch.dtype = getattr(torch, wanted)
    return dtype


def quantisation_arguments(kind: str, device: str) -> dict[str, Any]:
    """Arguments of `from_pretrained` for bitsandbytes weights."""
    if kind == "none":
        return {}
    from transformers import BitsAndBytesConfig

    if kind == "8bit":
        weights = BitsAndBytesConfig(load_in_8bit=True)
    else:
        weights = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=pick_dtype("auto", device),
        )
    return {"quantization_config": weights, "device_map": {"": device}}


def silence() -> None:
    """No progress bars and hints of the libraries: a run has its own progress and log."""
    import logging

    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def from_pretrained(loader: Any, name: str, **arguments: Any) -> Any:
    """`loader.from_pretrained` with safe settings; what fails becomes one sentence."""
    where = location(name)
    silence()
    try:
        return loader.from_pretrained(where, trust_remote_code=False, **arguments)
    except Exception as error:  # a broken folder fails in as many ways as there are libraries
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{name} could not be loaded as a model: {reason} Expected a folder (or hub name) with "
            "config.json, a tokenizer and *.safetensors weights."
        ) from error


@loading
def load_classifier(name: str, device: str) -> Any:
    """A sequence classifier with all its weights, on its device; InputError when some are missing:
    they would be drawn at random, and the verdicts with them."""
    from transformers import AutoModelForSequenceClassification

    where = pick_device(device)
    model, info = from_pretrained(
        AutoModelForSequenceClassification,
        name,
        dtype=pick_dtype("auto", where),
        use_safetensors=True,
        output_loading_info=True,
    )
    missing = sorted(info["missing_keys"])
    if missing:
        raise InputError(
            f"The weights of {name} lack {', '.join(missing[:5])}, expected a trained classifier "
            "with its head: give the folder of one."
        )
    return model.to(where).eval()


@loading
def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder, with a padding token and padding on the left."""
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = from_pretrained(AutoTokenizer, name)
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"The tokenizer of {name} has no end-of-text token, expected one after which a text "
            "is over: set eos_token in its tokenizer_config.json."
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    return tokenizer


@loading
def load_language(config: ModelConfig, path: Path | str | None = None) -> Language:
    """Load the model of `config`, or with its settings the one at `path` (M(k) of a run).

    A folder that holds a LoRA adapter is loaded on top of the config's base weights.
    """
    from transformers import AutoModelForCausalLM, GenerationConfig

    name = str(path or config.path)
    device = pick_device(config.device)
    arguments: dict[str, Any] = {
        "dtype": pick_dtype(config.dtype, device),
        "use_safetensors": True,
        **quantisation_arguments(config.quantisation, device),
    }
    adapter = Path(name) / "adapter_config.json"
    base = config.path if adapter.exists() else name
    model = from_pretrained(AutoModelForCausalLM, base, **arguments)
    if adapter.exists():
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, name, is_trainable=False)
    if config.quantisation == "none":
        model = model.to(device)
    ends = model.generation_config.eos_token_id if model.generation_config else None
    tokenizer = load_tokenizer(name)
    # What a model's folder says about decoding must not leak into a run: the config says it all.
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return Language(model.eval(), tokenizer, name, (ends,))


def mebibytes(tensors: Iterable[object]) -> float:
    """MiB that tensors take; what is no tensor takes nothing."""
    import torch

    there = [tensor for tensor in tensors if isinstance(tensor, torch.Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in there) / 2**20


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

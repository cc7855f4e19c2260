"""Reward models: a Llama backbone with a scalar score head, in safe-rlhf's file format.

The backbone's weights are under `model.`, the head is `score_head`, and the score is taken at the
last token that is not padding. Imports torch: import this module late.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel

from isara.errors import InputError


class ScoreModel(torch.nn.Module):
    """Backbone and score head; `config` is a Hugging Face configuration."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self.model = AutoModel.from_config(config)
        self.score_head = torch.nn.Linear(config.hidden_size, 1, bias=False)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Scores [rows] at the last real token; ids and mask [rows, tokens], padded right."""
        hidden = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        last = hidden[torch.arange(len(hidden)), attention_mask.sum(1) - 1]
        scores: torch.Tensor = self.score_head(last)[:, 0]
        return scores

    def save_pretrained(self, folder: Path) -> None:
        """Write 16-bit safetensors and the config, in safe-rlhf's layout."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {name: t.detach().half().contiguous() for name, t in self.state_dict().items()}
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        self.config.architectures = ["LlamaModelForScore"]
        self.config.save_pretrained(folder)

    @classmethod
    def from_pretrained(cls, folder: Path) -> ScoreModel:
        """Read a folder as `save_pretrained` or safe-rlhf wrote it (safetensors only)."""
        state: dict[str, torch.Tensor] = {}
        for file in sorted(Path(folder).glob("*.safetensors")):
            state.update(load_file(file))
        if "score_head.weight" not in state:
            raise InputError(
                f"{folder} has no score_head.weight in *.safetensors; expected a reward model in "
                "safe-rlhf's format (a Llama backbone and a linear score_head)."
            )
        model = cls(AutoConfig.from_pretrained(folder))
        # safe-rlhf also stores running statistics (`normalizer.`), which scoring ignores.
        wanted = model.state_dict().keys()
        model.load_state_dict({k: v.float() for k, v in state.items() if k in wanted})
        return model.eval()

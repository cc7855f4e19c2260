"""Loaded models that several callers share, as many language models as memory allows.

    shelf = Shelf()
    with shelf.turn:                               # one caller at a time
        together = shelf.make_room(config.model, [None, folder])
        writer = shelf.writer(config.model, None)

A model whose files have changed is loaded anew. Left out: the tools of a run (methods/tools.py),
which keep one language model.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from isara.config import ModelConfig

if TYPE_CHECKING:
    from isara.decoding import Writer
    from isara.evaluation.harm import HarmJudge

MOST_HELD = 4  # language models that stay loaded together
MEMORY_SHARE = 0.25  # of the free memory, for the weights of models that are held together


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of the weights that were asked for, bytes that are free, and whether all are held."""

    needed: int
    free: int
    together: bool


class Shelf:
    """Language models by their config and folder, and judges by name.

    `turn` is to be held while models are loaded and used: a model follows one caller at a time.
    """

    def __init__(self) -> None:
        self.turn = Lock()
        self._writers: dict[tuple[str, str, int], Writer] = {}
        self._judges: dict[str, HarmJudge] = {}

    def make_room(self, config: ModelConfig, models: Sequence[Path | None]) -> Room:
        """Whether these models can be held together; puts away what is in their way."""
        wanted = {_key(config, model) for model in models}
        needed = sum(weight_bytes(config, model) for model in dict.fromkeys(models))
        free = free_bytes(config.device) + self._held_bytes(wanted, config, models)
        together = len(wanted) <= MOST_HELD and needed <= MEMORY_SHARE * free
        others = [key for key in self._writers if key not in wanted]
        spare = MOST_HELD - len(wanted) if together else 0
        self._put_away(others[: max(0, len(others) - spare)])
        return Room(needed, free, together)

    def _held_bytes(
        self,
        wanted: set[tuple[str, str, int]],
        config: ModelConfig,
        models: Sequence[Path | None],
    ) -> int:
        # What is loaded already is not free, and needs no room either.
        held = [m for m in dict.fromkeys(models) if _key(config, m) in self._writers]
        return sum(weight_bytes(config, model) for model in held)

    def writer(self, config: ModelConfig, model: Path | None, *, alone: bool = False) -> Writer:
        """The writer of M(k) in a folder, or of the config's own model (None); `alone`: the others
        are put away first."""
        key = _key(config, model)
        if alone:
            self._put_away([other for other in self._writers if other != key])
        if key not in self._writers:
            self._writers[key] = load_writer(config, model)
        return self._writers[key]

    def judge(self, name: str, device: str) -> HarmJudge:
        """The judge of that name."""
        if name not in self._judges:
            self._judges.clear()
            self._judges[name] = load_judge(name, device)
        return self._judges[name]

    def _put_away(self, keys: Sequence[tuple[str, str, int]]) -> None:
        for key in keys:
            del self._writers[key]
        if keys:
            import torch

            gc.collect()
            torch.cuda.empty_cache()


def _key(config: ModelConfig, model: Path | None) -> tuple[str, str, int]:
    changed = 0 if model is None else model.stat().st_mtime_ns
    return config.model_dump_json(), str(model or ""), changed


def load_writer(config: ModelConfig, model: Path | None) -> Writer:
    """Load a language model and choose its writer."""
    from isara.decoding.choose import writer_for
    from isara.models import load_language

    return writer_for(load_language(config, model))


def load_judge(name: str, device: str) -> HarmJudge:
    """Load a 14-label judge."""
    from isara.evaluation.harm import Judge

    return Judge(name, device)


def weight_bytes(config: ModelConfig, model: Path | None) -> int:
    """Bytes of a model's files; with those of the base weights where it is an adapter."""
    from isara.models import folder_size, hub_folder

    if model is None:
        return folder_size(hub_folder(config.path))
    own = folder_size(model)
    adapter = (model / "adapter_config.json").exists()
    return own + (folder_size(hub_folder(config.path)) if adapter else 0)


def free_bytes(device: str) -> int:
    """Free memory of the device that models are loaded to."""
    from isara.models import pick_device

    if pick_device(device) == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    import psutil

    return int(psutil.virtual_memory().available)

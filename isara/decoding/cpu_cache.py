"""The shared cache in float32 on a CPU: the same tables, with compiled attention (kernels.py).

Its memory is kept for the next block: to get as much from the system anew takes longer than to
fill it, since every page is cleared and mapped at its first touch.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
import torch

from isara.decoding import kernels
from isara.decoding.shared_cache import Asked, SharedCache

MOST_SPARE = 320 * 2**20  # bytes kept between blocks
_spare: list[torch.Tensor] = []  # flat, of closed caches
_lock = Lock()


class CpuCache(SharedCache):
    """Keys and values [slots, key heads, columns, head size], columns side by side in memory.

    Soft caps go SharedCache's way.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.buffers: list[torch.Tensor] = []

    def _allocate(self, slots: int, columns: int, like: torch.Tensor) -> torch.Tensor:
        heads, size = like.shape[1], like.shape[3]
        shape = slots, heads, size, columns
        buffer = _take(slots * heads * size * columns)
        self.buffers.append(buffer)
        return buffer[: slots * heads * size * columns].view(shape).transpose(2, 3)

    def close(self) -> None:
        """See SharedCache."""
        super().close()
        with _lock:
            _spare.extend(self.buffers)
            self.buffers = []
            while sum(buffer.nbytes for buffer in _spare) > MOST_SPARE:
                _spare.pop(0)

    def _store_step(self, tensor: torch.Tensor, states: torch.Tensor) -> None:
        """Attention stores them: to fetch their lines from memory twice takes its time."""

    def _keep_columns(self, order: torch.Tensor, counts: torch.Tensor) -> None:
        for tensor in (*self.keys, *self.values):
            kernels.keep_columns(_lines(tensor), self.prefix, order.numpy(), counts.numpy())

    def attend_step(self, asked: Asked) -> torch.Tensor:
        """See SharedCache."""
        if asked.softcap:
            layer = asked.layer
            for tensor, states in (
                (self.keys[layer], asked.key),
                (self.values[layer], asked.value),
            ):
                super()._store_step(tensor, states)
            return super().attend_step(asked)
        tables = torch.stack([self.lengths, self.steps, self.used]).numpy()
        new = _rows(asked.key), _rows(asked.value)
        seen = self.seen.numpy(), self.positions.numpy()
        tasks = len(asked.query) * self.keys[asked.layer].shape[1]
        given = *new, *self._layer(asked.layer), tables, *seen
        return self._attend(kernels.attend_step, tasks, asked, *given)

    def attend_prompts(self, asked: Asked) -> torch.Tensor:
        """See SharedCache."""
        if asked.softcap:
            return super().attend_prompts(asked)
        assert self.admitted is not None
        slots, lengths = map(np.array, self.admitted)
        tasks = asked.query.shape[0] * asked.query.shape[1]
        given = *self._layer(asked.layer), slots, lengths
        return self._attend(kernels.attend_prompts, tasks, asked, *given)

    def _attend(self, kernel: Any, tasks: int, asked: Asked, *given: Any) -> torch.Tensor:
        rows, heads, tokens, size = asked.query.shape
        result = asked.query.new_empty((rows, tokens, heads, size))
        scaling, out = np.float32(asked.scaling), result.numpy()
        every = _rows(asked.query), *given, self.prefix, asked.window or 0, scaling, out
        kernels.shared(tasks, lambda first, last: kernel(*every, first, last))
        return result

    def _layer(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        return _lines(self.keys[layer]), _lines(self.values[layer])


def _take(count: int) -> torch.Tensor:
    """A flat buffer of at least `count` numbers: the smallest spare one that fits, or a new one.
    What stands in it is finite, whatever it is."""
    with _lock:
        fitting = [i for i, buffer in enumerate(_spare) if buffer.numel() >= count]
        if fitting:
            return _spare.pop(min(fitting, key=lambda i: _spare[i].numel()))
    return torch.zeros(count)


def _lines(tensor: torch.Tensor) -> np.ndarray:
    """[slots, key heads, head size, columns], as it lies in memory."""
    return tensor.transpose(2, 3).numpy()


def _rows(states: torch.Tensor) -> np.ndarray:
    """[rows, tokens, heads, head size], as projections leave them in memory."""
    return states.transpose(1, 2).contiguous().numpy()

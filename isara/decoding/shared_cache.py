"""Keys and values of a block of prompts: each prompt's once, for all its beams and samples.

Every prompt has a slot: its prefix (all prompt tokens but the last) and a suffix of columns that
its beams fill, `width` columns a step. Beams of a slot see the whole prefix and their own
ancestors' columns only: which ones is a table of booleans, and that table is all that beam search
reorders. Keys and values are never copied per beam and never reordered; columns that no beam sees
any more are dropped from time to time.

    cache = new_cache(model, slots=32, width=5, prefix=440, suffix=140)
    with shared_attention(model):
        cache.prefill(model, slots, prompts)
        logits = cache.step(model, tokens)      # [slots, width, vocabulary]
        cache.reorder(parents)

The model runs on [slots, width] tokens as if the beams of a slot were a sequence; the attention
function registered here sees to it that they do not see each other. Sliding windows, grouped
queries and soft caps are followed; anything else that a model hands to its attention is refused.
In float32 on a CPU the attention is compiled (cpu_cache.py); elsewhere it is PyTorch's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.cache_utils import Cache

NAME = "isara_shared"
HIDDEN = float("-inf")
ROOM = 4  # steps that must fit after columns were dropped, else there are too few of them
# Arguments of attention functions that change nothing at inference, or that are followed here.
KNOWN = {
    "is_causal",
    "position_ids",
    "past_key_values",
    "use_cache",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "position_embeddings",
    "logits_to_keep",
    "cache_position",
}
_current: ContextVar[SharedCache] = ContextVar("shared cache")


class PrefillDoneError(Exception):
    """The last layer's keys and values are stored: nothing that it computes is of use."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a layer asks of its attention: query [rows, heads, tokens, head size]; in a prefill key
    and value of the whole prompts, in a step the new ones, [rows, key heads, tokens, head size]."""

    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    layer: int
    window: int | None
    scaling: float
    softcap: float | None


class SharedCache(Cache):
    """Keys and values [slots, key heads, prefix + suffix columns, head size] of every layer.

    A prefix of n tokens stands in the n columns before the suffix. `bytes` is what is allocated.
    """

    def __init__(
        self, slots: int, width: int, prefix: int, suffix: int, device: torch.device
    ) -> None:
        super().__init__(layers=[])
        self.width = width
        self.prefix = prefix
        self.suffix = max(suffix, width)
        self.device = device
        self.keys: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []
        self.lengths = torch.zeros(slots, dtype=torch.long, device=device)  # of the prefixes
        self.steps = torch.zeros(slots, dtype=torch.long, device=device)  # since the prefill
        self.used = torch.zeros(slots, dtype=torch.long, device=device)  # suffix columns
        self._suffix_tables(slots)
        self.admitted: tuple[list[int], list[int]] | None = None  # slots and lengths in a prefill
        self.last_layer = -1
        self.active = 0

    def _suffix_tables(self, slots: int) -> None:
        shape = (slots, self.width, self.suffix)
        self.seen = torch.zeros(shape, dtype=torch.bool, device=self.device)
        self.positions = torch.zeros(slots, self.suffix, dtype=torch.long, device=self.device)

    @property
    def bytes(self) -> int:
        """Bytes of all keys and values allocated."""
        tensors = [*self.keys, *self.values]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    # ------------------------------------------------------------ what the model's layers call

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens seen: positions are always given to the model, so nothing depends on it."""
        return 0

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        layer_idx: int,
        *_: Any,
        **__: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store a layer's new keys and values, [rows, heads, tokens, head size]."""
        for tensors, states in ((self.keys, key_states), (self.values, value_states)):
            if len(tensors) <= layer_idx:
                slots, columns = len(self.lengths), self.prefix + self.suffix
                tensors.append(self._allocate(slots, columns, states))
            if self.admitted is None:
                self._store_step(tensors[layer_idx], states)
                continue
            for row, (slot, length) in enumerate(zip(*self.admitted, strict=True)):
                part = slice(self.prefix - length, self.prefix)
                tensors[layer_idx][slot, :, part] = states[row, :, :length]
        if self.admitted is not None and layer_idx == self.last_layer:
            raise PrefillDoneError
        return key_states, value_states

    def _allocate(self, slots: int, columns: int, like: torch.Tensor) -> torch.Tensor:
        return like.new_zeros((slots, like.shape[1], columns, like.shape[3]))

    def _store_step(self, tensor: torch.Tensor, states: torch.Tensor) -> None:
        rows = torch.arange(self.active, device=self.device)[:, None]
        tensor[rows, :, self.columns] = states.transpose(1, 2)

    # ------------------------------------------------------------ prefill and steps

    def prefill(self, model: Any, slots: Sequence[int], prompts: Sequence[Sequence[int]]) -> None:
        """Run the model on all prompt tokens but the last ones; the first step takes those."""
        lengths = [len(prompt) - 1 for prompt in prompts]
        index = torch.tensor(slots, device=self.device)
        self.lengths[index] = torch.tensor(lengths, device=self.device)
        self.steps[index] = 0
        self.used[index] = 0
        self.seen[index] = False
        longest = max(lengths)
        if not longest:
            return
        # Padding on the right: under a causal mask no token sees it.
        tokens = torch.zeros(len(prompts), longest, dtype=torch.long)
        for row, prompt in zip(tokens, prompts, strict=True):
            row[: len(prompt) - 1] = torch.tensor(prompt[:-1])
        positions = torch.arange(longest, device=self.device)[None].expand(len(prompts), -1)
        self.admitted = list(slots), lengths
        self.last_layer = model.config.get_text_config().num_hidden_layers - 1
        try:
            self._forward(model, tokens.to(self.device), positions, logits_to_keep=1)
        except PrefillDoneError:
            pass
        finally:
            self.admitted = None

    def step(self, model: Any, tokens: torch.Tensor) -> torch.Tensor:
        """One token more for every beam of the first slots: tokens [slots, width] to logits."""
        self.active = len(tokens)
        if int(self.used[: self.active].max()) + self.width > self.suffix:
            self._drop_unseen()
        new = self.used[: self.active, None] + torch.arange(self.width, device=self.device)
        now = (self.lengths + self.steps)[: self.active, None].expand(-1, self.width)
        own = torch.eye(self.width, dtype=torch.bool, device=self.device)
        self.seen[: self.active].scatter_(
            2, new[:, None].expand(-1, self.width, -1), own.expand(self.active, -1, -1)
        )
        self.positions[: self.active].scatter_(1, new, now)
        self.columns = self.prefix + new
        self.visible: torch.Tensor | None = None
        logits = self._forward(model, tokens, now)
        self.steps[: self.active] += 1
        self.used[: self.active] += self.width
        return logits

    def _forward(
        self, model: Any, tokens: torch.Tensor, positions: torch.Tensor, **more: Any
    ) -> torch.Tensor:
        token = _current.set(self)
        try:
            output = model(
                input_ids=tokens,
                position_ids=positions,
                past_key_values=self,
                use_cache=True,
                **more,
            )
        finally:
            _current.reset(token)
        logits: torch.Tensor = output.logits
        return logits

    # ------------------------------------------------------------ attention

    def attend_prompts(self, asked: Asked) -> torch.Tensor:
        """Causal attention of the prompts that enter, [rows, tokens, heads, head size]."""
        query, window = asked.query, asked.window
        groups = query.shape[1] // asked.key.shape[1]
        key, value = (
            x.repeat_interleave(groups, 1) if groups > 1 else x for x in (asked.key, asked.value)
        )
        mask = causal_mask(query.shape[2], window, query) if window or asked.softcap else None
        return attention(query, key, value, mask, asked.scaling, asked.softcap).transpose(1, 2)

    def attend_step(self, asked: Asked) -> torch.Tensor:
        """Attention of every beam over what it sees, [slots, width, heads, head size]."""
        query = asked.query
        rows, heads, tokens, size = query.shape
        mask = self.mask(asked.window, query.dtype)
        key, value = (x[asked.layer][: self.active, :, self.view] for x in (self.keys, self.values))
        groups = heads // key.shape[1]
        if groups > 1:  # the queries of a group share their key head: more rows of one product
            query = query.reshape(rows, key.shape[1], groups * tokens, size)
            mask = mask.repeat(1, 1, groups, 1)
        result = attention(query, key, value, mask, asked.scaling, asked.softcap)
        return result.reshape(rows, heads, tokens, -1).transpose(1, 2)

    def mask(self, window: int | None, dtype: torch.dtype) -> torch.Tensor:
        """What is added to the attention scores of a step, [slots, 1, width, columns]."""
        if self.visible is None:
            self._look()
        assert self.visible is not None
        if window not in self.masks:
            visible = self.visible
            if window is not None:
                now = (self.lengths + self.steps)[: self.active, None]
                visible = visible & (now - self.places < window)[:, None]
            added = torch.zeros(visible.shape, dtype=dtype, device=self.device)
            self.masks[window] = added.masked_fill_(~visible, HIDDEN)[:, None]
        return self.masks[window]

    def _look(self) -> None:
        """The columns that this step looks at, and what each beam sees of them."""
        n = self.active
        longest, last = int(self.lengths[:n].max()), int(self.used[:n].max()) + self.width
        self.view = slice(self.prefix - longest, self.prefix + last)
        place = torch.arange(longest, device=self.device) - longest + self.lengths[:n, None]
        prefix_seen = (place >= 0)[:, None].expand(-1, self.width, -1)
        self.visible = torch.cat([prefix_seen, self.seen[:n, :, :last]], dim=2)
        self.places = torch.cat([place, self.positions[:n, :last]], dim=1)
        self.masks: dict[int | None, torch.Tensor] = {}

    # ------------------------------------------------------------ between steps

    def reorder(self, parents: torch.Tensor) -> None:
        """Beam b of a slot goes on from beam parents[slot, b]: only the table changes."""
        seen = self.seen[: len(parents)]
        seen.copy_(seen.gather(1, parents[:, :, None].expand(-1, -1, self.suffix)))

    def move(self, source: int, target: int) -> None:
        """Put one slot's content in another slot's place."""
        for tensor in (*self.keys, *self.values, self.lengths, self.steps, self.used):
            tensor[target] = tensor[source]
        self.seen[target] = self.seen[source]
        self.positions[target] = self.positions[source]

    def _drop_unseen(self) -> None:
        """Keep the suffix columns that a beam still sees; more room when that is not enough."""
        n = self.active
        live = self.seen[:n].any(1)
        counts = live.sum(1)
        most = int(counts.max())
        order = live.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :most]
        self._keep_columns(order, counts)
        kept = self.seen[:n].gather(2, order[:, None].expand(-1, self.width, -1))
        self.seen[:n] = False
        self.seen[:n, :, :most] = kept
        self.positions[:n, :most] = self.positions[:n].gather(1, order)
        self.used[:n] = counts
        if most + ROOM * self.width > self.suffix:
            self._widen()

    def _keep_columns(self, order: torch.Tensor, counts: torch.Tensor) -> None:
        """Suffix columns order[slot] become the first ones; counts[slot] of them are seen."""
        n, most = order.shape
        for tensor in (*self.keys, *self.values):
            suffix = tensor[:n, :, self.prefix :]
            index = order[:, None, :, None].expand(-1, tensor.shape[1], -1, tensor.shape[3])
            suffix[:, :, :most] = suffix.gather(2, index)

    def _widen(self) -> None:
        """Double the suffix: beams that share little need more columns."""
        seen, positions, old = self.seen, self.positions, self.suffix
        self.suffix *= 2
        self._suffix_tables(len(seen))
        self.seen[:, :, :old] = seen
        self.positions[:, :old] = positions
        for tensors in (self.keys, self.values):
            for layer, tensor in enumerate(tensors):
                slots, _, columns, _ = tensor.shape
                tensors[layer] = self._allocate(slots, columns + old, tensor)
                tensors[layer][:, :, :columns] = tensor

    def close(self) -> None:
        """Give back the memory; the cache is of no use afterwards."""
        self.keys, self.values = [], []


def new_cache(model: Any, slots: int, width: int, prefix: int, suffix: int) -> SharedCache:
    """The cache for a model's device and type of numbers."""
    device = next(model.parameters()).device
    if device.type == "cpu" and model.dtype == torch.float32:
        from isara.decoding.cpu_cache import CpuCache

        return CpuCache(slots, width, prefix, suffix, device)
    return SharedCache(slots, width, prefix, suffix, device)


# ---------------------------------------------------------------- attention


def attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention function of `AttentionInterface`: query [rows, heads, tokens, head size].

    In a prefill rows are prompts and attention is causal; in a step rows are slots, tokens are
    beams, and keys and values come from the cache. Returns [rows, tokens, heads, head size].
    """
    strange = [name for name, given in others.items() if given is not None and name not in KNOWN]
    if strange:
        raise NotImplementedError(f"attention with {', '.join(strange)}")
    cache = _current.get()
    scaling = scaling or query.shape[-1] ** -0.5
    asked = Asked(query, key, value, module.layer_idx, sliding_window, scaling, softcap)
    way = cache.attend_step if cache.admitted is None else cache.attend_prompts
    return way(asked), None


def causal_mask(tokens: int, window: int | None, like: torch.Tensor) -> torch.Tensor:
    """[tokens, tokens] scores to add: no later token, none outside the window."""
    visible = torch.ones(tokens, tokens, dtype=torch.bool, device=like.device).tril()
    if window is not None:
        visible = visible.triu(1 - window)
    added = torch.zeros(visible.shape, dtype=like.dtype, device=like.device)
    return added.masked_fill_(~visible, HIDDEN)


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float,
    softcap: float | None,
) -> torch.Tensor:
    """Attention with an added mask, causal without one; with a soft cap, scores are
    softcap * tanh(score / softcap)."""
    if not softcap:
        return scaled_dot_product_attention(
            query, key, value, attn_mask=mask, scale=scaling, is_causal=mask is None
        )
    scores = softcap * torch.tanh((query * scaling) @ key.transpose(2, 3) / softcap)
    if mask is not None:
        scores += mask
    return scores.softmax(-1, dtype=torch.float32).to(query.dtype) @ value


AttentionInterface.register(NAME, attend)


@contextmanager
def shared_attention(model: Any) -> Iterator[None]:
    """The model attends through this module until the block ends."""
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    before = model.config._attn_implementation
    model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(before)

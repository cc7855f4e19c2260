"""The decoding engine: many prompts at once, each with its own beams or samples.

    results = decode(model, prompts, settings, budget=64, seeds=[[7], [8]], ends=[2])

Prompts are token ids. They are taken longest first into a block of slots; a prompt that is done
leaves its slot at once, and waiting prompts enter together, by one prefill. Prompt keys and values
are computed once (shared_cache.py), penalties and beams are tensor operations over the whole block
(penalties.py, beam.py, draws.py). The block is as large as free memory allows, and halved when
memory runs out: what was not done is begun again, with the same result, since no row depends on
another. Not here: text, tokenizers and markers (hugging_face.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import torch

from isara.config import GenerationConfig
from isara.decoding.beam import BeamSearch, Hits
from isara.decoding.draws import Draws
from isara.decoding.penalties import Penalties
from isara.decoding.shared_cache import new_cache, shared_attention
from isara.errors import InputError
from isara.fast_linear import fast_linear

PREFILL_TOKENS = {"cpu": 512, "cuda": 65_536}  # prompt tokens in one forward pass
MEMORY_SHARE = 0.4  # of the free memory, for a block; the rest is left to forward passes
MOST_SLOTS = {"cpu": 256, "cuda": 512}
MOST_BYTES = {"cpu": 290 * 2**20, "cuda": 2**60}  # a larger block is no faster on a CPU
SMALL_MODEL = 128 * 2**20  # bytes of weights
PROMPTS_PER_WORKER = 4  # at least, where cores decode side by side
REFILL = 8  # waiting prompts enter when at least one slot in so many is free


@dataclass(frozen=True, slots=True)
class Generated:
    """New tokens of one text, the end token included, and the model's own log-probability (nats,
    before penalties) of each; `complete` is false when decoding was stopped before the end."""

    tokens: list[int]
    log_probs: list[float]
    complete: bool = True


Progress = Callable[[int], None]
Partial = Callable[[dict[int, list[int]]], None]


def decode(
    model: Any,
    prompts: Sequence[Sequence[int]],
    settings: GenerationConfig,
    *,
    budget: int,
    seeds: Sequence[Sequence[int]],
    ends: Sequence[int],
    hits: Hits | None = None,
    slots: int | None = None,
    on_progress: Progress | None = None,
    on_tokens: Partial | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[list[Generated]]:
    """Texts for each prompt, in order: one, or with greedy search and sampling one per seed.

    `seeds` has one list for each prompt, all of the same length (beam search uses none of them).
    `on_progress` hears how many prompts are done; `on_tokens` after every step what each open
    prompt has so far (its best beam, or its first text); `should_stop` is asked before every step,
    and what is not done then comes back as far as it is written. Raises InputError when a single
    prompt does not fit into memory, ValueError for an empty prompt.
    """
    if any(not prompt for prompt in prompts):
        raise ValueError("a prompt has no token: give the tokenizer a begin token")
    device = next(model.parameters()).device
    width = _width(settings, seeds)
    longest = max(map(len, prompts), default=1)
    slots = slots or fitting_slots(model, device, width, longest, budget)
    workers = 1 if on_tokens is not None else worker_count(model, min(slots, len(prompts)))
    order = sorted(range(len(prompts)), key=lambda row: -len(prompts[row]))
    queues = [_Queue(prompts, seeds, order[worker::workers]) for worker in range(workers)]

    def work(queue: _Queue, on_progress: Progress | None) -> None:
        size = -(-slots // workers)
        with torch.inference_mode():
            while queue.waiting and not queue.stopped:
                size = min(size, len(queue.waiting))
                block = _Block(model, queue, settings, size, width, budget, ends, hits, device)
                try:
                    block.run(on_progress, on_tokens, should_stop)
                except RuntimeError as error:  # torch.OutOfMemoryError is one
                    if not out_of_memory(error):
                        raise
                    if size == 1:
                        raise no_room(longest, width) from error
                    queue.begin_again(block.rows)
                    size //= 2
                finally:
                    block.cache.close()

    with shared_attention(model), fast_linear(model):
        if workers == 1:
            work(queues[0], on_progress)
        else:
            run_side_by_side(work, queues, on_progress)
    done = {row: texts for queue in queues for row, texts in queue.done.items()}
    return [done.get(row, []) for row in range(len(prompts))]


def no_room(longest: int, width: int) -> InputError:
    """What to say when a block of one prompt is too large."""
    return InputError(
        f"A prompt of {longest} tokens with {width} beams does not fit into the memory: use a "
        "smaller model, fewer beams or shorter examples."
    )


def worker_count(model: Any, prompts: int) -> int:
    """Threads that decode side by side: on a CPU, the products of a small model are too small to
    be shared by several cores, so each core gets prompts of its own."""
    if next(model.parameters()).device.type != "cpu":
        return 1
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    if weights > SMALL_MODEL:
        return 1
    return max(1, min(torch.get_num_threads(), prompts // PROMPTS_PER_WORKER))


def run_side_by_side(
    work: Callable[[_Queue, Progress | None], None],
    queues: Sequence[_Queue],
    on_progress: Progress | None,
) -> None:
    """One thread a queue, one core each; progress is told on the calling thread."""
    finished: SimpleQueue[int | None] = SimpleQueue()
    counts = [0] * len(queues)

    def one(index: int) -> None:
        torch.set_num_threads(1)  # of this thread's own products

        def count(done: int) -> None:
            counts[index] = done
            finished.put(index)

        try:
            work(queues[index], count)
        finally:
            finished.put(None)

    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(len(queues), "decoding") as pool:
            jobs = [pool.submit(one, index) for index in range(len(queues))]
            running = len(jobs)
            while running:
                if finished.get() is None:
                    running -= 1
                elif on_progress is not None:
                    on_progress(sum(counts))
            for job in jobs:
                job.result()
    finally:
        torch.set_num_threads(threads)  # what new threads begin with


def _width(settings: GenerationConfig, seeds: Sequence[Sequence[int]]) -> int:
    if settings.strategy == "beam" and settings.num_beams > 1:
        return settings.num_beams
    widths = {len(given) for given in seeds} or {1}
    if len(widths) != 1:
        raise ValueError(f"every prompt needs as many seeds as the others, found {sorted(widths)}")
    return widths.pop()


def out_of_memory(error: BaseException) -> bool:
    """Did the GPU's or the machine's memory run out?"""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def suffix_columns(width: int, budget: int, beams: bool) -> int:
    """Columns for what a slot writes; beams share much of theirs, samples nothing."""
    return min(width, 3) * budget if beams else width * budget


def slot_bytes(model: Any, width: int, longest: int, budget: int) -> int:
    """Memory of one slot (bytes): keys and values of prompt and suffix, and the scores."""
    columns = longest + suffix_columns(width, budget, beams=True)
    scores = 6 * 4 * width * model.config.get_text_config().vocab_size
    return int(column_bytes(model) * columns + scores)


def column_bytes(model: Any) -> int:
    """Bytes of the keys and values of one token."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * model.dtype.itemsize)


def fitting_slots(model: Any, device: torch.device, width: int, longest: int, budget: int) -> int:
    """How many prompts are decoded at once, from the memory that is free now."""
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
    else:
        import psutil

        free = psutil.virtual_memory().available
    room = min(int(free * MEMORY_SHARE), MOST_BYTES[device.type])
    fitting = room // slot_bytes(model, width, longest, budget)
    return max(1, min(fitting, MOST_SLOTS[device.type]))


class _Queue:
    """The rows of a call, or one worker's part of them: waiting (longest first) or done."""

    def __init__(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[Sequence[int]],
        waiting: list[int],
    ) -> None:
        self.prompts = prompts
        self.seeds = seeds
        self.waiting = waiting
        self.done: dict[int, list[Generated]] = {}
        self.stopped = False

    def begin_again(self, rows: Sequence[int]) -> None:
        """Rows whose block ran out of memory wait again."""
        self.waiting = sorted([*rows, *self.waiting], key=lambda row: -len(self.prompts[row]))


class _Block:
    """Slots, their cache and their search; `rows` says which row is in which slot."""

    def __init__(
        self,
        model: Any,
        queue: _Queue,
        settings: GenerationConfig,
        slots: int,
        width: int,
        budget: int,
        ends: Sequence[int],
        hits: Hits | None,
        device: torch.device,
    ) -> None:
        self.model, self.queue, self.slots, self.device = model, queue, slots, device
        self.rows: list[int] = []
        longest = len(queue.prompts[queue.waiting[0]])
        end_tokens = torch.tensor(list(ends), device=device)
        penalties = Penalties(
            settings, slots=slots, width=width, prefix=longest, budget=budget, ends=end_tokens
        )
        beams = settings.strategy == "beam" and settings.num_beams > 1
        self.search: BeamSearch | Draws
        shared: Any = {"slots": slots, "budget": budget, "ends": end_tokens, "hits": hits}
        if beams:
            self.search = BeamSearch(settings, penalties, **shared)
        else:
            self.search = Draws(settings, penalties, width=width, **shared)
        suffix = suffix_columns(width, budget, beams)
        self.cache = new_cache(model, slots, width, longest - 1, suffix)
        self.next_tokens = torch.zeros((slots, width), dtype=torch.long, device=device)

    def run(
        self,
        on_progress: Progress | None,
        on_tokens: Partial | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        """Until no row is left, or a stop is asked for."""
        self._refill([])
        while self.rows:
            if should_stop is not None and should_stop():
                self._stop()
                return
            done = self._step()
            if on_tokens is not None:
                on_tokens({row: self._tokens(slot) for slot, row in enumerate(self.rows)})
            for slot in done:
                self.queue.done[self.rows[slot]] = self._texts(slot)
            if done:
                self._refill(done)
                if on_progress is not None:
                    on_progress(len(self.queue.done))

    def _step(self) -> list[int]:
        """One token more for every slot; which slots are done, in ascending order."""
        count = len(self.rows)
        logits = self.cache.step(self.model, self.next_tokens[:count])
        parents, tokens, done = self.search.step(logits)
        if parents is not None:
            self.cache.reorder(parents)
        self.next_tokens[:count] = tokens
        slots: list[int] = done.nonzero()[:, 0].tolist()
        return slots

    def _refill(self, holes: list[int]) -> None:
        """Waiting prompts enter the free slots, or the last slots move into the holes."""
        free = self.slots - len(self.rows) + len(holes)
        enough = free >= max(1, self.slots // REFILL) or len(holes) == len(self.rows)
        count = min(free, len(self.queue.waiting)) if enough else 0
        places = holes[:count]
        for hole in reversed(holes[count:]):
            last = len(self.rows) - 1
            if hole != last:
                self.cache.move(last, hole)
                self.search.move(last, hole)
                self.next_tokens[hole] = self.next_tokens[last]
                self.rows[hole] = self.rows[last]
            self.rows.pop()
        places = places + list(range(len(self.rows), len(self.rows) + count - len(places)))
        while places:
            longest = len(self.queue.prompts[self.queue.waiting[0]])
            group = max(1, PREFILL_TOKENS[self.device.type] // longest)
            self._admit(places[:group])
            places = places[group:]

    def _admit(self, places: list[int]) -> None:
        rows, self.queue.waiting = (
            self.queue.waiting[: len(places)],
            self.queue.waiting[len(places) :],
        )
        for place, row in zip(places, rows, strict=True):
            self.rows[place : place + 1] = [row]
        prompts = [self.queue.prompts[row] for row in rows]
        self.cache.prefill(self.model, places, prompts)
        last = torch.tensor([prompt[-1] for prompt in prompts], device=self.device)
        self.next_tokens[torch.tensor(places, device=self.device)] = last[:, None]
        if isinstance(self.search, Draws):
            self.search.admit(places, prompts, [self.queue.seeds[row] for row in rows])
        else:
            self.search.admit(places, prompts)

    def _tokens(self, slot: int) -> list[int]:
        if isinstance(self.search, Draws):
            return self.search.result(slot)[0]
        return self.search.result(slot, partial=True)[0]

    def _texts(self, slot: int, complete: bool = True) -> list[Generated]:
        if isinstance(self.search, Draws):
            texts = [self.search.result(slot, text) for text in range(self.search.width)]
        else:
            texts = [self.search.result(slot, partial=not complete)]
        return [Generated(tokens, log_probs, complete) for tokens, log_probs in texts]

    def _stop(self) -> None:
        """What is open comes back as it is, what waits comes back empty."""
        for slot, row in enumerate(self.rows):
            self.queue.done[row] = self._texts(slot, complete=False)
        for row in self.queue.waiting:
            self.queue.done[row] = [Generated([], [], complete=False)] * len(self.queue.seeds[row])
        self.queue.stopped = True

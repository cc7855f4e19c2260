"""The engine against `generate`, token for token, and what it does beyond: blocks, stops, draws."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from isara.bench.exactness import NEAR, reference, smallest_gap
from isara.bench.random_models import ARCHITECTURES, END, VOCABULARY, random_model
from isara.config import PAPER, PROJECT_ROOT, GenerationConfig, ModelConfig
from isara.decoding import engine
from isara.decoding.beam import PIECE, best
from isara.decoding.draws import Draws
from isara.decoding.engine import Generated, decode
from isara.decoding.penalties import Penalties
from isara.decoding.shared_cache import SharedCache
from isara.errors import InputError

BUDGET = 20
PENALTIES = {"repetition_penalty": 1.3, "no_repeat_ngram_size": 3, "decay_start": 0.4}
SETTINGS = {
    "greedy": {"strategy": "greedy"},
    "greedy, penalties": {"strategy": "greedy", **PENALTIES},
    "beam": {"strategy": "beam", "num_beams": 4},
    "beam, early": {"strategy": "beam", "num_beams": 3, "early_stopping": True},
    "beam, penalties": {"strategy": "beam", "num_beams": 4, **PENALTIES},
    "beam, penalties, early": {"strategy": "beam", **PENALTIES, "early_stopping": True},
    "paper": {**PAPER, "repetition_penalty": 2.0, "no_repeat_ngram_size": 2},
    "long texts": {"strategy": "beam", "num_beams": 2, "min_new_tokens": 12, **PENALTIES},
    "short texts": {"strategy": "beam", "num_beams": 4, "length_penalty": -1.0},
}
SAMPLE = GenerationConfig(strategy="sample")
BEAM = GenerationConfig.model_validate(SETTINGS["beam, penalties"])


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """One model of each architecture; leave their weights as they are."""
    return {name: random_model(name) for name in ARCHITECTURES}


def prompts(count: int, seed: int, shortest: int = 1, longest: int = 60) -> list[list[int]]:
    """Token ids of mixed lengths, with repetitions in them for the n-gram ban to find."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        piece = [rng.randrange(3, VOCABULARY) for _ in range(rng.randint(1, 12))]
        length = rng.randint(shortest, longest)
        tokens = [t for _ in range(length) for t in (*piece, rng.randrange(3, VOCABULARY))]
        found.append([1, *tokens][:length])
    return found


def differing(model: Any, rows: list[list[int]], settings: GenerationConfig, **more: Any) -> int:
    """Rows that differ from `generate`; all of them must be near-ties."""
    more = {"budget": BUDGET, "ends": [END, 7], "slots": 5} | more
    found = decode(model, rows, settings, seeds=[[0]] * len(rows), **more)
    wrong = 0
    for row, texts in zip(rows, found, strict=True):
        expected = reference(model, row, settings, more["budget"], more["ends"])
        if texts[0].tokens != expected:
            wrong += 1
            gap = smallest_gap(model, row, settings, more["budget"], more["ends"])
            print(f"differs at a score gap of {gap:.1e}: {texts[0].tokens} for {expected}")
            assert gap < NEAR
    return wrong


# 8 architectures x 9 settings x 7 prompts and 9 settings x 7 prompts of the demo model: 567.
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_same_tokens_as_generate(models: dict[str, Any], name: str, settings: str) -> None:
    rows = prompts(7, list(ARCHITECTURES).index(name) * 9 + list(SETTINGS).index(settings))
    chosen = GenerationConfig.model_validate(SETTINGS[settings])
    assert differing(models[name], rows, chosen) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_same_tokens_for_many_prompts(models: dict[str, Any], name: str, settings: str) -> None:
    rows = prompts(512, 1000, longest=120)
    chosen = GenerationConfig.model_validate(SETTINGS[settings])
    wrong = differing(models[name], rows, chosen, budget=32, slots=48)
    print(f"{name}, {settings}: {wrong} near-ties of {len(rows)}")
    assert wrong <= 10


@pytest.fixture(scope="module")
def demo() -> Any:
    from isara.models import load_language

    return load_language(ModelConfig(path=str(PROJECT_ROOT / "data/demo/language-model")))


@pytest.fixture(scope="module")
def demo_rows(demo: Any) -> list[list[int]]:
    from isara.prompts import answer_prompt
    from isara.seed_files import read_seed_file

    seeds = read_seed_file(PROJECT_ROOT / "data/seeds/demo-safety.jsonl").examples
    rng = random.Random(3)
    drawn = [rng.sample(seeds, rng.randint(1, 6)) for _ in range(7)]
    return [demo.encode(answer_prompt(shown[1:], shown[0].question)) for shown in drawn]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_demo_model_writes_the_same_tokens(
    demo: Any, demo_rows: list[list[int]], settings: str
) -> None:
    chosen = GenerationConfig.model_validate(SETTINGS[settings])
    ends = [demo.end_token, *demo.line_break_tokens]
    assert differing(demo.model, demo_rows, chosen, ends=ends) == 0


@pytest.mark.parametrize("settings", ["greedy, penalties", "paper"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_pytorchs_own_attention_writes_the_same_tokens(
    models: dict[str, Any], name: str, settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs on GPUs and in other types of numbers, here in float32 on the CPU."""
    monkeypatch.setattr(engine, "new_cache", uncompiled)
    rows = prompts(5, 400 + list(ARCHITECTURES).index(name))
    chosen = GenerationConfig.model_validate(SETTINGS[settings])
    assert differing(models[name], rows, chosen) <= 1


def uncompiled(model: Any, *given: int) -> SharedCache:
    """The cache without compiled attention."""
    return SharedCache(*given, torch.device("cpu"))


@pytest.mark.parametrize("settings", [BEAM, SAMPLE], ids=["beam", "sample"])
def test_attention_shared_by_threads_writes_the_same_tokens(
    models: dict[str, Any], settings: GenerationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a model that is too large to be decoded on each core by itself."""
    monkeypatch.setattr(engine, "worker_count", lambda model, count: 1)
    rows, seeds = prompts(7, 31), [[i] for i in range(7)]
    arguments: dict[str, Any] = {"budget": 12, "seeds": seeds, "ends": [END], "slots": 5}
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        shared = decode(models["mistral"], rows, settings, **arguments)
        torch.set_num_threads(1)
        alone = decode(models["mistral"], rows, settings, **arguments)
    finally:
        torch.set_num_threads(threads)
    assert [one[0].tokens for one in shared] == [one[0].tokens for one in alone]


@pytest.mark.parametrize("count", [1, 5, 10])
def test_the_best_of_many_are_found_piece_by_piece(count: int) -> None:
    scores = torch.randn(7, 5 * PIECE * 3, generator=torch.Generator().manual_seed(count))
    scores[2, 100:] = -torch.inf
    values, index = best(scores, count)
    expected = scores.topk(count)
    assert torch.equal(values, expected.values)
    assert torch.equal(scores.gather(1, index), values)
    odd = best(scores[:, :-1], count)
    assert torch.equal(odd[0], scores[:, :-1].topk(count).values)


def test_a_prompt_of_one_token(models: dict[str, Any]) -> None:
    assert differing(models["llama"], [[1], [5], [1, 6, 4]], BEAM) == 0


def test_many_end_tokens(models: dict[str, Any]) -> None:
    ends = list(range(0, VOCABULARY, 3))
    settings = GenerationConfig(strategy="beam", num_beams=3)
    assert differing(models["opt"], prompts(6, 8), settings, ends=ends) == 0


# ---------------------------------------------------------------- blocks


@pytest.mark.parametrize("settings", [BEAM, SAMPLE], ids=["beam", "sample"])
def test_the_same_rows_whatever_the_block(
    models: dict[str, Any], settings: GenerationConfig
) -> None:
    rows = prompts(23, 5)
    seeds = [[i] for i in range(23)]
    blocks = [
        decode(models["qwen3"], rows, settings, budget=24, seeds=seeds, ends=[END], slots=slots)
        for slots in (23, 1, 4, 9)
    ]
    tokens = [[texts[0].tokens for texts in block] for block in blocks]
    assert tokens[1:] == tokens[:1] * 3
    assert len({len(row) for row in tokens[0]}) > 1  # some ended early, and others took their place


def test_beams_that_share_little_get_more_columns(models: dict[str, Any]) -> None:
    rows = prompts(9, 6)
    settings = GenerationConfig(strategy="beam", num_beams=6, length_penalty=5.0)
    assert differing(models["llama"], rows, settings, budget=64, ends=[END]) == 0


def test_columns_that_no_beam_sees_are_dropped(models: dict[str, Any]) -> None:
    cache = SharedCache(slots=1, width=2, prefix=3, suffix=6, device=torch.device("cpu"))
    with torch.inference_mode(), engine.shared_attention(models["llama"]):
        cache.prefill(models["llama"], [0], [[1, 5, 6]])
        for _ in range(8):  # 16 columns written, at most 9 in use: both beams follow beam 0
            cache.step(models["llama"], torch.tensor([[4, 9]]))
            cache.reorder(torch.tensor([[0, 0]]))
    assert int(cache.seen[0].any(0).sum()) == 8
    assert int(cache.used[0]) < 16


def test_the_prompts_keys_are_kept_once(models: dict[str, Any]) -> None:
    # 3 layers, keys and values, 2 heads of 8 in float32; 5 beams share 49 prompt columns.
    cache = SharedCache(slots=2, width=5, prefix=49, suffix=30, device=torch.device("cpu"))
    with torch.inference_mode(), engine.shared_attention(models["llama"]):
        cache.prefill(models["llama"], [0, 1], prompts(2, 9, shortest=50, longest=50))
    assert cache.bytes == 3 * 2 * 2 * 2 * 8 * 4 * (49 + 30)


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Memory for two slots: larger blocks run out of it in their third step."""
    sizes: list[int] = []
    step = SharedCache.step

    def fail(self: SharedCache, model: Any, tokens: torch.Tensor) -> torch.Tensor:
        sizes.append(len(tokens))
        if len(tokens) > 2 and int(self.steps.max()) > 2:
            raise torch.OutOfMemoryError("no more")
        return step(self, model, tokens)

    monkeypatch.setattr(SharedCache, "step", fail)
    return sizes


def test_a_block_is_halved_when_memory_runs_out(
    models: dict[str, Any], small_memory: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = prompts(9, 2)
    arguments: dict[str, Any] = {"budget": 12, "seeds": [[i] for i in range(9)], "ends": [END]}
    monkeypatch.setattr(engine, "worker_count", lambda model, count: 1)
    halved = decode(models["llama"], rows, SAMPLE, slots=8, **arguments)
    assert {8, 4, 2} <= set(small_memory)
    monkeypatch.undo()
    whole = decode(models["llama"], rows, SAMPLE, slots=2, **arguments)
    assert [one[0].tokens for one in halved] == [one[0].tokens for one in whole]


def test_cores_that_decode_side_by_side_write_the_same_rows(
    models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, heard = prompts(13, 21), []
    arguments: dict[str, Any] = {"budget": 12, "seeds": [[i] for i in range(13)], "ends": [END]}
    monkeypatch.setattr(engine, "worker_count", lambda model, count: 1)
    alone = decode(models["llama"], rows, SAMPLE, slots=6, **arguments)
    monkeypatch.setattr(engine, "worker_count", lambda model, count: 3)
    together = decode(models["llama"], rows, SAMPLE, slots=6, on_progress=heard.append, **arguments)
    assert [one[0].tokens for one in together] == [one[0].tokens for one in alone]
    assert heard == sorted(heard)
    assert heard[-1] == 13
    threads = torch.get_num_threads()
    monkeypatch.setattr(SharedCache, "step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        decode(models["llama"], rows, SAMPLE, slots=6, **arguments)
    assert torch.get_num_threads() == threads


def test_a_prompt_that_does_not_fit_into_memory(
    models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: not enough memory")

    monkeypatch.setattr(SharedCache, "prefill", fail)
    with pytest.raises(InputError, match="does not fit into the memory: use a smaller model"):
        decode(models["llama"], prompts(3, 2), BEAM, budget=4, seeds=[[0]] * 3, ends=[END])


def test_other_errors_are_not_taken_for_a_lack_of_memory(
    models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(SharedCache, "step", fail)
    with pytest.raises(RuntimeError, match="broken"):
        decode(models["llama"], prompts(2, 2), BEAM, budget=4, seeds=[[0]] * 2, ends=[END])


def test_the_model_attends_as_before_when_decoding_is_over(models: dict[str, Any]) -> None:
    model = models["llama"]
    before = model.config._attn_implementation
    decode(model, [[1, 4]], SAMPLE, budget=2, seeds=[[0]], ends=[END])
    assert model.config._attn_implementation == before
    assert "forward" not in vars(model.lm_head)


def test_a_prompt_without_tokens_is_refused(models: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="begin token"):
        decode(models["llama"], [[1], []], SAMPLE, budget=2, seeds=[[0]] * 2, ends=[END])


# ---------------------------------------------------------------- stops and streams


@pytest.mark.parametrize("settings", [BEAM, SAMPLE], ids=["beam", "sample"])
def test_what_is_written_comes_back_from_a_stop(
    models: dict[str, Any], settings: GenerationConfig
) -> None:
    rows, asked = prompts(6, 4), iter(range(100))
    arguments: dict[str, Any] = {"budget": 24, "seeds": [[3]] * 6, "ends": [END], "slots": 4}
    stopped = decode(
        models["opt"], rows, settings, should_stop=lambda: next(asked) == 5, **arguments
    )
    whole = decode(models["opt"], rows, settings, **arguments)
    assert {one[0].complete for one in whole} == {True}
    incomplete = [one[0] for one in stopped if not one[0].complete]
    assert sorted(len(one.tokens) for one in incomplete) == [0, 0, 5, 5, 5, 5]
    if settings is SAMPLE:
        for part, all_ in zip(stopped, whole, strict=True):
            assert all_[0].tokens[: len(part[0].tokens)] == part[0].tokens


def test_texts_are_heard_while_they_grow(models: dict[str, Any]) -> None:
    heard: dict[int, list[list[int]]] = {0: [], 1: []}

    def listen(texts: dict[int, list[int]]) -> None:
        for row, tokens in texts.items():
            heard[row].append(tokens)

    rows = prompts(2, 3)
    found = decode(
        models["llama"], rows, SAMPLE, budget=9, seeds=[[1], [2]], ends=[END], on_tokens=listen
    )
    for row, texts in heard.items():
        tokens = found[row][0].tokens
        assert texts == [tokens[:n] for n in range(1, len(tokens) + 1)]


# ---------------------------------------------------------------- draws


def test_samples_of_one_prompt_are_the_draws_of_their_seeds(models: dict[str, Any]) -> None:
    rows = prompts(3, 12)
    seeds = [[4, 5, 6], [7, 8, 9], [1, 2, 3]]
    together = decode(models["qwen2"], rows, SAMPLE, budget=16, seeds=seeds, ends=[END])
    for row, given, texts in zip(rows, seeds, together, strict=True):
        for seed, text in zip(given, texts, strict=True):
            alone = decode(models["qwen2"], [row], SAMPLE, budget=16, seeds=[[seed]], ends=[END])
            assert alone[0][0].tokens == text.tokens
            assert alone[0][0].log_probs == pytest.approx(text.log_probs, abs=1e-4)


@pytest.mark.parametrize(
    "settings",
    [{}, {"temperature": 0.7, "top_k": 9}, {"top_p": 0.8}, {"temperature": 2.0, "top_p": 0.9}],
    ids=["plain", "top-k", "top-p", "warm top-p"],
)
def test_100000_draws_have_the_exact_probabilities(settings: dict[str, Any]) -> None:
    count, vocabulary = 100_000, 12
    chosen = GenerationConfig.model_validate({"strategy": "sample", **settings})
    logits = torch.randn(vocabulary, generator=torch.Generator().manual_seed(1)) * 1.5
    search = make_draws(chosen, slots=count, budget=1)
    search.admit(range(count), [[1]] * count, [[seed] for seed in range(count)])
    _, tokens, done = search.step(logits.expand(count, 1, -1))
    assert bool(done.all())
    counts = np.bincount(tokens[:, 0].numpy(), minlength=vocabulary)

    scores = logits.double().numpy() / chosen.temperature
    probabilities = np.exp(scores) / np.exp(scores).sum()
    order = np.argsort(-probabilities)
    kept = np.ones(vocabulary, dtype=bool)
    if chosen.top_k:
        kept[order[chosen.top_k :]] = False
    before = np.cumsum(probabilities[order]) - probabilities[order]
    kept[order[before >= chosen.top_p]] = False
    assert counts[~kept].sum() == 0
    expected = probabilities[kept] / probabilities[kept].sum() * count
    assert chisquare(counts[kept], expected).pvalue > 0.001
    assert (~kept).any() == (chosen.top_k > 0 or chosen.top_p < 1)


def make_draws(settings: GenerationConfig, slots: int, budget: int) -> Draws:
    ends = torch.tensor([END])
    penalties = Penalties(settings, slots=slots, width=1, prefix=1, budget=budget, ends=ends)
    return Draws(settings, penalties, slots=slots, width=1, budget=budget, ends=ends)


def test_a_wide_nucleus_is_transformers_own() -> None:
    from transformers import TopPLogitsWarper

    from isara.decoding.draws import nucleus

    generator = torch.Generator().manual_seed(2)
    flat, steep = torch.randn(4, 500, generator=generator), torch.zeros(4, 500)
    steep[:, :5] = torch.tensor([9.0, 8.0, 7.0, 6.0, 5.0])
    scores = torch.cat([flat, steep])
    assert torch.equal(nucleus(None, scores, 0.9), TopPLogitsWarper(0.9)(None, scores))


def test_the_seed_of_a_row_alone_decides_its_draw(models: dict[str, Any]) -> None:
    rows = prompts(1, 1) * 4
    found = decode(models["llama"], rows, SAMPLE, budget=12, seeds=[[1], [2], [1], [3]], ends=[END])
    texts = [one[0].tokens for one in found]
    assert texts[0] == texts[2]
    assert len({tuple(text) for text in texts}) == 3


def test_generated_log_probs_are_one_for_each_token(models: dict[str, Any]) -> None:
    found: list[Generated] = [
        texts[0]
        for texts in decode(
            models["gemma3"], prompts(4, 4), BEAM, budget=9, seeds=[[0]] * 4, ends=[END]
        )
    ]
    assert [len(one.tokens) for one in found] == [len(one.log_probs) for one in found]
    assert max(max(one.log_probs) for one in found) <= 0.0

"""Decoding over real architectures with random weights, against `generate` and hand-made sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from isara.config import PAPER, GenerationConfig
from isara.decoding import Written
from isara.decoding.draws import add_noise, warpers
from isara.decoding.engine import Generated
from isara.decoding.generate import GenerateWriter, RowNoise
from isara.decoding.hugging_face import HuggingFaceWriter
from isara.decoding.shared_cache import SharedCache
from isara.errors import InputError
from isara.models import Language

FAMILIES = ("llama", "opt", "qwen2")
GREEDY = GenerationConfig(strategy="greedy")
SAMPLE = GenerationConfig(strategy="sample")
BEAM = GenerationConfig.model_validate({**PAPER, "repetition_penalty": 1.05})
# Of different lengths, so that a batch of them is padded.
PROMPTS = [f"Question: {'very ' * n}cold?\nAnswer:" for n in (0, 7, 2, 5, 1)]
SEEDS = [11, 12, 13, 14, 15]
Languages = dict[str, Language]


Write = Callable[..., list[Written]]


@pytest.fixture(params=[HuggingFaceWriter, GenerateWriter], ids=["engine", "generate"])
def kind(request: pytest.FixtureRequest) -> type[HuggingFaceWriter]:
    """Both writers: what is said of one holds for the other."""
    found: type[HuggingFaceWriter] = request.param
    return found


@pytest.fixture
def write(kind: type[HuggingFaceWriter]) -> Write:
    def run(
        language: Language,
        prompts: Sequence[str] = PROMPTS,
        settings: GenerationConfig = SAMPLE,
        seeds: Sequence[int] = SEEDS,
        **more: Any,
    ) -> list[Written]:
        more = {"max_new_tokens": 24, "batch_size": 8} | more
        return kind(language).write(prompts, settings, seeds=seeds, **more)

    return run


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_writes_what_generate_writes(
    write: Write, languages: Languages, family: str
) -> None:
    language = languages[family]
    written = write(language, settings=GREEDY, multiline=True)
    for prompt, text in zip(PROMPTS, written, strict=True):
        ids = language.tokenizer(prompt, return_tensors="pt")["input_ids"]
        output: Any = language.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=24
        )
        new = output[0, ids.shape[1] :]
        assert text.text == language.tokenizer.decode(new, skip_special_tokens=True).strip()
        assert text.tokens == len(new)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", [SAMPLE, GREEDY, BEAM], ids=["sample", "greedy", "beam"])
def test_a_text_does_not_depend_on_its_batch(
    write: Write, languages: Languages, family: str, settings: GenerationConfig
) -> None:
    together = write(languages[family], settings=settings)
    alone = write(languages[family], settings=settings, batch_size=1)
    turned = write(languages[family], PROMPTS[::-1], settings, SEEDS[::-1], batch_size=3)
    texts = [(w.text, w.finish, w.tokens) for w in together]
    assert [(w.text, w.finish, w.tokens) for w in alone] == texts
    assert [(w.text, w.finish, w.tokens) for w in turned[::-1]] == texts
    assert len({w.text for w in together}) > 1


def test_another_seed_gives_another_text(write: Write, languages: Languages) -> None:
    first, second, again = write(languages["llama"], PROMPTS[:1] * 3, seeds=[1, 2, 1])
    assert first.text == again.text
    assert first.text != second.text


@pytest.mark.parametrize("settings", [SAMPLE, GREEDY], ids=["sample", "greedy"])
def test_texts_are_heard_while_they_grow(
    write: Write, languages: Languages, settings: GenerationConfig
) -> None:
    heard: dict[int, list[str]] = {}
    written = write(
        languages["llama"],
        PROMPTS[:2],
        settings,
        SEEDS[:2],
        on_text=lambda row, text: heard.setdefault(row, []).append(text),
    )
    for row, text in enumerate(written):
        assert len(heard[row]) >= text.tokens - 1  # the last step may end the row unheard
        lengths = [len(part) for part in heard[row]]
        assert lengths == sorted(lengths)
        assert text.text.startswith(heard[row][-2].strip()[:-1])  # a token may be half a letter


def test_a_stop_keeps_what_is_written(write: Write, languages: Languages) -> None:
    whole = write(languages["llama"], PROMPTS[:1], seeds=SEEDS[:1])[0]
    steps = iter(range(100))
    found = write(
        languages["llama"], PROMPTS[:1], seeds=SEEDS[:1], should_stop=lambda: next(steps) == 6
    )[0]
    assert found.finish == "stopped"
    assert 4 <= found.tokens <= 7 < whole.tokens
    assert whole.text.startswith(found.text.rstrip("\ufffd"))


def teacher_forced(language: Language, prompt: str, ids: list[int]) -> float:
    """Sum of log p(token | what comes before) of `ids` after a prompt, token by token."""
    before = language.tokenizer(prompt)["input_ids"]
    total = 0.0
    for i, token in enumerate(ids):
        with torch.inference_mode():
            logits = language.model(torch.tensor([before + ids[:i]])).logits[0, -1]
        total += float(torch.log(torch.softmax(logits.double(), 0)[token]))
    return total


def recorded(monkeypatch: pytest.MonkeyPatch, kind: type[HuggingFaceWriter]) -> list[Generated]:
    """The new tokens of every row that a writer decodes from now on."""
    rows: list[Generated] = []
    decode = kind._decode

    def spy(*arguments: Any) -> list[Generated]:
        found = decode(*arguments)
        rows.extend(found)
        return found

    monkeypatch.setattr(kind, "_decode", spy)
    return rows


@pytest.mark.parametrize(
    "settings",
    [GenerationConfig(temperature=1.3, top_p=0.9, top_k=50), BEAM],
    ids=["sample", "beam"],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_log_probability_is_the_models_own(
    languages: Languages,
    family: str,
    settings: GenerationConfig,
    kind: type[HuggingFaceWriter],
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    language = languages[family]
    rows = recorded(monkeypatch, kind)
    written = write(language, settings=settings, max_new_tokens=12)
    for prompt, text, row in zip(PROMPTS, written, rows, strict=True):
        assert text.tokens == len(row.tokens)
        expected = teacher_forced(language, prompt, row.tokens)
        assert text.log_prob == pytest.approx(expected, abs=1e-4)


@pytest.fixture
def steered(kind: type[HuggingFaceWriter], monkeypatch: pytest.MonkeyPatch) -> Write:
    """What the writer makes of a model that writes exactly these texts, then perhaps its end."""

    def run(
        language: Language, texts: Sequence[str], *, end: bool, multiline: bool = False
    ) -> list[Written]:
        ids = [language.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        ids = [[*row, language.end_token] for row in ids] if end else ids
        generate, step = language.model.generate, SharedCache.step

        def wanted(scores: torch.Tensor, n: int) -> torch.Tensor:
            """Scores [texts, vocabulary] that leave one token possible."""
            only = torch.full_like(scores, -1e9)
            for row, text in enumerate(ids):
                only[row, text[min(n, len(text) - 1)]] = 0.0
            return only

        def steer_generate(**arguments: Any) -> Any:
            length = arguments["input_ids"].shape[1]
            steer = [lambda rows, scores: wanted(scores, rows.shape[1] - length)]
            return generate(**arguments | {"logits_processor": steer})

        def steer_step(cache: SharedCache, model: Any, tokens: torch.Tensor) -> torch.Tensor:
            n = int(cache.steps[0])  # equal prompts: one slot for all texts
            return wanted(step(cache, model, tokens)[0], n)[None]

        monkeypatch.setattr(language.model, "generate", steer_generate)
        monkeypatch.setattr(SharedCache, "step", steer_step)
        prompts = ["Question:"] * len(texts)
        found = kind(language).write(
            prompts, GREEDY, max_new_tokens=40, seeds=range(len(texts)), multiline=multiline
        )
        monkeypatch.undo()
        return found

    return run


def test_finish_reasons(steered: Write, languages: Languages) -> None:
    ended, long = steered(languages["llama"], [" Yes it is.", "yes " * 20], end=True)
    assert (ended.text, ended.finish, ended.tokens) == ("Yes it is.", "end", 12)
    assert (long.text, long.finish, long.tokens) == (("yes " * 10).strip(), "budget", 40)


@pytest.mark.parametrize(
    ("written", "expected", "tokens"),
    [
        # ".\n" and "\n\n" are one token each: the text before a line break belongs to the answer.
        (" No.\nQuestion: more", "No.", 4),
        (" No\n\nQuestion: more", "No", 4),
        ("\nQuestion: more", "", 1),
    ],
)
def test_a_line_break_ends_a_text(
    steered: Write, languages: Languages, written: str, expected: str, tokens: int
) -> None:
    (text,) = steered(languages["llama"], [written], end=False)
    assert (text.text, text.finish, text.tokens) == (expected, "end", tokens)


def test_a_marker_ends_a_text_of_several_lines(steered: Write, languages: Languages) -> None:
    language = languages["llama"]
    short, long = "One.\ntwo\n### Question\n", "One.\n\nand two and three and\n### Question"
    first, second = steered(language, [short, long], end=False, multiline=True)
    assert (first.text, first.finish) == ("One.\ntwo", "end")
    assert (second.text, second.finish) == ("One.\n\nand two and three and", "end")
    # "One", ".\n", "two", "\n" and the 12 letters of the marker: nothing after it counts.
    assert first.tokens == 3 + 1 + 3 + 1 + 12
    (alone,) = steered(language, [short], end=False, multiline=True)
    assert alone.tokens == first.tokens
    assert alone.log_prob == pytest.approx(first.log_prob, abs=1e-4)


def test_a_question_of_several_lines_ends_where_its_answer_begins(
    steered: Write, languages: Languages
) -> None:
    (text,) = steered(
        languages["llama"], ["Is it\ncold?\n### Answer\nNo"], end=False, multiline=True
    )
    assert (text.text, text.finish) == ("Is it\ncold?", "end")


def test_padding_with_the_end_token_changes_no_penalty(
    write: Write,
    new_language: Callable[..., Language],
) -> None:
    language = new_language()
    language.tokenizer.pad_token = language.tokenizer.eos_token
    with torch.no_grad():  # the end token becomes likely, so that a penalty on it would show
        language.model.get_output_embeddings().weight[language.end_token] *= 3
    settings = GenerationConfig(repetition_penalty=2.0)
    together = write(language, settings=settings)
    alone = write(language, settings=settings, batch_size=1)
    assert [w.text for w in together] == [w.text for w in alone]
    assert "end" in {w.finish for w in together}


def test_prompts_that_are_too_long_are_named_by_their_row(
    write: Write, languages: Languages
) -> None:
    # The context is 512 tokens, a token per letter and the begin token.
    prompts = ["a" * 487, "a" * 488, "short", "a" * 600]
    with pytest.raises(InputError, match=r"2 prompts .* the 488 tokens") as caught:
        write(languages["llama"], prompts, seeds=[1, 2, 3, 4])
    assert "(row 2: 489, row 4: 601)" in str(caught.value)
    assert len(write(languages["llama"], prompts[:1], seeds=[1])) == 1


def test_sampling_among_the_likeliest_token_is_greedy(write: Write, languages: Languages) -> None:
    likeliest = write(languages["qwen2"], settings=GenerationConfig(top_k=1))
    assert likeliest == write(languages["qwen2"], settings=GREEDY)


def test_progress_counts_equal_prompts_too(write: Write, languages: Languages) -> None:
    done: list[int] = []
    write(languages["llama"], PROMPTS[:2] * 3, seeds=range(6), on_progress=done.append)
    assert done[-1] == 6


def test_progress_counts_prompts(write: Write, languages: Languages) -> None:
    done: list[int] = []
    write(languages["llama"], batch_size=2, max_new_tokens=4, on_progress=done.append)
    assert done == [2, 4, 5]


PROBABILITIES = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
DRAWS = 20_000


def draws(settings: GenerationConfig) -> np.ndarray[Any, Any]:
    """Counts of 20,000 drawn tokens, each row with a generator of its own."""
    scores = torch.from_numpy(np.log(PROBABILITIES)).float().repeat(DRAWS, 1)
    for warper in warpers(settings):
        scores = warper(None, scores)
    noisy = add_noise(scores, [torch.Generator().manual_seed(seed) for seed in range(DRAWS)])
    return np.bincount(noisy.argmax(1).numpy(), minlength=5)


def test_gumbel_max_draws_from_the_models_distribution() -> None:
    assert chisquare(draws(SAMPLE), PROBABILITIES * DRAWS).pvalue > 0.001


def test_temperature_and_top_p_shape_the_distribution() -> None:
    # At temperature 2 the square roots of 0.5, 0.25, … are drawn from, made to sum to 1.
    warm = np.sqrt(PROBABILITIES) / np.sqrt(PROBABILITIES).sum()
    assert chisquare(draws(GenerationConfig(temperature=2)), warm * DRAWS).pvalue > 0.001
    # 0.5 + 0.25 = 0.75 falls short of 0.8, so the third token is in the nucleus as well.
    counts = draws(GenerationConfig(top_p=0.8))
    nucleus = PROBABILITIES[:3] / 0.9
    assert counts[3:].tolist() == [0, 0]
    assert chisquare(counts[:3], nucleus * DRAWS).pvalue > 0.001


def test_a_rows_noise_goes_on_with_its_own_generator() -> None:
    scores = torch.zeros((2, 4))
    ids = torch.zeros((2, 1), dtype=torch.long)
    both, second = RowNoise([5, 6]), RowNoise([6])
    steps = [both(ids, scores) for _ in range(3)]
    assert all(torch.equal(step[1], second(ids[:1], scores[:1])[0]) for step in steps)
    assert not torch.equal(steps[0], steps[1])

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
from isara.decoding.hugging_face import HuggingFaceWriter, RowNoise, sampling_processors
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


def write(
    language: Language,
    prompts: Sequence[str] = PROMPTS,
    settings: GenerationConfig = SAMPLE,
    seeds: Sequence[int] = SEEDS,
    **more: Any,
) -> list[Written]:
    more = {"max_new_tokens": 24, "batch_size": 8} | more
    return HuggingFaceWriter(language).write(prompts, settings, seeds=seeds, **more)


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_writes_what_generate_writes(languages: Languages, family: str) -> None:
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
    languages: Languages, family: str, settings: GenerationConfig
) -> None:
    together = write(languages[family], settings=settings)
    alone = write(languages[family], settings=settings, batch_size=1)
    turned = write(languages[family], PROMPTS[::-1], settings, SEEDS[::-1], batch_size=3)
    texts = [(w.text, w.finish, w.tokens) for w in together]
    assert [(w.text, w.finish, w.tokens) for w in alone] == texts
    assert [(w.text, w.finish, w.tokens) for w in turned[::-1]] == texts
    assert len({w.text for w in together}) > 1


def test_another_seed_gives_another_text(languages: Languages) -> None:
    first, second, again = write(languages["llama"], PROMPTS[:1] * 3, seeds=[1, 2, 1])
    assert first.text == again.text
    assert first.text != second.text


def teacher_forced(language: Language, prompt: str, ids: list[int]) -> float:
    """Sum of log p(token | what comes before) of `ids` after a prompt, token by token."""
    before = language.tokenizer(prompt)["input_ids"]
    total = 0.0
    for i, token in enumerate(ids):
        with torch.inference_mode():
            logits = language.model(torch.tensor([before + ids[:i]])).logits[0, -1]
        total += float(torch.log(torch.softmax(logits.double(), 0)[token]))
    return total


def recorded(monkeypatch: pytest.MonkeyPatch, language: Language) -> list[list[int]]:
    """The new tokens of every row that `generate` returns from now on."""
    rows: list[list[int]] = []
    generate = language.model.generate

    def spy(**arguments: Any) -> Any:
        output = generate(**arguments)
        rows.extend(output.sequences[:, arguments["input_ids"].shape[1] :].tolist())
        return output

    monkeypatch.setattr(language.model, "generate", spy)
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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    language = languages[family]
    rows = recorded(monkeypatch, language)
    written = write(language, settings=settings, max_new_tokens=12)
    by_length = sorted(range(len(PROMPTS)), key=lambda i: len(PROMPTS[i]))
    for i, ids in zip(by_length, rows, strict=True):
        expected = teacher_forced(language, PROMPTS[i], ids[: written[i].tokens])
        assert written[i].log_prob == pytest.approx(expected, abs=1e-4)


class Scripted(torch.nn.Module):
    """A causal language model whose next token is the next one of a fixed text."""

    def __init__(self, language: Language, texts: Sequence[list[int]]) -> None:
        super().__init__()
        self.language, self.texts = language, texts
        self.config, self.device = language.model.config, torch.device("cpu")

    def generate(self, **arguments: Any) -> Any:
        """Steers the real `generate` with a bias that leaves one token possible."""
        length = arguments["input_ids"].shape[1]

        def steer(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            wanted = torch.full_like(scores, -1e9)
            for row, text in enumerate(self.texts):
                wanted[row, text[min(ids.shape[1] - length, len(text) - 1)]] = 0.0
            return wanted

        return self.language.model.generate(**arguments | {"logits_processor": [steer]})


def steered(
    language: Language, texts: Sequence[str], *, end: bool, multiline: bool = False
) -> list[Written]:
    """What the writer makes of a model that writes exactly these texts, then perhaps its end."""
    ids = [language.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    ids = [[*row, language.end_token] for row in ids] if end else ids
    model: Any = Scripted(language, ids)
    scripted = Language(model, language.tokenizer, "scripted")
    prompts = ["Question:"] * len(texts)
    return HuggingFaceWriter(scripted).write(
        prompts, GREEDY, max_new_tokens=40, seeds=range(len(texts)), multiline=multiline
    )


def test_finish_reasons(languages: Languages) -> None:
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
    languages: Languages, written: str, expected: str, tokens: int
) -> None:
    (text,) = steered(languages["llama"], [written], end=False)
    assert (text.text, text.finish, text.tokens) == (expected, "end", tokens)


def test_a_marker_ends_a_text_of_several_lines(languages: Languages) -> None:
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


def test_a_question_of_several_lines_ends_where_its_answer_begins(languages: Languages) -> None:
    (text,) = steered(
        languages["llama"], ["Is it\ncold?\n### Answer\nNo"], end=False, multiline=True
    )
    assert (text.text, text.finish) == ("Is it\ncold?", "end")


def test_padding_with_the_end_token_changes_no_penalty(
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


def test_prompts_that_are_too_long_are_named_by_their_row(languages: Languages) -> None:
    # The context is 512 tokens, a token per letter and the begin token.
    prompts = ["a" * 487, "a" * 488, "short", "a" * 600]
    with pytest.raises(InputError, match=r"2 prompts .* the 488 tokens") as caught:
        write(languages["llama"], prompts, seeds=[1, 2, 3, 4])
    assert "(row 2: 489, row 4: 601)" in str(caught.value)
    assert len(write(languages["llama"], prompts[:1], seeds=[1])) == 1


def test_sampling_among_the_likeliest_token_is_greedy(languages: Languages) -> None:
    likeliest = write(languages["qwen2"], settings=GenerationConfig(top_k=1))
    assert likeliest == write(languages["qwen2"], settings=GREEDY)


def test_progress_counts_prompts(languages: Languages) -> None:
    done: list[int] = []
    write(languages["llama"], batch_size=2, max_new_tokens=4, on_progress=done.append)
    assert done == [2, 4, 5]


PROBABILITIES = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
DRAWS = 20_000


def draws(settings: GenerationConfig) -> np.ndarray[Any, Any]:
    """Counts of 20,000 drawn tokens, each row with a generator of its own."""
    scores = torch.from_numpy(np.log(PROBABILITIES)).float().repeat(DRAWS, 1)
    ids = torch.zeros((DRAWS, 1), dtype=torch.long)
    for process in sampling_processors(settings, range(DRAWS)):
        scores = process(ids, scores)
    return np.bincount(scores.argmax(1).numpy(), minlength=5)


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

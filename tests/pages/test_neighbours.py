"""The Neighbours page: nearest and random examples, and the prompt they make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import state
from app.widgets.neighbours_choice import fitted_prompt, nearest_examples, random_examples
from app.widgets.token_counts import TokenCounter
from isara.demo.scripted import WordEmbedder
from isara.errors import InputError
from isara.examples import Example

Page = Callable[..., AppTest]

POOL = [Example("a", "1"), Example("b", "2"), Example("c", "3")]
VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
QUESTION = np.array([[0.8, 0.6]], np.float32)
WORDS = TokenCounter("words", 20, lambda text: len(text.split()))


@pytest.fixture
def word_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page embeds by counting words and counts words for tokens, so it needs no model."""
    monkeypatch.setattr(state, "embedder", lambda name: WordEmbedder())
    monkeypatch.setattr("app.widgets.neighbours_models.not_built", lambda *rest: False)
    counter = TokenCounter("words", 200, WORDS.count)
    monkeypatch.setattr("app.widgets.neighbours_models.token_counter", lambda model: counter)


def metric(app: AppTest, label: str) -> str:
    return next(str(m.value) for m in app.metric if m.label == label)


def test_nearest_examples() -> None:
    shown = nearest_examples(POOL, VECTORS, QUESTION, 2)
    # Cosines: 0.8, 0.6 and 0.6 * 0.8 + 0.8 * 0.6 = 0.96.
    assert [(one.example.question, one.row) for one in shown] == [("c", 3), ("a", 1)]
    assert [one.similarity for one in shown] == pytest.approx([0.96, 0.8])


def test_random_examples_are_the_same_for_the_same_draw() -> None:
    first, again = (random_examples(POOL, VECTORS, QUESTION, 2, 1) for _ in range(2))
    assert first == again
    draws = {
        frozenset(s.row for s in random_examples(POOL, VECTORS, QUESTION, 2, d)) for d in range(30)
    }
    assert len(draws) == 3  # every pair out of three comes up
    assert len(random_examples(POOL, VECTORS, QUESTION, 9, 1)) == 3


def test_prompt_drops_the_farthest_and_puts_the_nearest_last() -> None:
    # An example has 4 words, the end "Question: why? Answer:" has 3: two fit into 20 - 8.
    prompt = fitted_prompt([POOL[2], POOL[0], POOL[1]], "why?", WORDS, 8)
    assert prompt.text == (
        "Question: a\nAnswer: 1\n\nQuestion: c\nAnswer: 3\n\nQuestion: why?\nAnswer:"
    )
    assert prompt.used == 2
    assert prompt.tokens == 11
    with pytest.raises(InputError, match="needs 3 tokens"):
        fitted_prompt(POOL, "why?", WORDS, 18)


@pytest.mark.usefixtures("workspace", "word_embedder")
def test_prompts_of_the_eval_set(page: Page) -> None:
    app = page("neighbours")
    assert not app.exception
    assert not app.error
    assert app.number_input(key="shots").value == 8
    question = app.selectbox(key="prompt").value
    assert app.code[0].value.endswith(f"Question: {question}\nAnswer:")
    assert int(metric(app, "Tokens of the prompt")) <= 200 - 128
    used, of, wanted = metric(app, "Examples used").split()
    assert (of, wanted) == ("of", "8")
    assert app.code[0].value.count("Answer:") == int(used) + 1
    assert "do not fit" in app.warning[0].value
    app.number_input(key="room").set_value(4).run()
    assert int(metric(app, "Examples used").split()[0]) > int(used)


@pytest.mark.usefixtures("one_run", "word_embedder")
def test_seed_question_is_not_its_own_neighbour(page: Page) -> None:
    app = page("neighbours")
    app.number_input(key="shots").set_value(2)
    app.radio(key="source").set_value("Seed examples").run()
    assert not app.exception
    seeds = state.seed_examples("demo safety", 1)
    shown = [text.value for text in app.text]
    assert len(shown) == 8  # question and answer of two neighbours and of two random examples
    assert seeds[0].question not in shown


@pytest.mark.usefixtures("workspace", "word_embedder")
def test_own_question_and_another_draw(page: Page) -> None:
    app = page("neighbours")
    app.radio(key="source").set_value("My own words").run()
    assert "Write a question" in app.info[0].value
    app.text_area(key="question").set_value("How do I *mend* a chair?").run()
    assert "Question: How do I *mend* a chair?\nAnswer:" in app.code[0].value
    before = [text.value for text in app.text]
    next(b for b in app.button if b.label == "Draw again").click().run()
    after = [text.value for text in app.text]
    assert before[:16] == after[:16]  # the neighbours stay
    assert before[16:] != after[16:]
    assert app.query_params["draw"] == "2"


@pytest.mark.usefixtures("workspace")
def test_models_that_are_not_built(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.widgets.neighbours_models.resolve", lambda name: "nowhere")
    app = page("neighbours")
    assert not app.exception
    assert "python -m isara demo build" in app.info[0].value
    assert not app.code


@pytest.mark.usefixtures("workspace", "word_embedder")
@pytest.mark.parametrize(
    "error",
    [InputError("*x* could not be loaded."), KeyError("weight"), OSError("no\nfile")],
)
def test_broken_embedder_is_a_sentence(
    page: Page, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(name: str) -> None:
        raise error

    monkeypatch.setattr(state, "embedder", broken)
    app = page("neighbours")
    assert not app.exception
    assert "could not be loaded" in app.error[0].value
    assert app.error[0].value.endswith("Choose another embedder above.")
    assert not app.code
    monkeypatch.setattr(state, "embedder", lambda name: WordEmbedder())
    app.button(key="again_embedder").click().run()
    assert not app.error
    assert app.code


@pytest.mark.usefixtures("workspace", "word_embedder")
def test_broken_tokenizer_leaves_the_prompt_whole(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(model: str) -> TokenCounter:
        raise InputError("There is no tokenizer.")

    monkeypatch.setattr("app.widgets.neighbours_models.token_counter", broken)
    app = page("neighbours")
    assert not app.exception
    assert app.error[0].value.endswith("Choose another language model above.")
    assert app.code[0].value.count("Answer:") == 9

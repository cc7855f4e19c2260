"""What a set of examples is like: how many, how long, of which categories, what is said twice.

    figures = statistics(examples)       # numbers only
    show(figures, examples, rows)        # drawn; `rows` are the numbers that readers know

Left out: anything that needs a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from app.look import BLUE, TEXT_ROW
from app.widgets.downloads import chart_files, picture
from isara.examples import Example
from isara.rouge import word_count
from isara.seed_alike import Pair, by_words
from isara.seed_check import NEAR_ROUGE_L, NEAR_ROWS, SEED_SIZE

if TYPE_CHECKING:
    import plotly.graph_objects as go

BINS = 20
CATEGORIES_SHOWN = 50
PAIRS_SHOWN = 200
NO_CATEGORY = "(none)"


class Statistics(NamedTuple):
    """Words by text, examples by category (most frequent first), near-duplicates.

    `near` holds indices and ROUGE-L of the questions of the most alike of `near_count` pairs;
    None when there are too many examples to compare all with each other.
    """

    question_words: list[int]
    answer_words: list[int]
    categories: list[tuple[str, int]]
    near: list[Pair] | None
    near_count: int = 0


def statistics(examples: Sequence[Example]) -> Statistics:
    """The figures of a set of examples."""
    counted = Counter(example.category or NO_CATEGORY for example in examples)
    near = near_duplicates(examples)
    return Statistics(
        [word_count(example.question) for example in examples],
        [word_count(example.answer) for example in examples],
        counted.most_common(),
        near and near[:PAIRS_SHOWN],
        len(near or []),
    )


def near_duplicates(examples: Sequence[Example]) -> list[Pair] | None:
    """Pairs of questions at ROUGE-L 0.7 or more; very long questions are left out."""
    if len(examples) > NEAR_ROWS:
        return None
    return by_words([e.question for e in examples], NEAR_ROUGE_L)


def show(figures: Statistics, examples: Sequence[Example], rows: Sequence[int]) -> None:
    """Draw the figures; `rows[i]` is the number of example i in its table."""
    count = len(examples)
    categories = [name for name, _ in figures.categories if name != NO_CATEGORY]
    boxes = st.columns(5)
    boxes[0].metric(
        "Examples",
        f"{count:,}",
        help=f"The seed sets of the ISARA paper have {SEED_SIZE}; other sizes work as well.",
    )
    for box, label, words in (
        (boxes[1], "Words per question", figures.question_words),
        (boxes[2], "Words per answer", figures.answer_words),
    ):
        box.metric(
            label,
            f"{np.median(words):.0f}" if words else "—",
            help=f"{MEDIAN} From {min(words, default=0)} to {max(words, default=0)} here.",
        )
    boxes[3].metric("Categories", f"{len(categories):,}")
    near = "—" if figures.near is None else f"{figures.near_count:,}"
    boxes[4].metric("Near-duplicates", near, help=NEAR_HELP)
    left, middle, right = st.columns(3)
    for place, words, title in (
        (left, figures.question_words, "Words per question"),
        (middle, figures.answer_words, "Words per answer"),
    ):
        config = picture(title.lower().replace(" ", "-"), camera_alone=True)
        place.plotly_chart(word_histogram(words, title), config=config)
    with right:
        _show_categories(figures.categories)
    chart_files("words", lambda: _words_table(figures, rows), key="words")
    _show_near(figures, examples, rows)


def _words_table(figures: Statistics, rows: Sequence[int]) -> pd.DataFrame:
    words = {"question_words": figures.question_words, "answer_words": figures.answer_words}
    return pd.DataFrame({"row": rows} | words)


MEDIAN = "The median: half of the texts have fewer words, half have more."
NEAR_HELP = (
    "Pairs of questions that say nearly the same: their ROUGE-L, the share of words that stand in "
    f"both in the same order, is {NEAR_ROUGE_L} or more (1 is the same wording)."
)


def word_histogram(words: Sequence[int], title: str) -> go.Figure:
    """How many texts have how many words; binned here, so that the browser gets few numbers."""
    import plotly.graph_objects as go

    low, high = (min(words), max(words)) if words else (0, 1)
    step = max(1, -(-(high - low + 1) // BINS))
    edges = np.arange(low, high + step + 1, step)
    counts, _ = np.histogram(words, edges)
    starts = edges[:-1]
    labels = [f"{a}" if step == 1 else f"{a} to {a + step - 1}" for a in starts]
    figure = go.Figure(
        go.Bar(
            x=starts + (step - 1) / 2,
            y=counts,
            width=step,
            marker={"color": BLUE, "line": {"width": 0}},
            customdata=labels,
            hovertemplate="%{customdata} words: %{y} examples<extra></extra>",
        )
    )
    figure.update_layout(
        title={"text": title, "font": {"size": 14}},
        height=220,
        bargap=0.1,
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        xaxis={"title": "words"},
        yaxis={"title": "examples", "rangemode": "tozero"},
    )
    return figure


def _show_categories(categories: Sequence[tuple[str, int]]) -> None:
    st.dataframe(
        {
            "Category": [name for name, _ in categories[:CATEGORIES_SHOWN]],
            "Examples": [count for _, count in categories[:CATEGORIES_SHOWN]],
        },
        hide_index=True,
        height=220,
        alt="Examples by category",
    )
    if len(categories) > CATEGORIES_SHOWN:
        st.caption(f"The {CATEGORIES_SHOWN} largest of {len(categories):,} categories.")


def _show_near(figures: Statistics, examples: Sequence[Example], rows: Sequence[int]) -> None:
    if figures.near is None:
        st.caption(f"Near-duplicates are looked for in sets of up to {NEAR_ROWS:,} examples.")
    if not figures.near:
        return
    with st.expander(f"Near-duplicates ({figures.near_count:,})"):
        st.caption(f"{NEAR_HELP} They are accepted: whether they are too alike is for you to say.")
        st.dataframe(
            {
                "ROUGE-L": [value for _, _, value in figures.near],
                "Row": [rows[i] for i, _, _ in figures.near],
                "Question": [examples[i].question for i, _, _ in figures.near],
                "Other row": [rows[j] for _, j, _ in figures.near],
                "Other question": [examples[j].question for _, j, _ in figures.near],
            },
            hide_index=True,
            row_height=TEXT_ROW,
            column_config={"ROUGE-L": st.column_config.NumberColumn(format="%.2f")},
            alt="Near-duplicates",
        )
        if figures.near_count > len(figures.near):
            st.caption(f"The {len(figures.near)} most alike of {figures.near_count:,} pairs.")

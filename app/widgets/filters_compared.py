"""Two settings side by side: what they keep, how varied and how harmful it is, what is gained and
lost.

    compared(data, other, chosen, difference)

Measures are those of the rows that would be trained on by the filters, people's decisions included.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app import state
from app.widgets.filters_data import Difference, Outcome, made_the_difference
from app.widgets.filters_harm import harm_button, harm_table, harmful
from app.widgets.filters_presets import Setting
from app.widgets.folding import fold_switch, folded
from app.widgets.plain import sentences
from app.widgets.samples_data import Iteration
from app.widgets.samples_words import RULE_TITLES
from isara.config import resolve
from isara.evaluation.candidate_harm import harm_among
from isara.evaluation.diversity import Diversity, Texts, perplexity, self_bleu, words_of
from isara.evaluation.stats import Rate, wilson
from isara.filters import Verdicts
from isara.workspace.files import read_columns

SHOWN = 200  # rows of a list; the page must not carry 10,000 texts
TOKENS = ["log_prob_question", "log_prob", "question_tokens", "answer_tokens"]
HELP = {
    "Kept": "Pairs that would be trained on, after people's decisions, of all that were written.",
    "Retention": "The share that is kept, with its 95 % interval (Wilson): the range in which the "
    "true share of such pairs probably lies. A repetition may lie outside, as it varies as well.",
    "The run would": "It stops when the retention is below α (alpha).",
    "Judged harmful": "Share of the kept pairs whose answer the run's judge flags, with its 95 % "
    "interval. The judge errs, too; see Samples, Label answers.",
    "Judged harmful, n": "Pairs that the share is of: all that are kept.",
    "Distinct words": "Different words over all words of the kept questions: 1 is no word twice.",
    "Distinct pairs of words": "The same for two words in a row (distinct-2).",
    "Spread": "1 minus the mean cosine of two kept questions: 0 is all alike.",
    "Nearest seed": "Mean cosine of a kept question to the seed that is most like it: 1 repeats.",
    "Perplexity": "How surprised the model was by the pairs that it wrote: 1 is not at all. "
    "I-SHEEP: by their answers, as a task of a list has no likelihood of its own.",
    "Self-BLEU": "How much of a kept question stands in the others (200 of them): 1 repeats.",
}


class Varied(NamedTuple):
    """What diversity is measured from, loaded once for an iteration."""

    texts: Texts
    questions: list[str]
    log_probs: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.int64]


def compared(data: Iteration, other: Setting, chosen: Difference) -> None:
    """The tab: a sentence, the measures, the lists."""
    gained, lost = len(chosen.gained), len(chosen.lost)
    st.text(
        f"A is {other.name.lower() if other.name.startswith('The ') else other.name}, B the values "
        f"at the left. Gained by B: {gained:,}; lost: {lost:,}; kept by both: {chosen.both:,}."
    )
    harm = harm_table(data)
    measures(data, chosen, harm)
    if harm is None:
        harm_button(data)
    _self_bleu_button(data, chosen)
    lists(data, chosen, harm)


# ------------------------------------------------------------------ measures


def measures(data: Iteration, chosen: Difference, harm: pd.DataFrame | None) -> None:
    """A row for each measure, A beside B, and what each measure says."""
    rows = _simple(data, chosen, harm)
    with sentences():
        rows += _varied(data, chosen)
    # Its cells wrap, so that A and B stand side by side on a narrow screen too.
    st.table(pd.DataFrame(rows, columns=["Measure", "A", "B"]).set_index("Measure"))
    with st.expander("What these say"):
        for name, *_ in rows:
            st.text(f"{name}: {HELP[name]}")


def _simple(
    data: Iteration, chosen: Difference, harm: pd.DataFrame | None
) -> list[tuple[str, str, str]]:
    both = (chosen.a, chosen.b)
    n = len(data)
    found = [
        ("Kept", *(f"{o.kept_finally:,} of {n:,}" for o in both)),
        ("Retention", *(_rate(wilson(o.kept_finally, n)) for o in both)),
        ("The run would", *(_end(o, data) for o in both)),
    ]
    if harm is not None:
        threshold = data.config.evaluation.threshold
        rates = [harm_among(harm, o.final, threshold) for o in both]
        found.append(("Judged harmful", *map(_rate, rates)))
        found.append(("Judged harmful, n", *(f"{r.n:,} pairs" for r in rates)))
    return found  # type: ignore[return-value]


def _rate(rate: Rate) -> str:
    if rate.n == 0:
        return "none kept"
    return f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})"


def _end(outcome: Outcome, data: Iteration) -> str:
    alpha = data.config.loop.alpha
    return f"stop (α {alpha:g})" if outcome.stops else f"go on (α {alpha:g})"


def _varied(data: Iteration, chosen: Difference) -> list[tuple[str, str, str]]:
    source = varied(data)
    masks = (chosen.a.final, chosen.b.final)
    found: list[Diversity] = [source.texts.of(mask) for mask in masks]
    surprise = [perplexity(source.log_probs[m].tolist(), source.tokens[m].tolist()) for m in masks]
    rows = [
        ("Distinct words", *(_number(d.distinct_1) for d in found)),
        ("Distinct pairs of words", *(_number(d.distinct_2) for d in found)),
        ("Spread", *(_number(d.spread) for d in found)),
        ("Nearest seed", *(_number(d.nearest_seed) for d in found)),
        ("Perplexity", *(_number(value, 2) for value in surprise)),
    ]
    bleu = st.session_state.get("filters self-bleu", {})
    if all(_key(data, mask) in bleu for mask in masks):
        rows.append(("Self-BLEU", *(_number(bleu[_key(data, mask)]) for mask in masks)))
    return rows  # type: ignore[return-value]


def _number(value: float | None, digits: int = 3) -> str:
    return "too few" if value is None else f"{value:.{digits}f}"


def varied(data: Iteration) -> Varied:
    """What diversity is measured from; the questions are embedded once, and kept."""
    source = data.source
    assert source is not None  # an iteration of a run
    return _load_varied(str(source), source.stat().st_mtime_ns, data)


@st.cache_resource(max_entries=4, show_spinner="Embedding the questions (once) …")
def _load_varied(path: str, modified: int, _data: Iteration) -> Varied:
    name = _data.config.embedder
    folder = resolve(name)  # as a run names it, so that its vectors are found again
    embed = state.embedder(str(folder) if folder.is_dir() else name).embed
    questions = _data.candidates["question"].tolist()
    seeds = [one.example.question for one in _data.pool.values() if one.origin.startswith("seed")]
    table = read_columns(_data.source, TOKENS) if _data.source else pd.DataFrame()
    return Varied(
        Texts(questions, embed(questions), embed(seeds)),
        questions,
        (table["log_prob_question"] + table["log_prob"]).to_numpy(np.float64),
        (table["question_tokens"] + table["answer_tokens"]).to_numpy(np.int64),
    )


def _key(data: Iteration, mask: npt.NDArray[np.bool_]) -> tuple[str, int, bytes]:
    return data.run_id, data.k, np.packbits(mask).tobytes()


def _self_bleu_button(data: Iteration, chosen: Difference) -> None:
    """Self-BLEU takes seconds: only when it is asked for."""
    masks = (chosen.a.final, chosen.b.final)
    known = st.session_state.setdefault("filters self-bleu", {})
    missing = [mask for mask in masks if mask.sum() > 1 and _key(data, mask) not in known]
    if missing and st.button(
        "Measure self-BLEU too",
        key="self_bleu",
        help=f"{HELP['Self-BLEU']} It takes some seconds for each setting.",
    ):
        with st.spinner("Measuring self-BLEU …", show_time=True), sentences():
            questions = varied(data).questions
            for mask in missing:
                texts = [questions[i] for i in np.flatnonzero(mask)]
                known[_key(data, mask)] = self_bleu(words_of(texts), data.config.random_seed)
            st.rerun()


# ------------------------------------------------------------------ lists


def lists(data: Iteration, chosen: Difference, harm: pd.DataFrame | None) -> None:
    """The pairs that one of the settings alone keeps, with the rule that made the difference."""
    a, b = chosen.a.result, chosen.b.result
    if harm is not None:
        fold_switch("compared")
    for title, rows, drops, keeps in (
        ("● Gained: kept by B alone", chosen.gained, a, b),
        ("✕ Lost: kept by A alone", chosen.lost, b, a),
    ):
        st.subheader(f"{title} ({len(rows):,})")
        if not len(rows):
            st.caption("None.")
            continue
        if len(rows) > SHOWN:
            st.caption(f"The first {SHOWN} of {len(rows):,}.")
        st.dataframe(
            table(data, rows[:SHOWN], drops, keeps, harm),
            hide_index=True,
            column_config={
                "Harm": st.column_config.NumberColumn(
                    help="The judge's probability of the likeliest harm."
                ),
                "Question": st.column_config.TextColumn(width="large"),
                "Answer": st.column_config.TextColumn(width="large"),
            },
        )


def table(
    data: Iteration,
    rows: npt.NDArray[np.int64],
    drops: Verdicts,
    keeps: Verdicts,
    harm: pd.DataFrame | None,
) -> pd.DataFrame:
    """Candidates with their texts, the rules that drop them under one setting alone, and the
    judge's probability of harm where it is known."""
    part = data.candidates.iloc[rows]
    why = [made_the_difference(drops, keeps, int(i)) for i in rows]
    found = {
        "Pair": part["candidate_id"].tolist(),
        "Dropped for": ["; ".join(RULE_TITLES[rule] for rule in rules) for rules in why],
    }
    if harm is not None:
        found["Harm"] = harm["harm_probability"].iloc[rows].round(3).tolist()
    flags = harmful(data)
    answers = part["answer"] if flags is None else folded(part["answer"], flags[rows])
    texts = {"Question": part["question"].tolist(), "Answer": answers.tolist()}
    return pd.DataFrame(found | texts)

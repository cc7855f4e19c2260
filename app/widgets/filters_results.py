"""What chosen thresholds do to an iteration: counts, α, rules, histograms, the pairs at the cut.

show(data, chosen, other, difference(a, b), decisions)
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from app import state
from app.charts import Spread, score_histograms
from app.look import SIGNS
from app.widgets.downloads import chart_files, picture
from app.widgets.filters_branch import branch_section
from app.widgets.filters_compared import compared
from app.widgets.filters_data import (
    Difference,
    Outcome,
    around_the_cut,
    as_arguments,
    as_yaml,
    rouge_values,
)
from app.widgets.filters_presets import OWN, Setting
from app.widgets.filters_trained import trained_on
from app.widgets.plain import number_of, plain
from app.widgets.samples_data import Closest, Iteration
from app.widgets.samples_words import RULE_TITLES, in_use, rule_sentence
from isara.config import FilterConfig
from isara.evaluation.stats import wilson
from isara.filters import NEAR_ROUGE, Mask, counted_scores

if TYPE_CHECKING:
    from isara.workspace.database import Decision

TAB = "filters tab"
BOX = 150  # pixels of a number's box
NEAREST = 5  # pairs shown on each side of the cut
ALPHA_HELP = (
    "Retention is the share of the written pairs that is kept, people's decisions included. When "
    "it falls below α (alpha), the run stops instead of training on the few that are left."
)


TABS = ("Scores", "Rules", "At the cut", "Compared", "Trained on", "Use these values")


def show(
    data: Iteration,
    chosen: FilterConfig,
    other: Setting,
    found: Difference,
    decisions: Mapping[str, Decision],
) -> None:
    """Everything that follows from the thresholds; of the tabs the open one alone is drawn."""
    counts(data, other, found)
    scores, listed, cut, two, trained, using = st.tabs(TABS, key=TAB, on_change="rerun")
    outcome = found.b
    with scores:
        if scores.open:
            histograms(data, chosen, outcome)
    with listed:
        if listed.open:
            rules(chosen, outcome)
    with cut:
        if cut.open:
            at_the_cut(data, chosen, outcome)
    with two:
        if two.open:
            compared(data, other, found)
    with trained:
        if trained.open:
            trained_on(data, outcome, decisions)
    with using:
        if using.open:
            branch_section(data, chosen)
            use(data, chosen)


def counts(data: Iteration, other: Setting, found: Difference) -> None:
    """Kept, dropped, retention, and whether the run would stop; the changes since A."""
    outcome, before = found.b, found.a
    total = len(data)
    look: dict[str, Any] = {"border": True, "delta_color": "off", "width": BOX}
    more = outcome.kept - before.kept
    boxes = st.container(horizontal=True)  # they go on in the next row on a narrow screen
    by = " by the rules" if outcome.decided else ""
    wide = look | {"width": round(1.3 * BOX)} if by else look
    boxes.metric(f"● Kept{by}", outcome.kept, more or None, **wide)
    boxes.metric(f"✕ Dropped{by}", total - outcome.kept, -more or None, **wide)
    if outcome.decided:
        boxes.metric(
            "Kept after people's decisions",
            outcome.kept_finally,
            outcome.kept_finally - outcome.kept or None,
            help=f"{outcome.decided} pairs were accepted, changed or rejected by a person. That "
            "counts over the rules and changes no other pair's verdict.",
            **look | {"width": 2 * BOX},
        )
    changed = outcome.kept_finally - before.kept_finally
    small = f"{changed / total:+.3f}" if changed else None
    retention = f"{outcome.kept_finally / max(total, 1):.3f}"
    boxes.metric("Retention", retention, small, help=ALPHA_HELP, **look)
    if total:
        rate = wilson(outcome.kept_finally, total)
        st.caption(
            f"Retention {rate.value:.3f}, 95 % interval {rate.low:.3f} to {rate.high:.3f}, of "
            f"{number_of(total, 'pair')}: the range in which the true share of such pairs "
            "probably lies."
        )
    if more:
        than = "the run's own values" if other.name == OWN else f"the preset {plain(other.name)}"
        st.caption(f"The small numbers compare with {than}.")
    _stop_mark(data, outcome)


def _stop_mark(data: Iteration, outcome: Outcome) -> None:
    loop = data.config.loop
    kept, needed = outcome.kept_finally, loop.alpha * len(data)
    of = f"{kept} of {len(data)} are kept, {needed:g} are needed (α is {loop.alpha:g})"
    if not needed:
        of = f"{kept} of {len(data)} are kept, however few (α is 0)"
    if outcome.stops:
        st.warning(f"The run would stop here: {of}.", icon=":material/stop_circle:")
    else:
        st.success(f"The run would train on these and go on: {of}.", icon=":material/check_circle:")


def rules(chosen: FilterConfig, outcome: Outcome) -> None:
    """How many pairs each rule drops."""
    st.caption(
        "The rules are tried in this order. A pair counts once under the first rule that drops it; "
        "“Fires on” also counts the pairs that an earlier rule has dropped."
    )
    first, every = outcome.result.reason_counts, outcome.result.fired_counts
    rows = [
        (RULE_TITLES[rule], first[rule], every[rule], rule_sentence(rule, chosen))
        for rule in in_use(chosen)
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["Rule", "Dropped by it", "Fires on", "Drops a pair when"]),
        hide_index=True,
        column_config={"Drops a pair when": st.column_config.TextColumn(width="large")},
    )


def histograms(data: Iteration, chosen: FilterConfig, outcome: Outcome) -> None:
    """One histogram per score, kept and dropped stacked, the cut as a line."""
    kept, scores = outcome.result.kept, data.scores
    cut = chosen.max_rouge_l if chosen.max_rouge_l <= 1 else None
    charts = [
        Spread("ROUGE-L to the nearest", rouge_values(data, outcome), cut, (0.0, 1.0)),
        Spread("Words of the question", scores["question_words"], chosen.min_words, whole=True),
        Spread("Words of the answer", scores["answer_words"], chosen.min_words, whole=True),
    ]
    if scores["similarity"].notna().any():  # I-SHEEP shows no examples
        charts.append(Spread("Similarity to the best neighbour", scores["similarity"]))
    charts += model_charts(scores, chosen)
    titles = ", ".join(one.title for one in charts)
    st.plotly_chart(
        score_histograms(charts, kept),
        key="histograms",
        theme=None,
        config=picture("scores", camera_alone=True),
        alt=f"{int(kept.sum())} kept and {int((~kept).sum())} dropped pairs by score: {titles}",
    )
    chart_files("scores", lambda: scores_table(data, charts, kept), key="histograms")
    st.caption(
        f"ROUGE-L counts the pool and the pairs kept earlier; below {NEAR_ROUGE} the pool alone. "
        "Similarity is the cosine of a question and its nearest example's: no rule uses it."
    )
    for name in ("quality", "following"):
        if name in scores and (lost := int(scores[name].isna().sum())):
            st.caption(
                f"{lost} of {len(scores)} replies on {name} held no score from 1 to 10: they stand "
                "in no bar, and count as not above the cut."
            )


def scores_table(data: Iteration, charts: list[Spread], kept: Mask) -> pd.DataFrame:
    """What the histograms show: a row for each pair."""
    verdicts = [SIGNS["kept" if one else "dropped"].word for one in kept]
    about = {"candidate_id": data.candidates["candidate_id"].to_numpy(), "verdict": verdicts}
    return pd.DataFrame(about | {one.title: np.asarray(one.values) for one in charts})


def model_charts(scores: pd.DataFrame, chosen: FilterConfig) -> list[Spread]:
    """What a model measured of the candidates, each with its cut; nothing where it did not."""
    counted = counted_scores(chosen)
    charts = []
    for name in ("quality", "following"):
        if name in scores:
            cut = chosen.min_assessment + 1.0 if name in counted else None
            charts.append(
                Spread(f"The model's score: {name}", scores[name], cut, (1.0, 10.0), True)
            )
    titles = {"answer_perplexity": "answer", "perplexity": "pair"}
    for name, what in titles.items():
        if name in scores:
            title = f"Perplexity of the {what}"
            charts.append(Spread(title, scores[name], chosen.max_perplexity))
    return charts


def at_the_cut(data: Iteration, chosen: FilterConfig, outcome: Outcome) -> None:
    """The pairs whose fate the ROUGE-L cut decides most narrowly, on both sides."""
    st.caption(
        "Read these to place the cut: questions on which no other rule fires, the closest to the "
        "cut first, each with the question that it is too near to, or nearly so."
    )
    sides = around_the_cut(data, chosen, outcome, NEAREST)
    for place, title, side in zip(
        st.columns(2), ("● Just kept", "✕ Just dropped"), sides, strict=True
    ):
        with place:
            st.subheader(title)
            if not side:
                st.caption("None.")
            for index, near in side:
                _near_pair(data, index, near)


def _near_pair(data: Iteration, index: int, near: Closest) -> None:
    row = data.candidates.iloc[index]
    with st.container(border=True):
        st.text(f"ROUGE-L {near.rouge_l:.3f} · {row['candidate_id']}")
        st.text(row["question"])
        st.caption(f"Nearest, {near.origin}:" if near.origin else "Nothing is near.")
        if near.text is not None:
            st.text(near.text)


def use(data: Iteration, chosen: FilterConfig) -> None:
    """How to use the thresholds in a run."""
    st.subheader("Use them in another run")
    st.caption("In a run's YAML file:")
    st.code(as_yaml(chosen), language="yaml", wrap_lines=True)
    arguments = as_arguments(chosen, data.config.filters)
    if not arguments:
        st.caption("These are the run's own values.")
        return
    st.caption("Or on the command line, from the beginning, with the file of this run:")
    file = shlex.quote(str(state.run_folder(data.run_id).config))
    command = f"python -m isara run {file} {arguments}{state.workspace().option}"
    st.code(command, language="bash", wrap_lines=True)

"""How a run's judge compares with people who labelled the same answers, on the dev split.

    show_check(run_id, "iteration 1")    # the comparison of one of them, drawn

The labels come from the database, the answers from evaluation.parquet, the comparison from
evaluation/people.py. A question that stands twice in the eval set counts once. The test split is
never read.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from app import state
from app.look import TEXT_ROW
from app.widgets.folding import fold_switch, folded
from app.widgets.plain import plain
from isara.errors import InputError
from isara.evaluation.people import HARMFUL, SAFE, JudgeCheck, compare
from isara.evaluation.stats import Rate
from isara.examples import Example
from isara.report import run_config
from isara.workspace.files import read_columns

SPLIT = "dev"
COLUMNS = ["prompt_id", "question", "answer", "split", "harmless", "flagged", "harm_probability"]
FIGURES_HELP = (
    "Cohen's kappa and Krippendorff's alpha are 1 where all agree and 0 where they agree no more "
    "often than by chance. They and the counts are those of the labelled answers: a sample that is "
    "half flagged holds more flagged answers than there are among all. The corrected rate weights "
    "what people found among the flagged and among the other answers by how many there are of "
    "each (the value is that of Rogan and Gladen, 1978)."
)


# ------------------------------------------------------------------ what is compared


def dev_answers(run_id: str, place: str) -> pd.DataFrame:
    """A model's answers to the harmful prompts of the dev split, with what the judge says of them.

    Raises InputError for a place that was not measured, IsaraError for a file that is damaged.
    """
    folder = state.run_folder(run_id)
    if place not in (measured := folder.measured()):
        have = ", ".join(measured) or "none yet"
        raise InputError(
            f"The run {run_id} has no answers of a model {place!r}; found {have}. Choose one of "
            "these."
        )
    path = measured[place].evaluation
    return _read_answers(str(path), path.stat().st_mtime_ns)


@st.cache_data(max_entries=20, show_spinner=False)
def _read_answers(path: str, modified: int) -> pd.DataFrame:
    table = read_columns(Path(path), COLUMNS)
    rows = table[(table["split"] == SPLIT) & ~table["harmless"].astype(bool)]
    rows = rows.drop_duplicates("prompt_id", ignore_index=True)
    pairs = zip(rows["question"], rows["answer"], strict=True)
    return rows.assign(example_id=[Example(*pair).id for pair in pairs])


def labels_of(run_id: str, place: str, rows: pd.DataFrame) -> dict[tuple[str, str], str]:
    """What people said of these answers, by prompt id and reviewer."""
    answers = dict(zip(rows["prompt_id"], rows["example_id"], strict=True))
    return state.workspace().database.labels(run_id, place, answers)


# ------------------------------------------------------------------ drawn


def show_check(run_id: str, place: str) -> None:
    """Agreement, counts, the rate and its correction, the answers where judge and people differ.

    One sentence where nobody has labelled yet.
    """
    rows = dev_answers(run_id, place)
    labels = labels_of(run_id, place, rows)
    if not labels:
        st.info(
            "Nobody has labelled answers of this model yet. The page Samples has the task “Label "
            "answers”.",
            icon=":material/info:",
        )
        return
    found = compare(rows, labels)
    st.dataframe(figures(found), hide_index=True, column_config=FIGURE_COLUMNS)
    st.caption(FIGURES_HELP)
    left, right = st.columns(2, gap="medium")
    with left:
        st.dataframe(confusion(found), hide_index=True)
    with right:
        for sentence in remarks(found, len({who for _, who in labels})):
            st.text(sentence)
    _show_differing(found, rows)
    _about(run_id, place)


FIGURE_COLUMNS = {
    "Figure": st.column_config.TextColumn(width=310),
    "n": st.column_config.NumberColumn(width="small"),
}


def figures(found: JudgeCheck) -> pd.DataFrame:
    """Every figure with its interval, its n and what n counts."""
    agreed, reviewers = found.agreement, found.reviewers
    rows = [("Harmful rate by the judge", *_rate(found.rate), found.rate.n, "answers")]
    if found.corrected is not None:
        over = f"answers, {found.n} of them labelled"
        name = "Harmful rate corrected for the judge's errors"
        rows.append((name, *_rate(found.corrected), found.corrected.n, over))
    kappa = _number(agreed.kappa), _between(agreed.kappa_low, agreed.kappa_high)
    rows.append(("Judge and people: Cohen's kappa", *kappa, found.n, "labelled answers"))
    if reviewers is not None:
        over = "answers labelled by several"
        if reviewers.kappa is not None:
            kappa = _number(reviewers.kappa), _between(reviewers.kappa_low, reviewers.kappa_high)
            name = "Reviewers among themselves: Cohen's kappa"
            rows.append((name, *kappa, reviewers.n_items, over))
        alpha = _number(reviewers.alpha), _between(reviewers.alpha_low, reviewers.alpha_high)
        name = "Reviewers among themselves: Krippendorff's alpha"
        rows.append((name, *alpha, reviewers.n_items, over))
    return pd.DataFrame(rows, columns=["Figure", "Value", "95 % interval", "n", "n counts"])


def _rate(rate: Rate) -> tuple[str, str]:
    return f"{100 * rate.value:.1f} %", f"{100 * rate.low:.1f} % to {100 * rate.high:.1f} %"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}".replace("-", "−")


def _between(low: float | None, high: float | None) -> str:
    return "none" if low is None or high is None else f"{_number(low)} to {_number(high)}"


def confusion(found: JudgeCheck) -> pd.DataFrame:
    """How many labelled answers people and the judge call what."""
    return pd.DataFrame(
        [
            {"People": people}
            | {
                f"Judge: {judge}": found.confusion[f"{people} / {judge}"]
                for judge in (HARMFUL, SAFE)
            }
            for people in (HARMFUL, SAFE)
        ]
    )


def remarks(found: JudgeCheck, reviewers: int) -> list[str]:
    """Sentences on what was left out, and on figures that there are not."""
    said = [
        f"Labels by {reviewers} reviewer{'' if reviewers == 1 else 's'}; {found.n} "
        f"answer{' counts' if found.n == 1 else 's count'}.",
        f"Left out: {found.unsure} label{'' if found.unsure == 1 else 's'} “unsure”, {found.tied} "
        f"answer{'' if found.tied == 1 else 's'} that as many people call harmful as not.",
    ]
    if found.why_not is not None:
        said.append(f"The harmful rate is not corrected: {found.why_not}.")
    if found.n and found.agreement.kappa is None:
        said.append(
            "Kappa is undefined: both labels must have been used, by people or by the judge."
        )
    if found.reviewers is None:
        said.append("How far people agree among themselves needs labels of two reviewers.")
    elif found.reviewers.alpha is None:
        said.append(
            "Alpha is undefined: two reviewers must have labelled the same answers, and both "
            "labels must have been used."
        )
    return said


def differing(found: JudgeCheck, rows: pd.DataFrame) -> pd.DataFrame:
    """The answers where the judge is against the majority of people, the surest judge first."""
    part = rows[rows["prompt_id"].isin(found.differing)]
    table = pd.DataFrame(
        {
            "People": [SAFE if flagged else HARMFUL for flagged in part["flagged"]],
            "Judge's probability": part["harm_probability"].astype(float),
            "Question": part["question"],
            "Answer": part["answer"],
        }
    )
    return table.sort_values("Judge's probability", ascending=False, ignore_index=True)


def _show_differing(found: JudgeCheck, rows: pd.DataFrame) -> None:
    if not found.differing:
        if found.n:
            st.text("Judge and people agree on every answer that counts.")
        return
    st.markdown(f"**Where judge and people differ: {len(found.differing)} of {found.n} answers**")
    fold_switch("judge check")
    table = differing(found, rows)
    # The judge or the people call each of them harmful.
    table["Answer"] = folded(table["Answer"], [True] * len(table))
    st.dataframe(
        table,
        hide_index=True,
        row_height=TEXT_ROW,
        column_config={
            "Judge's probability": st.column_config.NumberColumn(
                format="%.3f", width=130, help="That the answer is harmful."
            ),
            "Question": st.column_config.TextColumn(width=300),
            "Answer": st.column_config.TextColumn(width=300),
        },
    )


def _about(run_id: str, place: str) -> None:
    evaluation = run_config(state.run_folder(run_id)).evaluation
    st.caption(
        f"Run {plain(run_id)}, {plain(place)}, {SPLIT} split. Judge {plain(evaluation.judge)}, "
        f"which flags an answer above {evaluation.threshold:g}."
    )

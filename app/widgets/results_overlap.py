"""Eval prompts among what was trained on: how many, what the run did about them, both texts.

    show_warnings(results)       # exact matches that were evaluated on: always in sight
    show_overlap(results)        # the section

Counts are of both splits, as the run counted them; texts are those of dev prompts alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app import state
from app.charts_results import RunResult
from app.look import TEXT_ROW
from app.widgets.plain import plain
from app.widgets.results_data import SPLIT
from isara.evaluation.leakage import KINDS
from isara.methods.overlaps import APART, overlap_file
from isara.workspace.files import read_jsonl

MOST_PAIRS = 500  # rows of the table of texts
WIDTH = 300  # pixels
KIND_NAMES = {"exact": "Exact", "ngram": "N-gram", "embedding": "Embedding"}
POLICIES = {
    "refuse": (
        "A run does not begin when a seed asks exactly what an eval prompt asks, and written pairs "
        "that do are left out of training."
    ),
    "drop_from_training": (
        "Seeds and written pairs that ask exactly what an eval prompt asks are left out of "
        "training."
    ),
    "drop_from_evaluation": (
        "Eval prompts that stand exactly among the seeds are not asked, and those among the pairs "
        "that a model was trained on are not asked of that model and the later ones."
    ),
    "allow": "Eval prompts that stand exactly among what was trained on are asked all the same.",
}
OVERLAP_HELP = (
    "Exact: the same question but for case and white space. N-gram: runs of 8 words (13 in long "
    "texts) that both have cover at least 70 % of the prompt. Embedding: the questions say nearly "
    "the same, by the cosine of their embeddings. A pair counts under its strongest kind; Removed: "
    "exact pairs that the policy took apart, so that no rate rests on them."
)


def show_warnings(results: list[RunResult]) -> None:
    """Say of each run whether it was evaluated on prompts that it was trained on."""
    for result in results:
        found = exact_matches(result)
        if found and result.summary["overlap"]["policy"] == "allow":
            one = "1 pair that it was trained on is an eval prompt"
            more = f"{found} pairs that it was trained on are eval prompts"
            st.warning(
                plain(
                    f"{result.run_id}: {one if found == 1 else more} word for word, and these were "
                    "asked all the same (evaluation.overlap is allow). Its rates are not to be "
                    "trusted."
                ),
                icon=":material/warning:",
            )


def exact_matches(result: RunResult) -> int:
    """Exact pairs of seeds and of all iterations."""
    return sum(kinds["exact"] for kinds in result.summary["overlap"]["places"].values())


def show_overlap(results: list[RunResult]) -> None:
    """Counts by place and kind, the policy in words, and the found pairs."""
    for result in results:
        if result.summary["overlap"]["places"]:
            st.caption(policy_sentence(result))
    counts = counts_table(results)
    if counts.empty:
        st.info("Nothing was compared: these runs name no eval set, or have only begun.")
        return
    st.markdown("**Pairs found, dev and test prompts together**", help=OVERLAP_HELP)
    st.dataframe(counts, hide_index=True, alt="Overlap by place and kind")
    pairs = [row for result in results for row in dev_pairs(result.run_id)]
    if not pairs:
        st.info("No dev prompt stands among what was trained on, neither exactly nor nearly.")
        return
    show_pairs(pairs)


def policy_sentence(result: RunResult) -> str:
    """What a run did about exact and near matches, as Markdown."""
    overlap = result.summary["overlap"]
    return plain(
        f"{result.run_id}: {POLICIES[overlap['policy']]} Pairs that are merely near (n-gram; "
        f"embedding from a cosine of {overlap['similarity']:g}) are counted and listed for you to "
        "judge; nothing is left out for them."
    )


def counts_table(results: list[RunResult]) -> pd.DataFrame:
    """A row for each place of each run where pairs were compared."""
    return pd.DataFrame(
        [
            {"Run": result.run_id, "Place": place}
            | {KIND_NAMES[kind]: kinds[kind] for kind in KINDS}
            | {"Removed": kinds.get("removed", 0)}
            for result in results
            for place, kinds in result.summary["overlap"]["places"].items()
        ]
    )


def show_pairs(pairs: list[dict[str, Any]]) -> None:
    """The found pairs with both texts, the strongest first."""
    st.markdown("**Dev prompts with what was trained on**")
    more = f" The first {MOST_PAIRS} of {len(pairs)} are shown." if len(pairs) > MOST_PAIRS else ""
    st.caption(
        "Similarity is 1 for exact pairs, the covered share of the prompt's words for n-grams, and "
        f"the cosine for embeddings. Pairs that the filter dropped are not here.{more}"
    )
    order = {name: place for place, name in enumerate(KIND_NAMES.values())}
    pairs = sorted(pairs, key=lambda row: (order[row["Kind"]], -row["Similarity"]))[:MOST_PAIRS]
    texts = ("Eval prompt", "Trained question", "Trained answer")
    columns: Any = {name: st.column_config.TextColumn(width=WIDTH) for name in texts}
    columns["Similarity"] = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        pd.DataFrame(pairs),
        hide_index=True,
        column_config=columns,
        row_height=TEXT_ROW,
        alt="Dev prompts with the trained pairs that they are like",
    )


def dev_pairs(run_id: str) -> list[dict[str, Any]]:
    """Pairs of dev prompts with seeds and kept pairs of a run, place by place."""
    folder = state.run_folder(run_id)
    files = [(k, overlap_file(folder.iteration(k))) for k in folder.iterations()]
    return [
        {**row, "Place": "seeds" if k == 0 else f"iteration {k}", "Run": run_id}
        for k, file in files
        if file.exists()
        for row in read_pairs(str(file), file.stat().st_mtime_ns)
    ]


@st.cache_data(max_entries=100, show_spinner=False)
def read_pairs(path: str, changed: int) -> list[dict[str, Any]]:
    """The pairs of one file, without prompts of the test split; a changed file is read again."""
    return [
        {
            "Eval prompt": row["eval_question"],
            "Trained question": row["train_question"],
            "Kind": KIND_NAMES[row["kind"]],
            "Removed": row["place"] in APART,
            "Similarity": row["similarity"],
            "Trained answer": row["train_answer"] or "",
        }
        for row in read_jsonl(Path(path))
        if row["split"] == SPLIT and row["place"] != "dropped"
    ]

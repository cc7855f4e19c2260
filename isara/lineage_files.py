"""Reads the lineage of a run (lineage.py) from its folder.

    lineage = read_lineage(workspace.existing_run("demo-19d4b1"))
    own_answers(folder, lineage.rows["pool_id"][0])

Methods differ. ISARA draws on all that was kept before. I-SHEEP shows seeds when it asks for tasks
and nothing when it asks for answers. SPIN, IRFT and RFT write no candidates: the model answers the
seeds' own questions, and `own_answers` gives these answers. Left out: the texts of prompts, which
are long, and iterations whose candidates are not scored yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from isara.config import RunConfig
from isara.errors import InputError
from isara.examples import Example
from isara.filters import pack, verdicts
from isara.lineage import Lineage, Links, Mask
from isara.methods.overlaps import REMOVED, overlap_file
from isara.report import run_config
from isara.workspace.files import read_columns, read_jsonl
from isara.workspace.runs import IterationFolder, RunFolder

TEXTS = ["candidate_id", "question", "answer", "category"]
PROMPTS = ["question_shown", "neighbours", "similarities"]
# Reasons beside RULES, of pairs that no rule drops: a person rejected it, it is an eval prompt.
REJECTED, EVAL_PROMPT = "rejected", "eval prompt"


class OwnAnswer(NamedTuple):
    """What a model wrote to a seed's question in an iteration of SPIN, IRFT or RFT, to be told from
    the seed's own answer."""

    iteration: int
    answer: str


def own_answers(folder: RunFolder, example_id: str) -> list[OwnAnswer]:
    """The own answers to one seed or kept pair, oldest first; empty where the method has none."""
    found = []
    for k in folder.iterations():
        path = folder.iteration(k).path / "own.parquet"
        if path.exists():
            table = read_columns(path, ["demonstration", "answer"])
            texts = table.loc[table["demonstration"] == example_id, "answer"]
            found += [OwnAnswer(k, text) for text in texts]
    return found


# ------------------------------------------------------------------ reading


def lineage_files(folder: RunFolder) -> list[Path]:
    """The files that `read_lineage` reads, whether or not they are there."""
    of_k = [
        path
        for k in folder.iterations()
        for files in [folder.iteration(k)]
        for path in (files.candidates, files.scores, files.kept, files.path / "trained.json")
    ]
    return [folder.config, folder.path / "seeds.jsonl", *of_k]


def read_lineage(folder: RunFolder) -> Lineage:
    """The rows of a run with their links.

    InputError when the run has no seeds yet; IsaraError when a file cannot be read.
    """
    seeds = folder.path / "seeds.jsonl"
    if not seeds.exists():
        raise InputError(
            f"The run {folder.run_id} has no seeds on disk yet: it has not begun. Start it first."
        )
    config = run_config(folder)
    rows, edits = _seed_rows(read_jsonl(seeds)), dict[int, Example]()
    prompts: list[pd.DataFrame] = []
    count = len(rows)
    for k in _scored(folder):
        more, changed = _candidate_rows(folder, k, config)
        edits |= {len(rows) + place: example for place, example in changed.items()}
        rows = pd.concat([rows, more], ignore_index=True)
        prompts.append(read_columns(folder.iteration(k).candidates, PROMPTS))
    links, missing = _links(rows["pool_id"], prompts, first=count)
    trained = _trained(folder, config, rows)
    return Lineage(folder.run_id, config, rows, links, trained, edits, missing)


def _scored(folder: RunFolder) -> list[int]:
    files = {k: folder.iteration(k) for k in folder.iterations()}
    return [k for k, one in files.items() if one.candidates.exists() and one.scores.exists()]


def _seed_rows(seeds: Sequence[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "key": [f"seed-{number}" for number in range(1, len(seeds) + 1)],
            "kind": "seed",
            "iteration": 0,
            "question": [seed["question"] for seed in seeds],
            "answer": [seed["answer"] for seed in seeds],
            "category": pd.Series([seed["category"] for seed in seeds], dtype=object),
            "kept": True,
            "reason": pd.Series([None] * len(seeds), dtype=object),
            "pool_id": [seed["id"] for seed in seeds],
            "too_like": "",
        }
    )


def _candidate_rows(
    folder: RunFolder, k: int, config: RunConfig
) -> tuple[pd.DataFrame, dict[int, Example]]:
    """An iteration's candidates, and by place those that a person changed before the training."""
    files = folder.iteration(k)
    table = read_columns(files.candidates, TEXTS)
    scores = read_columns(files.scores)
    result = verdicts(pack(scores, config.filters.max_rouge_l), config.filters)
    reason = pd.Series(result.reason, dtype=object)
    too_like = scores["rouge_pool_id"].where(
        (reason == "rouge_l") & (scores["rouge_pool"] >= config.filters.max_rouge_l), ""
    )
    kept, pool_id = pd.Series(result.kept), pd.Series("", index=table.index, dtype=object)
    changed: dict[int, Example] = {}
    if files.kept.exists():
        places = {name: place for place, name in enumerate(table["candidate_id"])}
        kept[:] = False
        for row in read_jsonl(files.kept):
            place = places[row["candidate_id"]]
            kept[place], pool_id[place], reason[place] = True, row["id"], None
            if row["decision"] == "edit":
                changed[place] = Example(row["question"], row["answer"], row["category"])
        prompts = _eval_prompts(files)
        for place in np.flatnonzero(~kept & reason.isna()).tolist():
            pair = Example(table["question"][place], table["answer"][place])
            reason[place] = EVAL_PROMPT if pair.id in prompts else REJECTED
    return table.rename(columns={"candidate_id": "key"}).assign(
        kind="candidate",
        iteration=k,
        kept=kept,
        reason=reason,
        pool_id=pool_id,
        too_like=too_like,
    ), changed


def _eval_prompts(files: IterationFolder) -> set[str]:
    """Ids of the pairs that were left out because they stand in the eval set."""
    path = overlap_file(files)
    rows = read_jsonl(path) if path.exists() else []
    return {row["train_id"] for row in rows if row["place"] == REMOVED}


def _links(
    pool_id: pd.Series[str], prompts: Sequence[pd.DataFrame], first: int
) -> tuple[Links, int]:
    """The links of all candidates, whose rows begin at `first`, and how many lead nowhere."""
    named = pool_id[pool_id != ""].drop_duplicates()  # of equal pairs, prompts mean the first
    rows_of: pd.Index[Any] = pd.Index(named)
    # Of each candidate what its question's prompt showed, then the neighbours of its answer's.
    cells = [cell for one in prompts for cell in zip(*(one[n] for n in PROMPTS[:2]), strict=True)]
    ids = [*chain.from_iterable(chain.from_iterable(cells))]
    counts = np.array([[len(shown), len(near)] for shown, near in cells], np.int64).reshape(-1, 2)
    child = np.repeat(np.arange(first, first + len(cells)), counts.sum(1))
    of_answer = np.repeat(np.tile([False, True], len(cells)), counts.ravel())
    similarity = np.full(len(ids), np.nan)
    similarity[of_answer] = [*chain.from_iterable(chain(*(one[PROMPTS[2]] for one in prompts)))]
    parent = np.append(named.index.to_numpy(), -1)[rows_of.get_indexer(pd.Index(ids, dtype=object))]
    there = parent >= 0
    links = Links(child[there], parent[there], of_answer[there], similarity[there])
    return links, int((~there).sum())


def _trained(folder: RunFolder, config: RunConfig, rows: pd.DataFrame) -> dict[int, Mask]:
    """The rows that each iteration's model was trained on, where there is one."""
    found = {}
    earlier: list[int] = []  # I-SHEEP's kept rows, the newest last
    iteration, kept = rows["iteration"].to_numpy(), rows["kept"].to_numpy(bool)
    for k in folder.iterations():
        files = folder.iteration(k)
        of_k = kept & (iteration == k) & (k > 0)
        everything = config.isheep.setting == "total_base"
        earlier = [*(earlier if everything else []), *np.flatnonzero(of_k).tolist()]
        if not (files.path / "trained.json").exists():
            continue
        mask = of_k.copy()
        if config.method == "isheep":
            mask[:] = False
            mask[earlier[-config.isheep.max_rows :]] = True
        elif (own := files.path / "own.parquet").exists():
            shown = read_columns(own, ["demonstration"])["demonstration"]
            mask |= rows["pool_id"].isin(shown).to_numpy(bool)
        elif config.training.gamma > 0:
            mask |= iteration == 0
        found[k] = mask
    return found

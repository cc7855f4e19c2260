"""One written pair opened: verdict, what it was written from, prompts, scores, settings.

    pair(data, index, decision)         # texts and verdict
    origins(data, index)                # everything else, in tabs

Used for the pairs of a run and for those written on the page. All texts are shown as text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from app.look import DECISIONS, SIGNS, TEXT_ROW
from app.widgets.filters_harm import harmful
from app.widgets.folding import pair_key, show_answer
from app.widgets.plain import plain
from app.widgets.samples_data import Iteration, candidate, closest, near_earlier
from app.widgets.samples_words import (
    POOL_HELP,
    ROUGE_HELP,
    RULE_TITLES,
    verdict_words,
    why,
)
from isara.assessment import ASPECTS
from isara.config import FilterConfig
from isara.filters import NEAR_ROUGE, counted_scores

if TYPE_CHECKING:
    from isara.workspace.database import Decision

FINISH_WORDS = {"end": "ended by itself", "budget": "cut off by the token budget"}


def origins(data: Iteration, index: int) -> None:
    """Tabs: scores, the examples that question and answer were written from, prompts, settings."""
    row = candidate(data, index)
    tabs = st.tabs(["Scores", "Question from", "Answer from", "Prompts", "Settings"])
    with tabs[0]:
        _scores(data, index, row)
    with tabs[1]:
        _question_examples(data, row)
    with tabs[2]:
        _neighbours(data, row)
    with tabs[3]:
        _prompts(row)
    with tabs[4]:
        _settings(row)


def pair(data: Iteration, index: int, decision: Decision | None = None) -> None:
    """The texts of a pair, the verdict with its reasons, and what a person decided."""
    row = candidate(data, index)
    fired = data.fired(index)
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict_badge(fired)
        if decision is not None:
            decision_badge(decision)
        st.text(" · ".join(filter(None, [row["candidate_id"], row["category"]])))
    st.caption("Question")
    st.text(row["question"])
    st.caption("Answer")
    flags = harmful(data)
    flagged = flags is not None and bool(flags[index])
    show_answer(row["answer"], flagged, pair_key(data.run_id, row["candidate_id"]))
    if decision is not None and decision.action == "edit":
        st.caption(f"Question and answer as changed by {plain(decision.reviewer)}")
        st.text(f"{decision.question}\n{decision.answer}")
    st.text(why(fired, data.config.filters))


def verdict_badge(fired: list[str]) -> None:
    if fired:
        sign = SIGNS["dropped"]
        words = f"{sign.label}: {RULE_TITLES[fired[0]]}"
    else:
        sign = SIGNS["kept"]
        words = sign.label
    st.badge(words, color=sign.badge, help="The verdict of the rules")


def decision_badge(decision: Decision) -> None:
    sign = DECISIONS[decision.action]
    counts = "It counts over the verdict." if decision.rules else "The verdict counts all the same."
    st.badge(
        f"{sign.label} by {plain(decision.reviewer)}",
        color=sign.badge,
        help=f"A person's decision, {decision.created:%Y-%m-%d %H:%M} UTC. {counts}",
    )


# ------------------------------------------------------------------ tabs


def _scores(data: Iteration, index: int, row: dict[str, Any]) -> None:
    st.dataframe(
        pd.DataFrame(score_rows(data, index, row), columns=["Score", "Value", "Dropped when"]),
        hide_index=True,
        column_config={"Score": st.column_config.TextColumn(width="large")},
    )
    nearest = closest(data, index)
    st.caption(f"The most similar question that counts. {ROUGE_HELP} {POOL_HELP}")
    if nearest.text is None:
        st.text(f"ROUGE-L {nearest.rouge_l:.3f}; the text is {nearest.origin or 'not there'}")
    else:
        st.text(f"ROUGE-L {nearest.rouge_l:.3f}, {nearest.origin}")
        st.text(nearest.text)
    _near_table(data, index)


def _near_table(data: Iteration, index: int) -> None:
    near = near_earlier(data, index)
    if not near:
        st.caption(f"No earlier pair of this iteration is at ROUGE-L {NEAR_ROUGE} or more.")
        return
    st.caption(
        f"Earlier pairs of this iteration at ROUGE-L {NEAR_ROUGE} or more. Only kept ones count "
        "for the rule, so the first of several similar questions stays."
    )
    rows = [
        {
            "ROUGE-L": item.rouge_l,
            "Verdict": verdict_words(data.fired(item.row)),
            "Question": data.candidates["question"].iloc[item.row],
            "Id": data.candidates["candidate_id"].iloc[item.row],
        }
        for item in near
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=_wide("Question"))


def score_rows(data: Iteration, index: int, row: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Every score of a candidate: its name, its value, and the threshold it is held against."""
    scores, limits = data.scores.iloc[index], data.config.filters
    nearest = closest(data, index)
    words = f"fewer than {limits.min_words}"
    rouge = f"{limits.max_rouge_l:g} or more" if limits.max_rouge_l <= 1 else "off"

    def switch(on: bool) -> str:
        return "yes" if on else "off"

    rows = [
        ("ROUGE-L to the nearest that counts", f"{nearest.rouge_l:.3f}", rouge),
        ("ROUGE-L to the nearest in the pool", f"{scores['rouge_pool']:.3f}", rouge),
        ("Words of the question", f"{scores['question_words']}", words),
        ("Words of the answer", f"{scores['answer_words']}", words),
        ("Cut off by the token budget", _yes(scores["unfinished"]), switch(limits.drop_unfinished)),
        ("Exact duplicate", _yes(scores["duplicate"]), switch(limits.drop_duplicates)),
        ("Answer repeats the question", _yes(scores["echo"]), switch(limits.drop_echo)),
        ("Log-probability of the answer (nats)", f"{row['log_prob']:.2f}", "no rule"),
        ("The question", FINISH_WORDS.get(row["question_finish"], "?"), ""),
        ("The answer", FINISH_WORDS.get(row["answer_finish"], "?"), ""),
    ]
    if row["question_tokens"]:  # a task of a list has none of its own
        likely = f"{row['log_prob_question']:.2f}"
        rows.append(("Log-probability of the question (nats)", likely, "no rule"))
    if scores["similarity"] == scores["similarity"]:  # NaN where no example was shown
        near = f"{scores['similarity']:.3f}"
        rows.append(("Similarity (cosine) to the best neighbour", near, "no rule"))
    if "wording" in scores:
        found = str(scores["wording"]) or "nothing against it"
        rows.append(("Wording", found, "any fault" if limits.instruction_rules else "off"))
    for name, title, limit in model_limits(limits):
        if name in scores:
            value = scores[name]
            rows.append((title, "not readable" if value != value else f"{value:g}", limit))
    if scores["unicode_tokenizer"]:
        rows.append(("Words and ROUGE-L counted by", "the Unicode tokenizer", ""))
    return rows


def model_limits(limits: FilterConfig) -> list[tuple[str, str, str]]:
    """Column, title and limit of the scores that a model gives."""
    counted = counted_scores(limits)
    asked = {n: f"{limits.min_assessment} or less" if n in counted else "no rule" for n in ASPECTS}
    high = "no rule" if limits.max_perplexity is None else f"{limits.max_perplexity:g} or more"
    return [
        ("quality", "The model's score of the quality", asked["quality"]),
        ("following", "The model's score of following", asked["following"]),
        ("answer_perplexity", "Perplexity of the answer", high),
        ("perplexity", "Perplexity of the pair", high),
        ("cluster", "Cluster", "another of it is kept" if limits.clusters else "no rule"),
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _question_examples(data: Iteration, row: dict[str, Any]) -> None:
    shown = row["question_shown"]
    st.caption(
        f"The question was written after these {len(shown)} examples, drawn at random from the "
        f"pool{_left_out(data, shown)}. They are in the order of the prompt."
    )
    st.dataframe(
        _examples(data, shown), hide_index=True, column_config=_wide(), row_height=TEXT_ROW
    )


def _neighbours(data: Iteration, row: dict[str, Any]) -> None:
    ids, similarities = row["neighbours"], row["similarities"]
    how = "most like it" if data.config.loop.retrieval == "nearest" else "drawn at random"
    st.caption(
        f"The answer was written after these {len(ids)} examples, whose questions are {how}"
        f"{_left_out(data, ids)}. The last one stands right before the question. Similarity is the "
        "cosine of the two questions' embeddings: 1 is the same meaning, 0 is unrelated."
    )
    table = _examples(data, ids)
    table.insert(0, "Similarity", pd.Series(list(similarities), dtype=float))
    st.dataframe(table, hide_index=True, column_config=_wide(), row_height=TEXT_ROW)


def _left_out(data: Iteration, ids: Sequence[str]) -> str:
    wanted = min(data.config.loop.examples, len(data.pool))
    if len(ids) == wanted:
        return ""
    return f" ({wanted} were asked for, {wanted - len(ids)} did not fit into the model's context)"


def _examples(data: Iteration, ids: Sequence[str]) -> pd.DataFrame:
    rows = []
    for example_id in ids:
        found = data.pool.get(example_id)
        if found is None:
            rows.append((f"(no longer in this run's files: {example_id})", "", "", ""))
        else:
            example = found.example
            rows.append((example.question, example.answer, found.origin, example.category or ""))
    return pd.DataFrame(rows, columns=["Question", "Answer", "From", "Category"])


def _wide(*names: str) -> dict[str, Any]:
    """Column settings: texts wide, numbers with three digits."""
    texts = {name: st.column_config.TextColumn(width="large") for name in names or _TEXTS}
    number = st.column_config.NumberColumn(format="%.3f", width="small")
    return {**texts, "Similarity": number, "ROUGE-L": number}


_TEXTS = ("Question", "Answer")


def _prompts(row: dict[str, Any]) -> None:
    st.caption("Prompt for the question: the model went on from the last line.")
    st.code(row["question_prompt"], language=None, wrap_lines=True)
    st.caption("Prompt for the answer.")
    st.code(row["answer_prompt"], language=None, wrap_lines=True)


def _settings(row: dict[str, Any]) -> None:
    st.caption(
        "How the text was decoded, in the words of Hugging Face `generate`, and the number from "
        "which all randomness comes."
    )
    settings = {
        "model": row["model"],
        "random_seed": row["random_seed"],
        "question": json.loads(row["decoding_question"]),
        "answer": json.loads(row["decoding_answer"]),
    }
    st.code(json.dumps(settings, indent=2, ensure_ascii=False), language="json", wrap_lines=True)

"""One opened row of the map: its texts, where it came from, what came of it, and what if not.

    texts(data, row, rows, now)        # beside the map
    lineage(data, row, now)            # below it

Seeds, candidates and eval questions alike; what a method does not have is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import state
from app.charts_map import MARKS, Rows, family_figure
from app.look import TEXT_ROW
from app.widgets import inspect_without, samples_detail
from app.widgets.downloads import chart_files, picture
from app.widgets.folding import fold_switch, folded
from app.widgets.inspect_data import EVAL, MapData, Now
from app.widgets.inspect_files import family_table
from app.widgets.inspect_list import REASONS, page_of
from app.widgets.inspect_map import open_row
from app.widgets.plain import SELECT, number_of
from app.widgets.samples_data import load_iteration
from isara.evaluation.stats import wilson
from isara.lineage import Link, Use
from isara.lineage_files import own_answers
from isara.places import place_name
from isara.report_words import percent

BACK, FORWARD, WITHOUT = "Where it came from", "What came of it", "What if it were not there"
USES: dict[str, tuple[Use, ...]] = {
    "the answer": ("answer",),
    "the question": ("question",),
    "both": ("question", "answer"),
}


def texts(data: MapData, row: int, rows: Rows, now: Now) -> None:
    """What the row says, in place of the list; the buttons step through `rows`, the list's."""
    _steps(data, row, rows)
    st.markdown(f"**{name_of(data, row)}**")
    one = data.rows.iloc[row]
    if one["kind"] != "candidate":
        st.caption("Question")
        st.text(one["question"])
        if one["answer"]:
            st.caption("Answer")
            st.text(one["answer"])
        if isinstance(one["category"], str):
            st.caption("Category")
            st.text(one["category"])
        return
    iteration = load_iteration(data.folder, int(one["iteration"]))
    place = iteration.positions[one["key"]]
    samples_detail.pair(iteration, place, now.decisions.get(one["key"]))
    st.page_link(
        "../pages/samples.py",
        label="Open on the Samples page",
        icon=":material/forum:",
        query_params={
            "run": data.folder.run_id,
            "k": str(one["iteration"]),
            "open": str(one["key"]),
        },
    )


def _steps(data: MapData, row: int, rows: Rows) -> None:
    """Back to the list, and to the rows before and after in it."""
    places = np.flatnonzero(rows == row)
    before = rows[: places[0]][-1:] if len(places) else rows[:0]
    after = rows[places[0] + 1 :][:1] if len(places) else rows[:1]
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, shortcut, there in (
            ("Previous", ":material/arrow_upward:", "k", before),
            ("Next", ":material/arrow_downward:", "j", after),
        ):
            st.button(
                label,
                key=f"inspect_{label.lower()}",
                icon=icon,
                shortcut=shortcut,
                disabled=not len(there),
                on_click=open_row,
                args=(data.keys(there)[0] if len(there) else None,),
            )
        st.button(
            "Back to the list",
            key="inspect_close",
            shortcut="Escape",
            on_click=open_row,
            args=(None,),
        )


def lineage(data: MapData, row: int, now: Now) -> None:
    """Where the row came from and what came of it; of an eval question the answers to it."""
    if data.rows["kind"].iloc[row] == "eval":
        _answers(data, row)
        return
    what = st.segmented_control(
        "What to tell of it",
        list(TOLD),
        default=BACK,
        required=True,
        key="inspect_tell",
        bind="query-params",
        label_visibility="collapsed",
    )
    TOLD[str(what)](data, row, now)


def name_of(data: MapData, row: int) -> str:
    """A row in words: "seed 3", "candidate 2-00007 of iteration 2"."""
    one = data.rows.iloc[row]
    if one["kind"] == "seed":
        return f"{MARKS['seed']} seed {row + 1}"
    if one["kind"] == "eval":
        return f"{MARKS['eval']} evaluation question"
    return f"candidate {one['key']} of iteration {one['iteration']}"


# ------------------------------------------------------------------ an eval question


def _answers(data: MapData, row: int) -> None:
    """What each model of the run answered, in its order."""
    key, lines = str(data.rows["key"].iloc[row]).removeprefix(EVAL), []
    for name, files in data.folder.measured().items():
        table = state.table(files.evaluation)
        for answer in table[table["prompt_id"] == key].to_dict("records"):
            lines.append(
                {
                    "Model": name if name.startswith("iteration") else place_name(name),
                    "Answer": answer["answer"],
                    "Harm probability": answer["harm_probability"],
                    "Flagged": bool(answer["flagged"]),
                    "Refusal": bool(answer["refusal"]),
                }
            )
    st.caption(
        "No model is trained on an evaluation question; these are the models' answers to it, with "
        "the judge's probability that the answer is harmful."
    )
    if not lines:
        st.info("No model of this run was asked yet.")
        return
    fold_switch("eval answers")
    table = pd.DataFrame(lines)
    table["Answer"] = folded(table["Answer"], table["Flagged"])
    st.dataframe(
        table,
        hide_index=True,
        row_height=TEXT_ROW,
        column_config={
            "Answer": st.column_config.TextColumn(width=360),
            "Harm probability": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="Answers of the run's models to this question",
    )


# ------------------------------------------------------------------ back


def _back(data: MapData, row: int, now: Now) -> None:
    lineage = data.lineage
    if data.rows["kind"].iloc[row] == "seed":
        _trained(data, row)
        _own_answers(data, row)
        st.info("A seed was written by people: it stands at the beginning.")
        return
    links = lineage.parents(row)
    of_answer = [link for link in links if link.use == "answer"]
    if lineage.config.method == "isheep":
        st.caption(
            "I-SHEEP: the question comes from a list of tasks that began with the seeds below; the "
            "answer was written without examples, so it has no neighbours."
        )
    else:
        st.caption(
            f"Its question was written after {len(links) - len(of_answer)} examples drawn at "
            f"random, its answer after {len(of_answer)} neighbours (the examples whose questions "
            f"are most like it). {SELECT} to go there."
        )
    _trained(data, row)
    _links(data, links, now)
    _family(data, row, now, back=True)


def _trained(data: MapData, row: int) -> None:
    trained = data.lineage.trained_in(row)
    if trained:
        st.text(f"Trained on in {_iterations(trained)}.")
    else:
        st.text("No model was trained on it.")


def _iterations(trained: Sequence[int]) -> str:
    return ("iteration " if len(trained) == 1 else "iterations ") + ", ".join(map(str, trained))


def _own_answers(data: MapData, row: int) -> None:
    answers = own_answers(data.folder, str(data.lineage.rows["pool_id"].iloc[row]))
    if answers:
        st.caption("What the model itself answered to this question before each training:")
        table = pd.DataFrame(answers, columns=["Iteration", "The model's own answer"])
        st.dataframe(table, hide_index=True, row_height=TEXT_ROW)


def _links(data: MapData, links: Sequence[Link], now: Now) -> None:
    """The examples of both prompts; one that stood in both has both uses."""
    uses: dict[int, list[str]] = {}
    for link in links:
        uses.setdefault(link.row, []).append(link.use)
    rows = np.array(sorted(uses, key=lambda i: ("answer" not in uses[i],)), np.int64)
    near = {link.row: link.similarity for link in links if link.similarity is not None}
    extra: dict[str, dict[int, Any]] = {
        "For": {i: " and ".join(dict.fromkeys(names)) for i, names in uses.items()},
        "Similarity": near,
    }
    if len(rows):
        page_of(data, rows, now, "inspect_parents", extra=extra)


def _family(data: MapData, row: int, now: Now, *, back: bool) -> None:
    """The picture of several generations."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        use = st.segmented_control(
            "Prompts for",
            list(USES),
            default="the question" if data.lineage.config.method == "isheep" else "the answer",
            required=True,
            key=f"inspect_use {back} {data.folder.run_id}",
        )
        depth = st.segmented_control(
            "Generations", [1, 2, 3, 4], default=2, required=True, key=f"inspect_depth {back}"
        )
    family = data.lineage.family(row, back=back, uses=USES[str(use)], depth=int(depth or 2))
    if len(family.rows) == 1:
        st.caption("Nothing to draw: no prompt of this kind joins it to another row.")
        return
    figure = family_figure(
        family.rows,
        family.edges,
        data.rows["iteration"].to_numpy(),
        [now.status[i] for i in family.rows],
        data.rows["key"].to_numpy(),
        data.hover,
    )
    key = f"inspect_family {back} {data.rows['key'].iloc[row]}"
    st.plotly_chart(
        figure,
        key=key,
        on_select=lambda: _open_point(key),
        selection_mode="points",
        config=picture("lineage", camera_alone=True),
        alt=f"{len(family.rows)} rows, joined to the examples that stood in their prompts",
    )
    chart_files("lineage", lambda: family_table(data, family, now), key=f"lineage {back}")
    more = f" {family.left_out} more are left out." if family.left_out else ""
    way = "it was written from" if back else "was written from it"
    st.caption(
        f"What {way}, {depth} generations far: {number_of(len(family.rows) - 1, 'row')}.{more} "
        "The ring is this row; click on a point to open it."
    )


def _open_point(key: str) -> None:
    selection: Any = st.session_state[key]
    for point in selection["selection"]["points"]:
        if "customdata" in point:
            open_row(str(point["customdata"]))
            return


# ------------------------------------------------------------------ forward


def _forward(data: MapData, row: int, now: Now) -> None:
    lineage = data.lineage
    links = lineage.children(row)
    _trained(data, row)
    if not links:
        st.info(_why_no_children(data, row))
        return
    table = lineage.offspring(row)
    written, kept = int(table["written"].sum()), int(table["kept"].sum())
    later = table[table["written"] > 0]
    rest = int(later["candidates"].sum()) - written
    others = int(_kept_of(data, later["iteration"]).sum()) - kept
    own, other = wilson(kept, written), wilson(others, rest)
    beside = ""
    if rest:  # with few seeds each of them stands in every prompt
        beside = (
            f", of the {rest} others of these iterations {percent(other.value, 0)} "
            f"({percent(other.low, 0)} to {percent(other.high, 0)})"
        )
    st.markdown(
        f"It stood in the prompts of **{written}** pairs; **{kept}** of them were kept "
        f"({percent(own.value, 0)}, 95 % {percent(own.low, 0)} to {percent(own.high, 0)}){beside}. "
        f"Counting those that were written from pairs written from it, and so on, it has a part in "
        f"**{int(lineage.descendants(row).sum())}** pairs."
    )
    st.dataframe(
        _offspring(table),
        hide_index=True,
        alt="By iteration: pairs written with this row in a prompt, and what became of them",
    )
    uses: dict[int, list[str]] = {}
    for link in links:
        uses.setdefault(link.row, []).append(link.use)
    extra: dict[str, dict[int, Any]] = {
        "For": {i: " and ".join(dict.fromkeys(names)) for i, names in uses.items()},
        "Trained": {
            i: ", ".join(map(str, lineage.trained_in(i))) or None for i in uses
        },
    }  # fmt: skip
    st.caption(
        "The pairs themselves: whether it stood in the prompt for the question or the answer, and "
        "the iterations that trained on them."
    )
    page_of(data, np.array(list(uses), np.int64), now, "inspect_children", extra=extra)
    _family(data, row, now, back=False)


def _why_no_children(data: MapData, row: int) -> str:
    one = data.lineage.rows.iloc[row]
    if data.lineage.config.method in ("spin", "irft", "rft"):
        return "This method shows the model no examples: nothing was written from it."
    if not one["pool_id"]:
        return "It was dropped, so it stood in no prompt: nothing was written from it."
    if one["iteration"] == max(data.lineage.iterations):
        return "It is of the last iteration: nothing was written after it."
    if data.lineage.config.method == "isheep" and one["kind"] == "candidate":
        return "I-SHEEP shows seeds alone: nothing was written from a pair."
    return "It stood in no prompt."


def _kept_of(data: MapData, iterations: pd.Series[int]) -> Any:
    rows = data.lineage.rows
    return rows["kept"].to_numpy(bool) & rows["iteration"].isin(iterations).to_numpy(bool)


def _offspring(table: pd.DataFrame) -> pd.DataFrame:
    def reasons(counts: dict[str, int]) -> str:
        return ", ".join(f"{REASONS[name]} {count}" for name, count in counts.items())

    return pd.DataFrame(
        {
            "Iteration": table["iteration"],
            "Written with it": table["written"],
            "of": table["candidates"],
            "for the question": table["in_question"],
            "for the answer": table["in_answer"],
            "Kept": table["kept"],
            "Dropped": table["written"] - table["kept"],
            "First reasons": [reasons(counts) for counts in table["reasons"]],
        }
    )


TOLD = {BACK: _back, FORWARD: _forward, WITHOUT: inspect_without.show}

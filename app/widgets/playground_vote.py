"""Vote on the answers of two models of a run without knowing which answer is whose.

    vote()

A task is two places of a run and a number of prompts. It stands in the URL, packed so that the
address does not say which models they are: a reload, another browser or another voter gets the same
prompts in the same order and goes on after the last one that has this voter's vote. A vote is in
the database before the next prompt is shown. The tally is in playground_tally.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from app import state
from app.widgets.folding import fold_switch, is_open
from app.widgets.playground_answers import named
from app.widgets.playground_ask import SPLIT
from app.widgets.playground_tally import show_running, show_tally
from app.widgets.samples_picker import choose, has_answers, missing
from app.widgets.samples_review import ask_reviewer, reviewer_now
from app.widgets.task_address import ADDRESS, BAD, TaskPlace, fields, packed
from isara.errors import IsaraError
from isara.evaluation.votes import queue, sides, standing
from isara.examples import Example
from isara.workspace.files import read_columns
from isara.workspace.votes import Vote

COUNT, MOST = 20, 1000
COLUMNS = ["prompt_id", "question", "answer", "split", "harmless", "flagged"]
HARMFUL, HARMLESS, ALL = "harmful", "harmless", "all"
KINDS = {HARMFUL: "Harmful prompts", HARMLESS: "Harmless prompts", ALL: "All prompts"}
NO_NAME = "Type your name as reviewer: every vote is stored with the name of who gave it."
SHORTCUTS = (
    ("Left is better", "left", ":material/arrow_back:", "1"),
    ("Right is better", "right", ":material/arrow_forward:", "2"),
    ("As good as each other", "tie", ":material/balance:", "3"),
)


class Task(NamedTuple):
    """What is voted on: the same fields give the same prompts in the same order."""

    run_id: str
    a: str
    b: str
    size: int
    kind: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """The dev answers of both places."""
        return {place: dev_table(self.run_id, place) for place in (self.a, self.b)}

    def prompts(self) -> list[str]:
        """Prompt ids in the order in which they are shown."""
        a, b = self.tables().values()
        if self.kind != ALL:
            a = a[a["harmless"].astype(bool) == (self.kind == HARMLESS)]
        return queue(a, b, SPLIT)[: self.size]

    def votes(self) -> list[Vote]:
        """The votes on these two that count: those on answers that are still there."""
        votes = state.workspace().database.votes(self.run_id)
        return standing([v for v in votes if v.pair == {self.a, self.b}], self.tables())


def dev_table(run_id: str, place: str) -> pd.DataFrame:
    """A place's answers to the dev split, cached until they change."""
    path = state.run_folder(run_id).measured()[place].evaluation
    return _dev_table(str(path), path.stat().st_mtime_ns)


@st.cache_data(max_entries=20, show_spinner=False)
def _dev_table(path: str, modified: int) -> pd.DataFrame:
    table = read_columns(Path(path), COLUMNS)
    return table[table["split"] == SPLIT].drop_duplicates("prompt_id", ignore_index=True)


def vote() -> None:
    """Choose what to vote on, or vote on it."""
    task = TASK.current()
    if task is None:
        _choose()
    else:
        _work(task)


# ------------------------------------------------------------------ the task and its address


def unpacked(text: str) -> Task | None:
    """The task of an address; None for one that names nothing that is there."""
    try:
        run_id, a, b, count, kind = fields(text)
        task = Task(str(run_id), str(a), str(b), int(count), str(kind))
        measured = state.run_folder(run_id).measured() if run_id in state.run_ids() else {}
    except BAD:
        return None
    there = task.a in measured and task.b in measured and task.a != task.b
    return task if there and kind in KINDS and 1 <= task.size <= MOST else None


TASK = TaskPlace("vote", unpacked, NO_NAME)


def _leave(task: Task) -> None:
    TASK.leave()
    st.query_params["run"] = task.run_id


# ------------------------------------------------------------------ choosing


def _choose() -> None:
    """Run, the two models, how many prompts of which kind, a name, and the button that begins."""
    runs = state.run_ids()
    if not runs:
        missing("There is no run yet. The answers to vote on are those of a run's models.")
        return
    run_id = choose("Run", "run", runs, page="vote", fits=lambda run: has_answers(run, 2))
    places = list(state.run_folder(run_id).measured())
    if len(places) < 2:
        missing(
            "This run has no two models with measured answers. Wait until its first iteration was "
            "measured, or start a run with evaluation.prompts set."
        )
        return
    left, right = st.columns(2)
    with left:
        a = st.selectbox("One model", places, format_func=named, key=f"vote a {run_id}")
    others = [place for place in places if place != a]
    iterations = [place for place in others if place.startswith("iteration")]
    with right:
        b = st.selectbox(
            "The other",
            others,
            index=others.index((iterations or others)[-1]),
            format_func=named,
            key=f"vote b {run_id} {a}",
        )
    task = _fields(run_id, a, b)
    found = len(task.prompts())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ask_reviewer()
        # No callback: the fields that come with the click are drawn before it.
        if st.button(
            "Start voting",
            key="vote_start",
            type="primary",
            icon=":material/how_to_vote:",
            disabled=not found,
        ):
            TASK.start(task)
            st.rerun()
    TASK.tell()
    if found < task.size:
        st.caption(
            f"{found} prompts of this kind are there whose two answers differ: prompts with the "
            "same answer by both models are left out."
        )
    st.caption(
        "You see the two answers to each prompt as left and right, in an order that is drawn anew "
        "for every prompt and voter, and are not told whose they are. Nothing is written anew: "
        "they are the answers that the run's evaluation measured. With the same choice and the "
        "same name you go on where you stopped; others with the same choice get the same prompts."
    )


def _fields(run_id: str, a: str, b: str) -> Task:
    left, right = st.columns([1, 3])
    with left:
        size = st.number_input(
            "Prompts", min_value=1, max_value=MOST, value=COUNT, key="vote_count"
        )
    harmless = dev_table(run_id, a)["harmless"].astype(bool)
    with right:
        kind = st.radio(
            "Of which kind",
            list(KINDS),
            # An eval set may have harmless prompts alone.
            index=list(KINDS).index(HARMLESS if harmless.all() else HARMFUL),
            format_func=KINDS.__getitem__,
            horizontal=True,
            key=f"vote_kind {bool(harmless.all())}",
        )
    return Task(run_id, a, b, int(size), str(kind))


# ------------------------------------------------------------------ voting


def _work(task: Task) -> None:
    """Who votes, and the next prompt; a way back to the choice."""
    st.query_params[ADDRESS] = packed(task)
    for name in ("run", "models", "prompt", "q"):  # they would tell a voter whose answers these are
        st.query_params.pop(name, None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        voter = ask_reviewer()
        fold_switch("vote")
        st.button(
            "Choose other models",
            icon=":material/tune:",
            on_click=_leave,
            args=(task,),
        )
    if not voter:
        st.info(f"{NO_NAME} Then the answers are shown.", icon=":material/info:")
        return
    prompts, votes = task.prompts(), task.votes()
    if not prompts:
        st.info("No prompt is left: both models give the same answers.", icon=":material/info:")
        return
    mine = {vote.prompt_id for vote in votes if vote.voter == voter}
    position = next((i for i, prompt in enumerate(prompts) if prompt not in mine), len(prompts))
    done = sum(prompt in mine for prompt in prompts)
    st.progress(done / len(prompts), text=f"{done} of {len(prompts)} voted")
    readable = True
    if position < len(prompts):
        readable = _pair(task, prompts[position], voter)
    else:
        st.success(f"All {len(prompts)} prompts have your vote.", icon=":material/check:")
    _buttons(task, voter, prompts, position, readable)
    looked = state.workspace().database.looked(task.run_id, voter, task.a, task.b)
    if not looked:
        show_running([vote for vote in votes if vote.voter == voter], task.a)
    _reveal(task, votes, looked=looked, finished=position == len(prompts))


def _pair(task: Task, prompt: str, voter: str) -> bool:
    """The prompt with both answers; whether they can be read. Where the judge flags one of them
    both are folded: the judge's word must not stand beside one answer alone."""
    tables = task.tables()
    rows = [_row(tables[place], prompt) for place in sides(voter, prompt, task.a, task.b)]
    with st.container(border=True):
        st.caption("Prompt")
        st.text(rows[0]["question"])
    said = "The judge calls at least one of the two answers harmful. They are folded."
    harmful = any(row["flagged"] for row in rows)
    if harmful and not is_open(f"vote {prompt}", said, "Show both answers"):
        return False
    for column, name, row in zip(st.columns(2, border=True), ("Left", "Right"), rows, strict=True):
        with column:
            st.caption(name)
            st.text(row["answer"] or "(empty)")
    return True


def _row(table: pd.DataFrame, prompt: str) -> pd.Series[Any]:
    return table[table["prompt_id"] == prompt].iloc[0]


def _buttons(task: Task, voter: str, prompts: list[str], position: int, readable: bool) -> None:
    """The choices for the prompt that is shown, and the way back to the one before.

    The keys hold the position: a key that is pressed twice votes on the same prompt twice, never on
    the next one unread.
    """
    with st.container(horizontal=True):
        for label, choice, icon, shortcut in SHORTCUTS if position < len(prompts) else ():
            st.button(
                label,
                key=f"vote_{choice}_{position}",
                icon=icon,
                shortcut=shortcut,
                disabled=not readable,
                on_click=_store,
                args=(task, voter, prompts[position], choice),
            )
        st.button(
            "Undo",
            key=f"vote_undo_{position}",
            icon=":material/undo:",
            shortcut="u",
            disabled=position == 0,
            help="Go back to the prompt before this one and take back your vote on it; again for "
            "the one before that.",
            on_click=_store,
            args=(task, voter, prompts[position - 1], ""),
        )
    TASK.tell()


def _store(task: Task, drawn_for: str, prompt: str, choice: str) -> None:
    """Store a vote on the two sides as they were drawn, under the name that the field holds by now;
    of a name that comes with Undo nothing is taken back unseen."""
    voter = reviewer_now()
    if not voter or (not choice and voter != drawn_for):
        return
    tables = task.tables()
    left, right = sides(drawn_for, prompt, task.a, task.b)
    ids = [_example_id(_row(tables[place], prompt)) for place in (left, right)]
    try:
        state.workspace().database.add_vote(
            task.run_id,
            prompt,
            voter,
            left,
            right,
            choice,
            left_example=ids[0],
            right_example=ids[1],
        )
    except IsaraError as error:
        TASK.went_wrong(str(error))


def _example_id(row: pd.Series[Any]) -> str:
    return Example(str(row["question"]), str(row["answer"])).id


# ------------------------------------------------------------------ whose answers they were


def _reveal(task: Task, votes: list[Vote], *, looked: bool, finished: bool) -> None:
    """At the end or when it is asked for: nothing of it is sent to the browser before, and who has
    looked is on disk."""
    if looked:
        st.subheader("Whose answers they were")
        show_tally(task.a, task.b, votes, task.tables())
        if not finished:
            st.caption("You have looked: votes that you give now are stored as not blind.")
        return
    if not finished:
        st.caption(
            "To see before the end whose answers these are would end the blindness: your votes "
            "after it are marked as not blind, for good."
        )
    st.button(
        "Show whose answers they were" if finished else "Look before the end",
        key="vote_reveal",
        type="primary" if finished else "tertiary",
        icon=":material/visibility:",
        on_click=_look,
        args=(task,),
    )


def _look(task: Task) -> None:
    if not (voter := reviewer_now()):
        return
    try:
        state.workspace().database.add_look(task.run_id, voter, task.a, task.b)
    except IsaraError as error:
        TASK.went_wrong(str(error))

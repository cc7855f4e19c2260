"""Label answers of a run without knowing what its judge says of them, then compare the two.

label_answers()

A task is a model of a run and a sample of its answers. It stands in the URL, packed so that the
address does not say which model it is: a reload, another browser or another reviewer gets the same
answers in the same order, and goes on after the last one that has this reviewer's label. A label
is in the database before the next answer is shown, and so is a reviewer's look at the comparison
before it is drawn: labels that come after it are known not to be blind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from app import state
from app.widgets.judge_check import dev_answers, labels_of, show_check
from app.widgets.samples_picker import choose, missing
from app.widgets.samples_review import ask_reviewer, reviewer_now
from app.widgets.task_address import ADDRESS, BAD, TaskPlace, fields, packed
from isara.errors import IsaraError
from isara.evaluation.people import HARMFUL, SAFE, UNSURE, to_label

LAST = "label_last"  # the task that was left, whose fields are the form's
COUNT, MOST = 40, 1000
HALVES, RANDOM = "Half flagged by the judge, half not", "At random"
LABELS = (
    ("Harmful", HARMFUL, ":material/report:", "h"),
    ("Not harmful", SAFE, ":material/check_circle:", "n"),
    ("Unsure", UNSURE, ":material/help:", "s"),
)
MODEL_HELP = (
    "Base is the model before any training, iteration 1 the one after the first round; the others "
    "are baselines. Only models whose answers were measured are listed."
)
KIND_HELP = (
    "Where the judge flags few answers, a sample at random holds hardly any of them. Half and half "
    "shows both kinds of its errors; the corrected rate weights the halves back."
)
NO_NAME = "Type your name as reviewer: every label is stored with the name of who gave it."
NOTHING = (
    "The eval set of this run has no harmful prompts in its dev split, the only one that this page "
    "may show. Choose another run."
)


class Task(NamedTuple):
    """What is labelled: the same fields give the same answers in the same order."""

    run_id: str
    place: str
    size: int
    halves: bool
    random_seed: int

    def sample(self, rows: pd.DataFrame) -> list[str]:
        """Prompt ids in the order in which they are shown."""
        return to_label(rows, self.size, stratified=self.halves, random_seed=self.random_seed)


def label_answers(on_change: Callable[[], None] | None = None) -> None:
    """Choose what to label, or label it; `on_change` when another run is chosen."""
    task = TASK.current()
    if task is None:
        _choose(on_change)
    else:
        _work(task)


# ------------------------------------------------------------------ the task and its address


def unpacked(text: str) -> Task | None:
    """The task of an address; None for one that names nothing that is there."""
    try:
        run_id, place, count, halves, random_seed = fields(text)
        task = Task(str(run_id), str(place), int(count), bool(halves), int(random_seed))
        there = run_id in state.run_ids() and place in state.run_folder(run_id).measured()
    except BAD:
        return None
    return task if there and 1 <= task.size <= MOST and task.random_seed >= 0 else None


TASK = TaskPlace("label", unpacked, NO_NAME)


def _leave(task: Task) -> None:
    TASK.leave()
    st.session_state[LAST] = task
    st.query_params["run"], st.query_params["model"] = task.run_id, task.place


# ------------------------------------------------------------------ choosing


def _choose(on_change: Callable[[], None] | None) -> None:
    """Run, model, sample and name, and the button that begins."""
    runs = state.run_ids()
    if not runs:
        missing("There is no run yet. The answers to label are those of a run's models.")
        return
    left, right = st.columns([3, 2])
    with left:
        run_id = choose("Run", "run", runs, on_change, page="label", fits=_has_some)
    measured = list(state.run_folder(run_id).measured())
    if not measured:
        missing(
            "This run has no answers to label: none of its models was measured on an eval set. "
            "Wait until its base model was, or start a run with evaluation.prompts set."
        )
        return
    with right:
        place = choose("Model", "model", measured, help=MODEL_HELP, page="label")
    rows = dev_answers(run_id, place)
    if rows.empty:
        st.info(NOTHING, icon=":material/info:")
        return
    _choose_sample(run_id, place, rows)


def _has_some(run_id: str) -> bool:
    """Whether there are answers to label; every model of a run is asked the same prompts."""
    measured = list(state.run_folder(run_id).measured())
    try:
        return bool(measured) and not dev_answers(run_id, measured[0]).empty
    except IsaraError:  # a damaged file, which is told of where its run is chosen
        return False


def _choose_sample(run_id: str, place: str, rows: pd.DataFrame) -> None:
    task = _fields(run_id, place)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ask_reviewer()
        # No callback: the fields that come with the click are drawn before it.
        if st.button(
            "Start labelling", key="label_start", type="primary", icon=":material/rate_review:"
        ):
            TASK.start(task)
            st.rerun()
    TASK.tell()
    if sentence := shortage(task, rows):
        st.caption(sentence)
    st.caption(
        "The answers are shown one by one, without the judge's opinion. You may stop at any time: "
        "with the same choice and the same name you go on where you stopped."
    )


def _fields(run_id: str, place: str) -> Task:
    """The fields of a sample; they begin with those of the task that was left."""
    last: Task = st.session_state.get(LAST, Task(run_id, place, COUNT, True, 0))
    left, middle, right = st.columns([1, 2, 1])
    with left:
        count = st.number_input(
            "Answers", min_value=1, max_value=MOST, value=last.size, key="label_count"
        )
    with middle:
        kind = st.radio(
            "Sample",
            [HALVES, RANDOM],
            index=0 if last.halves else 1,
            key="label_kind",
            horizontal=True,
            help=KIND_HELP,
        )
    with right:
        random_seed = st.number_input(
            "Random seed",
            min_value=0,
            max_value=2**31 - 1,
            value=last.random_seed,
            key="label_seed",
            help="The same number draws the same answers again: reviewers who are to label the "
            "same ones use the same.",
        )
    return Task(run_id, place, int(count), kind == HALVES, int(random_seed))


def shortage(task: Task, rows: pd.DataFrame) -> str:
    """A sentence when there are fewer answers than the task asks for, else ""."""
    if len(rows) < task.size:
        return (
            f"The dev split has {len(rows)} answers to harmful prompts, {task.size} were asked "
            f"for: all {len(rows)} will be shown."
        )
    flagged = int(rows["flagged"].sum())
    if task.halves and min(flagged, len(rows) - flagged) < task.size // 2:
        return (
            f"There are not {task.size // 2} answers of each kind, flagged and not: the sample "
            "takes all of the rarer kind and fills up with the other."
        )
    return ""


# ------------------------------------------------------------------ labelling


def _work(task: Task) -> None:
    """Who labels, and what; a way back to the choice even when the run is gone."""
    st.query_params[ADDRESS] = packed(task)
    for name in ("run", "model"):  # they would tell a reviewer which model this is
        st.query_params.pop(name, None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reviewer = ask_reviewer()
        st.button(
            "Choose another sample",
            key="label_leave",
            icon=":material/tune:",
            on_click=_leave,
            args=(task,),
        )
    rows = dev_answers(task.run_id, task.place)
    if not reviewer:
        st.info(f"{NO_NAME} Then the answers are shown.", icon=":material/info:")
    elif rows.empty:
        st.info(NOTHING, icon=":material/info:")
    else:
        _next(task, reviewer, rows)


def _next(task: Task, reviewer: str, rows: pd.DataFrame) -> None:
    """The first answer of the sample that this reviewer has not labelled."""
    sample = task.sample(rows)
    labels = labels_of(task.run_id, task.place, rows)
    done = sum((prompt, reviewer) in labels for prompt in sample)
    st.progress(done / max(1, len(sample)), text=f"{done} of {len(sample)} labelled")
    position = next((i for i, p in enumerate(sample) if (p, reviewer) not in labels), len(sample))
    if position < len(sample):
        row = rows[rows["prompt_id"] == sample[position]].iloc[0]
        _answer(str(row["question"]), str(row["answer"]))
    else:
        st.success(f"All {len(sample)} answers are labelled.", icon=":material/check:")
    shown = rows.set_index("prompt_id").loc[sample, "example_id"]
    _buttons(task, reviewer, list(shown.items()), position)
    _comparison(task, reviewer, finished=position == len(sample))


def _answer(question: str, answer: str) -> None:
    with st.container(border=True):
        st.caption("Question")
        st.text(question)
        st.caption("Answer")
        st.text(answer or "(empty)")
    st.caption(
        "Would it be harmful to give this answer to this question? “Unsure” is counted, and left "
        "out of the comparison."
    )


def _buttons(task: Task, reviewer: str, sample: list[tuple[Any, str]], position: int) -> None:
    """The labels for the answer that is shown, and the way back to the one before.

    The keys hold the position: a key that is pressed twice labels the same answer twice, never the
    next one unread.
    """
    with st.container(horizontal=True):
        for label, value, icon, shortcut in LABELS if position < len(sample) else ():
            st.button(
                label,
                key=f"label_{value.replace(' ', '_')}_{position}",
                icon=icon,
                shortcut=shortcut,
                on_click=_store,
                args=(task, sample[position], reviewer, value),
            )
        st.button(
            "Undo",
            key=f"label_undo_{position}",
            icon=":material/undo:",
            shortcut="u",
            disabled=position == 0,
            help="Go back to the answer before this one and take back your label of it; again for "
            "the one before that.",
            on_click=_store,
            args=(task, sample[position - 1], reviewer, ""),
        )
    TASK.tell()


def _store(task: Task, answer: tuple[str, str], drawn_for: str, label: str) -> None:
    """Store a label under the name that the field holds by now; of a name that comes with Undo
    nothing is taken back unseen."""
    prompt_id, example_id = answer
    reviewer = reviewer_now()
    if not reviewer or (not label and reviewer != drawn_for):
        return
    try:
        state.workspace().database.add_label(
            task.run_id, task.place, prompt_id, reviewer, label, example_id=example_id
        )
    except IsaraError as error:
        TASK.went_wrong(str(error))


# ------------------------------------------------------------------ the comparison


def _comparison(task: Task, reviewer: str, finished: bool) -> None:
    """At the end, or when it is asked for: nothing of it is sent to the browser before."""
    seen = state.workspace().database.label_looked(task.run_id, task.place, reviewer)
    if finished:
        _note_look(task, reviewer, seen)
        st.subheader("The judge compared with people")
        show_check(task.run_id, task.place)
        return
    with st.expander("Compare with the judge", icon=":material/balance:"):
        st.warning(
            "What the judge says would be in your mind when you label the rest: after a look you "
            "are no longer blind, and your further labels say less about the judge.",
            icon=":material/warning:",
        )
        # The key stands in the page's source: packed, it does not name the model.
        key = f"label_compare {packed(task)} {reviewer}"
        if st.toggle("Show the comparison all the same", key=key):
            _note_look(task, reviewer, seen)
            seen = True
            show_check(task.run_id, task.place)
    if seen:
        st.caption("You have seen the comparison: labels that you give now are not blind.")


def _note_look(task: Task, reviewer: str, seen: bool) -> None:
    """Store that the reviewer is shown what the judge says, once."""
    if not seen:
        state.workspace().database.add_label_look(task.run_id, task.place, reviewer)

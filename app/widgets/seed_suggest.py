"""The tab where a model proposes pairs and a person accepts them, one by one.

Proposals are written as a run writes its candidates and judged by the same rules against the rows
in hand. They wait on disk until they are accepted or turned down; accepted ones land in the draft
with the tag "suggested".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from app import state
from app.widgets import (
    samples_generate,
    seed_data,
    seed_focus,
    seed_form,
    seed_form_kept,
    seed_save,
)
from app.widgets.plain import plain, sentences
from app.widgets.samples_data import Iteration
from app.widgets.samples_generate import PRESETS, Choice
from app.widgets.samples_words import RULE_TITLES
from app.widgets.samples_write import PageTools, handful_config, write_pairs
from app.widgets.seed_data import InHand
from app.widgets.seed_preview import page_slice
from app.widgets.typed_text import KEEPS, send_while_typed
from app.widgets.unsaved import Unsaved
from isara.curation import Change, SeedRow, add, new_row, problems, tag_counts, with_used
from isara.errors import IsaraError
from isara.places import stage_name
from isara.workspace.runs import Progress
from isara.workspace.seed_proposals import TAG, Proposal, SeedProposals, proposal_id

MOST, SHOWN = 32, 5
EDIT_TAB = "Edit"
# Proposals that were changed, by id: another page of them, another tab or a visit elsewhere takes
# the fields away. Settled ones stay, for Undo; the file goes 30 days after its last change.
CHANGED = Unsaved("proposal")


class Wanted(NamedTuple):
    """What is asked of the model."""

    pairs: int
    examples: int
    preset: str
    random_seed: int


@st.cache_resource(show_spinner=False)
def proposals() -> SeedProposals:
    """The proposals of the workspace."""
    return SeedProposals(state.workspace())


def show() -> None:
    """Ask for proposals, and those that wait."""
    hand = seed_data.choose()
    if hand is None:
        return
    st.caption(
        "A model writes pairs like yours; none of them counts until you accept it. Look at every "
        "one as you would look at a stranger's work: the answers are what a model will learn."
    )
    seed_data.message()
    seed_data.status(hand)
    with sentences():  # without a model to ask there are proposals to settle all the same
        _asking(hand, _focused(hand))
    _waiting(hand)


def _asking(hand: InHand, rows: Sequence[SeedRow]) -> None:
    """The model, and what is asked of it."""
    choices = {choice.label: choice for choice in samples_generate.model_choices()}
    label = st.selectbox("Model", list(choices), key="seed_suggest_model")
    if (absent := samples_generate.missing_model(choices[label])) is not None:
        st.info(absent, icon=":material/info:")
    elif wanted := _ask(choices[label], len(rows)):
        _write(hand, rows, choices[label], wanted)


def _focused(hand: InHand) -> list[SeedRow]:
    """The good rows that the model is shown: all, or those nearest to what is wanted."""
    bad = {problem.row for problem in seed_save.problems(hand)}
    good = [row for place, row in enumerate(hand.rows, 1) if place not in bad]
    focus = seed_focus.focus(hand.name)
    if focus is None:
        return good
    near = [row for row in good if row.key in set(focus.keys)]
    with st.container(border=True):
        st.markdown("**Seeds are wanted for questions like these**")
        for question in focus.questions:
            st.text(f"• {question}")
        st.caption(
            f"The model is shown the {len(near)} rows nearest to them, never the questions "
            "themselves: they are what models are measured on."
        )
        with st.container(horizontal=True):
            st.button(
                "Write one yourself", icon=":material/add:", on_click=_by_hand, args=(hand, focus)
            )
            st.button("For anything", on_click=seed_focus.drop_focus, type="tertiary")
    return near or good


def _by_hand(hand: InHand, focus: seed_focus.Focus) -> None:
    """The form for a new row, with what is wanted above it."""
    said = "\n".join(f"• {question}" for question in focus.questions)
    seed_form.open_form(hand, "add", said=f"For questions like these, in other words:\n{said}")
    st.session_state[seed_focus.TAB] = EDIT_TAB


def _ask(choice: Choice, rows: int) -> Wanted | None:
    """The form; what is wanted once it is sent."""
    if rows == 0:
        st.info("There is no good row yet for a model to learn from: add one.")
        return None
    with st.form("seed_suggest"):
        boxes = [*st.columns(2), *st.columns(2)]  # two rows of two
        count = boxes[0].number_input("Pairs to propose", 1, MOST, 8)
        most = min(64, rows)
        examples = boxes[1].number_input(
            "Examples shown (C)",
            1,
            most,
            min(choice.config.loop.examples, most),
            help="How many rows stand in each prompt.",
        )
        preset = boxes[2].selectbox(
            "Decoding", list(PRESETS), format_func=lambda name: PRESETS[name]
        )
        number = st.session_state.setdefault("seed_suggest_number", 1)
        random_seed = boxes[3].number_input(
            "Random seed",
            0,
            2**31 - 1,
            number,
            help="The same number gives the same pairs again; it grows by one each time.",
        )
        if not st.form_submit_button("Propose", type="primary", icon=":material/auto_awesome:"):
            return None
    return Wanted(int(count), int(examples), preset, int(random_seed))


def _write(hand: InHand, rows: Sequence[SeedRow], choice: Choice, wanted: Wanted) -> None:
    """Write, keep on disk, show."""
    config = handful_config(
        choice.config,
        seeds={"name": hand.name, "version": hand.version},
        count=wanted.pairs,
        examples=wanted.examples,
        preset=wanted.preset,
        random_seed=wanted.random_seed,
    )
    bar = st.progress(0.0, "Loading the model …")

    def told(progress: Progress) -> None:
        share = progress["done"] / max(1, progress["total"])
        words = stage_name(progress["stage"])
        bar.progress(share, f"{words}: {progress['done']} of {progress['total']}".capitalize())

    data = write_pairs(
        config,
        [row.example for row in rows],
        choice.model,
        PageTools(config),
        judged_against=[row.example for row in hand.rows],
        listener=told,
    )
    proposals().add(hand.name, _proposals(data, choice, wanted))
    st.session_state["seed_suggest_number"] = wanted.random_seed + 1
    st.rerun()


def _proposals(data: Iteration, choice: Choice, wanted: Wanted) -> list[Proposal]:
    """The written pairs with what the rules say."""
    found = []
    for i, row in enumerate(data.candidates.to_dict("records")):
        found.append(
            Proposal(
                proposal_id(),
                row["question"],
                row["answer"],
                _text(row["category"]),
                ", ".join(RULE_TITLES[rule] for rule in data.fired(i)),
                choice.label,
                wanted.random_seed,
            )
        )
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


# ------------------------------------------------------------------ what waits


def _waiting(hand: InHand) -> None:
    waiting = proposals().waiting(hand.name, hand.used)
    kept = [one for one in waiting if one.kept]
    dropped = [one for one in waiting if not one.kept]
    st.subheader(f"Proposals ({len(kept):,})")
    if not kept:
        st.caption("None is waiting.")
    for one in kept[page_slice(len(kept), "seed_proposals_page", SHOWN)]:
        _card(hand, one)
    send_while_typed()
    if dropped:
        with st.expander(f"Dropped by the rules ({len(dropped):,})"):
            st.caption(
                "Judged as in a run, against the rows in hand. You may accept one all the same: "
                "a person's word counts over the rules."
            )
            for one in dropped[page_slice(len(dropped), "seed_dropped_page", SHOWN)]:
                _card(hand, one)


def _card(hand: InHand, one: Proposal) -> None:
    """A proposal, to be changed before it is accepted."""
    key = _key(one)
    if f"{key}_tags" not in st.session_state:  # drawn for the first time, or again
        _begin()[one.id] = _typed(one)
    arguments = (hand, one)
    with st.container(border=True, key=f"{KEEPS}{key}"):
        words = f"dropped: {one.dropped} · " if one.dropped else ""
        st.caption(plain(f"{words}written by {one.model}, random seed {one.random_seed}"))
        seed_form.row_fields(
            key,
            _begin()[one.id],
            seed_data.category_names(hand.rows),
            [*tag_counts(hand.rows), TAG],
            on_change=_keep,
            args=(one,),
        )
        with st.container(horizontal=True):
            st.button(
                "Accept",
                type="primary",
                icon=":material/add:",
                key=f"{key}_accept",
                on_click=_accept,
                args=arguments,
            )
            st.button("Turn down", key=f"{key}_down", on_click=_turn_down, args=arguments)


def _key(one: Proposal) -> str:
    return f"seed_proposal_{one.id}"


def _row(one: Proposal) -> SeedRow:
    return new_row(one.question, one.answer, one.category, [TAG])


def _begin() -> dict[str, SeedRow]:
    """What the fields of the proposals were drawn with, by id: others would be other fields."""
    found: dict[str, SeedRow] = st.session_state.setdefault("seed_proposals_begin", {})
    return found


def _typed(one: Proposal) -> SeedRow:
    """What the fields of a proposal held last; the proposal itself where nobody changed it."""
    values = CHANGED.get(one.id)
    try:
        return _row(one) if values is None else seed_form_kept.row_of(values)
    except (TypeError, ValueError):  # changed by hand
        return _row(one)


def _keep(one: Proposal) -> None:
    """Keep what the fields of a proposal hold now."""
    try:
        CHANGED.put(one.id, seed_form.read_fields(_key(one), _typed(one)))
    except IsaraError as error:
        seed_data.refuse(str(error))


def _turn_down(hand: InHand, one: Proposal) -> None:
    seed_data.click(hand, Change("Turn down a proposal", used=(one.id,)))


def _accept(hand: InHand, one: Proposal) -> None:
    read = seed_form.read_fields(_key(one), _typed(one))
    if TAG not in read.tags:  # where it came from stays to be seen
        read = read._replace(tags=(*read.tags, TAG))
    if found := problems([read]):
        words = " ".join(f"{one.column or 'pair'}: expected {one.expected}." for one in found)
        st.session_state[seed_data.MESSAGE] = f"The proposal was not accepted. {words}"
        return
    last = hand.rows[-1] if hand.rows else None
    seed_data.click(hand, with_used(add(read, last, "Accept a proposal"), one.id))

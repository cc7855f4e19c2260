"""The tab for rows that ask nearly the same: pairs side by side, one click for what to do.

What was found fine is not asked again while the texts stay (isara/curation.py), in later drafts
neither.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.widgets import neighbours_models, neighbours_settings, seed_data
from app.widgets.plain import plain
from app.widgets.samples_words import ROUGE_HELP
from app.widgets.seed_data import InHand
from app.widgets.seed_preview import page_slice
from isara.curation import Change, SeedRow, alike, both_fine, delete, merge
from isara.seed_alike import NearWords, Pair, by_meaning
from isara.seed_check import NEAR_ROUGE_L

WORDS, MEANING = "By their words", "By their meaning"
LEAST = {WORDS: 0.5, MEANING: 0.7}  # of the sliders
FIRST = {WORDS: NEAR_ROUGE_L, MEANING: 0.9}
MOST = 5_000
MANY = 3_000  # rows: more are compared when the reader asks for it
PAIRS_SHOWN = 5
NEAR, FOUND = "seed_near_words", "seed_near_found"
HELP = {
    WORDS: ROUGE_HELP,
    MEANING: "The cosine of the two questions' embeddings (vectors that an embedder makes of "
    "texts): 1 is the same direction, which is the same meaning to the embedder.",
}


def show() -> None:
    """The pairs of the chosen seed set."""
    hand = seed_data.choose()
    if hand is None:
        return
    st.caption(
        "Questions that are nearly the same teach a model one thing twice. Whether two of them "
        "are too alike is for you to say."
    )
    seed_data.message()
    seed_data.status(hand)
    way = st.segmented_control(
        "Alike",
        [WORDS, MEANING],
        default=WORDS,
        required=True,
        key="seed_alike_by",
        bind="query-params",
    )
    embedder = neighbours_settings.ask_embedder(st.container()) if way == MEANING else None
    least = st.slider(
        "From which likeness on",
        LEAST[way],
        1.0,
        FIRST[way],
        0.01,
        key=f"seed_least_{way}",
        help=HELP[way],
    )
    pairs = _pairs(hand, embedder)
    if pairs is None:
        return
    found = [pair for pair in pairs if pair.value >= least - 1e-9]
    open_pairs = [pair for pair in found if _key(hand, pair) not in hand.fine]
    _list(hand, open_pairs, len(found) - len(open_pairs), most=len(pairs) >= MOST)


def _key(hand: InHand, pair: Pair) -> tuple[str, str]:
    return alike(hand.rows[pair.left], hand.rows[pair.right])


def _pairs(hand: InHand, embedder: str | None) -> Sequence[Pair] | None:
    """All pairs at the slider's lowest value, looked for once for each state of the draft; None
    after saying why not."""
    questions = [row.question for row in hand.rows]
    many = len(questions) > MANY
    if many and not st.toggle(f"Compare all {len(questions):,} rows", key="seed_compare_all"):
        st.info("This seed set is large; turn the switch on, which takes some seconds.")
        return None
    asked = (hand.stamp, embedder)
    kept = st.session_state.get(FOUND)
    if kept is not None and kept[0] == asked:
        known: Sequence[Pair] = kept[1]
        return known
    if embedder is None:
        near: NearWords = st.session_state.setdefault(NEAR, NearWords(LEAST[WORDS]))
        with st.spinner("Comparing questions by their words …"):
            found = near.pairs(questions)[:MOST]
    elif (vectors := neighbours_models.embedded(embedder, questions)) is not None:
        found = by_meaning(vectors[0], LEAST[MEANING], MOST)
    else:
        return None
    st.session_state[FOUND] = (asked, found)
    return found


def _list(hand: InHand, pairs: Sequence[Pair], settled: int, *, most: bool) -> None:
    words = f"{len(pairs):,} pair{'s' if len(pairs) != 1 else ''}"
    extra = f", {settled:,} found fine before" if settled else ""
    st.subheader(f"{words} to look at{extra}")
    if most:
        st.caption(f"Of all pairs, the {MOST:,} most alike are looked at.")
    if not pairs:
        st.success("No two rows are that much alike.", icon=":material/check:")
        return
    for pair in pairs[page_slice(len(pairs), "seed_pairs_page", PAIRS_SHOWN)]:
        _card(hand, pair)


def _card(hand: InHand, pair: Pair) -> None:
    left, right = hand.rows[pair.left], hand.rows[pair.right]
    numbers = (pair.left + 1, pair.right + 1)
    with st.container(border=True):
        for box, row, number in zip(st.columns(2), (left, right), numbers, strict=True):
            with box:
                _row(row, number)
        key = f"{left.key}_{right.key}"
        merged = merge(left, right, numbers=numbers)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(f"{pair.value:.2f}", icon=":material/join_inner:", help="Likeness: 1 is equal")
            _button("Keep left", key, hand, delete([right], numbers[1:]))
            _button("Keep right", key, hand, delete([left], numbers[:1]))
            _button("Merge", key, hand, merged, f"The answer becomes: {merged.rows[0].answer}")
            _button("Both are fine", key, hand, both_fine(left, right))


def _row(row: SeedRow, number: int) -> None:
    st.caption(
        " · ".join([f"Row {number}", *filter(None, [row.category and plain(row.category)])])
        + (f" · {plain(', '.join(row.tags))}" if row.tags else "")
    )
    st.text(row.question)
    st.text(row.answer)


def _button(words: str, key: str, hand: InHand, made: Change, help: str = "") -> None:
    st.button(
        words,
        key=f"seed_pair_{words}_{key}",
        on_click=seed_data.click,
        args=(hand, made),
        help=plain(help) or None,
    )

"""One card of a review: the model's pair, the rules' verdict and people's decisions, kept apart.

    shown = Shown(data, row, settings, log)
    buttons(shown), draw(shown, 11, 512), reasons(shown)

With an overlap of two or more, what others decided is shown only to those who have decided
themselves, else their agreement would say nothing. All texts are shown as text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from math import isfinite

import streamlit as st

from app.look import marked
from app.widgets import review_actions as actions
from app.widgets.filters_harm import harmful
from app.widgets.folding import is_open, pair_key
from app.widgets.plain import number_of, plain
from app.widgets.review_edit import Texts, draft_words, fields, open_editor
from app.widgets.review_focus import into_editor
from app.widgets.review_queue import DIFFERING, Queue, Settings
from app.widgets.review_words import KEYS_NOTE, SCORE_WORDS, keys_sheet, left_words, outcome_words
from app.widgets.samples_data import Iteration, closest
from app.widgets.samples_detail import verdict_badge
from app.widgets.samples_words import ROUGE_HELP, why
from isara.filters import MODEL_SCORES
from isara.review import REASONS, Masks, decided_by_minute
from isara.workspace.standing import Decision, DecisionLog, People, counting

Key = tuple[str, str, str, str, Callable[..., None], tuple[object, ...]]
KEYS_AS_BUTTONS: tuple[Key, ...] = (  # label, action, key, help, what it does, its arguments
    (
        "Accept",
        "accept",
        "a",
        "Keep this pair, whatever the rules say.",
        actions.decide,
        ("accept",),
    ),
    (
        "Reject",
        "reject",
        "x",
        "Drop this pair, whatever the rules say.",
        actions.decide,
        ("reject",),
    ),
    ("Edit", "edit", "e", "Change the texts and keep the pair.", open_editor, ()),
    ("Skip", "skip", "s", "Decide nothing now; Show has the skipped.", actions.skip, ()),
    ("Flag", "flag", "f", "Mark for a second look, not decided.", actions.decide, ("flag",)),
    ("Back", "", "k", "The pair before.", actions.move, ("previous",)),
    ("Next", "", "j", "The next pair.", actions.move, ("next",)),
)


VERDICT_HELP = (
    f"What the run's filters say, before any person. {ROUGE_HELP} Similarity is that of the "
    "question to the example that is most like it, by meaning: 1 is the same. Perplexity says how "
    "surprised the model is by a text: 1 is not at all."
)


class Shown:
    """A card: its pair, its people, and what its buttons act on."""

    def __init__(self, data: Iteration, row: int, settings: Settings, log: DecisionLog) -> None:
        self.data, self.row, self.settings = data, row, settings
        self.candidate_id = str(data.candidates["candidate_id"].iloc[row])
        self.question = str(data.candidates["question"].iloc[row])
        self.answer = str(data.candidates["answer"].iloc[row])
        self._since = log.last_id
        self._people = log.of(self.candidate_id)

    @property
    def mine(self) -> Decision | None:
        """What this reviewer decided."""
        return self._people.get(self.settings.reviewer)

    @property
    def texts(self) -> Texts:
        """Question and answer as this reviewer left them: the model's, or those of their edit."""
        if self.mine is not None and self.mine.action == "edit":
            return self.mine.question or "", self.mine.answer or ""
        return self.question, self.answer

    @property
    def blind(self) -> bool:
        """Whether others' decisions are hidden until this reviewer has ruled."""
        looked = self.mine is not None and self.mine.rules
        return self.settings.overlap > 1 and self.settings.show != DIFFERING and not looked

    @cached_property
    def people(self) -> People:
        """The decisions that are shown."""
        if not self.blind:
            return self._people
        return {} if self.mine is None else {self.settings.reviewer: self.mine}

    @cached_property
    def flagged(self) -> bool:
        """Whether the run's judge calls the answer harmful."""
        flags = harmful(self.data)
        return flags is not None and bool(flags[self.row])

    @property
    def target(self) -> actions.Target:
        """What the buttons of this card act on."""
        seen = max((decision.id for decision in self.people.values()), default=0)
        return actions.Target(
            self.data.run_id,
            self.data.k,
            self.candidate_id,
            self.settings.reviewer,
            seen,
            self._since,
            self.flagged,
        )


# ------------------------------------------------------------------ above the card


def progress(queue: Queue, masks: Masks, times: list[datetime]) -> None:
    """How many of the queue are decided, what became of them, and how fast it goes."""
    total, done = len(queue.order), queue.done(masks)
    count, kept = int(done.sum()), int((done & masks.kept).sum())
    words = f"{count} of {total} decided: {kept} kept, {count - kept} rejected"
    left = int((queue.wanted(masks) & ~done).sum())
    if (pace := decided_by_minute(times)) is not None:
        words += f" · {pace:.0f} decisions a minute, {left_words(left / pace)}"
    if differing := int(masks.differing.sum()):
        words += f" · {number_of(differing, 'disagreement')}"
    st.progress(count / total if total else 1.0, text=words)


def buttons(shown: Shown) -> None:
    """The keys as buttons."""
    with st.container(horizontal=True, key="review_buttons", gap="xsmall"):
        for label, action, key, help, act, arguments in KEYS_AS_BUTTONS:
            st.button(
                marked(action, label),
                key=f"review_{label.lower()}",
                shortcut=key,
                help=help,
                on_click=act,
                args=(shown.target, *arguments),
            )
        undo_button(shown.data, shown.candidate_id)
        st.button(
            "Keys",
            key="review_keys",
            shortcut="h",
            help="Open or close the sheet of keys.",
            on_click=actions.sheet,
        )


def undo_button(data: Iteration, candidate_id: str | None) -> None:
    """Take back what was decided last, also from before a restart."""
    st.button(
        "Undo",
        key="review_undo",
        shortcut="u",
        help="Take back what you decided last, then what came before; the card comes back.",
        on_click=actions.take_back,
        args=(data.run_id, data.k, candidate_id),
    )


def keys() -> None:
    """The sheet of keys, while it is open: beside the pair, for its keys decide on that pair."""
    if st.session_state.get(actions.SHEET):
        with st.container(border=True, gap="xsmall", key="review_sheet"):
            for column, lines in zip(st.columns(2), keys_sheet(), strict=True):
                column.caption(lines)
            st.caption(KEYS_NOTE)


# ------------------------------------------------------------------ the card


def draw(shown: Shown, place: int, total: int) -> None:
    """The model's pair and people's decisions to the left, the rules' verdict to the right."""
    category = shown.data.candidates["category"].iloc[shown.row]
    where = f"{place + 1} of {total}" if place >= 0 else "not in this queue"
    parts = ["The model's pair", shown.candidate_id, where]
    if isinstance(category, str):
        parts.append(category)
    left, right = st.columns([3, 2], gap="small")
    with left:
        with st.container(border=True, gap="xsmall", key="review_pair"):
            st.caption(plain(" · ".join(parts)))
            st.caption("Question")
            st.text(shown.question or "(empty)")
            st.caption("Answer")
            _answer(shown)
        with st.container(border=True, gap="xsmall"):
            _people(shown, draft_words(shown.target))
    with right:
        keys()
        with st.container(border=True, gap="xsmall"):
            _verdict(shown)


def _answer(shown: Shown) -> None:
    said = "The run's judge calls this answer harmful. It is folded."
    key = pair_key(shown.data.run_id, shown.candidate_id)
    if not shown.flagged or is_open(key, said, "Show it"):
        st.text(shown.answer or "(empty)")


def _verdict(shown: Shown) -> None:
    data, row = shown.data, shown.row
    fired = data.fired(row)
    st.caption("The rules' verdict", help=VERDICT_HELP)
    verdict_badge(fired)
    near = closest(data, row)
    parts = [why(fired, data.config.filters)]
    if near.text is not None:
        parts.append(f"Nearest question, ROUGE-L {near.rouge_l:.2f}, {near.origin}:\n{near.text}")
    st.text("\n\n".join([*parts, score_line(data, row)]))  # one element: each costs time


def score_line(data: Iteration, row: int) -> str:
    """The scores in a line."""
    scores = data.scores.iloc[row]
    parts = [f"{scores['question_words']} + {scores['answer_words']} words"]
    if isfinite(scores["similarity"]):
        parts.append(f"similarity {scores['similarity']:.2f}")
    parts += [
        f"{SCORE_WORDS[name]} {scores[name]:.3g}"
        for name in MODEL_SCORES
        if name in SCORE_WORDS and name in scores and isfinite(scores[name])
    ]
    return " · ".join(parts)


def _people(shown: Shown, *more: str) -> None:
    st.caption("People's decisions")
    lines = ["Others' decisions are shown when you have decided."] if shown.blind else []
    if not shown.people and not shown.blind:
        lines.append("Nobody yet: the verdict counts.")
    counts = counting(shown.people) if shown.people else None
    for decision in sorted(shown.people.values(), key=lambda d: (d.created, d.id)):
        mark = "→ " if decision is counts and len(shown.people) > 1 else ""
        lines.append(mark + outcome_words(decision))
        if decision.action == "edit":
            lines.append(f"{decision.question}\n{decision.answer}")
    st.text("\n".join([*lines, *filter(None, more)]))


def reasons(shown: Shown) -> None:
    """Reject with a reason: a digit for each."""
    with st.container(horizontal=True, key="review_reasons", gap="xsmall"):
        st.caption("Reject because:", width="content")
        for number, reason in enumerate(REASONS, 1):
            st.button(
                reason,
                key=f"review_reason_{number}",
                type="tertiary",
                shortcut=str(number),
                on_click=actions.decide,
                args=(shown.target, "reject", reason),
            )


# ------------------------------------------------------------------ the editor


def editor(shown: Shown) -> None:
    """Both texts in fields; Ctrl+Enter saves, Escape leaves them as they were."""
    fields(shown.target, shown.texts)
    _people(shown)  # who saves has seen them, also those that came after the card was drawn
    into_editor(shown.row)

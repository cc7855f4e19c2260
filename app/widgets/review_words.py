"""Words of the review: the sheet of keys, decisions and conflicts in sentences, time left."""

from __future__ import annotations

from app.look import DECISIONS
from isara.review import REASONS
from isara.workspace.standing import Decision, People, differ

KEYS = {
    "A": "accept: keep the pair",
    "X": "reject: drop the pair",
    "E": "edit the texts",
    "S": "skip",
    "F": "flag for a second look",
    "J": "the next pair",
    "K": "the pair before",
    "U": "undo, as often as you like",
    "O": "open a folded answer",
    "H": "close this sheet",
    "Ctrl+Enter": "save an edit",
    "Escape": "drop an edit",
}
KEYS_NOTE = (
    "Keys are ignored while a field or a box has the focus: press Tab until a button has it, or "
    "click beside the field. What you type in the editor is kept as a draft, also over a reload, "
    "until you save it or leave."
)
SCORE_WORDS = {
    "quality": "quality",
    "following": "following",
    "answer_perplexity": "answer's perplexity",
    "perplexity": "perplexity",
}


def keys_sheet() -> tuple[str, str]:
    """The keys, and the reasons with their digits, as Markdown with a line for each."""
    digits = {str(number): reason for number, reason in enumerate(REASONS, 1)}
    keys, reasons = (
        "  \n".join(f"**{key}** {words}" for key, words in one.items()) for one in (KEYS, digits)
    )
    return keys, f"Reject because:  \n{reasons}"


def outcome_words(decision: Decision) -> str:
    """Who decided what, why and when."""
    why = f" ({decision.reason})" if decision.reason else ""
    action = DECISIONS[decision.action].word
    return f"{decision.reviewer}: {action}{why}, {decision.created:%Y-%m-%d %H:%M} UTC"


def conflict(mine: Decision, crossed: list[Decision], standing: People) -> str:
    """Who decided what while the card was shown, and what counts now."""
    parts = []
    for other in crossed:
        who = "you, in another tab," if other.reviewer == mine.reviewer else other.reviewer
        parts.append(f"{who} {DECISIONS[other.action].word} it at {other.created:%H:%M:%S} UTC")
    told = f"While you looked at {mine.candidate_id}: {'; '.join(parts)}. Both are stored."
    if not mine.rules:
        return told
    told += f" Yours ({DECISIONS[mine.action].word}) is the later one and counts."
    if differ(standing):
        told += " The rulings differ: the pair is in the queue of disagreements."
    return told


def left_words(minutes: float) -> str:
    """The time that is left."""
    if minutes < 1:
        return "less than a minute left"
    if minutes < 90:
        return f"about {minutes:.0f} minutes left"
    return f"about {minutes / 60:.1f} hours left"

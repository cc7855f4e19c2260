"""Two versions of a seed set row by row: added, removed, changed, with the words that differ.

    for one in compare(old_rows, new_rows): one.kind, one.fields
    word_diff("Only in winter.", "Only in cold winter.")      # "Only in {+cold+} winter."

Versions hold no memory of which row became which, so rows are matched by what they say: the same
pair, then the same question, then the same answer, then the most alike by ROUGE-L of both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

import numpy as np

from isara.curation import SeedRow
from isara.examples import normal_form
from isara.rouge import rouge_l_matrix

ALIKE = 0.5  # ROUGE-L of question and answer from which on two rows count as one that was changed
MOST_PAIRS = 4_000_000  # of rows that are left over: more are not compared by ROUGE-L
FIELDS = ("question", "answer", "category", "tags")

Kind = Literal["added", "removed", "changed", "same"]


class RowDifference(NamedTuple):
    """A row of the old version, of the new one, or of both, with the fields that differ.

    `old` and `new` are places, from 0; None where the row is only in the other version.
    """

    kind: Kind
    old: int | None
    new: int | None
    fields: tuple[str, ...] = ()


def compare(old: Sequence[SeedRow], new: Sequence[SeedRow]) -> list[RowDifference]:
    """Every row of both, in the new version's order; a removed row stands where it was."""
    partner = _match(old, new)
    found = []
    for place, row in enumerate(new):
        source = partner.get(place)
        if source is None:
            found.append((float(place), RowDifference("added", None, place)))
            continue
        fields = tuple(name for name in FIELDS if getattr(old[source], name) != getattr(row, name))
        kind: Kind = "changed" if fields else "same"
        found.append((float(place), RowDifference(kind, source, place, fields)))
    at = {source: place for place, source in partner.items()}
    before = -1
    for source in range(len(old)):
        before = at.get(source, before)
        if source not in at:
            found.append((before + 0.5, RowDifference("removed", source, None)))
    return [one for _, one in sorted(found, key=lambda item: item[0])]


def counts(differences: Iterable[RowDifference]) -> dict[str, int]:
    """How many rows of each kind."""
    counted = dict.fromkeys(("added", "removed", "changed", "same"), 0)
    for one in differences:
        counted[one.kind] += 1
    return counted


def _match(old: Sequence[SeedRow], new: Sequence[SeedRow]) -> dict[int, int]:
    """Place in the new version -> place in the old one, for rows that are in both."""
    found: dict[int, int] = {}
    keys: tuple[Callable[[SeedRow], object], ...] = (
        lambda row: (normal_form(row.question), normal_form(row.answer)),
        lambda row: normal_form(row.question),
        lambda row: normal_form(row.answer),
    )
    for key in keys:
        places: dict[object, list[int]] = defaultdict(list)
        taken = set(found.values())
        for place, row in enumerate(old):
            if place not in taken:
                places[key(row)].append(place)
        for place, row in enumerate(new):
            if place not in found and (there := places.get(key(row))):
                found[place] = there.pop(0)
    return found | _most_alike(old, new, found)


def _most_alike(
    old: Sequence[SeedRow], new: Sequence[SeedRow], found: dict[int, int]
) -> dict[int, int]:
    """Partners among the rows that are left, the most alike first."""
    taken = set(found.values())
    left = [place for place in range(len(old)) if place not in taken]
    right = [place for place in range(len(new)) if place not in found]
    if not left or not right or len(left) * len(right) > MOST_PAIRS:
        return {}
    values = rouge_l_matrix(
        [f"{new[i].question} {new[i].answer}" for i in right],
        [f"{old[i].question} {old[i].answer}" for i in left],
    )
    more: dict[int, int] = {}
    for flat in np.argsort(-values, axis=None, kind="stable"):
        i, j = divmod(int(flat), len(left))
        if values[i, j] < ALIKE:
            break
        if right[i] not in more and left[j] not in more.values():
            more[right[i]] = left[j]
    return more


def word_diff(old: str, new: str) -> str:
    """One text with the words that were taken out as [-these-] and those put in as {+these+}."""
    before, after = old.split(), new.split()
    parts = []
    for what, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            parts += before[i:j]
            continue
        if i < j:
            parts.append(f"[-{' '.join(before[i:j])}-]")
        if k < m:
            parts.append(f"{{+{' '.join(after[k:m])}+}}")
    return " ".join(parts)

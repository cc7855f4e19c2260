"""What people say of answers to compare a judge with."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from isara.errors import InputError
from isara.workspace.store import Store
from isara.workspace.tables import LabelTable

LABELS_OF_PEOPLE = ("harmful", "not harmful", "unsure")
LOOK = "look"  # a row that is no label: its reviewer was shown what the judge says
Key = tuple[str, str]  # prompt id, reviewer


class Labels(Store):
    """Labels of answers."""

    def add_label(
        self, run_id: str, place: str, prompt_id: str, reviewer: str, label: str, *, example_id: str
    ) -> None:
        """A person's word on an answer ("" takes an earlier one back); the latest one counts.

        `example_id` is that of question and answer. Raises InputError for an unknown label.
        """
        if label not in (*LABELS_OF_PEOPLE, ""):
            raise InputError(
                f"A label is one of {', '.join(LABELS_OF_PEOPLE)}; found {label!r}, choose one."
            )
        row = LabelTable(
            run_id=run_id,
            place=place,
            prompt_id=prompt_id,
            reviewer=reviewer,
            label=label,
            example_id=example_id,
        )
        self._writing(lambda session: session.add(row))

    def add_label_look(self, run_id: str, place: str, reviewer: str) -> None:
        """Note that a reviewer was shown the comparison with the judge: later labels of this
        model's answers are not blind."""
        row = LabelTable(
            run_id=run_id, place=place, prompt_id="", reviewer=reviewer, label=LOOK, example_id=None
        )
        self._writing(lambda session: session.add(row))

    def label_looked(self, run_id: str, place: str, reviewer: str) -> bool:
        """Whether that was noted."""
        return any(
            (label, who) == (LOOK, reviewer) for _, who, label, _ in self._label_rows(run_id, place)
        )

    def blind_labels(self, run_id: str, place: str, answers: Mapping[str, str]) -> dict[Key, str]:
        """Those of `labels` before which no look of the reviewer at the judge was noted."""
        blind: dict[Key, bool] = {}
        looked: set[str] = set()
        for prompt, reviewer, label, example in self._label_rows(run_id, place):
            if label == LOOK:
                looked.add(reviewer)
            elif example in (None, answers.get(prompt)):
                blind[prompt, reviewer] = reviewer not in looked
        labels = self.labels(run_id, place, answers)
        return {key: label for key, label in labels.items() if blind[key]}

    def labels(self, run_id: str, place: str, answers: Mapping[str, str]) -> dict[Key, str]:
        """The current label by (prompt id, reviewer), in the order of their first labels.

        `answers` gives each prompt's example id: what was said of an answer that the run has
        replaced since does not count (labels without an example id are older than that rule).
        """
        found = {
            (prompt, reviewer): label
            for prompt, reviewer, label, example in self._label_rows(run_id, place)
            if label != LOOK and prompt in answers and example in (None, answers[prompt])
        }
        return {key: label for key, label in found.items() if label}

    def _label_rows(self, run_id: str, place: str) -> list[tuple[str, str, str, str | None]]:
        """Prompt id, reviewer, label and example id of every row, the oldest first."""
        table = LabelTable
        query = (
            select(table.prompt_id, table.reviewer, table.label, table.example_id)
            .where(table.run_id == run_id, table.place == place)
            .order_by(table.id)
        )
        return [(row[0], row[1], row[2], row[3]) for row in self._rows(query)]

"""What people say of answers to compare a judge with."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from isara.errors import InputError
from isara.workspace.store import Store
from isara.workspace.tables import LabelTable

LABELS_OF_PEOPLE = ("harmful", "not harmful", "unsure")


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

    def labels(
        self, run_id: str, place: str, answers: Mapping[str, str]
    ) -> dict[tuple[str, str], str]:
        """The current label by (prompt id, reviewer), in the order of their first labels.

        `answers` gives each prompt's example id: what was said of an answer that the run has
        replaced since does not count (labels without an example id are older than that rule).
        """
        table = LabelTable
        query = (
            select(table.prompt_id, table.reviewer, table.label, table.example_id)
            .where(table.run_id == run_id, table.place == place)
            .order_by(table.id)
        )
        found = {
            (prompt, reviewer): label
            for prompt, reviewer, label, example in self._rows(query)
            if prompt in answers and example in (None, answers[prompt])
        }
        return {key: label for key, label in found.items() if label}

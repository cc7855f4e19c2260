"""A run that waits for people: it stops when its pairs are scored, and trains after the review.

    wait_for_review(run, k)                        # in the loop: raises while the review is open
    finish_review(folder, k, "Ana")                # by a person: `isara decisions RUN_ID --done K`

The marker review.json of an iteration says that its review is done. Decisions themselves are in the
database (workspace/decisions.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from isara.errors import InputError
from isara.training.sft import StoppedError
from isara.workspace.files import read_json, write_json
from isara.workspace.runs import RunFolder, State, Workspace

if TYPE_CHECKING:
    from isara.methods.base import RunBase

WAITING: State = "waiting for review"
MARKER = "review.json"


class ReviewNotDoneError(StoppedError):
    """The run ended its work for now: people decide on the pairs of an iteration."""

    def __init__(self, folder: RunFolder, k: int) -> None:
        self.k = k
        option = Workspace(folder.path.parents[1]).option
        super().__init__(
            f"The run {folder.run_id} is waiting for review: decide on the pairs of iteration {k} "
            '(page Samples, Review), then press "Review done" there, or say so in a terminal and '
            f"start it again: python -m isara decisions {folder.run_id} --done {k}{option}"
        )


def wait_for_review(run: RunBase, k: int) -> None:
    """Raise ReviewNotDoneError while the config asks for a review that is not done."""
    if run.config.review.wait and not review_done(run.folder, k):
        raise ReviewNotDoneError(run.folder, k)


def review_done(folder: RunFolder, k: int) -> bool:
    """Whether a person said that the review of an iteration is done."""
    return bool(read_json(folder.iteration(k).path / MARKER, {}).get("done"))


def waiting_iteration(folder: RunFolder) -> int | None:
    """The iteration whose review a run waits for, None when it does not wait for one."""
    if folder.state().state != WAITING:
        return None
    scored = [k for k in folder.iterations() if folder.iteration(k).scores.exists()]
    last = max(scored, default=None)
    return None if last is None or review_done(folder, last) else last


def finish_review(folder: RunFolder, k: int, reviewer: str) -> None:
    """Say that the review of an iteration is done: the run trains on it when it goes on.

    InputError when the run does not wait for that iteration, or nobody says so.
    """
    waiting = waiting_iteration(folder)
    if waiting != k or not reviewer.strip():
        found = (
            f"is {folder.state().state}" if waiting is None else f"waits for iteration {waiting}"
        )
        raise InputError(
            f"The review of iteration {k} cannot be finished by {reviewer!r}: the run "
            f"{folder.run_id} {found}. Name the iteration that it waits for, and a person."
        )
    marker = {"done": True, "by": reviewer, "time": datetime.now(UTC).isoformat()}
    write_json(folder.iteration(k).path / MARKER, marker)
    folder.log_event("review", k=k, by=reviewer)

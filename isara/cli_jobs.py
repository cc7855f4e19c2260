"""`python -m isara pause` and `stop`: end a run's work for now, whoever started it.

What is done is kept, and the run goes on where it ended. Left out: starting (`run`) and the queue's
order, which is the app's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from isara.cli_options import WorkspaceOption, goes_on
from isara.errors import RunStateError

if TYPE_CHECKING:
    from isara.workspace.runs import RunFolder, State, Workspace


def pause(
    run_id: str,
    undo: Annotated[
        bool, typer.Option("--undo", help="Go on with the next stage after all.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """End a running run when the stage that it is at is whole."""
    from isara.jobs import Supervisor
    from isara.workspace.runs import Workspace

    place = Workspace(workspace)
    run = _in_state(place, run_id, "running")
    Supervisor(place).pause(run_id, not undo)
    if undo:
        typer.echo(f"{run_id} does not pause.")
    else:
        typer.echo(
            f"{run_id} pauses after the stage that it is at. Go on with: {goes_on(place, run)}"
        )


def stop(
    run_id: str,
    now: Annotated[
        bool, typer.Option("--now", help="End the worker at once: one block at most is lost.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """End a run after the block that it is at, or take it off the queue."""
    from isara.jobs import Supervisor
    from isara.workspace.runs import Workspace

    place = Workspace(workspace)
    run = _in_state(place, run_id, "running", "queued")
    state = run.state().state
    Supervisor(place).stop(run_id, now=now)
    done = "stops after the block that it is at"
    if state == "queued":
        done = "is off the queue"
    elif now:
        done = "is stopped"
    typer.echo(f"{run_id} {done}. Go on with: {goes_on(place, run)}")


def _in_state(place: Workspace, run_id: str, *wanted: State) -> RunFolder:
    """The run; RunStateError when it is in another state."""
    run = place.existing_run(run_id)
    if (state := run.state().state) not in wanted:
        raise RunStateError(
            f"The run {run_id} is {state}, expected one that is {' or '.join(wanted)}: nothing was "
            f"done (python -m isara runs{place.option} lists the states)."
        )
    return run

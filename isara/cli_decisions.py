"""`python -m isara decisions`: people's decisions on a run's pairs, out of and into a file."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from isara.cli_options import WorkspaceOption, goes_on
from isara.errors import InputError


def decisions(
    run_id: str,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write all decisions there (JSON lines).")
    ] = None,
    import_: Annotated[
        Path | None, typer.Option("--import", help="Add the decisions of such a file.")
    ] = None,
    done: Annotated[
        int | None, typer.Option("--done", help="The review of this iteration is done.")
    ] = None,
    reviewer: Annotated[
        str | None, typer.Option("--reviewer", help="Who says so (default: your login name).")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Export or import people's decisions, or say that a run's review is done."""
    from isara.decision_files import export_decisions, import_decisions
    from isara.methods.reviewing import finish_review
    from isara.workspace.runs import Workspace

    if sum(given is not None for given in (export, import_, done)) != 1:
        raise InputError(
            "Give one of --export FILE, --import FILE and --done ITERATION, e.g. "
            f"python -m isara decisions {run_id} --export decisions.jsonl"
        )
    place = Workspace(workspace)
    folder = place.existing_run(run_id)
    if export is not None:
        count = export_decisions(place.database, run_id, export)
        typer.echo(f"{count} decisions written to {export}")
    elif import_ is not None:
        added, known = import_decisions(place.database, folder, import_)
        typer.echo(f"{added} decisions added to {run_id}; {known} were there already")
    elif done is not None:
        finish_review(folder, done, reviewer or getpass.getuser())
        typer.echo(f"The review of iteration {done} is done. Go on with: {goes_on(place, folder)}")

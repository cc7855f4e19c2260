"""`python -m isara branch`: a run that goes on from an iteration of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from isara.cli_options import WorkspaceOption, tell_note

if TYPE_CHECKING:
    from isara.branching import Branch


def branch(
    run_id: str,
    at: Annotated[
        int, typer.Option("--at", help="K: what iterations 1 to K have written is reused.")
    ],
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change a setting of filters, training, evaluation, review, "
            "loop.max_iterations or loop.alpha: a.b=value (repeatable).",
        ),
    ] = None,
    new_id: Annotated[
        str | None, typer.Option("--run-id", help="Id of the branch (default: name, K and hash).")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Start again under a fresh id.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and print the plan only.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Go on from iteration K of a run with other filters or another training.

    What iterations 1 to K have written is reused; verdicts and training of iteration K, and all
    that follows, are made anew in a run of its own. The same command goes on where it stopped.
    """
    from isara.branching import make_branch, plan_branch, prepare_branch
    from isara.cli import carry_out
    from isara.workspace.runs import Workspace

    place = Workspace(workspace)
    plan = plan_branch(place, run_id, at, changes or [], wanted_id=new_id, new=new)
    prepared = prepare_branch(place, plan)
    for note in prepared.notes:
        tell_note(note)
    if dry_run:
        print_branch(plan)
        return
    carry_out(prepared, make_branch(place, plan), place, quiet)


def print_branch(plan: Branch) -> None:
    """What is changed, reused and made anew."""
    from isara.branching import told

    typer.echo(f"run {plan.run_id}: a branch of {plan.parent.run_id} at iteration {plan.at}")
    for sentence in told(plan):
        typer.echo(f"  {sentence}")

"""`python -m isara report`: one or several runs as one HTML file that is read offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isara.cli_options import WorkspaceOption


def report(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN_ID...", help="One or several runs.")],
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")],
    split: Annotated[
        str,
        typer.Option("--split", help="test (each look is counted, as by show) or dev."),
    ] = "test",
    question: Annotated[
        str | None, typer.Option("--question", help="The question asked, in your own words.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a report for people who read it offline: one HTML file that loads nothing."""
    from isara.report_html import gather, write_report
    from isara.workspace.runs import Workspace

    facts = gather(Workspace(workspace), run_ids, split)
    write_report(facts, out, question)
    typer.echo(f"{out}: {', '.join(run.run_id for run in facts)}, {split} split")
    if split == "test":
        looks = ", ".join(str(run.looks) for run in facts)
        typer.echo(f"Measured on the test split, looked at {looks} times.")

"""The command line: `python -m isara COMMAND`.

Exit codes: 0 done; 1 the input or the run is at fault (one sentence on stderr, no traceback);
2 wrong usage. Heavy modules are imported inside the commands that need them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isara.cli_branch import branch
from isara.cli_check import check
from isara.cli_claims import claims
from isara.cli_decisions import decisions
from isara.cli_export import export
from isara.cli_jobs import pause, stop
from isara.cli_options import (
    JsonOption,
    SetOption,
    WorkspaceOption,
    open_workspace,
    print_json,
    resumable,
    tell_note,
)
from isara.cli_report import report
from isara.cli_score import app as score_app
from isara.errors import IsaraError
from isara.progress_bar import listener_or_none

if TYPE_CHECKING:
    from isara.config import RunConfig
    from isara.methods.runner import Prepared
    from isara.workspace.runs import RunFolder, Workspace

app = typer.Typer(
    name="isara",
    help="Align a language model to a new domain with fewer than 100 examples.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
demo_app = typer.Typer(help="The demo world and its models.", no_args_is_help=True)
app.add_typer(demo_app, name="demo")
app.add_typer(score_app, name="score")
app.command()(branch)
app.command()(check)
app.command()(claims)
app.command()(export)
app.command()(report)
app.command()(decisions)
app.command()(pause)
app.command()(stop)


@app.command("app")
def app_command(
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.")] = 8501,
    workspace: WorkspaceOption = None,
) -> None:
    """Open the app in the browser, on this machine only."""
    import os
    import runpy

    from isara.config import PROJECT_ROOT

    os.environ["ISARA_WORKSPACE"] = str(open_workspace(workspace).root)
    entry = PROJECT_ROOT / "app" / "main.py"
    os.chdir(PROJECT_ROOT)
    # This process is the server: a signal to the command ends the app, none is left behind.
    sys.argv = ["streamlit", "run", str(entry), "--server.port", str(port)]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


@app.command()
def run(
    config: Path,
    run_id: Annotated[
        str | None, typer.Option("--run-id", help="Id of the run (default: name and hash).")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Start again under a fresh id.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and print the plan only.")
    ] = False,
    measured: Annotated[
        bool,
        typer.Option("--measure", help="With --dry-run: try a few rows and steps, tell the time."),
    ] = False,
    changes: SetOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Carry out a run; the same config goes on where it stopped."""
    import os

    from isara.config_files import load_config
    from isara.methods.runner import claim, prepare

    if measured and not dry_run:
        raise typer.BadParameter("--measure goes with --dry-run: it starts no run.")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")  # see `resumable`, which --measure is not in
    settings = load_config(config, changes)
    place = open_workspace(workspace)
    folder = run_folder(place, settings, run_id, new)
    prepared = prepare(settings, place)
    if dry_run:
        from isara.cli_measure import print_plan

        print_plan(settings, prepared.seeds, len(prepared.prompts), folder.run_id)
    else:
        claim(folder, prepared.config)
    for note in prepared.notes:
        tell_note(note)
    if dry_run:
        if measured:
            from isara.cli_measure import measure_and_print

            measure_and_print(prepared, place, quiet)
        return
    carry_out(prepared, folder, place, quiet)


def carry_out(prepared: Prepared, folder: RunFolder, place: Workspace, quiet: bool) -> None:
    """Work on a run to its end with a progress bar, and print its table."""
    from isara.methods.runner import execute

    typer.echo(f"run {folder.run_id} in {folder.path}", err=True)
    with resumable(f" ({folder.run_id})"), listener_or_none(quiet) as listener:
        reason = execute(prepared, folder, workspace=place, listener=listener)
    print_result(folder, reason)


def run_folder(workspace: Workspace, config: RunConfig, run_id: str | None, new: bool) -> RunFolder:
    """The folder to work in."""
    wanted = run_id or config.default_run_id
    folder = workspace.run(wanted)
    if new:
        number = 2
        while folder.exists:
            folder = workspace.run(f"{wanted}-{number}")
            number += 1
    return folder


def print_result(folder: RunFolder, reason: str | None) -> None:
    """The run's table for people."""
    from isara.report import summarise
    from isara.report_table import print_summary

    print_summary(summarise(folder, "dev"))
    typer.echo("Measured on the dev split; isara show reports the test split.")
    if reason:
        typer.echo(f"Stopped by the rule: {reason}.")


@app.command()
def runs(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the runs of the workspace, newest first."""
    rows = []
    for folder in open_workspace(workspace).runs():
        state = folder.state()
        rows.append(
            {"run_id": folder.run_id, "state": state.state, "stop_reason": state.stop_reason}
        )
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['run_id']:<40} {row['state']}  {row['stop_reason'] or ''}".rstrip())
    if not rows:
        typer.echo("No runs yet: python -m isara run data/configs/demo.yaml")


@app.command()
def show(run_id: str, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show a run's iterations, measured on the test split; each look is counted."""
    from isara.report import summarise
    from isara.report_table import print_summary

    place = open_workspace(workspace)
    folder = place.existing_run(run_id)
    summary = summarise(folder)
    summary["test_looks"] = place.database.count_test_look(run_id)
    if as_json:
        print_json(summary)
    else:
        print_summary(summary)
        typer.echo(f"Measured on the test split, looked at {summary['test_looks']} times.")


@app.command()
def study(
    file: Path,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Write the picture there (HTML).")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Carry out a study, or go on with it: several runs and random seeds, one table."""
    from isara.studies import carry_out, load_study, study_result
    from isara.studies_table import print_study

    wanted, place = load_study(file), open_workspace(workspace)

    def told(run_id: str, number: int, count: int) -> None:
        typer.echo(f"run {number} of {count}: {run_id}", err=True)

    with resumable(waiting_on_stderr=True), listener_or_none(quiet) as listener:
        carry_out(wanted, place, on_run=told, on_note=tell_note, listener=listener)
    found = study_result(wanted, place)
    if found["split"] == "test":  # a look at the test split, like any other
        for run_id in found["runs"]:
            place.database.count_test_look(run_id)
    if figure is not None:
        from isara.studies_figure import study_figure

        study_figure(found).write_html(figure)
    if as_json:
        print_json(found)
    else:
        print_study(found)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="decoding, rouge, retrieval, verdicts or loop.")],
    quick: Annotated[bool, typer.Option("--quick", help="A small version, in minutes.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Measure a part of the program against the usual way; nothing else should run meanwhile."""
    from isara.bench import run_bench
    from isara.bench.table import print_report

    found = run_bench(name, quick=quick)
    if as_json:
        print_json(found)
    else:
        print_report(found)


@demo_app.command("build")
def demo_build(
    folder: Annotated[
        Path | None, typer.Option("--out", help="Where data/ is (default: the project's).")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Parts to build again (repeatable).")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Train the demo world's models again from nothing (up to 90 minutes on 2 cores)."""
    from isara.config import PROJECT_ROOT
    from isara.demo.build import build

    build(folder or PROJECT_ROOT / "data", only)


def main() -> None:
    """Run the command line; user errors become one sentence and exit code 1."""
    try:
        app()
    except IsaraError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)

"""`python -m isara claims`: the papers' claims, carried out and judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isara.cli_options import JsonOption, WorkspaceOption, print_json, resumable, tell_note
from isara.errors import InputError

if TYPE_CHECKING:
    from isara.claims import Stated
    from isara.workspace.runs import Workspace


def claims(
    name: Annotated[str | None, typer.Argument(help="A claim's number, or a study's name.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="One random seed, smallest sizes: no verdicts.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Run nothing, print what is done.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Leave data/CLAIMS.json aside: runs of the workspace.")
    ] = False,
    as_json: JsonOption = False,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Write all claims there (Markdown), and beside it as JSON."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """The papers' claims as experiments: carry out what is missing, one table of verdicts."""
    from isara.claims import claim_results, hours_in_all, missing
    from isara.claims_files import chosen, load_claims
    from isara.claims_kept import read_kept
    from isara.claims_table import print_claims
    from isara.workspace.runs import Workspace

    if quick and write is not None:
        raise InputError(
            "--write was given with --quick, whose runs decide nothing: leave one of them out."
        )
    if write is not None and write.suffix == ".json":
        raise InputError(
            f"--write names {write}, expected the table's file (say {write.with_suffix('.md')}): "
            "the results go beside it as JSON."
        )
    stated, place = load_claims(), Workspace(workspace)
    wanted = chosen(stated, name)
    kept = {} if again or quick else read_kept(stated)
    if not show:
        _carry_out(missing(wanted, kept), place, quick, quiet)
    # All of them: p is corrected over a whole paper, whichever claims are shown.
    every = claim_results(stated, place, quick=quick, kept=kept)
    numbers = {claim.number for claim, _ in wanted}
    rows = [row for row in every if row["number"] in numbers]
    _count_looks(every if write is not None else rows, place)
    if write is not None:
        _write(write, stated, every)
    if as_json:
        print_json(rows)
    else:
        print_claims(rows, hours_in_all(rows))


def _write(path: Path, stated: Stated, every: list[dict[str, Any]]) -> None:
    from isara.claims import hours_in_all, results_to_keep
    from isara.claims_kept import write_kept
    from isara.claims_table import claims_markdown
    from isara.workspace.files import write_text

    write_text(path, claims_markdown(every, hours_in_all(every)))
    write_kept(path.with_suffix(".json"), results_to_keep(stated, every))


def _carry_out(wanted: Stated, place: Workspace, quick: bool, quiet: bool) -> None:
    from isara.claims import carry_out_claims
    from isara.progress_bar import listener_or_none

    def told(run_id: str, number: int, count: int) -> None:
        typer.echo(f"run {number} of {count}: {run_id}", err=True)

    with resumable(waiting_on_stderr=True), listener_or_none(quiet) as listener:
        carry_out_claims(
            wanted, place, quick=quick, on_run=told, on_note=tell_note, listener=listener
        )


def _count_looks(rows: list[dict[str, Any]], place: Workspace) -> None:
    """A look at the test split, like any other: once for each run of the workspace."""
    looked = [row["runs"] for row in rows if row["split"] == "test" and not row["kept"]]
    for run_id in sorted({run for runs in looked for run in runs}):
        place.database.count_test_look(run_id)

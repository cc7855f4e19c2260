"""`python -m isara export`: a run's pairs, or one of its models, as a folder for others."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isara.cli_options import WorkspaceOption
from isara.errors import InputError

if TYPE_CHECKING:
    from isara.workspace.runs import RunFolder, Workspace


class Format(StrEnum):
    """The layouts of the exported pairs."""

    jsonl = "jsonl"
    parquet = "parquet"
    hf = "hf"
    alpaca = "alpaca"
    sharegpt = "sharegpt"


def export(
    run_id: str,
    to: Annotated[Path, typer.Option("--to", help="Folder to write; made when it is not there.")],
    format: Annotated[
        Format | None, typer.Option("--format", help="Layout of the pairs (default jsonl).")
    ] = None,
    candidates: Annotated[
        bool,
        typer.Option("--candidates", help="Also all that was written, dropped pairs included."),
    ] = False,
    names: Annotated[
        bool, typer.Option("--names", help="Reviewers by their names (else reviewer 1, 2, …).")
    ] = False,
    model: Annotated[
        bool, typer.Option("--model", help="Export a model instead of the pairs.")
    ] = False,
    of: Annotated[
        str | None,
        typer.Option("--of", help="Which model: an iteration's number or a baseline's name."),
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Write a LoRA adapter merged into its base model.")
    ] = False,
    split: Annotated[
        str, typer.Option("--split", help="Split of the model card's figures: dev or test.")
    ] = "test",
    force: Annotated[
        bool, typer.Option("--force", help="Replace an earlier export in this folder.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Export a run: its pairs with lineage and a data card, or a model with a model card."""
    from isara.workspace.runs import Workspace

    place = Workspace(workspace)
    folder = place.existing_run(run_id)
    if model:
        if format is not None or candidates or names:
            raise InputError(
                "--model was given with --format, --candidates or --names, which are of pairs: "
                "export them apart."
            )
        _export_model(place, folder, to, of, merge, split, force)
        return
    if of is not None or merge:
        raise InputError("--of and --merge are for models: add --model, or leave them out.")
    _export_pairs(place, folder, to, (format or Format.jsonl).value, candidates, names, force)


def _export_pairs(
    place: Workspace,
    folder: RunFolder,
    to: Path,
    layout: str,
    candidates: bool,
    names: bool,
    force: bool,
) -> None:
    from isara.export import export_data

    decisions = place.database.decisions(folder.run_id)
    found = export_data(
        folder, decisions, to, layout, candidates=candidates, names=names, force=force
    )
    counted = f"{found['pairs']} pairs"
    if "candidates" in found:
        counted += f" and {found['candidates']} candidates"
    typer.echo(
        f"{counted} of {folder.run_id} as {layout} in {found['folder']} (README.md is their card)"
    )


def _export_model(
    place: Workspace,
    folder: RunFolder,
    to: Path,
    of: str | None,
    merge: bool,
    split: str,
    force: bool,
) -> None:
    from isara.export_model import export_model

    found = export_model(folder, to, of=of, merge=merge, split=split, force=force)
    if split == "test" and found["measured"]:  # its figures stand in the card
        looks = place.database.count_test_look(folder.run_id)
        typer.echo(f"The card has figures of the test split, looked at {looks} times.", err=True)
    typer.echo(
        f"{found['model']} of {folder.run_id} ({found['kind']}, {found['mib']:,.1f} MiB) in "
        f"{found['folder']} (README.md is its card)"
    )

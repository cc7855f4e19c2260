"""What the commands share: options that many of them have, and how they print."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from isara.workspace.runs import Workspace

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", help="Folder of all runs (default ISARA_WORKSPACE, ./workspace)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Change a setting: a.b=value (repeatable).")
]


def open_workspace(root: Path | None) -> Workspace:
    """The workspace of an option."""
    from isara.workspace.runs import Workspace

    return Workspace(root)


def print_json(value: Any) -> None:
    """JSON on stdout, nothing else."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

"""What the commands share: options that many of them have, and how they print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isara.errors import IsaraError

if TYPE_CHECKING:
    from isara.workspace.runs import RunFolder, Workspace

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


def goes_on(place: Workspace, run: RunFolder) -> str:
    """The command that goes on with a run."""
    return f"python -m isara run {run.config} --run-id {run.run_id}{place.option}"


@contextmanager
def resumable(of_run: str = "", *, waiting_on_stderr: bool = False) -> Iterator[None]:
    """Work inside that waits for people's review, or that is stopped, ends the command with exit 0
    and a sentence on how it goes on; `of_run` says in brackets which run was stopped. What nobody
    foresaw is an IsaraError with where to read more.

    It works on one device: the Trainer would spread over all GPUs and multiply the batch.
    """
    from isara.config_files import one_line
    from isara.methods.reviewing import ReviewNotDoneError
    from isara.training.sft import StoppedError

    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    try:
        yield
    except (IsaraError, typer.Exit):
        raise
    except ReviewNotDoneError as waiting:
        typer.echo(str(waiting), err=waiting_on_stderr)
        raise typer.Exit(0) from None
    except (StoppedError, KeyboardInterrupt):
        typer.echo(f"Stopped; the same command goes on.{of_run}", err=True)
        raise typer.Exit(0) from None
    except Exception as error:
        more = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        raise IsaraError(
            f"The run failed{of_run}: {type(error).__name__}: {one_line(error)[:300]}{more}. The "
            "same command goes on from the last finished block."
        ) from None


def tell_note(note: str) -> None:
    """Something to be known before a run, on stderr: stdout may be JSON."""
    typer.echo(f"Note: {note}", err=True)


def print_json(value: Any) -> None:
    """JSON on stdout, nothing else."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

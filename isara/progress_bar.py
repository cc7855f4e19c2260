"""The command line's progress: a bar for the stage, and the ETA of the whole run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from isara.workspace.runs import Progress


def duration(seconds: float | None) -> str:
    """Seconds as `1 h 05 min`, `3 min 20 s` or `12 s`; "unknown" for None."""
    if seconds is None:
        return "unknown"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@contextmanager
def drawn() -> Iterator[Callable[[Progress], None]]:
    """Draws one bar per stage on stderr while the context is open."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<26}"), BarColumn(), MofNCompleteColumn())
    eta = TextColumn("run ends in {task.fields[eta]}")
    with Bars(*columns, eta, console=Console(stderr=True)) as bars:
        tasks: dict[str, int] = {}

        def listener(progress: Progress) -> None:
            place = f"iteration {progress['iteration']}" if progress["iteration"] else "start"
            name = f"{place}: {progress['stage']}"
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=progress["total"], eta="")
            bars.update(
                tasks[name],  # type: ignore[arg-type]
                completed=progress["done"],
                total=progress["total"],
                eta=duration(progress["eta_s"]),
            )

        yield listener


def listener_or_none(
    quiet: bool,
) -> AbstractContextManager[Callable[[Progress], None] | None]:
    """A context manager that gives the listener which draws the progress; None where it is to be
    quiet."""
    return nullcontext(None) if quiet else drawn()

"""What a dry run prints: the plan, and with --measure the measured estimate as two tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import psutil
import typer

from isara.errors import IsaraError
from isara.places import STAGES
from isara.planning import GIGABYTE
from isara.progress_bar import duration, listener_or_none

if TYPE_CHECKING:
    from isara.config import RunConfig
    from isara.examples import Example
    from isara.methods.estimate import Estimate, Measured
    from isara.methods.runner import Prepared
    from isara.workspace.runs import Workspace


def print_plan(config: RunConfig, seeds: Sequence[Example], prompts: int, run_id: str) -> None:
    """What a run would do, and what it would need."""
    from isara.methods.progress import planned_work
    from isara.planning import make_plan

    typer.echo(f"run {run_id}: {config.method}, {len(seeds)} seeds, {prompts} eval prompts")
    for stage, units in planned_work(config, len(seeds), prompts).items():
        typer.echo(f"  {stage:<14} {units:,.0f}")
    plan = make_plan(config, seeds, prompts)
    if plan.parameters is None:
        typer.echo(f"memory and time: not known, the model is not here and {plan.source}")
        return
    parts = ", ".join(f"{name} {size / GIGABYTE:,.2f}" for name, size in plan.memory.items())
    typer.echo(
        f"memory: {sum(plan.memory.values()) / GIGABYTE:,.2f} GB in training ({parts}), and what "
        f"activations take; {plan.parameters:,} parameters, {plan.source}"
    )
    typer.echo(
        f"time: {sum(plan.operations.values()) / 1e15:,.3g} x 10^15 operations, "
        f"{plan.hours(1e14):,.2g} hours at 100 TFLOP/s (an A100's peak is 312; writing and small "
        "models reach far less)"
    )


def measure_and_print(prepared: Prepared, workspace: Workspace, quiet: bool) -> None:
    """Measure, keep the result by the config's digest, and print it."""
    from isara.config_files import one_line
    from isara.methods.estimate import estimate
    from isara.methods.rehearsal import measure
    from isara.training.sft import StoppedError

    before = time.time() - psutil.Process().create_time()
    busy = [run.run_id for run in workspace.runs() if run.state().state == "running"]
    if busy:
        typer.echo(f"Note: {busy[0]} is at work; the figures will be too high.", err=True)
    try:
        with listener_or_none(quiet) as listener:
            found = measure(prepared, workspace, listener=listener, before=before)
    except (StoppedError, KeyboardInterrupt):
        typer.echo("Stopped; nothing was kept.", err=True)
        raise typer.Exit(0) from None
    except IsaraError:
        raise
    except Exception as error:
        raise IsaraError(
            f"The dry run failed: {type(error).__name__}: {one_line(error)[:300]}. A run with "
            "these settings would fail in the same way."
        ) from None
    print_estimate(estimate(prepared.config, found), found)


def print_estimate(told: Estimate, found: Measured) -> None:
    """Time by stage and memory by part."""
    typer.echo("time, measured on a few rows and steps")
    for stage in told.stages:
        guess = "" if stage.seen else "  (a guess)"
        name = STAGES.get(stage.stage, stage.stage)
        typer.echo(f"  {name:<28} {stage.units:>9,.0f} x {stage.each:8.4f} s = "
                   f"{duration(stage.seconds)}{guess}")  # fmt: skip
    typer.echo(f"  {'starting':<28} {duration(found.start_seconds)}")
    typer.echo(
        f"  in all about {duration(told.seconds)}, {duration(told.low)} to {duration(told.high)}; "
        "sooner where a rule stops it"
    )
    typer.echo(f"memory on the {found.device}, in GB")
    for part, size, how in found.memory:
        typer.echo(f"  {part:<28} {size * 2**20 / GIGABYTE:8.3f}  {how}")
    typer.echo(
        f"  at most at once {found.peak_mib * 2**20 / GIGABYTE:.2f}, free before "
        f"{found.free_mib * 2**20 / GIGABYTE:.2f}"
    )

"""Progress and ETA of a run: what is done, at what pace, and what is still to come.

A plan counts the work of every stage before it starts; the ETA is what is left of each stage times
the seconds that a unit of its kind took in this run (also before a resume), or, for kinds not yet
seen, a guess from the relative costs below.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from isara.config import RunConfig
from isara.workspace.runs import Progress, RunFolder

# Relative cost of one unit: a text, a training row in an epoch, an eval prompt.
COSTS = {"questions": 1.0, "answers": 1.2, "assess": 1.2, "train": 0.15, "evaluate": 0.5}
COSTS |= {"reward": 0.2, "policy": 2.0}
EXAMPLES_COST = 3.0  # of an eval prompt with examples before it, against one without
WRITE_EVERY = 0.5  # seconds


def planned_work(config: RunConfig, seeds: int, prompts: int) -> dict[str, float]:
    """Units of work by "iteration/stage" of a whole run, in the order in which they are done.

    Training counts rows x epochs; as many candidates are assumed to be kept as alpha asks for, and
    at least half.
    """
    epochs = config.training.epochs
    kept = config.loop.candidates * max(config.loop.alpha, 0.5)
    plan: dict[str, float] = {"0/evaluate": prompts}
    baselines = config.evaluation.baselines if prompts else []
    for name in baselines:
        if name == "sft":
            plan[f"{name}/train"] = seeds * epochs
        if name != "sft_matched":
            plan[f"{name}/evaluate"] = prompts * (1 if name == "sft" else EXAMPLES_COST)
    if config.method in ("spin", "irft") and config.contrast.first_sft:
        plan["first_sft/train"] = max(1, seeds - config.contrast.held_out) * epochs
    for k in range(1, config.loop.max_iterations + 1):
        work = iteration_work(config, seeds, kept)
        plan |= {f"{k}/{stage}": units for stage, units in work.items()}
        plan[f"{k}/evaluate"] = prompts
    if "sft_matched" in baselines:
        plan["sft_matched/train"] = (seeds + kept) * epochs * config.loop.max_iterations
        plan["sft_matched/evaluate"] = prompts
    return plan


def iteration_work(config: RunConfig, seeds: int, kept: float) -> dict[str, float]:
    """Units of work by stage of one iteration, evaluation left out."""
    epochs, rows = config.training.epochs, config.training.step_rows
    if config.method in ("spin", "irft"):
        updates = config.contrast.updates
        slices = config.loop.max_iterations if config.method == "irft" else 1
        pairs = max(1, (seeds - config.contrast.held_out) // slices)
        return {"answers": pairs, "train": updates * rows if updates else pairs * epochs}
    if config.method == "rft":
        policy = config.rft.policy_steps * config.training.step_rows
        return {"answers": seeds, "reward": config.rft.updates * rows, "policy": policy}
    work = {"questions": config.loop.candidates, "answers": config.loop.candidates}
    if config.filters.assessment != "none":
        work["assess"] = config.loop.candidates
    return {**work, "train": (seeds + kept) * epochs}


@dataclass
class Reporter:
    """Counts work against the plan, writes progress.json and tells a listener."""

    folder: RunFolder
    plan: dict[str, float]
    listener: Callable[[Progress], None] | None = None
    done: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # by kind of stage
    units: dict[str, float] = field(default_factory=dict)  # by kind of stage
    _written: float = 0.0

    def finished(self, place: str | int, stage: str, seconds: float = 0.0) -> None:
        """A stage that was done before this process started."""
        key = f"{place}/{stage}"
        self.done[key] = self.plan.setdefault(key, 1.0)
        self._learn(stage, self.plan[key], seconds)

    def _learn(self, stage: str, units: float, seconds: float) -> None:
        if units > 0 and seconds > 0:
            self.units[stage] = self.units.get(stage, 0.0) + units
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def update(
        self,
        place: str | int,
        stage: str,
        done: float,
        total: float,
        *,
        started: float,
        measured: tuple[float, float] | None = None,
    ) -> None:
        """`done` of `total` units; `measured` are units and seconds just spent."""
        key = f"{place}/{stage}"
        self.plan[key] = total
        self.done[key] = done
        if measured is not None:
            self._learn(stage, *measured)
        now = time.monotonic()
        if now - self._written < WRITE_EVERY and done < total:
            return
        self._written = now
        progress: Progress = {
            "stage": stage,
            "iteration": place if isinstance(place, int) else 0,
            "done": int(done),
            "total": int(total),
            "started": started,
            "eta_s": self.eta(),
            "overall_done": self._cost(self.done),
            "overall_total": self._cost(self.plan),
        }
        self.folder.write_progress(progress)
        if self.listener is not None:
            self.listener(progress)

    def _unit_seconds(self, stage: str) -> float | None:
        if self.units.get(stage):
            return self.seconds[stage] / self.units[stage]
        known = [(s, self.seconds[s] / self.units[s]) for s in self.units if s in COSTS]
        if not known:
            return None
        unit = sum(seconds / COSTS[s] for s, seconds in known) / len(known)
        return unit * COSTS.get(stage, 1.0)

    def _cost(self, work: dict[str, float]) -> float:
        return sum(n * COSTS.get(key.split("/")[1], 1.0) for key, n in work.items())

    def eta(self) -> float | None:
        """Seconds to the end of the run, None before anything was measured."""
        total = 0.0
        for key, planned in self.plan.items():
            left = planned - self.done.get(key, 0.0)
            if left > 0:
                seconds = self._unit_seconds(key.split("/")[1])
                if seconds is None:
                    return None
                total += left * seconds
        return total

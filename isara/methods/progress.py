"""Progress and ETA of a run: what is done, at what pace, and what is still to come.

A plan counts the work of every stage before it starts. The ETA is what is left of each stage times
the seconds that a unit of its kind takes: as measured by this worker; for kinds that it has not
seen, as earlier workers or a measured dry run have it (pace.json), made longer or shorter as far as
this worker is slower or faster than they were; for kinds that nobody has seen, a guess from the
relative costs below. Loading models is no part of a pace.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from isara.config import RunConfig
from isara.training.steps import optimizer_steps
from isara.workspace.files import read_json, write_json
from isara.workspace.runs import Progress, RunFolder

# Relative cost of one unit: a text, a training row in an epoch, an eval prompt.
COSTS = {"questions": 1.0, "answers": 1.2, "assess": 1.2, "filter": 0.1, "train": 0.15}
COSTS |= {
    "own": 0.8,
    "evaluate": 0.5,
    "evaluate_shown": 1.5,
    "judge": 0.05,
    "reward": 0.2,
    "policy": 2.0,
}
SHOWN = ("icl_knn", "icl_random")  # places whose eval prompts come with examples before them
WRITE_EVERY = 0.5  # seconds

Pace = dict[str, list[float]]  # kind of stage -> units, and the seconds that they took


def kind_of(key: str) -> str:
    """The kind of a stage "place/stage": stages of a kind cost the same for a unit."""
    place, _, stage = key.partition("/")
    return "evaluate_shown" if stage == "evaluate" and place in SHOWN else stage


def unit_seconds(kind: str, known: dict[str, float]) -> float | None:
    """Seconds for a unit of a kind of stage: as known, else guessed from those that are known;
    None where none is."""
    if kind in known:
        return known[kind]
    guesses = [seconds / COSTS[name] for name, seconds in known.items() if name in COSTS]
    if not guesses:
        return None
    return COSTS.get(kind, 1.0) * sum(guesses) / len(guesses)


def planned_work(
    config: RunConfig, seeds: int, prompts: int, retention: float | None = None
) -> dict[str, float]:
    """Units of work by "iteration/stage" of a whole run, in the order in which they are done.

    Training counts rows x epochs, or those of its optimizer steps. `retention` is the share of
    candidates that is kept; without it as many are assumed as alpha asks for, and at least half.
    """
    epochs = config.training.epochs
    share = max(config.loop.alpha, 0.5) if retention is None else retention
    plan: dict[str, float] = {"0/evaluate": prompts, "0/judge": prompts}
    baselines = config.evaluation.baselines if prompts else []
    for name in baselines:
        if name == "sft":
            plan[f"{name}/train"] = seeds * epochs
        if name != "sft_matched":
            plan |= {f"{name}/evaluate": prompts, f"{name}/judge": prompts}
    if config.method in ("spin", "irft") and config.contrast.first_sft:
        plan["first_sft/train"] = max(1, seeds - config.contrast.held_out) * epochs
    matched = 0.0
    for k in range(1, iterations(config) + 1):
        work = iteration_work(config, seeds, share, k)
        plan |= {f"{k}/{stage}": units for stage, units in work.items()}
        plan |= {f"{k}/evaluate": prompts, f"{k}/judge": prompts}
        matched += config.training.step_rows * training_steps(config, work)
    if "sft_matched" in baselines:
        plan["sft_matched/train"] = matched
        plan |= {"sft_matched/evaluate": prompts, "sft_matched/judge": prompts}
    return plan


def iterations(config: RunConfig) -> int:
    """How many there are at most; Direct writes all rows in one (2408.08072)."""
    direct = config.method == "isheep" and config.isheep.setting == "direct"
    return 1 if direct else config.loop.max_iterations


def iteration_work(config: RunConfig, seeds: int, share: float, k: int) -> dict[str, float]:
    """Units of work by stage of iteration k, evaluation left out, where a share is kept."""
    epochs, rows = config.training.epochs, config.training.step_rows
    if config.method in ("spin", "irft"):
        demonstrations = max(1, seeds - config.contrast.held_out)
        if config.method == "irft":  # its slice
            demonstrations = max(1, len(range(k - 1, demonstrations, config.loop.max_iterations)))
        return {"own": demonstrations, "train": _contrasted(config, demonstrations)}
    if config.method == "rft":
        return {
            "own": seeds,
            "reward": config.rft.updates * rows,
            "policy": config.rft.policy_steps * rows,
        }
    count = config.loop.candidates * (config.loop.max_iterations // iterations(config))
    kept = count * share
    work: dict[str, float] = {"questions": count, "answers": count}
    if config.method == "isheep":
        sheep = config.isheep
        work["questions"] = ceil(count / max(1, sheep.tasks - min(sheep.shown, seeds)))  # lists
    if config.filters.assessment != "none":
        work["assess"] = count
    work["filter"] = count
    if config.method == "isheep":
        kept *= k if sheep.setting == "total_base" else 1
        return work | {"train": min(kept, sheep.max_rows) * epochs}
    if config.training.objective == "contrast":
        return work | {"own": seeds + kept, "train": _contrasted(config, seeds + kept)}
    return work | {"train": (seeds + kept) * epochs}


def _contrasted(config: RunConfig, pairs: float) -> float:
    """Rows of a stage against own answers."""
    updates = config.contrast.updates
    return updates * config.training.step_rows if updates else pairs * config.training.epochs


def training_steps(config: RunConfig, work: dict[str, float]) -> int:
    """Optimizer steps of the model of an iteration with this work."""
    training = config.training
    if "policy" in work:
        return config.rft.policy_steps
    updates = config.contrast.updates if "own" in work else None
    return optimizer_steps(training, round(work["train"] / training.epochs), updates)


@dataclass
class Reporter:
    """Counts work against the plan, writes progress.json and tells a listener.

    What it learns of the pace is added to the run's pace.json, which a later worker begins with.
    """

    folder: RunFolder
    plan: dict[str, float]
    listener: Callable[[Progress], None] | None = None
    earlier: Pace = field(default_factory=dict)  # of a dry run, until the run has a pace of its own
    done: dict[str, float] = field(default_factory=dict)
    now: Pace = field(default_factory=dict)  # of this worker
    _written: float = 0.0

    def __post_init__(self) -> None:
        self._pace = self.folder.path / "pace.json"
        self._own: Pace = read_json(self._pace, {})
        self.earlier = {**self.earlier, **self._own}

    def finished(self, place: str | int, stage: str) -> None:
        """A stage that was done before this process started."""
        key = f"{place}/{stage}"
        self.done[key] = self.plan.setdefault(key, 1.0)

    def begun(self, place: str | int, stage: str, done: float, total: float) -> float:
        """A stage begins with `done` of its units on disk already; gives the time.

        What was seen of its kind counts half from now on: the machine may have other work to do.
        """
        started, kind = time.time(), kind_of(f"{place}/{stage}")
        self.now |= {kind: [part / 2 for part in self.now[kind]]} if kind in self.now else {}
        self._written = 0.0  # at once: the models may take a minute to load
        self.update(place, stage, done, total, started=started)
        return started

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
        self._expect(place, stage, total)
        self.done[key] = done
        if measured is not None:
            self._learn(kind_of(key), *measured)
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

    def steps(
        self, place: str | int, stage: str, total: float
    ) -> Callable[[dict[str, float]], None]:
        """What a training of `total` units calls after each step: logs and reports it.

        The pace is that between two steps, so that it holds neither the trainer's start nor the
        steps of a worker that was here before.
        """
        started = self.begun(place, stage, 0.0, total)
        last: list[tuple[float, float]] = []

        def on_step(step: dict[str, float]) -> None:
            self.folder.log_event(stage, place=place, **step)
            at, share = time.monotonic(), step["step"] / max(1.0, step["steps"])
            measured = (total * (share - last[-1][0]), at - last[-1][1]) if last else None
            last[:] = [(share, at)]
            self.update(place, stage, total * share, total, started=started, measured=measured)

        return on_step

    def _expect(self, place: str | int, stage: str, total: float) -> None:
        """Plan with the stage's true total, and expect the same of later iterations."""
        key = f"{place}/{stage}"
        if isinstance(place, int) and place > 0 and self.plan.get(key) != total:
            for other in self.plan:
                later, _, name = other.partition("/")
                if name == stage and later.isdigit() and int(later) > place:
                    self.plan[other] = total
        self.plan[key] = total

    def _learn(self, kind: str, units: float, seconds: float) -> None:
        if units <= 0 or seconds <= 0:
            return
        for pace in (self.now, self._own):
            before = pace.get(kind, [0.0, 0.0])
            pace[kind] = [before[0] + units, before[1] + seconds]
        write_json(self._pace, self._own, durable=False)

    def _unit_seconds(self, kind: str) -> float | None:
        """Seconds for a unit of a kind of stage; None before anything was measured."""
        drift = self._drift()
        known = {name: drift * seconds / units for name, (units, seconds) in self.earlier.items()}
        known |= {name: seconds / units for name, (units, seconds) in self.now.items()}
        return unit_seconds(kind, known)

    def _drift(self) -> float:
        """How much slower than the earlier ones this worker is, over the kinds that both saw."""
        both = [name for name in self.now if name in self.earlier]
        spent = sum(self.now[name][1] for name in both)
        expected = sum(
            self.now[name][0] * self.earlier[name][1] / self.earlier[name][0] for name in both
        )
        return spent / expected if expected > 0 else 1.0

    def _cost(self, work: dict[str, float]) -> float:
        return sum(n * COSTS.get(kind_of(key), 1.0) for key, n in work.items())

    def eta(self) -> float | None:
        """Seconds to the end of the run, None before anything was measured."""
        total = 0.0
        for key, planned in self.plan.items():
            left = planned - self.done.get(key, 0.0)
            if left > 0:
                seconds = self._unit_seconds(kind_of(key))
                if seconds is None:
                    return None
                total += left * seconds
        return total

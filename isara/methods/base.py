"""What the stages of a run share: files, markers, seconds, stops and the models that are kept."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isara.config import RunConfig
from isara.decoding import row_seed
from isara.evaluation.cost import Cost, Meter, add
from isara.examples import EvalPrompt, Example
from isara.methods.progress import Reporter, iterations
from isara.methods.tools import Tools
from isara.places import place_name, stage_words
from isara.training.sft import StoppedError
from isara.workspace.files import read_columns, read_json, write_json
from isara.workspace.runs import IterationFolder, RunFolder


class RunBase:
    """One run while it is worked on: config, seeds, eval prompts, tools and the run's folder."""

    base: Path | None = None  # M0: the config's own model, in no folder of the run

    def __init__(
        self,
        config: RunConfig,
        folder: RunFolder,
        seeds: Sequence[Example],
        prompts: Sequence[EvalPrompt],
        tools: Tools,
        reporter: Reporter,
        decisions: Callable[[int], dict[str, Any]] | None = None,
    ) -> None:
        """`decisions(k)` gives people's current decisions of an iteration by candidate id."""
        self.config = config
        self.folder = folder
        self.seeds = list(seeds)
        self.prompts = list(prompts)
        self.tools = tools
        self.reporter = reporter
        self.decisions = decisions or (lambda k: {})
        # Of a mixture of seed sets, in its order; none otherwise.
        self.domains = list(dict.fromkeys(seed.domain for seed in seeds if seed.domain))
        self._stage: tuple[int | str, str] | None = None  # the last that this worker was at

    def _mark_base(self, place: int | str) -> None:
        if place == 0 and not self._files(0).is_done:
            self._mark(0, trained=False, generated=0, kept=[])

    def record(self, k: int, kept: Sequence[Example], generated: int | None = None) -> None:
        """Write the marker of a finished iteration, last of all its files; `generated` rows, N
        when not given."""
        if not self.folder.iteration(k).is_done:
            total = self.config.loop.candidates if generated is None else generated
            self._mark(k, trained=True, generated=total, kept=kept)
        self._drop_models(k)

    def stop(
        self, k: int, kept: Sequence[Example], reason: str, generated: int | None = None
    ) -> str:
        """Mark the iteration that is not trained on; gives the reason back."""
        total = self.config.loop.candidates if generated is None else generated
        self._mark(k, trained=False, generated=total, kept=kept)
        return reason

    def _mark(self, k: int, *, trained: bool, generated: int, kept: Sequence[Example]) -> None:
        before = (read_json(self._files(j).done) for j in range(1, k))
        total = sum(row["kept"] for row in before) + (len(kept) if trained else 0)
        done = {
            "k": k,
            "trained": trained,
            "generated": generated,
            "kept": len(kept),
            "retention": len(kept) / generated if generated else None,
            "scaling_ratio": total / len(self.seeds),
            **(
                {"kept_by_domain": self._kept_by_domain(k, kept)}
                if self.domains and generated
                else {}
            ),
            "seconds": self.seconds(k),
        }
        write_json(self._files(k).done, done)
        self.folder.log_event("iteration", **done)

    def _kept_by_domain(self, k: int, kept: Sequence[Example]) -> dict[str, dict[str, int]]:
        """Candidates and kept pairs of every domain, also of one that got none."""
        written = read_columns(self._files(k).candidates, ["domain"])["domain"].value_counts()
        left = Counter(example.domain for example in kept)
        return {
            domain: {"generated": int(written.get(domain, 0)), "kept": left[domain]}
            for domain in self.domains
        }

    def _drop_models(self, k: int) -> None:
        keep = self.config.loop.keep_models
        if keep == "all" or k < 1:
            return
        models = [j for j in range(1, k + 1) if self._files(j).model.is_dir()]
        wanted = {k}  # the last one is needed to go on
        if keep == "best":
            rates = {j: rate for j in range(1, k + 1) if (rate := self._dev_metric(j)) is not None}
            if not rates:
                return  # nothing says which is the best: all stay
            wanted.add(min(rates, key=rates.__getitem__))
        for j in models:
            if j not in wanted:
                shutil.rmtree(self._files(j).model, ignore_errors=True)

    def _dev_metric(self, k: int) -> float | None:
        found = read_json(self._files(k).metrics, {})
        rate = found.get("dev", {}).get("harmful_rate", {}).get("value")
        return None if rate is None else float(rate)

    def no_gain(self, k: int) -> str | None:
        """Why the loop ends after iteration k, where `loop.patience` is set and the harmful rate on
        dev is no longer getting lower; None: it goes on."""
        patience, gain = self.config.loop.patience, self.config.loop.min_gain
        if patience is None or k == iterations(self.config):
            return None
        rates = {j: rate for j in range(k + 1) if (rate := self._dev_metric(j)) is not None}
        best, waited = waiting(rates, gain)
        if waited < patience:
            return None
        by = f" by more than {gain:g}" if gain else ""
        return (
            f"no gain on dev: in {waited} iteration{'s' * (waited > 1)} the harmful rate was not "
            f"below {rates[best]:.3f} of {place_name(best)}{by} (iteration {k}: {rates[k]:.3f})"
        )

    def _files(self, place: int | str) -> IterationFolder:
        if isinstance(place, int):
            return self.folder.iteration(place)
        return self.folder.baseline(place)

    def _check_stop(self) -> None:
        if self.folder.stop_requested():
            raise StoppedError

    def seconds(self, place: int | str) -> dict[str, float]:
        found: dict[str, float] = read_json(self._files(place).path / "seconds.json", {})
        return found

    @contextmanager
    def _timed(self, place: int | str, stage: str) -> Iterator[Meter]:
        """Add what is spent inside to the place's cost.json and seconds.json.

        A stage begins here, and the one before is whole on disk: a run that was asked to pause
        ends.
        """
        if self._stage not in (None, (place, stage)) and self.folder.pause_requested():
            raise StoppedError(f"paused after {stage_words(*self._stage)}")
        self._stage = (place, stage)
        meter = Meter()
        try:
            with meter:
                yield meter
        finally:
            files = self._files(place).path
            costs = read_json(files / "cost.json", {})
            costs[stage] = add(Cost(**costs.get(stage, {})), meter.cost).to_dict()
            write_json(files / "cost.json", costs, durable=False)
            seconds = self.seconds(place)
            seconds[stage] = seconds.get(stage, 0.0) + meter.cost.seconds
            write_json(files / "seconds.json", seconds, durable=False)
            spent = meter.cost.to_dict() | {"working": round(meter.working, 3)}
            self.folder.log_event("block", place=place, stage=stage, **spent)

    def _note_retrieval(self, k: int, seconds: float) -> None:
        """Add what embedding and search of neighbours took; seconds.json has it within answers."""
        file = self._files(k).path / "retrieval.json"
        before = read_json(file, {"seconds": 0.0})["seconds"]
        write_json(file, {"seconds": before + seconds}, durable=False)

    def _seed(self, k: int, index: int, use: str) -> int:
        return row_seed(self.config.random_seed, k, index, use)

    def _within(
        self, place: int | str, stage: str, before: int, total: int, started: float
    ) -> Callable[[int], None]:
        """Reports progress within a block that begins after `before` rows."""

        def report(done: int) -> None:
            self.reporter.update(place, stage, before + done, total, started=started)

        return report


def waiting(rates: dict[int, float], gain: float) -> tuple[int, int]:
    """The iteration with the best rate, and how many have followed without being lower by more than
    `gain`; `rates` by iteration, in order."""
    places = list(rates)
    if not places:
        return 0, 0
    best, waited = places[0], 0
    for k in places[1:]:
        if rates[best] - rates[k] > gain:
            best, waited = k, 0
        else:
            waited += 1
    return best, waited

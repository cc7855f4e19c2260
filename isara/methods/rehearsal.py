"""A dry run on the real data: a few rows and steps of every stage, with time and memory measured.

    measured = measure(prepared, workspace)           # some seconds to some minutes

It is the run's own method over one iteration: a block of texts at most, three training steps (the
first one only warms up), a block of eval prompts at most. Where even a few texts are slow, fewer
are written. Its files are deleted; only the result stays, by the config's digest (estimate.py).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from isara.config import RunConfig
from isara.decoding import row_seed
from isara.errors import IsaraError
from isara.examples import EvalPrompt
from isara.methods.candidates import Rows, evaluation_decoding
from isara.methods.estimate import Measured, measurement, write_measured
from isara.methods.measuring import EVALUATION_BLOCK, Shown
from isara.methods.progress import Reporter, planned_work
from isara.methods.runner import METHODS, Prepared, check_lengths
from isara.methods.stages import BLOCK, Block, Run
from isara.methods.tools import LoadedTools, Tools
from isara.models import loading, mebibytes
from isara.training.sft import StoppedError
from isara.workspace.files import read_json
from isara.workspace.runs import IterationFolder, Progress, RunFolder, Workspace

STEPS = 3
PROBE = 8  # texts that tell how many can be afforded
MOST_SECONDS = 60.0  # for the texts of one stage
HOLDERS = {"judge": "judge", "embedder": "embedder", "reward": "reward model"}
HOLDERS |= {"refusals": "judge of refusals", "preference": "judge of pairs"}
WRITING = ("questions", "answers", "assess", "own", "evaluate")


def measure(
    prepared: Prepared,
    workspace: Workspace,
    tools: Tools | None = None,
    listener: Callable[[Progress], None] | None = None,
    before: float = 0.0,
) -> Measured:
    """Carry the dry run out and keep its result; the state of its folder follows, as a run's does.

    `before` are the seconds that the program took to start. RunStateError while another process
    is at the same dry run.
    """
    folder = measurement(prepared.config, workspace)
    work = RunFolder(folder.path / "work")

    def on_progress(progress: Progress) -> None:
        folder.write_progress(progress)
        if listener is not None:
            listener(progress)

    with folder.lock():
        folder.set_state("running")
        shutil.rmtree(work.path, ignore_errors=True)  # of one that was killed
        try:
            found = rehearse(prepared, work, tools or LoadedTools(prepared.config), on_progress)
            found = replace(found, start_seconds=found.start_seconds + before)
            write_measured(folder, prepared.config, found)
        except (StoppedError, KeyboardInterrupt):
            folder.set_state("stopped", "stopped by the user")
            raise
        except Exception as error:
            known = isinstance(error, IsaraError)
            folder.set_state("failed", None, str(error) if known else f"{type(error).__name__}: "
                             f"{error}")  # fmt: skip
            raise
        finally:
            shutil.rmtree(work.path, ignore_errors=True)
        folder.set_state("done")
    return found


def rehearse(
    prepared: Prepared, work: RunFolder, tools: Tools, on_progress: Callable[[Progress], None]
) -> Measured:
    """One short iteration in the folder `work`, measured."""
    config = shortened(prepared.config)
    free, device = free_mib(prepared.config)
    plan = planned_work(config, len(prepared.seeds), min(len(prepared.prompts), EVALUATION_BLOCK))
    reporter = Reporter(work, plan, on_progress)
    program = resident_mib()
    loaded = loading.seconds
    check_lengths(prepared, tools)
    run = Rehearsal(config, work, prepared.seeds, prepared.prompts, tools, reporter)
    METHODS[config.method](run)
    files = work.iteration(1)
    done = read_json(files.done, {})
    return Measured(
        seeds=len(prepared.seeds),
        prompts=len(prepared.prompts),
        pace=reporter.now,
        start_seconds=loading.seconds - loaded,
        kept=int(done.get("kept", 0)),
        generated=int(done.get("generated", 0)),
        memory=(parts := memory_parts(work, tools, 0.0 if device == "cuda" else program)),
        peak_mib=max(peaks(files).values(), default=sum(size for _, size, _ in parts)),
        free_mib=free,
        device=device,
    )


def shortened(config: RunConfig) -> RunConfig:
    """The config of one short iteration; what a row or a step costs is the same."""
    data = config.model_dump()
    data["loop"] |= {"max_iterations": 1, "alpha": 0.0, "patience": None}
    data["loop"]["candidates"] = min(config.loop.candidates, BLOCK)
    data["evaluation"]["baselines"] = []
    data["review"]["wait"] = False  # nobody is asked about pairs that are thrown away
    data["contrast"] |= {"first_sft": False}
    data["rft"] |= {"updates": STEPS, "policy_steps": STEPS}
    return RunConfig.model_validate(data)


class Rehearsal(Run):
    """The stages of a run, each cut short."""

    def train_once(
        self,
        place: int | str,
        files: IterationFolder,
        tune: Callable[..., None],
        counted: dict[str, int],
        steps: int | None = None,
    ) -> Path:
        """Three steps: the first warms up, the pace is that of the others."""
        return super().train_once(place, files, tune, counted, STEPS)

    def generate(
        self, k: int, name: str, model: Path | None, block: Block, total: int | None = None
    ) -> Rows:
        """As many texts as a minute allows; all of them where they are paired with the seeds."""
        total = self.config.loop.candidates if total is None else total
        if name != "own":
            total = self._affordable(
                min(total, BLOCK),
                lambda count: block(range(count), self.tools.writer(model), lambda done: None),
            )
        return super().generate(k, name, model, block, total)

    def evaluate(self, place: int | str, model: Path | None, shown: Shown | None = None) -> None:
        """As many prompts as a minute allows, the same ones each time."""
        if place == 0:
            spread = spread_out(self.prompts, EVALUATION_BLOCK)
            count = self._affordable(len(spread), lambda n: self._answer(model, spread[:n]))
            self.prompts = spread_out(spread, count)
        super().evaluate(place, model, shown)

    def _answer(self, model: Path | None, prompts: Sequence[EvalPrompt]) -> Any:
        writer = self.tools.writer(model)
        return writer.write(
            self._eval_prompts(prompts, writer, None),
            evaluation_decoding(self.config),
            max_new_tokens=self.config.evaluation.max_new_tokens,
            seeds=[row_seed(self.config.random_seed, prompt.id) for prompt in prompts],
            multiline=self.config.prompts.multiline,
            batch_size=self.config.evaluation.batch_size,
        )

    def _affordable(self, wanted: int, write: Callable[[int], Any]) -> int:
        """How many texts a minute allows, by the pace of a few; these warm everything up."""
        if wanted <= PROBE:
            return wanted
        write(PROBE)
        started = time.perf_counter()
        write(PROBE)
        each = (time.perf_counter() - started) / PROBE
        return max(PROBE, min(wanted, int(MOST_SECONDS / max(each, 1e-9))))


def spread_out(rows: Sequence[EvalPrompt], count: int) -> list[EvalPrompt]:
    """`count` of the rows, evenly over all of them."""
    if len(rows) <= count:
        return list(rows)
    return [rows[i * len(rows) // count] for i in range(count)]


# -------------------------------------------------------------------- memory


def resident_mib() -> float:
    """What this process holds once the libraries are imported, before any model."""
    import psutil
    import torch  # noqa: F401
    import transformers.trainer  # noqa: F401

    return float(psutil.Process().memory_info().rss) / 2**20


def free_mib(config: RunConfig) -> tuple[float, str]:
    """Memory that is free on the device of a config, and which device that is."""
    import psutil
    import torch

    from isara.models import pick_device

    device = pick_device(config.model.device)
    if device == "cuda":
        return torch.cuda.mem_get_info()[0] / 2**20, device
    return psutil.virtual_memory().available / 2**20, device


def peaks(files: IterationFolder) -> dict[str, float]:
    """Peak MiB by stage: of the GPU where there is one."""
    costs: dict[str, dict[str, Any]] = read_json(files.path / "cost.json", {})
    name = "gpu_peak_mib" if any(cost["gpu_peak_mib"] for cost in costs.values()) else "peak_mib"
    return {stage: float(cost[name]) for stage, cost in costs.items() if cost[name]}


def memory_parts(work: RunFolder, tools: Tools, program: float) -> list[tuple[str, float, str]]:
    """What holds the memory: sizes of tensors, and of the process what is left over."""
    events = [event for event in work.events()[0] if "weights_mib" in event]
    trained = events[-1] if events else {}
    held: list[tuple[str, float, str]] = []
    if program:
        held.append(("program", program, "measured"))
    if trained:
        held.append(("weights", float(trained["weights_mib"]), "counted"))
    for name, words in HOLDERS.items():
        size = weights_of(getattr(tools, name))
        if size:
            held.append((words, size, "counted"))
    before = sum(size for _, size, _ in held)
    training = [
        (name, float(trained[f"{name}_mib"]), "counted")
        for name in ("gradients", "optimizer")
        if trained
    ]
    found = peaks(work.iteration(1))
    writing = max((found[stage] for stage in WRITING if stage in found), default=0.0)
    most = max((found[stage] for stage in ("train", "policy") if stage in found), default=0.0)
    cache = max(0.0, writing - before)
    rest = max(0.0, most - before - sum(size for _, size, _ in training))
    return [
        *held,
        ("cache while writing", cache, "measured"),
        *training,
        ("activations", rest, "measured"),
    ]


def weights_of(holder: Any) -> float:
    """MiB of the weights of a judge or an embedder; 0 for one without."""
    model: Any = getattr(getattr(holder, "embedder", holder), "model", None)
    return mebibytes(model.parameters()) if hasattr(model, "parameters") else 0.0

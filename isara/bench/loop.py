"""One whole iteration of the loop on the demo world: on the engine, and on `generate`.

Questions, answers, scores and verdicts, training, evaluation on the dev and test prompts, all as
`isara run` does it, from an empty workspace. The two sides differ in the writer alone, and must
keep the same pairs. At N = 512 once, at N = 64 several times in turns.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from isara.bench import Report, Row, compare, report, seconds
from isara.config_files import load_config
from isara.decoding import Writer
from isara.decoding.generate import GenerateWriter
from isara.methods.runner import execute, prepare
from isara.methods.tools import LoadedTools
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import RunFolder, Workspace

STAGES = ("questions", "answers", "filter", "train", "evaluate", "judge")


class GenerateTools(LoadedTools):
    """The config's tools with `generate` for a writer."""

    def writer(self, model: Path | None) -> Writer:
        """The reference writer for M(k), or for the base model."""
        return GenerateWriter(self._load(model))


def iteration(preset: str, count: int, ours: bool, place: Path) -> RunFolder:
    """One iteration of `count` candidates in a fresh workspace."""
    settings = [
        f"loop.candidates={count}",
        "loop.max_iterations=1",
        "loop.alpha=0",
        f"decoding={{preset: {preset}}}",
        "evaluation.baselines=[]",
    ]
    config = load_config("data/configs/demo.yaml", settings)
    workspace = Workspace(place)
    folder = workspace.run(f"bench-{len(list(place.iterdir())) if place.exists() else 0}")
    tools = LoadedTools(config) if ours else GenerateTools(config)
    execute(prepare(config, workspace), folder, workspace=workspace, tools=tools)
    return folder


def stage_seconds(folder: RunFolder) -> dict[str, float]:
    """Seconds of each stage, the base model's evaluation included."""
    found: dict[str, float] = {}
    for k in (0, 1):
        spent = read_json(folder.iteration(k).path / "seconds.json", {})
        for stage, value in spent.items():
            found[stage] = found.get(stage, 0.0) + float(value)
    return found


def whole(preset: str, count: int) -> Row:
    """Both sides once, with the stages' seconds and whether they kept the same pairs.

    Before that each has written a few pairs: imports and first compilation are counted on neither.
    """
    with TemporaryDirectory(prefix="isara-") as folder:
        for ours in (True, False):
            iteration(preset, 4, ours, Path(folder) / f"warm-{ours}")
        made: dict[bool, RunFolder] = {}
        spent: dict[bool, float] = {}
        for ours in (True, False):
            spent[ours] = seconds(
                lambda ours=ours: made.update(  # type: ignore[misc]
                    {ours: iteration(preset, count, ours, Path(folder) / str(ours))}
                )
            )
        kept = [read_jsonl(made[ours].iteration(1).kept) for ours in (True, False)]
        same = sum(a == b for a, b in zip(*kept, strict=False))
        ratio = spent[False] / spent[True]
        row: Row = {
            "case": f"{preset}, N = {count}",
            "ours_s": spent[True],
            "theirs_s": spent[False],
            **dict.fromkeys(("ratio", "ratio_low", "ratio_high"), ratio),
            "repeats": 1,
            **dict.fromkeys(("floor_s", "ours_mib", "theirs_mib")),
            "kept": f"{len(kept[0])} and {len(kept[1])}, {same} the same",
        }
        for name, ours in (("ours", True), ("theirs", False)):
            stages = stage_seconds(made[ours])
            row[name] = ", ".join(f"{s} {stages.get(s, 0.0):.1f}" for s in STAGES)
        return row


def turns(preset: str, count: int, repeats: int) -> Row:
    """Both sides in turns."""
    with TemporaryDirectory(prefix="isara-") as folder:
        places: dict[str, int] = {}

        def side(ours: bool) -> Any:
            def run() -> None:
                places[str(ours)] = places.get(str(ours), 0) + 1
                iteration(preset, count, ours, Path(folder) / f"{ours}-{places[str(ours)]}")

            return run

        return compare(f"{preset}, N = {count}", side(True), side(False), repeats)


def run(*, quick: bool = False) -> Report:
    """Both presets; `quick`: N = 64 twice in turns."""
    rows = []
    for preset in ("sampling", "paper"):
        if not quick:
            rows.append(whole(preset, 512))
        rows.append(turns(preset, 64, 2 if quick else 5))
    return report("loop", rows)

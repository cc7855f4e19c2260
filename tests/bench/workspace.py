"""Workspaces to measure on: finished runs of the demo world's grammar, without a model.

    scripted_run(root, 10_000)                                 # one run, one iteration: "filters"
    scripted_workspace(root, runs=10, iterations=3, count=512)

Every file of a real run is written by the code that writes it in a real run; texts differ from run
to run. Left out: the models' weights, so no page can let one of these runs' models answer.
"""

from __future__ import annotations

from pathlib import Path

from isara.config import PROJECT_ROOT
from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools
from isara.embedding_cache import CachedEmbedder
from isara.lineage_files import read_lineage
from isara.methods.runner import execute, prepare
from isara.workspace.runs import Workspace

EMBEDDER = "data/demo/embedder"
DECIDED = 40  # pairs of each iteration that two people decide on, so that agreement can be shown


def scripted_run(
    root: Path,
    count: int,
    run_id: str = "filters",
    *,
    iterations: int = 1,
    random_seed: int = 1,
    baselines: str = "[]",
) -> None:
    """A finished run with `count` candidates in each of its iterations."""
    workspace = Workspace(root)
    settings = [
        f"loop.candidates={count}",
        f"loop.max_iterations={iterations}",
        "loop.alpha=0",
        f"random_seed={random_seed}",
        f"evaluation.baselines={baselines}",
    ]
    config = load_config(PROJECT_ROOT / "data/configs/demo.yaml", settings)
    folder = workspace.run(run_id)
    execute(prepare(config, workspace), folder, workspace=workspace, tools=ScriptedTools())
    workspace.database.close()


def scripted_workspace(root: Path, runs: int, iterations: int, count: int) -> list[str]:
    """The ids of finished runs with a baseline each, on whose pairs two people decided; the vectors
    of all questions are there, as after a real run."""
    ids = [f"run-{number:02d}" for number in range(1, runs + 1)]
    for number, run_id in enumerate(ids, 1):
        scripted_run(
            root, count, run_id, iterations=iterations, random_seed=number, baselines="[sft]"
        )
    workspace = Workspace(root)
    database = workspace.database
    embedder = CachedEmbedder(EMBEDDER, workspace.embeddings)
    for run_id in ids:
        asked = read_lineage(workspace.run(run_id)).rows["question"].tolist()
        embedder.embed(asked)
        for k in range(1, iterations + 1):
            pairs = [f"{k}-{i:05d}" for i in range(DECIDED)]
            database.record_decisions(run_id, k, pairs, "Ana", "accept")
            database.record_decisions(run_id, k, pairs[::2], "Bea", "reject")
    database.close()
    return ids

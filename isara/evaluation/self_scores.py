"""How far a model's scores of its own pairs go with the truth, where a grammar knows it.

    self_score_fields(run.iteration(k), config)     # {"self_score_quality": {value, low, high, n}}

I-SHEEP's authors (arXiv 2408.08072, §3.3) filter by such scores and never check them. The texts of
the demo world come from a grammar that reads them back, so here they can be.
"""

from __future__ import annotations

from typing import Any

from isara.assessment import ASPECTS
from isara.config import PROJECT_ROOT, RunConfig, resolve
from isara.evaluation.stats import correlation
from isara.workspace.files import read_columns, read_jsonl
from isara.workspace.runs import IterationFolder

DEMO_JUDGE = (PROJECT_ROOT / "data" / "demo" / "judge").resolve()
GRAMMAR = "the demo world's grammar"
SELF_SCORES = tuple(f"self_score_{aspect}" for aspect in ASPECTS)


def self_score_fields(files: IterationFolder, config: RunConfig) -> dict[str, Any]:
    """Spearman's rank correlation of each kind of score with the truth about the answers (1
    careful, 0 not), as metrics; nothing outside the demo world or where nothing was scored.

    The pairs of iteration k are written and scored by M(k-1). Those without a readable score are
    left out.
    """
    judge = config.evaluation.judge
    if judge is None or resolve(judge).resolve() != DEMO_JUDGE:
        return {}
    about = {"judge": GRAMMAR, "threshold": None, "decoding": None, "split": "written pairs"}
    fields = {}
    for name, aspect in zip(SELF_SCORES, ASPECTS, strict=True):
        scores, truth = scored(files, aspect)
        if scores:
            found = correlation(scores, truth)
            fields[name] = {
                "value": found.value, "low": found.low, "high": found.high, "n": found.n, **about
            }  # fmt: skip
    return fields


def scored(files: IterationFolder, aspect: str) -> tuple[list[float], list[float]]:
    """The scores of an iteration's pairs and what the grammar says of the answers; both empty where
    nothing was scored."""
    from isara.demo.world import demo_world

    assessed = files.path / "assessed.parquet"
    if not assessed.exists() or not files.candidates.exists():
        return [], []
    scores = read_columns(assessed, ("index", aspect), optional=True)
    if aspect not in scores:
        return [], []
    columns = read_columns(files.candidates, ("index", "answer", "domain"), optional=True)
    both = scores.merge(columns, on="index").dropna(subset=[aspect])
    own = both["domain"] if "domain" in both else [None] * len(both)
    worlds = _worlds(files)
    good = [
        demo_world().is_good(answer, worlds.get(domain, "safety"))
        for answer, domain in zip(both["answer"], own, strict=True)
    ]
    return both[aspect].astype(float).tolist(), [float(one) for one in good]


def _worlds(files: IterationFolder) -> dict[str | None, str]:
    """For each domain of the run's seeds (None where it has one alone) the demo world's domain in
    which the most of their answers are careful: a run may call its domains as it likes."""
    from isara.demo.world import demo_world

    world = demo_world()
    answers: dict[str | None, list[str]] = {}
    seeds = files.path.parent / "seeds.jsonl"
    for row in read_jsonl(seeds) if seeds.exists() else []:
        answers.setdefault(row.get("domain"), []).append(row["answer"])
    return {
        domain: max(world.families, key=lambda d: sum(world.is_good(answer, d) for answer in own))
        for domain, own in answers.items()
    }

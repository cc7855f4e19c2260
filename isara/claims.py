"""The papers' claims as experiments: what each says, the runs it rests on, and its verdict.

    claims = load_claims()                          # data/configs/claims/*.yaml (claims_files.py)
    carry_out_claims(claims, workspace)             # goes on where it stopped
    claim_results(claims, workspace)                # the rows of `python -m isara claims --json`

A hypothesis is judged over at least 8 random seeds, D0 drawn afresh for each. Its p is corrected by
Holm over all hypotheses of its paper that are done. Verdicts: `judged`. The effects themselves are
in claims_effects.py, tables in claims_table.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from isara.claims_effects import Effect, Folders, measured
from isara.claims_files import Claim, Hypothesis, Side, quick_study
from isara.config import RunConfig
from isara.evaluation.stats import holm
from isara.methods.tools import Tools
from isara.places import place_name
from isara.studies import Study, carry_out, is_done, run_configs, seconds_spent
from isara.workspace.runs import Progress, Workspace

MIN_SEEDS = 8  # fewer random seeds give no verdict
LEVEL = 0.05  # of the corrected p
TOLERANCE = 1e-9  # of the arithmetic at a border: 0.1 - 0.08 is not exactly 0.02
SUPPORTED, NOT_SUPPORTED, UNDECIDED = "supported", "not supported", "undecided"
QUICK, NOT_RUN = "undecided (quick)", "not run"

Stated = Sequence[tuple[Claim, Study]]


def judged(hypothesis: Hypothesis, found: Effect, p_corrected: float) -> str:
    """The verdict on a hypothesis whose random seeds are done.

    supported: corrected p below 0.05, and the effect goes in the stated direction by `smallest` or
    more. not supported: the interval excludes effects of that size, or corrected p is below 0.05
    and the effect goes the other way. undecided: otherwise. Non-inferiority asks for an effect
    above -smallest (or below +smallest) in the same way.
    """
    low = -inf if found.low is None else found.low
    high = inf if found.high is None else found.high
    downwards = hypothesis.direction in ("lower", "not higher")
    gain = -found.effect if downwards else found.effect
    most = -low if downwards else high
    wanted = hypothesis.smallest
    if hypothesis.direction.startswith("not "):  # from the end of what is allowed
        gain, most, wanted = gain + wanted, most + wanted, 0.0
    significant = p_corrected < LEVEL
    if significant and gain > 0 and gain >= wanted - TOLERANCE:
        return SUPPORTED
    if most < wanted - TOLERANCE or (significant and gain < 0):
        return NOT_SUPPORTED
    return UNDECIDED


def together(verdicts: Sequence[str]) -> str:
    """A claim's verdict from those of its hypotheses: all must be supported, one that is not
    supported decides against it."""
    if all(verdict == NOT_RUN for verdict in verdicts):
        return NOT_RUN
    if QUICK in verdicts:
        return QUICK
    if NOT_SUPPORTED in verdicts:
        return NOT_SUPPORTED
    return SUPPORTED if set(verdicts) == {SUPPORTED} else UNDECIDED


# ---------------------------------------------------------------- carrying out


def carry_out_claims(
    claims: Stated,
    workspace: Workspace,
    *,
    quick: bool = False,
    tools: Callable[[RunConfig], Tools] | None = None,
    on_run: Callable[[str, int, int], None] | None = None,
    listener: Callable[[Progress], None] | None = None,
) -> None:
    """Do every run that these claims rest on and that is not done, study by study."""
    for study in _needed(claims):
        wanted = quick_study(study, workspace) if quick else study
        carry_out(wanted, workspace, tools=tools, on_run=on_run, listener=listener)


def _needed(claims: Stated) -> list[Study]:
    """Each study once, with the arms that these claims speak of: the runs' ids stay the same."""
    arms: dict[str, set[str]] = {}
    for claim, study in claims:
        arms.setdefault(study.name, set()).update(claim.arms)
    studies = {study.name: study for _, study in claims}
    return [
        study.model_copy(
            update={"arms": {a: arm for a, arm in study.arms.items() if a in arms[name]}}
        )
        for name, study in studies.items()
    ]


# ---------------------------------------------------------------- results


@dataclass(frozen=True, slots=True)
class _Known:
    """What a claim's runs say by now; an effect for each hypothesis, None where nothing is done."""

    claim: Claim
    split: str
    folders: Folders
    effects: list[Effect | None]


def claim_results(
    claims: Stated, workspace: Workspace, *, quick: bool = False
) -> list[dict[str, Any]]:
    """One row for each claim: number, paper, statement, limits, verdict, hypotheses, hours,
    random_seeds.

    Give all claims of a paper: the correction is over those that are given. `hours` is the wall
    time of the runs that a claim rests on, shared or not; `runs` are their ids.
    """
    known = _known(claims, workspace, quick)
    corrected = {} if quick else _corrected(known)
    return [_row(one, corrected, quick) for one in known]


def _known(claims: Stated, workspace: Workspace, quick: bool) -> list[_Known]:
    folders: dict[str, Folders] = {}
    for study in _needed(claims):
        wanted = quick_study(study, workspace) if quick else study
        runs = {
            key: workspace.run(config.default_run_id)
            for key, config in run_configs(wanted, workspace).items()
        }
        folders[study.name] = {key: run for key, run in runs.items() if is_done(run)}
    found = []
    for claim, study in claims:
        own = {key: run for key, run in folders[study.name].items() if key[0] in claim.arms}
        effects = [measured(hypothesis, own, study.split) for hypothesis in claim.hypotheses]
        found.append(_Known(claim, study.split, own, effects))
    return found


def _corrected(known: Sequence[_Known]) -> dict[tuple[int, int], float]:
    """Corrected p by claim's number and hypothesis' place: Holm within each paper, over those with
    enough random seeds."""
    found: dict[tuple[int, int], float] = {}
    for paper in dict.fromkeys(one.claim.paper for one in known):
        p = {
            (one.claim.number, i): effect.p
            for one in known
            if one.claim.paper == paper
            for i, effect in enumerate(one.effects)
            if effect is not None and effect.n_seeds >= MIN_SEEDS
        }
        found |= dict(zip(p, holm(list(p.values())), strict=True))
    return found


def _row(one: _Known, corrected: dict[tuple[int, int], float], quick: bool) -> dict[str, Any]:
    claim = one.claim
    rows: list[dict[str, Any]] = []
    for i, (hypothesis, effect) in enumerate(zip(claim.hypotheses, one.effects, strict=True)):
        p_corrected = corrected.get((claim.number, i))
        rows.append(
            {
                "metric": hypothesis.metric,
                "category": hypothesis.category,
                "says": in_words(hypothesis),
                "effect": None if effect is None else effect.effect,
                "low": None if effect is None else effect.low,
                "high": None if effect is None else effect.high,
                "p": None if effect is None else effect.p,
                "p_corrected": p_corrected,
                "n": None if effect is None else effect.n,
                "n_seeds": 0 if effect is None else effect.n_seeds,
                "smallest": hypothesis.smallest,
                "verdict": _verdict(hypothesis, effect, p_corrected, quick)
                if _random_seeds(one, hypothesis)
                else NOT_RUN,
            }
        )
    return {
        "number": claim.number,
        "paper": claim.paper,
        "statement": claim.statement,
        "limits": claim.limits,
        "verdict": together([row["verdict"] for row in rows]),
        "hypotheses": rows,
        "hours": seconds_spent(one.folders.values()) / 3600,
        "random_seeds": sorted(
            set.intersection(*(_random_seeds(one, h) for h in claim.hypotheses))
        ),
        "split": one.split,
        "runs": sorted(run.run_id for run in one.folders.values()),
    }


def _random_seeds(one: _Known, hypothesis: Hypothesis) -> set[int]:
    """The random seeds whose runs of all its arms are done."""
    arms = {side.arm for side in hypothesis.sides}
    return {n for _, n in one.folders if all((arm, n) in one.folders for arm in arms)}


def _verdict(
    hypothesis: Hypothesis, effect: Effect | None, p_corrected: float | None, quick: bool
) -> str:
    if quick:
        return QUICK
    # Too few random seeds by now, or runs that do not have the metric: no verdict.
    if effect is None or p_corrected is None:
        return UNDECIDED
    return judged(hypothesis, effect, p_corrected)


def hours_in_all(results: Sequence[dict[str, Any]], workspace: Workspace) -> float:
    """Wall time of all their runs, each counted once (hours)."""
    runs = {run_id for row in results for run_id in row["runs"]}
    return seconds_spent(workspace.run(run_id) for run_id in sorted(runs)) / 3600


def in_words(hypothesis: Hypothesis) -> str:
    """What it says: "harmful_rate of isara (last model) is lower than that of …"."""

    def side(one: Side) -> str:
        place = "last model" if one.place == "last" else place_name(one.place)
        return f"{one.arm} ({place})"

    where = f" in {hypothesis.category}" if hypothesis.category else ""
    other = hypothesis.than
    than = f"that of {side(other)}" if isinstance(other, Side) else f"{other:g}"
    by = f" by {hypothesis.smallest:g} or more" if hypothesis.smallest else ""
    return (
        f"{hypothesis.metric}{where} of {side(hypothesis.of)} is {hypothesis.direction} than "
        f"{than}{by}"
    )

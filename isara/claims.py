"""The papers' claims as experiments: what each says, the runs it rests on, and its verdict.

    claims = load_claims()                          # data/configs/claims/*.yaml (claims_files.py)
    kept = read_kept(claims)                        # what was found before (claims_kept.py)
    carry_out_claims(missing(claims, kept), workspace)        # goes on where it stopped
    claim_results(claims, workspace, kept=kept)     # the rows of `python -m isara claims --json`

A hypothesis is judged over at least 8 random seeds, D0 drawn afresh for each. Its p is corrected by
Holm over all hypotheses of its paper that are done. Verdicts: `judged`. The effects themselves are
in claims_effects.py, tables in claims_table.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from types import MappingProxyType
from typing import Any

from isara.claims_effects import Effect, Folders, measured
from isara.claims_files import Claim, Hypothesis, Side, quick_study
from isara.claims_kept import Kept, KeptEffect, what_is_stated
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
    on_note: Callable[[str], None] | None = None,
    listener: Callable[[Progress], None] | None = None,
) -> None:
    """Do every run that these claims rest on and that is not done, study by study."""
    for study in _needed(claims):
        wanted = quick_study(study, workspace) if quick else study
        carry_out(wanted, workspace, tools=tools, on_run=on_run, on_note=on_note, listener=listener)


def missing(claims: Stated, kept: Mapping[int, Kept]) -> list[tuple[Claim, Study]]:
    """Those whose result is not kept."""
    return [(claim, study) for claim, study in claims if claim.number not in kept]


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


NOTHING_KEPT: Mapping[int, Kept] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Known:
    """What a claim's runs say by now: for each hypothesis its effect (None where nothing is done)
    and the random seeds whose runs are all done; `runs` have their wall time (seconds). `date` is
    the day on which the last of them ended, None without any."""

    claim: Claim
    split: str
    effects: list[Effect | None]
    done: list[set[int]]
    runs: dict[str, float] = field(default_factory=dict)
    date: str | None = None
    is_kept: bool = False

    @property
    def is_whole(self) -> bool:
        """Has every hypothesis enough random seeds for a verdict?"""
        return all(effect is not None and effect.n_seeds >= MIN_SEEDS for effect in self.effects)


def claim_results(
    claims: Stated,
    workspace: Workspace,
    *,
    quick: bool = False,
    kept: Mapping[int, Kept] = NOTHING_KEPT,
) -> list[dict[str, Any]]:
    """One row for each claim: number, paper, statement, limits, verdict, hypotheses, hours,
    random_seeds, date.

    Give all claims of a paper: the correction is over those that are given. `hours` is the wall
    time of the runs that a claim rests on, shared or not; `runs` are their ids with their seconds.
    Where the workspace has not enough runs for a verdict, the result in `kept` stands (`kept`).
    """
    known = _known(claims, workspace, quick, kept)
    corrected = {} if quick else _corrected(known)
    return [_row(one, corrected, quick) for one in known]


def results_to_keep(claims: Stated, results: Sequence[dict[str, Any]]) -> dict[int, Kept]:
    """By number those of `claim_results` that have enough random seeds for a verdict."""
    names = ("effect", "low", "high", "p", "n", "random_seeds")
    return {
        claim.number: Kept(
            stated=what_is_stated(claim, study),
            date=row["date"],
            effects=[KeptEffect(**{n: one[n] for n in names}) for one in row["hypotheses"]],
            runs=row["runs"],
        )
        for (claim, study), row in zip(claims, results, strict=True)
        if all(one["n_seeds"] >= MIN_SEEDS for one in row["hypotheses"])
    }


def _known(
    claims: Stated, workspace: Workspace, quick: bool, kept: Mapping[int, Kept]
) -> list[_Known]:
    folders: dict[str, Folders] = {study.name: {} for _, study in claims}
    # A workspace without runs is only looked at: no seeds are drawn into it.
    for study in _needed(claims) if workspace.runs() else []:
        wanted = quick_study(study, workspace) if quick else study
        runs = {
            key: workspace.run(config.default_run_id)
            for key, config in run_configs(wanted, workspace).items()
        }
        folders[study.name] = {key: run for key, run in runs.items() if is_done(run)}
    return [
        _one_known(claim, study, folders[study.name], kept.get(claim.number))
        for claim, study in claims
    ]


def _one_known(claim: Claim, study: Study, folders: Folders, kept: Kept | None) -> _Known:
    own = {key: run for key, run in folders.items() if key[0] in claim.arms}
    ended = max((run.state().updated for run in own.values()), default=None)
    found = _Known(
        claim,
        study.split,
        [measured(hypothesis, own, study.split) for hypothesis in claim.hypotheses],
        [_random_seeds(own, hypothesis) for hypothesis in claim.hypotheses],
        {run.run_id: seconds_spent([run]) for run in own.values()},
        None if ended is None else f"{datetime.fromtimestamp(ended, UTC):%Y-%m-%d}",
    )
    if kept is None or found.is_whole:
        return found
    effects = [one.found() for one in kept.effects]
    done = [set(effect.random_seeds) for effect in effects]
    return _Known(claim, study.split, [*effects], done, kept.runs, kept.date, True)


def _random_seeds(folders: Folders, hypothesis: Hypothesis) -> set[int]:
    """The random seeds whose runs of all its arms are done."""
    arms = {side.arm for side in hypothesis.sides}
    return {n for _, n in folders if all((arm, n) in folders for arm in arms)}


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
    stated = zip(claim.hypotheses, one.effects, one.done, strict=True)
    for i, (hypothesis, effect, done) in enumerate(stated):
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
                "random_seeds": [] if effect is None else list(effect.random_seeds),
                "smallest": hypothesis.smallest,
                "verdict": _verdict(hypothesis, effect, p_corrected, quick) if done else NOT_RUN,
            }
        )
    return {
        "number": claim.number,
        "paper": claim.paper,
        "statement": claim.statement,
        "limits": claim.limits,
        "verdict": together([row["verdict"] for row in rows]),
        "hypotheses": rows,
        "hours": sum(one.runs.values()) / 3600,
        "random_seeds": sorted(set.intersection(*one.done)),
        "split": one.split,
        "date": one.date,
        "kept": one.is_kept,
        "runs": dict(sorted(one.runs.items())),
    }


def _verdict(
    hypothesis: Hypothesis, effect: Effect | None, p_corrected: float | None, quick: bool
) -> str:
    if quick:
        return QUICK
    # Too few random seeds by now, or runs that do not have the metric: no verdict.
    if effect is None or p_corrected is None:
        return UNDECIDED
    return judged(hypothesis, effect, p_corrected)


def hours_in_all(results: Sequence[dict[str, Any]]) -> float:
    """Wall time of all their runs, each counted once (hours)."""
    seconds: dict[str, float] = {}
    for row in results:
        seconds |= row["runs"]
    return sum(seconds.values()) / 3600


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

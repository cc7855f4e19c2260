"""The papers' claims as their YAML has them, and each study's small form.

    for claim, study in load_claims():
        claim.number, claim.statement, claim.hypotheses, study.arms

    number: 3
    paper: isara
    statement: The nearest examples by embedding serve better than random ones.
    study: studies/safety.yaml                   # several claims may share the runs of one study
    hypotheses:
      - metric: harmful_rate
        of: {arm: isara, place: last}
        direction: lower
        than: {arm: random, place: last}         # or a number
        smallest: 0.02

The hypotheses are stated before any run. A claim's study file stands beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from isara.config import PROJECT_ROOT, resolve
from isara.config_base import Part
from isara.config_files import checked, load_config, read_yaml
from isara.errors import InputError
from isara.studies import Study, load_study
from isara.workspace.files import read_jsonl, write_jsonl
from isara.workspace.runs import Workspace

FOLDER = PROJECT_ROOT / "data" / "configs" / "claims"
Paper = Literal["isara", "reviewers", "isheep", "irft"]
Direction = Literal["lower", "higher", "not lower", "not higher"]
PLACE = r"^(base|last|sft|icl_knn|icl_random|sft_matched|iteration [1-9][0-9]?)$"


class Side(Part):
    """One side of a comparison."""

    arm: str
    """Name of an arm of the study."""
    place: Annotated[str, Field(pattern=PLACE)]
    """base, a baseline, "iteration K" (of a run that stopped before, its last model), or last."""


class Hypothesis(Part):
    """What is expected of a metric: `of` is lower (or …) than `than` by at least `smallest`."""

    metric: Literal[
        "harmful_rate",
        "over_refusal",
        "truthful_acc",
        "truthful_diff",
        "utility",
        "win_rate",
        "scaling_ratio",
        "retrieval_share",
        "reward_accuracy",
        "self_score_truth",
    ]
    """Of the eval prompts' answers; the last four have one value for each run."""
    of: Side
    """What the hypothesis speaks of."""
    direction: Direction
    """"not lower" and "not higher" are non-inferiority: a difference below `smallest` is none."""
    than: Side | float
    """What it is compared with; a number is known beforehand."""
    category: str | None = None
    """Prompts of this category alone; all prompts when not given."""
    smallest: float = Field(ge=0, allow_inf_nan=False)
    """The smallest difference that counts, in the metric's unit."""

    @property
    def sides(self) -> list[Side]:
        """Both sides, or one where the other is a number."""
        return [side for side in (self.of, self.than) if isinstance(side, Side)]


class Claim(Part):
    """A claim as its YAML has it."""

    number: int = Field(ge=1)
    """Its number in the table."""
    paper: Paper
    """Whose claim it is; reviewers: an open question of theirs. p-values are corrected within."""
    statement: str = Field(min_length=1)
    """In a sentence."""
    limits: str | None = None
    """Where the hypotheses say less than the claim, or something else."""
    study: str
    """The study whose runs it rests on: a file beside this one."""
    hypotheses: list[Hypothesis] = Field(min_length=1)
    """What must hold for it, each for itself."""

    @property
    def arms(self) -> list[str]:
        """The arms that it needs, each once."""
        return list(dict.fromkeys(s.arm for h in self.hypotheses for s in h.sides))


def load_claims(folder: Path | None = None) -> list[tuple[Claim, Study]]:
    """All claims of a folder (the shipped ones when not given) by number, each with its study;
    InputError names file and problem."""
    folder = folder or FOLDER
    found: dict[int, tuple[Claim, Study]] = {}
    studies: dict[Path, Study] = {}
    for file in sorted(folder.glob("*.yaml")):
        claim = checked(Claim, read_yaml(file, "claim"), str(file))
        if claim.number in found:
            raise InputError(
                f"{file} has the number {claim.number} again; give each claim its own."
            )
        path = (folder / claim.study).resolve()
        study = studies.setdefault(path, load_study(path))
        unknown = [arm for arm in claim.arms if arm not in study.arms]
        if unknown:
            raise InputError(
                f"{file} speaks of the arms {', '.join(unknown)}, the study {study.name} has "
                f"{', '.join(study.arms)}: correct the name, or add the arm to {claim.study}."
            )
        found[claim.number] = (claim, study)
    if not found:
        raise InputError(f"{folder} holds no claims, expected YAML files: give another folder.")
    return [found[number] for number in sorted(found)]


def chosen(claims: list[tuple[Claim, Study]], name: str | None) -> list[tuple[Claim, Study]]:
    """Those that NAME means: a claim's number or a study's name; all for None."""
    found = [
        (claim, study)
        for claim, study in claims
        if name is None or name in (str(claim.number), study.name)
    ]
    if not found:
        studies = dict.fromkeys(study.name for _, study in claims)
        raise InputError(
            f"There is no claim {name}; give a number from {claims[0][0].number} to "
            f"{claims[-1][0].number}, or a study: {', '.join(studies)}."
        )
    return found


# ---------------------------------------------------------------- the small form

ITERATIONS = 2  # at most
ROWS = 3  # prompts of each category and split
STEPS = 3  # of a demo model of another size: it writes nonsense, which is all that is needed
SMALL: dict[str, Any] = {
    "loop.candidates": 32,
    "training.epochs": 1,
    "contrast.updates": 2,
    "rft.updates": 2,
    "rft.policy_steps": 2,
}


def quick_study(study: Study, workspace: Workspace) -> Study:
    """The same arms with one random seed and the smallest sizes, under a name of its own: it shows
    that everything runs, and says nothing about a claim."""
    base = load_config(study.config)
    name = f"{study.name}-quick"
    files = study.set.get("evaluation.prompts", base.evaluation.prompts)
    if isinstance(files, dict):
        few: Any = {d: str(_few_prompts(file, name, workspace, f"prompts-{d}"))
                    for d, file in files.items()}  # fmt: skip
    else:
        few = str(_few_prompts(files, name, workspace))
    small = SMALL | {"evaluation.prompts": few}
    arms = {}
    for arm_name, arm in study.arms.items():
        own = {**study.set, **arm.set}
        most = min(ITERATIONS, own.get("loop.max_iterations", base.loop.max_iterations))
        sized = arm.demo_model and arm.demo_model.model_copy(update={"steps": STEPS})
        settings = arm.set | small | {"loop.max_iterations": most}
        arms[arm_name] = arm.model_copy(update={"set": settings, "demo_model": sized})
    update = {"name": name, "random_seeds": study.random_seeds[:1], "arms": arms}
    return study.model_copy(update=update)


def _few_prompts(
    path: str | None, name: str, workspace: Workspace, file_name: str = "prompts"
) -> Path:
    """The first prompts of each category and split, as a file of the workspace."""
    rows = read_jsonl(resolve(str(path)))
    seen: dict[tuple[Any, Any], int] = {}
    few = []
    for row in rows:
        kind = (row.get("category"), row.get("split"))
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= ROWS:
            few.append(row)
    file = workspace.root / "studies" / name / f"{file_name}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_jsonl(file, few)
    return file

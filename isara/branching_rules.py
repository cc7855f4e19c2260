"""What a branch may change, and what of its parent's work stands under the new settings.

    problems = refused(parent, config, at)         # sentences, all of them
    measured_again(old, new)                       # "kept", "judged" or "answered"

A branch keeps the texts of iterations 1 to K. So nothing may change that they, or what was kept and
trained before K, were made with. Left out: making the branch's folder (branching.py).
"""

from __future__ import annotations

from typing import Literal

from isara.config import RunConfig
from isara.config_files import flatten
from isara.filters import asked_of_the_model
from isara.methods.candidates import saved_scores
from isara.methods.contrasting import FIRST_SFT
from isara.methods.rewarding import reward_folder
from isara.workspace.files import read_json
from isara.workspace.runs import RunFolder

# Tables with the texts of an iteration; the last is the one that the next stage reads.
OWN_ANSWERS = ("own",)
WRITTEN = {
    "isara": ("questions", "candidates"),
    "isheep": ("tasks", "candidates"),
    "spin": OWN_ANSWERS,
    "irft": OWN_ANSWERS,
    "rft": OWN_ANSWERS,
}
CHANGEABLE = ("filters", "training", "evaluation", "review")
CHANGEABLE_ALONE = ("name", "loop.max_iterations", "loop.alpha", "loop.keep_models")
TOLD = "filters, training, evaluation, review, loop.max_iterations, loop.alpha, loop.keep_models"
# They say which pairs stand in the eval set, hence which ones may be trained on.
EVAL_SET = ("prompts", "overlap", "overlap_similarity")
ANSWERED_BY = ("prompts", "overlap", "strategy", "max_new_tokens")
JUDGED_BY = ("judge", "threshold", "refusal_judge", "reward", "preference")
# Settings of training that training on the seeds alone does not read.
LOOP_ONLY = {"objective", "start_from", "save_every", "gamma"}

Measured = Literal["kept", "judged", "answered"]


def refused(parent: RunFolder, old: RunConfig, new: RunConfig, at: int) -> list[str]:
    """Why this branch cannot be, one sentence for each reason; empty when it can."""
    return [
        *_fixed_settings(old, new, at),
        *_size_of_the_loop(parent, old, new, at),
        *_eval_set(old, new, at),
        *_missing_models(parent, old, new, at),
    ]


def changed_settings(old: RunConfig, new: RunConfig) -> dict[str, str]:
    """Dotted name -> "old -> new" of every setting that differs."""
    left, right = flatten(old.model_dump()), flatten(new.model_dump())
    return {
        key: f"{left.get(key)!r} -> {right.get(key)!r}"
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key)
    }


def _fixed_settings(old: RunConfig, new: RunConfig, at: int) -> list[str]:
    changed = changed_settings(old, new)
    fixed = [
        key
        for key in changed
        if key not in CHANGEABLE_ALONE and key.partition(".")[0] not in CHANGEABLE
    ]
    problems = []
    if fixed:
        listed = "; ".join(f"{key}: {changed[key]}" for key in fixed)
        problems.append(
            f"the kept texts of iterations 1 to {at} were written with other settings ({listed}), "
            f"and a branch may change {TOLD} alone: leave these as they are, or start a new run"
        )
    filters = [key for key in changed if key.startswith("filters.")]
    if filters and WRITTEN[old.method] == OWN_ANSWERS:
        problems.append(f"{old.method} filters nothing, so {', '.join(filters)} would do nothing")
    return problems


def _size_of_the_loop(parent: RunFolder, old: RunConfig, new: RunConfig, at: int) -> list[str]:
    problems = []
    most = new.loop.max_iterations
    if most < at:
        problems.append(f"loop.max_iterations is {most}, expected at least {at}, the branch's own")
    elif most != old.loop.max_iterations:
        if old.method == "irft":
            problems.append("loop.max_iterations says which seeds each stage of irft is shown")
        if old.method == "isheep" and old.isheep.setting == "direct":
            problems.append("loop.max_iterations says how many rows isheep writes at once (direct)")
    if WRITTEN[old.method] != OWN_ANSWERS:
        for k in range(1, at):
            retention = read_json(parent.iteration(k).done, {}).get("retention")
            if retention is not None and retention < new.loop.alpha:
                problems.append(
                    f"loop.alpha {new.loop.alpha:g} would have ended the run at iteration {k}, "
                    f"which kept {retention:.3f}: lower it, or branch at {k}"
                )
    return problems


def _eval_set(old: RunConfig, new: RunConfig, at: int) -> list[str]:
    changed = [name for name in EVAL_SET if differs(old, new, name)]
    if not changed or at == 1:
        return []
    listed = ", ".join(f"evaluation.{name}" for name in changed)
    return [
        f"{listed} cannot change after iteration 1, whose pairs were held against the eval set: "
        "branch at 1, or leave it"
    ]


def differs(old: RunConfig, new: RunConfig, name: str) -> bool:
    """Whether a setting of the evaluation differs."""
    return bool(getattr(old.evaluation, name) != getattr(new.evaluation, name))


def measured_again(old: RunConfig, new: RunConfig) -> Measured:
    """What becomes of measurements: kept, judged anew from the same answers, or answered anew."""
    if any(differs(old, new, name) for name in ANSWERED_BY):
        return "answered"
    return "judged" if any(differs(old, new, name) for name in JUDGED_BY) else "kept"


def same_sft(old: RunConfig, new: RunConfig) -> bool:
    """Whether training on the seeds alone would give the same model."""
    return old.training.model_dump(exclude=LOOP_ONLY) == new.training.model_dump(exclude=LOOP_ONLY)


# ------------------------------------------------------------------ models and scores


def _missing_models(parent: RunFolder, old: RunConfig, new: RunConfig, at: int) -> list[str]:
    problems = []
    if _trained_on(new, at) and old.training.lora != new.training.lora:
        problems.append(
            f"training.lora cannot change at iteration {at}, which trains an earlier model on: set "
            "training.start_from=base as well, or branch at 1"
        )
    wanted: dict[str, list[str]] = {}
    if (gone := _gone(parent, new, at)) is not None:
        if goes_on(new):
            wanted.setdefault(gone, []).append("to train it on")
        if asks_the_model(parent, old, new, at):
            wanted.setdefault(gone, []).append("to score the pairs that it wrote")
    if measured_again(old, new) == "answered":
        for k in range(1, at):
            if not parent.iteration(k).model.is_dir():
                wanted.setdefault(f"M({k})", []).append("to answer the eval set")
    if new.method == "rft" and at > 1 and not reward_folder(parent.iteration(at - 1)).is_dir():
        wanted.setdefault(f"the reward model of iteration {at - 1}", []).append("to train it on")
    if wanted:
        listed = ", ".join(f"{name} ({' and '.join(why)})" for name, why in wanted.items())
        problems.append(
            f"{parent.run_id} has not kept {listed}; its loop.keep_models is "
            f"{old.loop.keep_models}: branch at 1, leave out what needs the model, or carry the "
            "run out again with loop.keep_models=all"
        )
    return problems


def goes_on(config: RunConfig) -> bool:
    """Whether an iteration trains the model of the one before, not the base model."""
    if config.method == "isara":
        return config.training.start_from == "previous"
    return config.method != "isheep" or config.isheep.setting == "one_last"


def _first_is_trained(config: RunConfig) -> bool:
    return config.method in ("spin", "irft") and config.contrast.first_sft


def _trained_on(config: RunConfig, at: int) -> bool:
    """Whether iteration K trains a model on that was trained before."""
    return goes_on(config) and (at > 1 or _first_is_trained(config))


def _gone(parent: RunFolder, config: RunConfig, at: int) -> str | None:
    """The name of M(K-1) where it is not on disk; M0 is the config's own, or an SFT of it."""
    if at > 1:
        return None if parent.iteration(at - 1).model.is_dir() else f"M({at - 1})"
    if _first_is_trained(config) and not parent.baseline(FIRST_SFT).model.is_dir():
        return "M(0), the model after SFT"
    return None


def keeps_scores(parent: RunFolder, old: RunConfig, new: RunConfig, at: int) -> bool:
    """Whether iteration K's scores hold all that the new filters ask for."""
    if new.filters.clusters not in (None, old.filters.clusters):
        return False  # other clusters are other numbers
    return saved_scores(parent.iteration(at), new.filters) is not None


def asks_the_model(parent: RunFolder, old: RunConfig, new: RunConfig, at: int) -> bool:
    """Whether iteration K's pairs must be shown to the model that wrote them once more."""
    return bool(asked_of_the_model(new.filters)) and not keeps_scores(parent, old, new, at)

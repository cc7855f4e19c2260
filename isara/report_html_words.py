"""The sentences of the report: the question, the steps of a method, limits, and people's labels.

Plain text; the template escapes it. Sentences on results are those of report_words.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import pandas as pd

from isara.config import PROJECT_ROOT, resolve
from isara.evaluation.people import JudgeCheck, compare
from isara.evaluation.stats import can_tell
from isara.places import place_name
from isara.report import starved
from isara.report_html_facts import RunFacts
from isara.report_html_figures import Box
from isara.report_words import METHODS, percent

DEMO = PROJECT_ROOT / "data" / "demo"
JUDGE_SHOWN = 26  # characters of its name
LISTED = 5  # iterations whose numbers stand one by one


def short(path: str | None) -> str:
    """The last part of a model's or file's place."""
    return PurePath(path or "").name


def question(facts: RunFacts) -> str:
    """What the run asks, from its config."""
    name, count = METHODS[facts.config.method].name, facts.summary["seed_count"]
    model = facts.config.model.path
    if "harmful_rate" in facts.base:
        aim = f"does the model {model} give fewer harmful answers"
    elif facts.measured:
        aim = f"does the model {model} answer better"
    else:
        return f"What does the model {model} become with {count} seed examples and {name}?"
    return f"With {count} seed examples and {name}: {aim} to questions it has not seen?"


# -------------------------------------------------------------------- the method


def each(values: Sequence[Any]) -> str:
    """Numbers one by one where they are few."""
    return ", ".join(map(str, values)) if 0 < len(values) <= LISTED else ""


def boxes(facts: RunFacts) -> list[Box]:
    """The steps of the run's method with its numbers."""
    seeds = facts.seeds
    kinds = len({seed["category"] for seed in seeds if seed["category"]})
    first = (f"{len(seeds)} pairs", f"{kinds} categories" if kinds else "written by people")
    start, end = Box("Seed set", first), Box("Measure", measuring(facts))
    middle = {"isara": isara_boxes, "isheep": isheep_boxes, "rft": rft_boxes}
    return [start, *middle.get(facts.config.method, contrast_boxes)(facts), end]


def measuring(facts: RunFacts) -> tuple[str, ...]:
    """How many prompts were asked, and who judges."""
    row = facts.final or facts.base
    harm, refusal = row.get("harmful_rate"), row.get("over_refusal")
    asked = [
        f"{found['n']} {kind}"
        for found, kind in ((harm, "harmful"), (refusal, "harmless"))
        if found
    ]
    if not asked:
        return ("no eval set was named",) if not facts.config.evaluation.prompts else ("not yet",)
    judge = str(facts.config.evaluation.judge)
    shown = judge if len(judge) <= JUDGE_SHOWN else f"… {short(judge)}"
    return (f"{' and '.join(asked)} prompts", f"judge: {shown}")


def filtering(facts: RunFacts) -> Box:
    """How much passed the filter."""
    rows = [row for row in facts.summary["iterations"] if row["generated"]]
    kept, written = [row["kept"] for row in rows], sum(row["generated"] for row in rows)
    lines = [f"kept {sum(kept):,} of {written:,}" if rows else "nothing written yet"]
    if len(kept) > 1 and each(kept):
        lines.append(f"by iteration: {each(kept)}")
    return Box("Filter", tuple(lines))


def training(facts: RunFacts, on: str, updates: int | None = None) -> Box:
    """How it is trained: for the config's epochs, or for so many steps a stage."""
    settings = facts.config.training
    long = f"{settings.epochs:g} epochs" if updates is None else f"{updates} steps a stage"
    how = f"{long}, learning rate {settings.learning_rate:g}"
    return Box("Train", (on, how + (", LoRA" if settings.lora else "")))


def isara_boxes(facts: RunFacts) -> list[Box]:
    """Questions, answers, filter, training."""
    loop = facts.config.loop
    near = "nearest" if loop.retrieval == "nearest" else "random"
    written = f"{loop.candidates} in each iteration"
    against = facts.config.training.objective == "contrast"
    updates = facts.config.contrast.updates if against else None
    return [
        Box("Write questions", (f"after {loop.examples} random examples", written)),
        Box("Write answers", (f"after the {loop.examples} {near} examples",)),
        filtering(facts),
        training(facts, "on the seeds and the kept pairs", updates),
    ]


def isheep_boxes(facts: RunFacts) -> list[Box]:
    """Tasks, answers, filter, training."""
    shown = facts.config.isheep.shown
    return [
        Box("Write tasks", (f"a list that begins with {shown} seeds",)),
        Box("Write answers", ("without examples",)),
        filtering(facts),
        training(facts, "on the kept pairs alone"),
    ]


def contrast_boxes(facts: RunFacts) -> list[Box]:
    """Own answers, training against them."""
    sliced = facts.config.method == "irft"
    which = "to one slice of the seeds at a time" if sliced else "to all the seeds' questions"
    held = facts.config.contrast.held_out
    return [
        Box("Write own answers", (which, f"{held} seeds are held out")),
        training(facts, "to prefer the seeds' answers", facts.config.contrast.updates),
    ]


def rft_boxes(facts: RunFacts) -> list[Box]:
    """Own answers, reward model, policy."""
    rft = facts.config.rft
    return [
        Box("Write own answers", ("to the seeds' questions",)),
        Box("Learn a reward", ("seeds above own answers", f"{rft.updates} steps a round")),
        Box("Train", ("towards what is rewarded", f"{rft.policy_steps} steps a round")),
    ]


def again(facts: RunFacts) -> str:
    """What the arrow back says."""
    trained = sum(1 for row in facts.summary["iterations"] if row["trained"])
    times = "once" if trained == 1 else f"{trained} times"
    return f"again with the new model (trained {times})" if trained else "again with the new model"


# -------------------------------------------------------------------- limits


def limits(facts: RunFacts) -> list[str]:
    """What the figures cannot say, of this run."""
    config, summary = facts.config, facts.summary
    found = [unfinished(facts)] if summary["state"] != "done" else []
    found += judged(facts)
    found += how_many(facts)
    found.append(
        f"One run with the random seed {config.random_seed}: another seed, or another draw of seed "
        "examples, gives other figures. isara study repeats a run over several."
    )
    found += looked(facts)
    if facts.measured and "sft_matched" not in summary["baselines"]:
        found.append(
            "Training on the seeds alone for as many steps as the loop took (the baseline "
            "sft_matched) was not measured: what is due to the loop, and what to more training, "
            "cannot be told apart here."
        )
    found += told_of_overlap(summary["overlap"])
    found += starved(summary)
    found += [
        f"Iteration {row['k']}: {row['diversity']['warning']}"
        for row in summary["iterations"]
        if (row.get("diversity") or {}).get("warning")
    ]
    if DEMO in resolve(config.model.path).resolve().parents:
        found.append(
            "This is the demo world: a tiny model and mild harm, made to show how the method "
            "works. Its figures say nothing of how a real model will do."
        )
    return found


def unfinished(facts: RunFacts) -> str:
    """That a run has not come to its end."""
    error = facts.summary["error"]
    return (
        f"The run is not done ({facts.summary['state']}): figures are those of the iterations "
        f"that are.{f' It failed with: {error}' if error else ''}"
    )


def judged(facts: RunFacts) -> list[str]:
    """Who judges, and how far that is to be trusted."""
    evaluation = facts.config.evaluation
    if not evaluation.prompts:
        return ["Nothing was measured: the run names no eval set."]
    said = [
        f"Harm is what an automatic judge says ({evaluation.judge}, an answer counts as harmful "
        f"above a probability of {evaluation.threshold:g}). It makes mistakes in both directions, "
        "and a low rate is no proof of safety."
    ]
    if facts.people:
        said += facts.people
    elif "harmful_rate" in facts.final:
        said.append(
            "How often the judge is wrong on this run's answers was not measured: nobody labelled "
            "any (page Samples, “Label answers”)."
        )
    refusal = facts.final.get("over_refusal")
    if refusal:
        said.append(
            f"Refusals are found by {refusal['judge']}, on {refusal['n']} harmless prompts; it "
            "misses refusals in other words."
        )
    return said


def how_many(facts: RunFacts) -> list[str]:
    """What so many prompts can tell."""
    rate = facts.base.get("harmful_rate")
    if rate is None or not 0 < rate["value"] < 1:
        return []
    return [
        f"Every rate is of a limited number of prompts. {can_tell(rate['n'], rate['value'])} The "
        "prompts are those of one eval set; other subjects, languages and longer talks were not "
        "asked."
    ]


def looked(facts: RunFacts) -> list[str]:
    """Which split, and how often the test split was looked at."""
    if facts.split == "dev":
        return [
            "Measured on the dev split, on which settings may have been tuned: figures of the test "
            f"split may be worse. The test split was looked at {times(facts.looks)}."
        ]
    return [
        f"Measured on the test split, which was looked at {times(facts.looks)}, this report "
        "included: every look that leads to a change of settings makes it less of a test."
    ]


def times(count: int) -> str:
    """ "once", "3 times"."""
    return "once" if count == 1 else f"{count} times"


KINDS = {
    "exact": "the same",
    "ngram": "sharing most of their words",
    "embedding": "saying nearly the same",
    "removed": "taken out",
}


def told_of_overlap(overlap: Mapping[str, Any]) -> list[str]:
    """Eval prompts among what was trained on."""
    found = []
    for place, kinds in overlap["places"].items():
        if any(kinds.values()):
            said = ", ".join(f"{n} {KINDS.get(kind, kind)}" for kind, n in kinds.items() if n)
            found.append(f"{place}: {said}")
    if not found:
        return []
    return [
        f"Pairs that were trained on and eval prompts are alike in places ({'; '.join(found)}). "
        f"The rule for those that are the same was “{overlap['policy'].replace('_', ' ')}”."
    ]


# -------------------------------------------------------------------- people


def people_sentences(
    place: int,
    table: pd.DataFrame,
    labels: Mapping[tuple[str, str], str],
    blind: Collection[tuple[str, str]],
) -> list[str]:
    """How the judge compares with people's labels of a model's dev answers; [] without labels.

    `blind` are the keys of those labels before which no look at the judge was noted.
    """
    if not labels:
        return []
    found = compare(table[table["split"] == "dev"], labels)
    people = len({who for _, who in labels})
    who = f"{people} {'person' if people == 1 else 'people'}"
    said = [
        f"{who} labelled {found.n} dev answers of {place_name(place)}. {_blindness(labels, blind)} "
        f"{kappa(found)}"
    ]
    if found.corrected is not None:
        rate = found.corrected
        said.append(
            f"Corrected for the judge's errors on these, its harmful rate on the dev split is "
            f"{percent(rate.value)} (95 % interval {percent(rate.low)} to {percent(rate.high)})."
        )
    return said


def _blindness(labels: Mapping[tuple[str, str], str], blind: Collection[tuple[str, str]]) -> str:
    """How many labels were given before their author looked at what the judge says."""
    before = sum(key in blind for key in labels)
    after = len(labels) - before
    if not after:
        return "No look at the judge's opinion was noted before any of the labels."
    return (
        f"{before:,} of the {len(labels):,} labels were given before, and {after:,} after their "
        "author looked at the judge's opinion."
    )


def kappa(found: JudgeCheck) -> str:
    """Agreement of people and judge."""
    agreed = found.agreement
    if agreed.kappa is None or agreed.kappa_low is None or agreed.kappa_high is None:
        same = found.n - len(found.differing)
        return f"The judge agrees on {same} of {found.n}."
    return (
        f"Cohen's kappa with the judge is {agreed.kappa:.2f} ({agreed.kappa_low:.2f} to "
        f"{agreed.kappa_high:.2f}); 1 is full agreement, 0 what chance gives."
    )

"""What the models of a run are called in words, on the pages and in pictures.

    place_name("sft"), place_name(2)      # "SFT on the seed set", "iteration 2"
    stage_words(2, "train")               # "training, iteration 2"

A model's place in a run is its iteration (0 or "base": before any training) or its baseline.
"""

from __future__ import annotations

NAMES: dict[int | str, str] = {
    0: "base model",
    "base": "base model",
    "sft": "SFT on the seed set",
    "first_sft": "SFT before the first stage",
    "sft_matched": "SFT on the seed set, as many steps",
    "icl_knn": "base model shown the nearest seeds",
    "icl_random": "base model shown random seeds",
}


def place_name(place: int | str) -> str:
    """The model of a run in words; a name that is not known stands for itself."""
    return NAMES.get(place, f"iteration {place}" if isinstance(place, int) else place)


STAGES = {
    "questions": "writing questions",
    "answers": "writing answers",
    "assess": "scoring its own pairs",
    "filter": "filtering",
    "own": "writing answers to be beaten",
    "train": "training",
    "reward": "training the reward model",
    "policy": "training against the reward",
    "evaluate": "answering the eval set",
    "judge": "judging",
}


def stage_name(stage: str) -> str:
    """A stage of an iteration in words; a name that is not known stands for itself."""
    return STAGES.get(stage, stage)


def stage_words(place: int | str, stage: str) -> str:
    """A stage of a run in words, with the model that it is about."""
    return f"{stage_name(stage)}, {place_name(place)}"

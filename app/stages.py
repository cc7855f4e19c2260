"""The stages of an iteration in words, as every page says them."""

STAGE_WORDS = {
    "questions": "writing questions",
    "answers": "writing answers",
    "assess": "scoring its own pairs",
    "filter": "filtering",
    "train": "training",
    "reward": "training the reward model",
    "policy": "training against the reward",
    "evaluate": "answering the eval set",
    "judge": "judging",
}

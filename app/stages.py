"""The stages of an iteration in words, as every page says them."""

STAGE_WORDS = {
    "questions": "writing questions",
    "answers": "writing answers",
    "filter": "filtering",
    "train": "training",
    "evaluate": "answering the eval set",
    "judge": "judging",
}

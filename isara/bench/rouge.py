"""ROUGE-L for many pairs against the `rouge_score` package, pair by pair."""

from __future__ import annotations

import random

from isara.bench import Report, Row, compare, report, seconds
from isara.rouge import nearest, rouge_l_matrix

WORDS = [f"word{i}" for i in range(2000)]
THEIRS = 300  # pairs on the other side: it is slow, and its time per pair is what counts


def texts(count: int, shortest: int, longest: int, seed: int) -> list[str]:
    """Random texts; words are drawn by a Zipf-like law, as in real ones."""
    rng = random.Random(seed)
    weights = [1 / (i + 3) for i in range(len(WORDS))]
    return [
        " ".join(rng.choices(WORDS, weights, k=rng.randint(shortest, longest)))
        for _ in range(count)
    ]


def run(*, quick: bool = False) -> Report:
    """Per pair, at 8-40 and 80-160 words; and 10,000 texts against 10,000."""
    rows = [pairs_row(8, 40, quick), pairs_row(80, 160, quick)]
    many = 2_000 if quick else 10_000
    left, right = texts(many, 8, 40, 3), texts(many, 8, 40, 4)
    spent = seconds(lambda: nearest(left, right))
    per_pair = rows[0]["theirs_per_pair_us"] * 1e-6
    whole = {**rows[0], "case": f"{many:,} x {many:,}, 8-40 words (theirs extrapolated)"}
    whole |= {"ours_s": spent, "theirs_s": per_pair * many * many, "repeats": 1}
    whole |= dict.fromkeys(("ratio", "ratio_low", "ratio_high"), per_pair * many * many / spent)
    whole["ours_per_pair_us"] = spent / many**2 * 1e6
    return report("rouge", [*rows, whole])


def pairs_row(shortest: int, longest: int, quick: bool) -> Row:
    """Time per pair on both sides."""
    from rouge_score.rouge_scorer import RougeScorer

    count = 500 if quick else 2_000
    left, right = texts(count, shortest, longest, 1), texts(count, shortest, longest, 2)
    scorer = RougeScorer(["rougeL"])

    def theirs() -> None:
        for a, b in zip(left[:THEIRS], right[:THEIRS], strict=True):
            scorer.score(a, b)

    row = compare(
        f"{shortest}-{longest} words, per pair",
        lambda: rouge_l_matrix(left, right),
        theirs,
        3 if quick else 5,
    )
    scale = count * count / THEIRS
    for name in ("theirs_s", "ratio", "ratio_low", "ratio_high"):
        row[name] *= scale
    row["ours_per_pair_us"] = row["ours_s"] / count**2 * 1e6
    row["theirs_per_pair_us"] = row["theirs_s"] / count**2 * 1e6
    return row

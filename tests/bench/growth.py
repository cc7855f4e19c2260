"""Time and memory of decoding and filtering as the number of rows grows.

    python -m tests.bench.growth [N ...]        512, 2048 and 10240 by default

Each N runs in a process of its own: N prompts of 8 examples are continued by the demo model
(sampling, answers end by themselves), N candidates are scored and judged. Prints seconds and the
peak of the process's memory, all and per row.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time

SIZES = (512, 2_048, 10_240)


def measure(count: int) -> None:
    """One row of the table."""
    from isara.bench.decoding import demo_prompts
    from isara.config import PROJECT_ROOT, FilterConfig, GenerationConfig, ModelConfig
    from isara.decoding.engine import decode
    from isara.filters import pack, score_candidates, verdicts
    from isara.models import load_language

    language = load_language(ModelConfig(path=str(PROJECT_ROOT / "data/demo/language-model")))
    prompts = demo_prompts(language, count)
    ends = [language.end_token, *language.line_break_tokens]
    settings = GenerationConfig(strategy="sample")
    decode(language.model, prompts[:8], settings, budget=8, seeds=[[0]] * 8, ends=ends)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    seeds = [[i] for i in range(count)]
    decode(language.model, prompts, settings, budget=64, seeds=seeds, ends=ends)
    decoding = time.perf_counter() - started
    middle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rng = random.Random(0)
    words = [f"word{i}" for i in range(400)]
    texts = [" ".join(rng.choices(words, k=rng.randint(8, 25))) for _ in range(2 * count)]
    started = time.perf_counter()
    scores = score_candidates(
        texts[:count],
        texts[count:],
        question_finish=["end"] * count,
        answer_finish=["end"] * count,
        pool_questions=texts[:64],
        pool_ids=[str(i) for i in range(64)],
        similarities=[[0.5]] * count,
    )
    verdicts(pack(scores), FilterConfig())
    filtering = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {count:,} | {decoding:.1f} | {1000 * decoding / count:.1f} | {middle - before:.0f} "
        f"| {filtering:.2f} | {1000 * filtering / count:.2f} | {peak:.0f} |",
        flush=True,
    )


def main() -> None:
    """All sizes, each in a fresh process."""
    if sys.argv[1:2] == ["--one"]:
        measure(int(sys.argv[2]))
        return
    print(
        "| N | decoding s | ms per row | MiB more | filter s | ms per row | peak MiB |\n"
        "|---|---|---|---|---|---|---|",
        flush=True,
    )
    for count in [int(x) for x in sys.argv[1:]] or SIZES:
        command = [sys.executable, "-m", "tests.bench.growth", "--one", str(count)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()

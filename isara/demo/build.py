"""Build everything that data/demo, data/seeds/demo-* and data/eval/demo-* ship, from nothing.

    python -m isara demo build            about an hour on 2 cores, minutes on a GPU

Every part has a fixed seed, and can be built alone with `--only` (language-model, judge, reward,
preference, embedder, sets, figures), given the parts that it rests on.
"""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from isara.config import PROJECT_ROOT
from isara.demo.grammar import Draw
from isara.demo.world import World, draw_seeds
from isara.errors import InputError
from isara.examples import Example
from isara.seed_files import read_seed_file, write_examples
from isara.workspace.files import write_jsonl

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SEED = 2024
STEPS = {"language-model": 2000, "judge": 1100, "reward": 600, "preference": 500}
EMBEDDER_PAIRS = 210_000
SEED_COUNT = 64
# Domain of the grammar -> name of its files.
SETS = {"safety": "demo-safety", "facts": "demo-truthfulness", "help": "demo-helpfulness"}
EVAL_COUNTS = {"dev": 150, "test": 300}
HARMLESS_COUNTS = {"dev": 50, "test": 100}
PAIR_COUNT = 200
PARTS = ("sets", "language-model", "judge", "reward", "preference", "embedder", "figures")


def log(line: str) -> None:
    """One line of the build's log, at once."""
    print(line, flush=True)


def log_quietly(line: str) -> None:
    """One line on stderr: stdout may be a command's JSON."""
    print(line, file=sys.stderr, flush=True)


def demo_seeds(world: World, domain: str) -> list[Example]:
    """The 64 examples that are shipped."""
    return draw_seeds(world, domain, SEED_COUNT, f"{SEED}-seeds-{domain}")


def eval_row(question: Draw, domain: str, split: str, rng: random.Random) -> dict[str, Any]:
    """A held-out question with category, split and the domain's reference answers."""
    family = question.family
    row: dict[str, Any] = {
        "question": question.question,
        "category": family.category,
        "split": split,
        "harmless": family.harmless or domain != "safety",
    }
    if domain == "facts":
        row["true_answers"] = sorted({question.answer("good", rng) for _ in range(6)})[:3]
        row["false_answers"] = sorted({question.answer("bad", rng) for _ in range(6)})[:3]
    elif domain == "help":
        row["reference"] = question.answer("good", rng)
    return row


def eval_rows(world: World, domain: str) -> list[dict[str, Any]]:
    """Held-out questions, no two alike, the categories in turns; safety has harmless ones too."""
    rng = random.Random(f"{SEED}-eval-{domain}")
    categories = sorted({f.category for f in world.families[domain] if not f.harmless})
    rows: dict[str, dict[str, Any]] = {}

    def add(split: str, **wanted: Any) -> None:
        question = world.draw(domain, rng, evaluation=True, **wanted)
        while question.question in rows:
            question = world.draw(domain, rng, evaluation=True, **wanted)
        rows[question.question] = eval_row(question, domain, split, rng)

    for split, count in EVAL_COUNTS.items():
        for i in range(count):
            add(split, category=categories[i % len(categories)])
        for _ in range(HARMLESS_COUNTS[split] if domain == "safety" else 0):
            add(split, harmless=True)
    return list(rows.values())


def preference_rows(world: World) -> list[dict[str, Any]]:
    """Held-out questions, no two alike, the three kinds of harm in turns, each with a careful
    answer and a careless one: what a reward model is asked to tell apart."""
    rng = random.Random(f"{SEED}-preference-pairs")
    categories = sorted({f.category for f in world.families["safety"] if not f.harmless})
    rows: dict[str, dict[str, Any]] = {}
    while len(rows) < PAIR_COUNT:
        category = categories[len(rows) % len(categories)]
        question = world.draw("safety", rng, evaluation=True, category=category)
        rows[question.question] = {
            "question": question.question,
            "better": question.answer("good", rng),
            "worse": question.answer("bad", rng),
            "category": category,
        }
    return list(rows.values())


def build_sets(world: World, data: Path) -> None:
    """Write the demo domains' seeds and eval sets, and the pairs for reward models."""
    for domain, name in SETS.items():
        (data / "seeds").mkdir(parents=True, exist_ok=True)
        write_examples(data / "seeds" / f"{name}.jsonl", demo_seeds(world, domain))
        write_jsonl(data / "eval" / f"{name}.jsonl", eval_rows(world, domain))
    write_jsonl(data / "eval" / "demo-preference-pairs.jsonl", preference_rows(world))


def written_texts(data: Path) -> list[str]:
    """The hand-written seed sets, so that the tokenizer knows some plain English."""
    files = [data / "seeds" / f"{name}.jsonl" for name in ("safety", "truthfulness", "helpfulness")]
    examples = [e for file in files if file.exists() for e in read_seed_file(file).examples]
    return [f"Question: {e.question}\nAnswer: {e.answer}" for e in examples]


def build_language_model(world: World, data: Path) -> None:
    """Tokenizer and language model."""
    from isara.demo.language import (
        build_tokenizer,
        new_language_model,
        save_half,
        train_language_model,
    )

    tokenizer = build_tokenizer(world, written_texts(data), SEED)
    model = new_language_model(len(tokenizer), seed=SEED)
    log(f"language model: {sum(p.numel() for p in model.parameters()):,} parameters")
    steps = STEPS["language-model"]
    train_language_model(model, tokenizer, world, steps=steps, seed=SEED, log=log)
    save_half(model, tokenizer, data / "demo" / "language-model")


def demo_tokenizer(data: Path) -> PreTrainedTokenizerFast:
    """The tokenizer that all models of the demo share."""
    from transformers import PreTrainedTokenizerFast

    folder = data / "demo" / "language-model"
    if not (folder / "tokenizer.json").exists():
        raise InputError(f"{folder} has no tokenizer; build the language-model first.")
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(folder)
    return tokenizer


def build_sized_model(folder: Path, width: int, layers: int, steps: int) -> None:
    """A language model of another size with the shipped tokenizer; nothing where it is there.

    `width` is a multiple of 32. It is trained beside its place and moved there when it is whole.
    """
    from isara.demo.language import new_language_model, save_half, train_language_model

    if folder.exists():
        return
    tokenizer = demo_tokenizer(PROJECT_ROOT / "data")
    model = new_language_model(len(tokenizer), width=width, layers=layers, seed=SEED)
    train_language_model(model, tokenizer, World(), steps=steps, seed=SEED, log=log_quietly)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as beside:
        save_half(model, tokenizer, Path(beside) / "model")
        (Path(beside) / "model").rename(folder)


def build_judge(world: World, data: Path) -> None:
    """The 14-label judge."""
    from isara.demo.judges import train_judge
    from isara.demo.language import save_half

    tokenizer = demo_tokenizer(data)
    model = train_judge(tokenizer, world, steps=STEPS["judge"], seed=SEED, log=log)
    save_half(model, tokenizer, data / "demo" / "judge")


def build_reward(world: World, data: Path) -> None:
    """The reward model with its score head."""
    from isara.demo.judges import train_reward

    tokenizer = demo_tokenizer(data)
    model = train_reward(tokenizer, world, steps=STEPS["reward"], seed=SEED, log=log)
    model.save_pretrained(data / "demo" / "reward-model")
    tokenizer.save_pretrained(data / "demo" / "reward-model")


def build_preference(world: World, data: Path) -> None:
    """The preference judge."""
    from isara.demo.judges import train_preference
    from isara.demo.language import save_half

    tokenizer = demo_tokenizer(data)
    model = train_preference(tokenizer, world, steps=STEPS["preference"], seed=SEED, log=log)
    save_half(model, tokenizer, data / "demo" / "preference-judge")


def build_embedder(world: World, data: Path) -> None:
    """The sentence embedder."""
    from isara.demo.judges import train_embedder

    folder = data / "demo" / "embedder"
    shutil.rmtree(folder, ignore_errors=True)
    train_embedder(demo_tokenizer(data), world, rows=EMBEDDER_PAIRS, seed=SEED, folder=folder)


def build_figures(world: World, data: Path) -> None:
    """Measure the models and write data/demo/README.md; trains an aligned model for it."""
    from isara.config import ModelConfig, TrainingConfig
    from isara.decoding.hugging_face import HuggingFaceWriter
    from isara.demo.measure import measure_all
    from isara.models import load_language
    from isara.training.sft import TrainingRow, fine_tune

    rng = random.Random(f"{SEED}-aligned")
    draws = [world.draw("safety", rng, harmless=False) for _ in range(512)]
    rows = [TrainingRow(Example(d.question, d.answer("good", rng))) for d in draws]
    training = TrainingConfig(learning_rate=1e-4, accumulation=1)
    base = ModelConfig(path=str(data / "demo" / "language-model"), device="cpu")
    with TemporaryDirectory() as folder:
        aligned = fine_tune(load_language(base), rows, training, Path(folder), random_seed=1)
        seeds = {domain: demo_seeds(world, domain) for domain in SETS}
        tables = measure_all(data / "demo", seeds, HuggingFaceWriter(aligned))
    text = (Path(__file__).parent / "figures.md").read_text(encoding="utf-8")
    (data / "demo" / "README.md").write_text(text + tables, encoding="utf-8")
    log(tables)


BUILDERS: dict[str, Callable[[World, Path], None]] = {
    "sets": build_sets,
    "language-model": build_language_model,
    "judge": build_judge,
    "reward": build_reward,
    "preference": build_preference,
    "embedder": build_embedder,
    "figures": build_figures,
}


def build(data: Path, only: list[str] | None = None) -> None:
    """Build all parts, or those named, into `data`."""
    unknown = set(only or []) - set(PARTS)
    if unknown:
        raise InputError(
            f"There is no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}."
        )
    world = World()
    for part in PARTS:
        if only and part not in only:
            continue
        started = time.perf_counter()
        log(f"building {part}")
        BUILDERS[part](world, data)
        log(f"built {part} in {time.perf_counter() - started:.0f} s")

"""The writer without a model."""

from __future__ import annotations

from isara.config import GenerationConfig
from isara.decoding import Written, row_seed
from isara.decoding.scripted import ScriptedWriter


def test_a_scripted_writer_gives_the_scripts_words_up_to_the_budget() -> None:
    writer = ScriptedWriter(lambda prompt, seed: f"{prompt} number {seed} is  fine")
    done: list[int] = []
    written = writer.write(
        ["Row", "A longer row"],
        GenerationConfig(),
        max_new_tokens=6,
        seeds=[3, 4],
        on_progress=done.append,
    )
    assert written == [
        Written("Row number 3 is fine", "end", -5.0, 6),
        Written("A longer row number 4 is", "budget", -7.0, 8),
    ]
    assert done == [1, 2]
    assert writer.count_tokens("two words") == 3


def test_a_rows_seed_depends_on_each_part_and_its_place() -> None:
    seeds = {row_seed(1, 2, "a"), row_seed(2, 1, "a"), row_seed(12, "a"), row_seed(1, 2, "b")}
    assert len(seeds) == 4
    assert row_seed(1, 2, "a") == row_seed(1, 2, "a")
    assert all(0 <= seed < 2**63 for seed in seeds)

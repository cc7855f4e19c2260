"""What is known of licences, and text that stays text in a card."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from isara.cards import data_card, span
from isara.config import RunConfig
from isara.config_files import to_yaml
from isara.export_rows import COLUMNS, Row
from isara.terms import terms
from isara.workspace.runs import RunFolder


def test_a_licence_is_read_from_the_models_own_files(tmp_path: Path) -> None:
    assert terms("data/demo/judge").licence == "apache-2.0"
    (tmp_path / "config.json").write_text(json.dumps({"license": "mit"}))
    assert terms(str(tmp_path)).sentence == "licence mit (as its config.json says)"
    (tmp_path / "README.md").write_text("---\nlicense: other\nlicense_name: llama3\n---\n# M\n")
    assert terms(str(tmp_path)).licence == "other (llama3)"


@pytest.mark.parametrize(
    "readme", ["", "# M\nlicense: mit", "---\nlicense: [a\n---", "---\n5\n---"]
)
def test_what_is_not_known_says_what_to_check(readme: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(readme)
    (tmp_path / "config.json").write_text("[]")
    found = terms(str(tmp_path))
    assert found.licence == "unknown"
    assert "allow training other models" in found.sentence
    assert terms("nobody/no-such-model").licence == "unknown"


def test_text_in_a_card_is_no_markdown() -> None:
    assert span("a") == "`a`"
    assert span("a\n\n# b") == "`a # b`"
    assert span("a ` b `` c") == "``` a ` b `` c ```"
    assert span("x | y") == r"`x \| y`"
    assert span("") == "` `"


def test_a_data_card_counts_and_cannot_be_written_into(
    small_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "r")
    run.create(to_yaml(small_config()))

    def row(status: str, **more: object) -> Row:
        facts = {"iteration": 1, "rules": [], "edited": False, "trained_on": status == "kept"}
        return {**dict.fromkeys(COLUMNS), "status": status, **facts, **more}

    evil = "Ada\n---\nlicense: mit\n# <script>"
    rows = [
        row("kept", decision="edit", reviewer=evil, edited=True),
        row("kept"),
        row("dropped", reason="rouge_l"),
        row("dropped", reason="rejected by a person", decision="reject", reviewer="Bo"),
    ]
    pairs = [row("seed", iteration=0), *rows[:2]]
    card = data_card(run, rows, {"pairs": pairs}, "jsonl")
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["license"] == "unknown"
    assert header["configs"] == [
        {"config_name": "pairs", "data_files": "pairs.jsonl", "default": True}
    ]
    assert "| 1 | 4 | 2 | 2 | 2 |" in card
    assert "1 seeds, 2 written pairs." in card
    assert "Dropped: rouge_l 1, rejected by a person 1." in card
    assert "edit 1, reject 1 by `Ada --- license: mit # <script>`, `Bo`. 1 pairs stand" in card
    assert all(f"`{name}`" in card for name in COLUMNS)

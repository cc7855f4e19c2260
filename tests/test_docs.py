"""The README tells the truth: its files exist, its commands are the command line's."""

from __future__ import annotations

import re
from pathlib import Path

from isara.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_file_of_the_tree_exists() -> None:
    tree = README.split("## What is where")[1].split("```")[1]
    folder = ""
    seen = []
    for line in tree.strip().splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = name
            seen.append(name)
        path = ROOT / (name if name == folder else folder + name)
        assert path.exists(), name
    assert seen == ["app/", "pages/", "isara/", "data/", "tests/"]


def test_every_linked_file_exists() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_command_exists_and_every_command_is_named() -> None:
    named = set(re.findall(r"python -m isara (\w+)", README))
    commands = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    groups = {group.name for group in app.registered_groups}
    assert named == commands | groups


def test_every_config_of_the_readme_exists() -> None:
    for name in re.findall(r"data/configs/[\w-]+\.yaml", README):
        assert (ROOT / name).is_file(), name


def test_nothing_is_left_to_fill_in() -> None:
    assert not re.findall(r"\b[A-Z]+_(?:TAIL|RESULT)\b", README)

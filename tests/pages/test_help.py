"""The Help page: all of its parts are there, and its table has a judgement in every cell."""

from __future__ import annotations

import re
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from isara.config import PROJECT_ROOT
from isara.workspace.runs import Workspace

HELP = PROJECT_ROOT / "app" / "help"


def test_every_text_of_the_guide_is_on_the_page(
    workspace: Workspace, page: Callable[..., AppTest]
) -> None:
    app = page("help")
    assert not app.exception
    shown = "\n".join(item.value for item in app.markdown)
    for file in HELP.glob("*.md"):
        assert file.read_text(encoding="utf-8").strip() in shown


def test_the_comparison_judges_every_tool_on_every_feature() -> None:
    text = (HELP / "compare.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    tools, features = rows[0][1:], [row for row in rows[2:] if not row[0].startswith("**")]
    assert len(tools) == 8
    assert len(features) > 25
    for feature, *cells in features:
        assert len(cells) == len(tools), feature
        assert all(re.fullmatch(r"(yes|partly|no)( \[\d+\])?", cell) for cell in cells), feature
    # Every note is there, and every note is used.
    notes = {int(n) for n in re.findall(r"^(\d+)\. ", text, re.M)}
    assert notes == {int(n) for n in re.findall(r"\[(\d+)\]", "\n".join(lines))}
    # Honest about ourselves: there is something that others do and we do not.
    assert any(row[1] == "no" and "yes" in row[2:] for row in features)

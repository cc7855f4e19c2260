"""The Help page: all of its parts are there, and its table has a judgement in every cell."""

from __future__ import annotations

import re
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from app.widgets.samples_words import RULE_TITLES
from isara.config import PROJECT_ROOT
from isara.workspace.runs import Workspace

HELP = PROJECT_ROOT / "app" / "help"
FEATURES = (  # that a reader who compares tools looks for
    "under a name",
    "settings compared",
    "log with levels",
    "harmful stay folded",
    "notes on the curve",
    "keyboard",
    "WCAG",
    "tab's title",
    "after a resume",
    "ends by itself",
    "versions, compare",
    "split, merge",
    "proposes more examples",
    "measured by a dry run",
    "queue .* pause",
    "models side by side",
    "formats, with lineage",
    "guided tour",
    "one offline file",
    "survives a reload",
)


def test_every_text_of_the_guide_is_on_the_page(
    workspace: Workspace, page: Callable[..., AppTest]
) -> None:
    app = page("help")
    assert not app.exception
    shown = "\n".join(item.value for item in app.markdown)
    for file in HELP.glob("*.md"):
        assert file.read_text(encoding="utf-8").strip() in shown


def test_reasons_are_called_as_on_the_pages() -> None:
    text = (HELP / "trouble.md").read_text(encoding="utf-8")
    named = re.findall(r"\*([^*]+)\* (?:means )?that", text)
    assert named
    assert set(named) <= set(RULE_TITLES.values())


def test_the_comparison_judges_every_tool_on_every_feature() -> None:
    text = (HELP / "compare.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    tools, features = rows[0][1:], [row for row in rows[2:] if not row[0].startswith("**")]
    assert len(tools) == 8
    assert len(features) > 25
    for feature, *cells in features:
        assert len(cells) == len(tools), feature
        assert all(re.fullmatch(r"(yes|partly|no|not known)( \[\d+\])?", cell) for cell in cells), (
            feature
        )
    # We know of ourselves, and of nobody's tool everything.
    assert not any(row[1].startswith("not known") for row in features)
    # Every note is there, and every note is used.
    notes = {int(n) for n in re.findall(r"^(\d+)\. ", text, re.M)}
    assert notes == {int(n) for n in re.findall(r"\[(\d+)\]", "\n".join(lines))}
    # Honest about ourselves: there is something that others do and we do not.
    assert any(row[1] == "no" and "yes" in row[2:] for row in features)


def test_the_comparison_has_every_kind_of_feature_and_says_what_it_rests_on() -> None:
    text = (HELP / "compare.md").read_text(encoding="utf-8")
    lines = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    features = "\n".join(lines)
    for words in FEATURES:
        assert re.search(words, features), words
    assert len(lines) == len(set(lines))
    about = text.split("\n|")[0]
    assert re.search(r"public documentation .* until \w+ 20\d\d", about)
    assert "none was installed" in about

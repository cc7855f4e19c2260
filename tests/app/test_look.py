"""Colours that are told apart without colour, and seen on both grounds."""

from __future__ import annotations

from itertools import combinations

import pytest

from app import look
from app.charts_coverage import COLOURS as COVERAGE
from app.charts_map import RING
from app.charts_results import LOOKS
from app.charts_sizes import STAGE_LOOKS
from isara.config import PROJECT_ROOT

SIGNS = [*look.SIGNS.values(), *look.DECISIONS.values()]
MARKS = {
    *(sign.colour for sign in SIGNS),
    *(one.colour for one in LOOKS),
    *(colour for colour, _ in STAGE_LOOKS.values()),
    *COVERAGE,
    look.GREY,
}


def rgb(colour: str) -> list[float]:
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def contrast(a: list[float], b: list[float]) -> float:
    """WCAG 2.2's ratio of two colours: (lighter + 0.05) / (darker + 0.05)."""

    def light(colour: list[float]) -> float:
        lines = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return sum(c * share for c, share in zip(lines, (0.2126, 0.7152, 0.0722), strict=True))

    low, high = sorted((light(a), light(b)))
    return (high + 0.05) / (low + 0.05)


def test_the_ratio_is_that_of_the_standard() -> None:
    # WCAG: black on white is 21 to 1; #767676 is the lightest grey that text on white may have.
    assert contrast(rgb("#000000"), rgb("#ffffff")) == pytest.approx(21)
    assert contrast(rgb("#767676"), rgb("#ffffff")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", look.GROUNDS)
def test_marks_are_seen_also_where_they_are_see_through(theme: str) -> None:
    ground = rgb(look.GROUNDS[theme])
    for colour in MARKS:
        seen = [
            look.OPACITY * ink + (1 - look.OPACITY) * under
            for ink, under in zip(rgb(colour), ground, strict=True)
        ]
        assert contrast(seen, ground) >= 3, (colour, theme)
    assert contrast(rgb(RING), ground) >= 3


def test_no_two_signs_share_a_mark_a_shape_or_a_word() -> None:
    for a, b in combinations(SIGNS, 2):
        assert len({a.mark, b.mark}) == len({a.symbol, b.symbol}) == len({a.word, b.word}) == 2
    marks = [*(sign.mark for sign in SIGNS), *look.OUTCOMES.values()]
    assert len(set(marks)) == len(marks)
    for a, b in (("kept", "dropped"), ("accept", "reject")):
        first, second = ((look.SIGNS | look.DECISIONS)[name] for name in (a, b))
        assert first.colour != second.colour


def test_the_table_of_marks_has_them_all() -> None:
    table = look.table_of_marks()
    for sign in SIGNS:
        assert f"| {sign.mark} | **{sign.word}** | " in table
    for word, mark in look.OUTCOMES.items():
        assert f"| {mark} | **{word}** | " in table
    assert look.marked("accept", "Accept") == "▲ Accept"
    assert look.marked("clear", "Clear") == "Clear"


def test_no_icon_stands_for_a_mark() -> None:
    """A hollow circle is "skipped", a cross "dropped": no button and no badge has them as icons."""
    icons = ("circle", "close", "cancel", "thumb_up", "thumb_down", "flag", "star", "skip")
    for path in [*(PROJECT_ROOT / "app").rglob("*.py"), *(PROJECT_ROOT / "pages").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert not [icon for icon in icons if f":material/{icon}:" in text], path

"""Pictures of the report: scales, steps and arrows; names that are text."""

from __future__ import annotations

import re

import pytest

from isara.report_html_figures import Box, Point, Series, _Axis, curve, loop_picture


def axis(*values: float, share: bool = True) -> list[float]:
    points = {i: Point(value) for i, value in enumerate(values)}
    return [round(v, 6) for v in _Axis([Series("r", points)], share).values()]


@pytest.mark.parametrize(
    ("values", "share", "lines"),
    [
        ((0.0, 0.57), True, [0.0, 0.2, 0.4, 0.6]),
        ((0.02, 0.07), True, [0.0, 0.02, 0.04, 0.06, 0.08]),
        ((0.0, 0.97), True, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ((0.0, 0.0), True, [0.0, 0.2]),
        ((-3.0, 2.0), False, [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0]),
        ((7.89,), False, [0.0, 2.0, 4.0, 6.0, 8.0]),
    ],
)
def test_a_scale_holds_its_values(
    values: tuple[float, ...], share: bool, lines: list[float]
) -> None:
    assert axis(*values, share=share) == lines


def test_a_curve_has_a_mark_for_each_model_and_its_interval() -> None:
    points = {0: Point(0.5, 0.4, 0.6), 1: Point(0.1, 0.05, 0.2)}
    one = Series("run", points, {"SFT": Point(0.4, 0.3, 0.5)})
    drawn = str(curve([one], "Harmful rate", str, str))
    assert drawn.count('class="mark"') == 2
    assert drawn.count('class="mark hollow"') == 1
    assert re.findall(r'class="small left value">([^<]+)', drawn) == ["0.5", "0.1", "0.4"]
    # 0.5 on a scale of 0 to 0.6, between y = 256 and y = 16: 256 - 240 * 5 / 6.
    assert ",56.0 " in drawn


def test_two_runs_have_two_shapes_and_a_legend() -> None:
    runs = [Series(f"<b>{n}", {0: Point(0.5), 1: Point(0.2)}) for n in "ab"]
    drawn = str(curve(runs, "<i>Rate", str, str))
    assert ("&lt;b&gt;a" in drawn, "&lt;i&gt;Rate" in drawn) == (True, True)
    assert ("<b>" in drawn, "<i>" in drawn) == (False, False)
    assert {'class="s0"', 'class="s1"'} <= set(re.findall(r'class="s\d"', drawn))


@pytest.mark.parametrize("steps", [4, 5, 6])
def test_a_loop_leads_from_the_last_step_back_to_the_second(steps: int) -> None:
    boxes = [Box(f"step {i}", ("<script>", "a" * 200)) for i in range(steps)]
    drawn = str(loop_picture(boxes, "again", "the <loop>"))
    assert drawn.count('class="box"') == steps
    assert drawn.count('class="tip"') == steps  # between them, and the one back
    assert "<script>" not in drawn
    # The arrow back ends below the middle of the second box, which is the middle of the picture.
    assert re.search(r'V\d+" class="arrow back"/><path d="M380 \d+l-5 9h10z"', drawn)


def test_names_of_baselines_are_never_cut() -> None:
    names = ["SFT on the seed set", "SFT on the seed set, as many steps"]
    points = {k: Point(0.5) for k in range(7)}
    drawn = str(curve([Series("r", points, dict.fromkeys(names, Point(0.4)))], "Rate", str, str))
    words = " ".join(re.findall(r'class="small">([^<]+)', drawn))
    assert words.endswith("SFT on the seed set SFT on the seed set, as many steps")
    (height,) = re.findall(r'viewBox="0 0 760 (\d+)"', drawn)
    lowest = max(int(y) for y in re.findall(r'y="(\d+)" class="small">', drawn))
    assert lowest < int(height)


def test_many_iterations_stay_readable() -> None:
    points = {k: Point(k / 100) for k in range(101)}
    drawn = str(curve([Series("r", points)], "Rate", str, str))
    named = re.findall(r'class="small">(\d+)<', drawn)
    assert named == [str(k) for k in range(9, 101, 9)]
    assert 'class="small left value"' not in drawn

"""The shared charts: what each bar counts, and that kept and dropped differ in more than colour."""

from __future__ import annotations

import numpy as np
import pytest

from app.charts import Spread, histogram, score_histograms
from app.look import SIGNS


def test_a_cut_on_an_edge_parts_kept_from_dropped() -> None:
    values = [0.68, 0.699, 0.7, 0.71, 1.0]
    edges, kept, dropped = histogram(values, [True, True, False, False, False], limits=(0, 1))
    cut = edges.tolist().index(0.7)
    assert kept[:cut].sum() == 2
    assert kept[cut:].sum() == 0
    assert dropped[:cut].sum() == 0
    assert dropped[cut:].sum() == 3  # the value at the right end is in the last bar


def test_whole_numbers_have_a_bar_each() -> None:
    edges, kept, dropped = histogram([3, 5, 5, 6], [False, True, True, True], whole=True)
    assert edges.tolist() == [2.5, 3.5, 4.5, 5.5, 6.5]
    assert kept.tolist() == [0, 0, 2, 1]
    assert dropped.tolist() == [1, 0, 0, 0]


def test_many_whole_numbers_share_bars() -> None:
    edges, kept, _ = histogram(np.arange(500), np.ones(500, bool), whole=True)
    assert np.diff(edges).tolist() == [10.0] * 50
    assert kept.tolist() == [10] * 50


@pytest.mark.parametrize(
    ("values", "total"), [([], 0), ([np.nan], 0), ([0.4], 1), ([0.4, 0.4, np.nan], 2)]
)
def test_odd_values_make_no_error(values: list[float], total: int) -> None:
    _, kept, dropped = histogram(values, np.ones(len(values), bool))
    assert kept.sum() == total
    assert dropped.sum() == 0


def test_values_outside_the_limits_count_in_the_last_bars() -> None:
    _, kept, _ = histogram([-0.2, 1.2], [True, True], limits=(0, 1))
    assert kept[0] == 1
    assert kept[-1] == 1


def test_the_figure_shows_both_with_colour_and_pattern() -> None:
    figure = score_histograms([Spread("ROUGE-L", [0.2, 0.8], 0.7, (0, 1))], [True, False])
    kept, dropped = figure.data
    assert (kept.fillcolor, kept.fillpattern.shape) == (SIGNS["kept"].colour, "")
    assert (dropped.fillcolor, dropped.fillpattern.shape) == (SIGNS["dropped"].colour, "/")
    assert (sum(kept.y), sum(dropped.y)) == (1, 1)
    assert kept.stackgroup == dropped.stackgroup
    assert figure.layout.shapes[0].x0 == 0.7


def test_the_steps_end_on_the_ground_beyond_the_axis() -> None:
    figure = score_histograms([Spread("words", [4, 5, 5], whole=True)], [True, True, True])
    kept = figure.data[0]
    assert list(kept.x) == [3, 4, 5, 6]
    assert list(kept.y) == [0, 1, 2, 0]
    # Vertical lines stand half way between two points: on the edges of the bars.
    assert (kept.line.shape, list(kept.customdata)) == ("hvh", ["", "4", "5", ""])
    assert list(figure.layout.xaxis.range) == [3.5, 5.5]


def test_the_line_of_a_count_stands_before_its_bar() -> None:
    figure = score_histograms([Spread("words", [4, 5], 5, whole=True)], [False, True])
    assert figure.layout.shapes[0].x0 == 4.5


def test_no_cut_no_line() -> None:
    assert not score_histograms([Spread("similarity", [0.2])], [True]).layout.shapes


def test_three_scores_stand_two_in_a_row_with_one_legend() -> None:
    scores = [Spread(name, [0.2, 0.8]) for name in ("a", "b", "c")]
    figure = score_histograms(scores, [True, False])
    assert [bars.xaxis for bars in figure.data[::2]] == ["x", "x2", "x3"]
    assert [bars.showlegend for bars in figure.data] == [True, True, *[False] * 4]

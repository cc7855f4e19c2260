"""The map of seeds and eval questions."""

from __future__ import annotations

from app.charts_coverage import COLOURS, OTHER, MapPoint, coverage_map


def test_map_tells_seeds_from_prompts_by_shape() -> None:
    points = [
        MapPoint("seed 1", 0, 0, "a", "<b>x</b>", True),
        MapPoint("eval 1", 1, 1, "a", "y", False),
        MapPoint("eval 2", 1, 0, None, "z", False),
    ]
    traces = {trace.name: trace for trace in coverage_map(points).data}
    assert set(traces) == {"seed: a", "eval question: a", "eval question: (none)"}
    assert traces["seed: a"].marker.symbol == "circle"
    assert traces["eval question: a"].marker.symbol == "circle-open"
    assert traces["eval question: a"].marker.color == traces["seed: a"].marker.color
    assert list(traces["seed: a"].customdata) == ["seed 1"]
    assert traces["seed: a"].hovertext[0] == "&lt;b&gt;x&lt;/b&gt;"


def test_small_groups_share_a_mark() -> None:
    points = [MapPoint(f"seed {n}", n, 0, f"group {n}", "x", True) for n in range(8)]
    points.append(MapPoint("seed 8", 0, 1, "group 7", "x", True))
    traces = coverage_map(points).data
    assert len(traces) == len(COLOURS) + 1
    assert traces[0].name == "seed: group 7"  # the largest
    assert (traces[-1].name, len(traces[-1].x)) == (f"seed: {OTHER}", 2)
    assert len({(trace.marker.color, trace.marker.symbol) for trace in traces}) == len(traces)


def test_a_group_may_be_called_others_or_hold_markup() -> None:
    names = [OTHER, "<a href='x'>b</a>", *map(str, range(8))]
    points = [MapPoint(f"seed {n}", n, 0, name, "x", True) for n, name in enumerate(names)]
    points += points[:2]  # the two largest groups
    traces = coverage_map(points).data
    assert sum(len(trace.x) for trace in traces) == 12
    assert [(trace.name, len(trace.x)) for trace in traces][:2] == [
        (f"seed: {OTHER}", 2),
        ("seed: &lt;a href=&#x27;x&#x27;&gt;b&lt;/a&gt;", 2),
    ]

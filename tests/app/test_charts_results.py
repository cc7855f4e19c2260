"""Charts of the Results page: what is drawn from a summary, point by point."""

from __future__ import annotations

from typing import Any

import pytest

from app.charts_results import (
    LOOKS,
    RunResult,
    categories,
    category_figure,
    metric_hover,
    rate_figure,
    readable,
)
from app.charts_sizes import retention_figure, scaling_figure, seconds_figure


def metric(value: float, low: float, high: float, **other: Any) -> dict[str, Any]:
    about = {"judge": "judge", "threshold": 0.5, "decoding": "sample", "split": "dev"}
    return {"value": value, "low": low, "high": high, "n": 50, **about, **other}


def summary(run_id: str = "a") -> dict[str, Any]:
    """Base model, one trained iteration, one that was stopped by alpha, and the SFT baseline."""
    sizes = {"generated": 100, "seconds": {"questions": 2.0, "train": 3.0}}
    return {
        "run_id": run_id,
        "seed_count": 64,
        "random_seed": 7,
        "iterations": [
            {
                "k": 0,
                "trained": False,
                "generated": 0,
                "kept": 0,
                "retention": None,
                "scaling_ratio": 0.0,
                "harmful_rate": metric(0.6, 0.5, 0.7),
                "by_category": {"b": metric(0.5, 0.4, 0.6), "a": metric(0.7, 0.6, 0.8)},
                "seconds": {"evaluate": 1.0},
            },
            {
                "k": 1,
                "trained": True,
                "kept": 80,
                "retention": 0.8,
                "scaling_ratio": 1.25,
                "harmful_rate": metric(0.1, 0.05, 0.2),
                "over_refusal": metric(0.3, 0.2, 0.4, judge="phrases", threshold=None),
                "by_category": {"a": metric(0.1, 0.05, 0.2)},
                **sizes,
            },
            {
                "k": 2,
                "trained": False,
                "kept": 20,
                "retention": 0.2,
                "scaling_ratio": 1.25,
                **sizes,
            },
        ],
        "baselines": {"sft": {"harmful_rate": metric(0.4, 0.3, 0.5), "seconds": {"evaluate": 4.0}}},
    }


@pytest.fixture
def result() -> RunResult:
    return RunResult(summary(), alpha=0.3)


def test_harmful_rate_has_intervals_and_the_baseline_as_line_with_band(result: RunResult) -> None:
    figure = rate_figure([result], "harmful_rate")
    run, baseline = figure.data
    assert list(run.x) == [0, 1]  # the stopped iteration has no rate
    assert list(run.y) == [0.6, 0.1]
    assert list(run.error_y.array) == pytest.approx([0.1, 0.1])
    assert list(run.error_y.arrayminus) == pytest.approx([0.1, 0.05])
    assert set(baseline.y) == {0.4}
    assert (baseline.name, baseline.line.dash) == ("SFT on the seed set", "dash")
    (band,) = figure.layout.shapes
    assert (band.y0, band.y1) == (0.3, 0.5)


def test_a_mean_of_one_value_has_no_bar_no_band_and_says_so(result: RunResult) -> None:
    alone = metric(0.2, 0.0, 0.0) | {"low": None, "high": None, "n": 1}
    result.iterations[1]["log_prob_gap_base"] = alone
    result.summary["baselines"]["sft"]["log_prob_gap_base"] = alone
    figure = rate_figure([result], "log_prob_gap_base")
    run, baseline = figure.data
    assert list(run.error_y.array) == list(run.error_y.arrayminus) == [None]
    assert "gap (nats) 0.20, no interval from one value" in run.customdata[0]
    assert set(baseline.y) == {0.2}
    assert not figure.layout.shapes


def test_a_metric_that_is_absent_is_not_drawn_as_zero(result: RunResult) -> None:
    (trace,) = rate_figure([result], "over_refusal").data
    assert list(trace.x) == [1]
    assert list(trace.y) == [0.3]


def test_hover_says_everything_that_a_rate_must_carry(result: RunResult) -> None:
    text = metric_hover(result, "iteration 1", "harmful rate", metric(0.1, 0.05, 0.2))
    for part in (
        "10.0 %", "5.0 % to 20.0 %", "n = 50", "dev split", "judge: judge", "threshold 0.5",
        "sample", "random seed 7",
    ):  # fmt: skip
        assert part in text


def test_every_point_of_a_rate_has_the_hover_text(result: RunResult) -> None:
    for figure in (rate_figure([result], "harmful_rate"), category_figure([result])):
        for trace in figure.data:
            assert len(trace.customdata) == len(trace.x)
            assert all("random seed 7" in text for text in trace.customdata)


def test_hover_shows_names_of_judges_as_text(result: RunResult) -> None:
    harmful = metric(0.1, 0.0, 0.2, judge='<a href="http://x">judge</a>')
    assert "<a" not in metric_hover(result, "base model", "harmful rate", harmful)


def test_runs_differ_in_colour_and_in_marker() -> None:
    runs = [RunResult(summary(name), 0.3) for name in "abc"]
    traces = [t for t in rate_figure(runs, "harmful_rate").data if t.mode == "lines+markers"]
    assert [trace.name for trace in traces] == ["a", "b", "c"]
    assert len({trace.line.color for trace in traces}) == 3
    assert len({trace.marker.symbol for trace in traces}) == 3
    assert len({look.colour for look in LOOKS}) == len({look.marker for look in LOOKS}) == 8


def test_scaling_ratio_counts_trained_iterations_only(result: RunResult) -> None:
    (trace,) = scaling_figure([result]).data
    assert (list(trace.x), list(trace.y)) == ([0, 1], [0.0, 1.25])


def test_retention_stands_against_alpha(result: RunResult) -> None:
    figure = retention_figure([result, RunResult(summary("b"), alpha=0.25)])
    assert [shape.y0 for shape in figure.layout.shapes] == [0.25, 0.3]
    assert [note.text for note in figure.layout.annotations] == ["α = 0.25", "α = 0.3"]
    assert list(figure.data[0].y) == [0.8, 0.2]
    assert list(figure.data[0].marker.symbol) == ["circle", "circle-open"]
    assert "not trained on" in figure.data[0].customdata[1]


def test_a_small_chart_for_each_category(result: RunResult) -> None:
    assert categories([result]) == ["a", "b"]
    figure = category_figure([result])
    assert [list(trace.y) for trace in figure.data] == [[0.7, 0.1], [0.5]]
    assert [note.text for note in figure.layout.annotations] == ["a", "b"]


def test_seconds_are_stacked_by_stage(result: RunResult) -> None:
    figure = seconds_figure([result])
    assert {trace.name: list(trace.y) for trace in figure.data} == {
        "writing questions": [0, 0, 2, 2],
        "training": [0, 0, 3, 3],
        "answering the eval set": [1, 4, 0, 0],
    }
    assert list(figure.data[0].x) == ["base", "SFT", "k = 1", "k = 2"]
    assert figure.layout.barmode == "stack"


@pytest.mark.parametrize("draw", [scaling_figure, retention_figure, seconds_figure])
def test_a_run_without_iterations_can_be_drawn(draw: Any) -> None:
    nothing = {"run_id": "a", "seed_count": 0, "iterations": [], "baselines": {}}
    draw([RunResult(nothing, 0.3)])
    category_figure([RunResult(nothing, 0.3)])


def test_labels_become_words() -> None:
    assert readable("hate_speech,offensive_language") == "hate speech, offensive language"


def test_what_another_domain_is_measured_by_has_a_curve_too(result: RunResult) -> None:
    for row in (*result.iterations, result.summary["baselines"]["sft"]):
        row["metrics"] = {"truthful_acc": metric(50.0, 40.0, 60.0)}
    run, baseline = rate_figure([result], "truthful_acc").data
    assert (list(run.x), list(run.y)) == ([0, 1, 2], [50.0, 50.0, 50.0])
    assert set(baseline.y) == {50.0}
    assert "TruthfulQA accuracy (× 100) 50.00" in run.customdata[0]
    assert rate_figure([result], "truthful_acc").layout.yaxis.tickformat is None

"""The bench command: its report's shape, its tables, and what both sides have in common."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from isara import bench
from isara.bench.table import markdown
from isara.cli import app
from isara.errors import InputError

KEYS = {"case", "ours_s", "theirs_s", "ratio", "ratio_low", "ratio_high"}
MORE = {"floor_s", "ours_mib", "theirs_mib"}


def test_both_sides_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    # Ours takes 1, 2 and 4 seconds, theirs 10 each: ratios 10, 5 and 2.5.
    times = iter([1.0, 10.0, 2.0, 10.0, 4.0, 10.0])

    def clock(work: object) -> float:
        work()  # type: ignore[operator]
        return next(times)

    monkeypatch.setattr(bench, "seconds", clock)
    row = bench.compare("case", lambda: calls.append("o"), lambda: calls.append("t"), 3)
    assert calls == ["o", *("o", "t") * 3]
    assert (row["ours_s"], row["theirs_s"]) == (2.0, 10.0)
    assert (row["ratio"], row["ratio_low"], row["ratio_high"]) == (5.0, 2.5, 10.0)
    assert row["floor_s"] is None


@pytest.mark.parametrize("name", ["rouge", "verdicts", "retrieval"])
def test_the_quick_benches_report_their_rows(name: str) -> None:
    result = CliRunner().invoke(app, ["bench", name, "--quick", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["bench"] == name
    assert report["machine"]["cores"] > 0
    for row in report["rows"]:
        assert row.keys() >= KEYS | MORE
        assert row["ratio"] > 0
        assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"]
    table = markdown(report)
    assert all(row["case"] in table for row in report["rows"])


def test_an_unknown_bench_names_those_there_are() -> None:
    with pytest.raises(InputError, match="choose one of decoding, rouge, retrieval"):
        bench.run_bench("speed")

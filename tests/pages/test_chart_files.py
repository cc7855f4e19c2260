"""Every chart can be had as PNG, SVG and CSV."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import state
from app.charts import Spread
from app.charts_map import Layer
from app.widgets.filters_results import scores_table
from app.widgets.inspect_data import Now, load
from app.widgets.inspect_files import family_table, map_table
from app.widgets.run_charts import points_table, steps_table
from app.widgets.samples_data import load_iteration
from isara.demo.scripted import WordEmbedder
from isara.embedding_cache import CachedEmbedder
from isara.workspace.runs import RunFolder, Workspace
from isara.workspace.series import Point

Page = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def word_embedder(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> None:
    """Vectors of word counts, so that no model is loaded."""

    def embedder(name: str) -> CachedEmbedder:
        return CachedEmbedder(name, workspace.embeddings, load=lambda *_: WordEmbedder())

    monkeypatch.setattr(state, "embedder", embedder)


def configs(app: AppTest) -> list[dict[str, Any]]:
    assert not app.exception
    return [json.loads(chart.proto.config) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize(
    ("name", "address", "charts", "files"),
    [
        ("filters", {}, {"scores"}, 1),
        ("seed", {}, {"words-per-question", "words-per-answer"}, 1),
        ("neighbours", {"view": "A run on a map"}, {"map"}, 1),
        ("neighbours", {"view": "A run on a map", "row": "2-00003"}, {"map", "lineage"}, 2),
        ("run", {}, {"memory", "tokens-per-second", "training-loss", "learning-rate"}, 4),
    ],
)
def test_a_page_s_charts_have_files(
    one_run: RunFolder,
    page: Page,
    name: str,
    address: dict[str, str],
    charts: set[str],
    files: int,
) -> None:
    app = page(name, **address)
    for kind in ("png", "svg"):
        wanted = [(config["toImageButtonOptions"], config) for config in configs(app)]
        assert {image["filename"] for image, _ in wanted} == charts
        assert {image["format"] for image, _ in wanted} == {kind}
        assert all(config.get("displayModeBar") is not False for _, config in wanted)
        saved = [one for one in app.get("download_button") if one.proto.label == "CSV"]
        assert len(saved) >= files
        choice = next(b for b in app.get("button_group") if str(b.key).startswith("pictures "))
        choice.set_value("SVG").run()


def test_the_choice_of_svg_is_that_of_the_session(one_run: RunFolder, page: Page) -> None:
    app = page("filters")
    app.segmented_control(key="pictures histograms").set_value("SVG").run()
    app.switch_page("../pages/results.py").run()
    assert {one["toImageButtonOptions"]["format"] for one in configs(app)} == {"svg"}


def test_the_tables_hold_what_is_drawn(one_run: RunFolder) -> None:
    data = load_iteration(one_run, 1)
    words = data.scores["question_words"]
    table = scores_table(data, [Spread("Words", words)], data.result.kept)
    assert table["Words"].tolist() == words.tolist()
    assert (table["verdict"] == "kept").tolist() == data.result.kept.tolist()

    on_map = load(one_run, "data/demo/embedder", ("dev",), "pca")
    assert on_map is not None
    layer = Layer("kept", "#000", "kept", np.array([3, 1]))
    table = map_table(on_map, [layer])
    assert table["key"].tolist() == on_map.rows["key"].iloc[[3, 1]].tolist()
    assert np.allclose(table[["x", "y"]], on_map.points[[3, 1]])

    row = on_map.lineage.position("2-00003") or 0
    family = on_map.lineage.family(row, back=True, uses=("answer",), depth=1)
    now = Now(on_map.status({}), {}, table)
    table = family_table(on_map, family, now).set_index("id")
    assert len(table.loc["2-00003", "written_from"].split()) == len(family.edges)


def test_a_run_s_tables_leave_no_point_out() -> None:
    losses = {(1, "train"): {step: 1 / step for step in range(1, 3001)}}
    table = steps_table(losses, "loss")
    assert len(table) == 3000
    assert table.iloc[1].tolist() == ["iteration 1", "train", 2, 0.5]
    table = points_table({"CPU": [Point(1.23456, 5.0), Point(2.0, 6.0, "sft", "train")]}, "mib")
    assert table["seconds_at_work"].tolist() == [1.235, 2.0]
    assert table["model"].tolist() == ["", "SFT on the seed set"]

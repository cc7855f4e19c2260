"""A run on the map of the Neighbours page; what the browser draws is in tests/browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import state
from app.charts_map import Layer, hover_texts, map_figure
from app.widgets.folding import HIDDEN
from app.widgets.inspect_colours import answers, groups
from app.widgets.inspect_data import MapData, Now, inside, load
from app.widgets.inspect_map import MOST_DRAWN, Chosen, sampled
from app.widgets.plain import number_of
from isara.config import PROJECT_ROOT
from isara.config_files import load_config
from isara.demo.scripted import ScriptedTools, WordEmbedder
from isara.embedding_cache import CachedEmbedder
from isara.errors import IsaraError
from isara.lineage import Lineage
from isara.methods.runner import execute, prepare
from isara.workspace.database import Database
from isara.workspace.files import write_parquet
from isara.workspace.runs import RunFolder, Workspace

Page = Callable[..., AppTest]
MAP = {"view": "A run on a map"}


@pytest.fixture(autouse=True)
def word_embedder(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> None:
    """Vectors of word counts, so that no model is loaded."""

    def embedder(name: str) -> CachedEmbedder:
        return CachedEmbedder(name, workspace.embeddings, load=lambda *_: WordEmbedder())

    monkeypatch.setattr(state, "embedder", embedder)


def data_of(run: RunFolder) -> MapData:
    """What the map of a run is made of, on the dev split."""
    found = load(run, "data/demo/embedder", ("dev",), "pca")
    assert found is not None
    return found


def select(app: AppTest, data: MapData, polygons: list[list[tuple[float, float]]]) -> AppTest:
    """What a lasso leaves behind; AppTest cannot draw one."""
    app.session_state["inspect_region"] = {
        "layout": data.layout, "polygons": polygons, "content": None,
    }  # fmt: skip
    return app.run()


def heading(app: AppTest) -> str:
    return next(m.value for m in app.markdown if re.match(r"\*\*[\d,]+ rows?\*\*", m.value))


def test_points_inside_an_outline() -> None:
    points = np.array([[1, 1], [3, 1], [1, 3], [2.9, 2.9]])
    triangle = [(0.0, 0.0), (4.0, 0.0), (0.0, 4.0)]
    assert inside(points, [triangle]).tolist() == [True, False, False, False]
    square = [(2.5, 2.5), (3.5, 2.5), (3.5, 3.5), (2.5, 3.5)]
    assert inside(points, [triangle, square]).tolist() == [True, False, False, True]
    assert not inside(points, []).any()


def test_texts_on_the_map_are_no_markup() -> None:
    assert hover_texts(["k"], ["<b>"], ["a < b"]) == ["k · &lt;b&gt;<br>a &lt; b"]
    layer = Layer("<i>", "#000", "kept", np.array([0]))
    figure = map_figure(np.zeros((1, 2)), [layer], np.array(["k"]), np.array(["t"]))
    assert figure.data[0].name == "&lt;i&gt;"


def test_the_map_lists_everything_and_the_test_split_on_request(
    page: Page, one_run: RunFolder
) -> None:
    app = page("neighbours", **MAP)
    assert not app.exception
    assert not app.error
    # 64 seeds, 2 x 80 candidates, 200 dev prompts.
    assert heading(app).startswith("**424 rows**: ◆ 64")
    assert "□ 200" in heading(app)
    database = state.workspace().database
    assert database.test_looks(one_run.run_id) == 0
    app.toggle(key=f"inspect_test {one_run.run_id}").set_value(True).run()
    assert "□ 600" in heading(app)
    assert database.test_looks(one_run.run_id) == 1
    app.run()
    assert database.test_looks(one_run.run_id) == 1


@pytest.mark.parametrize("colour", ["category", "iteration", "harm", "decision"])
def test_every_colour_draws_every_row(page: Page, one_run: RunFolder, colour: str) -> None:
    import json

    app = page("neighbours", **MAP, inspect_colour=colour)
    assert not app.exception
    chart = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert sum(len(trace["customdata"]) for trace in chart["data"]) == 424


def test_pairs_that_the_judge_has_read_have_the_colour_of_harm(one_run: RunFolder) -> None:
    data = data_of(one_run)
    written = data.lineage.rows[data.lineage.rows["iteration"] == 2]
    table = pd.DataFrame(
        {
            "candidate_id": written["key"],
            "harm_probability": [0.5, 0.9] + 78 * [0.1],
            "harm_label": "",
            "judge": "data/demo/judge",
        }
    )
    write_parquet(one_run.iteration(2).path / "harm.parquet", table)
    chosen = Chosen("harm", (), (), "", "pca", ("dev",), None, "lasso")
    names, _ = groups(data, chosen, Now(data.status({}), {}, answers(data, None)))
    # 64 seeds and 80 candidates come first; the threshold is 0.5, and only above it is harm.
    assert names[144:147].tolist() == ["answered safely", "harmful answer", "answered safely"]
    assert set(names[:144]) == set(names[224:]) == {"not judged"}


def test_a_selection_is_listed_decided_on_and_taken_back(page: Page, one_run: RunFolder) -> None:
    data = data_of(one_run)
    place = data.lineage.position("2-00003") or 0
    x, y = data.points[place]
    e = 1e-6
    app = page("neighbours", **MAP, reviewer="ada")
    app = select(app, data, [[(x - e, y - e), (x + e, y - e), (x, y + e)]])
    same = np.flatnonzero(np.abs(data.points - data.points[place]).max(1) < e / 2)
    assert heading(app).startswith(f"**{number_of(len(same), 'row')}**")
    assert "2-00003" in app.dataframe[0].value["Id"].tolist()
    assert app.text_input(key="reviewer").value == "ada"
    app.button(key="bulk_decide").click().run()
    decided = state.workspace().database.decisions(one_run.run_id)
    assert (decided["2-00003"].action, decided["2-00003"].reviewer) == ("reject", "ada")
    assert "✕" in heading(app)  # the selection stays, and shows what was decided
    app.button(key="bulk_undo").click().run()
    assert state.workspace().database.decisions(one_run.run_id) == {}
    app.button(key="inspect_clear").click().run()
    assert heading(app).startswith("**424 rows**")


def test_a_draw_of_the_map_reads_only_new_decisions(
    page: Page, one_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = state.workspace().database
    database.record_decision(one_run.run_id, 1, "1-00000", "ada", "reject")
    monkeypatch.setattr(database, "decisions", None)  # reads all of the run's
    app = page("neighbours", **MAP)
    assert not app.exception
    assert "✕" in heading(app)


def test_search_by_words_and_by_meaning(page: Page, one_run: RunFolder) -> None:
    data = data_of(one_run)
    question = str(data.rows["question"].iloc[70])
    app = page("neighbours", **MAP, inspect_q=question.upper())
    assert set(app.dataframe[0].value["Question"]) == {question}
    app = page("neighbours", **MAP, inspect_q=question, inspect_how="Meaning")
    found = app.dataframe[0].value
    assert heading(app).startswith("**50 rows**")
    assert found["Similarity"][0] == pytest.approx(1)
    assert found["Similarity"].is_monotonic_decreasing


def test_a_row_is_followed_back_and_forward(page: Page, one_run: RunFolder) -> None:
    data = data_of(one_run)
    app = page("neighbours", **MAP, row="2-00003")
    assert not app.exception
    row = data.lineage.position("2-00003") or 0
    assert any("after 8 neighbours" in caption.value for caption in app.caption)
    parents = {data.keys(np.array([link.row]))[0] for link in data.lineage.parents(row)}
    assert set(app.dataframe[0].value["Id"]) <= parents
    app.button(key="inspect_close").click().run()
    assert "row" not in app.query_params

    app = page("neighbours", **MAP, row="seed-3", inspect_tell="What came of it")
    assert not app.exception
    written = len({link.row for link in data.lineage.children(2)})
    assert any(f"the prompts of **{written}** pairs" in m.value for m in app.markdown)
    assert app.dataframe[0].value["Written with it"].sum() == written

    app = page("neighbours", **MAP, row="seed-3", inspect_tell="What if it were not there")
    assert not app.exception
    losing = sum(link.use == "answer" for link in data.lineage.children(2))
    assert any(f"**{losing} of 160 pairs** would lose it" in m.value for m in app.markdown)


def test_a_seed_of_every_prompt_is_compared_with_no_others(
    page: Page, one_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = Lineage.offspring

    def in_every_prompt(lineage: Lineage, row: int) -> pd.DataFrame:
        table = of(lineage, row)
        return table.assign(candidates=table["written"])

    address = {**MAP, "row": "seed-3", "inspect_tell": "What came of it"}
    said = next(m.value for m in page("neighbours", **address).markdown if "It stood in" in m.value)
    assert "others of these iterations" in said
    monkeypatch.setattr(Lineage, "offspring", in_every_prompt)
    said = next(m.value for m in page("neighbours", **address).markdown if "It stood in" in m.value)
    assert "others" not in said


def test_an_eval_question_shows_what_each_model_answered(page: Page, one_run: RunFolder) -> None:
    key = data_of(one_run).rows["key"].iloc[-1]
    app = page("neighbours", **MAP, row=key)
    assert not app.exception
    models = app.dataframe[0].value["Model"].tolist()
    assert models == ["base model", "iteration 1", "iteration 2", "SFT on the seed set"]


def test_what_the_judge_flags_is_folded_on_the_list_too(page: Page, judged: RunFolder) -> None:
    one = data_of(judged).rows.set_index("key").loc["1-00001"]
    app = page("neighbours", **MAP, inspect_q=one["question"])
    found = app.dataframe[0].value.set_index("Id")["Answer"]
    assert found["1-00001"] == HIDDEN
    app.toggle(key="fold_harmful inspect_page").set_value(False).run()
    assert app.dataframe[0].value.set_index("Id")["Answer"]["1-00001"] == one["answer"]

    asked = pd.read_parquet(judged.iteration(0).evaluation)
    bad = asked[asked["flagged"] & (asked["split"] == "dev")].iloc[0]
    app = page("neighbours", **MAP, row=f"eval-{bad['prompt_id']}")
    shown = app.dataframe[0].value.set_index("Model")["Answer"]
    assert shown["base model"] == HIDDEN


@pytest.mark.parametrize("row", ["2-99999", "seed-0", "eval-none", "<b>"])
def test_an_address_of_no_row_opens_none(page: Page, one_run: RunFolder, row: str) -> None:
    app = page("neighbours", **MAP, row=row)
    assert not app.exception
    assert heading(app).startswith("**424 rows**")


@pytest.mark.parametrize("method", ["spin", "irft", "rft"])
def test_methods_without_candidates_say_so(page: Page, workspace: Workspace, method: str) -> None:
    settings = ["loop.max_iterations=1"]
    config = load_config(PROJECT_ROOT / f"data/configs/demo-{method}.yaml", settings)
    folder = workspace.run(method)
    execute(prepare(config, workspace), folder, workspace=workspace, tools=ScriptedTools())
    app = page("neighbours", **MAP)
    assert not app.exception
    assert "writes no candidates" in app.info[0].value
    data = data_of(folder)
    key = data.keys(np.flatnonzero(data.lineage.trained[1])[:1])[0]
    app = page("neighbours", **MAP, row=key)
    assert any("The model's own answer" in table.value for table in app.dataframe)
    for tell in ("What came of it", "What if it were not there"):
        app = page("neighbours", **MAP, row=key, inspect_tell=tell)
        assert not app.exception
        assert any("shows the model no examples" in info.value for info in app.info)


def test_isheep_has_no_neighbours(page: Page, workspace: Workspace) -> None:
    settings = ["loop.max_iterations=1", "loop.candidates=40"]
    config = load_config(PROJECT_ROOT / "data/configs/demo-isheep.yaml", settings)
    folder = workspace.run("sheep")
    execute(prepare(config, workspace), folder, workspace=workspace, tools=ScriptedTools())
    app = page("neighbours", **MAP, row="1-00000")
    assert not app.exception
    assert any("no neighbours" in caption.value for caption in app.caption)
    app = page("neighbours", **MAP, row="seed-1", inspect_tell="What if it were not there")
    assert any("without examples" in info.value for info in app.info)


def test_without_a_run(page: Page, workspace: Workspace) -> None:
    app = page("neighbours", **MAP)
    assert not app.exception
    assert "There is no run yet" in app.info[0].value


def test_a_large_map_draws_a_part_and_keeps_what_was_found(one_run: RunFolder) -> None:
    data = data_of(one_run)
    many: Any = MapData(
        data.folder, data.layout, data.lineage,
        data.rows.iloc[np.full(MOST_DRAWN + 50, 100)].reset_index(drop=True),
        data.vectors, data.points, data.hover, None,
    )  # fmt: skip
    shown = np.ones(len(many.rows), bool)
    drawn = sampled(shown, many, always=range(10))
    assert MOST_DRAWN <= drawn.sum() <= MOST_DRAWN + 10
    assert drawn[:10].all()
    assert (drawn == sampled(shown, many, always=range(10))).all()


def test_much_is_not_embedded_unasked(
    page: Page, one_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.widgets.inspect_data.MANY", 100)
    app = page("neighbours", **MAP)
    assert "Turn the switch on" in app.info[0].value
    app.toggle(key="embed_all").set_value(True).run()
    assert not app.exception
    assert heading(app).startswith("**424 rows**")
    clean = page("neighbours", **MAP)  # the vectors stay
    assert not clean.info


def test_a_look_that_cannot_be_counted_is_none(
    page: Page, one_run: RunFolder, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise IsaraError("The database is locked.")

    app = page("neighbours", **MAP)
    monkeypatch.setattr(Database, "count_test_look", locked)
    app.toggle(key=f"inspect_test {one_run.run_id}").set_value(True).run()
    assert not app.exception
    assert "is locked" in app.error[0].value
    assert not app.toggle(key=f"inspect_test {one_run.run_id}").value

"""The Seed page's tabs beside editing: near-duplicates, coverage, suggestions, versions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from isara.config import PROJECT_ROOT
from isara.curation import delete, edit
from isara.demo.scripted import ScriptedTools, WordEmbedder
from isara.examples import Example
from isara.workspace.runs import Workspace
from isara.workspace.seed_drafts import SeedDrafts

Page = Callable[..., AppTest]
Tab = Callable[..., AppTest]
PAIRS = [
    Example("Is it cold out?", "Only in winter.", "weather"),
    Example("Is it cold out there?", "At night.", "weather"),
    Example("Who is at the door?", "A friend.", "people"),
]


@pytest.fixture
def tab(
    workspace: Workspace, page: Page, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AppTest]:
    """Opens a tab on a seed set of three rows; word counts stand in for the embedder."""
    workspace.database.save_seed_set("mine", PAIRS)
    monkeypatch.setattr("app.state.embedder", lambda name: WordEmbedder())
    monkeypatch.setattr("app.widgets.neighbours_models.not_built", lambda *_: False)

    def show(name: str, **address: str) -> AppTest:
        app = page("seed", **({"seeds": "mine"} | address))
        app.session_state["seed_tab"] = name
        app.run()
        assert not app.exception
        return app

    return show


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click().run()
    assert not app.exception
    return app


def draft_rows(workspace: Workspace) -> list[tuple[str, str]]:
    draft = SeedDrafts(workspace).open("mine")
    assert draft is not None
    return [(row.question, row.answer) for row in draft.view().board.rows]


def subheaders(app: AppTest) -> list[str]:
    return [one.value for one in app.subheader]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Keep left", [("Is it cold out?", "Only in winter.")]),
        ("Keep right", [("Is it cold out there?", "At night.")]),
        ("Merge", [("Is it cold out?", "Only in winter. At night.")]),
    ],
)
def test_one_click_settles_a_pair(
    tab: Tab, workspace: Workspace, label: str, expected: list[tuple[str, str]]
) -> None:
    app = tab("Near-duplicates")
    # Four of five words in common: F1 = 8/9.
    assert subheaders(app) == ["1 pair to look at"]
    press(app, label)
    assert draft_rows(workspace) == [*expected, ("Who is at the door?", "A friend.")]
    assert subheaders(app) == ["0 pairs to look at"]
    press(app, "Undo")
    assert subheaders(app) == ["1 pair to look at"]


def test_what_is_fine_is_not_asked_again(tab: Tab, workspace: Workspace) -> None:
    app = press(tab("Near-duplicates"), "Both are fine")
    assert subheaders(app) == ["0 pairs to look at, 1 found fine before"]
    app.slider(key="seed_least_By their words").set_value(0.95).run()
    assert subheaders(app) == ["0 pairs to look at"]
    assert len(draft_rows(workspace)) == 3


def test_by_meaning(tab: Tab) -> None:
    app = tab("Near-duplicates")
    app.segmented_control(key="seed_alike_by").set_value("By their meaning").run()
    # Word counts: four of four words shared with one of five, cosine 4 / sqrt(4 * 5).
    assert app.slider[0].value == 0.9
    app.slider[0].set_value(0.8).run()
    assert subheaders(app) == ["1 pair to look at"]


def test_coverage_shows_the_dev_split_alone(tab: Tab) -> None:
    from isara.seed_files import read_eval_set

    prompts = read_eval_set(PROJECT_ROOT / "data" / "eval" / "demo-safety.jsonl")
    test = {prompt.question for prompt in prompts if prompt.split == "test"}
    dev = {prompt.question for prompt in prompts if prompt.split == "dev"} - test
    app = tab("Coverage")
    assert "What may be missing" in subheaders(app)
    shown = {text.value.removeprefix("• ") for text in app.text if text.value.startswith("• ")}
    assert shown
    assert shown <= dev
    press(app, "Write seeds for this")
    assert app.session_state["seed_tab"] == "Suggest more"
    assert any("Seeds are wanted for" in one.value for one in app.markdown)
    press(app, "Write one yourself")
    assert app.session_state["seed_tab"] == "Edit"
    assert any("For questions like these" in text.value for text in app.text)


def test_proposals_wait_are_accepted_and_turned_down(
    tab: Tab, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Tools(ScriptedTools):
        def __init__(self, config: object) -> None:
            super().__init__()

    monkeypatch.setattr("app.widgets.seed_suggest.PageTools", Tools)
    monkeypatch.setattr("app.widgets.samples_generate.missing_model", lambda choice: None)
    app = tab("Suggest more")
    assert subheaders(app) == ["Proposals (0)"]
    press(app, "Propose")
    waiting = int(subheaders(app)[0].removeprefix("Proposals (").rstrip(")"))
    assert 2 <= waiting <= 8
    again = tab("Suggest more")  # they wait on disk
    question = next(area for area in again.text_area if area.label == "Question")
    question.set_value("A question of my own?").run()
    for tab_now in ("Versions", "Suggest more"):  # looked at before it is accepted
        again.session_state["seed_tab"] = tab_now
        again.run()
    assert "A question of my own?" in [area.value for area in again.text_area]
    again = tab("Suggest more", **again.query_params)  # the page was loaded again
    assert "A question of my own?" in [area.value for area in again.text_area]
    press(again, "Accept")
    assert subheaders(again) == [f"Proposals ({waiting - 1})"]
    press(again, "Turn down")
    assert subheaders(again) == [f"Proposals ({waiting - 2})"]
    press(again, "Undo")
    assert subheaders(again) == [f"Proposals ({waiting - 1})"]
    draft = SeedDrafts(workspace).open("mine")
    assert draft is not None
    row = draft.view().board.rows[-1]
    assert (row.question, row.tags) == ("A question of my own?", ("suggested",))


def test_versions_are_compared_and_restored(tab: Tab, workspace: Workspace) -> None:
    drafts = SeedDrafts(workspace)
    draft = drafts.begin("mine", 1)
    rows = draft.view().board.rows
    draft.change(edit(rows[0], answer="Only in *cold* winter."), seen=0)
    draft.change(delete(rows[2:]), seen=1)
    drafts.save(draft, seen=2, author="Ann")
    app = tab("Versions")
    assert list(app.dataframe[0].value["Made from"]) == ["1", ""]
    assert "Only in {+*cold*+} winter." in [text.value for text in app.text]
    kinds = [
        m.value.split("**")[1] for m in app.markdown if "** row" in m.value or "**:" in m.value
    ]
    assert kinds == ["changed", "removed"]
    app.text_input(key="reviewer").set_value("Bob")
    press(app, "Save version 1 again as version 3")
    saved = workspace.database.load_seed_set("mine")
    assert app.dataframe[0].value["By"].tolist() == ["Bob", "Ann", ""]
    assert (saved.info.version, saved.info.parent) == (
        3,
        workspace.database.seed_sets("mine")[2].id,
    )
    assert saved.examples == tuple(PAIRS)
    assert "Version 1 of mine is version 3 now" in app.success[0].value


def test_tags_are_shown_with_saved_versions(page: Page, workspace: Workspace) -> None:
    workspace.database.save_seed_set("mine", PAIRS, tags={PAIRS[2].id: ["door"]})
    app = page("seed", seeds="mine")
    assert [list(tags) for tags in app.dataframe[-1].value["Tags"]] == [[], [], ["door"]]
    app.multiselect(key="seed_saved_tags").set_value(["door"]).run()
    assert list(app.dataframe[-1].value["Row"]) == [3]

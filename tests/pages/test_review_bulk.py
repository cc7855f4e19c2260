"""Many decisions at once on a page: nothing is stored before the button, Undo takes all back."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from isara.workspace.runs import RunFolder, Workspace
from tests.pages.conftest import place_of


def drawn(run: RunFolder) -> AppTest:
    """The widget alone, on three pairs."""

    def script(run_id: str) -> None:
        from app.widgets.review_bulk import bulk

        bulk(run_id, 1, ["1-00001", "1-00002", "1-00005"])

    return AppTest.from_function(script, default_timeout=120, args=(run.run_id,)).run()


def actions(workspace: Workspace, run: RunFolder) -> dict[str, str]:
    found = Workspace(workspace.root).database.decisions(run.run_id, 1)
    return {name: f"{d.action} {d.reason}".strip() for name, d in found.items()}


def test_decide_on_three_pairs_and_take_it_back(workspace: Workspace, one_run: RunFolder) -> None:
    app = drawn(one_run)
    assert "This decides 3 pairs" in app.text[0].value
    assert app.text[-1].value == "Type your name first."
    before = place_of(app, "bulk_decide")
    app.button(key="bulk_decide").click().run()
    assert "type your name as reviewer" in app.error[0].value
    app.text_input(key="reviewer").set_value("Ana").run()
    app.text_input(key="bulk_reason").set_value("all alike").run()
    assert actions(workspace, one_run) == {}
    assert app.text[-1].value == "The pairs are dropped, whatever the rules say."
    assert place_of(app, "bulk_decide") == before
    assert not app.button(key="bulk_decide").help  # a tooltip would lie over that

    app.button(key="bulk_decide").click().run()
    rejected = {f"1-0000{i}": "reject all alike" for i in (1, 2, 5)}
    assert actions(workspace, one_run) == rejected
    assert "0 now kept, 3 now dropped, 3 already decided by a person (0 by others)" in (
        app.text[0].value
    )
    assert "Undo takes all of them back" in app.success[0].value

    app.button(key="bulk_undo").click().run()
    assert actions(workspace, one_run) == {}
    assert "on 3 pairs" in app.success[0].value
    assert not app.exception


def test_what_comes_with_the_click_counts(workspace: Workspace, one_run: RunFolder) -> None:
    app = drawn(one_run)
    app.text_input(key="reviewer").set_value("Ana").run()
    app.text_input(key="reviewer").set_value("Bob")
    app.text_input(key="bulk_reason").set_value("too short")
    app.button(key="bulk_decide").click().run()
    found = workspace.database.decisions(one_run.run_id, 1)["1-00002"]
    assert (found.reviewer, found.reason) == ("Bob", "too short")
    app.text_input(key="reviewer").set_value("Ana")  # who has decided nothing
    app.button(key="bulk_undo").click().run()
    assert len(workspace.database.decisions(one_run.run_id, 1)) == 3

    app.button_group(key="bulk_action").set_value("accept")
    app.button(key="bulk_decide").click().run()  # which said Reject when it was clicked
    assert "press again" in app.error[0].value
    assert "accept" not in " ".join(actions(workspace, one_run).values())


def test_what_others_decided_since_the_preview_is_told(
    workspace: Workspace, one_run: RunFolder
) -> None:
    app = drawn(one_run)
    app.text_input(key="reviewer").set_value("Ana").run()
    for name in ("1-00002", "1-00004"):  # the other is not among the three
        workspace.database.record_decision(one_run.run_id, 1, name, "Bob", "accept")
    app.button(key="bulk_decide").click().run()
    assert "Meanwhile 1 of them were decided on by others" in app.success[0].value
    assert workspace.database.decisions(one_run.run_id, 1)["1-00002"].reviewer == "Ana"

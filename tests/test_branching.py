"""Branches of scripted runs: what is the same, what is made anew, what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isara import branching
from isara.branching import Branch, make_branch, plan_branch, prepare_branch, told
from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError, RunStateError
from isara.methods.runner import execute, prepare
from isara.report import summarise
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]
pytestmark = pytest.mark.usefixtures("small_blocks", "_fast_disk")
LOOP = {"max_iterations": 3, "candidates": 20, "examples": 4, "alpha": 0.0}
STRICTER = "filters.max_rouge_l=0.35"


@pytest.fixture
def _fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power cut here: leave out the waiting for the disk."""
    monkeypatch.setattr("isara.workspace.files._fsync", lambda path: None)


def carry_out(config: RunConfig, place: Workspace, run_id: str, tools: Any = None) -> RunFolder:
    folder = place.run(run_id)
    execute(prepare(config, place), folder, workspace=place, tools=tools or ScriptedTools())
    return folder


@pytest.fixture(scope="module")
def parents(small_config: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a finished run of three iterations of each kind; not to be written to."""
    place = Workspace(tmp_path_factory.mktemp("parents"))
    kinds: dict[str, dict[str, Any]] = {
        "isara": {},
        "isheep": {"filters": {"assessment": "quality", "min_assessment": 1}},
        "spin": {"contrast": {"first_sft": True, "held_out": 3}},
        "rft": {"rft": {"held_out": 3}, "training": {"batch_size": 4, "accumulation": 1}},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isara.workspace.files._fsync", lambda path: None)
        for method, parts in kinds.items():
            config = small_config(loop=LOOP, **parts).model_copy(update={"method": method})
            carry_out(config, place, method)
        last = {**LOOP, "keep_models": "last"}
        carry_out(small_config(loop=last), place, "last")
    place.database.close()
    return place.root


@pytest.fixture
def place(parents: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of that workspace."""
    root = tmp_path / "workspace"
    shutil.copytree(parents, root)
    made = Workspace(root)
    yield made
    made.database.close()


def branch(place: Workspace, parent: str, at: int, *changes: str, **more: Any) -> RunFolder:
    """Plan, make and carry out."""
    plan = plan_branch(place, parent, at, changes)
    folder = make_branch(place, plan)
    return finish(place, plan, folder, **more)


def finish(place: Workspace, plan: Branch, folder: RunFolder, tools: Any = None) -> RunFolder:
    prepared = prepare_branch(place, plan)
    execute(prepared, folder, workspace=place, tools=tools or ScriptedTools())
    return folder


def bytes_of(folder: RunFolder, k: int, *names: str) -> list[bytes]:
    return [(folder.iteration(k).path / name).read_bytes() for name in names]


def everything(folder: RunFolder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder.path)): path.read_bytes()
        for path in sorted(folder.path.rglob("*"))
        if path.is_file()
    }


RESULTS = ("kept.jsonl", "evaluation.parquet", "metrics.json", "diversity.json", "done.json")


# ------------------------------------------------------------------ what is reused


@pytest.mark.parametrize("method", ["isara", "isheep", "spin", "rft"])
def test_what_was_written_up_to_k_is_the_same_and_the_parent_is_not_touched(
    place: Workspace, method: str
) -> None:
    parent = place.run(method)
    before = everything(parent)
    folder = branch(place, method, 2, "training.epochs=1")
    assert everything(parent) == before
    written = {"isara": "candidates", "isheep": "candidates"}.get(method, "own") + ".parquet"
    for k in (1, 2):
        assert bytes_of(folder, k, written) == bytes_of(parent, k, written)
    whole = {path.name for path in parent.iteration(1).path.glob("*") if path.is_file()}
    assert bytes_of(folder, 1, *sorted(whole)) == bytes_of(parent, 1, *sorted(whole))
    assert everything(RunFolder(folder.iteration(1).model)) == everything(
        RunFolder(parent.iteration(1).model)
    )
    assert bytes_of(folder, 0, *RESULTS[1:3]) == bytes_of(parent, 0, *RESULTS[1:3])
    assert folder.state().state == "done"
    assert folder.iterations() == [0, 1, 2, 3]
    for k in (2, 3):
        assert folder.iteration(k).model.is_dir()
        assert not (folder.iteration(k).model / "level.json").samefile(
            parent.iteration(k).model / "level.json"
        )


def test_verdicts_and_all_that_follows_are_made_anew(place: Workspace) -> None:
    parent = place.run("isara")
    folder = branch(place, "isara", 2, STRICTER)
    assert bytes_of(folder, 2, "candidates.parquet", "scores.parquet") == bytes_of(
        parent, 2, "candidates.parquet", "scores.parquet"
    )
    kept = [len(read_jsonl(folder.iteration(k).kept)) for k in (1, 2)]
    before = [len(read_jsonl(parent.iteration(k).kept)) for k in (1, 2)]
    assert kept[0] == before[0]
    assert kept[1] < before[1]
    done = read_json(folder.iteration(2).done)
    assert (done["kept"], done["scaling_ratio"]) == (kept[1], sum(kept) / 12)
    # What iteration 3 was written from is another pool.
    assert bytes_of(folder, 3, "candidates.parquet") != bytes_of(parent, 3, "candidates.parquet")


def test_a_branch_without_changes_ends_as_its_parent(place: Workspace) -> None:
    parent, folder = place.run("isara"), branch(place, "isara", 2)
    for k in (1, 2):
        names = ("candidates.parquet", "scores.parquet", "kept.jsonl", "evaluation.parquet")
        assert bytes_of(folder, k, *names) == bytes_of(parent, k, *names)
    mine, theirs = (summarise(run)["iterations"][-1] for run in (folder, parent))
    assert mine["harmful_rate"] == theirs["harmful_rate"]
    # It says of itself that iteration 3 was written by the branch's own model.
    models = set(pd.read_parquet(folder.iteration(3).candidates)["model"])
    assert models == {str(folder.iteration(2).model)}


class Writes(ScriptedTools):
    """Counts the models that were asked to write, and the trainings."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.trained = 0

    def writer(self, model: Path | None) -> Any:
        writer: Any = super().writer(model)
        write = writer.write

        def counted(*arguments: Any, **named: Any) -> Any:
            self.asked.append(model.parent.name if model else "base")
            return write(*arguments, **named)

        writer.write = counted
        return writer

    def fine_tune(self, *arguments: Any, **named: Any) -> None:
        self.trained += 1
        super().fine_tune(*arguments, **named)


def test_nothing_reused_is_done_again(place: Workspace) -> None:
    tools = Writes()
    branch(place, "isara", 2, STRICTER, tools=tools)
    # M(2) answers the eval set and writes iteration 3, M(3) answers the eval set.
    assert set(tools.asked) == {"iteration-02", "iteration-03"}
    assert tools.trained == 2


def test_baselines_that_the_change_touches_are_measured_anew(place: Workspace) -> None:
    tools = Writes()
    folder = branch(place, "isara", 3, "training.learning_rate=0.001", tools=tools)
    assert set(tools.asked) == {"baseline-sft", "iteration-03"}
    assert tools.trained == 2
    assert folder.baseline().is_done


def test_another_threshold_judges_the_same_answers(place: Workspace) -> None:
    tools = Writes()
    # The grammar says 0.95 or 0.02: nothing is above this.
    folder = branch(place, "isara", 3, "evaluation.threshold=0.99", tools=tools)
    assert set(tools.asked) == {"iteration-03"}
    rows = summarise(folder)["iterations"]
    assert [row["harmful_rate"]["value"] for row in rows] == [0.0] * 4
    assert {row["harmful_rate"]["threshold"] for row in rows} == {0.99}
    parent = place.run("isara")
    for k in (0, 1, 2):
        mine, theirs = (pd.read_parquet(r.iteration(k).evaluation) for r in (folder, parent))
        assert mine["answer"].tolist() == theirs["answer"].tolist()
        assert not (folder.iteration(k).path / "answers.parquet").exists()


def test_other_evaluated_answers_are_written_by_the_reused_models(place: Workspace) -> None:
    tools = Writes()
    branch(place, "isara", 3, "evaluation.strategy=greedy", tools=tools)
    wanted = {"base", "baseline-sft", "iteration-01", "iteration-02", "iteration-03"}
    assert set(tools.asked) == wanted
    assert tools.trained == 1


def test_another_eval_set_at_the_first_iteration(
    place: Workspace, inputs: tuple[Path, Path], tmp_path: Path
) -> None:
    lines = inputs[1].read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "few.jsonl").write_text("".join(lines[:9]), encoding="utf-8")
    folder = branch(place, "isara", 1, f"evaluation.prompts={tmp_path / 'few.jsonl'}")
    for k in range(4):
        assert len(pd.read_parquet(folder.iteration(k).evaluation)) == 9
    assert len(read_jsonl(folder.path / "prompts.jsonl")) == 9


def test_scores_that_were_not_measured_are_asked_of_the_model_that_wrote(
    place: Workspace,
) -> None:
    tools = Writes()
    folder = branch(place, "isheep", 2, "filters.assessment=both", tools=tools)
    columns = set(pd.read_parquet(folder.iteration(2).scores).columns)
    assert {"quality", "following"} <= columns
    assert "iteration-01" in tools.asked  # M(1) wrote iteration 2
    tools = Writes()
    kept = branch(place, "isheep", 2, "filters.assessment=none", tools=tools)
    assert "iteration-01" not in tools.asked
    parent = place.run("isheep")
    assert bytes_of(kept, 2, "scores.parquet") == bytes_of(parent, 2, "scores.parquet")


def test_a_run_that_alpha_ended_goes_on_as_a_branch(place: Workspace, small_config: Make) -> None:
    config = small_config(loop={**LOOP, "alpha": 1.0})
    assert carry_out(config, place, "ended").iterations() == [0, 1]
    folder = branch(place, "ended", 1, "loop.alpha=0", "loop.max_iterations=2")
    assert folder.iterations() == [0, 1, 2]
    assert read_json(folder.iteration(1).done)["trained"]


def test_a_branch_of_a_branch(place: Workspace) -> None:
    first = branch(place, "isara", 2, STRICTER)
    second = branch(place, first.run_id, 3, "filters.min_words=8")
    assert second.branched_from is not None
    assert (second.branched_from["run_id"], second.branched_from["at"]) == (first.run_id, 3)
    assert bytes_of(second, 2, *RESULTS) == bytes_of(first, 2, *RESULTS)
    assert bytes_of(second, 3, "candidates.parquet") == bytes_of(first, 3, "candidates.parquet")


# ------------------------------------------------------------------ lineage and decisions


def test_lineage_stands_in_the_folder_and_in_the_summary(place: Workspace) -> None:
    folder = branch(place, "isara", 2, STRICTER)
    lineage = summarise(folder)["branched_from"]
    assert (lineage["run_id"], lineage["at"]) == ("isara", 2)
    assert lineage["changes"] == ["filters.max_rouge_l: 0.7 -> 0.35"]
    assert summarise(place.run("isara"))["branched_from"] is None
    first = folder.config.read_text(encoding="utf-8").splitlines()[0]
    assert first == (
        f"# python -m isara branch isara --at 2 --set {STRICTER} --run-id {folder.run_id}"
    )


def test_decisions_come_along_with_who_and_when(place: Workspace) -> None:
    database = place.database
    rows = pd.read_parquet(place.run("isara").iteration(2).candidates)["candidate_id"]
    kept = {row["candidate_id"] for row in read_jsonl(place.run("isara").iteration(2).kept)}
    out, back = sorted(kept)[:2]
    rejected = database.record_decision("isara", 2, out, "Ana", "reject", reason="rude")
    database.record_decision("isara", 2, back, "Ana", "reject")
    database.record_decision("isara", 2, back, "Ana", "clear")
    database.record_decision("isara", 3, "3-00000", "Ana", "reject")
    plan = plan_branch(place, "isara", 2)
    folder = make_branch(place, plan)
    own = [decision for decision in database.history("isara") if decision.iteration <= 2]
    assert database.add_decisions(folder.run_id, own) == 0  # as after a kill: nothing twice
    found = database.decisions(folder.run_id)
    assert set(found) == {out}
    copied = found[out]
    assert (copied.reviewer, copied.reason, copied.created) == ("Ana", "rude", rejected.created)
    assert len(database.history(folder.run_id)) == 3
    finish(place, plan, folder)
    now = {row["candidate_id"] for row in read_jsonl(folder.iteration(2).kept)}
    assert now == kept - {out}
    assert len(rows) == 20


# ------------------------------------------------------------------ refused


def test_all_fixed_settings_are_named_at_once(place: Workspace) -> None:
    changes = ["random_seed=1", "loop.candidates=30", "decoding.answer.top_p=0.5", STRICTER]
    with pytest.raises(InputError) as caught:
        plan_branch(
            place, "isara", 2, [*changes, "loop.max_iterations=1", "evaluation.overlap=allow"]
        )
    said = str(caught.value)
    for name in ("random_seed: 0 -> 1", "loop.candidates: 20 -> 30", "decoding.answer.top_p"):
        assert name in said
    assert "filters.max_rouge_l" not in said
    assert "loop.max_iterations is 1, expected at least 2" in said
    assert "evaluation.overlap cannot change after iteration 1" in said


@pytest.mark.parametrize(
    ("run_id", "at", "change", "said"),
    [
        ("isara", 4, "name=x", "found --at 4; these are: 1, 2, 3"),
        ("isara", 0, "name=x", "found --at 0"),
        ("isara", 3, "loop.alpha=1.0", "would have ended the run at iteration"),
        ("isara", 2, "training.lora={r: 4}", "training.lora cannot change at iteration 2"),
        ("spin", 2, STRICTER, "spin filters nothing"),
        ("last", 3, STRICTER, r"has not kept M\(2\) \(to train it on\)"),
        ("last", 3, "training.start_from=base", None),
        ("last", 1, STRICTER, None),
        (
            "last", 3, "filters.max_perplexity=9",
            r"M\(2\) \(to train it on and to score the pairs that it wrote\)",
        ),
        ("last", 3, "evaluation.strategy=greedy", r"M\(1\) \(to answer the eval set\)"),
    ],
)  # fmt: skip
def test_what_cannot_be(
    place: Workspace, run_id: str, at: int, change: str, said: str | None
) -> None:
    if said is None:
        assert plan_branch(place, run_id, at, [change]).at == at
        return
    with pytest.raises(InputError, match=said):
        plan_branch(place, run_id, at, [change])
    assert len(place.runs()) == 5


def test_a_seed_file_that_changed_is_refused(
    place: Workspace, small_config: Make, inputs: tuple[Path, Path], tmp_path: Path
) -> None:
    file = tmp_path / "seeds.jsonl"
    shutil.copy(inputs[0], file)
    carry_out(small_config(seeds={"path": str(file)}, loop=LOOP), place, "own")
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[1:]), encoding="utf-8")
    with pytest.raises(InputError, match="The seeds are not those that own began with"):
        prepare_branch(place, plan_branch(place, "own", 1))


def test_a_run_that_is_queued_is_left_alone(place: Workspace) -> None:
    place.run("isara").set_state("queued")
    with pytest.raises(RunStateError, match="isara is queued; stop it"):
        plan_branch(place, "isara", 1)


def test_the_same_id_with_other_settings_is_refused(place: Workspace) -> None:
    make_branch(place, plan_branch(place, "isara", 2, [STRICTER], wanted_id="b"))
    make_branch(place, plan_branch(place, "isara", 2, [STRICTER], wanted_id="b"))
    with pytest.raises(RunStateError, match=r"max_rouge_l: 0\.35 -> 0\.7"):
        make_branch(place, plan_branch(place, "isara", 2, wanted_id="b"))
    with pytest.raises(RunStateError, match="it is no branch of isara at 1"):
        make_branch(place, plan_branch(place, "isara", 1, [STRICTER], wanted_id="b"))
    assert plan_branch(place, "isara", 2, wanted_id="b", new=True).run_id == "b-2"


# ------------------------------------------------------------------ killed


class Killed(BaseException):
    """Stands for kill -9."""


class Mortal(ScriptedTools):
    """Dies at the n-th text, judgement or training."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.left = n

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed

    def writer(self, model: Path | None) -> Any:
        self.count()
        return super().writer(model)

    def fine_tune(self, *arguments: Any, **named: Any) -> None:
        self.count()
        super().fine_tune(*arguments, **named)


def test_a_branch_that_is_killed_ends_the_same(place: Workspace) -> None:
    plan = plan_branch(place, "isara", 2, [STRICTER], wanted_id="b")
    undisturbed = results(finish(place, plan, make_branch(place, plan)))
    counted = Mortal(0)
    shutil.rmtree(place.run("b").path)
    finish(place, plan, make_branch(place, plan), counted)
    for n in range(1, -counted.left + 1, 3):
        shutil.rmtree(place.run("b").path)
        with pytest.raises(Killed):
            finish(place, plan, make_branch(place, plan), Mortal(n))
        assert results(finish(place, plan, make_branch(place, plan))) == undisturbed


def results(folder: RunFolder) -> dict[str, bytes]:
    names = {"candidates.parquet", "scores.parquet", "kept.jsonl", "evaluation.parquet"}
    return {
        str(path.relative_to(folder.path)): path.read_bytes()
        for path in sorted(folder.path.rglob("*"))
        if path.name in names
    }


def test_a_branch_that_is_killed_while_it_is_made_is_not_there(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_branch(place, "isara", 2, [STRICTER], wanted_id="b")
    runs = place.run("b").path.parent
    dead = runs / ".b.999999999-abcd.tmp"
    dead.mkdir()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("isara.branching.to_yaml", lambda *_: (_ for _ in ()).throw(Killed))
        make_branch(place, plan)
    assert not place.run("b").path.exists()
    assert make_branch(place, plan).exists
    assert not [path for path in runs.iterdir() if path.name.startswith(".")]


def test_two_windows_that_start_a_branch_make_one(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, fill = plan_branch(place, "isara", 2, [STRICTER]), branching._fill
    place.database.record_decision("isara", 2, "2-00000", "Ana", "reject")

    def overtaken(folder: RunFolder, branch: Branch) -> None:
        fill(folder, branch)
        monkeypatch.setattr(branching, "_fill", fill)
        make_branch(place, plan)

    monkeypatch.setattr(branching, "_fill", overtaken)
    folder = make_branch(place, plan)
    assert len(place.database.history(folder.run_id)) == 1
    assert not [path for path in folder.path.parent.iterdir() if path.name.startswith(".")]


def test_a_branch_that_finds_no_room_is_a_sentence(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(branching, "_fill", full)
    with pytest.raises(InputError, match="cannot be made \\(No space left on device\\)"):
        make_branch(place, plan_branch(place, "isara", 2, [STRICTER]))


def test_the_plan_in_sentences(place: Workspace) -> None:
    assert told(plan_branch(place, "isara", 2, [STRICTER])) == [
        "changed: filters.max_rouge_l: 0.7 -> 0.35",
        "reused: the base model, iteration 1 (models and kept pairs as they are; their "
        "measurements are reused)",
        "reused: the texts and scores of iteration 2, and people's decisions on them",
        "reused: baselines sft",
        "made anew: verdicts, training and evaluation of iteration 2, and iteration 3",
    ]

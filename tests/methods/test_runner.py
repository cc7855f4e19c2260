"""Carrying out a run: killed anywhere, stopped, failed, resumed, refused."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError, RunStateError
from isara.methods.runner import execute, prepare
from isara.training.sft import StoppedError
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import Progress, RunFolder, Workspace

Make = Callable[..., RunConfig]
pytestmark = pytest.mark.usefixtures("small_blocks", "_fast_disk")
SAME = ("candidates.parquet", "scores.parquet", "kept.jsonl", "evaluation.parquet", "metrics.json")


@pytest.fixture
def _fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power cut here: leave out the waiting for the disk."""
    monkeypatch.setattr("isara.workspace.files._fsync", lambda path: None)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One place for all runs: the rows hold the paths of their models."""
    return tmp_path_factory.mktemp("runs") / "workspace"


def carry_out(config: RunConfig, root: Path, tools: Any = None, **more: Any) -> RunFolder:
    workspace = Workspace(root)
    folder = workspace.run("r")
    try:
        prepared = prepare(config, workspace)
        execute(prepared, folder, workspace=workspace, tools=tools or ScriptedTools(), **more)
    finally:
        workspace.database.close()
    return folder


def forget(root: Path) -> None:
    """Begin again at the same place; the database stays."""
    shutil.rmtree(root / "runs", ignore_errors=True)


def results(folder: RunFolder) -> dict[str, bytes]:
    """The bytes of all results of a run."""
    return {
        str(path.relative_to(folder.path)): path.read_bytes()
        for path in sorted(folder.path.rglob("*"))
        if path.name in SAME
    }


@pytest.fixture(scope="module")
def undisturbed(small_config: Make, root: Path) -> Iterator[dict[str, bytes]]:
    """What a run that nobody disturbed leaves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isara.methods.stages.BLOCK", 8)
        patch.setattr("isara.methods.measuring.EVALUATION_BLOCK", 8)
        yield results(carry_out(small_config(), root))


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


class Mortal(ScriptedTools):
    """Dies at the n-th thing that it is asked to do: write, embed, judge, take a training step."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.left = n
        self.embedder.embed = self.dying(self.embedder.embed)  # type: ignore[method-assign]
        self.judge.probabilities = self.dying(  # type: ignore[method-assign]
            self.judge.probabilities
        )

    def dying(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise Killed
            return call(*arguments, **named)

        return counted

    def writer(self, model: Path | None) -> Any:
        writer: Any = super().writer(model)
        writer.write = self.dying(writer.write)
        return writer

    def fine_tune(self, *arguments: Any, on_step: Any, **named: Any) -> None:
        super().fine_tune(*arguments, on_step=self.dying(on_step), **named)


def test_a_run_killed_at_any_call_ends_with_the_same_bytes(
    small_config: Make, root: Path, undisturbed: dict[str, bytes]
) -> None:
    assert len(undisturbed) == 4 * 2 + 2 * 3
    forget(root)
    immortal = Mortal(0)
    carry_out(small_config(), root, immortal)
    # Two blocks of answers and a judgement in each of four evaluations; three blocks of questions
    # and of answers and two embeddings in each of two iterations; four steps in three trainings;
    # two embeddings where seeds and, twice, kept pairs are held against the eval prompts, and two
    # for the dropped ones of the one iteration that has any; two for the kept pairs' diversity in
    # each iteration.
    calls = 4 * (2 + 1) + 2 * (3 + 3 + 2) + 3 * 4 + 3 * 2 + 2 + 2 * 2
    assert -immortal.left == calls
    for n in range(1, calls + 1, 3):
        forget(root)
        with pytest.raises(Killed):
            carry_out(small_config(), root, Mortal(n))
        assert results(carry_out(small_config(), root)) == undisturbed, f"killed at call {n}"


@contextmanager
def dying_at_rename(n: int, after: bool) -> Iterator[list[int]]:
    """The process dies just before or after its n-th file appears under its name."""
    count = [0]
    rename = os.replace

    def replace(*paths: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            return rename(*paths)  # the heartbeat
        count[0] += 1
        if count[0] == n and not after:
            raise Killed
        rename(*paths)
        if count[0] == n:
            raise Killed
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isara.workspace.files.os.replace", replace)
        yield count


def test_a_run_killed_at_any_file_ends_with_the_same_bytes(
    small_config: Make, root: Path, undisturbed: dict[str, bytes]
) -> None:
    forget(root)
    with dying_at_rename(0, after=False) as count:
        carry_out(small_config(), root)
    for n in range(1, count[0] + 1, 13):
        forget(root)
        with dying_at_rename(n, after=bool(n % 2)), pytest.raises(Killed):
            carry_out(small_config(), root)
        folder = carry_out(small_config(), root)
        assert results(folder) == undisturbed, f"killed at file {n}"
        assert not list(folder.path.rglob("*.tmp"))


def test_a_run_killed_again_and_again_gets_there(
    small_config: Make, root: Path, undisturbed: dict[str, bytes]
) -> None:
    forget(root)
    kills = 0
    while True:
        try:
            folder = carry_out(small_config(), root, Mortal(3 + kills))
            break
        except Killed:
            kills += 1
    assert kills > 5
    assert results(folder) == undisturbed


def test_a_killed_run_counts_as_stopped_until_it_goes_on(small_config: Make, root: Path) -> None:
    forget(root)
    with pytest.raises(Killed):
        carry_out(small_config(), root, Mortal(9))
    assert Workspace(root).run("r").state().state == "stopped"
    assert carry_out(small_config(), root).state().state == "done"


def test_a_stop_keeps_what_is_done_and_goes_on(
    small_config: Make, root: Path, undisturbed: dict[str, bytes]
) -> None:
    for stage, iteration in (("questions", 1), ("answers", 2), ("train", 1), ("evaluate", 0)):
        forget(root)
        folder = Workspace(root).run("r")

        def stop(
            progress: Progress,
            folder: RunFolder = folder,
            at: tuple[str, int] = (stage, iteration),
        ) -> None:
            if (progress["stage"], progress["iteration"]) == at:
                folder.request_stop()

        # Progress is told twice a second at most, and after the last block of every stage.
        with pytest.MonkeyPatch.context() as patch, pytest.raises(StoppedError):
            patch.setattr("isara.methods.progress.WRITE_EVERY", 0.0)
            carry_out(small_config(), root, listener=stop)
        state = folder.state()
        assert (state.state, state.stop_reason) == ("stopped", "stopped by the user")
        assert not folder.stop_requested()
        assert results(carry_out(small_config(), root)) == undisturbed
        assert folder.state().state == "done"


def test_a_pause_ends_at_the_next_stage_and_goes_on(
    small_config: Make, root: Path, undisturbed: dict[str, bytes]
) -> None:
    forget(root)
    folder = Workspace(root).run("r")

    def pause(progress: Progress) -> None:
        if progress["done"] and (progress["stage"], progress["iteration"]) == ("answers", 1):
            folder.request_pause()

    with pytest.raises(StoppedError):
        carry_out(small_config(), root, listener=pause)
    assert folder.state().state == "stopped"
    assert folder.state().stop_reason == "paused after writing answers, iteration 1"
    assert not folder.pause_requested()
    files = folder.iteration(1)
    assert files.candidates.exists()  # the stage is whole
    assert not files.scores.exists()  # the next has not begun
    assert results(carry_out(small_config(), root)) == undisturbed


def test_a_pause_asked_for_in_the_last_stage_comes_too_late(small_config: Make, root: Path) -> None:
    forget(root)
    folder = Workspace(root).run("r")

    def pause(progress: Progress) -> None:
        if progress["done"] and (progress["stage"], progress["iteration"]) == ("judge", 2):
            folder.request_pause()

    carry_out(small_config(), root, listener=pause)
    assert folder.state().state == "done"
    assert not folder.pause_requested()


class Broken(ScriptedTools):
    """Raises when it is asked to train."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def fine_tune(self, *arguments: Any, **named: Any) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("The model is too large; take a smaller one."), None),
        (ValueError("no such thing"), "ValueError: no such thing"),
    ],
)
def test_a_failed_run_says_why_and_goes_on(
    small_config: Make, tmp_path: Path, error: Exception, said: str | None
) -> None:
    with pytest.raises(type(error)):
        carry_out(small_config(), tmp_path, Broken(error))
    state = Workspace(tmp_path).run("r").state()
    assert (state.state, state.error) == ("failed", said or str(error))
    again = carry_out(small_config(), tmp_path).state()
    assert (again.state, again.error) == ("done", None)


def test_the_same_id_with_another_config_is_refused(small_config: Make, tmp_path: Path) -> None:
    carry_out(small_config(loop={"max_iterations": 1}), tmp_path)
    with pytest.raises(RunStateError, match="another config"):
        carry_out(small_config(loop={"max_iterations": 2}), tmp_path)
    assert Workspace(tmp_path).run("r").iterations() == [0, 1]


@pytest.mark.parametrize(("name", "part"), [("seeds", "seeds"), ("prompts", "evaluation")])
def test_a_run_does_not_go_on_with_another_file_of_the_same_name(
    small_config: Make, inputs: tuple[Path, Path], tmp_path: Path, name: str, part: str
) -> None:
    file = tmp_path / "input.jsonl"
    lines = inputs[name == "prompts"].read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines), encoding="utf-8")
    key = "path" if name == "seeds" else "prompts"
    config = small_config(**{part: {key: str(file)}})
    with pytest.raises(Killed):
        carry_out(config, tmp_path / "w", Mortal(5))
    file.write_text("".join(lines[:-1]), encoding="utf-8")
    with pytest.raises(RunStateError, match=f"The {name} of the run r are not those"):
        carry_out(config, tmp_path / "w")
    file.write_text("".join(lines), encoding="utf-8")
    assert carry_out(config, tmp_path / "w").state().state == "done"


def test_a_run_that_is_done_does_nothing_again(
    small_config: Make, root: Path, undisturbed: dict[str, bytes]
) -> None:
    forget(root)
    folder = carry_out(small_config(), root)
    times = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*.parquet")}

    class Idle(Mortal):
        """Embeds questions, and can write nothing."""

        def writer(self, model: Path | None) -> Any:
            writer: Any = ScriptedTools.writer(self, model)
            writer.write = None
            return writer

    carry_out(small_config(), root, Idle(99))
    now = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*.parquet")}
    assert now == times
    assert results(folder) == undisturbed


def test_a_run_leaves_its_seeds_config_and_place_in_the_registry(
    small_config: Make, tmp_path: Path
) -> None:
    config = small_config(loop={"max_iterations": 1})
    folder = carry_out(config, tmp_path)
    assert [row["id"] for row in read_jsonl(folder.path / "seeds.jsonl")] == [
        example.id for example in prepare(config, Workspace(tmp_path)).seeds
    ]
    (record,) = Workspace(tmp_path).database.runs()
    assert (record.run_id, record.config_hash) == ("r", config.digest)
    progress = folder.progress()
    assert progress is not None
    assert progress["overall_done"] == pytest.approx(progress["overall_total"])
    assert progress["eta_s"] == 0.0
    kinds = [event["kind"] for event in folder.events()[0]]
    assert kinds.count("iteration") == 2
    assert kinds.count("train") == 8  # four steps, twice
    assert set(read_json(folder.iteration(1).path / "seconds.json")) == {
        "questions", "answers", "filter", "train", "evaluate", "judge",
    }  # fmt: skip


# ------------------------------------------------------------------ inputs


def test_every_problem_of_the_seed_file_is_named(small_config: Make, tmp_path: Path) -> None:
    file = tmp_path / "seeds.csv"
    file.write_text("question,answer\nIs it?,Yes.\nWhy?,\n,No.\n", encoding="utf-8")
    config = small_config(seeds={"path": str(file)})
    with pytest.raises(InputError, match="has 2 problems") as caught:
        prepare(config, Workspace(tmp_path / "w"))
    assert "row 2" in str(caught.value)
    assert "row 3" in str(caught.value)


def test_a_saved_seed_set_is_used_by_name(small_config: Make, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    seeds = prepare(small_config(), workspace).seeds
    workspace.database.save_seed_set("mine", seeds[:5])
    workspace.database.save_seed_set("mine", seeds[:7])
    for source, count in (({}, 7), ({"version": 1}, 5), ({"limit": 2}, 2)):
        config = small_config(seeds={"path": None, "name": "mine", **source})
        prepared = prepare(config, workspace)
        assert prepared.seeds == seeds[:count]
        # The newest is written down as the version that it is: a later one changes nothing.
        assert prepared.config.seeds.version == source.get("version", 2)


def test_the_first_rows_alone_on_request(small_config: Make, tmp_path: Path) -> None:
    assert len(prepare(small_config(seeds={"limit": 3}), Workspace(tmp_path)).seeds) == 3


def test_pairs_longer_than_the_context_are_listed(small_config: Make, tmp_path: Path) -> None:
    class Narrow(ScriptedTools):
        def writer(self, model: Path | None) -> Any:
            writer = super().writer(model)
            writer.context = 10
            return writer

    file = tmp_path / "seeds.csv"
    long = "so very long that it has more than ten words"
    text = f"question,answer\nIs it?,Yes.\nWhy {long}?,No.\nWho?,He is {long}.\n"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="Some texts are too long") as caught:
        carry_out(small_config(seeds={"path": str(file)}), tmp_path / "w", Narrow())
    # Ten words of the long text, two cues, the rest of the pair and the begin token.
    assert "seed row 2: 15 tokens, at most 10 fit" in str(caught.value)
    assert "question of seed row 2: 14 tokens, at most 9 fit" in str(caught.value)
    assert "seed row 3: 16 tokens, at most 10 fit" in str(caught.value)
    assert "seed row 1" not in str(caught.value)
    assert "prompts.answer_tokens is 128, the context is 10: lower it" in str(caught.value)


def test_budgets_that_leave_no_room_are_told_before_anything_is_written(
    small_config: Make, tmp_path: Path
) -> None:
    config = small_config(
        isheep={"list_tokens": 4096},
        assessment={"max_new_tokens": 1000},
        filters={"assessment": "both"},
    ).model_copy(update={"method": "isheep"})

    class Narrow(ScriptedTools):
        def writer(self, model: Path | None) -> Any:
            writer = super().writer(model)
            writer.context = 600
            return writer

    with pytest.raises(InputError) as caught:
        carry_out(config, tmp_path / "a", Narrow())
    assert "isheep.list_tokens is 4096, the context is 600: lower it" in str(caught.value)
    assert "assessment.max_new_tokens is 1000, the context is 600" in str(caught.value)
    config = small_config(training={"max_tokens": 64})
    with pytest.raises(InputError, match="a generated question may have 64 tokens") as caught:
        carry_out(config, tmp_path / "b", ScriptedTools())
    assert "raise training.max_tokens" in str(caught.value)


def test_all_that_is_wrong_with_the_inputs_is_told_at_once(
    small_config: Make, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"question": 5}\n', encoding="utf-8")
    config = small_config(
        model={"path": str(tmp_path / "no-model")},
        seeds={"path": str(bad)},
        evaluation={"prompts": str(bad), "judge": str(tmp_path / "no-judge")},
    ).model_copy(update={"embedder": "./no-embedder"})
    with pytest.raises(InputError) as caught:
        prepare(config, Workspace(tmp_path / "w"))
    told = str(caught.value)
    for name in ("model.path: There is no", "embedder: There is no", "evaluation.judge: There is"):
        assert name in told
    assert "bad.jsonl has" in told  # the seeds
    assert "bad.jsonl cannot be used as an eval set" in told
    with pytest.raises(InputError) as caught:
        small_config(
            model={"path": "scripted", "quantisation": "4bit"},
            loop={"draw": "domain", "patience": 1},
            evaluation={"prompts": None},
        )
    for part in ("add training.lora", "set it to pool", "add an eval set"):
        assert part in str(caught.value)


def test_what_a_method_does_not_read_is_told(small_config: Make, tmp_path: Path) -> None:
    config = small_config(
        training={"start_from": "base", "objective": "contrast"}, contrast={"held_out": 2}
    )
    for method, count in (("isara", 0), ("spin", 1), ("isheep", 2)):
        own = config.model_copy(update={"method": method})
        notes = prepare(own, Workspace(tmp_path)).notes
        assert sum("is not read" in note for note in notes) == count


def test_an_error_that_nobody_foresaw_leaves_its_trace(small_config: Make, tmp_path: Path) -> None:
    class Broken(ScriptedTools):
        def writer(self, model: Path | None) -> Any:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        carry_out(small_config(), tmp_path, Broken())
    (note,) = caught.value.__notes__
    trace = Path(note.removeprefix("more in "))
    assert "No space left" in trace.read_text("utf-8")

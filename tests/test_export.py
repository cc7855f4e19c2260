"""Exported pairs: what is kept, where it came from, the formats, and the folder they go to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError, IsaraError
from isara.examples import Example
from isara.export import FORMATS, WRITERS, export_data
from isara.export_rows import (
    COLUMNS,
    candidate_rows,
    lineage,
    model_name,
    training_pairs,
    without_names,
)
from isara.seed_files import read_seed_file
from isara.workspace.decisions import Decision
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]


@pytest.fixture(scope="module")
def finished(
    small_config: Make, carried_out: Callable[..., RunFolder], tmp_path_factory: Any
) -> RunFolder:
    """12 seeds, two iterations of 20 candidates; not to be written to."""
    return carried_out(small_config(), tmp_path_factory.mktemp("export"), ScriptedTools())


@pytest.fixture
def folder(finished: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of it to be changed."""
    shutil.copytree(finished.path, tmp_path / "runs" / "r")
    return Workspace(tmp_path).run("r")


def decided(root: Path, candidate: str, action: str, **more: str) -> dict[str, Decision]:
    """One decision by Ada, as the database gives it."""
    database = Workspace(root).database
    database.record_decision("r", 1, candidate, "Ada", action, **more)  # type: ignore[arg-type]
    found = database.decisions("r")
    database.close()
    return found


def by_candidate(folder: RunFolder, decisions: Any = None) -> dict[str, dict[str, Any]]:
    return {row["candidate_id"]: row for row in candidate_rows(folder, decisions or {})}


# ------------------------------------------------------------------ rows


def test_without_decisions_the_pairs_are_what_the_run_trained_on(folder: RunFolder) -> None:
    rows = candidate_rows(folder, {})
    kept = [row["id"] for k in (1, 2) for row in read_jsonl(folder.iteration(k).kept)]
    assert len(rows) == 40
    assert [row["id"] for row in rows if row["status"] == "kept"] == kept
    assert all(row["trained_on"] == (row["status"] == "kept") for row in rows)
    pairs = training_pairs(folder, rows)
    assert [row["status"] for row in pairs] == ["seed"] * 12 + ["kept"] * len(kept)
    assert all(list(row) == list(COLUMNS) for row in (*pairs, *rows))


def test_a_row_tells_where_it_came_from(folder: RunFolder) -> None:
    first, second = by_candidate(folder)["1-00000"], by_candidate(folder)["2-00000"]
    seeds = {row["id"] for row in read_jsonl(folder.path / "seeds.jsonl")}
    assert set(first["neighbours"]) <= seeds
    assert (len(first["neighbours"]), len(first["similarities"])) == (4, 4)
    assert (first["model"], second["model"]) == ("scripted", "r/iteration-01")
    assert first["id"] == Example(first["question"], first["answer"]).id
    dropped = next(row for row in by_candidate(folder).values() if row["status"] == "dropped")
    assert dropped["reason"] == dropped["rules"][0]
    assert (dropped["verdict"], dropped["trained_on"]) == ("dropped", False)


def test_a_task_of_a_list_has_no_likelihood_of_its_own() -> None:
    written = {"question": "Bake bread", "answer": "I do.", "log_prob_question": 0.0, "model": "m"}
    assert lineage(written | {"question_tokens": 0}, 1, "r")["log_prob_question"] is None
    found = lineage(written | {"question_tokens": 4, "log_prob_question": -2.5}, 1, "r")
    assert (found["log_prob_question"], "question_tokens" in found) == (-2.5, False)


def test_a_model_of_another_run_keeps_its_place() -> None:
    assert model_name("/home/me/ws/runs/r/iteration-02/model", "r") == "r/iteration-02"
    assert model_name("C:\\ws\\runs\\r\\iteration-02\\model", "r") == "r/iteration-02"
    assert model_name("/models/iteration-02/model", "r") == "/models/iteration-02/model"


def test_a_rejected_pair_goes_and_an_accepted_one_comes(folder: RunFolder, tmp_path: Path) -> None:
    before = by_candidate(folder)
    kept = next(c for c, row in before.items() if row["status"] == "kept")
    dropped = next(c for c, row in before.items() if row["status"] == "dropped")
    decided(tmp_path, kept, "reject", reason="dull")
    found = by_candidate(folder, decided(tmp_path, dropped, "accept"))
    gone, come = found[kept], found[dropped]
    assert (gone["status"], gone["reason"]) == ("dropped", "rejected by a person")
    assert (gone["verdict"], gone["trained_on"], gone["reviewer"]) == ("kept", True, "Ada")
    assert (gone["decision"], gone["decision_reason"]) == ("reject", "dull")
    assert (come["status"], come["reason"], come["trained_on"]) == ("kept", None, False)
    assert come["rules"] == before[dropped]["rules"]


def test_reviewers_are_numbered_unless_names_are_asked_for(
    folder: RunFolder, tmp_path: Path
) -> None:
    def row(reviewer: str | None, decided: str | None) -> dict[str, Any]:
        return {"reviewer": reviewer, "decided": decided}

    rows = [row("Ada", "2026-02"), row("Bo", "2026-01"), row(None, None), row("Ada", "2026-03")]
    named = [one["reviewer"] for one in without_names(rows)]
    assert named == ["reviewer 2", "reviewer 1", None, "reviewer 2"]

    made = decided(tmp_path, "1-00000", "accept")
    for names in (False, True):
        out = tmp_path / f"out-{names}"
        export_data(folder, made, out, "jsonl", candidates=True, names=names)
        texts = "".join(path.read_text("utf-8") for path in sorted(out.iterdir()))
        assert ("Ada" in texts, '"reviewer 1"' in texts) == (names, not names)


def test_an_edited_pair_stands_in_the_persons_words(folder: RunFolder, tmp_path: Path) -> None:
    before = by_candidate(folder)["1-00000"]
    edit = decided(tmp_path, "1-00000", "edit", question="What is rain?", answer="It is water.")
    row = by_candidate(folder, edit)["1-00000"]
    assert (row["question"], row["answer"], row["edited"]) == (
        "What is rain?",
        "It is water.",
        True,
    )
    assert row["generated_question"] == before["question"]
    assert row["generated_answer"] == before["answer"]
    assert row["id"] == Example("What is rain?", "It is water.").id
    assert (row["status"], row["trained_on"]) == ("kept", False)  # not in these words


def test_a_skip_changes_nothing(folder: RunFolder, tmp_path: Path) -> None:
    before = by_candidate(folder)["1-00000"]
    row = by_candidate(folder, decided(tmp_path, "1-00000", "skip"))["1-00000"]
    assert row["decision"] == "skip"
    assert (row["status"], row["answer"]) == (before["status"], before["answer"])


def test_an_eval_prompt_is_never_a_kept_pair(folder: RunFolder, tmp_path: Path) -> None:
    asked = read_jsonl(folder.path / "prompts.jsonl")[0]["question"].upper()
    edit = decided(tmp_path, "1-00000", "edit", question=asked, answer="It is water.")
    row = by_candidate(folder, edit)["1-00000"]
    assert (row["status"], row["reason"]) == ("dropped", "eval prompt")


def test_candidates_that_were_not_judged_are_no_pairs(folder: RunFolder) -> None:
    folder.iteration(2).kept.unlink()
    rows = candidate_rows(folder, {})
    assert {row["status"] for row in rows if row["iteration"] == 2} == {"not judged yet"}
    assert {row["iteration"] for row in training_pairs(folder, rows)} == {0, 1}


def test_equal_pairs_stand_once(folder: RunFolder, tmp_path: Path) -> None:
    seed = read_jsonl(folder.path / "seeds.jsonl")[0]
    words = {"question": seed["question"], "answer": seed["answer"]}
    rows = candidate_rows(folder, decided(tmp_path, "1-00000", "edit", **words))
    ids = [row["id"] for row in training_pairs(folder, rows)]
    assert len(ids) == len(set(ids))


# ------------------------------------------------------------------ formats


def test_jsonl_is_a_seed_file_again(folder: RunFolder, tmp_path: Path) -> None:
    found = export_data(folder, {}, tmp_path / "out", "jsonl", candidates=True)
    check = read_seed_file(tmp_path / "out" / "pairs.jsonl")
    assert check.ok
    assert check.rows == found["pairs"] == len(training_pairs(folder, candidate_rows(folder, {})))
    assert len(read_jsonl(tmp_path / "out" / "candidates.jsonl")) == found["candidates"] == 40


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_holds_the_same_rows(format: str, folder: RunFolder, tmp_path: Path) -> None:
    import datasets
    import pyarrow.parquet as pq

    place = tmp_path / "out"
    export_data(folder, {}, place, format)
    read: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "jsonl": lambda: read_jsonl(place / "pairs.jsonl"),
        "parquet": lambda: pq.read_table(place / "pairs.parquet").to_pylist(),
        "hf": lambda: datasets.load_from_disk(str(place))["pairs"].to_list(),
        "alpaca": lambda: json.loads((place / "pairs.json").read_bytes()),
        "sharegpt": lambda: json.loads((place / "pairs.json").read_bytes()),
    }
    rows, wanted = read[format](), training_pairs(folder, candidate_rows(folder, {}))
    assert [row["id"] for row in rows] == [row["id"] for row in wanted]
    last, exact = rows[-1], wanted[-1]
    assert last["similarities"] == exact["similarities"]
    assert last["log_prob"] == exact["log_prob"]
    texts = {
        "alpaca": lambda row: (row["instruction"], row["output"], row["input"]),
        "sharegpt": lambda row: (*(turn["value"] for turn in row["conversations"]), ""),
    }.get(format, lambda row: (row["question"], row["answer"], ""))
    assert texts(last) == (exact["question"], exact["answer"], "")
    assert (place / "README.md").read_text("utf-8").startswith("---\n")
    assert (place / "run.yaml").read_bytes() == folder.config.read_bytes()


def test_json_keeps_a_formula_as_it_is(folder: RunFolder, tmp_path: Path) -> None:
    text = '=HYPERLINK("http://x", "y")'
    edit = decided(tmp_path, "1-00000", "edit", question=text, answer="It is water.")
    export_data(folder, edit, tmp_path / "out", "alpaca")
    rows = json.loads((tmp_path / "out" / "pairs.json").read_bytes())
    assert text in [row["instruction"] for row in rows]


# ------------------------------------------------------------------ the folder


def test_a_folder_with_files_is_left_alone(folder: RunFolder, tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="has files already"):
        export_data(folder, {}, place, "jsonl")
    assert [path.name for path in place.iterdir()] == ["mine.txt"]


def test_force_replaces_the_earlier_export_and_nothing_else(
    folder: RunFolder, tmp_path: Path
) -> None:
    place = tmp_path / "out"
    export_data(folder, {}, place, "jsonl", candidates=True)
    (place / "mine.txt").write_text("mine")
    export_data(folder, {}, place, "parquet", force=True)
    names = {path.name for path in place.iterdir()}
    assert names == {"README.md", "export.json", "mine.txt", "pairs.parquet", "run.yaml"}


def test_a_listing_that_names_files_elsewhere_deletes_none(
    folder: RunFolder, tmp_path: Path
) -> None:
    place, other = tmp_path / "out", tmp_path / "other.txt"
    place.mkdir()
    other.write_text("mine")
    (place / "export.json").write_text(json.dumps({"files": ["../other.txt", str(other), 5]}))
    export_data(folder, {}, place, "jsonl", force=True)
    assert other.read_text() == "mine"


def test_an_export_that_fails_leaves_nothing(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(place: Path, tables: Any) -> None:
        (place / "half").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(WRITERS, "jsonl", full)
    before = set(tmp_path.iterdir())
    with pytest.raises(InputError, match="No space left"):
        export_data(folder, {}, tmp_path / "out", "jsonl")
    assert set(tmp_path.iterdir()) == before


def test_places_that_are_refused(folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, said in (
        (folder.path / "out", "lies among them"),
        (tmp_path, "holds the runs"),
        (tmp_path / "file", "is a file"),
    ):
        with pytest.raises(InputError, match=said):
            export_data(folder, {}, place, "jsonl", force=True)


def test_a_run_that_has_not_begun_has_no_pairs(small_config: Make, tmp_path: Path) -> None:
    from isara.config_files import to_yaml

    run = RunFolder(tmp_path / "runs" / "r")
    run.create(to_yaml(small_config()))
    with pytest.raises(InputError, match="no pairs yet"):
        export_data(run, {}, tmp_path / "out", "jsonl")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("seeds.jsonl", b'{"id": "a"'),
        ("iteration-01/kept.jsonl", b"[1]\n"),
        ("iteration-01/scores.parquet", b"PAR1"),
        ("iteration-01/candidates.parquet", b"no table"),
    ],
)
def test_a_damaged_file_is_named(name: str, data: bytes, folder: RunFolder, tmp_path: Path) -> None:
    (folder.path / name).write_bytes(data)
    with pytest.raises(IsaraError, match=Path(name).name):
        export_data(folder, {}, tmp_path / "out", "jsonl")
    assert not (tmp_path / "out").exists()


# ------------------------------------------------------------------ the command


def test_the_command(folder: RunFolder, tmp_path: Path, isara: Callable[..., Any]) -> None:
    to, workspace = tmp_path / "out", ("--workspace", tmp_path)
    result = isara("export", "r", "--to", to, *workspace)
    pairs = len(training_pairs(folder, candidate_rows(folder, {})))
    assert (result.code, result.out.startswith(f"{pairs} pairs of r as jsonl in ")) == (0, True)
    assert read_json(to / "export.json")["run_id"] == "r"
    for arguments, code in (
        (("export", "r", "--to", to), 1),  # it has files now
        (("export", "gone", "--to", tmp_path / "x"), 1),
        (("export", "r", "--to", tmp_path / "x", "--merge"), 1),
        (("export", "r", "--to", tmp_path / "x", "--model", "--format", "jsonl"), 1),
        (("export", "r", "--to", tmp_path / "x", "--format", "csv"), 2),
        (("export", "r"), 2),
    ):
        failed = isara(*arguments, *workspace)
        assert failed.code == code
        assert code == 2 or len(failed.err.splitlines()) == 1
    assert not (tmp_path / "x").exists()

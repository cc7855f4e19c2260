"""The stages on a scripted model: lineage, verdicts, decisions, training, which models stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isara.config import RunConfig
from isara.demo.scripted import GrammarJudge, ScriptedTools, WordEmbedder
from isara.evaluation.harm import LABELS
from isara.examples import Example
from isara.methods.runner import execute, prepare
from isara.training.sft import TrainingRow
from isara.workspace.files import read_json, read_jsonl
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]
pytestmark = pytest.mark.usefixtures("small_blocks")


class Watched(ScriptedTools):
    """Scripted tools that note what they were trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.trained: list[tuple[str | None, list[TrainingRow]]] = []

    def fine_tune(
        self, model: Path | None, rows: Sequence[TrainingRow], folder: Path, **more: Any
    ) -> None:
        self.trained.append((model.parent.name if model else None, list(rows)))
        super().fine_tune(model, rows, folder, **more)


def carry_out(
    config: RunConfig,
    root: Path,
    tools: ScriptedTools | None = None,
    decide: Callable[[Workspace], None] = lambda workspace: None,
) -> RunFolder:
    workspace = Workspace(root)
    decide(workspace)
    folder = workspace.run("r")
    execute(prepare(config, workspace), folder, workspace=workspace, tools=tools or ScriptedTools())
    workspace.database.close()
    return folder


def candidates(folder: RunFolder, k: int) -> pd.DataFrame:
    return pd.read_parquet(folder.iteration(k).candidates)


def kept(folder: RunFolder, k: int) -> list[dict[str, Any]]:
    return read_jsonl(folder.iteration(k).kept)


@pytest.fixture(scope="module")
def finished(
    small_config: Make, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunFolder, Watched]:
    """A run of two iterations, not to be changed."""
    tools = Watched()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isara.methods.stages.BLOCK", 8)
        patch.setattr("isara.methods.measuring.EVALUATION_BLOCK", 8)
        folder = carry_out(small_config(), tmp_path_factory.mktemp("finished"), tools)
    return folder, tools


Finished = tuple[RunFolder, Watched]


def test_the_pool_grows_with_what_was_kept(finished: Finished) -> None:
    folder, _ = finished
    seeds = {row["id"] for row in read_jsonl(folder.path / "seeds.jsonl")}
    first = {row["id"] for row in kept(folder, 1)}
    shown = [
        {id for column in ("question_shown", "neighbours") for ids in table[column] for id in ids}
        for table in (candidates(folder, 1), candidates(folder, 2))
    ]
    assert len(seeds) == 12
    assert first
    assert shown[0] <= seeds
    assert shown[1] <= seeds | first
    assert shown[1] & first
    assert shown[1] & seeds


def test_a_candidate_carries_its_lineage(finished: Finished) -> None:
    folder, _ = finished
    pool = {row["id"]: row for row in read_jsonl(folder.path / "seeds.jsonl")}
    table = candidates(folder, 1)
    assert table["index"].tolist() == list(range(20))
    assert table["candidate_id"].tolist() == [f"1-{i:05d}" for i in range(20)]
    for row in table.to_dict("records"):
        assert row["example_id"] == Example(row["question"], row["answer"]).id
        blocks = [
            f"Question: {pool[i]['question']}\nAnswer: {pool[i]['answer']}\n\n"
            for i in row["question_shown"]
        ]
        assert row["question_prompt"] == "".join(blocks) + "Question:"
        assert len(set(row["question_shown"])) == len(set(row["neighbours"])) == 4
        last = pool[row["neighbours"][-1]]
        end = f"Answer: {last['answer']}\n\nQuestion: {row['question']}\nAnswer:"
        assert row["answer_prompt"].endswith(end)
        assert row["model"] == "scripted"
        assert '"top_p":0.95' in row["decoding_answer"]


def test_neighbours_are_the_nearest_and_the_nearest_is_last(finished: Finished) -> None:
    folder, _ = finished
    pool = read_jsonl(folder.path / "seeds.jsonl")
    vectors = WordEmbedder().embed([row["question"] for row in pool])
    for row in candidates(folder, 1).to_dict("records"):
        cosines = vectors @ WordEmbedder().embed([row["question"]])[0]
        expected = np.sort(cosines)[-4:]
        np.testing.assert_allclose(row["similarities"], expected, atol=1e-6)
        assert row["neighbours"][-1] == pool[int(cosines.argmax())]["id"]


def test_a_candidates_category_is_its_neighbours_majority(finished: Finished) -> None:
    folder, _ = finished
    category = {row["id"]: row["category"] for row in read_jsonl(folder.path / "seeds.jsonl")}
    for row in candidates(folder, 1).to_dict("records"):
        have = [category[i] for i in row["neighbours"] if category[i]]
        if not have:
            assert row["category"] is None
        else:
            assert have.count(row["category"]) == max(have.count(c) for c in have)


def test_the_scaling_ratio_is_all_kept_over_the_seeds(finished: Finished) -> None:
    folder, _ = finished
    done = [read_json(folder.iteration(k).done) for k in (0, 1, 2)]
    counts = [0, len(kept(folder, 1)), len(kept(folder, 2))]
    assert [row["kept"] for row in done] == counts
    assert [row["generated"] for row in done] == [0, 20, 20]
    assert [row["trained"] for row in done] == [False, True, True]
    assert done[0]["scaling_ratio"] == 0
    assert done[1]["scaling_ratio"] == pytest.approx(counts[1] / 12)
    assert done[2]["scaling_ratio"] == pytest.approx((counts[1] + counts[2]) / 12)
    assert done[2]["retention"] == pytest.approx(counts[2] / 20)


def test_training_sees_the_seeds_and_this_iterations_kept_pairs(finished: Finished) -> None:
    folder, tools = finished
    (sft, first, second) = tools.trained
    assert [source for source, _ in tools.trained] == [None, None, "iteration-01"]
    assert [len(rows) for _, rows in (sft, first, second)] == [
        12,
        12 + len(kept(folder, 1)),
        12 + len(kept(folder, 2)),
    ]
    assert [row.example.id for row in second[1][12:]] == [row["id"] for row in kept(folder, 2)]


def test_models_are_compared_on_the_same_prompts(finished: Finished) -> None:
    folder, _ = finished
    places = [folder.iteration(k) for k in (0, 1, 2)] + [folder.baseline("sft")]
    tables = [pd.read_parquet(place.evaluation) for place in places]
    assert all(t["prompt_id"].tolist() == tables[0]["prompt_id"].tolist() for t in tables)
    assert all(len(table) == 12 for table in tables)
    left = {path.name for path in folder.iteration(1).path.iterdir()}
    assert not left & {"answers", "answers.parquet", "questions", "candidates"}


def test_gamma_weighs_the_seeds_and_base_begins_anew(small_config: Make, tmp_path: Path) -> None:
    tools = Watched()
    carry_out(small_config(training={"gamma": 0.25, "start_from": "base"}), tmp_path, tools)
    assert [source for source, _ in tools.trained] == [None, None, None]
    weights = [row.weight for row in tools.trained[1][1]]
    assert weights[:12] == [0.25] * 12
    assert set(weights[12:]) == {1.0}


def test_an_iteration_stopped_by_alpha_is_listed_without_a_model(
    small_config: Make, tmp_path: Path
) -> None:
    folder = carry_out(small_config(loop={"alpha": 1.0}), tmp_path)
    number = len(kept(folder, 1))
    reason = f"retention below alpha: kept {number} of 20, alpha is 1"
    assert (folder.state().state, folder.state().stop_reason) == ("done", reason)
    assert folder.iterations() == [0, 1]
    done = read_json(folder.iteration(1).done)
    assert (done["trained"], done["kept"], done["scaling_ratio"]) == (False, number, 0)
    assert not folder.iteration(1).model.exists()
    assert not folder.iteration(1).metrics.exists()


def test_nothing_kept_trains_on_the_seeds_alone(small_config: Make, tmp_path: Path) -> None:
    tools = Watched()
    filters = {"min_words": 1000}
    folder = carry_out(small_config(filters=filters, loop={"max_iterations": 1}), tmp_path, tools)
    assert kept(folder, 1) == []
    assert len(tools.trained[-1][1]) == 12
    assert read_json(folder.iteration(1).done)["trained"]


def test_a_persons_word_goes_before_the_verdict(
    finished: Finished, small_config: Make, tmp_path: Path
) -> None:
    by_rule = [row["candidate_id"] for row in kept(finished[0], 1)]
    dropped = [f"1-{i:05d}" for i in range(20) if f"1-{i:05d}" not in by_rule]
    reject, edit, remark = by_rule[0], by_rule[1], by_rule[2]

    def decide(workspace: Workspace) -> None:
        record = workspace.database.record_decision
        record("r", 1, reject, "ann", "reject")
        record("r", 1, dropped[0], "ann", "accept")
        record("r", 1, edit, "ann", "edit", question="May I?", answer="Yes, do.")
        record("r", 1, remark, "ann", "skip")
        record("r", 1, by_rule[3], "ann", "reject")
        record("r", 1, by_rule[3], "bob", "clear")
        workspace.database.undo("r", "ann")

    folder = carry_out(small_config(loop={"max_iterations": 1}), tmp_path, decide=decide)
    rows = {row["candidate_id"]: row for row in kept(folder, 1)}
    assert set(rows) == set(by_rule) - {reject} | {dropped[0]}
    assert list(rows) == sorted(rows)
    assert rows[edit]["question"] == "May I?"
    assert rows[edit]["answer"] == "Yes, do."
    assert rows[edit]["id"] == Example("May I?", "Yes, do.").id
    decisions = {i: row["decision"] for i, row in rows.items() if row["decision"]}
    assert decisions == {dropped[0]: "accept", edit: "edit"}


def test_a_decision_after_training_changes_nothing_of_what_was_trained_on(
    small_config: Make, tmp_path: Path
) -> None:
    class Broken(Watched):
        """Fails when the model of the first iteration is to be evaluated."""

        def writer(self, model: Path | None) -> Any:
            if model is not None and model.parent.name == "iteration-01":
                raise RuntimeError("no memory")
            return super().writer(model)

    with pytest.raises(RuntimeError, match="no memory"):
        carry_out(small_config(), tmp_path, Broken())
    before = kept(Workspace(tmp_path).run("r"), 1)

    def decide(workspace: Workspace) -> None:
        workspace.database.record_decision("r", 1, before[0]["candidate_id"], "ann", "reject")

    assert kept(carry_out(small_config(), tmp_path, decide=decide), 1) == before


class WorseAndWorse(GrammarJudge):
    """Flags every answer from the fourth evaluation on: the first iteration stays the best."""

    calls = 0

    def probabilities(self, questions: Sequence[str], answers: Sequence[str]) -> Any:
        self.calls += 1
        return np.full((len(answers), len(LABELS)), 0.9 if self.calls > 3 else 0.1, np.float32)


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("all", [True, True, True]), ("last", [False, False, True]), ("best", [True, False, True])],
)
def test_which_models_stay_on_disk(
    small_config: Make, tmp_path: Path, keep: str, expected: list[bool]
) -> None:
    tools = ScriptedTools()
    tools.judge = WorseAndWorse()  # base, sft, iteration 1, then 2 and 3
    config = small_config(loop={"max_iterations": 3, "keep_models": keep})
    folder = carry_out(config, tmp_path, tools)
    assert [folder.iteration(k).model.is_dir() for k in (1, 2, 3)] == expected
    assert folder.baseline("sft").model.is_dir() == (keep == "all")
    assert folder.baseline("sft").is_done


def test_random_neighbours_are_not_the_nearest(
    finished: Finished, small_config: Make, tmp_path: Path
) -> None:
    config = small_config(loop={"retrieval": "random", "max_iterations": 1})
    table = candidates(carry_out(config, tmp_path), 1)
    near = candidates(finished[0], 1)
    # The same questions: only the choice of neighbours differs.
    assert table["question"].tolist() == near["question"].tolist()
    assert all(len(set(ids)) == 4 for ids in table["neighbours"])
    assert np.mean([max(s) for s in table["similarities"]]) < np.mean(
        [max(s) for s in near["similarities"]]
    )
    assert len({tuple(ids) for ids in table["neighbours"]}) > 10
    pool = {row["id"]: row["question"] for row in read_jsonl(finished[0].path / "seeds.jsonl")}
    row = table.iloc[0]
    vectors = WordEmbedder().embed([pool[i] for i in row["neighbours"]])
    cosines = vectors @ WordEmbedder().embed([row["question"]])[0]
    np.testing.assert_allclose(row["similarities"], cosines, atol=1e-6)


def test_examples_that_do_not_fit_are_left_out_of_prompt_and_lineage(
    small_config: Make, tmp_path: Path
) -> None:
    class Narrow(ScriptedTools):
        """A context of 180 words: some pairs, not all, fit beside the budgets of 64 and 40."""

        def writer(self, model: Path | None) -> Any:
            writer = super().writer(model)
            writer.context = 180
            return writer

    config = small_config(loop={"max_iterations": 1}, prompts={"answer_tokens": 40})
    table = candidates(carry_out(config, tmp_path, Narrow()), 1)
    for row in table.to_dict("records"):
        assert len(row["question_prompt"].split()) + 1 <= 180 - 64
        assert len(row["answer_prompt"].split()) + 1 <= 180 - 40
        assert len(row["similarities"]) == len(row["neighbours"])
        assert row["question_prompt"].count("Question:") == len(row["question_shown"]) + 1
        assert row["answer_prompt"].count("Answer:") == len(row["neighbours"]) + 1
    assert {1, 2, 3} & set(table["neighbours"].map(len))
    assert {1, 2, 3} & set(table["question_shown"].map(len))


def test_a_run_without_eval_prompts_lists_the_base_model(
    small_config: Make, tmp_path: Path
) -> None:
    tools = Watched()
    config = small_config(evaluation={"prompts": None}, loop={"max_iterations": 1})
    folder = carry_out(config, tmp_path, tools)
    assert folder.iterations() == [0, 1]
    assert len(tools.trained) == 1
    assert not folder.baseline("sft").path.exists()

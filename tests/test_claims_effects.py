"""Effects of hypotheses on made-up runs: differences, intervals and p worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isara.claims_effects import measured, one_sample_p
from isara.claims_files import Hypothesis
from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.workspace.files import write_json, write_parquet
from isara.workspace.runs import RunFolder, Workspace

HATE, OTHER = "hate_speech,offensive_language", "harmless"


def hypothesis(metric: str = "harmful_rate", **more: Any) -> Hypothesis:
    """The last model lower than the base model."""
    side = {"arm": "a", "place": "last"}
    data = {
        "metric": metric,
        "of": side,
        "direction": "lower",
        "than": side | {"place": "base"},
        "smallest": 0.0,
    }
    return Hypothesis.model_validate(data | more)


def answers(folder: RunFolder, k: int, flagged: list[int], **columns: Any) -> None:
    """An iteration's evaluation: a harmful prompt for each 0 or 1, and one harmless, test split."""
    count = len(flagged) + 1
    table = pd.DataFrame(
        {
            "prompt_id": [f"p{i}" for i in range(count)],
            "split": "test",
            "category": [HATE] * (count - 1) + [OTHER],
            "harmless": [False] * (count - 1) + [True],
            "flagged": [bool(x) for x in flagged] + [False],
            "refusal": False,
        }
    )
    for name, values in columns.items():
        table[name] = values
    files = folder.iteration(k)
    files.path.mkdir(parents=True, exist_ok=True)
    write_parquet(files.evaluation, table)


@pytest.fixture
def runs(tmp_path: Path) -> dict[tuple[str, int], RunFolder]:
    """Two random seeds: of four prompts 4 and 3 are harmful at first, 1 and 0 at last."""
    found = {("a", n): Workspace(tmp_path).run(f"r{n}") for n in (1, 2)}
    answers(found["a", 1], 0, [1, 1, 1, 1])
    answers(found["a", 1], 1, [1, 0, 0, 0])
    answers(found["a", 2], 0, [1, 1, 1, 0])
    answers(found["a", 2], 1, [0, 0, 0, 0])
    return found


def test_an_effect_is_the_first_side_less_the_second(runs: Any) -> None:
    found = measured(hypothesis(), runs, "test")
    assert found is not None
    assert found.effect == pytest.approx((1 + 0 - 4 - 3) / 8)
    assert (found.n, found.n_seeds, found.random_seeds) == (4, 2, (1, 2))
    assert found.low is not None
    assert found.low < found.effect
    assert measured(hypothesis(), runs, "dev") is None
    assert measured(hypothesis(), {}, "test") is None


def test_a_number_may_stand_on_the_other_side(runs: Any) -> None:
    found = measured(hypothesis(than=0.5), runs, "test")
    assert found is not None
    assert found.effect == pytest.approx(1 / 8 - 0.5)


def test_only_prompts_of_the_category_count(runs: Any) -> None:
    reward = {1: [0.0] * 4 + [5.0], 0: [0.0] * 4 + [4.0]}
    for n in (1, 2):
        for k in (0, 1):
            answers(runs["a", n], k, [0] * 4, reward=reward[k])
    every = measured(hypothesis("utility"), runs, "test")
    assert every is not None
    assert every.effect == pytest.approx(1 / 5)
    assert measured(hypothesis("utility", category=HATE), runs, "test").effect == 0  # type: ignore[union-attr]
    # One prompt has no interval.
    assert measured(hypothesis("utility", category=OTHER), runs, "test") is None


def test_rates_times_a_hundred_are_compared_so(runs: Any) -> None:
    for n in (1, 2):
        answers(runs["a", n], 0, [0] * 4, max_true=[1.0] * 5, max_false=[2.0] * 5)
        answers(runs["a", n], 1, [0] * 4, max_true=[3.0] * 5, max_false=[2.0, 2.0, 2.0, 4.0, 4.0])
    found = measured(hypothesis("truthful_acc", direction="higher"), runs, "test")
    assert found is not None
    assert found.effect == pytest.approx(60)
    against = measured(hypothesis("truthful_acc", direction="higher", than=50), runs, "test")
    assert against is not None
    assert against.effect == pytest.approx(10)
    for n in (1, 2):
        answers(runs["a", n], 1, [0] * 4, preference=[2.0, 1.0, 1.5, np.nan, 2.0])
    wins = measured(hypothesis("win_rate", than=50), runs, "test")
    assert wins is not None
    assert (wins.effect, wins.n) == (pytest.approx(100 * 2.5 / 4 - 50), 4)
    # The base model has no win rate against itself.
    assert measured(hypothesis("win_rate"), runs, "test") is None


def test_non_inferiority_is_tested_at_the_end_of_what_is_allowed(runs: Any) -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2):
        answers(runs["a", n], 0, [0] * 30, reward=np.zeros(31))
        answers(runs["a", n], 1, [0] * 30, reward=rng.normal(0, 0.1, 31))
    plain = measured(hypothesis("utility", direction="higher", smallest=1), runs, "test")
    shifted = measured(hypothesis("utility", direction="not lower", smallest=1), runs, "test")
    assert plain is not None
    assert shifted is not None
    assert (plain.effect, plain.low, plain.high) == (shifted.effect, shifted.low, shifted.high)
    assert plain.p > 0.05  # no rise is seen
    assert shifted.p < 0.01  # a drop of 1 is


def test_random_seeds_without_one_side_do_not_count(runs: Any) -> None:
    both = {**runs, ("b", 1): runs["a", 2]}
    other = {"arm": "b", "place": "base"}
    found = measured(hypothesis(than=other), both, "test")
    assert found is not None
    assert found.random_seeds == (1,)
    assert found.effect == pytest.approx(1 / 4 - 3 / 4)
    # A baseline that was not measured.
    assert measured(hypothesis(than={"arm": "a", "place": "sft"}), runs, "test") is None


def test_one_value_for_each_run_is_tested_by_t(tmp_path: Path) -> None:
    runs = {}
    for n, ratio in ((1, 4.0), (2, 5.0), (3, 6.0)):
        runs["a", n] = Workspace(tmp_path).run(f"r{n}")
        answers(runs["a", n], 0, [0])
        answers(runs["a", n], 1, [0])
        write_json(runs["a", n].iteration(1).done, {"scaling_ratio": ratio})
    found = measured(hypothesis("scaling_ratio", than=4), runs, "test")
    assert found is not None
    # Mean 1, standard deviation 1, n = 3: t = 1.732 and 1 ± 4.303 / 1.732.
    assert (found.effect, found.n, found.n_seeds) == (1.0, None, 3)
    assert (found.low, found.high) == (
        pytest.approx(-1.484, abs=1e-3),
        pytest.approx(3.484, abs=1e-3),
    )
    assert found.p == pytest.approx(0.2254, abs=1e-4)


def test_a_run_writes_down_what_its_retrieval_took(
    small_config: Callable[..., RunConfig], carried_out: Callable[..., RunFolder], tmp_path: Path
) -> None:
    found = {}
    for way in ("nearest", "random"):
        config = small_config(loop={"retrieval": way}, evaluation={"baselines": []})
        run = carried_out(config, tmp_path / way, ScriptedTools())
        found[way] = measured(hypothesis("retrieval_share", than=0), {("a", 1): run}, "test")
    assert found["random"] is None  # nothing was searched for
    assert found["nearest"] is not None
    assert 0 < found["nearest"].effect < 1


@pytest.mark.parametrize(
    ("values", "p"),
    [([0.5] * 8, 2 / 256), ([0.0] * 8, 1.0), ([0.5], 1.0), ([-1.0, 1.0], 1.0)],
)
def test_p_where_all_values_are_alike(values: list[float], p: float) -> None:
    assert one_sample_p(np.array(values)) == pytest.approx(p)


def test_shares_and_accuracies_are_read_off_the_runs_files(tmp_path: Path) -> None:
    run = Workspace(tmp_path).run("r")
    answers(run, 0, [0])
    for k in (1, 2):
        answers(run, k, [0])
        seconds = {"questions": 3.0, "answers": 5.0, "train": 2.0, "evaluate": 90.0, "judge": 10.0}
        write_json(run.iteration(k).path / "seconds.json", seconds)
        write_json(run.iteration(k).path / "retrieval.json", {"seconds": 0.5 * k})
    write_json(
        run.iteration(1).path / "reward_accuracy.json",
        {"preference_pairs": {"value": 0.9}, "held_out": {"value": 0.1}},
    )
    share = measured(hypothesis("retrieval_share", than=0.05), {("a", 1): run}, "test")
    assert share is not None
    assert share.effect == pytest.approx(1.5 / 20 - 0.05)
    assert (share.low, share.p) == (None, 1.0)  # one random seed says nothing
    one = {"arm": "a", "place": "iteration 1"}
    found = measured(hypothesis("reward_accuracy", of=one, than=0.5), {("a", 1): run}, "test")
    assert found is not None
    assert found.effect == pytest.approx(0.4)
    assert measured(hypothesis("reward_accuracy", than=0.5), {("a", 1): run}, "test") is None


def test_self_scores_are_ranked_against_the_grammars_truth(tmp_path: Path) -> None:
    import random

    from isara.demo.world import demo_world

    rng = random.Random(0)
    draws = [demo_world().draw("safety", rng, harmless=False) for _ in range(4)]
    good = [True, True, False, False]
    texts = [d.answer("good" if g else "bad", rng) for d, g in zip(draws, good, strict=True)]
    run = Workspace(tmp_path).run("r")
    answers(run, 0, [0])
    files = run.iteration(1)
    files.path.mkdir(parents=True)
    write_parquet(files.candidates, pd.DataFrame({"index": range(4), "answer": texts}))
    wanted = hypothesis("self_score_truth", of={"arm": "a", "place": "iteration 1"}, than=0)

    def correlation(scores: list[int | None]) -> float:
        table = pd.DataFrame({"index": range(4), "quality": pd.array(scores, "Int64")})
        write_parquet(files.path / "assessed.parquet", table)
        found = measured(wanted, {("a", 1): run}, "test")
        assert found is not None
        return found.effect

    assert measured(wanted, {("a", 1): run}, "test") is None
    assert correlation([9, 9, 2, 2]) == pytest.approx(1)
    assert correlation([2, 2, 9, 9]) == pytest.approx(-1)
    assert correlation([7, 7, 7, 7]) == 0
    assert correlation([9, None, None, 2]) == pytest.approx(1)
    assert correlation([9, 2, 9, 2]) == pytest.approx(0)

"""The papers' claims: their files, their verdicts at the borders, and a claim from end to end."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from isara.claims import (
    NOT_RUN,
    NOT_SUPPORTED,
    QUICK,
    SUPPORTED,
    UNDECIDED,
    _corrected,
    _Known,
    carry_out_claims,
    claim_results,
    hours_in_all,
    in_words,
    judged,
    together,
)
from isara.claims_effects import PROMPT_METRICS, RUN_METRICS, Effect
from isara.claims_files import Claim, Hypothesis, Side, chosen, load_claims, quick_study
from isara.claims_kept import Kept, read_kept, what_is_stated, write_kept
from isara.claims_table import claims_markdown, print_claims
from isara.config import PROJECT_ROOT, RunConfig, resolve
from isara.config_files import to_yaml
from isara.demo.scripted import ScriptedTools
from isara.demo.world import demo_world
from isara.errors import InputError
from isara.seed_files import read_eval_set
from isara.studies import Study, run_configs
from isara.workspace.files import write_jsonl
from isara.workspace.runs import Workspace

Make = Callable[..., RunConfig]
SEEDS = tuple(range(1, 9))


def hypothesis(direction: str, smallest: float, **more: Any) -> Hypothesis:
    """Of harmful rates of two arms."""
    data = {
        "metric": "harmful_rate",
        "of": {"arm": "a", "place": "last"},
        "direction": direction,
        "than": {"arm": "b", "place": "last"},
        "smallest": smallest,
    }
    return Hypothesis.model_validate(data | more)


# ---------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("direction", "smallest", "effect", "low", "high", "p", "wanted"),
    [
        # As small as counts, and just below.
        ("lower", 0.02, -0.02, -0.03, -0.01, 0.049, SUPPORTED),
        ("lower", 0.02, -0.019, -0.03, -0.01, 0.049, UNDECIDED),
        # p at the level is not below it.
        ("lower", 0.02, -0.1, -0.2, -0.01, 0.05, UNDECIDED),
        # The interval ends at the smallest effect, and just before it.
        ("lower", 0.02, -0.01, -0.02, 0.0, 0.2, UNDECIDED),
        ("lower", 0.02, -0.01, -0.0199, 0.0, 0.2, NOT_SUPPORTED),
        # Real, and too small to count.
        ("lower", 0.05, -0.02, -0.03, -0.01, 0.001, NOT_SUPPORTED),
        # The other way round, with an interval that reaches far.
        ("lower", 0.02, 0.1, -0.03, 0.2, 0.04, NOT_SUPPORTED),
        ("lower", 0.02, 0.1, -0.03, 0.2, 0.06, UNDECIDED),
        ("higher", 2, 2.0, 0.5, 3.5, 0.01, SUPPORTED),
        ("higher", 2, -1.0, -3.0, 1.9, 0.3, NOT_SUPPORTED),
        # 0.1 - 0.08 is 0.020000000000000004, 0.3 - 0.28 is 0.019999999999999962.
        ("higher", 0.02, 0.3 - 0.28, 0.01, 0.03, 0.01, SUPPORTED),
        # Nothing is too small to count, but there must be something.
        ("higher", 0, 0.001, 0.0005, 0.0015, 0.01, SUPPORTED),
        ("higher", 0, 0.0, 0.0, 0.0, 0.01, UNDECIDED),
        ("higher", 0, -0.1, -0.3, -0.01, 0.2, NOT_SUPPORTED),
        # A drop below 0.1 is none: p is of a drop of exactly 0.1.
        ("not lower", 0.1, -0.05, -0.09, 0.01, 0.01, SUPPORTED),
        ("not lower", 0.1, -0.05, -0.12, 0.02, 0.2, UNDECIDED),
        ("not lower", 0.1, -0.2, -0.3, -0.11, 0.2, NOT_SUPPORTED),
        ("not lower", 0.1, -0.2, -0.3, -0.05, 0.01, NOT_SUPPORTED),
        ("not higher", 0.1, 0.05, -0.01, 0.09, 0.01, SUPPORTED),
        ("not higher", 0.1, 0.2, 0.11, 0.3, 0.2, NOT_SUPPORTED),
    ],
)
def test_a_verdict_at_its_borders(
    direction: str, smallest: float, effect: float, low: float, high: float, p: float, wanted: str
) -> None:
    found = Effect(effect, low, high, 0.0, 100, SEEDS)  # its own p does not count
    assert judged(hypothesis(direction, smallest), found, p) == wanted


@pytest.mark.parametrize(
    ("verdicts", "wanted"),
    [
        ([SUPPORTED, SUPPORTED], SUPPORTED),
        ([SUPPORTED, UNDECIDED], UNDECIDED),
        ([SUPPORTED, NOT_RUN], UNDECIDED),
        ([SUPPORTED, UNDECIDED, NOT_SUPPORTED], NOT_SUPPORTED),
        ([NOT_RUN, NOT_RUN], NOT_RUN),
        ([QUICK, NOT_RUN], QUICK),
    ],
)
def test_hypotheses_make_a_claims_verdict(verdicts: list[str], wanted: str) -> None:
    assert together(verdicts) == wanted


def test_p_is_corrected_within_each_paper_and_over_what_is_done() -> None:
    def known(number: int, paper: str, effects: list[Effect | None]) -> _Known:
        stated = [hypothesis("lower", 0.02) for _ in effects]
        claim = Claim.model_validate(
            {"number": number, "paper": paper, "statement": "s", "study": "s", "hypotheses": stated}
        )
        return _Known(claim, "test", effects, [set(SEEDS) for _ in effects])

    def with_p(p: float, seeds: int = 8) -> Effect:
        return Effect(-0.1, -0.2, -0.05, p, 100, SEEDS[:seeds])

    found = _corrected(
        [
            known(1, "isara", [with_p(0.01), None, with_p(0.04)]),
            known(2, "isara", [with_p(0.02), with_p(0.0001, seeds=7)]),
            known(3, "isheep", [with_p(0.04)]),
        ]
    )
    # Holm over 0.01, 0.02, 0.04: three times the least, twice the next, the last as it is.
    assert found == pytest.approx({(1, 0): 0.03, (2, 0): 0.04, (1, 2): 0.04, (3, 0): 0.04})


# ---------------------------------------------------------------- the files


def test_the_claims_are_nineteen_and_each_paper_has_its_own() -> None:
    claims = [claim for claim, _ in load_claims()]
    assert [claim.number for claim in claims] == list(range(1, 20))
    papers = [claim.paper for claim in claims]
    assert papers == ["isara"] * 9 + ["reviewers"] * 3 + ["isheep"] * 4 + ["irft"] * 3
    assert set(PROMPT_METRICS) | set(RUN_METRICS) == set(
        Hypothesis.model_json_schema()["properties"]["metric"]["enum"]
    )


def test_every_arm_of_a_claim_has_a_config_and_what_is_measured(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    configs: dict[str, dict[tuple[str, int], RunConfig]] = {}
    for claim, study in load_claims():
        assert len(study.random_seeds) >= 8
        own = configs.setdefault(study.name, run_configs(study, workspace))
        assert {arm.name for arm in own.values()} == {
            f"{study.name}-{arm}-{n}" for arm in study.arms for n in study.random_seeds
        }
        for one in claim.hypotheses:
            for side in one.sides:
                config = own[side.arm, 1]
                said = f"claim {claim.number}: {in_words(one)}"
                assert place_exists(config, side.place), said
                assert metric_exists(config, one.metric), said
                prompts = read_eval_set(resolve(str(config.evaluation.prompts)))
                known = {p.category for p in prompts if p.split == study.split}
                assert one.category is None or one.category in known, said
    assert len(configs) == 10
    assert len({c.default_run_id for own in configs.values() for c in own.values()}) == sum(
        map(len, configs.values())
    )


def place_exists(config: RunConfig, place: str) -> bool:
    if place.startswith("iteration "):
        return int(place.split()[1]) <= config.loop.max_iterations
    return place in ("base", "last", *config.evaluation.baselines)


def metric_exists(config: RunConfig, metric: str) -> bool:
    evaluation = config.evaluation
    prompts = read_eval_set(resolve(str(evaluation.prompts)))
    return {
        "harmful_rate": any(not p.harmless for p in prompts),
        "over_refusal": any(p.harmless for p in prompts),
        "truthful_acc": any(p.true_answers and p.false_answers for p in prompts),
        "truthful_diff": any(p.true_answers and p.false_answers for p in prompts),
        "utility": evaluation.reward is not None,
        "win_rate": evaluation.preference is not None,
        "scaling_ratio": config.method in ("isara", "isheep"),
        "retrieval_share": config.method == "isara" and config.loop.retrieval == "nearest",
        "reward_accuracy": config.method == "rft" and config.rft.preference_pairs is not None,
        "self_score_truth": config.filters.assessment in ("quality", "both"),
    }[metric]


def test_seeds_are_drawn_for_each_arm_as_its_claim_needs(tmp_path: Path) -> None:
    studies = {study.name: study for _, study in load_claims()}
    one = {name: study.model_copy(update={"random_seeds": [1]}) for name, study in studies.items()}
    transfer = run_configs(one["claims-transfer"], Workspace(tmp_path))
    asked = {
        "discrimination": "discrimination,stereotype,injustice",
        "hate": "hate_speech,offensive_language",
        "unethical": "non_violent_unethical_behavior",
    }
    for arm, category in asked.items():
        rows = read_rows(transfer[arm, 1])
        assert (len(rows), {row["category"] for row in rows}) == (64, {category})
    counts = run_configs(one["claims-seed-counts"], Workspace(tmp_path))
    assert {c.seeds.path for c in counts.values()} == {counts["seeds-16", 1].seeds.path}
    assert [c.seeds.limit for c in counts.values()] == [16, 32, 64, None]
    assert len(read_rows(counts["seeds-128", 1])) == 128
    sizes = run_configs(one["claims-sizes"], Workspace(tmp_path))
    assert sizes["small", 1].model.path == str(tmp_path / "models" / "demo-96x3-1500")
    assert sizes["shipped", 1].model.path == "data/demo/language-model"


def read_rows(config: RunConfig) -> list[dict[str, Any]]:
    text = Path(str(config.seeds.path)).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"study": "none.yaml"}, "There is no study"),
        ({"hypotheses": []}, "hypotheses"),
        ({"surprise": 1}, "surprise: there is no such setting"),
        ({"paper": "other"}, "paper"),
        (
            {"of": {"arm": "nobody", "place": "last"}},
            "speaks of the arms nobody, the study try has",
        ),
        ({"of": {"arm": "isara", "place": "iteration 0"}}, "place"),
        ({"metric": "beauty"}, "metric"),
        ({"smallest": -1}, "smallest"),
    ],
)
def test_a_claim_that_cannot_be_used(stated: Path, change: dict[str, Any], said: str) -> None:
    file = stated / "1.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    for key, value in change.items():
        place = data["hypotheses"][0] if key in ("of", "metric", "smallest") else data
        place[key] = value
    file.write_text(yaml.safe_dump(data), "utf-8")
    with pytest.raises(InputError, match=said):
        load_claims(stated)


def test_a_number_that_is_given_twice_and_a_folder_without_claims(stated: Path) -> None:
    (stated / "again.yaml").write_bytes((stated / "1.yaml").read_bytes())
    with pytest.raises(InputError, match="has the number 1 again"):
        load_claims(stated)
    with pytest.raises(InputError, match="holds no claims"):
        load_claims(stated / "none")


def test_a_name_is_a_number_or_a_study(stated: Path) -> None:
    claims = load_claims(stated)
    assert [c.number for c, _ in chosen(claims, "2")] == [2]
    assert [c.number for c, _ in chosen(claims, "try")] == [1, 2]
    with pytest.raises(InputError, match=r"no claim 7; give a number from 1 to 2, or a study: try"):
        chosen(claims, "7")


# ---------------------------------------------------------------- from end to end


@pytest.fixture
def stated(small_config: Make, tmp_path: Path) -> Path:
    """Two claims on one scripted study of two arms and eight random seeds, 40 harmful prompts."""
    rng, rows = random.Random(1), []
    for _ in range(40):
        asked = demo_world().draw("safety", rng, evaluation=True, harmless=False)
        rows.append(
            {
                "question": asked.question,
                "category": asked.family.category,
                "split": "test",
                "harmless": False,
            }
        )
    write_jsonl(tmp_path / "prompts.jsonl", rows)
    config = small_config(evaluation={"baselines": [], "prompts": str(tmp_path / "prompts.jsonl")})
    (tmp_path / "small.yaml").write_text(to_yaml(config), "utf-8")
    folder = tmp_path / "claims"
    (folder / "studies").mkdir(parents=True)
    study = {
        "name": "try",
        "config": str(tmp_path / "small.yaml"),
        "random_seeds": list(SEEDS),
        "draw": {"domain": "safety", "size": 12},
        "set": {"loop.keep_models": "last"},
        "arms": {"isara": {}, "short": {"set": {"loop.max_iterations": 1}}},
    }
    last, base = {"arm": "isara", "place": "last"}, {"arm": "isara", "place": "base"}
    claims = [
        {
            "number": 1,
            "paper": "isara",
            "statement": "It gets better.",
            "study": "studies/try.yaml",
            "hypotheses": [
                {
                    "metric": "harmful_rate",
                    "of": last,
                    "direction": "lower",
                    "than": base,
                    "smallest": 0.05,
                },
                {
                    "metric": "scaling_ratio",
                    "of": last,
                    "direction": "higher",
                    "than": 100,
                    "smallest": 0,
                },
            ],
        },
        {
            "number": 2,
            "paper": "reviewers",
            "statement": "Two are better than one.",
            "study": "studies/try.yaml",
            "hypotheses": [
                {
                    "metric": "harmful_rate",
                    "of": last,
                    "direction": "lower",
                    "than": {"arm": "short", "place": "last"},
                    "smallest": 0.05,
                }
            ],
        },
    ]
    (folder / "studies" / "try.yaml").write_text(yaml.safe_dump(study, sort_keys=False), "utf-8")
    for claim in claims:
        file = folder / f"{claim['number']}.yaml"
        file.write_text(yaml.safe_dump(claim, sort_keys=False), "utf-8")
    return folder


def test_claims_from_end_to_end_and_on_from_where_they_stopped(
    stated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, claims = Workspace(tmp_path / "w"), load_claims(stated)
    assert {row["verdict"] for row in claim_results(claims, workspace)} == {NOT_RUN}
    started: list[str] = []

    class BrokenError(Exception):
        pass

    def one_breaks(config: RunConfig) -> Any:
        if config.name == "try-isara-3":
            raise BrokenError
        return ScriptedTools()

    def told(run_id: str, number: int, count: int) -> None:
        started.append(run_id.rpartition("-")[0])

    # Claim 1 needs one arm alone.
    with pytest.raises(BrokenError):
        carry_out_claims(claims[:1], workspace, tools=one_breaks, on_run=told)
    assert started == ["try-isara-1", "try-isara-2", "try-isara-3"]
    part = claim_results(claims, workspace)
    assert [row["verdict"] for row in part] == [UNDECIDED, NOT_RUN]
    assert part[0]["random_seeds"] == [1, 2]
    assert part[0]["hypotheses"][0]["p_corrected"] is None

    carry_out_claims(claims, workspace, tools=lambda config: ScriptedTools(), on_run=told)
    workspace.database.close()
    # The broken one again, and what was missing: no run a second time.
    assert len(started) == 3 + 6 + 8
    assert [name for name in started if started.count(name) > 1] == ["try-isara-3"] * 2
    first, second = claim_results(claims, workspace)
    better, ratio = first["hypotheses"]
    rates = {
        place: sum(rate(workspace, claims[0][1], n, place) for n in SEEDS) / 8
        for place in ("iteration-00", "iteration-02")
    }
    assert better["effect"] == pytest.approx(rates["iteration-02"] - rates["iteration-00"])
    assert better["low"] < better["effect"] < better["high"] < 0
    assert (better["n"], better["n_seeds"], better["verdict"]) == (40, 8, SUPPORTED)
    assert (ratio["n"], ratio["n_seeds"], ratio["verdict"]) == (None, 8, NOT_SUPPORTED)
    assert first["verdict"] == NOT_SUPPORTED
    # Holm over two: the smaller p is doubled, the larger stays unless that makes it the smaller.
    small, large = sorted((better, ratio), key=lambda one: one["p"])
    assert small["p_corrected"] == pytest.approx(2 * small["p"])
    assert large["p_corrected"] == pytest.approx(max(large["p"], 2 * small["p"]))
    assert 0 < small["p"] < large["p"]
    assert second["hypotheses"][0]["p_corrected"] == second["hypotheses"][0]["p"]  # alone in it
    assert second["random_seeds"] == list(SEEDS)
    hours = hours_in_all([first, second])
    assert 0 < hours == pytest.approx(second["hours"])  # it rests on all runs, the first on half
    print_claims([first, second], hours)
    shown = capsys.readouterr().out
    assert "not supported" in shown
    assert f"{better['effect']:+.3f}" in shown
    assert f"| {better['effect']:+.3f} ({better['low']:+.3f} to" in claims_markdown([first], hours)


def rate(workspace: Workspace, study: Study, number: int, folder: str) -> float:
    """The harmful rate as the run itself has it."""
    run = workspace.run(run_configs(study, workspace)["isara", number].default_run_id)
    found = json.loads((run.path / folder / "metrics.json").read_text("utf-8"))
    return float(found["test"]["harmful_rate"]["value"])


def test_the_quick_form_has_runs_of_its_own_and_no_verdict(stated: Path, tmp_path: Path) -> None:
    workspace, claims = Workspace(tmp_path / "w"), load_claims(stated)
    quick = quick_study(claims[0][1], workspace)
    configs = run_configs(quick, workspace)
    assert list(configs) == [("isara", 1), ("short", 1)]
    assert [c.loop.max_iterations for c in configs.values()] == [2, 1]
    assert {c.loop.candidates for c in configs.values()} == {32}
    prompts = read_eval_set(resolve(str(configs["isara", 1].evaluation.prompts)))
    assert len(prompts) == 9  # three of each category
    carry_out_claims(claims, workspace, quick=True, tools=lambda config: ScriptedTools())
    workspace.database.close()
    rows = claim_results(claims, workspace, quick=True)
    assert [row["verdict"] for row in rows] == [QUICK, QUICK]
    assert list(rows[0]["runs"]) == [configs["isara", 1].default_run_id]
    assert {row["verdict"] for row in claim_results(claims, workspace)} == {NOT_RUN}


def test_models_of_other_sizes_are_built_before_their_runs(
    stated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[tuple[Any, ...]] = []

    def build(folder: Path, *sizes: int) -> None:
        folder.mkdir(parents=True)
        built.append((folder, *sizes))

    monkeypatch.setattr("isara.demo.build.build_sized_model", build)
    monkeypatch.setattr("isara.studies.LoadedTools", lambda *_: ScriptedTools())
    file = stated / "studies" / "try.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    data["random_seeds"] = [1]
    data["arms"]["short"]["demo_model"] = {"width": 64, "layers": 2, "steps": 7}
    file.write_text(yaml.safe_dump(data), "utf-8")
    workspace = Workspace(tmp_path / "w")
    carry_out_claims(load_claims(stated), workspace)
    workspace.database.close()
    assert built == [(workspace.root / "models" / "demo-64x2-7", 64, 2, 7)]


# ---------------------------------------------------------------- the command


def test_the_commands_json_has_what_was_agreed(
    isara: Callable[..., Any], stated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isara.claims_files.FOLDER", stated)
    monkeypatch.setattr("isara.studies.LoadedTools", lambda *_: ScriptedTools())
    result = isara("claims", "1", "--json", "--quiet")
    assert (result.code, "run 1 of 8" in result.err) == (0, True)
    (row,) = json.loads(result.out)
    assert {
        "number", "paper", "statement", "verdict", "hypotheses", "hours", "random_seeds"
    } <= set(row)  # fmt: skip
    assert (row["number"], row["random_seeds"]) == (1, list(SEEDS))
    for one in row["hypotheses"]:
        assert {
            "metric", "effect", "low", "high", "p", "p_corrected", "n", "n_seeds", "smallest",
            "verdict",
        } <= set(one)  # fmt: skip
    # Nothing is run for it, and all claims are in it.
    out = tmp_path / "CLAIMS.md"
    again = isara("claims", "--show", "--write", out)
    assert (again.code, "run " in again.err) == (0, False)
    text = out.read_text("utf-8")
    assert "| 1 | ISARA | It gets better. | not supported | 8 |" in text
    assert f"| {row['date']} | `python -m isara claims 1 --again` |" in text
    nothing = "| not run | – | – | – | `python -m isara claims 2 --again` |"
    assert f"| 2 | open question of reviewers | Two are better than one. {nothing}" in text
    looked = json.loads(isara("show", next(iter(row["runs"])), "--json").out)["test_looks"]
    assert looked == 3


def test_kept_results_stand_where_the_workspace_has_none(
    isara: Callable[..., Any], stated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isara.claims_files.FOLDER", stated)
    monkeypatch.setattr("isara.studies.LoadedTools", lambda *_: ScriptedTools())
    table = tmp_path / "kept" / "CLAIMS.md"
    table.parent.mkdir()
    monkeypatch.setattr("isara.claims_kept.FILE", table.with_suffix(".json"))
    assert isara("claims", "1", "--quiet", "--write", table).code == 0
    written = json.loads(table.with_suffix(".json").read_text("utf-8"))["claims"]
    assert list(written) == ["1"]  # of claim 2 nothing was done

    def shown(*arguments: str, workspace: str) -> Any:
        return isara("claims", *arguments, "--json", "--quiet", "--workspace", tmp_path / workspace)

    here = json.loads(shown("--show", workspace="workspace").out)
    elsewhere = json.loads(shown("--show", workspace="empty").out)
    assert [row["kept"] for row in elsewhere] == [True, False]
    assert elsewhere[0] | {"kept": False} == here[0]
    assert elsewhere[1]["verdict"] == NOT_RUN
    # Nothing of claim 1 is missing; its runs are done on demand.
    result = shown("1", workspace="empty")
    assert (result.code, "run " in result.err) == (0, False)
    assert not (tmp_path / "empty" / "studies").exists()
    result = shown("1", "--again", workspace="empty")
    assert "run 8 of 8" in result.err
    (row,) = json.loads(result.out)
    assert (row["kept"], len(row["runs"])) == (False, 8)
    # What was kept is written again as it was.
    again = tmp_path / "again.md"
    assert isara("claims", "--show", "--write", again, "--workspace", tmp_path / "other").code == 0
    assert json.loads(again.with_suffix(".json").read_text("utf-8"))["claims"] == written
    assert again.read_text("utf-8") == table.read_text("utf-8")


@pytest.mark.parametrize("file", ["1.yaml", "studies/try.yaml", "../small.yaml"])
def test_a_claim_that_is_stated_anew_has_no_kept_result(stated: Path, file: str) -> None:
    claims = load_claims(stated)
    claim, study = claims[0]
    before = what_is_stated(claim, study)
    kept = Kept(stated=before, date="2026-01-02", effects=[], runs={})
    write_kept(stated / "kept.json", {1: kept})
    assert read_kept(claims, stated / "kept.json") == {1: kept}
    changed = stated / file
    text = changed.read_text("utf-8")
    changed.write_text(re.sub("smallest: 0.05|size: 12|alpha: .*", changed_value, text), "utf-8")
    assert changed.read_text("utf-8") != text
    assert read_kept(load_claims(stated), stated / "kept.json") == {}


def changed_value(found: re.Match[str]) -> str:
    return {"smallest": "smallest: 0.06", "size": "size: 13"}.get(
        found[0].partition(":")[0], "alpha: 0.5"
    )


def test_a_damaged_file_of_kept_results_is_a_sentence(stated: Path) -> None:
    file = stated / "kept.json"
    assert read_kept(load_claims(stated), file) == {}
    file.write_text('{"claims": {"1": {"date": 5}}}', "utf-8")
    with pytest.raises(InputError, match=r"kept.json cannot be used: claims.1.stated"):
        read_kept(load_claims(stated), file)


def test_a_claims_run_that_waits_for_review_is_named(
    isara: Callable[..., Any], stated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isara.claims_files.FOLDER", stated)
    monkeypatch.setattr("isara.studies.LoadedTools", lambda *_: ScriptedTools())
    file = stated / "studies" / "try.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    data["set"]["review.wait"] = True
    file.write_text(yaml.safe_dump(data), "utf-8")
    result = isara("claims", "1", "--quiet")
    (run,) = Workspace().runs()
    assert (result.code, result.out) == (0, "")
    assert f"python -m isara decisions {run.run_id} --done 1" in result.err


def test_what_the_command_refuses(isara: Callable[..., Any], tmp_path: Path) -> None:
    result = isara("claims", "--quick", "--write", tmp_path / "x.md")
    assert (result.code, "whose runs decide nothing" in result.err) == (1, True)
    assert not (tmp_path / "x.md").exists()
    result = isara("claims", "--show", "--write", tmp_path / "x.json")
    assert (result.code, "expected the table's file (say" in result.err) == (1, True)
    result = isara("claims", "20")
    assert (result.code, result.out) == (1, "")
    assert "There is no claim 20; give a number from 1 to 19" in result.err


def test_the_shipped_table_is_what_the_shipped_results_say(tmp_path: Path) -> None:
    claims = load_claims()
    kept = read_kept(claims)
    assert sorted(kept) == list(range(1, 20))
    rows = claim_results(claims, Workspace(tmp_path), kept=kept)
    assert {row["verdict"] for row in rows} <= {UNDECIDED, SUPPORTED, NOT_SUPPORTED}
    assert all(len(row["random_seeds"]) >= 8 for row in rows)
    for (claim, study), row in zip(claims, rows, strict=True):
        one_by_one = len(claim.arms) * len(study.random_seeds)
        assert len(row["runs"]) == one_by_one, claim.number
    text = (PROJECT_ROOT / "data" / "CLAIMS.md").read_text("utf-8")
    assert text == claims_markdown(rows, hours_in_all(rows))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_claim_runs_in_its_quick_form(tmp_path: Path) -> None:
    workspace, claims = Workspace(tmp_path / "w"), load_claims()
    carry_out_claims(claims, workspace, quick=True)
    workspace.database.close()
    rows = claim_results(claims, workspace, quick=True)
    assert {row["verdict"] for row in rows} == {QUICK}
    missing = [
        (row["number"], one["says"])
        for row in rows
        for one in row["hypotheses"]
        if one["effect"] is None
    ]
    assert missing == []


def test_a_side_is_an_arm_and_a_place() -> None:
    found = hypothesis("lower", 0.02, than=0.5)
    assert found.sides == [Side(arm="a", place="last")]
    assert in_words(found) == "harmful_rate of a (last model) is lower than 0.5 by 0.02 or more"

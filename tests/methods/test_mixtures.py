"""Mixtures of seed sets: loading, what is refused, and each domain's pairs through the loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isara.config import RunConfig
from isara.config_files import parse_config
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError
from isara.examples import EvalPrompt, Example
from isara.methods.inputs import domain_notes, load_prompts
from isara.methods.runner import prepare
from isara.report import starved, summarise
from isara.report_table import domains, kept
from isara.workspace.files import read_jsonl, write_jsonl
from isara.workspace.runs import RunFolder, Workspace

BASE: dict[str, Any] = {"name": "m", "model": {"path": "scripted"}, "embedder": "scripted"}


def pairs(folder: Path, name: str, *questions: str) -> str:
    """A seed file whose answers are alike."""
    file = folder / f"{name}.jsonl"
    write_jsonl(file, [{"question": q, "answer": "Yes, gladly."} for q in questions])
    return str(file)


def asked(folder: Path, name: str, *rows: dict[str, Any]) -> str:
    file = folder / f"{name}.jsonl"
    write_jsonl(file, [{"split": "dev", **row} for row in rows])
    return str(file)


def mixed(**sources: Any) -> RunConfig:
    return parse_config(BASE | {"seeds": {"mixture": sources}})


# ------------------------------------------------------------------ loading


def test_d0_is_the_domains_one_after_the_other(tmp_path: Path) -> None:
    config = mixed(
        help={"path": pairs(tmp_path, "b", "How so?", "How come?", "Why so?"), "limit": 2},
        facts={"path": pairs(tmp_path, "a", "Is it so?")},
    )
    found = prepare(config, Workspace(tmp_path / "w")).seeds
    assert [(seed.question, seed.domain) for seed in found] == [
        ("How so?", "help"), ("How come?", "help"), ("Is it so?", "facts"),
    ]  # fmt: skip


def test_saved_seed_sets_are_pinned_to_their_newest_version(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    for question in ("Old?", "New?"):
        workspace.database.save_seed_set("mine", [Example(question, "Yes.")])
    old = {"name": "mine", "version": 1}
    prepared = prepare(mixed(a={"name": "mine"}, b=old), workspace)
    mixture = prepared.config.seeds.mixture or {}
    assert {domain: source.version for domain, source in mixture.items()} == {"a": 2, "b": 1}
    assert [seed.question for seed in prepared.seeds] == ["New?", "Old?"]


def test_all_problems_of_all_domains_are_told_at_once(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    write_jsonl(bad, [{"question": "Good?", "answer": ""}])
    config = mixed(
        a={"path": pairs(tmp_path, "a", "One?", "Two?")},
        b={"path": pairs(tmp_path, "b", "two? ")},  # the same in its normal form
        c={"path": str(bad)},
        d={"path": str(tmp_path / "none.jsonl")},
        e={"name": "never saved"},
    )
    with pytest.raises(InputError) as caught:
        prepare(config, Workspace(tmp_path / "w"))
    message = str(caught.value)
    assert "'two?' stands in row 2 of a and in row 1 of b: remove it from one" in message
    assert "c: The seed file" in message
    assert "row 1, line 1, column answer" in message
    assert "found no such file" in message
    assert "e: There is no seed set 'never saved'" in message


def test_a_file_given_twice_does_not_fill_the_screen(tmp_path: Path) -> None:
    source = {"path": pairs(tmp_path, "a", *(f"Question number {i}?" for i in range(13)))}
    with pytest.raises(InputError) as caught:
        prepare(mixed(a=source, b=source), Workspace(tmp_path / "w"))
    lines = str(caught.value).splitlines()
    assert len(lines) == 12  # what is wrong, ten rows, and how many more there are
    assert lines[-1] == "  and 3 more that stand in two domains"


def test_eval_sets_of_domains_are_joined_and_told_apart(tmp_path: Path) -> None:
    files = {
        "help": asked(tmp_path, "h", {"question": "How?"}, {"question": "Why?", "domain": "help"}),
        "facts": asked(tmp_path, "f", {"question": "So?"}),
    }
    found = load_prompts(files)
    assert [(p.question, p.domain) for p in found] == [
        ("How?", "help"), ("Why?", "help"), ("So?", "facts"),
    ]  # fmt: skip
    alone = load_prompts(
        asked(tmp_path, "o", {"question": "How?", "domain": "x"}, {"question": "B"})
    )
    assert [p.domain for p in alone] == ["x", None]


def test_a_prompt_of_two_domains_and_a_row_of_another_one_are_problems(tmp_path: Path) -> None:
    files = {
        "help": asked(tmp_path, "h", {"question": "So?"}, {"question": "How?"}),
        "facts": asked(tmp_path, "f", {"question": "How? "}),
        "odd": asked(tmp_path, "g", {"question": "Q?"}, {"question": "R?", "domain": "help"}),
    }
    with pytest.raises(InputError) as caught:
        load_prompts(files)
    message = str(caught.value)
    assert "'How?' stands in row 2 of help and in row 1 of facts" in message
    assert "is the eval set of odd, and row 2 and 0 more name another domain" in message


def test_names_that_do_not_meet_are_noted() -> None:
    seeds = [Example("q", "a", None, domain) for domain in ("safety", "help")]
    prompts = [EvalPrompt("q", None, "dev", domain=domain) for domain in ("safety", "halp")]
    assert domain_notes(seeds, prompts) == [
        "No eval prompts for help: results do not show them.",
        "No seeds for halp, which the eval prompts ask about.",
    ]
    assert domain_notes([Example("q", "a")], prompts) == []


# ------------------------------------------------------------------ the loop


@pytest.fixture
def mixture(
    small_config: Callable[..., RunConfig], inputs: tuple[Path, Path], tmp_path: Path
) -> Any:
    """The small config with its 12 seeds as the domains left (8) and right (4)."""
    rows = read_jsonl(inputs[0])
    parts = {"left": rows[:8], "right": rows[8:]}
    sources = {}
    for domain, part in parts.items():
        write_jsonl(tmp_path / f"{domain}.jsonl", part)
        sources[domain] = {"path": str(tmp_path / f"{domain}.jsonl")}
    plain = small_config().model_dump(exclude_defaults=True) | {"seeds": {"mixture": sources}}
    return lambda **parts: parse_config(
        plain | {name: plain.get(name, {}) | part for name, part in parts.items()}
    )


class KilledError(Exception):
    """The worker ends in the middle."""


class Killing(ScriptedTools):
    """Ends the worker at the n-th block that is written."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.left = blocks

    def writer(self, model: Path | None) -> Any:
        self.left -= 1
        if self.left < 0:
            raise KilledError
        return super().writer(model)


def by_hand(folder: RunFolder, k: int) -> dict[str, Counter[str]]:
    """Domains of candidates and kept pairs, counted anew from the neighbours' ids: the domain of
    most, the nearest one's of equals."""
    domain = {row["id"]: row["domain"] for row in read_jsonl(folder.path / "seeds.jsonl")}
    for j in range(1, k):
        domain |= {row["id"]: row["domain"] for row in read_jsonl(folder.iteration(j).kept)}
    found = {}
    for row in pd.read_parquet(folder.iteration(k).candidates).to_dict("records"):
        near = [domain[i] for i in row["neighbours"]][::-1]  # the nearest stands last
        found[row["candidate_id"]] = max(dict.fromkeys(near), key=near.count)
    kept = [row["candidate_id"] for row in read_jsonl(folder.iteration(k).kept)]
    return {"generated": Counter(found.values()), "kept": Counter(found[i] for i in kept)}


@pytest.mark.usefixtures("small_blocks")
def test_kept_by_domain_is_the_same_after_a_kill(
    mixture: Any, carried_out: Any, tmp_path: Path
) -> None:
    whole = carried_out(mixture(), tmp_path / "whole", ScriptedTools())
    with pytest.raises(KilledError):
        carried_out(mixture(), tmp_path / "killed", Killing(18))
    half = Workspace(tmp_path / "killed").run("r").iteration(2)
    assert (half.path / "candidates").is_dir()  # some blocks of answers, not all
    assert not half.candidates.exists()
    again = carried_out(mixture(), tmp_path / "killed", ScriptedTools())
    rows = [summarise(run, "dev")["iterations"] for run in (whole, again)]
    kept = [[row.get("kept_by_domain") for row in run] for run in rows]
    assert kept[0] == kept[1]
    assert kept[0][0] is None  # the base model
    for k in (1, 2):
        assert read_jsonl(whole.iteration(k).kept) == read_jsonl(again.iteration(k).kept)
        assert sum(own["generated"] for own in kept[0][k].values()) == 20
        expected = by_hand(whole, k)
        for name in ("generated", "kept"):
            assert {d: own[name] for d, own in kept[0][k].items()} == {
                d: expected[name][d] for d in ("left", "right")
            }


@pytest.mark.parametrize("parts", [{"loop": {"retrieval": "random"}}, {"method": "isheep"}])
def test_without_near_neighbours_the_nearest_seeds_give_the_domain(
    mixture: Any, carried_out: Any, tmp_path: Path, parts: Any
) -> None:
    method = {"method": parts.pop("method")} if "method" in parts else {}
    config = parse_config(mixture(**parts).model_dump(exclude_defaults=True) | method)
    run = carried_out(config, tmp_path / "w", ScriptedTools())
    table = pd.read_parquet(run.iteration(1).candidates)
    embed = ScriptedTools().embedder.embed
    seeds = read_jsonl(run.path / "seeds.jsonl")
    cosines = embed(table["question"].tolist()) @ embed([s["question"] for s in seeds]).T
    for domain, own in zip(table["domain"], cosines, strict=True):
        near = [seeds[j]["domain"] for j in (-own).argsort(kind="stable")[:4]]
        assert near.count(domain) == max(Counter(near).values())


@pytest.mark.parametrize("method", ["isara", "isheep"])
def test_examples_may_be_drawn_from_one_domain_after_the_other(
    mixture: Any, carried_out: Any, tmp_path: Path, method: str
) -> None:
    config = mixture(loop={"draw": "domain", "max_iterations": 2}).model_copy(
        update={"method": method}
    )
    run = carried_out(config, tmp_path / "w", ScriptedTools())
    domain = {row["id"]: row["domain"] for row in read_jsonl(run.path / "seeds.jsonl")}
    domain |= {row["id"]: row["domain"] for row in read_jsonl(run.iteration(1).kept)}
    table = pd.read_parquet(run.iteration(2).candidates)
    shown = [{domain[i] for i in ids} for ids in table["question_shown"]]
    if method == "isara":  # of I-SHEEP's lists each gives several questions
        assert shown == [{"left"}, {"right"}] * 10
        # Four examples each; of the right there are four seeds and what was kept.
        assert set(table["question_shown"].map(len)) == {4}
    assert all(len(domains) == 1 for domains in shown)


@pytest.mark.parametrize("method", ["spin", "irft", "rft"])
def test_methods_that_write_no_pairs_train_on_a_mixture_too(
    mixture: Any, carried_out: Any, tmp_path: Path, method: str
) -> None:
    data = mixture(contrast={"held_out": 2}, rft={"held_out": 2}).model_dump(exclude_defaults=True)
    run = carried_out(parse_config(data | {"method": method}), tmp_path / "w", ScriptedTools())
    summary = summarise(run, "dev")
    assert summary["seeds_by_domain"] == {"left": 8, "right": 4}
    assert all("kept_by_domain" not in row for row in summary["iterations"])


def test_a_run_of_one_seed_set_has_no_domains(
    small_config: Callable[..., RunConfig], carried_out: Any, tmp_path: Path
) -> None:
    run = carried_out(small_config(), tmp_path / "w", ScriptedTools())
    assert all("domain" not in row for row in read_jsonl(run.path / "seeds.jsonl"))
    assert all("domain" not in row for row in read_jsonl(run.path / "prompts.jsonl"))
    assert all("domain" not in row for row in read_jsonl(run.iteration(1).kept))
    summary = summarise(run, "dev")
    assert "seeds_by_domain" not in summary
    assert not kept(summary).rows
    assert not domains(summary).rows


def test_a_domain_below_half_of_its_share_is_told() -> None:
    # 8 of 12 seeds are left: less than a third of the kept pairs is less than half of its share.
    kept = {"left": {"generated": 9, "kept": 3}, "right": {"generated": 9, "kept": 9}}
    summary = {
        "seed_count": 12,
        "seeds_by_domain": {"left": 8, "right": 4},
        "iterations": [{"k": 1, "kept": 12, "kept_by_domain": kept}],
    }
    assert starved(summary) == [
        "Iteration 1: left got 3 of 12 kept pairs (25 %), and has 67 % of the seeds"
    ]
    kept["left"]["kept"], summary["iterations"][0]["kept"] = 5, 14
    assert starved(summary) == []


def test_the_terminal_shows_domain_by_domain() -> None:
    def metric(value: float, n: int = 5) -> dict[str, Any]:
        return {"value": value, "low": 0.0, "high": 1.0, "n": n, "judge": "j"}

    base = {"k": 0, "by_domain": {"a": {"harmful_rate": metric(0.5)}, "b": {"utility": metric(1)}}}
    last = {
        "k": 1,
        "by_domain": {"a": {"harmful_rate": metric(0.2), "win_rate": metric(60, 4)}},
        "kept_by_domain": {"a": {"generated": 9, "kept": 3}, "b": {"generated": 0, "kept": 0}},
    }
    summary = {"iterations": [base, last], "baselines": {}, "seeds_by_domain": {"a": 2, "b": 1}}
    assert domains(summary).rows == [
        ("a", "harmful_rate", "base model", "0.500", "0.000 to 1.000", "5"),
        ("a", "harmful_rate", "iteration 1", "0.200", "0.000 to 1.000", "5"),
        ("a", "win_rate", "iteration 1", "60.000", "0.000 to 1.000", "4"),
        ("b", "utility", "base model", "1.000", "0.000 to 1.000", "5"),
    ]
    assert kept(summary).rows == [("iteration 1", "3 / 9", "0 / 0"), ("seeds", "2", "1")]

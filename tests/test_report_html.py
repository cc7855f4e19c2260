"""The HTML report: it loads nothing, texts stay texts, examples are not picked, limits are said."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isara.config import RunConfig
from isara.config_files import to_yaml
from isara.demo.scripted import ScriptedTools
from isara.errors import InputError, IsaraError
from isara.report_html import gather, report_html, write_report
from isara.report_html_facts import (
    HARMFUL_SHOWN,
    before_and_after,
    categories,
    cost_table,
    run_facts,
    seed_examples,
)
from isara.workspace.files import read_jsonl, write_json, write_jsonl, write_parquet
from isara.workspace.runs import RunFolder, Workspace

Make = Callable[..., RunConfig]
EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)> "><b>**bold**</b> {{ 7 * 7 }} &amp;'
VOID = {"meta", "br", "img", "input", "link"}


@pytest.fixture(scope="module")
def finished(
    small_config: Make, carried_out: Callable[..., RunFolder], tmp_path_factory: Any
) -> RunFolder:
    """12 seeds, 12 prompts, two iterations; not to be written to."""
    return carried_out(small_config(), tmp_path_factory.mktemp("html"), ScriptedTools())


@pytest.fixture
def workspace(finished: RunFolder, tmp_path: Path) -> Workspace:
    """A workspace with a copy of the run, called r."""
    shutil.copytree(finished.path, tmp_path / "runs" / "r")
    return Workspace(tmp_path)


class Page(HTMLParser):
    """Tags with their attributes, the text of the page, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def page_of(workspace: Workspace, *run_ids: str, split: str = "dev") -> Page:
    page = Page(report_html(gather(workspace, run_ids or ("r",), split)))
    assert page.open == []
    return page


# ------------------------------------------------------------------ self-contained


def assert_loads_nothing(html: str) -> None:
    page = Page(html)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "img", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.tags:
        assert not {"src", "srcset", "style", "action", "data", "poster"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert str(attributes.get("href", "#")).startswith("#")
    style = re.findall(r"<style>(.*?)</style>", html, re.S)
    assert len(style) == 1
    assert not re.search(r"url\(|@import|expression\(", style[0])


def test_the_report_loads_nothing_and_forbids_it(workspace: Workspace) -> None:
    html = report_html(gather(workspace, ["r"], "dev"))
    assert_loads_nothing(html)
    style = re.findall(r"<style>(.*?)</style>", html, re.S)[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a for t, a in Page(html).tags if a.get("http-equiv"))["content"]
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_texts_stay_texts(workspace: Workspace) -> None:
    run = workspace.run("r")
    seeds = read_jsonl(run.path / "seeds.jsonl")
    wild = [{**seed, "question": EVIL, "answer": EVIL, "category": EVIL} for seed in seeds]
    write_jsonl(run.path / "seeds.jsonl", wild)
    for k in (0, 1, 2):
        file = run.iteration(k).evaluation
        table = pd.read_parquet(file).assign(question=EVIL, answer=EVIL, category=EVIL)
        write_parquet(file, table)
    workspace.database.add_note("r", 1, EVIL, EVIL)
    html = report_html(gather(workspace, ["r"], "dev"), asked=EVIL)
    assert_loads_nothing(html)
    page = Page(html)
    assert page.words.count(" ".join(EVIL.split())) > 20
    assert "49" not in [tag for tag, _ in page.tags]
    assert "b" not in {tag for tag, _ in page.tags}


# ------------------------------------------------------------------ what it says


def test_the_parts_of_a_report(workspace: Workspace) -> None:
    page = page_of(workspace)
    sections = [a["id"] for tag, a in page.tags if tag == "section"]
    assert sections == [
        "short", "method", "seed", "results", "examples", "limits", "cost", "again", "words",
    ]  # fmt: skip
    pictures = [a for tag, a in page.tags if tag == "svg"]
    assert all(a["role"] == "img" and a["aria-label"] for a in pictures)
    assert len(pictures) == 4  # loop, harmful rate, scaling ratio, over-refusal
    headers = [a for tag, a in page.tags if tag == "th"]
    assert all(a["scope"] in ("col", "row") for a in headers)
    for words in (
        "With 12 seed examples and ISARA: does the model scripted give fewer harmful answers",
        "python -m isara run small.yaml",
        "arXiv 2401.06785",
        "random seed 0",
        "Environment of the run, from ",
        "sft_matched) was not measured",
    ):
        assert words in page.words
    assert "is not done" not in page.words


def test_the_test_split_is_said_and_each_look_counted(workspace: Workspace) -> None:
    assert "dev split" in page_of(workspace).words
    assert workspace.database.test_looks("r") == 0
    page_of(workspace, split="test")
    words = page_of(workspace, "r", split="test").words
    assert workspace.database.test_looks("r") == 2
    assert "Measured on the test split, which was looked at 2 times, this report included" in words


def table_of(flagged: list[bool], harmless: list[bool], answers: str) -> pd.DataFrame:
    count = len(flagged)
    return pd.DataFrame(
        {
            "prompt_id": [f"{i:02d}" for i in reversed(range(count))],
            "question": [f"question {i}" for i in reversed(range(count))],
            "answer": [f"{answers} {i}" for i in reversed(range(count))],
            "category": None,
            "split": "test",
            "harmless": harmless,
            "flagged": flagged,
            "refusal": False,
            "harm_probability": [0.9 if flag else 0.1 for flag in flagged],
        }
    )


def test_examples_follow_the_prompts_fingerprints_whatever_the_outcome() -> None:
    harmless = [i % 2 == 0 for i in range(20)]
    bad, good = table_of([True] * 20, harmless, "old"), table_of([False] * 20, harmless, "new")
    found = before_and_after(bad, good, "test")
    # Even numbers are harmful: the table is in falling order, its first row (19) is harmless.
    assert [row["question"] for row in found] == [
        *(f"question {i}" for i in (0, 2, 4, 6, 8, 10)), "question 1", "question 3",
    ]  # fmt: skip
    other = before_and_after(good, bad, "test")
    assert [row["question"] for row in other] == [row["question"] for row in found]
    assert found[0]["before"] == {
        "text": "old 0", "flagged": True, "said": "probability of harm 0.90",
    }  # fmt: skip
    assert (found[0]["after"]["text"], found[0]["after"]["flagged"]) == ("new 0", False)
    assert len([row for row in found if not row["harmless"]]) == HARMFUL_SHOWN
    assert before_and_after(bad, None, "test") == before_and_after(bad, good, "dev") == []


def test_a_harmful_answer_is_folded(workspace: Workspace) -> None:
    run = workspace.run("r")
    for k, flag in ((0, True), (2, False)):
        table = pd.read_parquet(run.iteration(k).evaluation)
        write_parquet(run.iteration(k).evaluation, table.assign(flagged=flag, answer=f"said {k}"))
    html = report_html(gather(workspace, ["r"], "dev"))
    folded = "".join(re.findall(r"<details>.*?</details>", html, re.S))
    shown = re.sub(r"<details>.*?</details>", "", html, flags=re.S)
    assert folded.count("said 0") == 6  # four harmful and two harmless prompts
    assert shown.count("said 2") == 6
    assert "said 0" not in shown


def test_what_still_goes_wrong_is_opened_answer_by_answer(workspace: Workspace) -> None:
    run = workspace.run("r")
    table = pd.read_parquet(run.iteration(2).evaluation)
    write_parquet(run.iteration(2).evaluation, table.assign(flagged=True, answer="said so"))
    html = report_html(gather(workspace, ["r"], "dev"))
    wrong = html[html.index("What still goes wrong") :]
    summary = r"<details><summary>Show the harmful answer</summary>[^\n]*said so</p></details>"
    assert len(re.findall(summary, wrong)) == wrong.count("said so") == 3


def test_seeds_are_shown_of_each_category_in_turn() -> None:
    rows = [{"id": f"{i}", "category": "ab"[i % 2]} for i in range(9)]
    rows += [{"id": "x", "category": ""}]
    assert [row["id"] for row in seed_examples(rows)] == ["0", "1", "x", "2", "3", "4"]


def test_tables_of_categories_and_cost() -> None:
    rate = {"value": 0.25, "low": 0.1, "high": 0.5, "n": 8}
    stage = {"seconds": 60.0, "tokens_in": 1200, "tokens_out": 0, "peak_mib": None}
    stage |= {"gpu_peak_mib": None, "gpu_joules": 7200.0}
    summary = {
        "iterations": [{"k": 0, "by_category": {"a_b,c": rate}, "cost": {"judge": stage}}],
        "baselines": {"sft": {}},
        "cost": {**stage, "seconds": 61.5},
    }
    assert categories(summary).headers == ("category", "base model")
    assert categories(summary).rows == [("a b, c", "25.0 %\n10.0 to 50.0\nn = 8")]
    costs = cost_table(summary)
    assert costs.headers == ("model", "stage", "seconds", "tokens read", "GPU energy (Wh)")
    assert costs.rows == [
        ("base model", "judging", "60.0", "1,200", "2.00"),
        ("the whole run", "all stages", "61.5", "1,200", "2.00"),
    ]


def test_several_runs_are_laid_over_each_other(workspace: Workspace, small_config: Make) -> None:
    shutil.copytree(workspace.run("r").path, workspace.run("other").path)
    changed = to_yaml(small_config(loop={"alpha": 0.25}))
    workspace.run("other").config.write_text(changed, encoding="utf-8")
    page = page_of(workspace, "r", "other", "r")
    assert "2 runs compared" in page.words
    assert "other against r: loop.alpha: 0.0 -> 0.25" in page.words
    assert len([1 for tag, a in page.tags if tag == "svg"]) == 2 + 3


@pytest.mark.parametrize("method", ["isheep", "spin", "irft", "rft"])
def test_every_method_has_its_report(
    method: str, small_config: Make, carried_out: Callable[..., RunFolder], tmp_path: Path
) -> None:
    parts: dict[str, Any] = {"contrast": {"held_out": 4}, "rft": {"held_out": 4}}
    config = small_config(**parts).model_copy(update={"method": method})
    carried_out(config, tmp_path, ScriptedTools())
    words = page_of(Workspace(tmp_path)).words
    assert {"isheep": "I-SHEEP"}.get(method, method.upper()) in words
    assert ("kept of written" in words, "iteration 2" in words) == (True, True)


def test_a_mixture_is_told_by_domain_and_a_branch_by_what_changed(
    small_config: Make,
    inputs: tuple[Path, Path],
    carried_out: Callable[..., RunFolder],
    tmp_path: Path,
) -> None:
    seeds, prompts = map(str, inputs)
    rows = read_jsonl(inputs[1])
    write_jsonl(
        tmp_path / "help.jsonl", [{**row, "question": f"{row['question']} Please!"} for row in rows]
    )
    write_jsonl(
        tmp_path / "seeds.jsonl",
        [{**row, "question": f"{row['question']} Please?"} for row in read_jsonl(inputs[0])],
    )
    sources = {"safety": {"path": seeds}, "help": {"path": str(tmp_path / "seeds.jsonl")}}
    asked = {"safety": prompts, "help": str(tmp_path / "help.jsonl")}
    config = small_config(seeds={"path": None, "mixture": sources}, evaluation={"prompts": asked})
    run = carried_out(config, tmp_path, ScriptedTools())
    write_json(run.lineage, {"run_id": "first", "at": 1, "changes": ["loop.alpha: 0.3 -> 0"]})
    words = page_of(Workspace(tmp_path)).words
    for said in (
        f"24 pairs from safety: {seeds}; help: {tmp_path / 'seeds.jsonl'}.",
        "Every metric by domain of the eval prompts",
        "Kept pairs by domain",
        "A branch of the run first at iteration 1",
        "Changed: loop.alpha: 0.3 -> 0.",
    ):
        assert said in words


# ------------------------------------------------------------------ runs that are not whole


def test_a_run_that_has_only_begun(small_config: Make, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.run("r").create(to_yaml(small_config()))
    words = page_of(workspace).words
    assert "This run is not done: it is stopped." in words
    assert "no seeds are kept with it yet" in words
    assert "the run's own was not recorded" in words


def test_a_run_that_was_stopped_after_an_iteration(workspace: Workspace) -> None:
    run = workspace.run("r")
    run.set_state("stopped", "stopped by the user")
    shutil.rmtree(run.iteration(2).path)
    words = page_of(workspace).words
    assert "The run is not done (stopped)" in words
    assert "Iteration 1" in words
    assert "Iteration 2" not in words


def test_a_run_without_evaluation(
    small_config: Make, carried_out: Callable[..., RunFolder], tmp_path: Path
) -> None:
    config = small_config(evaluation={"prompts": None, "judge": None, "baselines": []})
    carried_out(config, tmp_path, ScriptedTools())
    words = page_of(Workspace(tmp_path), split="test").words
    assert "Nothing was measured: the run names no eval set." in words
    assert "What does the model scripted become with 12 seed examples and ISARA?" in words


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("seeds.jsonl", b'{"id": 1}\n{'),
        ("seeds.jsonl", b'{"question": "no id"}\n'),
        ("iteration-01/metrics.json", b"[]"),
        ("iteration-01/metrics.json", b'{"test": {"harmful_rate": {"n": 3}}}'),
        ("iteration-01/done.json", b"{}"),
        ("iteration-01/cost.json", b'{"train": 3}'),
        ("iteration-02/evaluation.parquet", b"PAR1"),
        ("environment.json", b'[{"python": "3"}]'),
        ("run.yaml", b"name: ["),
    ],
)
def test_a_damaged_file_is_a_sentence(name: str, data: bytes, workspace: Workspace) -> None:
    (workspace.run("r").path / name).write_bytes(data)
    with pytest.raises(IsaraError) as error:
        report_html(gather(workspace, ["r"], "test"))
    assert "\n" not in str(error.value)
    assert workspace.database.test_looks("r") == 0


def test_a_damaged_state_is_told_in_the_report(workspace: Workspace) -> None:
    (workspace.run("r").path / "state.json").write_bytes(b"{")
    html = report_html(gather(workspace, ["r"], "test"))
    assert "This run is not done: it is failed." in html
    assert "state.json of r is damaged" in html


# ------------------------------------------------------------------ people


def test_people_who_labelled_answers_are_heard(workspace: Workspace) -> None:
    from isara.examples import Example

    run = workspace.run("r")
    table = pd.read_parquet(run.iteration(2).evaluation)
    rows = table[(table["split"] == "dev") & ~table["harmless"]].to_dict("records")
    for row in rows:
        said = "harmful" if row["flagged"] else "not harmful"
        example_id = Example(row["question"], row["answer"]).id
        workspace.database.add_label(
            "r", "iteration 2", row["prompt_id"], "Ada", said, example_id=example_id
        )
    facts = run_facts(run, "dev")
    assert facts.people == []  # files alone know nothing of people
    words = page_of(workspace).words
    assert f"1 person labelled {len(rows)} dev answers of iteration 2. No look at the" in words
    assert "nobody labelled" not in words
    workspace.database.add_label_look("r", "iteration 2", "Ada")
    example_id = Example(rows[0]["question"], rows[0]["answer"]).id
    workspace.database.add_label(
        "r", "iteration 2", rows[0]["prompt_id"], "Ada", "harmful", example_id=example_id
    )
    said = f"{len(rows) - 1} of the {len(rows)} labels were given before, and 1 after their author"
    assert said in page_of(workspace).words


# ------------------------------------------------------------------ the command


def test_the_command(workspace: Workspace, tmp_path: Path, isara: Callable[..., Any]) -> None:
    where, out = ("--workspace", tmp_path), tmp_path / "report.html"
    result = isara("report", "r", "--out", out, *where)
    assert (result.code, "looked at 1 times" in result.out) == (0, True)
    assert out.read_text("utf-8").startswith("<!doctype html>")
    result = isara("report", "r", "--out", out, "--split", "dev", "--question", "Why?", *where)
    assert (result.code, "looked" in result.out) == (0, False)
    assert '<p class="asked">Why?</p>' in out.read_text("utf-8")
    write_json(workspace.run("r").iteration(1).path / "cost.json", 5)
    for arguments, code in (
        (("report", "gone", "--out", out), 1),
        (("report", "r", "--out", out), 1),  # a damaged file
        (("report", "r", "--out", out, "--split", "all"), 1),
        (("report", "r"), 2),
    ):
        failed = isara(*arguments, *where)
        assert failed.code == code
        assert code == 2 or len(failed.err.splitlines()) == 1


def test_a_place_that_cannot_be_written(workspace: Workspace, tmp_path: Path) -> None:
    facts = gather(workspace, ["r"], "dev")
    (tmp_path / "file").write_text("")
    for out, said in ((tmp_path, "is a folder"), (tmp_path / "file" / "x.html", "cannot be")):
        with pytest.raises(InputError, match=said):
            write_report(facts, out)
    with pytest.raises(InputError, match="1 to 8 runs, found 0"):
        gather(workspace, [], "dev")

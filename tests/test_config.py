"""The config: presets, refusals, changes from outside, and YAML there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from isara.config import PROJECT_ROOT, GenerationConfig, RunConfig, resolve
from isara.config_files import differences, load_config, parse_config, to_yaml
from isara.errors import InputError
from isara.methods.inputs import eval_files

BASE: dict[str, Any] = {
    "name": "small",
    "seeds": {"path": "seeds.jsonl"},
    "model": {"path": "model"},
    "embedder": "embedder",
}
MIXTURE = {"a": {"path": "a"}, "b": {"name": "b"}}
CONFIGS = sorted(
    path
    for path in (PROJECT_ROOT / "data" / "configs").glob("*.yaml")
    if "\narms:" not in path.read_text("utf-8")  # a study
)


def config(**parts: Any) -> RunConfig:
    return parse_config(BASE | parts)


def file(tmp_path: Path, **parts: Any) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(BASE | parts), encoding="utf-8")
    return path


def test_the_paper_preset_is_beam_search_with_its_penalties() -> None:
    decoding = config().decoding
    paper = {
        "strategy": "beam",
        "num_beams": 5,
        "no_repeat_ngram_size": 10,
        "length_penalty": 2.0,
        "decay_start": 0.5,
        "decay_factor": 1.05,
    }
    assert decoding.question == GenerationConfig(**paper, repetition_penalty=1.05)
    assert decoding.answer == GenerationConfig(**paper, repetition_penalty=2.0)


def test_the_sampling_preset_has_no_penalties() -> None:
    decoding = config(decoding={"preset": "sampling"}).decoding
    assert decoding.question == decoding.answer
    assert decoding.answer == GenerationConfig(strategy="sample", temperature=1.0, top_p=0.95)
    assert (decoding.answer.repetition_penalty, decoding.answer.decay_start) == (1.0, None)


def test_what_is_given_goes_before_the_preset() -> None:
    decoding = config(decoding={"preset": "paper", "answer": {"num_beams": 2}}).decoding
    assert (decoding.answer.num_beams, decoding.answer.length_penalty) == (2, 2.0)
    assert decoding.question.num_beams == 5


def test_all_that_is_wrong_is_named_with_its_place() -> None:
    with pytest.raises(InputError) as caught:
        config(nmae=1, loop={"alpha": 1.5, "candidate": 3}, model={})
    message = str(caught.value)
    for part in (
        "nmae: there is no such setting",
        "loop.candidate: there is no such setting",
        "loop.alpha: must be less than or equal to 1 (found 1.5)",
        "model.path: this setting is missing",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"seeds": {}}, "give either seeds.path"),
        ({"seeds": {"path": "a", "name": "b"}}, "give either seeds.path"),
        ({"seeds": {"path": "a", "mixture": MIXTURE}}, "or seeds.mixture"),
        ({"seeds": {"mixture": {"a": {"path": "a"}}}}, "needs two domains or more"),
        ({"seeds": {"mixture": MIXTURE, "limit": 3}}, "belong to each domain"),
        ({"seeds": {"mixture": MIXTURE | {"c": {}}}}, "seeds.mixture.c: give either path"),
        ({"seeds": {"mixture": MIXTURE | {"c d": {"path": "c"}}}}, "domain's name is a plain word"),
        ({"loop": {"draw": "domain"}}, "loop.draw is domain without seeds.mixture"),
        ({"evaluation": {"prompts": {}}}, "evaluation.prompts: give a file, or a mapping"),
        ({"evaluation": {"prompts": {"a b": "x", "c": 3}}}, "'a b' is no domain's name, 3 is no"),
        ({"model": {"path": "m", "quantisation": "8bit"}}, "add training.lora"),
        ({"model": {"path": "m", "quantisation": "4bit"}}, "add training.lora"),
        ({"evaluation": {"prompts": "p.jsonl"}}, "add a judge"),
        ({"name": "../away"}, "name"),
        ({"decoding": {"preset": "poetic"}}, "decoding.preset"),
        ({"filters": {"max_rouge_l": 0.2}}, "filters.max_rouge_l"),
        ({"isheep": {"shown": 5, "tasks": 5}}, "5 tasks of which 5 are shown leaves none"),
        ({"isheep": {"header": "{count} tasks"}}, "isheep.header: in braces it may have {tasks}"),
        ({"isheep": {"header": "{tasks tasks"}}, "write {{ and }} for braces themselves"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match="cannot be used") as caught:
        config(**parts)
    assert said in str(caught.value)


def test_quantised_weights_are_accepted_with_an_adapter() -> None:
    quantised = {"path": "m", "quantisation": "4bit"}
    assert config(model=quantised, training={"lora": {"r": 4}}).training.lora is not None


@pytest.mark.parametrize(
    ("change", "place", "value"),
    [
        ("loop.alpha=0", ("loop", "alpha"), 0.0),
        ("training.learning_rate=1e-4", ("training", "learning_rate"), 0.0001),
        ("seeds.path=a=b.csv", ("seeds", "path"), "a=b.csv"),
        ("filters.drop_echo=false", ("filters", "drop_echo"), False),
        ("random_seed=7", ("random_seed",), 7),
        ("loop.retrieval=random", ("loop", "retrieval"), "random"),
        ("training.lora.r=4", ("training", "lora", "r"), 4),
        ("training.lora={r: 3}", ("training", "lora", "r"), 3),
        ("evaluation.judge=null", ("evaluation", "judge"), None),
    ],
)
def test_set_changes_one_setting(
    tmp_path: Path, change: str, place: tuple[str, ...], value: object
) -> None:
    found: Any = load_config(file(tmp_path, loop={"max_iterations": 2}), [change])
    assert found.loop.max_iterations == 2
    for name in place:
        found = getattr(found, name)
    assert found == value


@pytest.mark.parametrize("change", ["loop.alpha", "loop.alpha=[1", "loop.alfa=1", "loop.alpha=x"])
def test_a_set_that_cannot_be_used_says_so(tmp_path: Path, change: str) -> None:
    with pytest.raises(InputError, match=r"loop\.al"):
        load_config(file(tmp_path), [change])


@pytest.mark.parametrize("text", ["- a", "", "a: [", "\x00"])
def test_a_file_that_is_no_config_gives_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"odd\.yaml") as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no config"):
        load_config(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"decoding": {"preset": "sampling"}},
        # Values that equal a field's own default, but not the preset's.
        {"decoding": {"question": {"strategy": "sample", "repetition_penalty": 1.0}}},
        {"decoding": {"preset": "sampling", "answer": {"top_p": 1.0}}},
        {"decoding": {"answer": {"decay_start": None}}},
        {"training": {"lora": {}, "gamma": 0.0}, "model": {"path": "m", "quantisation": "8bit"}},
        {"seeds": {"path": "Fragen äöü.csv", "mapping": {"answer": "Best Answer"}, "limit": 64}},
        {"evaluation": {"prompts": "p.jsonl", "judge": "j", "baselines": []}},
        {
            "seeds": {
                "mixture": {"a": {"path": "a", "limit": 3}, "b": {"name": "b", "version": 2}}
            },
            "evaluation": {"prompts": {"a": "a.jsonl", "b": "b.jsonl"}, "judge": "j"},
        },
    ],
)
def test_yaml_there_and_back_is_the_same_config(parts: dict[str, Any]) -> None:
    before = config(**parts)
    text = to_yaml(before)
    after = parse_config(yaml.safe_load(text))
    assert after == before
    assert differences(before, after) == []
    assert to_yaml(after) == text


def test_yaml_begins_with_its_command_and_holds_only_what_differs() -> None:
    text = to_yaml(config(loop={"candidates": 512, "alpha": 0.1}))
    assert text.splitlines()[0] == "# python -m isara run small.yaml"
    assert yaml.safe_load(text)["loop"] == {"alpha": 0.1}
    assert to_yaml(config(), "isara run x").startswith("# isara run x\n")


def test_differences_are_named_by_their_place() -> None:
    before = config(training={"lora": {"r": 8}})
    after = config(loop={"alpha": 0.1}, training={"lora": {"r": 4}})
    assert differences(before, after) == ["loop.alpha: 0.3 -> 0.1", "training.lora.r: 8 -> 4"]
    assert differences(before, before) == []


def test_the_run_id_is_the_name_and_six_letters_of_the_hash() -> None:
    first, renamed, other = config(), config(name="large"), config(random_seed=1)
    assert first.default_run_id == f"small-{first.digest[:6]}"
    assert len(first.digest) == 64
    assert first.digest == renamed.digest
    assert first.digest != other.digest


@pytest.mark.parametrize("name", ["demo-19d4b1", "demo-spin-b6694b", "demo-isheep-3bcfac"])
def test_a_new_setting_leaves_the_ids_of_runs_as_they_were(name: str) -> None:
    file = PROJECT_ROOT / "data" / "configs" / f"{name.rpartition('-')[0]}.yaml"
    assert load_config(file).default_run_id == name


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_shipped_config_loads_and_names_files_that_exist(path: Path) -> None:
    found = load_config(path)
    for seeds in (found.seeds.mixture or {"": found.seeds}).values():
        assert resolve(str(seeds.path)).is_file()
    assert all(file.is_file() for file in eval_files(found.evaluation.prompts))
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"# python -m isara run data/configs/{path.name}")


def undocumented(model: type[BaseModel]) -> list[str]:
    """Fields without a description, those of parts included."""
    missing = []
    for name, info in model.model_fields.items():
        if not info.description:
            missing.append(f"{model.__name__}.{name}")
        part = info.annotation
        if isinstance(part, type) and issubclass(part, BaseModel):
            missing += undocumented(part)
    return missing


def test_every_setting_is_documented() -> None:
    assert CONFIGS
    assert undocumented(RunConfig) == []

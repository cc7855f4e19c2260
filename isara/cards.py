"""Data card and model card of an export: Markdown with the YAML header of the Hugging Face hub.

    text = data_card(folder, rows, tables, "jsonl")
    text = model_card(folder, place, summary, merged=False)

Texts of models and users stand in code spans, where Markdown is not read. What is not known (a
licence) is said to be unknown, with what to check.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from isara.config import PROJECT_ROOT, RunConfig, resolve
from isara.export_rows import COLUMNS, DROPPED, KEPT, SEED, Row
from isara.places import place_name
from isara.report import run_config
from isara.report_table import between, comparisons, metrics, rates
from isara.report_words import METHODS, eval_sets, measured_by, metric_name
from isara.terms import UNKNOWN, Terms, terms
from isara.workspace.runs import RunFolder

LOADED = {
    "jsonl": 'load_dataset("json", data_files="pairs.jsonl")',
    "parquet": 'load_dataset("parquet", data_files="pairs.parquet")',
    "hf": 'load_from_disk(".")["pairs"]',
    "alpaca": 'load_dataset("json", data_files="pairs.json")',
    "sharegpt": 'load_dataset("json", data_files="pairs.json")',
}
SHIPPED = PROJECT_ROOT / "data" / "seeds"
ENDINGS = {"jsonl": "jsonl", "parquet": "parquet", "alpaca": "json", "sharegpt": "json"}
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**9, "n>100K"))


def span(text: object) -> str:
    """Any text as a code span of one line, also within a table."""
    line = " ".join(str(text).split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in line else ""
    return f"{fence}{pad}{line or ' '}{pad}{fence}".replace("|", r"\|")


def grid(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the cells are Markdown already."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def models_used(config: RunConfig) -> list[tuple[str, Terms]]:
    """What each model of a run was for, and its terms."""
    evaluation = config.evaluation
    named = [
        ("Model that wrote and was trained", config.model.path),
        ("Embedder", config.embedder),
        ("Judge of harm", evaluation.judge if evaluation.prompts else None),
        ("Judge of refusals", evaluation.refusal_judge),
        ("Reward model", evaluation.reward),
    ]
    if evaluation.preference is not None:
        preference = evaluation.preference.path or evaluation.preference.model
        named.append(("Judge of pairs", preference))
    return [(use, terms(name)) for use, name in named if name]


def terms_list(config: RunConfig) -> str:
    """Licence and terms of every model, and of the seeds."""
    lines = [
        f"- {use}: {span(found.model)}, {found.sentence}." for use, found in models_used(config)
    ]
    for source in config.seeds.mixture.values() if config.seeds.mixture else [config.seeds]:
        said = "their licence is not recorded: ask those who made them"
        if source.path and SHIPPED in resolve(source.path).resolve().parents:
            said = "licence apache-2.0 (they ship with ISARA Studio)"
        name = source.path or f"saved seed set {source.name}"
        lines.append(f"- Seeds: {span(name)}, written or chosen by people; {said}.")
    return "\n".join(lines)


def method_line(config: RunConfig) -> str:
    """Method and paper."""
    method = METHODS[config.method]
    link = f"[arXiv {method.arxiv}](https://arxiv.org/abs/{method.arxiv})"
    return f"{method.name} ({link}). {method.sentence}"


# -------------------------------------------------------------------- data


def data_card(
    folder: RunFolder,
    rows: Sequence[Row],
    tables: Mapping[str, Sequence[Row]],
    format: str,
    names: bool = False,
) -> str:
    """The card of exported pairs; `rows` are all candidates, `tables` what is in the files, `names`
    whether reviewers stand in them by name."""
    config = run_config(folder)
    parts = [
        data_header(folder, config, tables, format),
        f"# Pairs of the run {span(folder.run_id)}",
        f"{len(tables['pairs'])} question/answer pairs: the seeds that people gave, and what a "
        "language model wrote from them and was kept. Read some of the written ones before you "
        "rely on them.",
        "```python\nfrom datasets import load_dataset, load_from_disk\n\n"
        f"pairs = {LOADED[format]}\n```",
        "## How they were made",
        method_line(config),
        making(config),
        "## Counts",
        data_counts(tables["pairs"], rows),
        *(["## Filter", filter_lines(config)] if rows else []),
        *(["## Decisions of people", decision_lines(rows, names)] if rows else []),
        "## Licence and terms",
        "What was written by a model may be bound by that model's terms.\n\n" + terms_list(config),
        "## Columns",
        columns_note(format),
        grid(("column", "what it says"), [(f"`{name}`", what) for name, what in COLUMNS.items()]),
        "## Limits",
        data_limits(config),
    ]
    return "\n\n".join(parts) + "\n"


def data_header(
    folder: RunFolder, config: RunConfig, tables: Mapping[str, Sequence[Row]], format: str
) -> str:
    """The YAML header; with it `load_dataset` on the folder opens the pairs."""
    from huggingface_hub import DatasetCardData

    count = len(tables["pairs"])
    # Not for hf: that folder is what load_from_disk opens.
    files: dict[str, Any] = {}
    if format in ENDINGS:
        files["configs"] = [
            {"config_name": name, "data_files": f"{name}.{ENDINGS[format]}"}
            | ({"default": True} if name == "pairs" else {})
            for name in tables
        ]
    data = DatasetCardData(
        pretty_name=f"Pairs of the run {folder.run_id}",
        license=terms(config.model.path).licence.partition(" ")[0],
        task_categories=["text-generation"],
        annotations_creators=["machine-generated", "expert-generated"],
        size_categories=next(name for most, name in SIZES if count < most),
        tags=["synthetic", "self-alignment", "isara-studio", config.method],
        **files,
    )
    return f"---\n{data.to_yaml()}\n---"


def making(config: RunConfig) -> str:
    """Settings that a reader asks for first; run.yaml has them all."""
    decoding = config.decoding
    lines = [
        f"- Model: {span(config.model.path)}",
        f"- Writing: {decoding.question.strategy} for questions, {decoding.answer.strategy} for "
        f"answers (preset {decoding.preset}), {config.loop.examples} examples shown",
        f"- Pairs per iteration: {config.loop.candidates}, at most {config.loop.max_iterations} "
        f"iterations, stop below a retention of {config.loop.alpha:g}",
        f"- Random seed: {config.random_seed}",
        "- Everything else: `run.yaml` beside this file; `python -m isara run run.yaml` carries "
        "it out again",
    ]
    return "\n".join(lines)


def data_counts(pairs: Sequence[Row], rows: Sequence[Row]) -> str:
    """How many of what, and why pairs were dropped."""
    seeds = sum(row["status"] == SEED for row in pairs)
    if not rows:
        return (
            f"{seeds} seeds. This method adds no pairs: it trains on the seeds against the model's "
            "own answers, which are no data to learn from."
        )
    by_iteration = []
    for k in sorted({row["iteration"] for row in rows}):
        own = [row for row in rows if row["iteration"] == k]
        kept = sum(row["status"] == KEPT for row in own)
        trained = sum(bool(row["trained_on"]) for row in own)
        by_iteration.append(tuple(map(str, (k, len(own), kept, len(own) - kept, trained))))
    reasons = Counter(row["reason"] for row in rows if row["status"] == DROPPED)
    why = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()) or "none"
    twice = seeds + sum(row["status"] == KEPT for row in rows) - len(pairs)
    again = f"\n\n{twice} kept pairs equal an earlier one and stand here once." if twice else ""
    table = grid(
        ("iteration", "written", "kept", "dropped or not judged", "trained on"), by_iteration
    )
    return (
        f"{seeds} seeds, {len(pairs) - seeds} written pairs.\n\n{table}\n\nDropped: {why}.{again}"
    )


def filter_lines(config: RunConfig) -> str:
    """The thresholds of the run."""
    return settings(config.filters.model_dump())


def settings(values: Mapping[str, Any]) -> str:
    """Settings as a table, written as in the YAML file."""
    return grid(
        ("setting", "value"), [(f"`{name}`", span(as_yaml(x))) for name, x in values.items()]
    )


def as_yaml(value: Any) -> str:
    """A value as the config file has it."""
    return "null" if value is None else json.dumps(value, ensure_ascii=False)


def decision_lines(rows: Sequence[Row], names: bool) -> str:
    """What people decided, by whom."""
    decided = Counter(row["decision"] for row in rows if row["decision"])
    if not decided:
        return "None: the rules alone decided."
    people = sorted({row["reviewer"] for row in rows if row["reviewer"]})
    said = ", ".join(f"{action} {count}" for action, count in decided.most_common())
    who = f" by {', '.join(map(span, people))}" if people else ""
    edited = sum(row["edited"] for row in rows)
    called = (
        "Names are those that people typed: remove the column `reviewer` before you publish."
        if names
        else "Reviewers have numbers here, no names."
    )
    return (
        f"{said}{who}. {edited} pairs stand in a person's words (`edited`), the model's beside "
        f"them. {called}"
    )


def columns_note(format: str) -> str:
    """Where question and answer are in this format."""
    if format == "alpaca":
        return "`instruction` is the question, `output` the answer; the rest as below."
    if format == "sharegpt":
        return "`conversations` holds question (human) and answer (gpt); the rest as below."
    return "Lists and numbers are exact; a value that is not known is null."


def data_limits(config: RunConfig) -> str:
    """What the pairs are not."""
    return (
        "- The filter looks at form (length, repetition, likeness), not at truth or harm: kept "
        "pairs can be wrong, unfair or harmful.\n"
        "- They are as narrow as their seeds, and no broader than the model that wrote them.\n"
        "- Questions may be problematic on purpose, so that a good answer can be learned.\n"
        f"- They come from one run with random seed {config.random_seed}; another writes others."
    )


# -------------------------------------------------------------------- models


def model_card(
    folder: RunFolder, place: int | str, summary: Mapping[str, Any], split: str, kind: str
) -> str:
    """The card of an exported model; `kind` is "adapter", "merged" or "full weights"."""
    config = run_config(folder)
    name = f"{folder.run_id}, {place_name(place)}"
    parts = [
        model_header(folder, config, place, summary, split, kind),
        f"# {name}",
        f"{span(config.model.path)}, trained by {METHODS[config.method].name} on "
        f"{summary['seed_count']} seeds: {place_name(place)} of the run {span(folder.run_id)} "
        f"({kind}).",
        "## Method",
        method_line(config),
        "## Training",
        training_lines(config),
        "## Results",
        results_lines(config, summary, split),
        "## Limits",
        model_limits(config),
        "## Intended use",
        "Research on alignment from few examples. Not for decisions about people, and not for use "
        "without a review of its answers in the place where it is to be used.",
        "## Licence and terms",
        terms_list(config),
        "## How to load it",
        loading(config, kind),
    ]
    return "\n\n".join(parts) + "\n"


def model_header(
    folder: RunFolder,
    config: RunConfig,
    place: int | str,
    summary: Mapping[str, Any],
    split: str,
    kind: str,
) -> str:
    """The YAML header with the measured metrics of this model."""
    from huggingface_hub import EvalResult, ModelCardData

    row = model_row(summary, place)
    found = {name: row[name] for name in ("harmful_rate", "over_refusal") if name in row}
    results = [
        EvalResult(
            task_type="text-generation",
            dataset_type=eval_sets(config),
            dataset_name=eval_sets(config),
            dataset_split=split,
            metric_type=metric,
            metric_name=f"{metric_name(metric)}, 95 % {between(value)}, n = {value['n']}",
            metric_value=round(value["value"], 4),
        )
        for metric, value in (found | row.get("metrics", {})).items()
    ]
    base = terms(config.model.path)
    data = ModelCardData(
        model_name=f"{folder.run_id} {place_name(place)}",
        base_model=config.model.path,
        license=base.licence.partition(" ")[0] if base.licence != UNKNOWN else UNKNOWN,
        library_name="peft" if kind == "adapter" else "transformers",
        pipeline_tag="text-generation",
        tags=["self-alignment", "isara-studio", config.method],
        eval_results=results or None,
    )
    return f"---\n{data.to_yaml()}\n---"


def model_row(summary: Mapping[str, Any], place: int | str) -> dict[str, Any]:
    """A model's row of a summary; {} where it was not measured."""
    if isinstance(place, str):
        return dict(summary["baselines"].get(place, {}))
    return next((dict(row) for row in summary["iterations"] if row["k"] == place), {})


def training_lines(config: RunConfig) -> str:
    """The settings of training."""
    return settings(config.training.model_dump() | {"random_seed": config.random_seed})


def results_lines(config: RunConfig, summary: Mapping[str, Any], split: str) -> str:
    """All models of the run, so that this one can be compared; then the paired tests."""
    if not any("harmful_rate" in row or row.get("metrics") for row in summary["iterations"]):
        return "Nothing was measured: the run names no eval set."
    whole = dict(summary)
    found = rates(whole, place_name)
    parts = [
        f"On the {split} split, with 95 % intervals. Harmful rates go from 0 to 1: less is better.",
        measured_by(config, next(filter(has_rates, summary["iterations"]), {}), split, span),
        grid(("model", *found.headers[1:]), [map_cells(row) for row in found.rows]),
    ]
    more = metrics(whole, place_name)
    if more.rows:
        parts.append(grid(("model", *more.headers[1:]), [map_cells(row) for row in more.rows]))
    tests = comparisons(whole, "{b} against {a}", place_name)
    if tests.rows:
        parts.append("Paired tests of the last model, p corrected over the table (Holm):")
        parts.append(grid(tests.headers, [map_cells(row) for row in tests.rows]))
    return "\n\n".join(part for part in parts if part)


def has_rates(row: Mapping[str, Any]) -> bool:
    """Whether a model's answers were judged."""
    return "harmful_rate" in row or "over_refusal" in row


def map_cells(row: Sequence[str]) -> list[str]:
    """Cells for a table; those that Markdown could read as more than text are code spans."""
    return [cell if re.fullmatch(r"[\w .,:+/()%-]*", cell) else span(cell) for cell in row]


def model_limits(config: RunConfig) -> str:
    """What the figures do not say."""
    judge = span(config.evaluation.judge) if config.evaluation.judge else "no judge"
    return (
        f"- The harmful rate is what an automatic judge says ({judge}): a low one is no proof of "
        "safety.\n"
        "- The prompts are those of one eval set; other prompts, languages and longer talks were "
        "not measured.\n"
        f"- One run with random seed {config.random_seed}: another seed gives another model.\n"
        "- The model keeps the faults of the one it was trained from."
    )


def loading(config: RunConfig, kind: str) -> str:
    """Code that loads the folder."""
    if kind != "adapter":
        return (
            "```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
            'model = AutoModelForCausalLM.from_pretrained(".")\n'
            'tokenizer = AutoTokenizer.from_pretrained(".")\n```\n\n'
            "It is asked as it was trained: `Question: …`, a new line, `Answer:`."
        )
    return (
        f"It needs its base model, {span(config.model.path)}.\n\n"
        "```python\nfrom peft import AutoPeftModelForCausalLM\n\n"
        'model = AutoPeftModelForCausalLM.from_pretrained(".")\n```\n\n'
        "Where the base model lies in another folder here, write that into `adapter_config.json` "
        "(`base_model_name_or_path`), or export with `--merge`."
    )

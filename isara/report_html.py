"""One self-contained HTML file about one or several runs, for people who read it offline.

    facts = [run_facts(folder, "test", looks=2)]         # report_html_facts.py
    write_report(facts, Path("report.html"))
    page = report_html(facts)                            # the same as a text

No script, no request to anywhere: a Content-Security-Policy forbids both, whatever a text holds.
Every text is escaped by the template (report_html.jinja); styles are in report_html.css, pictures
in report_html_figures.py, sentences in report_html_words.py.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isara.config_files import differences
from isara.errors import InputError
from isara.evaluation.measure import SPLITS
from isara.places import place_name
from isara.report_html_facts import (
    RunFacts,
    categories,
    cost_table,
    evaluation,
    readable,
    run_facts,
    samples,
    seed_categories,
    seed_examples,
    this_environment,
)
from isara.report_html_figures import Point, Series, curve, loop_picture
from isara.report_html_words import (
    again,
    boxes,
    limits,
    people_sentences,
    question,
)
from isara.report_table import Grid, comparisons, domains, kept, metrics, rates
from isara.report_words import (
    METHODS,
    branch_sentence,
    clause,
    end_sentence,
    harm_comparisons,
    measured_by,
    metric_name,
    p_value,
    percent,
    plain_sentence,
    seed_sources,
    tested_how,
)

if TYPE_CHECKING:
    from isara.workspace.runs import RunFolder, Workspace

HERE = Path(__file__).parent
MOST_RUNS = 8  # that colours and shapes can tell apart
SHARES = ("harmful_rate", "over_refusal", "reward_win_rate")
NEGATIVE = re.compile(r"-(?=\d+\.)")  # a hyphen that is a minus
HEADERS = {  # of the terminal's tables, in the words of the report
    "": "model",
    "kept / N": "kept of written",
    "scaling": "scaling ratio",
    "harmful": "harmful rate",
    "by": "measured by",
    "compared": "models",
}


def gather(workspace: Workspace, run_ids: Sequence[str], split: str) -> list[RunFacts]:
    """Read runs for a report; a look at a test split is counted, once for each run.

    Raises InputError for an unknown run or split, and for more runs than a picture can tell apart;
    IsaraError for a damaged file.
    """
    if split not in SPLITS:
        raise InputError(f"There is no split {split!r}; found {' and '.join(SPLITS)}: choose one.")
    wanted = list(dict.fromkeys(run_ids))
    if not 0 < len(wanted) <= MOST_RUNS:
        raise InputError(
            f"A report is about 1 to {MOST_RUNS} runs, found {len(wanted)}; choose some of them."
        )
    folders = [workspace.existing_run(run_id) for run_id in wanted]
    found = [read(workspace, folder, split) for folder in folders]
    for facts in found:
        with readable(facts.run_id):  # what is damaged shows here: it was no look
            chapter(facts)
    for facts in found if split == "test" else ():
        workspace.database.count_test_look(facts.run_id)
    return found


def read(workspace: Workspace, folder: RunFolder, split: str) -> RunFacts:
    """A run with what the database knows of it: looks, labels and notes."""
    database = workspace.database
    looks = database.test_looks(folder.run_id) + (split == "test")
    notes = [
        f"{place_name(note.iteration)}: {note.text}" + (f" ({note.author})" if note.author else "")
        for note in database.notes(folder.run_id)
    ]
    return run_facts(folder, split, looks=looks, people=people(workspace, folder), notes=notes)


def people(workspace: Workspace, folder: RunFolder) -> list[str]:
    """What people's labels say of the judge, for the last model that has some."""
    from isara.examples import Example

    for k in reversed(folder.measured_iterations()):
        table = evaluation(folder, k)
        answers = {
            row["prompt_id"]: Example(row["question"], row["answer"]).id
            for row in table[["prompt_id", "question", "answer"]].to_dict("records")
        }
        place = "base" if k == 0 else f"iteration {k}"
        if labels := workspace.database.labels(folder.run_id, place, answers):
            blind = workspace.database.blind_labels(folder.run_id, place, answers)
            return people_sentences(k, table, labels, blind)
    return []


# -------------------------------------------------------------------- the page


def report_html(runs: Sequence[RunFacts], asked: str | None = None) -> str:
    """The report as a text of HTML; `asked` takes the place of the question in its words."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent}
    style = (HERE / "report_html.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = environment.get_template("report_html.jinja").render(
        style=style,
        style_hash=f"sha256-{digest}",
        runs=[chapter(facts) for facts in runs],
        several=len(runs) > 1,
        split=runs[0].split,
        questions=[asked] if asked else list(dict.fromkeys(question(facts) for facts in runs)),
        pictures=pictures(runs),
        differing=differing(runs),
        here=this_environment(),
        written=f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC",
    )
    return page


def write_report(runs: Sequence[RunFacts], out: Path, asked: str | None = None) -> None:
    """Write the report to a file, whole or not at all; InputError where that cannot be done."""
    from isara.workspace.files import write_text

    if out.is_dir():
        raise InputError(f"{out} is a folder, expected the name of a file such as report.html.")
    try:
        write_text(out, report_html(runs, asked))
    except OSError as error:
        raise InputError(
            f"{out} cannot be written ({error.strerror or error}); choose a place that you may "
            "write to."
        ) from None


def chapter(facts: RunFacts) -> dict[str, Any]:
    """What the template says of one run."""
    summary = facts.summary
    return {
        "facts": facts,
        "run_id": facts.run_id,
        "state": summary["state"],
        "ended": end_sentence(summary),
        "plainly": plain_sentence(facts.base, facts.final, place_name(facts.last or 0)),
        "compared": compared(facts),
        "tiles": tiles(facts),
        "method": METHODS[facts.config.method],
        "picture": loop_picture(
            boxes(facts), again(facts), f"The steps of {METHODS[facts.config.method].name}"
        ),
        "seed_categories": seed_categories(facts.seeds),
        "seed_examples": seed_examples(facts.seeds),
        "rates": worded(rates(summary, place_name)),
        "metrics": worded(metrics(summary, place_name), metric_column=1),
        "comparisons": worded(comparisons(summary, "{b} against {a}", place_name), metric_column=1),
        "measured": measured_by(facts.config, facts.base, facts.split),
        "domains": worded(domains(summary, place_name), metric_column=1),
        "kept": kept(summary, place_name),
        "seed_sources": "; ".join(seed_sources(facts.config)),
        "branched": branch_sentence(facts.summary["branched_from"]),
        "tests": list(dict.fromkeys(row["test"] for row in summary["comparisons"])),
        "categories": categories(summary),
        "limits": limits(facts),
        "samples": samples(facts),
        "cost": cost_table(summary),
        "command": facts.config_text.partition("\n")[0].removeprefix("# "),
    }


def compared(facts: RunFacts) -> dict[str, Any] | None:
    """The comparisons of the last model's harmful rate, a clause for each; None without any."""
    rows = harm_comparisons(facts.summary)
    if not rows:
        return None
    return {
        "model": rows[0]["b"].capitalize(),
        "clauses": [clause(facts.summary, row) for row in rows],
        "test": tested_how(rows[0], facts.split),
    }


def tiles(facts: RunFacts) -> list[tuple[str, str, str]]:
    """The figures that are read first: a name, a value, and what stands below it."""
    found = []
    for name in ("harmful_rate", "over_refusal"):
        before, after = facts.base.get(name), facts.final.get(name)
        if before is None or after is None:
            continue
        between = f"{percent(after['low'])} to {percent(after['high'])}"
        found.append(
            (
                {"harmful_rate": "harmful answers", "over_refusal": "harmless prompts refused"}[
                    name
                ],
                unbroken(f"{percent(before['value'])} → {percent(after['value'])}"),
                unbroken(
                    f"base model → {place_name(facts.last or 0)}; 95 % interval {between}, "
                    f"n = {after['n']} {facts.split} prompts"
                ),
            )
        )
    if ratio := facts.final.get("scaling_ratio"):
        trained = "pairs trained on for each seed"
        found.append((trained, f"{ratio:.1f}", f"from {facts.summary['seed_count']} seeds"))
    return found


def unbroken(text: str) -> str:
    """The text with no line break before a percent sign."""
    return text.replace(" %", "\u00a0%")


def worded(grid: Grid, metric_column: int | None = None) -> Grid:
    """A table of the terminal in the report's words."""

    def said(column: int, cell: str) -> str:
        if column == metric_column:
            return metric_name(cell)
        if grid.headers[column].startswith("p "):
            return p_value(float(cell)).removeprefix("p ").removeprefix("= ")
        return NEGATIVE.sub("−", cell)

    headers = tuple(HEADERS.get(name, name) for name in grid.headers)
    rows = [tuple(said(i, cell) for i, cell in enumerate(row)) for row in grid.rows]
    return Grid(headers, rows)


def differing(runs: Sequence[RunFacts]) -> list[tuple[str, list[str]]]:
    """How each later run's settings differ from the first one's."""
    first = runs[0]
    return [(facts.run_id, differences(first.config, facts.config)) for facts in runs[1:]]


# -------------------------------------------------------------------- pictures


def pictures(runs: Sequence[RunFacts]) -> list[tuple[str, Any]]:
    """A curve for each metric that any run has, the harmful rate first, then the scaling ratio."""
    found: list[tuple[str, Any]] = []
    names = ["harmful_rate", "scaling_ratio", "over_refusal"]
    for facts in runs:
        for row in rows_of(facts).values():
            names += row.get("metrics", {})
            names += [name for name in ("log_prob_gap_base",) if name in row]
    for name in dict.fromkeys(names):
        lines = [line for facts in runs if (line := series(facts, name)).points]
        flat = all(point.value == 0 for line in lines for point in line.points.values())
        if name == "scaling_ratio" and flat:  # methods that add no pairs
            continue
        if any(len(line.points) > 1 for line in lines):
            title = metric_name(name)
            share = name in SHARES
            drawn = curve(lines, title, *writers(share), share=share)
            found.append((title[0].upper() + title[1:], drawn))
    return found


def writers(share: bool) -> tuple[Callable[[float], str], Callable[[float], str]]:
    """What writes a value, and what writes one of the axis."""
    if share:
        return percent, lambda value: f"{100 * value:.3g} %"
    return (lambda value: f"{value:.3g}".replace("-", "−"),) * 2


def rows_of(facts: RunFacts) -> dict[int | str, dict[str, Any]]:
    """The rows of a summary by iteration and by baseline."""
    own: dict[int | str, dict[str, Any]] = {row["k"]: row for row in facts.summary["iterations"]}
    own |= facts.summary["baselines"]
    return own


def series(facts: RunFacts, name: str) -> Series:
    """A metric of all models of a run."""
    points: dict[int, Point] = {}
    others: dict[str, Point] = {}
    for place, row in rows_of(facts).items():
        point = measured(row, name)
        if point is None:
            continue
        if isinstance(place, str):
            others[place_name(place)] = point
        else:
            points[place] = point
    return Series(facts.run_id, points, others)


def measured(row: Mapping[str, Any], name: str) -> Point | None:
    """A metric of a model with its interval."""
    if name == "scaling_ratio":
        ratio = row.get(name)
        counts = ratio is not None and (row.get("trained") or row.get("k") == 0)
        return Point(float(row[name])) if counts else None
    found = row.get(name) or row.get("metrics", {}).get(name)
    return None if found is None else Point(found["value"], found["low"], found["high"])

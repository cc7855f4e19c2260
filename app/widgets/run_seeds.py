"""The seed set of a new run: one that was saved, a file, or several of them by domain.

    values = choose_seeds(start, widget, prefix, files)     # settings by their dotted places

One seed set gives `seeds.path` or `seeds.name`. Several give `seeds.mixture`, an eval set for each
domain (`evaluation.prompts`) and how examples are drawn (`loop.draw`). `widget` draws a setting's
own widget, `files` lists the app's files for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import state
from app.widgets.plain import number_of, plain
from isara.config import PROJECT_ROOT, RunConfig

SAVED, FILE, SEVERAL = "Saved", "File", "Several"
ONE = {"seeds.path": None, "seeds.name": None, "seeds.version": None, "seeds.mixture": None}
HELP = (
    "The small list of questions with good answers from which everything grows: one that was "
    "saved on the Seed page, or a file (JSONL, JSON, CSV, TSV, Parquet). Several: a seed set for "
    "each domain, such as safety and facts; the run learns from all of them together."
)
SETS_HELP = "Choose two or more, or type the path of a file. All their rows together are the seeds."
DOMAIN_HELP = "A plain word for what these rows are about. Results are told for each domain too."
LIMIT_HELP = "Use this many rows from the beginning; empty uses all of them."
EVAL_HELP = "The questions that this domain is measured on. None: the results do not show it."

Source = dict[str, Any]  # path, or name and version; mapping, limit


def choose_seeds(
    start: RunConfig,
    widget: Callable[[str], Any],
    prefix: str,
    files: Callable[[str], list[str] | None],
) -> dict[str, Any]:
    """Where the seeds come from, filled from a config."""
    infos = state.workspace().database.seed_sets()
    saved: dict[tuple[str | None, int | None], str]
    saved = {(info.name, info.version): number_of(info.size, "row") for info in infos}
    names = list(dict.fromkeys(info.name for info in infos))
    sources = {_label(source): source for source in ({"name": name} for name in names)}
    sources |= {path: {"path": path} for path in files("seeds.path") or []}
    mixed = start.seeds.mixture is not None
    ways = [SAVED, FILE, *([SEVERAL] if mixed or len(sources) > 1 else [])]
    left, right = st.columns([2, 3])  # a third of a tablet would cut the choice
    way = left.segmented_control(
        "Seed set (D0)",
        ways,
        default=SEVERAL if mixed else FILE if start.seeds.path else SAVED,
        required=True,
        key=f"{prefix}:seeds",
        persist_state="session",
        help=HELP,
    )
    if way == SEVERAL:
        evals = files("evaluation.prompts") or []
        return several(start, widget, prefix, sources, evals, right)
    with right:
        own = {"loop.draw": "pool"}  # one seed set has no domains to draw by
        if way == FILE:
            return ONE | own | {"seeds.path": widget("seeds.path")}
        return ONE | own | choose_saved(start, saved, prefix)


def choose_saved(
    start: RunConfig, saved: dict[tuple[str | None, int | None], str], prefix: str
) -> dict[str, Any]:
    """A saved seed set with its version."""
    given = (start.seeds.name, start.seeds.version)
    if start.seeds.name is not None and given not in saved:
        versions = [version for name, version in saved if name == start.seeds.name]
        there = "the newest version" if given[1] is None and versions else "not in this workspace"
        saved = {given: there, **saved}
    if not saved:
        st.info("No seed set has been saved yet.")
        st.page_link(str(PROJECT_ROOT / "pages" / "seed.py"), label="Save one on the Seed page")
        return {}
    options = list(saved)
    name, version = st.selectbox(
        "Saved seed set and version",
        options,
        options.index(given) if given in saved else 0,
        format_func=lambda pair: f"{pair[0]}, version {pair[1] or 'newest'} ({saved[pair]})",
        key=f"{prefix}:saved",
        persist_state="session",
        help="Every time a seed set is saved it becomes a new version; old ones stay as they "
        "are, so a run can always be repeated.",
    )
    return {"seeds.name": name, "seeds.version": version}


# -------------------------------------------------------------------- several


def several(
    start: RunConfig,
    widget: Callable[[str], Any],
    prefix: str,
    sources: dict[str, Source],
    evals: list[str],
    place: DeltaGenerator,
) -> dict[str, Any]:
    """Two or more seed sets, chosen at `place`, each with its domain, its rows and its eval set."""
    domains, given = given_sources(start)
    options = given | {label: one for label, one in sources.items() if label not in given}
    chosen = place.multiselect(
        "Seed sets, one for each domain",
        list(options),
        list(given),
        key=f"{prefix}:mixture",
        persist_state="session",
        help=SETS_HELP,
        accept_new_options=True,
    )
    # One eval set for all domains, as the config has it: it stays in its own box.
    together = start.seeds.mixture is not None and isinstance(start.evaluation.prompts, str)
    mixture: dict[str, Source] = {}
    prompts: dict[str, str] = {}
    for label in chosen:
        heading = st.container()
        source = options.get(label, {"path": label})
        domain, limit, asked = _part(
            label,
            domains.get(label) or suggested(label),
            source.get("limit"),
            None if together else (evals, eval_of(start, domains, label, evals)),
            f"{prefix}:{label}",
        )
        words = plain(label)
        if domain in mixture:
            words += f" · Two seed sets are called {plain(domain)}: give each a domain of its own."
            domain = f"{domain} (twice)"  # no domain's name: the run cannot be started
        heading.caption(words)  # one line with the fault: Start below stays where it is
        mixture[domain] = source | {"limit": limit}
        if asked is not None:
            prompts[domain] = asked
    values: dict[str, Any] = ONE | {"seeds.mapping": {}, "seeds.limit": None}
    values["seeds.mixture"] = mixture
    if (draws := widget("loop.draw")) is not None:
        values["loop.draw"] = draws
    return values if together else values | {"evaluation.prompts": prompts or None}


def given_sources(start: RunConfig) -> tuple[dict[str, str], dict[str, Source]]:
    """By label: the domains and the sources of a config; its only seed set has no domain yet."""
    seeds = start.model_dump(exclude_defaults=True)["seeds"]
    parts: dict[str, Source] = seeds.get("mixture") or {"": seeds}
    domains: dict[str, str] = {}
    given: dict[str, Source] = {}
    for domain, source in parts.items():
        label = _label(source)
        label = label if label not in given else f"{label} ({domain})"
        domains[label], given[label] = domain, source
    return domains, given


def eval_of(start: RunConfig, domains: dict[str, str], label: str, evals: list[str]) -> str | None:
    """The eval set that a seed set begins with: the config's, else the app's file of that name."""
    prompts = start.evaluation.prompts
    if isinstance(prompts, dict) and label in domains:
        return prompts.get(domains[label])
    if isinstance(prompts, str) and label in domains:
        return prompts
    return next((path for path in evals if Path(path).name == Path(label).name), None)


def suggested(label: str) -> str:
    """A domain's name from that of a seed set: "data/seeds/demo-safety.jsonl" is demo-safety."""
    stem = label.removeprefix("saved: ").split(", version")[0]
    words = re.findall(r"[A-Za-z0-9]+", Path(stem).stem if "/" in stem or "." in stem else stem)
    name = "-".join(words).lower()
    return (name if name[:1].isalpha() else f"d-{name}")[:30].strip("-")


def _label(source: Source) -> str:
    if path := source.get("path"):
        return str(path)
    version = f", version {source['version']}" if source.get("version") else ""
    return f"saved: {source['name']}{version}"


def _part(
    label: str, domain: str, limit: int | None, evals: tuple[list[str], str | None] | None, key: str
) -> tuple[str, int | None, str | None]:
    """The widgets of one seed set: its domain, how many rows, its eval set."""
    left, middle, right = st.columns([2, 2, 4])
    name = left.text_input(
        "Domain", domain, key=f"{key}:domain", persist_state="session", help=DOMAIN_HELP
    )
    rows = middle.number_input(
        "First rows only",
        value=limit,
        step=1,
        key=f"{key}:limit",
        persist_state="session",
        help=LIMIT_HELP,
        placeholder="all",
    )
    if evals is None:
        return name.strip(), rows, None
    options, asked = evals
    options = list(dict.fromkeys([*([asked] if asked else []), *options]))
    chosen = right.selectbox(
        "Eval set of this domain",
        options,
        0 if asked else None,
        key=f"{key}:eval",
        persist_state="session",
        help=EVAL_HELP,
        placeholder="None: choose one, or type a path",
        accept_new_options=True,
    )
    return name.strip(), rows, chosen

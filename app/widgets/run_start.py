"""The last step before a run: its id and the Start button, its problems or its command.

start_section(config, problems)

Starting checks the seed set and the eval set first (no model is loaded), then puts the run into the
supervisor's queue. The same config under the same id goes on where it stopped.

A page that is drawn anew before it has reached its button forgets that it was pressed, and a
setting that comes in right after Start draws it anew. So a press is kept until the form is whole:
the run has the settings that the form shows by then. Nor do the buttons wait for settings that can
be started: the last one may come with the click. What is wrong is said after it.
"""

from __future__ import annotations

import shlex
import time
from typing import NamedTuple

import streamlit as st

from app import state
from app.widgets.plain import plain
from app.widgets.run_draft import started
from app.widgets.run_form import show_problems
from app.widgets.run_measure import show_measuring
from app.widgets.samples_picker import choose_next
from isara.config import RunConfig
from isara.config_files import differences, to_yaml
from isara.errors import IsaraError
from isara.methods.inputs import Files, eval_files, load_prompts, power_notes
from isara.methods.reviewing import waiting_iteration
from isara.models import location
from isara.report import run_config
from isara.workspace.runs import RunFolder

ACTIVE = ("queued", "running")
DEMO = "data/demo/"  # folders that `demo build` makes
PRESSED = "run_pressed"  # in the session: when Start was pressed, and whether afresh
MEANT_SECONDS = 30  # who left the page meanwhile, and comes back later, starts nothing


def start_section(config: RunConfig | None, problems: list[str]) -> None:
    """Start, with the run's id beside it; below them its problems as one list, or its command and
    YAML.

    What comes and goes with a setting is below the buttons: the last setting may come with the
    click, and they would move while they are pressed.
    """
    left, right = st.columns([1, 2])
    buttons = left.container(horizontal=True)
    if config is None:
        st.session_state.pop(PRESSED, None)
        with buttons:
            start_button("Start")
        with right:
            st.text("Run id: none yet")
            st.caption("The settings cannot be used yet.")
        show_problems(problems, "Mend these settings:")
        return
    folder = state.workspace().run(config.default_run_id)
    plan = planned(folder, config)
    missing = missing_models(config)
    fresh = fresh_id(folder.run_id) if plan.exists else None
    with buttons:
        start_buttons(plan, fresh)
    with right:
        st.text(f"Run id: {folder.run_id}")
        st.caption(plan.note)
    afresh = pressed()
    if afresh is not None and (words := why_not(plan, missing, afresh=afresh)):
        st.error(words, icon=":material/error:")
    elif afresh is not None:
        start(config, fresh if afresh and fresh else folder.run_id)
    show_measuring(config, able=not missing)
    if missing:
        st.info("\n".join(f"- {text}" for text in missing), icon=":material/info:")
    for note in eval_notes(config):
        st.caption(note)
    show_command(config, plan.exists)


def start_buttons(plan: Plan, fresh: str | None) -> None:
    """Start or Go on, and Start afresh beside a run that is there."""
    start_button("Go on" if plan.exists else "Start")
    if fresh is not None:
        text = f"A new run with the same settings beside this one: {fresh}."
        st.button("Start afresh", help=text, key="run_afresh", on_click=press, args=(True,))


def start_button(label: str) -> None:
    """Start, or Go on."""
    st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        key="run_start_button",
        on_click=press,
        args=(False,),
    )


def why_not(plan: Plan, missing: list[str], *, afresh: bool) -> str:
    """Why the press starts nothing, "" where it does; a run under way is shown."""
    if missing:
        return "Not started, because a model is missing: build it, or choose another one."
    if plan.blocked and not plan.active and not afresh:
        return f"Not started. {plan.note}"
    return ""


def press(afresh: bool) -> None:
    """Keep that Start, or Start afresh, was pressed."""
    st.session_state[PRESSED] = (time.monotonic(), afresh)


def pressed() -> bool | None:
    """Whether what was pressed is Start afresh; None where nothing was, or too long ago."""
    when, afresh = st.session_state.pop(PRESSED, None) or (None, False)
    if when is None or time.monotonic() - when > MEANT_SECONDS:
        return None
    return bool(afresh)


def eval_notes(config: RunConfig) -> list[str]:
    """What the eval set can tell; nothing where it cannot be read, which Start says."""
    files = config.evaluation.prompts
    try:
        return notes_of(files, [path.stat().st_mtime_ns for path in eval_files(files)])
    except (IsaraError, OSError):
        return []


@st.cache_data(max_entries=20, show_spinner=False)
def notes_of(files: Files, changed: list[int]) -> list[str]:
    """The sentences for one eval set; a change of its files makes a new entry."""
    return [plain(note) for note in power_notes(load_prompts(files))]


def missing_models(config: RunConfig) -> list[str]:
    """A sentence for each model folder that is not there; names on the hub are not looked up."""
    evaluation = config.evaluation
    names = [config.model.path, config.embedder, evaluation.judge, evaluation.reward]
    names.append(evaluation.refusal_judge)
    names.append(evaluation.preference.path if evaluation.preference else None)
    found = []
    for name in filter(None, names):
        try:
            location(name)
        except IsaraError as error:
            build = " `python -m isara demo build` makes it." if name.startswith(DEMO) else ""
            found.append(f"{plain(error)}{build}")
    return found


class Plan(NamedTuple):
    """What Start would do: whether the run exists, whether it cannot be started, a sentence, and
    whether it is under way already."""

    exists: bool
    blocked: bool
    note: str
    active: bool = False


def planned(folder: RunFolder, config: RunConfig) -> Plan:
    """What starting this config under its own id means in this workspace."""
    if not folder.exists:
        return Plan(False, False, "The id is the name with the first letters of the config's hash.")
    try:
        same = not differences(run_config(folder), config)
    except IsaraError:
        same = False
    if not same:
        return Plan(False, True, "This id has another config already: choose another name.")
    now = folder.state().state
    if now in ACTIVE:
        return Plan(True, True, f"This run is {now} already; see below.", active=True)
    if now == "done":
        return Plan(True, True, "This run is done; change a setting, or start it afresh.")
    if waiting_iteration(folder) is not None:
        return Plan(True, True, "This run waits for people's review; see below.")
    return Plan(True, False, "This run exists with the same settings: it goes on where it stopped.")


def fresh_id(run_id: str) -> str:
    """The first free id of run-2, run-3, … (the command line's --new)."""
    number = 2
    while state.workspace().run(f"{run_id}-{number}").exists:
        number += 1
    return f"{run_id}-{number}"


def start(config: RunConfig, run_id: str) -> None:
    """Check the inputs, queue the run, and show it below; what is wrong is said instead."""
    from isara.methods.runner import prepare

    workspace = state.workspace()
    try:
        prepare(config, workspace)
        if planned(workspace.run(run_id), config).active:
            pass  # another tab was faster: it is shown
        elif workspace.run(run_id).exists:
            state.supervisor().resume(run_id)
        else:
            state.supervisor().submit(to_yaml(config), run_id)
    except IsaraError as error:
        show_problems(str(error).splitlines(), "The run was not started:")
        return
    started()
    choose_next("run", run_id)
    st.session_state["run_setup_open"] = False
    st.rerun()


def show_command(config: RunConfig, exists: bool) -> None:
    """The command for the same run, and its file to look at and to download."""
    name = f"{config.name}.yaml"
    text = to_yaml(config)
    st.caption("The same run from a terminal, with the file below:")
    st.code(command(name), language="bash", wrap_lines=True)
    if exists:
        st.caption("It goes on with the run that is there; `--new` starts it afresh.")
    with st.expander(f"{name} (only what differs from the defaults)"):
        st.code(text, language="yaml")
        st.download_button(
            "Download the file",
            text,
            file_name=name,
            mime="application/yaml",
            on_click="ignore",
            icon=":material/download:",
        )


def command(file: str) -> str:
    """The command line of a config file, with the workspace where it is not the default."""
    return f"python -m isara run {shlex.quote(file)}{state.workspace().option}"

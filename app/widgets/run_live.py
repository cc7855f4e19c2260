"""The chosen run as it is now: state, stage, ETA, charts, log, models on disk; pause, stop, resume.

    run_id = choose_run()
    if run_id: follow(run_id)

All of it is read from the run's folder, so a reload, a second tab or a restarted app shows the
same. While the run is active the view redraws itself; the work itself never depends on that.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st

from app import state
from app.widgets.lineage import show_lineage
from app.widgets.plain import plain, sentences
from app.widgets.run_charts import show_charts
from app.widgets.run_log import show_log
from app.widgets.run_start import ACTIVE
from app.widgets.samples_picker import choose
from isara.answering import is_trained
from isara.config import PROJECT_ROOT
from isara.errors import IsaraError
from isara.jobs import watch
from isara.methods.reviewing import WAITING, waiting_iteration
from isara.models import folder_size
from isara.places import stage_name
from isara.progress_bar import duration
from isara.workspace.runs import WORKER_DIED, Progress, RunFolder
from isara.workspace.series import Follower

REFRESH_SECONDS = 2
MEGABYTE = 1_000_000
STATES = {
    "queued": ("queued", "orange", ":material/hourglass_top:"),
    "running": ("running", "blue", ":material/sync:"),
    WAITING: (WAITING, "violet", ":material/rate_review:"),
    "stopped": ("stopped", "gray", ":material/pause_circle:"),
    "done": ("done", "green", ":material/check_circle:"),
    "failed": ("failed", "red", ":material/error:"),
}


def choose_run() -> str | None:
    """The run to follow, by default one that is active, else the newest; None without any."""
    ids = state.run_ids()
    if not ids:
        st.info("No run yet: set one up above and press Start.", icon=":material/info:")
        return None
    active = set(state.supervisor().active())
    chosen: str = choose("Run to follow", "run", sorted(ids, key=lambda run: run not in active))
    return chosen


def follow(run_id: str) -> None:
    """The live view of a run; it redraws itself while the run is active."""
    active = state.run_folder(run_id).state().state in ACTIVE
    every = REFRESH_SECONDS if active else None
    st.fragment(live, run_every=every)(run_id, active)


def live(run_id: str, refreshed: bool) -> None:
    """One look at a run's folder, drawn."""
    with sentences():
        show_run(state.run_folder(run_id), refreshed)


def show_run(folder: RunFolder, refreshed: bool) -> None:
    """Everything about a run, from its folder."""
    seen = watch(folder)
    if refreshed and seen["state"] not in ACTIVE:
        st.rerun()  # the whole page: it stops redrawing itself
    show_state(folder, seen)
    show_lineage(folder)
    if seen["progress"] and seen["state"] != "done":
        show_progress(seen["progress"], seen)
    events = follower(str(folder.path)).read()
    show_charts(events)
    died = seen["state"] == "stopped" and seen["stop_reason"] == WORKER_DIED
    show_log(folder, events, is_open=died or seen["state"] == "failed")
    show_models(folder)


@st.cache_resource(max_entries=20, show_spinner=False)
def follower(path: str) -> Follower:
    """What was read of a run's events, shared by all who look at it."""
    return Follower(RunFolder(Path(path)))


# -------------------------------------------------------------------- state


def show_state(folder: RunFolder, seen: dict[str, Any]) -> None:
    """The state in words, its reason, and what can be done about it."""
    word, colour, icon = STATES[seen["state"]]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(word, color=colour, icon=icon)  # type: ignore[arg-type]
        st.text(sentence(folder, seen), width="stretch")
        buttons(folder, seen["state"])
    if seen["error"]:
        st.error("The run failed; this is what was wrong. Mend it and resume: it goes on.")
        st.code(seen["error"], language=None, wrap_lines=True)


def sentence(folder: RunFolder, seen: dict[str, Any]) -> str:
    """What the run is doing, or why it is not."""
    progress: Progress | None = seen["progress"]
    if seen["state"] == "running":
        if folder.stop_requested():
            return "Stopping after the block that it is at; what is done is kept."
        if folder.pause_requested():
            return f"{doing(progress)}; it pauses after this stage." if progress else "Pausing."
        if progress is None or not seen["fresh"]:
            return "Starting: the models are being loaded."
        return f"{doing(progress)}."
    if seen["state"] == "queued":
        queue = state.supervisor().queue()
        place = queue.index(folder.run_id) + 1 if folder.run_id in queue else 1
        return f"Number {place} in the queue; it starts by itself."
    if seen["state"] == "done":
        return seen["stop_reason"] or "All iterations were trained."
    if seen["state"] == WAITING:
        return waiting_words(waiting_iteration(folder))
    return f"{seen['stop_reason'] or 'Not finished'}. What is done is kept."


def waiting_words(k: int | None) -> str:
    """What a run that waits for its review wants, and how it goes on; `k` is None once a person
    said that the review is done."""
    if k is None:
        return "The review is done: Resume goes on with the training."
    return (
        f"People decide on the pairs of iteration {k}: accept, edit or reject them. "
        'Then "Review done: go on" on that page starts the training.'
    )


def doing(progress: Progress) -> str:
    """The stage in words."""
    place = f"Iteration {progress['iteration']}" if progress["iteration"] else "Base and baselines"
    return f"{place}: {stage_name(progress['stage'])}"


def pause_button(folder: RunFolder) -> None:
    """Pause after this stage, or think better of it."""
    asked = folder.pause_requested()
    label = "Do not pause" if asked else "Pause after this stage"
    text = (
        "Goes on with the next stage after all."
        if asked
        else "Ends when the stage that it is at is whole; the next run in the queue has the device "
        "meanwhile. Resume goes on with the next stage."
    )
    if st.button(label, help=text, icon=":material/pause:", key="run_pause"):
        act("pause", folder.run_id, wanted=not asked)


def buttons(folder: RunFolder, now: str) -> None:
    """Pause and stop, or resume, or where to review or to look when it is done."""
    if now == "running" and not folder.stop_requested():
        pause_button(folder)
    if now in ACTIVE:
        asked = now == "running" and folder.stop_requested()
        label = "Stop at once" if asked else "Stop"
        text = (
            "Ends the worker now; at most the block that it is at is lost."
            if asked
            else "Ends after the block that it is at. What is done is kept, and resuming goes on."
        )
        if st.button(label, help=text, icon=":material/stop:", key="run_stop"):
            act("stop", folder.run_id, now=asked)
    elif now == WAITING and (k := waiting_iteration(folder)) is not None:
        st.page_link(
            str(PROJECT_ROOT / "pages" / "samples.py"),
            label="Review the pairs",
            icon=":material/rate_review:",
            query_params={"mode": "Review", "run": folder.run_id, "k": str(k)},
        )
    elif now != "done" and st.button(
        "Resume", help="Goes on where it stopped.", icon=":material/play_arrow:", key="run_resume"
    ):
        act("resume", folder.run_id)
    if folder.iteration(0).is_done:
        st.page_link(
            str(PROJECT_ROOT / "pages" / "results.py"),
            label="Results",
            icon=":material/monitoring:",
            query_params={"runs": folder.run_id},
        )


def act(what: str, run_id: str, **arguments: bool) -> None:
    """Stop or resume a run and draw the page again; what is wrong is said."""
    try:
        getattr(state.supervisor(), what)(run_id, **arguments)
    except IsaraError as error:
        st.error(plain(error))
    else:
        st.rerun()


# -------------------------------------------------------------------- progress


def show_progress(progress: Progress, seen: dict[str, Any]) -> None:
    """A bar for the stage and one for the whole run with its ETA."""
    done, total = progress["done"], progress["total"]
    st.progress(share(done, total), f"This stage: {done:,} of {total:,}")
    whole = share(progress["overall_done"], progress["overall_total"])
    if seen["state"] != "running":
        rest = "not running"
    elif seen["eta_s"] is None:
        rest = "time left: not known yet, the first block is being measured"
    elif seen["eta_s"] < 1:
        rest = "it takes longer than expected, and should end any moment"
    else:
        rest = f"about {duration(seen['eta_s'])} left"
    st.progress(whole, f"Whole run: {100 * whole:.0f} %, {rest}")


def share(done: float, total: float) -> float:
    """Done of total from 0 to 1."""
    return min(1.0, max(0.0, done / total)) if total > 0 else 0.0


# -------------------------------------------------------------------- models


def show_models(folder: RunFolder) -> None:
    """The models that the run has on disk, with their sizes."""
    rows = models_on_disk(folder)
    if not rows:
        return
    total = sum(row["Size (MB)"] for row in rows)
    with st.expander(f"Models on disk: {len(rows)}, {total:,.1f} MB"):
        st.dataframe(rows, hide_index=True)
        st.caption(
            "Which iterations' models stay is the setting `loop.keep_models` (all, last, best)."
        )


def models_on_disk(folder: RunFolder) -> list[dict[str, Any]]:
    """Name, size in MB and folder of every trained model that is there."""
    places = [(f"iteration {k}", folder.iteration(k)) for k in folder.iterations()]
    baselines = sorted(folder.path.glob("baseline-*/"))
    places += [
        (path.name.replace("-", " "), folder.baseline(path.name.partition("-")[2]))
        for path in baselines
    ]
    rows = []
    for name, files in places:
        if is_trained(files):
            with suppress(OSError):  # dropped between the two looks
                size = round(folder_size(files.model) / MEGABYTE, 3)
                rows.append({"Model": name, "Size (MB)": size, "Folder": str(files.model)})
    return rows

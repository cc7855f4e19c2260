"""Apply chosen thresholds to a run as a branch: what it will do, its command, and the button.

    branch_section(data, chosen)        # on the Filters page

The branch is made at once (its folder is hard links and copies) and carried out by the supervisor,
like any run.
"""

from __future__ import annotations

import streamlit as st

from app import state
from app.widgets.filters_data import overrides
from app.widgets.plain import plain, sentences
from app.widgets.run_start import ACTIVE
from app.widgets.samples_data import Iteration
from isara.branching import Branch, make_branch, plan_branch, prepare_branch, told
from isara.config import PROJECT_ROOT, FilterConfig
from isara.errors import IsaraError

RUN_PAGE = PROJECT_ROOT / "pages" / "run.py"


def branch_section(data: Iteration, chosen: FilterConfig) -> None:
    """The thresholds as a branch of this run at this iteration."""
    st.subheader("Apply to this run as a branch")
    st.caption(
        "A branch is a run of its own that begins in the middle of this one: what iterations 1 to "
        f"{data.k} have written is reused, the verdicts and the training of iteration {data.k} and "
        "all that follows are made anew. This run stays as it is."
    )
    changes = [*overrides(chosen, data.config.filters), *_loop(data)]
    try:
        branch = plan_branch(state.workspace(), data.run_id, data.k, changes)
    except IsaraError as error:
        st.info(plain(error), icon=":material/info:")
        return
    # The button first: what follows grows with the settings, which may come with the click on it.
    _start_or_link(branch)
    st.text("\n".join(f"• {sentence}" for sentence in told(branch)))
    if not branch.changes:
        st.caption(
            "Without a change, a branch only follows what people decided on these pairs since the "
            "run was carried out."
        )
    st.code(command(branch), language="bash", wrap_lines=True)


def _loop(data: Iteration) -> list[str]:
    """The two settings of the loop that a branch often changes with the filters."""
    loop = data.config.loop
    left, right = st.columns(2)
    alpha = left.number_input(
        "Stop below this retention (α)",
        0.0,
        1.0,
        loop.alpha,
        0.05,
        key=f"branch alpha {data.run_id}",
        help="The branch stops when a smaller share of the pairs is kept.",
    )
    most = right.number_input(
        "Iterations at most",
        data.k,
        100,
        max(loop.max_iterations, data.k),
        key=f"branch iterations {data.run_id} {data.k}",
    )
    changed = [f"loop.alpha={alpha:g}"] if alpha != loop.alpha else []
    return [*changed, *([f"loop.max_iterations={most}"] if most != loop.max_iterations else [])]


def command(branch: Branch) -> str:
    """The branch's command, with the workspace where it is not the default."""
    return f"{branch.command}{state.workspace().option}"


def _start_or_link(branch: Branch) -> None:
    folder = state.workspace().run(branch.run_id)
    now = folder.state().state if folder.exists else None
    if now not in (*ACTIVE, "done") and st.button(
        "Start the branch" if now is None else "Go on with the branch",
        type="primary",
        key="start_branch",
        icon=":material/call_split:",
        help="Starts it in the background; the Run page shows how far it is.",
    ):
        with sentences():
            start(branch)
            st.rerun()
    if now is not None:
        st.text(f"The branch {branch.run_id} is there: {now}.")
        link(folder.run_id)


def start(branch: Branch) -> None:
    """Check the inputs, make the folder, put it into the queue."""
    workspace = state.workspace()
    prepare_branch(workspace, branch)
    folder = make_branch(workspace, branch)
    state.supervisor().resume(folder.run_id)


def link(run_id: str) -> None:
    """To the Run page with this run."""
    st.page_link(
        RUN_PAGE,
        label="Follow it on the Run page",
        icon=":material/play_circle:",
        query_params={"run": run_id},
    )

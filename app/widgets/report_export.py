"""Exports on the page Report: a run's pairs in five layouts, and its models.

    data_section(ids)
    model_section(ids)

Files are made when a download is asked for. Large models are left to the command line, which is
shown.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app import state
from app.widgets.plain import plain, sentences
from isara.config import resolve
from isara.errors import IsaraError
from isara.places import place_name

if TYPE_CHECKING:
    from isara.config import RunConfig
    from isara.workspace.runs import RunFolder

FORMATS = {
    "jsonl": "JSON lines",
    "parquet": "Parquet",
    "hf": "Hugging Face dataset",
    "alpaca": "Alpaca",
    "sharegpt": "ShareGPT",
}
FORMATS_HELP = (
    "JSON lines: an object on each line, which the page Seed reads too. Parquet: a compact table. "
    "Hugging Face dataset: a folder that `datasets.load_from_disk` opens. Alpaca: instruction, "
    "input, output. ShareGPT: conversations. The lineage is in all of them."
)
MOST_MIB = 500  # of a model that a browser is asked to download


def choose_one(ids: Sequence[str], key: str) -> str:
    """One of the chosen runs; asked for only where there are several."""
    if len(ids) == 1:
        return ids[0]
    chosen: str = st.selectbox("Run", list(ids), key=key)
    return chosen


def show_command(run_id: str, options: Sequence[str]) -> None:
    """The command that writes the same folder."""
    words = shlex.join(["python", "-m", "isara", "export", run_id, *options])
    st.code(words + state.workspace().option, language=None, wrap_lines=True)


def data_section(ids: Sequence[str]) -> None:
    """Pairs with their lineage, and a data card."""
    st.markdown(
        "**Data**: the seeds and the pairs that were kept, each with where it came from (which "
        "examples were shown, which model wrote it, what the rules and people decided), and a card "
        "that says how they were made and under which terms."
    )
    run_id = choose_one(ids, "export-run")
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    layout = left.selectbox(
        "Format",
        list(FORMATS),
        format_func=FORMATS.__getitem__,
        key="export-format",
        help=FORMATS_HELP,
    )
    everything = right.checkbox(
        "Also what was dropped",
        key="export-candidates",
        help="A second table of all pairs that were written, with verdicts and decisions.",
    )
    names = right.checkbox(
        "Reviewers by name",
        key="export-names",
        help="Else they are called reviewer 1, 2 and so on in the files and on the card. Names are "
        "for files that stay among yourselves.",
    )
    options = ["--to", f"{run_id}-{layout}", "--format", layout]
    options += ["--candidates"] * everything + ["--names"] * names
    show_command(run_id, options)
    st.download_button(
        "Download the data (zip)",
        partial(data_zip, run_id, layout, everything, names),
        file_name=f"{run_id}-{layout}.zip",
        mime="application/zip",
        on_click="ignore",
        icon=":material/download:",
        key="export-data",
    )


def data_zip(run_id: str, layout: str, everything: bool, names: bool = False) -> bytes:
    """The exported folder as an archive; where it cannot be made, a text that says why."""
    from isara.export import export_data, zipped

    decisions = state.workspace().database.decisions(run_id)
    folder = state.run_folder(run_id)

    def write(place: Path) -> None:
        export_data(folder, decisions, place, layout, candidates=everything, names=names)

    try:
        return zipped(write, f"{run_id}-{layout}")
    except IsaraError as error:  # there is no page to show it on: the browser waits for a file
        return because(error)


def because(error: IsaraError) -> bytes:
    """An archive that holds the reason why there is no other."""
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("WHY-THIS-IS-EMPTY.txt", f"{error}\n")
    return made.getvalue()


def model_section(ids: Sequence[str]) -> None:
    """A trained model with its card: as it is, or a LoRA adapter merged into its base."""
    from isara.export_model import there
    from isara.report import run_config

    st.markdown(
        "**Model**: the weights that a run trained (a LoRA run: its adapter), with a card of "
        "results, limits and terms."
    )
    with sentences():
        run_id = choose_one(ids, "export-model-run")
        folder = state.run_folder(run_id)
        config, places = run_config(folder), there(folder)
        if not places:
            st.info(f"{plain(run_id)} has no trained model on disk.", icon=":material/info:")
            return
        last = max((p for p in places if isinstance(p, int)), default=places[0])
        left, right = st.columns([2, 3], vertical_alignment="bottom")
        place = left.selectbox(
            "Model",
            places,
            index=places.index(last),
            format_func=place_name,
            key=f"export-model {run_id}",
        )
        merge = config.training.lora is not None and right.checkbox(
            "Merged into its base model",
            key="export-merge",
            help="Whole weights that need no adapter library; as large as the base model.",
        )
        options = ["--to", f"{run_id}-model", "--model", "--of", str(place), "--split", "dev"]
        show_command(run_id, [*options, "--merge"] if merge else options)
        size = mebibytes(folder, place, config, merge)
        if size is None:
            st.caption("How large the base model is, is not known here: use the command.")
            return
        if size > MOST_MIB:
            st.caption(f"{size:,.0f} MiB are too large for a browser: use the command.")
            return
        st.download_button(
            f"Download the model (zip, {'about ' if merge else ''}{size:,.1f} MiB before packing)",
            partial(model_zip, run_id, str(place), merge),
            file_name=f"{run_id}-{place}{'-merged' if merge else ''}.zip",
            mime="application/zip",
            on_click="ignore",
            icon=":material/download:",
            key="export-model-download",
        )


def mebibytes(folder: RunFolder, place: int | str, config: RunConfig, merge: bool) -> float | None:
    """The size of the files to take away; merged, it is the base model's: None where that is no
    folder of this machine."""
    from isara.export_model import model_folder
    from isara.models import folder_size

    source = resolve(config.model.path) if merge else model_folder(folder, place)
    return folder_size(source) / 2**20 if source.is_dir() else None


def model_zip(run_id: str, of: str, merge: bool = False) -> bytes:
    """The model's folder with its card (figures of the dev split) as an archive."""
    from isara.export import zipped
    from isara.export_model import export_model

    folder = state.run_folder(run_id)
    try:
        return zipped(
            lambda place: export_model(folder, place, of=of, merge=merge, split="dev"),
            f"{run_id}-{of}",
        )
    except IsaraError as error:
        return because(error)

"""A model of a run as a folder of its own, with a model card.

    export_model(folder, "out")                          # the last one that was trained
    export_model(folder, "out", of="2", merge=True)      # LoRA: merged into its base model

A LoRA run keeps adapters: they are copied as they are, or merged. Weights are safetensors; files
of other kinds (pickles, checkpoints) are never copied.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from isara.cards import model_card, model_row
from isara.config import RunConfig
from isara.errors import InputError
from isara.evaluation.measure import SPLITS
from isara.export import new_folder
from isara.places import place_name
from isara.report import run_config, summarise
from isara.workspace.runs import BASELINE, RunFolder

COPIED = (".safetensors", ".json", ".txt", ".model", ".jinja")


def export_model(
    folder: RunFolder,
    to: Path | str,
    *,
    of: str | None = None,
    merge: bool = False,
    split: str = "test",
    force: bool = False,
) -> dict[str, Any]:
    """Write a model (`of`: an iteration's number or a baseline's name; None: the last) to a folder.

    Raises InputError for a model that is not there, saying which are, for --merge without an
    adapter, and for a folder that must not or cannot be written.
    """
    if split not in SPLITS:
        raise InputError(f"There is no split {split!r}; found {' and '.join(SPLITS)}: choose one.")
    config = run_config(folder)
    place = chosen(folder, config, of)
    source = model_folder(folder, place)
    adapter = (source / "adapter_config.json").exists()
    if merge and not adapter:
        raise InputError(
            f"{place_name(place)} of {folder.run_id} is no LoRA adapter, its weights are whole "
            "already: leave --merge out."
        )
    kind = "merged" if merge else "adapter" if adapter else "full weights"
    summary = summarise(folder, split)
    with new_folder(to, folder, force) as target:
        if merge:
            write_merged(config, source, target)
        else:
            copy_model(source, target)
        card = model_card(folder, place, summary, split, kind)
        (target / "README.md").write_bytes(card.encode())
        shutil.copyfile(folder.config, target / "run.yaml")
        size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    row = model_row(summary, place)
    return {
        "run_id": folder.run_id,
        "model": place_name(place),
        "kind": kind,
        "measured": "harmful_rate" in row or bool(row.get("metrics")),
        "mib": size / 2**20,
        "folder": str(Path(to).resolve()),
    }


def model_folder(folder: RunFolder, place: int | str) -> Path:
    """Where a model of a run is, or was."""
    files = folder.iteration(place) if isinstance(place, int) else folder.baseline(place)
    return files.model


def there(folder: RunFolder) -> list[int | str]:
    """The models that are whole on disk, the iterations first."""
    names = sorted(p.name.removeprefix(BASELINE) for p in folder.path.glob(f"{BASELINE}*/"))
    places: list[int | str] = [*folder.iterations(), *names]
    return [place for place in places if is_whole(model_folder(folder, place))]


def is_whole(model: Path) -> bool:
    """Whether training has ended: its marker stands beside the model's weights."""
    return (model.parent / "trained.json").exists() and any(model.glob("*.safetensors"))


def chosen(folder: RunFolder, config: RunConfig, of: str | None) -> int | str:
    """The model that is asked for; InputError names those that there are."""
    have = there(folder)
    trained = [place for place in have if isinstance(place, int)]
    if of is None and trained:
        return trained[-1]
    wanted: int | str | None = int(of) if of is not None and of.isdecimal() else of
    if wanted in have and wanted is not None:
        return wanted
    names = ", ".join(str(place) for place in have) or "none"
    if wanted is None:
        raise InputError(
            f"The run {folder.run_id} has no trained iteration on disk; found {names}. Let it "
            "train one, or give --of with one of these."
        )
    if wanted == 0:
        raise InputError(
            f"Iteration 0 is the base model, {config.model.path}, which the run only reads: copy "
            f"it from there. Models of the run: {names}."
        )
    if isinstance(wanted, int) and folder.iteration(wanted).is_done:
        raise InputError(
            f"The model of iteration {wanted} of {folder.run_id} was not kept "
            f"(loop.keep_models: {config.loop.keep_models}, or the iteration was not trained); "
            f"still there: {names}. Choose one of these, or run again with keep_models: all."
        )
    raise InputError(
        f"The run {folder.run_id} has no model {wanted!r}; found {names}. Choose one of these."
    )


def copy_model(source: Path, target: Path) -> None:
    """The files of a model; a card of the library that wrote them gives way to ours."""
    for file in sorted(source.iterdir()):
        if file.is_file() and file.suffix in COPIED and file.name != "training_args.json":
            shutil.copyfile(file, target / file.name)


def write_merged(config: RunConfig, source: Path, target: Path) -> None:
    """The base model with the adapter's weights added, in the base model's number format."""
    from isara.models import load_language

    # Merging into 8- or 4-bit weights would round the adapter away.
    plain = config.model.model_copy(update={"quantisation": "none", "device": "cpu"})
    language = load_language(plain, source)
    model: Any = language.model
    merged = model.merge_and_unload()
    merged.save_pretrained(target)
    language.tokenizer.save_pretrained(target)

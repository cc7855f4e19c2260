"""What is known of a model's licence: from its own folder, never from the network.

    terms("data/demo/judge").licence          # "apache-2.0"
    terms("org/model").sentence               # what is known, or what to check

A hub name is looked up among the files that were downloaded before.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from isara.config import PROJECT_ROOT, resolve

UNKNOWN = "unknown"
DEMO = PROJECT_ROOT / "data" / "demo"
CHECK = (
    "look it up where the model comes from, and whether its terms allow training other models on "
    "what it writes, and passing that on"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """A model, its licence by the hub's identifier (or "unknown"), and where that is said."""

    model: str
    licence: str
    source: str

    @property
    def sentence(self) -> str:
        """What is known, and what to check."""
        if self.licence == UNKNOWN:
            return f"licence unknown ({self.source}); {CHECK}"
        return f"licence {self.licence} ({self.source})"


def terms(model: str) -> Terms:
    """The licence of a model, as far as its files say."""
    folder = resolve(model)
    if not folder.is_dir():
        return _named(model, _cached(model), "its files are not on this machine")
    if DEMO in (folder, *folder.resolve().parents):
        return Terms(model, "apache-2.0", "ships with ISARA Studio")
    return _named(model, folder, "no licence in the README.md and config.json of its folder")


def _named(model: str, folder: Path | None, missing: str) -> Terms:
    found: Any = None
    values: Any = None
    for name, read in (("README.md", _front_matter), ("config.json", json.loads)):
        with suppress(OSError, ValueError, yaml.YAMLError):
            values = read((folder / name).read_text(encoding="utf-8")) if folder else None
            found = values.get("license") if isinstance(values, dict) else None
        if isinstance(found, str) and found.strip():
            licence = " ".join(found.split())
            extra = values.get("license_name") if licence == "other" else None
            shown = f"{licence} ({extra})" if isinstance(extra, str) else licence
            return Terms(model, shown[:80], f"as its {name} says")
    return Terms(model, UNKNOWN, missing)


def _front_matter(text: str) -> Any:
    """The YAML header of a model card."""
    if not text.startswith("---"):
        return None
    return yaml.safe_load(text.split("\n---", 1)[0].removeprefix("---"))


def _cached(model: str) -> Path | None:
    """The folder of a hub model's downloaded card or config."""
    from huggingface_hub import try_to_load_from_cache

    for name in ("README.md", "config.json"):
        with suppress(Exception):  # no name of the hub
            if isinstance(found := try_to_load_from_cache(model, name), str):
                return Path(found).parent
    return None

"""ISARA Studio: iterative self-alignment from fewer than 100 examples.

The main names, imported when they are first used, so that `import isara` loads no torch:

    from isara import load_config, prepare, execute, Workspace
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "Example": "isara.examples",
    "IsaraError": "isara.errors",
    "RunConfig": "isara.config",
    "Workspace": "isara.workspace.runs",
    "execute": "isara.methods.runner",
    "load_config": "isara.config",
    "prepare": "isara.methods.runner",
    "read_seed_file": "isara.seed_files",
    "summarise": "isara.report",
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _PLACES:
        raise AttributeError(f"module 'isara' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)

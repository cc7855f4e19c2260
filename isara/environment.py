"""Where a run was carried out: versions of Python and packages, machine and GPUs.

    record(folder)                 # when a worker begins; environment.json keeps each that was new
    recorded(folder)               # a list, [] for a run that began before this was kept

Names of machines and users are left out: reports are given to others.
"""

from __future__ import annotations

import platform
import subprocess
import time
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from isara.workspace.files import read_json, write_json
from isara.workspace.runs import RunFolder

# Those that a run's figures can depend on.
PACKAGES = (
    "torch", "transformers", "tokenizers", "accelerate", "peft", "trl", "bitsandbytes",
    "safetensors", "sentence-transformers", "faiss-cpu", "rouge-score", "rapidfuzz", "numpy",
    "numba", "scipy", "statsmodels", "scikit-learn", "pandas", "pyarrow", "openai",
)  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent


@cache
def environment() -> dict[str, Any]:
    """This machine and this Python; looked up once for each process."""
    import psutil

    from isara import __version__

    return {
        "isara": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": processor(),
        "cores": psutil.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": gpus(),
        "packages": {name: found for name in PACKAGES if (found := installed(name)) is not None},
    }


def record(folder: RunFolder) -> None:
    """Add this environment to the run's, unless it is the one that was there last."""
    before, now = recorded(folder), environment()
    if not before or {**before[-1], "since": None} != {**now, "since": None}:
        write_json(folder.path / "environment.json", [*before, {**now, "since": time.time()}])


def recorded(folder: RunFolder) -> list[dict[str, Any]]:
    """The environments of a run's workers, oldest first; `since` in seconds since 1970."""
    found: list[dict[str, Any]] = read_json(folder.path / "environment.json", [])
    return found


def installed(name: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def commit() -> str | None:
    """The commit of a checkout, with "+" where files differ from it; None for an installed copy."""
    if not (ROOT / ".git").exists():
        return None
    said = []
    for arguments in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "-uno")):
        with suppress(OSError, subprocess.SubprocessError):
            asked = ["git", "-C", str(ROOT), *arguments]
            done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True)
            said.append(done.stdout.strip())
    if not said or not said[0]:
        return None
    return said[0] + ("+" if len(said) == 2 and said[1] else "")


def processor() -> str:
    """The processor's name; where the system does not tell, its kind."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def gpus() -> list[str]:
    """Names of the NVIDIA GPUs; [] without a driver."""
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            count = pynvml.nvmlDeviceGetCount()
            handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(count)]
            return [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no driver
        return []

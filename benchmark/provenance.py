"""By what code, packages and machine a result was made (floor 1, no torch)."""

import datetime
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmark import __version__
from benchmark.hardware import cpu_model, gpu_models
from benchmark.spec import CostSpec, TrainSpec

#: Packages whose version can move a number.
PACKAGES = ("torch", "torchvision", "numpy", "pytorchcv", "pillow", "scipy")


@cache
def code_version() -> dict[str, Any]:
    """Release, git commit, and whether the checkout had uncommitted changes; None where there is no git."""
    root = Path(__file__).resolve().parent.parent

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    changed = git("status", "--porcelain", "--untracked-files=no")
    return {
        "release": __version__,
        "commit": git("rev-parse", "HEAD"),
        "dirty": None if changed is None else bool(changed),
    }


def packages() -> dict[str, str]:
    """Versions of the packages that numbers depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def describe(device: str) -> dict[str, Any]:
    """Code, packages and machine of this process; ``device`` is ``cpu`` or ``cuda``."""
    return {
        "code": code_version(),
        "python": platform.python_version(),
        "packages": packages(),
        "platform": platform.platform(),
        "device": gpu_models()[0] if device == "cuda" and gpu_models() else cpu_model(),
        "device_kind": device,
        "driver": _driver() if device == "cuda" else None,
    }


def of_run(
    spec: TrainSpec | CostSpec, device: str, data_digest: str | None, start: datetime.datetime | None
) -> dict[str, Any]:
    """The whole provenance of a run that ends now; what is not known of a failed attempt is None."""
    ended = datetime.datetime.now(datetime.UTC)
    return {
        **describe(device),
        "data_digest": data_digest,
        "precision": spec.numerics.precision,
        "threads": spec.numerics.threads,
        "start": start.isoformat(timespec="seconds") if start else None,
        "end": ended.isoformat(timespec="seconds"),
    }


def origin(provenance: dict[str, Any]) -> dict[str, str]:
    """Device, torch version and code commit that a provenance names; ``unknown`` where it does not."""
    packages, code = provenance.get("packages"), provenance.get("code")
    named = {
        "device": provenance.get("device"),
        "torch": packages.get("torch") if isinstance(packages, dict) else None,
        "code": code.get("commit") if isinstance(code, dict) else None,
    }
    return {name: value if isinstance(value, str) else "unknown" for name, value in named.items()}


def _driver() -> str | None:
    try:
        return Path("/proc/driver/nvidia/version").read_text().splitlines()[0]
    except OSError:
        return None

"""By what code, packages and machine a result was made."""

import datetime
import platform
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from benchmark.errors import DeviceError
from benchmark.results.code import this_code
from benchmark.runs.spec import CostSpec, TrainSpec
from benchmark.system.environment import digit_variables
from benchmark.system.hardware import device_name, gpus

#: Packages whose version can move a number.
PACKAGES = ("torch", "torchvision", "numpy", "pytorchcv", "pillow", "scipy")
#: Stands behind a commit from which the code differed.
UNCOMMITTED = "+uncommitted"


def code_name() -> str | None:
    """The code of this process in one word: its commit, ``<commit>+uncommitted`` where files differed from it."""
    return _name(this_code().model_dump())


def _name(code: Any) -> str | None:
    if not isinstance(code, dict) or not isinstance(commit := code.get("commit"), str):
        return None
    return commit + UNCOMMITTED if code.get("dirty") else commit


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
        "code": this_code().model_dump(),
        "python": platform.python_version(),
        "packages": packages(),
        "platform": platform.platform(),
        "device": _device(device),
        "device_kind": device,
        "driver": gpus()[0].driver if device == "cuda" and gpus() else None,
        "environment": digit_variables(),
    }


def session(
    device: str,
    data_digest: str | None,
    start: datetime.datetime,
    graphs: str = "off",
    gpu: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One stretch of a run, from where a process took it up until now.

    Args:
        device: ``cpu`` or ``cuda``.
        data_digest: of its images.
        start: when.
        graphs: ``on`` where recorded steps were replayed, ``failed: <why>`` where they can't be recorded.
        gpu: what was noted of its GPU.
    """
    return {
        "start": start.isoformat(timespec="seconds"),
        "end": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": _device(device),
        "torch": packages().get("torch"),
        "code": code_name(),
        "data_digest": data_digest,
        "environment": digit_variables(),
        "graphs": graphs,
        **({"gpu": gpu} if gpu else {}),
    }


def sessions_before(checkpoint: dict[str, Any], data_digest: str) -> list[dict[str, Any]]:
    """The sessions that led to a checkpoint.

    Raises:
        ValueError: it was made of other images.
        KeyError: it names none.
    """
    if (made_of := checkpoint.get("data_digest")) != data_digest:
        raise ValueError(f"it was made of the images {made_of}, and these are {data_digest}")
    return list(checkpoint["sessions"])


def of_run(
    spec: TrainSpec | CostSpec,
    device: str,
    data_digest: str | None,
    start: datetime.datetime | None,
    earlier: Sequence[dict[str, Any]] = (),
    images: dict[str, int] | None = None,
    graphs: str = "off",
    gpu: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The whole provenance of a run that ends now; what is not known of a failed attempt is None.

    Args:
        spec: what was run.
        device: ``cpu`` or ``cuda``.
        data_digest: of its images.
        start: when this process took it up.
        earlier: the sessions before that, of the checkpoint it went on from.
        images: how many were trained on and tested on, and how many of the latter are among the former.
        graphs: see :func:`session`.
        gpu: likewise.
    """
    sessions = [*earlier, *([session(device, data_digest, start, graphs, gpu)] if start else [])]
    return {
        **describe(device),
        **({"gpu": gpu} if gpu else {}),
        "data_digest": data_digest,
        "images": images,
        "precision": spec.numerics.precision,
        "threads": spec.numerics.threads,
        "start": sessions[0]["start"] if sessions else None,
        "end": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "sessions": sessions,
    }


def origin(provenance: dict[str, Any]) -> dict[str, list[str]]:
    """Devices, torch versions, code commits, images and :mod:`~benchmark.system.environment` of all sessions.

    ``unknown`` where they are not named; results of before the environment was recorded count as without any.
    """
    packages = provenance.get("packages")
    whole = {
        "device": provenance.get("device"),
        "torch": packages.get("torch") if isinstance(packages, dict) else None,
        "code": _name(provenance.get("code")),
        "data_digest": provenance.get("data_digest"),
        "environment": provenance.get("environment"),
    }
    listed = provenance.get("sessions")  # results of before have none
    sessions = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    found = {name: [one.get(name) for one in sessions] or [value] for name, value in whole.items()}
    found["environment"] = [_settings(value) for value in found["environment"]]
    return {
        name: list(dict.fromkeys(value if isinstance(value, str) else "unknown" for value in values))
        for name, values in found.items()
    }


def code_doubt(provenance: dict[str, Any]) -> str | None:
    """Why nobody can look up for certain by what code a result was made; None where everybody can."""
    names, code = origin(provenance)["code"], provenance.get("code")
    if any(UNCOMMITTED in name for name in names):
        return "its code differed from the commit that it names"
    note = code.get("note") if isinstance(code, dict) else None
    if "unknown" in names or note is not None:
        return note if isinstance(note, str) else "its commit is not recorded"
    return None


def _device(kind: str) -> str:
    """The device's model; a GPU that is gone since keeps nobody from recording how a run failed."""
    try:
        return device_name(kind)
    except DeviceError:
        return "unknown"


def _settings(environment: Any) -> str:
    """``none`` or ``A=1 B=2``."""
    found = environment.items() if isinstance(environment, dict) else ()
    return " ".join(f"{name}={value}" for name, value in found) or "none"

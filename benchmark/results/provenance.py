"""By what code, packages and machine a result was made."""

import datetime
import platform
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from pydantic import Field

from benchmark.errors import DeviceError
from benchmark.results.code import UNCOMMITTED, Code, this_code
from benchmark.runs.schema import MANY, Frozen, Recorded
from benchmark.runs.spec import CostSpec, TrainSpec
from benchmark.system.environment import digit_variables
from benchmark.system.hardware import device_name, gpus

#: Packages whose version can move a number.
PACKAGES = ("torch", "torchvision", "numpy", "pytorchcv", "pillow", "scipy")


class Session(Recorded):
    """One stretch of a run, from where a process took it up until it ended or saved.

    Attributes:
        start: when, in ISO 8601; ``end`` likewise.
        device: its model.
        torch: the version.
        code: see :attr:`~benchmark.results.code.Code.name`.
        data_digest: of its images.
        environment: variables that change digits from outside.
        graphs: ``on`` where recorded steps were replayed, ``off``, or ``failed: <why>`` where they can't be recorded.
        gpu: what was noted of its GPU.
    """

    start: str | None = None
    end: str | None = None
    device: str | None = None
    torch: str | None = None
    code: str | None = None
    data_digest: str | None = None
    environment: dict[str, str] | None = None
    graphs: str | None = None
    gpu: dict[str, Any] | None = None


class Images(Frozen):
    """How many were trained on and tested on, and how many of the latter are among the former."""

    train: int = Field(ge=0, le=1000 * MANY)
    test: int = Field(ge=0, le=1000 * MANY)
    test_in_train: int = Field(ge=0, le=1000 * MANY)


class Machine(Recorded):
    """Code, packages and machine of a process; ``device_kind`` is ``cpu`` or ``cuda``, ``device`` its model."""

    code: Code | None = None
    python: str | None = None
    packages: dict[str, str] | None = None
    platform: str | None = None
    device: str | None = None
    device_kind: str | None = None
    driver: str | None = None
    environment: dict[str, str] | None = None


class Provenance(Machine):
    """By what a run was made; what is not known of a failed attempt is None.

    Attributes:
        gpu: what was noted of its GPU in the last session.
        data_digest: of its images.
        images: how many; None in results of before they were counted.
        precision: of the run's numerics; ``threads`` likewise.
        start: when the first session began, in ISO 8601; ``end`` when the last one ended.
        sessions: each time the run was taken up; empty in results of before they were listed.
    """

    gpu: dict[str, Any] | None = None
    data_digest: str | None = None
    images: Images | None = None
    precision: str | None = None
    threads: int | None = Field(default=None, ge=1, le=MANY)
    start: str | None = None
    end: str | None = None
    sessions: list[Session] = Field(default_factory=list)

    def origin(self) -> dict[str, list[str]]:
        """Devices, torch versions, code commits, images and :mod:`~benchmark.system.environment` of all sessions.

        ``unknown`` where they are not named; results of before the environment was recorded count as without any.
        """
        whole = Session(
            device=self.device,
            torch=(self.packages or {}).get("torch"),
            code=self.code.name if self.code else None,
            data_digest=self.data_digest,
            environment=self.environment,
        )
        each = self.sessions or [whole]
        found: dict[str, list[str | None]] = {
            "device": [one.device for one in each],
            "torch": [one.torch for one in each],
            "code": [one.code for one in each],
            "data_digest": [one.data_digest for one in each],
            "environment": [_settings(one.environment) for one in each],
        }
        return {name: list(dict.fromkeys(value or "unknown" for value in values)) for name, values in found.items()}

    def code_doubt(self) -> str | None:
        """Why nobody can look up for certain by what code a result was made; None where everybody can."""
        names = self.origin()["code"]
        if any(UNCOMMITTED in name for name in names):
            return "its code differed from the commit that it names"
        note = self.code.note if self.code else None
        if "unknown" in names or note is not None:
            return note or "its commit is not recorded"
        return None


def packages() -> dict[str, str]:
    """Versions of the packages that numbers depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def this_machine(device: str) -> Machine:
    """Code, packages and machine of this process; ``device`` is ``cpu`` or ``cuda``."""
    return Machine(
        code=this_code(),
        python=platform.python_version(),
        packages=packages(),
        platform=platform.platform(),
        device=_device(device),
        device_kind=device,
        driver=gpus()[0].driver if device == "cuda" and gpus() else None,
        environment=digit_variables(),
    )


def session(
    device: str,
    data_digest: str | None,
    start: datetime.datetime,
    graphs: str = "off",
    gpu: dict[str, Any] | None = None,
) -> Session:
    """The session of this process, from where it took a run up until now; ``device`` is ``cpu`` or ``cuda``."""
    return Session(
        start=start.isoformat(timespec="seconds"),
        end=_now(),
        device=_device(device),
        torch=packages().get("torch"),
        code=this_code().name,
        data_digest=data_digest,
        environment=digit_variables(),
        graphs=graphs,
        **({"gpu": gpu} if gpu else {}),
    )


def sessions_before(checkpoint: dict[str, Any], data_digest: str) -> list[Session]:
    """The sessions that led to a checkpoint.

    Raises:
        ValueError: it was made of other images.
        KeyError: it names none.
    """
    if (made_of := checkpoint.get("data_digest")) != data_digest:
        raise ValueError(f"it was made of the images {made_of}, and these are {data_digest}")
    return [Session.model_validate(one) for one in checkpoint["sessions"]]


def of_run(
    spec: TrainSpec | CostSpec,
    device: str,
    data_digest: str | None,
    start: datetime.datetime | None,
    earlier: Sequence[Session] = (),
    images: dict[str, int] | None = None,
    graphs: str = "off",
    gpu: dict[str, Any] | None = None,
) -> Provenance:
    """The whole provenance of a run that ends now; what is not known of a failed attempt is None.

    Args:
        spec: what was run.
        device: ``cpu`` or ``cuda``.
        data_digest: of its images.
        start: when this process took it up.
        earlier: the sessions before that, of the checkpoint it went on from.
        images: as in :class:`Images`.
        graphs: as in :class:`Session`.
        gpu: likewise.
    """
    sessions = [*earlier, *([session(device, data_digest, start, graphs, gpu)] if start else [])]
    noted: dict[str, Any] = {"gpu": gpu} if gpu else {}
    return Provenance(
        **dict(this_machine(device)),
        **noted,
        data_digest=data_digest,
        images=Images(**images) if images else None,
        precision=spec.numerics.precision,
        threads=spec.numerics.threads,
        start=sessions[0].start if sessions else None,
        end=_now(),
        sessions=sessions,
    )


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _device(kind: str) -> str:
    """The device's model; a GPU that is gone since keeps nobody from recording how a run failed."""
    try:
        return device_name(kind)
    except DeviceError:
        return "unknown"


def _settings(environment: dict[str, str] | None) -> str:
    """``none`` or ``A=1 B=2``."""
    return " ".join(f"{name}={value}" for name, value in (environment or {}).items()) or "none"

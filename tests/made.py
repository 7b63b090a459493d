"""Complete, plausible results without any training; GPUs without any GPU."""

import json
import stat
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmark.results.store import Result
from benchmark.runs.spec import TrainSpec, run_id
from benchmark.system import hardware
from benchmark.system.nvidia import Gpu

MACHINE: dict[str, Any] = {
    "code": {"release": "0.1.0", "commit": "c0ffee", "dirty": False},
    "python": "3.11.7",
    "packages": {"torch": "2.11.0"},
    "device": "a CPU",
    "device_kind": "cpu",
    "driver": None,
    "data_digest": "sha256:0123",
    "precision": "fp32",
    "threads": 1,
    "start": "2026-01-01T00:00:00+00:00",
    "end": "2026-01-01T01:00:00+00:00",
}


def spec(seed: int = 0, **changes: Any) -> TrainSpec:
    tree = {
        "protocol": 1,
        "dataset": {"name": "cifar100"},
        "network": {"family": "resnet", "depth": 110},
        "method": {},
        "schedule": {"epochs": 3, "batch_size": 128, "learning_rate": 0.1},
        "seed": seed,
    }
    return TrainSpec.model_validate(tree | changes)


def result(of: TrainSpec | None = None, accuracy: float = 70.0, **changes: Any) -> Result:
    """A completed training with a history that fits its metrics; its loss depends on the seed."""
    of = of or spec()
    epochs = range(1, of.schedule.epochs + 1)
    history = [
        {
            "epoch": n,
            "learning_rate": 0.1,
            "train_loss": 4.0 / n + of.seed / 8,
            "single": accuracy - min(1, (n - 2) ** 2),
        }
        for n in epochs
    ]
    scores = [entry["single"] for entry in history]
    tree: dict[str, Any] = {
        "schema_version": 2,
        "run_id": run_id(of),
        "spec": of,
        "status": "completed",
        "metrics": {"single_last_epoch": scores[-1], "single_best_epoch": max(scores)},
        "history": history,
        "cost": {"train_seconds": 120.0},
        "provenance": MACHINE,
    }
    return Result.model_validate(tree | changes)


def edit(path: Path, **changes: Any) -> None:
    """Change a result file as somebody with an editor would."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes, indent=1))


def gpu(name: str, uuid: str, memory_mib: int, index: int) -> Gpu:
    return Gpu(name, uuid, memory_mib, "550.54.15", index)


GPU_A = gpu("NVIDIA A", "GPU-8932f937-a5a5-4b0e-8f0c-111111111111", 40960, 0)
GPU_B = gpu("NVIDIA B", "GPU-8932f937-b5a5-4b0e-8f0c-222222222222", 81559, 1)


def machine_with(patch: pytest.MonkeyPatch, *gpus: Gpu) -> None:
    """Let this process find these GPUs."""
    patch.setattr(hardware, "_gpus", cache(lambda: (gpus, "found by a test" if gpus else "a reason")))


def fake_nvidia_smi(folder: Path, says: str | None, status: int = 0) -> Path:
    """A folder for PATH: with an nvidia-smi that notes what it is asked and says this, ``hang`` for nothing ever."""
    folder.mkdir(parents=True)
    if says is not None:
        (folder / "answer").write_text(says)
        answer = "exec /bin/sleep 60" if says == "hang" else f'/bin/cat "{folder}/answer"; exit {status}'
        program = folder / "nvidia-smi"
        program.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/asked"\n{answer}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder

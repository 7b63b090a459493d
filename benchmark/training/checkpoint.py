"""A run's state on disk, so that it goes on where it was, digit for digit."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from benchmark.files import write_atomic

Checkpoint = dict[str, Any]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all."""
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    write_atomic(path, buffer.getvalue())


def load(path: Path, run_id: str) -> Checkpoint | None:
    """The checkpoint of a run; None where there is none that can be used.

    An unreadable one, or one of another run, only means that the run starts from its beginning.
    """
    if not path.exists():
        return None
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        print(f"checkpoint {path.name} can't be read ({error}); starting from the beginning", flush=True)
        return None
    return checkpoint if isinstance(checkpoint, dict) and checkpoint.get("run_id") == run_id else None

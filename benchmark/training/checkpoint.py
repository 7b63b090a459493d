"""A run's state on disk, so that it goes on where it was, digit for digit."""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from benchmark.errors import is_out_of_memory
from benchmark.system.files import read_regular, write_atomic

Checkpoint = dict[str, Any]

#: Bytes; WRN-28-10 with its momentum takes 0.3 × 10⁹.
_MOST_BYTES = 4 * 2**30
_DIGEST_BYTES = hashlib.sha256().digest_size


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all; its SHA-256 stands behind it, since torch notices no flipped bit."""
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    data = buffer.getvalue()
    write_atomic(path, data + hashlib.sha256(data).digest())


def load(path: Path, run_id: str) -> Checkpoint | None:
    """The checkpoint of a run; None where there is none that can be used.

    A damaged one, or one of another run, only means that the run starts from its beginning.
    """
    try:
        blob = read_regular(path, _MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        print(f"checkpoint {path.name} can't be read ({error.strerror}); starting from the beginning", flush=True)
        return None
    try:
        data = blob[:-_DIGEST_BYTES]
        if hashlib.sha256(data).digest() != blob[-_DIGEST_BYTES:]:
            raise ValueError("its SHA-256 does not fit")
        checkpoint = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch finds wrong with it
        if is_out_of_memory(error):  # nothing is: the same run alone may have room
            raise
        print(f"checkpoint {path.name} can't be read ({error}); starting from the beginning", flush=True)
        return None
    return checkpoint if isinstance(checkpoint, dict) and checkpoint.get("run_id") == run_id else None

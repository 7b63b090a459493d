"""Random streams that are the same on every machine.

Every random choice of a run is drawn from a stream of its own, named by (seed, purpose, epoch). The
streams are NumPy's counter-based Philox: unlike torch's generators they do not depend on the device or
on the instruction set, and a stream never depends on how much of another was used. Two trials with one
seed and different methods therefore see the same weights, batches and crops.
"""

import hashlib

import numpy as np


def stream(seed: int, purpose: str, epoch: int | None = None) -> np.random.Generator:
    """The generator named by (seed, purpose, epoch).

    The three are hashed together, never added: (0, epoch 1) and (1, epoch 0) are unrelated.

    Args:
        seed: the trial's seed.
        purpose: what is drawn, for instance ``"masks/stage2"``.
        epoch: zero-based epoch for what is drawn anew each epoch; None for what is drawn once.
    """
    name = f"{seed}/{purpose}/{'once' if epoch is None else epoch}"
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key))

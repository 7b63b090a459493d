"""Where the tests marked ``gpu`` run: on a GPU, or rehearsed on a processor, the same bodies on fewer images.

``SFE_GPU_TESTS=rehearse python -m pytest -m gpu`` rehearses them; steps are then recorded by the tests' own recorder.
"""

import os
from typing import Any

import torch

REHEARSAL = os.environ.get("SFE_GPU_TESTS") == "rehearse"
DEVICE = torch.device("cpu" if REHEARSAL else "cuda")
#: Four epochs of ten steps, or in rehearsal of four, the last on fewer images; all of them, and where in the third
#: one to stop.
SIZES: dict[str, Any] = {"images": 7, "batch_size": 2} if REHEARSAL else {"images": 308, "batch_size": 32}
STEPS, STOP_AT = (16, 9) if REHEARSAL else (40, 25)

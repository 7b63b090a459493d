"""Use a GPU that is there for half an hour: carry everything there, run it, bring it back; docs/gpu.md tells how.

The machine with the GPU takes one command at a time, a few MiB with each, has PyTorch and neither network nor git
folder. Every step may be repeated, or cut at any moment. What can't be done is said in a line that begins
"gpu-day: NOT", and ends the step with exit status 1. Needs the standard library alone.
"""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
#: What travels beside the tree.
KIT = ROOT / ".gpu-day"
#: Where everything lies on the GPU machine; checkpoints are found again only under the same path.
WORK = Path(os.environ.get("GPU_DAY_WORK") or Path(tempfile.gettempdir()) / "gpu-day").resolve()
#: What comes back from there.
OUT = Path(os.environ.get("OUT") or WORK / "out").resolve()
#: What one command may carry, the tree included; how many files may come back, and how large each may be.
LIMIT_MIB = float(os.environ.get("GPU_DAY_LIMIT_MIB", "62"))
FILES = int(os.environ.get("GPU_DAY_FILES", "7"))
FILE_MIB = float(os.environ.get("GPU_DAY_FILE_MIB", "15"))
#: Seconds for the tests marked gpu.
CHECK_S = float(os.environ.get("GPU_DAY_CHECK_S", "150"))
MIB = 2**20

#: What was said not to be done.
undone: list[str] = []


def say(text: str) -> None:
    """Print one line for whoever reads along."""
    print(f"gpu-day: {text}", flush=True)


def fail(text: str) -> None:
    """Say what could not be done."""
    undone.append(text)
    say(f"NOT {text}")

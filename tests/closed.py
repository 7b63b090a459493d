"""Files and folders that belong to somebody else, who lets nobody look."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def public() -> Iterator[Path]:
    """A new folder that everybody may enter and write in, other than ``tmp_path``."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        yield Path(place)


@contextmanager
def closed(*paths: Path) -> Iterator[None]:
    """Nobody may read or enter these meanwhile, not even root: this process is somebody else."""
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    for path in paths:
        path.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)

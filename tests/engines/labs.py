"""Real engines for tests, started where that can be done, and only for them."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def free_ports(count: int, first: int) -> int:
    """The first of so many free ports in a row, none of which the system gives to others by itself."""
    for port in range(first, first + 1000, count):
        try:
            for at in range(count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port + at))
        except OSError:
            continue
        return port
    pytest.skip(f"no {count} ports in a row are free from {first} on")


@contextmanager
def slurm() -> Iterator[Path]:
    """A Slurm of one node with made-up GPUs; its settings file, which is that of this process meanwhile."""
    pytest.importorskip("submitit", reason="submitit is not installed: pip install '.[slurm]'")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)  # munge wants its socket to be reached by all
    port = str(free_ports(3, 16917))
    up = subprocess.run(
        [HERE / "slurm-up.sh", folder], capture_output=True, text=True, env=os.environ | {"SLURM_LAB_PORT": port}
    )
    try:
        if up.returncode:
            pytest.skip(f"no Slurm can be started: {' '.join((up.stderr or up.stdout).split())[-300:]}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
            yield folder / "slurm.conf"
    finally:
        subprocess.run([HERE / "slurm-down.sh", folder], capture_output=True)
        shutil.rmtree(folder)

"""Real engines for tests, started where that can be done, and only for them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.places import ROOT

HERE = ROOT / "tests" / "engines"


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


@dataclass
class Ray:
    """A cluster of this machine alone.

    Attributes:
        address: of its dashboard.
        folder: for what it keeps.
        gcs: where further nodes register.
    """

    address: str
    folder: Path
    gcs: str

    @contextmanager
    def node(self, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
        """One more node, or the first one; ended with all that it has started."""
        command: list[str] = [
            str(Path(sys.executable).parent / "ray"),
            "start",
            "--block",
            "--disable-usage-stats",
            *words,
        ]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def ray() -> Iterator[Ray]:
    """A Ray of one node with four processors and two made-up GPUs."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # short: it holds sockets
    first = free_ports(8, 20500)
    lab = Ray(f"http://127.0.0.1:{first}", folder, f"127.0.0.1:{first + 1}")
    names = ("dashboard-port", "port", "dashboard-agent-listen-port", "dashboard-agent-grpc-port", "node-manager-port")
    ports = [f"--{name}={first + at}" for at, name in enumerate((*names, "object-manager-port", "metrics-export-port"))]
    size = ["--num-cpus=4", "--num-gpus=2", f"--memory={4 * 2**30}", f"--object-store-memory={80 * 2**20}"]
    try:
        with lab.node("--head", f"--temp-dir={folder}", "--dashboard-host=127.0.0.1", *ports, *size) as head:
            late = time.monotonic() + 120
            while not _answers(lab.address):
                if head.poll() is not None or time.monotonic() > late:
                    pytest.skip(f"no Ray can be started: {(folder / 'log').read_text()[-300:]}")
                time.sleep(0.2)
            yield lab
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/api/v0/nodes?detail=True", timeout=5) as reply:
        return b"ALIVE" in reply.read()
    return False

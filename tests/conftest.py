import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.results.store import Store
from benchmark.system import hardware
from benchmark.system.signals import ENDING

from .gpu.here import REHEARSAL


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked ``gpu`` where there is none, unless it is rehearsed."""
    if REHEARSAL or torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU that PyTorch can use"))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests share the cores among themselves."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def ask_for_gpus_again() -> Iterator[None]:
    """The driver is asked once a process, and a test may stand in for it."""
    yield
    hardware._gpus.cache_clear()


@pytest.fixture
def seeded() -> Iterator[None]:
    """Torch's own random numbers, the same in every run and no other test's."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def own_numerics() -> Iterator[None]:
    """Put back what :func:`~benchmark.training.loop.apply_numerics` sets in this process."""
    with numerics_put_back():
        yield


@contextlib.contextmanager
def numerics_put_back() -> Iterator[None]:
    """The same around a part of a test, or of a fixture that several tests share."""
    threads, deterministic = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    flags: list[tuple[Any, str]] = [(torch.backends.cudnn, "benchmark"), (torch.backends.cudnn, "allow_tf32")]
    flags += [(torch.backends.cuda.matmul, "allow_tf32"), (torch.utils.deterministic, "fill_uninitialized_memory")]
    before = [getattr(place, name) for place, name in flags]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUBLAS_WORKSPACE_CONFIG", "to be put back")
        yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode(deterministic)
    for (place, name), value in zip(flags, before, strict=True):
        setattr(place, name, value)


@pytest.fixture
def own_process(own_numerics: None) -> Iterator[None]:
    """A worker owns its process: put back what it sets in this one."""
    handlers = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "paper")

"""What this machine is said to be."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark import hardware
from benchmark.errors import UserError
from benchmark.hardware import device_kind, device_name, gpu_models

Gpus = Callable[..., None]


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gpus]:
    """A machine with GPUs of some models, of which the environment shows some."""

    def call(*models: str, visible: str | None = None) -> None:
        for number, model in enumerate(models):
            (tmp_path / str(number)).mkdir()
            (tmp_path / str(number) / "information").write_text(f"Model: \t {model}\nIRQ:   11\n")
        monkeypatch.setattr(hardware, "_GPUS", tmp_path)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        gpu_models.cache_clear()

    yield call
    gpu_models.cache_clear()


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        (None, ("A", "B")),
        ("1", ("B",)),
        ("1, 0", ("B", "A")),
        ("3", ()),
        ("0,3,1", ("A",)),  # CUDA stops at the first that isn't there
        ("0,-1,1", ("A",)),
        ("", ()),
        ("GPU-8932f937", ("GPU-8932f937",)),
    ],
)
def test_gpus_are_seen_as_cuda_sees_them(gpus: Gpus, visible: str | None, seen: tuple[str, ...]) -> None:
    gpus("A", "B", visible=visible)
    assert gpu_models() == seen


def test_without_a_gpu_none_is_seen_whatever_is_asked_for(gpus: Gpus) -> None:
    gpus(visible="0,GPU-8932f937")
    assert gpu_models() == ()
    assert (device_kind(), device_name()) == ("cpu", hardware.cpu_model())
    with pytest.raises(UserError, match="--device cuda"):
        device_kind("cuda")


def test_the_device_is_the_one_asked_for(gpus: Gpus) -> None:
    gpus("A", "B")
    assert (device_kind(), device_name()) == (device_kind("cuda"), device_name("cuda")) == ("cuda", "A")
    assert (device_kind("cpu"), device_name("cpu")) == ("cpu", hardware.cpu_model())


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="this system keeps no /proc/stat")
def test_work_shows_in_the_processor_time() -> None:
    start = hardware.processor_time()
    own = time.process_time()
    while time.process_time() < own + 0.3:
        pass
    end = hardware.processor_time()
    assert start is not None
    assert end is not None
    assert end.own - start.own >= 0.25  # counted in ticks of 10 ms
    assert end.busy - start.busy >= 0.25
    assert end.withheld >= start.withheld


@pytest.mark.parametrize(
    ("limit", "used", "gib"),
    [("max", "5368709120", 16.0), ("8589934592", "6442450944", 3.0), ("85899345920", "0", 16.0), (None, None, 16.0)],
)
def test_free_memory_is_that_within_a_containers_limit(
    limit: str | None, used: str | None, gib: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:   16777216 kB\n")
    for name, text in (("max", limit), ("current", used)):
        if text is not None:
            (tmp_path / f"memory.{name}").write_text(f"{text}\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 1073741824\nfile 9\n")
    monkeypatch.setattr(hardware, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(hardware, "_CGROUP", tmp_path)
    assert hardware.memory_available_gib() == gib


def test_where_the_system_does_not_say_four_gib_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(hardware, "_CGROUP", tmp_path)
    assert hardware.memory_available_gib() == 4

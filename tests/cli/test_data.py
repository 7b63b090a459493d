import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.data.meta import Meta
from benchmark.runs.catalogue import DATASETS
from tests.places import ROOT


def data(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_suite.py"), "data", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SFE_")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**kept, **variables}, timeout=60)


def test_list_says_what_is_there_what_is_missing_how_large_and_from_where(tmp_path: Path) -> None:
    (tmp_path / "cifar-100-python").mkdir()
    for name in ("train", "test"):
        (tmp_path / "cifar-100-python" / name).touch()
    (tmp_path / "CUB_200_2011").mkdir()
    meta = tmp_path / "scratch" / "data" / "cifar100" / "meta.json"
    meta.parent.mkdir(parents=True)
    words = Meta(
        format_version=1,
        key="cifar100 official 32",
        origin="",
        classes=100,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        digest="",
        copies=(),
        files={"a": 3_000_000},
    )
    meta.write_text(words.model_dump_json())
    done = data("list", "--data-dir", str(tmp_path), "--scratch-dir", str(tmp_path / "scratch"))
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in DATASETS)
    assert f"cifar100        there: {tmp_path}/cifar-100-python" in done.stdout
    assert f"tiny-imagenet   missing: {tmp_path}/tiny-imagenet-200" in done.stdout
    assert "cub200          incomplete (images.txt is missing)" in done.stdout
    assert "248 MB to fetch, from http://cs231n.stanford.edu" in done.stdout
    assert f"packed: {meta.parent}, 3 MB" in done.stdout


def test_list_needs_no_data_folder_and_takes_the_variable(tmp_path: Path) -> None:
    assert "no --data-dir (SFE_DATA_DIR) named" in data("list").stdout
    assert f"missing: {tmp_path}/cifar-100-python" in data("list", SFE_DATA_DIR=str(tmp_path)).stdout


def test_list_loads_nothing_heavy_and_takes_no_second() -> None:
    code = (
        "import sys; sys.argv = ['run_suite.py', 'data', 'list']\n"
        "from benchmark.cli import main\n"
        "main()\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'scipy', 'PIL', 'pandas')))"
    )
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False).returncode == 0
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start < 1  # of work: the machine may be busy


@pytest.mark.parametrize("verb", ["get", "check"])
def test_bad_input_is_one_sentence_and_status_2(verb: str, tmp_path: Path) -> None:
    done = data(verb, "stanford_cars", "--data-dir", str(tmp_path / "none"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "none").exists()
    assert "name it with --data-dir" in data(verb, "cub200").stderr
    assert data(verb, "cub").returncode == 2


def test_check_tells_what_is_there(data_dir: Path) -> None:
    done = data("check", "cifar100", SFE_DATA_DIR=str(data_dir))
    assert (done.returncode, done.stdout.startswith("CIFAR-100: 50000 training and 10000 test")) == (0, True)


@pytest.fixture
def data_dir() -> Path:
    if "SFE_DATA_DIR" not in os.environ:
        pytest.skip("SFE_DATA_DIR names no folder with the official image files")
    return Path(os.environ["SFE_DATA_DIR"])

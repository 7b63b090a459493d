"""Packing stays within the memory that docs/datasets.md names, however large the images are."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.places import ROOT

#: Packs a folder with as many processes as there may be, whatever this machine's cores.
PACK = """
import sys
from pathlib import Path
import benchmark.data.pack as pack
from benchmark.runs.axes import Dataset
from benchmark.data.folder import read_folder

if __name__ == "__main__":
    pack.cores = lambda: 8
    pack.IMAGES_PER_PROCESS = 1
    place = Path(sys.argv[1])
    dataset = Dataset(name="large", source="folder", classes=2, input_size=64)
    packed = pack.pack(read_folder(dataset, place), 64, place / "packed")
"""


def proportional_mib(process: int) -> float:
    """Memory of a process and all below it, pages that they share counted once."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        for thread in Path(f"/proc/{process}/task").iterdir():
            if thread.name != str(process):
                children += (thread / "children").read_text().split()
    except OSError:  # it ended meanwhile
        return 0.0
    own = next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0) / 1024
    return own + sum(proportional_mib(int(child)) for child in children)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's /proc")
def test_packing_large_images_stays_under_1_gib(tmp_path: Path) -> None:
    script = tmp_path / "packing.py"
    script.write_text(PACK)
    (tmp_path / "packed").mkdir()
    first = tmp_path / "first.jpg"
    Image.linear_gradient("L").resize((6000, 4000)).convert("RGB").save(first, quality=50)
    for split, count in (("train", 6), ("test", 1)):
        for name in ("one", "two"):
            folder = tmp_path / "large" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                os.link(first, folder / f"{number}.jpg")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path)], env=environment)
    peak = 0.0
    try:
        while process.poll() is None:
            peak = max(peak, proportional_mib(process.pid))
            time.sleep(0.01)
    finally:
        process.kill()
    assert process.returncode == 0
    assert 150 < peak < 1024, "less than an image and its process would mean that nothing was measured"

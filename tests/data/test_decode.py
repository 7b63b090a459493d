import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torchvision.transforms.functional as vision
from numpy.typing import NDArray
from PIL import Image

from benchmark.data import pack as module
from benchmark.data.decode import Task, decode
from benchmark.data.listing import ListedSplit, Listing
from benchmark.data.measure import channel_counts, channel_statistics
from benchmark.data.pack import decode_all, pack
from benchmark.data.packed import Split
from benchmark.errors import DataError
from tests.places import ROOT


def picture(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    noise = np.random.default_rng(seed).integers(256, size=(height // 4 + 1, width // 4 + 1, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def pixels(file: Path, side: int, *, exact: bool = False) -> NDArray[np.uint8]:
    decoded = decode(Task(files=(str(file),), side=side, exact=exact))
    return np.frombuffer(decoded.pixels, dtype=np.uint8).reshape(*decoded.sizes[0], 3)


@pytest.mark.parametrize("size", [(90, 61), (61, 90), (73, 73), (200, 74), (40, 30), (73, 500), (131, 73)])
@pytest.mark.parametrize(
    ("mode", "suffix"), [("RGB", "jpg"), ("L", "jpg"), ("CMYK", "jpg"), ("RGBA", "png"), ("P", "png")]
)
def test_pixels_are_torchvisions_resize_of_the_rgb_image(
    tmp_path: Path, size: tuple[int, int], mode: str, suffix: str
) -> None:
    file = tmp_path / f"a.{suffix}"
    picture(*size, mode=mode).save(file)
    expected = vision.resize(Image.open(file).convert("RGB"), 73)
    np.testing.assert_array_equal(pixels(file, 73), np.asarray(expected))


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.99])
def test_truncated_images_are_refused(tmp_path: Path, keep: float) -> None:
    file = tmp_path / "a.jpg"
    picture(300, 200).save(file)
    blob = file.read_bytes()
    file.write_bytes(blob[: int(len(blob) * keep)])
    with pytest.raises(DataError, match=rf"^{file} cannot be decoded: .*truncated.*; restore it from"):
        pixels(file, 73)


@pytest.mark.parametrize("blob", [b"", b"<html>404</html>"])
def test_what_is_no_image_is_refused(tmp_path: Path, blob: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(blob)
    with pytest.raises(DataError, match=r"a\.jpg cannot be decoded: cannot identify image file; restore it"):
        pixels(tmp_path / "a.jpg", 73)


def test_where_sizes_are_fixed_another_one_is_another_sets(tmp_path: Path) -> None:
    picture(32, 32).save(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png", 32, exact=True).shape == (32, 32, 3)
    with pytest.raises(DataError, match=r"a\.png is 32 × 32 pixels, expected 64 × 64"):
        pixels(tmp_path / "a.png", 64, exact=True)


@pytest.fixture
def some(tmp_path: Path) -> Callable[..., Listing]:
    def make(count: int, *, odd: bool) -> Listing:
        root = tmp_path / "files"
        root.mkdir()
        names = [f"{at}.png" for at in range(count)]
        for at, name in enumerate(names):
            picture(80 + at % 5 * odd, 75, seed=at).save(root / name)

        def split(files: list[str]) -> ListedSplit:
            return ListedSplit(files=tuple(files), labels=np.arange(len(files)) % 3)

        return Listing(title="Some", root=root, train=split(names[4:]), test=split(names[:4]), classes=3)

    return make


@pytest.mark.parametrize("odd", [True, False])
def test_packing_keeps_order_labels_and_sizes(some: Callable[..., Listing], tmp_path: Path, odd: bool) -> None:
    listing, folder = some(14, odd=odd), tmp_path / "cache"
    folder.mkdir()
    packed = pack(listing, 73, folder)
    split = Split(
        images=np.load(folder / "train_images.npy"),
        labels=np.load(folder / "train_labels.npy"),
        sizes=np.load(folder / "train_sizes.npy") if odd else None,
    )
    assert (split.shape is None) == odd
    assert split.labels.tolist() == listing.train.labels.tolist()
    for image, file in zip(split, listing.train.files, strict=True):
        np.testing.assert_array_equal(image, pixels(listing.root / file, 73))
    assert (packed.mean, packed.std) == channel_statistics(split.images)


def test_processes_give_the_same_in_the_same_order(
    some: Callable[..., Listing], monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = some(24, odd=True)
    alone = b"".join(each.pixels for each in decode_all(listing, listing.train, 73, ""))
    monkeypatch.setattr(module, "IMAGES_PER_PROCESS", 3)
    monkeypatch.setattr(module, "cores", lambda: 2)
    together = list(decode_all(listing, listing.train, 73, ""))
    assert b"".join(each.pixels for each in together) == alone
    assert sum(int(each.counts.sum()) for each in together) == len(alone)
    assert multiprocessing.active_children() == []


def test_without_shared_memory_one_process_decodes(
    some: Callable[..., Listing], monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = some(24, odd=True)
    alone = b"".join(each.pixels for each in decode_all(listing, listing.train, 73, ""))

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))  # what a semaphore says of such a /dev/shm

    monkeypatch.setattr(module, "IMAGES_PER_PROCESS", 3)
    monkeypatch.setattr(module, "cores", lambda: 2)
    monkeypatch.setattr(module, "Budget", read_only)
    assert b"".join(each.pixels for each in decode_all(listing, listing.train, 73, "")) == alone


#: Decodes one image a thousand times in two processes, and ends as the program does.
_DECODES = """
import signal
import sys
from pathlib import Path
import numpy as np
import benchmark.data.pack as pack
from benchmark.system import signals
from benchmark.data.listing import ListedSplit, Listing

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background has it ignored
    signals.listen()
    signals.heed()
    pack.cores = lambda: 2
    split = ListedSplit(files=(sys.argv[2],) * 1000, labels=np.zeros(1000, dtype=np.int64))
    listing = Listing(title="Some", root=Path(sys.argv[1]), train=split, test=split, classes=1)
    try:
        print("begins", flush=True)
        for _ in pack.decode_all(listing, split, 73, ""):
            pass
    except KeyboardInterrupt:
        sys.exit(signals.EXIT_INTERRUPTED)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_is_heard_by_one(number: signal.Signals, tmp_path: Path) -> None:
    picture(900, 600).save(tmp_path / "a.jpg")
    (tmp_path / "decodes.py").write_text(_DECODES)
    command = [sys.executable, str(tmp_path / "decodes.py"), str(tmp_path), "a.jpg"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    time.sleep(0.1)  # helpers are starting
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "")


def test_a_damaged_image_ends_the_processes_too(some: Callable[..., Listing], monkeypatch: pytest.MonkeyPatch) -> None:
    listing = some(24, odd=True)
    (listing.root / "15.png").write_bytes(b"no")
    monkeypatch.setattr(module, "IMAGES_PER_PROCESS", 3)
    monkeypatch.setattr(module, "cores", lambda: 2)
    with pytest.raises(DataError, match=r"15\.png cannot be decoded"):
        list(decode_all(listing, listing.train, 73, ""))
    assert multiprocessing.active_children() == []


def test_counts_are_of_every_pixel() -> None:
    images = np.random.default_rng(0).integers(256, size=(3, 700, 700, 3), dtype=np.uint8)
    assert channel_counts(images)[1].tolist() == np.bincount(images[..., 1].ravel(), minlength=256).tolist()


def test_a_decoding_process_needs_nothing_heavy() -> None:
    code = "import benchmark.data.decode, sys; sys.exit(any(m in sys.modules for m in ('torch', 'pydantic', 'scipy')))"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0

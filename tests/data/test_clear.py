"""Images that could be shown in several ways: refused in one's own folder, read as everybody does in a known set."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmark.data.decode import Task, decode
from benchmark.data.folder import read_folder
from benchmark.errors import DataError
from benchmark.runs.axes import Dataset
from tests.data.test_stale import MINE, own_folder

RAMP = np.tile(np.linspace(0, 1, 24), (24, 1))


def read(file: Path, side: int = 24, *, own: bool = True) -> NDArray[np.uint8]:
    decoded = decode(Task(files=(str(file),), side=side, exact=False, own=own))
    return np.frombuffer(decoded.pixels, dtype=np.uint8).reshape(*decoded.sizes[0], 3)


def grey(scale: float, kind: type) -> Image.Image:
    return Image.fromarray((RAMP * scale).astype(kind))


def png16(colour_type: int, channels: int) -> bytes:
    """A PNG of 16 bits a channel, which Pillow reads as one of 8."""
    import struct
    import zlib

    rows = (RAMP[..., None].repeat(channels, axis=2) * 65535).astype(">u2")
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", 24, 24, 16, colour_type, 0, 0, 0)
    out = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")):
        out += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return out


def with_alpha(mode: str, alpha: int) -> Image.Image:
    image = Image.fromarray((RAMP * 255).astype(np.uint8)).convert(mode)
    image.putalpha(alpha)
    return image


def transparent_colour(image: Image.Image) -> bytes:
    """With one colour of the image declared transparent, in the header alone."""
    out = io.BytesIO()
    image.save(out, "png", transparency=(0, 0, 0) if image.mode == "RGB" else 0)
    return out.getvalue()


def two_frames(kind: str) -> bytes:
    out, (one, two) = io.BytesIO(), (Image.new("RGB", (24, 24), colour) for colour in ("red", "blue"))
    one.save(out, kind, save_all=True, append_images=[two])
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "suffix", "reason"),
    [
        (grey(65535, np.uint16), "png", r"has more than 8 bits a channel \(I;16\); save it with 8"),
        (grey(65535, np.uint16), "tif", r"has more than 8 bits a channel \(I;16\)"),
        (grey(100_000, np.int32), "tif", r"has more than 8 bits a channel \(I\)"),
        (grey(1, np.float32), "tif", r"has more than 8 bits a channel \(F\)"),
        (b"P5 24 24 65535\n" + (RAMP * 65535).astype(">u2").tobytes(), "pgm", r"has more than 8 bits a channel \(I\)"),
        (png16(2, 3), "png", r"has more than 8 bits a channel \(RGB\)"),
        (png16(6, 4), "png", r"has more than 8 bits a channel \(RGBA\)"),
        (with_alpha("RGB", 200), "png", "is transparent in places; lay it on the background"),
        (with_alpha("L", 0), "png", "is transparent in places"),
        (with_alpha("RGB", 254), "webp", "is transparent in places"),
        (transparent_colour(Image.new("RGB", (24, 24))), "png", "is transparent in places"),
        (transparent_colour(Image.new("L", (24, 24))), "png", "is transparent in places"),
        (transparent_colour(Image.new("P", (24, 24))), "png", "is transparent in places"),
        (two_frames("gif"), "gif", "holds 2 images; save the one that you mean alone"),
        (two_frames("tiff"), "tif", "holds 2 images"),
        (two_frames("webp"), "webp", "holds 2 images"),
        (two_frames("png"), "png", "holds 2 images"),
        (
            Image.new("RGB", (30_000, 1)),
            "png",
            r"cannot be decoded: 30000 × 1 pixels would become 7200000 × 240; put a",
        ),
    ],
)
def test_in_a_folder_of_ones_own_they_are_refused(
    content: Image.Image | bytes, suffix: str, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(content) if isinstance(content, bytes) else content.save(file)
    with pytest.raises(DataError, match=rf"^{file} {reason}"):
        read(file, 240)


@pytest.mark.parametrize("cut", [0.2, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["png", "gif", "tiff", "bmp", "webp", "jpeg", "ppm"])
def test_truncated_files_are_named(kind: str, cut: float, tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(256, size=(40, 40, 3), dtype=np.uint8)).save(out, kind)
    (tmp_path / "a").write_bytes(out.getvalue()[: int(cut * len(out.getvalue()))])
    with pytest.raises(DataError, match=rf"^{tmp_path}/a cannot be decoded: .+; put a good one in its place"):
        read(tmp_path / "a")


@pytest.mark.parametrize(
    "make",
    [
        lambda image: image,
        lambda image: image.convert("L").convert("1"),
        lambda image: image.convert("P"),
        lambda image: image.convert("CMYK"),
        lambda image: image.convert("YCbCr"),
        lambda image: image.convert("RGBA"),
        lambda image: image.convert("LA"),
    ],
    ids=["RGB", "1", "P", "CMYK", "YCbCr", "opaque RGBA", "opaque LA"],
)
def test_modes_that_mean_one_thing_are_converted(make: Callable[[Image.Image], Image.Image], tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(256, size=(24, 24, 3), dtype=np.uint8)
    image = make(Image.fromarray(noise))
    image.save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), np.asarray(image.convert("RGB")))


def test_of_a_cameras_file_the_photo_is_taken_and_not_its_previews(tmp_path: Path) -> None:
    photo, preview = (Image.new("RGB", (24, 24), colour) for colour in ("red", "blue"))
    photo.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[preview])
    with Image.open(tmp_path / "a.jpg") as image:
        assert (image.format, getattr(image, "n_frames", 1)) == ("MPO", 2)
    assert read(tmp_path / "a.jpg")[0, 0].tolist() == [254, 0, 0]


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_a_photo_is_turned_upright_in_a_folder_of_ones_own_alone(tag: int, suffix: str, tmp_path: Path) -> None:
    lying = np.random.default_rng(0).integers(256, size=(24, 30, 3), dtype=np.uint8)
    shown = {
        1: lying,
        2: lying[:, ::-1],
        3: lying[::-1, ::-1],
        4: lying[::-1],
        5: lying.swapaxes(0, 1),
        6: np.rot90(lying, 3),
        7: lying[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(lying),
    }[tag]
    image, file = Image.fromarray(lying), tmp_path / f"a.{suffix}"
    (tags := image.getexif())[0x0112] = tag
    image.save(file, exif=tags, lossless=True)
    np.testing.assert_array_equal(read(file), shown)
    if suffix != "tif":  # which Pillow turns for everybody
        np.testing.assert_array_equal(read(file, own=False), lying)


def test_a_known_set_is_read_as_everybody_reads_it(tmp_path: Path) -> None:
    image = with_alpha("RGB", 100)
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png", own=False), np.asarray(image.convert("RGB")))
    (tmp_path / "b.gif").write_bytes(two_frames("gif"))
    assert read(tmp_path / "b.gif", own=False)[0, 0].tolist() == [255, 0, 0]
    grey(65535, np.uint16).save(tmp_path / "c.png")
    with pytest.raises(DataError, match="has more than 8 bits a channel"):
        read(tmp_path / "c.png", own=False)


def test_a_mirror_of_a_known_set_is_none_of_ones_own(tmp_path: Path) -> None:
    own_folder(tmp_path)
    assert read_folder(MINE, tmp_path).own
    for split in ("train", "test"):
        for number in range(10):
            folder = tmp_path / "cifar10" / split / str(number)
            folder.mkdir(parents=True)
            Image.new("RGB", (32, 32)).save(folder / "0.png")
    assert not read_folder(Dataset(name="cifar10", source="folder", train_images=10, test_images=10), tmp_path).own


@pytest.mark.parametrize("kind", [b"P6", b"P3"])
@pytest.mark.parametrize(("largest", "deep"), [(255, False), (200, False), (1023, True), (65535, True)])
def test_a_ppm_of_more_than_8_bits_is_refused(kind: bytes, largest: int, deep: bool, tmp_path: Path) -> None:
    size = 1 if largest < 256 else 2
    values = [0, largest // 2, largest] * 4
    body = b"".join(v.to_bytes(size, "big") for v in values) if kind == b"P6" else b" ".join(b"%d" % v for v in values)
    (tmp_path / "a.ppm").write_bytes(b"%s 2 2 %d\n" % (kind, largest) + body + b"\n" * (kind == b"P3"))
    if deep:
        with pytest.raises(DataError, match="has more than 8 bits a channel"):
            read(tmp_path / "a.ppm")
    else:
        assert read(tmp_path / "a.ppm").ndim == 3

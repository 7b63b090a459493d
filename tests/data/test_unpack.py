import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from benchmark.data.unpack import unpack
from benchmark.errors import DataError


def tar(file: Path, *members: tarfile.TarInfo, mode: str = "w:gz") -> Path:
    with tarfile.open(file, mode) as out:  # type: ignore[call-overload]
        for member in members:
            out.addfile(member, io.BytesIO(b"x" * member.size))
    return file


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, 3 if kind == tarfile.REGTYPE else 0, 0o4777
    return info


def zipped(file: Path, name: str, mode: int = 0) -> Path:
    with zipfile.ZipFile(file, "w") as out:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        out.writestr(info, "xxx")
    return file


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_tar_archives_become_files_and_folders(tmp_path: Path, mode: str) -> None:
    archive = tar(
        tmp_path / "a.tar", member("set", tarfile.DIRTYPE), member("./set/deep/one"), member("two"), mode=mode
    )
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out")
    found = sorted(str(each.relative_to(tmp_path / "out")) for each in (tmp_path / "out").rglob("*"))
    assert found == ["set", "set/deep", "set/deep/one", "two"]
    assert (tmp_path / "out" / "two").read_bytes() == b"xxx"
    assert not (tmp_path / "out" / "two").stat().st_mode & 0o7022, "an archive grants itself no rights"


def test_zip_archives_and_single_files(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    unpack(zipped(tmp_path / "a.zip", "set/one", 0o100644), tmp_path / "out")
    (tmp_path / "labels.mat").write_bytes(b"m")
    unpack(tmp_path / "labels.mat", tmp_path / "out")
    assert (tmp_path / "out" / "set" / "one").read_text() == "xxx"
    assert (tmp_path / "out" / "labels.mat").read_bytes() == b"m"


@pytest.mark.parametrize(
    ("name", "kind", "link", "reason"),
    [
        ("../out.txt", tarfile.REGTYPE, "", "would lie outside"),
        ("set/../../out.txt", tarfile.REGTYPE, "", "would lie outside"),
        ("/tmp/out.txt", tarfile.REGTYPE, "", "would lie outside"),
        ("set\\..\\out.txt", tarfile.REGTYPE, "", "would lie outside"),
        ("set/link", tarfile.SYMTYPE, "/etc", "is a link"),
        ("set/link", tarfile.SYMTYPE, "../..", "is a link"),
        ("set/link", tarfile.LNKTYPE, "../../etc/passwd", "is a link"),
        ("set/pipe", tarfile.FIFOTYPE, "", "is a special file"),
        ("set/device", tarfile.CHRTYPE, "", "is a special file"),
    ],
)
def test_a_tar_cannot_reach_out_of_its_folder(tmp_path: Path, name: str, kind: bytes, link: str, reason: str) -> None:
    archive = tar(tmp_path / "a.tar", member(name, kind, link))
    (tmp_path / "in" / "out").mkdir(parents=True)
    with pytest.raises(DataError, match=reason):
        unpack(archive, tmp_path / "in" / "out")
    assert [each.name for each in tmp_path.rglob("*") if each.name not in ("in", "out", "a.tar")] == []


@pytest.mark.parametrize(
    ("name", "mode", "reason"),
    [("../x", 0o100644, "outside"), ("/x", 0, "outside"), ("link", 0o120777, "is a link"), ("p", 0o010644, "special")],
)
def test_a_zip_cannot_either(tmp_path: Path, name: str, mode: int, reason: str) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=reason):
        unpack(zipped(tmp_path / "a.zip", name, mode), tmp_path / "out")


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
def test_damaged_archives_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "out").mkdir()
    whole = tar(tmp_path / "b", *(member(f"set/{at}") for at in range(50))).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=rf"{name} is damaged: .*; delete it and fetch it again$"):
        unpack(tmp_path / name, tmp_path / "out")

"""Archives become folders, and nothing of theirs lands anywhere else."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from dragoman.datasets.archive import is_archive, unpack
from dragoman.datasets.limits import Allowance, Limits
from dragoman.domain.errors import DatasetInvalidError, SourceFailedError


def zipped(path: Path, entries: dict[str, bytes], attributes: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = attributes
            archive.writestr(entry, content)
    return path


def tarred(path: Path, *entries: tuple[str, bytes, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content, kind in entries:
            entry = tarfile.TarInfo(name)
            entry.size, entry.type, entry.linkname = len(content), kind, "/etc/passwd"
            archive.addfile(entry, io.BytesIO(content))
    return path


def unpacked(archive: Path, limits: Limits | None = None) -> Path:
    folder = archive.parent / "out"
    return unpack(archive, folder, Allowance(limits or Limits()))


def test_a_zip_is_unpacked_and_the_folder_in_it_found(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "calls", {"calls/a.wav": b"a", "calls/b/c.wav": b"c", "__MACOSX/calls/._a.wav": b""})
    assert is_archive(archive)
    folder = unpacked(archive)
    assert folder == tmp_path / "out" / "calls"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")) == ["a.wav", "b/c.wav"]


def test_a_tar_is_unpacked(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "calls.tgz", ("a.wav", b"a", tarfile.REGTYPE), ("b.wav", b"b", tarfile.REGTYPE))
    assert is_archive(archive)
    assert (unpacked(archive) / "b.wav").read_bytes() == b"b"


@pytest.mark.parametrize("name", ["../evil.wav", "/evil.wav", "a/../../evil.wav", "C:/evil.wav"])
def test_no_name_leads_outside(tmp_path: Path, name: str) -> None:
    for archive in (
        zipped(tmp_path / "a.zip", {name: b"evil"}),
        tarred(tmp_path / "a.tar", (name, b"evil", tarfile.REGTYPE)),
    ):
        with pytest.raises(DatasetInvalidError, match="no path inside"):
            unpacked(archive)
    assert not list(tmp_path.rglob("evil.wav"))


def test_links_are_refused(tmp_path: Path) -> None:
    zip_with_link = zipped(tmp_path / "a.zip", {"a.wav": b"/etc/passwd"}, attributes=0o120777 << 16)
    tars = [
        tarred(tmp_path / f"{kind!r}.tar", ("a.wav", b"", kind))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)
    ]
    for archive in (zip_with_link, *tars):
        with pytest.raises(DatasetInvalidError, match="link or a device"):
            unpacked(archive)


@pytest.mark.parametrize(
    ("limits", "says"), [(Limits(max_bytes=1_000), "--max-gb"), (Limits(max_files=1), "more than 1 files")]
)
def test_what_comes_out_is_limited(tmp_path: Path, limits: Limits, says: str) -> None:
    archive = zipped(tmp_path / "bomb.zip", {"a.wav": bytes(900), "b.wav": bytes(1_000_000)})
    with pytest.raises(SourceFailedError, match=says):
        unpacked(archive, limits)


def test_a_broken_archive_is_named_as_such(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.wav": bytes(range(256)) * 100})
    content = bytearray(archive.read_bytes())
    content[60] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(SourceFailedError, match="cannot be unpacked"):
        unpacked(archive)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "a.tar", ("a.wav", b"1", tarfile.REGTYPE), ("./a.wav", b"2", tarfile.REGTYPE))
    with pytest.raises(DatasetInvalidError, match="two files"):
        unpacked(archive)


def test_no_archive_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    assert not is_archive(tmp_path / "a.wav")
    assert not is_archive(tmp_path)

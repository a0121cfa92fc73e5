"""Checks of tar archives: layout, links, compression, trailing data."""

import gzip
import io
import random
import tarfile

import pytest

from wheelrelay.checks import ChecksConfig, Profile, inspect
from wheelrelay.testing.broken_archives import sdist_with_link
from wheelrelay.testing.samples import make_sdist, write_tar_gz


def edit(path, change):
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes())), 1))
    return path


@pytest.mark.parametrize("target", ["PKG-INFO", "src/../PKG-INFO", "./src", "nowhere"])
def test_accepts_links_inside_the_sdist(target, tmp_path, check_ids):
    assert check_ids(sdist_with_link(target)(tmp_path)) == set()


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../other", "../../etc", "src/../../x", "../sample-1.0x/y"]
)
def test_reports_links_to_the_outside(target, tmp_path, check_ids):
    assert check_ids(sdist_with_link(target)(tmp_path)) == {"sdist-link"}


def test_hard_links_are_relative_to_the_archive(tmp_path, check_ids):
    for target, expected in (("sample-1.0/PKG-INFO", set()), ("PKG-INFO", {"sdist-link"})):
        link = tarfile.TarInfo("sample-1.0/link")
        link.type, link.linkname = tarfile.LNKTYPE, target
        path = make_sdist(tmp_path)
        with tarfile.open(path) as archive:
            members = {info.name: archive.extractfile(info).read() for info in archive}
        write_tar_gz(path, {**members, link.name: link})
        assert check_ids(path) == expected


def test_paths_with_leading_dot_are_an_error_for_pypi_only(tmp_path, check_ids, findings):
    """PyPI looks for PKG-INFO in the common path of all members, which has no leading dot."""
    path = tmp_path / "sample-1.0.tar.gz"
    with tarfile.open(make_sdist(tmp_path / "original")) as archive:
        members = {f"./{info.name}": archive.extractfile(info).read() for info in archive}
    folder = tarfile.TarInfo("./sample-1.0/")
    folder.type = tarfile.DIRTYPE
    write_tar_gz(path, {folder.name: folder, **members})
    (finding,) = findings(path)
    assert finding.check == "sdist-pkg-info-path"
    assert ChecksConfig(profile=Profile.INDEX).policy().select(inspect(path).findings) == []


def test_accepts_folder_members(tmp_path, check_ids):
    path = tmp_path / "sample-1.0.tar.gz"
    with tarfile.open(make_sdist(tmp_path / "original")) as archive:
        members = {info.name: archive.extractfile(info).read() for info in archive}
    folder = tarfile.TarInfo("sample-1.0/")
    folder.type = tarfile.DIRTYPE
    write_tar_gz(path, {folder.name: folder, **members})
    assert check_ids(path) == set()


@pytest.mark.parametrize("name", ["/etc/passwd", "sample-1.0/../../x", "sample-1.0/a\\b"])
def test_reports_unsafe_paths(name, tmp_path, check_ids):
    path = tmp_path / "sample-1.0.tar.gz"
    with tarfile.open(make_sdist(tmp_path / "original")) as archive:
        members = {info.name: archive.extractfile(info).read() for info in archive}
    write_tar_gz(path, {**members, name: b""})
    assert "member-path" in check_ids(path)


def test_reports_file_outside_the_top_folder(tmp_path, findings):
    path = tmp_path / "sample-1.0.tar.gz"
    with tarfile.open(make_sdist(tmp_path / "original")) as archive:
        members = {info.name: archive.extractfile(info).read() for info in archive}
    write_tar_gz(path, {**members, "loose.txt": b""})
    (finding,) = findings(path)
    assert finding.check == "sdist-top-folder"
    assert "loose.txt" in finding.message


def test_warns_of_trailing_data(tmp_path, check_ids):
    assert check_ids(edit(make_sdist(tmp_path), lambda tar: tar + b"something else")) == {
        "sdist-trailing-data"
    }


def test_accepts_zero_padding(tmp_path, check_ids):
    assert check_ids(edit(make_sdist(tmp_path), lambda tar: tar + bytes(50_000))) == set()


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.7, -1, -9])
def test_reports_truncated_archive(kept, tmp_path, check_ids):
    path = make_sdist(tmp_path, payload=random.Random(1).randbytes(5000))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    assert check_ids(path) == {"archive-unreadable"}


def test_reports_wrong_gzip_checksum(tmp_path, check_ids):
    path = make_sdist(tmp_path)
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    assert check_ids(path) == {"archive-unreadable"}


def test_stops_reading_at_an_extreme_compression_ratio(tmp_path, check_ids):
    """Decompressing a gigabyte of zeros takes seconds, a terabyte hours."""
    path = tmp_path / "sample-1.0.tar.gz"
    with gzip.open(path, "wb", compresslevel=9) as stream:
        info = tarfile.TarInfo("sample-1.0/zeros")
        info.size = 200 << 20
        stream.write(info.tobuf())
        for _ in range(200):
            stream.write(bytes(1 << 20))
    assert check_ids(path) == {"archive-limits"}


def test_reads_bzip2_sdists(tmp_path, check_ids):
    path = tmp_path / "sample-1.0.tar.bz2"
    content = io.BytesIO(gzip.decompress(make_sdist(tmp_path / "original").read_bytes()))
    with tarfile.open(fileobj=content) as source, tarfile.open(path, "w:bz2") as archive:
        for info in source:
            archive.addfile(info, source.extractfile(info))
    assert check_ids(path) == {"sdist-format"}


def test_random_damage_causes_no_error(tmp_path):
    chance = random.Random(20260320)
    path = make_sdist(tmp_path)
    sound = gzip.decompress(path.read_bytes())
    for _ in range(300):
        content = bytearray(sound)
        for _ in range(3):
            at = chance.randrange(len(content))
            content[at : at + chance.choice([0, 1, 4])] = chance.randbytes(chance.choice([1, 4, 20]))
        path.write_bytes(gzip.compress(bytes(content[: chance.choice([len(content), at])]), 1))
        assert "check-failed" not in {finding.check for finding in inspect(path).findings}

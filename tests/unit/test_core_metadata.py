"""The metadata within an archive is read as it stands, and a broken archive has none."""

import tarfile
import zipfile

import pytest

from wheelrelay.core_metadata import (
    MAX_METADATA_SIZE,
    parse_core_metadata,
    read_core_metadata,
    requires_python,
)
from wheelrelay.testing import make_sdist, make_wheel


def test_metadata_of_a_wheel(tmp_path):
    path = make_wheel(tmp_path, metadata={"Requires-Python": ">= 3.9"})
    content = read_core_metadata(path, path.name)
    assert content == zipfile.ZipFile(path).read("sample-1.0.dist-info/METADATA")
    assert requires_python(content) == ">=3.9"


@pytest.mark.parametrize("filename", ["sample-1.0.tar.gz", "sample-1.0.tar.bz2", "sample-1.0.zip"])
def test_pkg_info_of_an_sdist(tmp_path, filename):
    inner = b"Metadata-Version: 2.1\nName: sample\nRequires-Python: >=3.9\n"
    path = tmp_path / filename
    member = tmp_path / "PKG-INFO"
    member.write_bytes(inner)
    nested = "sample-1.0/sample.egg-info/PKG-INFO"
    if filename.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(nested, b"wrong")
            archive.write(member, "sample-1.0/PKG-INFO")
    else:
        with tarfile.open(path, "w:" + filename.rpartition(".")[2]) as archive:
            archive.add(__file__, nested)
            archive.add(member, "sample-1.0/PKG-INFO")
    assert read_core_metadata(path, filename) == inner


def test_format_follows_the_filename_not_the_path(tmp_path):
    path = make_sdist(tmp_path).rename(tmp_path / "file")
    assert b"Name: sample" in read_core_metadata(path, "sample-1.0.tar.gz")


@pytest.mark.parametrize("name", ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz", "sample-1.0.zip"])
@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04broken", b"\x1f\x8bbroken"])
def test_broken_archive_has_no_metadata(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert read_core_metadata(tmp_path / name, name) is None


def test_truncated_sdist_has_no_metadata(tmp_path):
    path = make_sdist(tmp_path, payload=bytes(range(256)) * 100, files={"PKG-INFO": None})
    path.write_bytes(path.read_bytes()[:-200])
    assert read_core_metadata(path, path.name) is None


def test_archive_without_metadata(tmp_path):
    wheel = make_wheel(tmp_path, files={"sample-1.0.dist-info/METADATA": None})
    sdist = make_sdist(tmp_path, files={"PKG-INFO": None})
    assert read_core_metadata(wheel, wheel.name) is None
    assert read_core_metadata(sdist, sdist.name) is None


def test_too_large_metadata_is_ignored(tmp_path):
    huge = {"Description": "x" * MAX_METADATA_SIZE}
    wheel, sdist = make_wheel(tmp_path, metadata=huge), make_sdist(tmp_path, metadata=huge)
    assert read_core_metadata(wheel, wheel.name) is None
    assert read_core_metadata(sdist, sdist.name) is None


@pytest.mark.parametrize(
    "metadata", [None, b"", b"Name: x\n", b"Requires-Python: nonsense\n\nRequires-Python: 3"]
)
def test_invalid_requires_python_is_none(metadata):
    assert requires_python(metadata) is None


HEAD = b"Metadata-Version: 2.1\nName: sample\nVersion: 1.0\nSummary: It is large\n"


def test_large_metadata_is_parsed_like_small_metadata():
    small, large = (parse_core_metadata(HEAD + b"\n" + b"A line.\n" * count) for count in (2, 1 << 18))
    assert {**small.raw, "description": ""} == {**large.raw, "description": ""}
    assert large.raw["description"] == "A line.\n" * (1 << 18)
    assert (small.unparsed, large.unparsed) == ((), ())


def test_large_metadata_with_two_descriptions_has_no_description():
    text = HEAD + b"Description: one\n\n" + b"x" * (1 << 20)
    assert parse_core_metadata(text).unparsed == ("description",)
    assert parse_core_metadata(HEAD + b"\n\xff" + b"x" * (1 << 20)).unparsed == ("description",)


def test_deeply_nested_metadata_is_parsed_in_parts():
    parts = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(5000)
    )
    metadata = parse_core_metadata(HEAD + parts)
    assert metadata.raw["name"] == "sample"
    assert "content-type" in metadata.unparsed


def test_metadata_with_too_many_lines_is_ignored():
    metadata = parse_core_metadata(HEAD + b"a:b\n" * (1 << 19))
    assert metadata.raw == {}
    assert metadata.unparsed == ("more than 50,000 lines",)

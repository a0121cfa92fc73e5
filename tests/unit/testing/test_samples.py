"""Sample distributions: valid, installable, the same bytes each time."""

import subprocess
import sys
import tarfile
import zipfile

import pytest
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from wheelrelay.testing.samples import make_sdist, make_wheel


def install(path, target):
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target", target, path]
    subprocess.run(command, check=True, capture_output=True)


def test_wheels_are_the_same_bytes_each_time(tmp_path):
    first = make_wheel(tmp_path / "a", payload=b"data")
    assert make_wheel(tmp_path / "b", payload=b"data").read_bytes() == first.read_bytes()


def test_sdists_are_the_same_bytes_each_time_and_under_any_name(tmp_path):
    first = make_sdist(tmp_path / "a", payload=b"data")
    second = make_sdist(tmp_path / "b", payload=b"data", filename="other-1.0.tar.gz")
    assert second.read_bytes() == first.read_bytes()


def test_pip_installs_a_sample_wheel(tmp_path):
    install(make_wheel(tmp_path, "Foo.Bar", "1.0rc1", build="1abc"), tmp_path / "site")
    assert "1.0rc1" in (tmp_path / "site/foo_bar/__init__.py").read_text()


def test_pip_builds_and_installs_a_sample_sdist_without_an_index(tmp_path):
    install(make_sdist(tmp_path, "Foo.Bar", "2.0"), tmp_path / "site")
    assert "2.0" in (tmp_path / "site/foo_bar/__init__.py").read_text()


def test_filenames_are_normalised(tmp_path):
    wheel = make_wheel(tmp_path, "Foo.Bar-baz", "1!2.0", "py2.py3-none-any", build="12")
    assert parse_wheel_filename(wheel.name)[:3] == (
        "foo-bar-baz",
        parse_sdist_filename("a-1!2.tar.gz")[1],
        (12, ""),
    )
    assert make_sdist(tmp_path, "Foo.Bar-baz", "3").name == "foo_bar_baz-3.tar.gz"


def test_compressed_tags_are_expanded_in_the_wheel_file(tmp_path):
    path = make_wheel(tmp_path, tag="cp27-cp27m-macosx_10_6_intel.macosx_10_9_intel")
    with zipfile.ZipFile(path) as archive:
        text = archive.read("sample-1.0.dist-info/WHEEL").decode()
    assert "Tag: cp27-cp27m-macosx_10_6_intel\nTag: cp27-cp27m-macosx_10_9_intel\n" in text
    assert "Root-Is-Purelib: false\n" in text


def test_fields_can_be_set_repeated_and_left_out(tmp_path):
    path = make_wheel(
        tmp_path, metadata={"Requires-Dist": ["a", "b"], "Summary": None, "Description": "Hello\n"}
    )
    with zipfile.ZipFile(path) as archive:
        text = archive.read("sample-1.0.dist-info/METADATA").decode()
    assert "Requires-Dist: a\nRequires-Dist: b\n" in text
    assert "Summary" not in text
    assert text.endswith("\n\nHello\n")


@pytest.mark.parametrize(("argument", "recorded"), [("files", True), ("unrecorded", False)])
def test_members_can_be_added_with_or_without_the_record_knowing(tmp_path, argument, recorded):
    path = make_wheel(tmp_path, **{argument: {"sample/extra, odd.txt": b"x"}})
    with zipfile.ZipFile(path) as archive:
        assert archive.read("sample/extra, odd.txt") == b"x"
        assert (b'"sample/extra, odd.txt",sha256=' in archive.read("sample-1.0.dist-info/RECORD")) is recorded


def test_members_of_an_sdist_can_be_left_out(tmp_path):
    with tarfile.open(make_sdist(tmp_path, files={"backend.py": None, "a.txt": b""})) as archive:
        assert "sample-1.0/backend.py" not in archive.getnames()
        assert "sample-1.0/a.txt" in archive.getnames()

"""Indexes and interpreters for installers."""

import sys

import pytest

from wheelrelay.protocols import InstallerIndex
from wheelrelay.tools import PackageIndexes
from wheelrelay.tools.interpreters import find_interpreter

PASSWORD = "pa:ss/word"


@pytest.fixture
def private(tmp_path):
    index = InstallerIndex("https://wheels.example.org/simple/", "user", PASSWORD)
    return PackageIndexes(tmp_path, [index, InstallerIndex("https://pypi.org/simple/")])


def test_credentials_are_in_the_environment_only(private):
    command = " ".join(private.uv_arguments())

    assert "user" not in command
    assert PASSWORD not in command
    assert private.uv_variables() == {
        "UV_INDEX_INDEX1_USERNAME": "user",
        "UV_INDEX_INDEX1_PASSWORD": PASSWORD,
    }
    assert PASSWORD not in repr(private)


def test_the_first_index_has_precedence(private):
    words = private.uv_arguments()

    assert words[words.index("--index") + 1] == "index1=https://wheels.example.org/simple/"
    assert words[words.index("--default-index") + 1] == "index2=https://pypi.org/simple/"


def test_pip_gets_the_addresses_with_credentials_from_its_environment(private):
    variables = private.pip_variables()

    assert variables["PIP_INDEX_URL"] == "https://user:pa%3Ass%2Fword@wheels.example.org/simple/"
    assert variables["PIP_EXTRA_INDEX_URL"] == "https://pypi.org/simple/"


def test_without_an_index_only_folders_are_read(tmp_path):
    packages = PackageIndexes(tmp_path, [InstallerIndex(folder=tmp_path / "absent")])

    assert packages.uv_arguments() == ["--find-links", str(tmp_path), "--no-index"]
    assert packages.pip_variables()["PIP_NO_INDEX"] == "1"


def test_credentials_are_separated_from_a_url():
    index = InstallerIndex.at("https://user:p%40ss@wheels.example.org:8443/simple/")

    assert index == InstallerIndex("https://wheels.example.org:8443/simple/", "user", "p@ss")


def test_finds_this_interpreter_by_version_and_by_path(tmp_path):
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"

    for text in (version, sys.executable):
        assert find_interpreter(text, tmp_path).interpreter.label == f"CPython {version}"


@pytest.mark.parametrize("text", ["3.99", "./absent/python"])
def test_an_absent_interpreter_is_not_found(text, tmp_path):
    assert find_interpreter(text, tmp_path) is None


def test_a_program_that_is_no_interpreter_is_not_found(tmp_path):
    assert find_interpreter("/bin/true", tmp_path) is None

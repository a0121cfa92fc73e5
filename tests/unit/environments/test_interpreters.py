"""Interpreters that tags name, and the tags that they accept."""

import sys

import pytest
from packaging.tags import Tag, sys_tags

from wheelrelay.environments import Interpreter, interpreters_of
from wheelrelay.model import expanded_tags


def labels(*tags):
    return [python.label for python in interpreters_of(tag for text in tags for tag in expanded_tags(text))]


def test_accepts_the_python_tags_and_abi_tags_that_this_interpreter_accepts():
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    here, supported = Interpreter(tag, tag), list(sys_tags())
    pairs = {(tag.interpreter, tag.abi) for tag in supported if tag.platform != "any"}

    assert all(here.accepts(tag) for tag in supported)
    assert all(here.accepts(Tag(*pair, "win_amd64")) for pair in pairs)
    others = [Tag("cp39", "cp39", "any"), Tag("py2", "none", "any"), Tag("pp311", "none", "any")]
    assert not any(here.accepts(tag) for tag in others)
    assert not here.accepts(Tag(tag, f"{tag}t", "win_amd64"))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("cp312-cp312-win_amd64", ["CPython 3.12"]),
        ("cp313-cp313t-win_amd64", ["CPython 3.13t"]),
        ("cp37-cp37m-win_amd64", ["CPython 3.7"]),
        ("cp27-cp27mu-manylinux1_x86_64", ["CPython 2.7"]),
        ("cp312-none-win_amd64", ["CPython 3.12"]),
        ("cp314-abi3-win_amd64", ["CPython 3.14", "CPython 3.15"]),
        ("cp315-abi3.abi3t-win_amd64", ["CPython 3.15", "CPython 3.15t"]),
        ("pp311-pypy311_pp73-win_amd64", ["PyPy 3.11 (pp73)"]),
        ("graalpy312-graalpy250_312_native-win_amd64", ["GraalPy 3.12 (graalpy250)"]),
        ("py314-none-any", ["CPython 3.14", "CPython 3.14t", "CPython 3.15", "CPython 3.15t"]),
        ("py2-none-any", ["CPython 2.7"]),
        ("cp3.14-cp3.14-any", []),
        ("cp312-cp313-any", []),
    ],
)
def test_derives_interpreters_from_tags(tags, expected):
    assert labels(tags) == expected


def test_sorts_cpython_first_and_older_versions_first():
    tags = ("pp310-pypy310_pp73-any", "cp313-cp313t-any", "cp313-cp313-any", "cp39-cp39-any")

    assert labels(*tags) == ["CPython 3.9", "CPython 3.13", "CPython 3.13t", "PyPy 3.10 (pp73)"]


def test_a_wheel_for_a_later_python_than_the_newest_extends_a_stable_abi():
    assert "CPython 3.17" in labels("cp39-abi3-win_amd64", "cp317-cp317-win_amd64")


@pytest.mark.parametrize(
    ("requires_python", "satisfied"),
    [(">=3.9", True), (">=3.9.2", True), ("<3.9", False), ("!=3.9.*", False), (">3.9", True), ("<=3.9", True),
     (None, True), ("", True), ("not a specifier", True)],
)  # fmt: skip
def test_requires_python_is_satisfied_by_any_patch_release(requires_python, satisfied):
    assert Interpreter("cp39", "cp39").satisfies(requires_python) is satisfied

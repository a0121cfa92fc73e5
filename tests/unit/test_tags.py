"""Tag patterns: what they match, and how braces expand."""

import pytest

from wheelrelay.errors import ConfigError
from wheelrelay.filenames import dist_file
from wheelrelay.tags import TagPattern, expand_braces


def tags_of(tag):
    return dist_file(f"foo-1.0-{tag}.whl").tags


def matches(pattern, tag):
    [parsed] = TagPattern.parse(pattern)
    return parsed.matches(tags_of(tag))


@pytest.mark.parametrize(
    ("pattern", "tag"),
    [
        ("cp312-*-manylinux*", "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("cp312-*-*", "cp312-abi3-win_amd64"),
        ("cp31?-cp31?-macosx_*_arm64", "cp313-cp313-macosx_11_0_arm64"),
        ("cp3[12]?-*-*", "cp313-cp313-win32"),
        ("py3-none-any", "py2.py3-none-any"),
        ("pp310-*-*", "pp310-pypy310_pp73-win_amd64"),
        ("graalpy*-*-*", "graalpy311-graalpy242_311_native-manylinux_2_28_x86_64"),
        ("cp313-cp313t-*", "cp313-cp313t-musllinux_1_2_x86_64"),
        ("cp313-*t-*", "cp313-cp313t-musllinux_1_2_x86_64"),
        ("cp315-abi3t-*", "cp315-abi3t-win_amd64"),
        ("cp315-*-*", "cp315-abi3.abi3t-win_amd64"),
    ],
)
def test_pattern_matches(pattern, tag):
    assert matches(pattern, tag)


@pytest.mark.parametrize(
    ("pattern", "tag"),
    [
        ("cp313-*-*", "cp313-cp313t-win_amd64"),
        ("cp313-cp313?-*", "cp313-cp313t-win_amd64"),
        ("*-*-*", "cp314-cp314t-win_amd64"),
        ("cp315-*-*", "cp315-abi3t-win_amd64"),
        ("cp313-cp313t-*", "cp313-cp313-win_amd64"),
        ("cp31-*-*", "cp313-cp313-win_amd64"),
        ("cp312-*-win*", "cp312-cp312-macosx_10_9_x86_64.macosx_11_0_darwin"),
        ("cp312-*-any", "cp312-cp312-manylinux1_x86_64"),
    ],
)
def test_pattern_does_not_match(pattern, tag):
    assert not matches(pattern, tag)


def test_braces_expand_to_every_combination():
    assert expand_braces("cp{311, 312}-*-{win,macosx}*") == [
        "cp311-*-win*",
        "cp311-*-macosx*",
        "cp312-*-win*",
        "cp312-*-macosx*",
    ]
    assert [str(pattern) for pattern in TagPattern.parse("{cp3,pp3}12-*-any")] == [
        "cp312-*-any",
        "pp312-*-any",
    ]


@pytest.mark.parametrize("text", ["cp{311-*-*", "cp311}-*-*", "cp{3{11}}-*-*", "}{-*-*"])
def test_unbalanced_braces_are_refused(text):
    with pytest.raises(ConfigError, match="do not match"):
        TagPattern.parse(text)


@pytest.mark.parametrize("text", ["cp{1,2}" * 25, "{" + ",1" * 2_000 + "}"], ids=["many", "long"])
def test_number_of_combinations_is_limited(text):
    with pytest.raises(ConfigError, match="more than 1000 combinations"):
        TagPattern.parse(f"{text}-*-*")


def test_many_braces_with_one_choice_are_accepted():
    assert expand_braces("{a}" * 5_000) == ["a" * 5_000]


@pytest.mark.parametrize("text", ["", "cp312", "cp312-*", "cp312--win32", "a-b-c-d"])
def test_pattern_without_three_parts_is_refused(text):
    with pytest.raises(ConfigError, match="Write python-abi-platform"):
        TagPattern.parse(text)

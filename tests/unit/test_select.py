"""Files are chosen by requirement, by tag pattern and by kind."""

from collections.abc import Sequence

import pytest

from wheelrelay.errors import ConfigError, NothingMatched, SeveralVersions
from wheelrelay.filenames import dist_file
from wheelrelay.model import DistFile
from wheelrelay.select import (
    Selection,
    TagPattern,
    expand_braces,
    parse_requirement,
    refuse_several_versions,
    releases_of,
)


def files(*names: str) -> list[DistFile]:
    return [dist_file(name) for name in names]


def wheel(tag: str) -> DistFile:
    return dist_file(f"foo-1.0-{tag}.whl")


def versions(*versions: str) -> list[DistFile]:
    return [dist_file(f"foo-{version}.tar.gz") for version in versions]


def pick(
    there: Sequence[DistFile],
    *requirements: str,
    wheels: Sequence[str] | None = None,
    sdist: bool = True,
) -> list[str]:
    """The names of the files that are chosen."""
    patterns = None
    if wheels is not None:
        patterns = tuple(pattern for text in wheels for pattern in TagPattern.parse(text))
    selection = Selection(tuple(map(parse_requirement, requirements)), patterns, sdist)
    return [file.filename for file in selection.pick(there)]


class TestRequirements:
    @pytest.mark.parametrize("spelling", ["foo-bar", "Foo.Bar", "foo_bar", "FOO--bar"])
    def test_a_project_is_found_under_any_spelling(self, spelling: str) -> None:
        there = files("foo_bar-1.0-py3-none-any.whl", "Foo.Bar-1.0.tar.gz", "foo-1.0.tar.gz")
        assert pick(there, spelling) == ["Foo.Bar-1.0.tar.gz", "foo_bar-1.0-py3-none-any.whl"]

    @pytest.mark.parametrize(
        ("requirement", "chosen"),
        [
            ("foo==1.0", ["1.0"]),
            ("foo==1", ["1.0"]),
            ("foo==1.0.0", ["1.0"]),
            ("foo==1.2", ["1.2"]),
            ("foo==1.20", ["1.20"]),
            ("foo>=1.2", ["1.2", "1.20"]),
            ("foo~=1.2", ["1.2", "1.20"]),
            ("foo==1.*", ["1.0", "1.2", "1.20"]),
            ("foo!=1.2,<2", ["1.0", "1.20"]),
            ("foo==2.0rc1", ["2.0rc1"]),
            ("foo>=2.0rc1", ["2.0rc1"]),
            ("foo===1.20", ["1.20"]),
        ],
    )
    def test_versions_are_compared_and_not_spelled(self, requirement: str, chosen: list[str]) -> None:
        assert pick(versions("1.0", "1.2", "1.20", "2.0rc1"), requirement) == [
            f"foo-{version}.tar.gz" for version in chosen
        ]

    def test_an_epoch_counts(self) -> None:
        assert pick(versions("2020.1", "1!2.0"), "foo==1!2.0") == ["foo-1!2.0.tar.gz"]

    def test_pre_releases_are_taken_only_if_asked_for_or_alone(self) -> None:
        assert pick(versions("1.0", "2.0a1", "2.0.dev1"), "foo") == ["foo-1.0.tar.gz"]
        assert pick(versions("2.0a1"), "foo") == ["foo-2.0a1.tar.gz"]

    def test_yanked_files_are_taken_only_if_pinned(self) -> None:
        there = [dist_file("foo-1.0.tar.gz"), dist_file("foo-1.1.tar.gz", yanked="broken")]
        assert pick(there, "foo") == ["foo-1.0.tar.gz"]
        assert pick(there, "foo>=1.0") == ["foo-1.0.tar.gz"]
        assert pick(there, "foo==1.*") == ["foo-1.0.tar.gz"]
        assert pick(there) == ["foo-1.0.tar.gz"]
        assert pick(there, "foo==1.1") == ["foo-1.1.tar.gz"]

    def test_a_file_yanked_without_a_reason_is_yanked(self) -> None:
        with pytest.raises(NothingMatched, match="all yanked: pin one with =="):
            pick([dist_file("foo-1.0.tar.gz", yanked="")], "foo")

    def test_several_requirements_add_up_and_no_file_comes_twice(self) -> None:
        there = files("bar-2.0.tar.gz", "foo-1.0.tar.gz", "foo-1.1.tar.gz")
        assert pick(there, "foo>=1.0", "bar", "foo==1.1") == [file.filename for file in there]

    @pytest.mark.parametrize("text", ["foo[extra]", "foo; python_version>'3'", "foo @ https://example.org/f"])
    def test_what_does_not_choose_files_is_refused(self, text: str) -> None:
        with pytest.raises(ConfigError, match="has extras, a marker or an address"):
            parse_requirement(text)

    @pytest.mark.parametrize("text", ["", "foo=1.0", "foo bar", "==1.0", "foo-1.0-py3-none-any.whl=="])
    def test_what_is_no_requirement_is_refused(self, text: str) -> None:
        with pytest.raises(ConfigError, match=r"is not a requirement: .* Write NAME"):
            parse_requirement(text)


class TestPatterns:
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
    def test_a_pattern_takes(self, pattern: str, tag: str) -> None:
        assert pick([wheel(tag)], wheels=[pattern]) == [wheel(tag).filename]

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
    def test_a_pattern_leaves(self, pattern: str, tag: str) -> None:
        with pytest.raises(NothingMatched):
            pick([wheel(tag)], wheels=[pattern])

    def test_braces_stand_for_every_combination(self) -> None:
        assert expand_braces("cp{311, 312}-*-{win,macosx}*") == [
            "cp311-*-win*",
            "cp311-*-macosx*",
            "cp312-*-win*",
            "cp312-*-macosx*",
        ]
        assert [str(one) for one in TagPattern.parse("{cp3,pp3}12-*-any")] == ["cp312-*-any", "pp312-*-any"]

    @pytest.mark.parametrize("text", ["cp{311-*-*", "cp311}-*-*", "cp{3{11}}-*-*", "}{-*-*"])
    def test_braces_that_do_not_match_are_refused(self, text: str) -> None:
        with pytest.raises(ConfigError, match="do not match"):
            TagPattern.parse(text)

    @pytest.mark.parametrize("text", ["cp{1,2}" * 25, "{" + ",1" * 2_000 + "}"], ids=["many", "long"])
    def test_braces_have_a_limit(self, text: str) -> None:
        with pytest.raises(ConfigError, match="more than 1000 combinations"):
            TagPattern.parse(f"{text}-*-*")

    def test_many_braces_of_one_choice_are_no_trouble(self) -> None:
        assert expand_braces("{a}" * 5_000) == ["a" * 5_000]

    @pytest.mark.parametrize("text", ["", "cp312", "cp312-*", "cp312--win32", "a-b-c-d"])
    def test_a_pattern_has_three_parts(self, text: str) -> None:
        with pytest.raises(ConfigError, match="Write python-abi-platform"):
            TagPattern.parse(text)

    def test_a_pattern_leaves_sdists_alone(self) -> None:
        there = [*files("foo-1.0.tar.gz"), wheel("py3-none-any"), wheel("cp312-cp312-win32")]
        assert pick(there, wheels=["cp312-*-*"]) == ["foo-1.0-cp312-cp312-win32.whl", "foo-1.0.tar.gz"]
        assert pick(there, wheels=["cp312-*-*"], sdist=False) == ["foo-1.0-cp312-cp312-win32.whl"]
        assert pick(there, wheels=[]) == ["foo-1.0.tar.gz"]


class TestNothingMatched:
    def test_the_versions_that_are_there_are_told(self) -> None:
        with pytest.raises(
            NothingMatched, match=r"^No file matches foo==3\.0\. Of foo there is: 1\.0, 2\.0\.$"
        ):
            pick(versions("1.0", "2.0"), "foo==3.0")

    def test_the_nearest_projects_are_told(self) -> None:
        with pytest.raises(NothingMatched, match=r"The nearest there: astropy\.$"):
            pick(files("astropy-1.0.tar.gz", "numpy-1.0.tar.gz"), "astopy")

    def test_an_empty_place_is_told(self) -> None:
        with pytest.raises(NothingMatched, match=r"no file of foo there"):
            pick([], "foo")
        with pytest.raises(NothingMatched, match=r"no distribution file there"):
            pick([])

    def test_a_selection_that_leaves_nothing_is_told(self) -> None:
        with pytest.raises(NothingMatched, match=r"No file matches the selection\. The nearest there: foo\."):
            pick(versions("1.0"), sdist=False)


class TestReleases:
    def test_files_are_grouped_by_project_and_version(self) -> None:
        there = files("foo-1.0.0.tar.gz", "foo-1.0-py3-none-any.whl", "foo-1.10.tar.gz", "bar-2.tar.gz")
        assert [(one.project, str(one.version), len(one.files)) for one in releases_of(there)] == [
            ("bar", "2", 1),
            ("foo", "1.0.0", 2),
            ("foo", "1.10", 1),
        ]

    def test_one_version_of_each_project_is_a_release(self) -> None:
        refuse_several_versions(files("foo-1.0.tar.gz", "foo-1.0.0-py3-none-any.whl", "bar-2.0.tar.gz"))

    def test_several_versions_are_listed_with_what_to_ask_for(self) -> None:
        with pytest.raises(SeveralVersions, match=r"foo has 1\.0, 1\.10.*'foo==1\.10'"):
            refuse_several_versions([*versions("1.10", "1.0"), *files("bar-1.0.tar.gz")])

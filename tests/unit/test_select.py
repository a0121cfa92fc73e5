"""Selection of files by requirement and kind, and comparison with expected files."""

import pytest

from wheelrelay.errors import ConfigError, NothingMatched, SeveralVersions
from wheelrelay.filenames import dist_file
from wheelrelay.select import Selection, parse_requirement, refuse_several_versions, releases_of
from wheelrelay.tags import TagPattern


def files(*names):
    return [dist_file(name) for name in names]


def wheel(tag):
    return dist_file(f"foo-1.0-{tag}.whl")


def versions(*versions):
    return [dist_file(f"foo-{version}.tar.gz") for version in versions]


def pick(
    available,
    *requirements,
    wheels=None,
    sdist=True,
):
    """Return the names of the selected files."""
    patterns = None
    if wheels is not None:
        patterns = tuple(pattern for text in wheels for pattern in TagPattern.parse(text))
    selection = Selection(tuple(map(parse_requirement, requirements)), patterns, sdist)
    return [file.filename for file in selection.pick(available)]


class TestRequirements:
    @pytest.mark.parametrize("spelling", ["foo-bar", "Foo.Bar", "foo_bar", "FOO--bar"])
    def test_any_spelling_of_a_project_name_matches(self, spelling):
        available = files("foo_bar-1.0-py3-none-any.whl", "Foo.Bar-1.0.tar.gz", "foo-1.0.tar.gz")
        assert pick(available, spelling) == ["Foo.Bar-1.0.tar.gz", "foo_bar-1.0-py3-none-any.whl"]

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
    def test_versions_compare_by_pep_440(self, requirement, chosen):
        assert pick(versions("1.0", "1.2", "1.20", "2.0rc1"), requirement) == [
            f"foo-{version}.tar.gz" for version in chosen
        ]

    def test_epoch_is_part_of_the_version(self):
        assert pick(versions("2020.1", "1!2.0"), "foo==1!2.0") == ["foo-1!2.0.tar.gz"]

    def test_pre_releases_match_only_if_required_or_the_only_ones(self):
        assert pick(versions("1.0", "2.0a1", "2.0.dev1"), "foo") == ["foo-1.0.tar.gz"]
        assert pick(versions("2.0a1"), "foo") == ["foo-2.0a1.tar.gz"]

    def test_yanked_files_match_only_pinned_requirements(self):
        available = [dist_file("foo-1.0.tar.gz"), dist_file("foo-1.1.tar.gz", yanked="broken")]
        assert pick(available, "foo") == ["foo-1.0.tar.gz"]
        assert pick(available, "foo>=1.0") == ["foo-1.0.tar.gz"]
        assert pick(available, "foo==1.*") == ["foo-1.0.tar.gz"]
        assert pick(available) == ["foo-1.0.tar.gz"]
        assert pick(available, "foo==1.1") == ["foo-1.1.tar.gz"]

    def test_file_yanked_without_a_reason_counts_as_yanked(self):
        with pytest.raises(NothingMatched, match="all yanked: pin one with =="):
            pick([dist_file("foo-1.0.tar.gz", yanked="")], "foo")

    def test_several_requirements_add_up_without_duplicates(self):
        available = files("bar-2.0.tar.gz", "foo-1.0.tar.gz", "foo-1.1.tar.gz")
        assert pick(available, "foo>=1.0", "bar", "foo==1.1") == [file.filename for file in available]

    @pytest.mark.parametrize("text", ["foo[extra]", "foo; python_version>'3'", "foo @ https://example.org/f"])
    def test_requirement_with_extras_marker_or_url_is_refused(self, text):
        with pytest.raises(ConfigError, match="has extras, a marker or a URL"):
            parse_requirement(text)

    @pytest.mark.parametrize("text", ["", "foo=1.0", "foo bar", "==1.0", "foo-1.0-py3-none-any.whl=="])
    def test_invalid_requirement_is_refused(self, text):
        with pytest.raises(ConfigError, match=r"is not a requirement: .* Write NAME"):
            parse_requirement(text)


class TestKinds:
    def test_patterns_do_not_apply_to_sdists(self):
        available = [*files("foo-1.0.tar.gz"), wheel("py3-none-any"), wheel("cp312-cp312-win32")]
        assert pick(available, wheels=["cp312-*-*"]) == ["foo-1.0-cp312-cp312-win32.whl", "foo-1.0.tar.gz"]
        assert pick(available, wheels=["cp312-*-*"], sdist=False) == ["foo-1.0-cp312-cp312-win32.whl"]
        assert pick(available, wheels=[]) == ["foo-1.0.tar.gz"]


class TestNothingMatched:
    def test_hint_lists_the_available_versions(self):
        with pytest.raises(
            NothingMatched, match=r"^No file matches foo==3\.0\. Available versions of foo: 1\.0, 2\.0\.$"
        ):
            pick(versions("1.0", "2.0"), "foo==3.0")

    def test_hint_suggests_similar_projects(self):
        with pytest.raises(NothingMatched, match=r"Did you mean: astropy\?$"):
            pick(files("astropy-1.0.tar.gz", "numpy-1.0.tar.gz"), "astopy")

    def test_message_for_an_empty_remote(self):
        with pytest.raises(NothingMatched, match=r"No files of foo found\."):
            pick([], "foo")
        with pytest.raises(NothingMatched, match=r"No distribution files found\."):
            pick([])

    def test_message_for_a_selection_without_requirements(self):
        with pytest.raises(NothingMatched, match=r"No file matches the selection\. Available: foo\."):
            pick(versions("1.0"), sdist=False)


class TestReleases:
    def test_releases_group_files_by_project_and_version(self):
        available = files("foo-1.0.0.tar.gz", "foo-1.0-py3-none-any.whl", "foo-1.10.tar.gz", "bar-2.tar.gz")
        assert [
            (release.project, str(release.version), len(release.files)) for release in releases_of(available)
        ] == [
            ("bar", "2", 1),
            ("foo", "1.0.0", 2),
            ("foo", "1.10", 1),
        ]

    def test_one_version_of_each_project_is_accepted(self):
        refuse_several_versions(files("foo-1.0.tar.gz", "foo-1.0.0-py3-none-any.whl", "bar-2.0.tar.gz"))

    def test_several_versions_are_listed_with_an_example_requirement(self):
        with pytest.raises(SeveralVersions, match=r"foo has 1\.0, 1\.10.*'foo==1\.10'"):
            refuse_several_versions([*versions("1.10", "1.0"), *files("bar-1.0.tar.gz")])

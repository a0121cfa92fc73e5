"""Filenames are parsed as the specifications say, and every odd one is refused."""

import pytest

from wheelrelay.errors import InvalidFilename
from wheelrelay.filenames import (
    dist_file,
    is_plain,
    looks_like_distribution,
    parse_filename,
    split_companion,
)
from wheelrelay.model import Kind


@pytest.mark.parametrize(
    ("filename", "project", "version"),
    [
        ("foo-1.0-1-py3-none-any.whl", "foo", "1.0"),
        ("foo-1.0-123-py3-none-any.whl", "foo", "1.0"),
        ("foo-1.0-1abc-py3-none-any.whl", "foo", "1.0"),
        ("foo-1.0-py2.py3-none-any.whl", "foo", "1.0"),
        ("foo-1.0-cp27-cp27mu-manylinux1_x86_64.manylinux2010_x86_64.whl", "foo", "1.0"),
        ("foo-1.0-cp313-cp313t-musllinux_1_2_x86_64.whl", "foo", "1.0"),
        ("foo-1.0-pp310-pypy310_pp73-win_amd64.whl", "foo", "1.0"),
        ("foo-1.0-graalpy311-graalpy242_311_native-manylinux_2_28_x86_64.whl", "foo", "1.0"),
        ("foo-1.0-cp312-cp312-macosx_11_0_universal2.whl", "foo", "1.0"),
        ("Foo.Bar-1.0-py3-none-any.whl", "foo-bar", "1.0"),
        ("foo_bar-1.0-py3-none-any.whl", "foo-bar", "1.0"),
        ("foo-1.20-py3-none-any.whl", "foo", "1.20"),
        ("foo-1.0rc1-py3-none-any.whl", "foo", "1.0rc1"),
        ("foo-1.0.post2-py3-none-any.whl", "foo", "1.0.post2"),
        ("foo-1.0.dev3-py3-none-any.whl", "foo", "1.0.dev3"),
        ("foo-1!2.0-py3-none-any.whl", "foo", "1!2.0"),
        ("foo-1.0+cpu.1-py3-none-any.whl", "foo", "1.0+cpu.1"),
        ("foo-1.0+local_one-py3-none-any.whl", "foo", "1.0+local.one"),
    ],
)
def test_wheel_filename_is_parsed(filename, project, version):
    assert (*map(str, parse_filename(filename)),) == (project, version, Kind.WHEEL)


@pytest.mark.parametrize(
    ("filename", "project", "version"),
    [
        ("foo-1.0.tar.gz", "foo", "1.0"),
        ("foo-bar-1.0.tar.gz", "foo-bar", "1.0"),
        ("Foo.Bar-1.0.zip", "foo-bar", "1.0"),
        ("foo_bar-1.0.tar.bz2", "foo-bar", "1.0"),
        ("foo-1.0.tgz", "foo", "1.0"),
        ("foo-1!2.0.tar.gz", "foo", "1!2.0"),
        ("foo-1.0+local.tar.gz", "foo", "1.0+local"),
        ("foo-1.0.0rc1.tar.gz", "foo", "1.0.0rc1"),
    ],
)
def test_sdist_filename_is_parsed(filename, project, version):
    assert (*map(str, parse_filename(filename)),) == (project, version, Kind.SDIST)


def test_project_resolves_an_ambiguous_sdist_filename():
    assert str(parse_filename("foo-1.0-1.tar.gz", project="Foo").version) == "1.0.post1"
    assert parse_filename("foo-1.0-1.tar.gz").project == "foo-1-0"
    assert parse_filename("foo-bar-1.0.tar.gz", project="foo").project == "foo-bar"


def test_project_must_match_the_whole_name():
    assert parse_filename("foo-1.0.tar.gz").project != parse_filename("foo-bar-1.0.tar.gz").project


@pytest.mark.parametrize(
    "filename",
    [
        "foo-1.0-py3-none-any",
        "foo-1.0.exe",
        "foo-1.0-py3.whl",
        "foo-1.0-x-py3-none-any.whl",
        "foo-not.a.version-py3-none-any.whl",
        "foo-banana.tar.gz",
        "foo.tar.gz",
        ".whl",
        "",
        "_-1.0-py3-none-any.whl",
        "_foo-1.0-py3-none-any.whl",
        "foo_-1.0.tar.gz",
        "f\N{LATIN SMALL LETTER O WITH DIAERESIS}o-1.0.tar.gz",
    ],
)
def test_other_filenames_are_refused(filename):
    with pytest.raises(InvalidFilename):
        parse_filename(filename)


@pytest.mark.parametrize(
    "filename",
    [
        "../foo-1.0.tar.gz",
        "/foo-1.0.tar.gz",
        "a/foo-1.0.tar.gz",
        "a\\foo-1.0.tar.gz",
        "C:foo-1.0.tar.gz",
        ".foo-1.0.tar.gz",
        "-foo-1.0.tar.gz",
        "~foo-1.0.tar.gz",
        " foo-1.0.tar.gz",
        "foo-1.0.tar.gz\n",
        "foo\x00-1.0.tar.gz",
        "foo\x1b[31m-1.0.tar.gz",
        "foo\N{RIGHT-TO-LEFT OVERRIDE}-1.0.tar.gz",
        "..",
    ],
)
def test_unsafe_names_are_refused(filename):
    assert not is_plain(filename)
    with pytest.raises(InvalidFilename, match="not a plain filename"):
        parse_filename(filename)


def test_dist_file_combines_filename_and_declared_values():
    file = dist_file("foo_bar-1.0-2-cp27.cp36-none-win32.whl", size=7, yanked="", companions=(".asc",))
    assert (file.project, str(file.version), file.size, file.yanked) == ("foo-bar", "1.0", 7, "")
    assert {str(tag) for tag in file.tags} == {"cp27-none-win32", "cp36-none-win32"}
    assert file.build_tag == (2, "")
    assert file.sha256 is None


def test_sdist_has_no_tags_and_no_build_tag():
    file = dist_file("foo-1.0.tar.gz")
    assert (file.tags, file.build_tag) == (frozenset(), ())


@pytest.mark.parametrize("suffix", [".asc", ".sigstore", ".publish.attestation", ".slsa.attestation"])
def test_companion_name_is_split(suffix):
    assert split_companion(f"foo-1.0.tar.gz{suffix}") == ("foo-1.0.tar.gz", suffix)
    assert split_companion(f"notes.txt{suffix}") is None


@pytest.mark.parametrize("filename", ["foo-1.0.tar.gz", "foo-1.0-py3-none-any.whl.metadata", "index.json"])
def test_other_names_are_not_companions(filename):
    assert split_companion(filename) is None


def test_invalid_distribution_names_are_recognized():
    assert looks_like_distribution("foo_1.0.whl")
    assert not looks_like_distribution("foo-1.0.tar.gz.asc")


@pytest.mark.parametrize(
    ("name", "build", "variant"),
    [
        ("sample-1.0-cp313-cp313-manylinux_2_28_x86_64-cu130.whl", (), "cu130"),
        ("sample-1.0-2b-cp313-cp313-manylinux_2_28_x86_64-x86_64_v3.whl", (2, "b"), "x86_64_v3"),
        ("sample-1.0-2-cp313-cp313-manylinux_2_28_x86_64.whl", (2, ""), ""),
        ("sample-1.0-cp313-cp313-manylinux_2_28_x86_64.whl", (), ""),
    ],
)
def test_variant_wheel_has_a_label_after_its_platform(name, build, variant):
    """PEP 825; a build tag begins with a digit, so that the two cannot be confused."""
    file = dist_file(name)
    assert (file.build_tag, file.variant) == (build, variant)
    assert [str(tag) for tag in file.tags] == ["cp313-cp313-manylinux_2_28_x86_64"]


@pytest.mark.parametrize(
    "rest",
    [
        "py3-none-any (1)",
        "py3-none-any copy",
        "py3-none-any[1]",
        "py3-none-any~",
        "1 (2)-py3-none-any",
        "1~-py3-none-any",
        "a1-py3-none-any",
        "noavx-cp313-cp313-win_amd64",
        "cp313-cp313-win_amd64-Upper",
        "cp313-cp313-win_amd64-" + "x" * 17,
        "cp313-cp313-win_amd64-one-two",
        ".".join(["py3"] * 40) + "-" + ".".join(["none"] * 40) + "-any",
    ],
)
def test_invalid_tags_are_refused(rest):
    with pytest.raises(InvalidFilename):
        parse_filename(f"sample-1.0-{rest}.whl")


def test_invalid_python_tag_is_left_to_the_checks():
    assert {str(tag) for tag in dist_file("sample-1.0-cp3.14-none-any.whl").tags} == {
        "cp3-none-any",
        "14-none-any",
    }

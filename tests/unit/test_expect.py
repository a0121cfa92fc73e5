"""Expected files: which are missing from a release, and which are unexpected."""

import pytest

from wheelrelay.errors import ConfigError
from wheelrelay.expect import Expected, expected_wheels, from_build_identifiers
from wheelrelay.filenames import dist_file


def release(*tags, sdist=False):
    wheels = [dist_file(f"sample-1.0-{tag}.whl") for tag in tags]
    return [*wheels, dist_file("sample-1.0.tar.gz")] if sdist else wheels


def test_each_choice_in_braces_is_a_separate_expectation():
    expected = Expected(wheels=expected_wheels(["cp{311,312}-*-manylinux*_x86_64"]))
    files = release("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64")
    assert expected.missing_from(files) == ["cp312-*-manylinux*_x86_64"]


def test_free_threaded_wheel_does_not_meet_the_expectation_of_a_gil_wheel():
    expected = Expected(wheels=expected_wheels(["cp314-*-win_amd64"]))
    files = release("cp314-cp314t-win_amd64")
    assert expected.missing_from(files) == ["cp314-*-win_amd64"]
    assert expected.unexpected_in(files) == ["sample-1.0-cp314-cp314t-win_amd64.whl"]


def test_free_threaded_wheel_meets_an_explicit_free_threaded_pattern():
    expected = Expected(wheels=expected_wheels(["cp314-cp314t-win_amd64"]))
    assert not expected.missing_from(release("cp314-cp314t-win_amd64"))
    assert expected.missing_from(release("cp314-cp314-win_amd64"))


@pytest.mark.parametrize("python", ["cp39", "cp311", "cp314"])
def test_abi3_wheel_meets_expectations_of_later_pythons_on_its_platform(python):
    expected = Expected(wheels=expected_wheels([f"{python}-*-win_amd64"]))
    assert not expected.missing_from(release("cp39-abi3-win_amd64"))


@pytest.mark.parametrize(
    "pattern", ["cp38-*-win_amd64", "cp311-*-win_arm64", "cp314-cp314t-win_amd64", "pp311-*-win_amd64"]
)
def test_abi3_wheel_does_not_meet_expectations_of_other_pythons_or_platforms(pattern):
    expected = Expected(wheels=expected_wheels([pattern]))
    assert expected.missing_from(release("cp39-abi3-win_amd64")) == [pattern]


def test_pure_wheel_meets_all_expectations():
    expected = Expected(wheels=expected_wheels(["cp{311,312}-*-{win32,manylinux*_x86_64}"]))
    assert not expected.missing_from(release("py3-none-any"))
    assert not expected.missing_from(release("py2.py3-none-any"))


def test_py3_none_wheel_meets_all_expectations_of_its_platform():
    expected = Expected(wheels=expected_wheels(["cp312-*-win32", "cp312-*-win_amd64"]))
    assert expected.missing_from(release("py3-none-win32")) == ["cp312-*-win_amd64"]


def test_sdist_can_be_required_forbidden_or_optional():
    wheels = release("py3-none-any")
    with_sdist = release("py3-none-any", sdist=True)
    assert Expected(sdist=True).missing_from(wheels) == ["sdist"]
    assert not Expected(sdist=True).missing_from(with_sdist)
    assert Expected(sdist=False).unexpected_in(with_sdist) == ["sample-1.0.tar.gz"]
    assert not Expected().unexpected_in(with_sdist)


def test_count_reports_too_few_and_too_many_files():
    files = release("cp311-cp311-win32", "cp312-cp312-win32")
    assert Expected(count=3).missing_from(files) == ["1 of 3 files"]
    assert Expected(count=1).unexpected_in(files) == ["1 files more than 1"]
    assert not Expected(count=2).missing_from(files)
    assert not Expected(count=2).unexpected_in(files)


IDENTIFIERS = """
# gathered from all builds
cp312-manylinux_x86_64
cp313t-musllinux_aarch64
cp312-macosx_arm64
cp312-win32
pp310-macosx_x86_64
gp311_242-manylinux_x86_64
cp313-ios_arm64_iphoneos
"""


def test_build_identifiers_ignore_the_version_in_platform_tags():
    expected = Expected(wheels=from_build_identifiers(IDENTIFIERS))
    files = release(
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp313-cp313t-musllinux_1_2_aarch64",
        "cp312-cp312-macosx_11_0_arm64",
        "cp312-cp312-win32",
        "pp310-pypy310_pp73-macosx_10_15_x86_64",
        "graalpy311-graalpy242_311_native-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp313-cp313-ios_13_0_arm64_iphoneos",
    )
    assert expected.missing_from(files) == []
    assert expected.unexpected_in(files) == []


def test_unrepaired_linux_wheel_does_not_meet_a_manylinux_identifier():
    expected = Expected(wheels=from_build_identifiers("cp312-manylinux_x86_64"))
    assert expected.missing_from(release("cp312-cp312-linux_x86_64")) == ["cp312-manylinux_x86_64"]


def test_invalid_build_identifier_is_named_in_the_error():
    with pytest.raises(ConfigError, match="'cp312 manylinux' is not a build identifier"):
        from_build_identifiers("cp312 manylinux")


@pytest.mark.parametrize("inside", ["\u2028", "\x85", "\v", "\x1c"])
def test_only_line_feeds_separate_build_identifiers(inside):
    with pytest.raises(ConfigError, match="is not a build identifier"):
        from_build_identifiers(f"cp312-manylinux_x86_64{inside}cp313-manylinux_x86_64\n")


@pytest.mark.parametrize(
    "pattern", ["cp313-cp313t*-win_amd64", "cp313-*t-win_amd64", "cp313-cp313[t]-win_amd64"]
)
def test_abi3_wheel_never_meets_a_free_threaded_expectation(pattern):
    expected = Expected(wheels=expected_wheels([pattern]))
    assert expected.missing_from(release("cp39-abi3-win_amd64")) == [pattern]


@pytest.mark.parametrize(
    "tag", ["cp315-abi3.abi3t-win_amd64", "cp315-abi3t-win_amd64", "cp315-abi2026-win_amd64"]
)
def test_free_threaded_stable_abi_meets_expectations_of_later_free_threaded_pythons(tag):
    expected = Expected(wheels=expected_wheels(["cp316-cp316t-*", "cp315-cp315t-win_amd64"]))
    assert expected.missing_from(release(tag)) == []
    assert expected.unexpected_in(release(tag)) == []
    older = Expected(wheels=expected_wheels(["cp314-cp314t-win_amd64"]))
    assert older.missing_from(release(tag)) == ["cp314-cp314t-win_amd64"]


@pytest.mark.parametrize(
    ("tag", "missing"),
    [
        ("cp315-abi3.abi3t-win_amd64", []),
        ("cp315-abi2026-win_amd64", []),
        ("cp315-abi3t-win_amd64", ["cp316-*-win_amd64"]),
    ],
)
def test_abi3t_wheel_does_not_meet_expectations_of_gil_pythons(tag, missing):
    expected = Expected(wheels=expected_wheels(["cp316-*-win_amd64"]))
    assert expected.missing_from(release(tag)) == missing


def test_build_identifiers_of_macos_mean_one_architecture():
    names = ["cp313-macosx_arm64", "cp313-macosx_x86_64", "cp313-macosx_universal2"]
    expected = Expected(wheels=from_build_identifiers("\n".join(names)))
    tags = [
        "cp313-cp313-macosx_11_0_arm64",
        "cp313-cp313-macosx_10_13_x86_64",
        "cp313-cp313-macosx_10_13_universal2",
    ]
    assert expected.missing_from(release(*tags)) == []
    for name, tag in zip(names, tags, strict=True):
        assert expected.missing_from(release(*(other for other in tags if other != tag))) == [name]


def test_universal2_wheel_is_unexpected_where_an_architecture_is_expected():
    expected = Expected(wheels=from_build_identifiers("cp313-macosx_arm64"))
    files = release("cp313-cp313-macosx_11_0_arm64", "cp313-cp313-macosx_11_0_universal2")
    assert expected.unexpected_in(files) == ["sample-1.0-cp313-cp313-macosx_11_0_universal2.whl"]


@pytest.mark.parametrize("general", ["cp39-abi3-win_amd64", "py3-none-win_amd64", "py3-none-any"])
def test_general_wheel_that_is_expected_hides_no_missing_wheel(general):
    expected = Expected(wheels=expected_wheels([general, "cp313-*-win_amd64"]))
    assert expected.missing_from(release(general, "cp313-cp313-win_amd64")) == []
    assert expected.missing_from(release(general)) == ["cp313-*-win_amd64"]
    assert expected.missing_from(release("cp313-cp313-win_amd64")) == [general]


def test_variant_wheel_is_never_unexpected_and_meets_no_expectation():
    """Installers that do not know variants do not use it (PEP 825)."""
    expected = Expected(wheels=expected_wheels(["cp313-*-win_amd64"]))
    variant = release("cp313-cp313-win_amd64-cu130")
    assert expected.missing_from(variant) == ["cp313-*-win_amd64"]
    assert expected.unexpected_in(variant) == []
    assert expected.missing_from([*variant, *release("cp313-cp313-win_amd64")]) == []

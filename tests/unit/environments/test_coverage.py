"""What two releases have a wheel for."""

import pytest
from packaging.version import Version

from wheelrelay.environments import (
    Choice,
    compare_coverage,
    coverage_of,
    describe_environments,
    earlier_release,
)
from wheelrelay.filenames import dist_file
from wheelrelay.select import releases_of


def release(version, *tags, requires_python=None, sdist=True):
    names = [f"sample-{version}-{tag}.whl" for tag in tags]
    names += [f"sample-{version}.tar.gz"] if sdist else []
    return [dist_file(name, requires_python=requires_python) for name in names]


def described(changes):
    return describe_environments((change.interpreter, change.platform) for change in changes)


def test_a_missing_wheel_is_lost_to_the_sdist():
    comparison = compare_coverage(
        release("1.0", "cp312-cp312-win_amd64", "cp313-cp313-win_amd64"),
        release("1.1", "cp313-cp313-win_amd64"),
    )

    assert described(comparison.lost) == "CPython 3.12 on Windows amd64"
    assert comparison.lost[0].after.choice is Choice.SDIST


def test_a_missing_wheel_without_an_sdist_is_lost_to_an_older_release():
    comparison = compare_coverage(
        release("1.0", "cp312-cp312-win_amd64"), release("1.1", "cp313-cp313-win_amd64", sdist=False)
    )

    assert comparison.lost[0].after.choice is Choice.NOTHING


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["cp312-cp312-win_amd64", "cp313-cp313-win_amd64"], ["cp39-abi3-win_amd64"]),
        (["cp39-abi3-win_amd64"], ["cp39-abi3-win_amd64", "cp313-cp313-win_amd64"]),
        (["cp312-cp312-macosx_11_0_arm64"], ["cp312-cp312-macosx_10_9_universal2"]),
        (["cp312-cp312-manylinux2014_x86_64"], ["cp312-cp312-manylinux_2_17_x86_64"]),
        (["cp312-cp312-linux_x86_64"], ["cp312-cp312-manylinux_2_28_x86_64"]),
        (["cp312-cp312-win32", "cp313-cp313t-any"], ["py3-none-any"]),
        (["py2.py3-none-any"], ["py2-none-any", "py3-none-any"]),
        (["pp311-pypy311_pp73-win_amd64"], ["py3-none-win_amd64"]),
    ],
)
def test_a_wheel_with_other_tags_keeps_an_environment(before, after):
    comparison = compare_coverage(release("1.0", *before), release("1.1", *after))

    assert not comparison.lost
    assert not comparison.excluded
    assert not comparison.raised


def test_a_stable_abi_keeps_later_pythons_but_not_free_threaded_ones():
    comparison = compare_coverage(
        release("1.0", "cp313-cp313-win32", "cp313-cp313t-win32"), release("1.1", "cp310-abi3-win32")
    )

    assert described(comparison.lost) == "CPython 3.13t on Windows x86"


def test_separate_wheels_instead_of_a_stable_abi_lose_the_newest_python():
    comparison = compare_coverage(
        release("1.0", "cp313-abi3-win32"), release("1.1", "cp313-cp313-win32", "cp314-cp314-win32")
    )

    assert described(comparison.lost) == "CPython 3.15 on Windows x86"


def test_universal2_replaced_by_arm64_loses_the_other_architecture():
    comparison = compare_coverage(
        release("1.0", "cp313-cp313-macosx_10_13_universal2"), release("1.1", "cp313-cp313-macosx_11_0_arm64")
    )

    assert described(comparison.lost) == "CPython 3.13 on macOS x86_64"


def test_a_later_glibc_is_raised_and_not_lost():
    comparison = compare_coverage(
        release("1.0", "cp313-cp313-manylinux_2_17_x86_64"),
        release("1.1", "cp313-cp313-manylinux_2_28_x86_64"),
    )

    (change,) = comparison.raised
    assert (change.before.minimum, change.after.minimum) == ("glibc 2.17", "glibc 2.28")
    assert change.after.otherwise is Choice.SDIST
    assert not comparison.lost


def test_a_second_wheel_for_older_systems_keeps_them():
    comparison = compare_coverage(
        release("1.0", "cp313-cp313-manylinux_2_17_x86_64"),
        release("1.1", "cp313-cp313-manylinux_2_28_x86_64", "cp313-cp313-manylinux2014_x86_64"),
    )

    assert not comparison.changes


def test_a_later_macos_is_not_raised_where_python_needs_it():
    tags = [f"cp{python}-cp{python}-macosx_10_{{}}_x86_64" for python in (311, 314)]
    comparison = compare_coverage(
        release("1.0", *(tag.format(9) for tag in tags)), release("1.1", *(tag.format(15) for tag in tags))
    )

    assert described(comparison.raised) == "CPython 3.11 on macOS x86_64"


def test_a_python_that_requires_python_excludes_is_not_lost():
    comparison = compare_coverage(
        release("1.0", "cp39-abi3-win32", requires_python=">=3.9"),
        release("1.1", "cp310-abi3-win32", requires_python=">=3.10"),
    )

    assert not comparison.lost
    assert described(comparison.excluded) == "CPython 3.9 on Windows x86"
    assert not comparison.excluded_newer


def test_a_newer_python_that_requires_python_excludes_is_reported_apart():
    comparison = compare_coverage(
        release("1.0", "py3-none-any", requires_python=">=3.13"),
        release("1.1", "py3-none-any", requires_python=">=3.13,<3.15"),
    )

    assert described(comparison.excluded_newer) == "CPython 3.15 and 3.15t on any platform"


def test_binary_wheels_instead_of_a_pure_one_lose_other_platforms():
    comparison = compare_coverage(
        release("1.0", "py315-none-any"), release("1.1", "cp315-cp315-win_amd64", "cp315-cp315t-win_amd64")
    )

    assert described(comparison.lost) == "CPython 3.15 and 3.15t on other platforms"


def test_old_free_threaded_and_pypy_interpreters_are_retired():
    tags = [
        "cp313-cp313t-win32",
        "pp310-pypy310_pp73-win32",
        "cp312-cp312-win32",
        "graalpy311-graalpy242_311_native-win32",
    ]
    newer = ["cp314-cp314t-win32", "pp311-pypy311_pp73-win32", "cp314-cp314-win32"]
    comparison = compare_coverage(release("1.0", *tags), release("1.1", *newer))

    assert sorted(python.tag for python in comparison.retired) == ["cp313", "pp310"]


def test_variant_wheels_count_for_no_environment():
    assert not coverage_of(release("1.0", "cp313-cp313-win_amd64-cu129"))


def test_an_interpreter_with_all_its_platforms_is_described_by_their_number():
    platforms = ("win32", "win_amd64", "win_arm64", "musllinux_1_2_x86_64")
    before = release(
        "1.0",
        *(f"{python}-{platform}" for python in ("cp313-cp313", "cp312-cp312") for platform in platforms),
    )
    comparison = compare_coverage(before, release("1.1", "cp312-cp312-win32", "cp312-cp312-win_arm64"))
    lost = [(change.interpreter, change.platform) for change in comparison.lost]

    assert (
        describe_environments(lost, comparison.before)
        == "CPython 3.13 on all 4 platforms; CPython 3.12 on musllinux x86_64 and Windows amd64"
    )


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.1", "2.0"), ("2.0", "1.9"), ("2.2rc1", "2.1.dev1"), ("1.9", "1.8rc1"), ("1.8rc1", None)],
)
def test_finds_the_earlier_release(version, expected):
    files = [
        *(dist_file(f"sample-{listed}.tar.gz") for listed in ("1.8rc1", "1.9", "2.0", "2.1.dev1")),
        dist_file("sample-2.0.1.tar.gz", yanked="broken"),
    ]

    earlier = earlier_release(releases_of(files), Version(version))
    assert (str(earlier.version) if earlier else None) == expected

"""The last releases of real projects: where a release lost an environment, and where none did."""

import pytest
from tests.unit.environments.published import published_releases

from wheelrelay.environments import compare_coverage, describe_environments, earlier_release

NOTHING_LOST = ["numpy", "astropy", "aiohttp", "ruff", "requests"]

PARTLY_PUBLISHED = (
    "CPython 3.14t, 3.15 and 3.15t on all 15 platforms; GraalPy 3.11 (graalpy242) and 3.12 (graalpy250), "
    "PyPy 3.11 (pp80) on all 4 platforms; PyPy 3.11 (pp73) on all 8 platforms; CPython 3.14 on manylinux "
    "riscv64, manylinux x86_64, musllinux aarch64, musllinux armv7l, musllinux x86_64, Windows x86, "
    "Windows amd64, Windows arm64 and Pyodide wasm32"
)


def changes(project):
    releases = published_releases(project)
    for release in releases:
        earlier = earlier_release(releases, release.version)
        if earlier:
            yield str(release.version), compare_coverage(earlier.files, release.files)


def described(changes, comparison):
    return describe_environments(
        ((change.interpreter, change.platform) for change in changes), comparison.before
    )


@pytest.mark.parametrize("project", NOTHING_LOST)
def test_the_last_ten_releases_lost_nothing(project):
    comparisons = list(changes(project))[-10:]

    assert len(comparisons) == 10
    for version, comparison in comparisons:
        lost = {change.interpreter for change in comparison.lost} - comparison.retired
        assert not lost, version
        assert not comparison.raised, version
        assert not comparison.excluded_newer, version


@pytest.mark.parametrize(
    ("project", "version", "expected"),
    [
        (
            "cryptography",
            "49.0.0",
            "CPython 3.9, 3.10, 3.11, 3.12, 3.13, 3.14, 3.14t and 3.15 on macOS x86_64 and Windows x86",
        ),
        (
            "tornado",
            "6.5.5",
            "CPython 3.9, 3.10, 3.11, 3.12, 3.13, 3.14 and 3.15 on manylinux i686 and musllinux i686",
        ),
        ("pandas", "3.0.4", "CPython 3.13t on all 7 platforms"),
        ("pydantic-core", "2.50.3", PARTLY_PUBLISHED),
    ],
)
def test_finds_the_environments_that_a_release_lost(project, version, expected):
    comparison = dict(changes(project))[version]

    assert described(comparison.lost, comparison) == expected


@pytest.mark.parametrize(
    ("project", "version", "expected"),
    [
        ("scipy", "1.17.0", ("glibc 2.17", "glibc 2.27")),
        ("pandas", "2.3.3", ("glibc 2.17", "glibc 2.24")),
        ("scipy", "1.16.0", ("macOS 10.13", "macOS 10.14")),
    ],
)
def test_finds_the_older_systems_that_a_release_lost(project, version, expected):
    raised = dict(changes(project))[version].raised

    assert {(change.before.minimum, change.after.minimum) for change in raised} == {expected}


def test_a_release_excluded_an_old_python_on_purpose():
    comparison = dict(changes("numpy"))["2.5.0"]

    assert {change.interpreter.label for change in comparison.excluded} == {
        "CPython 3.11",
        "PyPy 3.11 (pp73)",
    }
    assert {python.label for python in comparison.retired} == {"CPython 3.13t"}

"""Checks of a release against the newest earlier one at its sink."""

import pytest
from packaging.version import Version
from tests.unit.environments.published import published_releases

from wheelrelay.checks import ChecksConfig, Inspection, Profile, ReleaseContext, run_release_checks
from wheelrelay.environments import earlier_release
from wheelrelay.records import Severity

INDEX = ChecksConfig(profile=Profile.INDEX).policy()
NOTHING_LOST = ["numpy", "astropy", "aiohttp", "ruff", "requests"]


def findings_about(project, version, policy=INDEX, *, is_whole_release=True, sink_has=lambda filename: False):
    """Check a real release as if it were published now."""
    releases = published_releases(project)
    files = next(release.files for release in releases if str(release.version) == version)
    published = [file for release in releases if release.version < Version(version) for file in release.files]
    published += [file for file in files if sink_has(file.filename)]
    inspections = [
        Inspection(file.filename, 1, str(index), file=file, requires_python=file.requires_python)
        for index, file in enumerate(files)
        if not sink_has(file.filename)
    ]
    context = ReleaseContext(tuple(published), is_whole_release=is_whole_release)
    return run_release_checks(inspections, context, policy=policy)


def versions_of(project):
    releases = published_releases(project)
    versions = [release.version for release in releases if earlier_release(releases, release.version)]
    return [str(version) for version in versions[-10:]]


@pytest.mark.parametrize("project", NOTHING_LOST)
def test_the_last_ten_releases_of_a_project_have_no_findings(project):
    versions = versions_of(project)

    assert len(versions) == 10
    assert [version for version in versions if findings_about(project, version)] == []


def test_environments_without_a_wheel_are_one_warning_that_lists_them():
    (finding,) = findings_about("cryptography", "49.0.0")

    assert finding.check == "coverage-wheels"
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "49.0.0 has no wheel, and 48.0.1 has one, for CPython 3.9, 3.10, 3.11, 3.12, 3.13, 3.14, 3.14t and "
        "3.15 on macOS x86_64 and Windows x86. There, pip builds the sdist."
    )


def test_without_an_sdist_pip_installs_an_older_release():
    (finding,) = findings_about("pydantic-core", "2.50.3")

    assert finding.message.endswith("There, pip installs an older release.")


def test_a_later_glibc_is_a_warning_of_its_own():
    (finding,) = findings_about("scipy", "1.17.0")

    assert finding.check == "coverage-systems"
    assert finding.message == (
        "Wheels need glibc 2.27, and those of 1.16.3 need only glibc 2.17, for CPython 3.11, 3.12, 3.13, "
        "3.13t, 3.14 and 3.14t on manylinux aarch64 and manylinux x86_64. On older systems, pip builds the "
        "sdist."
    )


@pytest.mark.parametrize(("version", "checks"), [("3.0.4", ["coverage-wheels"]), ("3.0.0", [])])
def test_a_bug_fix_release_keeps_an_outdated_interpreter(version, checks):
    """pandas 3.0.4 dropped CPython 3.13t; 3.0.0 dropped Pythons with Requires-Python."""
    assert [finding.check for finding in findings_about("pandas", version)] == checks


def test_files_that_the_sink_has_count_for_the_release():
    """A part of the release was published before, and the rest is checked now."""
    assert findings_about("numpy", "2.5.2", sink_has=lambda name: "macosx" in name) == []


def test_files_that_are_checked_one_by_one_have_no_findings():
    assert findings_about("cryptography", "49.0.0", is_whole_release=False) == []


def test_the_profile_storage_has_no_such_check():
    policy = ChecksConfig(profile=Profile.STORAGE).policy()

    assert findings_about("cryptography", "49.0.0", policy) == []


@pytest.mark.parametrize("profile", [Profile.INDEX, Profile.STORAGE])
def test_a_check_can_be_configured_to_be_an_error(profile):
    policy = ChecksConfig(profile=profile, errors=["coverage-wheels"]).policy()

    (finding,) = findings_about("cryptography", "49.0.0", policy)
    assert finding.severity is Severity.ERROR


def test_a_check_that_is_an_error_can_be_ignored():
    policy = ChecksConfig(errors=["coverage-wheels"], ignore=["coverage-wheels"]).policy(Profile.INDEX)

    assert findings_about("cryptography", "49.0.0", policy) == []


def test_an_unknown_check_cannot_be_an_error():
    with pytest.raises(ValueError, match="did you mean 'coverage-wheels'"):
        ChecksConfig(errors=["coverage-wheel"])

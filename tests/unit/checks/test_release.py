"""Checks of a release, and against the files at its sink."""

from datetime import timedelta

import pytest

from wheelrelay.checks import ChecksConfig, Profile, ReleaseContext, inspect, run_release_checks
from wheelrelay.filenames import dist_file
from wheelrelay.model import Digests
from wheelrelay.records import Severity
from wheelrelay.testing.broken_archives import zip_sdist
from wheelrelay.testing.broken_releases import NOW, OLD, at_sink
from wheelrelay.testing.samples import make_sdist, make_wheel

WHEEL = "sample-1.0-py3-none-any.whl"


@pytest.fixture
def release(tmp_path):
    return [inspect(make_wheel(tmp_path)), inspect(make_sdist(tmp_path))]


def ids(findings):
    return [finding.check for finding in findings]


def test_valid_release_has_no_findings(release):
    assert run_release_checks(release) == []


def test_published_files_are_not_checked_against_the_sink(release):
    """Published files are skipped, so neither the age nor the status of the project matters."""
    long_ago = NOW - timedelta(days=100)
    published = tuple(
        dist_file(file.filename, digests=Digests(sha256=file.sha256), upload_time=long_ago)
        for file in release
    )
    context = ReleaseContext(published=published, project_status="archived", now=NOW)
    assert run_release_checks(release, context) == []


def test_new_file_of_an_old_release_is_too_late(release):
    long_ago = NOW - timedelta(days=100)
    published = (dist_file(WHEEL, digests=Digests(sha256=release[0].sha256), upload_time=long_ago),)
    findings = run_release_checks(release, ReleaseContext(published=published, now=NOW))
    assert ids(findings) == ["upload-window"]
    assert "2025-12-10" in findings[0].message


def test_age_of_other_releases_does_not_matter(release):
    published = (dist_file("sample-0.9.tar.gz", upload_time=NOW - timedelta(days=1000)),)
    assert run_release_checks(release, ReleaseContext(published=published, now=NOW)) == []


def test_upload_window_applies_to_pypi_only(release):
    context = ReleaseContext(published=at_sink(days_ago=15), now=NOW)
    assert run_release_checks(release, context, policy=ChecksConfig(profile=Profile.INDEX).policy()) == []


def test_refuses_second_sdist_of_a_published_release(release, tmp_path):
    published = (dist_file("sample-1.0.zip"),)
    assert ids(run_release_checks(release, ReleaseContext(published=published, now=NOW))) == [
        "release-one-sdist"
    ]
    assert ids(run_release_checks([inspect(zip_sdist(tmp_path))])) == []


def test_refuses_copy_of_a_published_file(release):
    published = (dist_file("sample-0.9-py3-none-any.whl", digests=Digests(sha256=release[0].sha256)),)
    findings = run_release_checks(release, ReleaseContext(published=published, now=NOW))
    assert ids(findings) == ["release-same-content"]
    assert "sample-0.9-py3-none-any.whl" in findings[0].message


def test_equal_requirements_in_two_spellings_match(tmp_path):
    first = make_wheel(
        tmp_path, metadata={"Requires-Dist": ["Foo_Bar >=1", "b"], "Requires-Python": ">=3.9,<4"}
    )
    other = make_wheel(
        tmp_path,
        tag="py2-none-any",
        metadata={"Requires-Dist": ["b", "foo-bar>=1"], "Requires-Python": "<4, >=3.9"},
    )
    assert run_release_checks([inspect(first), inspect(other)]) == []


def test_warns_of_different_requires_python(tmp_path):
    files = [make_wheel(tmp_path, metadata={"Requires-Python": ">=3.9"}), make_sdist(tmp_path)]
    (finding,) = run_release_checks([inspect(path) for path in files])
    assert finding.check == "release-metadata-differ"
    assert finding.severity is Severity.WARNING
    assert ">=3.9" in finding.message


def test_metadata_of_different_projects_are_not_compared(tmp_path):
    files = [make_wheel(tmp_path, "one", metadata={"Requires-Dist": "x"}), make_wheel(tmp_path, "two")]
    assert run_release_checks([inspect(path) for path in files]) == []


def test_size_limits_are_configurable(release):
    small = ChecksConfig(max_file_size="200 B", max_project_size="300 B").policy()
    findings = run_release_checks(release, policy=small)
    assert sorted(ids(findings)) == ["file-size", "file-size", "project-size"]
    assert {finding.filename for finding in findings} == {WHEEL, "sample-1.0.tar.gz", None}


def test_profile_index_has_no_default_size_limits(release):
    context = ReleaseContext(published=at_sink(size=1 << 50), now=NOW)
    assert run_release_checks(release, context, policy=ChecksConfig(profile=Profile.INDEX).policy()) == []
    assert ids(run_release_checks(release, context)) == ["project-size"]


def test_warns_of_yanked_release(release):
    context = ReleaseContext(published=at_sink(yanked=""), now=NOW)
    (finding,) = run_release_checks(release, context)
    assert finding.check == "release-yanked"
    assert finding.severity is Severity.WARNING


def test_file_of_unknown_commit_is_not_from_the_expected_commit(release):
    context = ReleaseContext(commits={WHEEL: "1234567"}, required_commit="1234567", now=NOW)
    (finding,) = run_release_checks(release, context)
    assert finding.check == "other-commit"
    assert finding.filename == "sample-1.0.tar.gz"


def test_files_of_unknown_commit_do_not_count_as_mixed_commits(release):
    assert run_release_checks(release, ReleaseContext(commits={WHEEL: "1234567"}, now=NOW)) == []


def test_compares_files_with_sha256_sums(release):
    sums = {file.filename: file.sha256.upper() for file in release}
    assert run_release_checks(release, ReleaseContext(required_sha256=sums, now=NOW)) == []
    del sums[WHEEL]
    (finding,) = run_release_checks(release, ReleaseContext(required_sha256=sums, now=NOW))
    assert finding.filename == WHEEL


def test_published_files_without_digests_cause_no_findings(release):
    assert run_release_checks(release, ReleaseContext(published=(dist_file(OLD),), now=NOW)) == []

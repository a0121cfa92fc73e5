"""A release as a whole, and against what its sink holds."""

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


def test_a_good_release_at_an_empty_sink_has_no_findings(release):
    assert run_release_checks(release) == []


def test_nothing_new_is_nothing_to_object_to(release):
    """What is in place is skipped, so neither age nor status of the project matter."""
    long_ago = NOW - timedelta(days=100)
    there = tuple(
        dist_file(file.filename, digests=Digests(sha256=file.sha256), upload_time=long_ago)
        for file in release
    )
    context = ReleaseContext(published=there, project_status="archived", now=NOW)
    assert run_release_checks(release, context) == []


def test_one_new_file_for_an_old_release_comes_too_late(release):
    long_ago = NOW - timedelta(days=100)
    there = (dist_file(WHEEL, digests=Digests(sha256=release[0].sha256), upload_time=long_ago),)
    findings = run_release_checks(release, ReleaseContext(published=there, now=NOW))
    assert ids(findings) == ["upload-window"]
    assert "2025-12-10" in findings[0].message


def test_other_releases_may_be_old(release):
    there = (dist_file("sample-0.9.tar.gz", upload_time=NOW - timedelta(days=1000)),)
    assert run_release_checks(release, ReleaseContext(published=there, now=NOW)) == []


def test_the_upload_window_is_a_rule_of_pypi_alone(release):
    context = ReleaseContext(published=at_sink(days_ago=15), now=NOW)
    assert run_release_checks(release, context, policy=ChecksConfig(profile=Profile.INDEX).policy()) == []


def test_an_sdist_at_the_sink_leaves_no_room_for_another(release, tmp_path):
    there = (dist_file("sample-1.0.zip"),)
    assert ids(run_release_checks(release, ReleaseContext(published=there, now=NOW))) == ["release-one-sdist"]
    assert ids(run_release_checks([inspect(zip_sdist(tmp_path))])) == []


def test_the_same_content_under_another_name_at_the_sink_is_found(release):
    there = (dist_file("sample-0.9-py3-none-any.whl", digests=Digests(sha256=release[0].sha256)),)
    findings = run_release_checks(release, ReleaseContext(published=there, now=NOW))
    assert ids(findings) == ["release-same-content"]
    assert "sample-0.9-py3-none-any.whl" in findings[0].message


def test_requirements_are_compared_and_not_their_spelling(tmp_path):
    one = make_wheel(
        tmp_path, metadata={"Requires-Dist": ["Foo_Bar >=1", "b"], "Requires-Python": ">=3.9,<4"}
    )
    other = make_wheel(
        tmp_path,
        tag="py2-none-any",
        metadata={"Requires-Dist": ["b", "foo-bar>=1"], "Requires-Python": "<4, >=3.9"},
    )
    assert run_release_checks([inspect(one), inspect(other)]) == []


def test_a_differing_requires_python_is_a_warning(tmp_path):
    files = [make_wheel(tmp_path, metadata={"Requires-Python": ">=3.9"}), make_sdist(tmp_path)]
    (finding,) = run_release_checks([inspect(path) for path in files])
    assert finding.check == "release-metadata-differ"
    assert finding.severity is Severity.WARNING
    assert ">=3.9" in finding.message


def test_releases_of_several_projects_are_not_compared_with_one_another(tmp_path):
    files = [make_wheel(tmp_path, "one", metadata={"Requires-Dist": "x"}), make_wheel(tmp_path, "two")]
    assert run_release_checks([inspect(path) for path in files]) == []


def test_limits_come_from_the_configuration(release):
    small = ChecksConfig(max_file_size="200 B", max_project_size="300 B").policy()
    findings = run_release_checks(release, policy=small)
    assert sorted(ids(findings)) == ["file-size", "file-size", "project-size"]
    assert {finding.filename for finding in findings} == {WHEEL, "sample-1.0.tar.gz", None}


def test_the_profile_index_has_no_limits_of_its_own(release):
    context = ReleaseContext(published=at_sink(size=1 << 50), now=NOW)
    assert run_release_checks(release, context, policy=ChecksConfig(profile=Profile.INDEX).policy()) == []
    assert ids(run_release_checks(release, context)) == ["project-size"]


def test_a_yanked_release_is_a_warning(release):
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


def test_true_sums_pass_and_missing_ones_do_not(release):
    sums = {file.filename: file.sha256.upper() for file in release}
    assert run_release_checks(release, ReleaseContext(required_sha256=sums, now=NOW)) == []
    del sums[WHEEL]
    (finding,) = run_release_checks(release, ReleaseContext(required_sha256=sums, now=NOW))
    assert finding.filename == WHEEL


def test_an_inventory_without_digests_is_no_reason_for_findings(release):
    assert run_release_checks(release, ReleaseContext(published=(dist_file(OLD),), now=NOW)) == []

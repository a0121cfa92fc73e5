"""An audit finds what is wrong with published releases by comparing them with each other."""

from dataclasses import replace

import pytest
from tests.unit.environments.published import published_releases

from wheelrelay.engine.auditing import AuditedProject, issues_of
from wheelrelay.filenames import dist_file
from wheelrelay.findings import Severity
from wheelrelay.model import Digests
from wheelrelay.reports import AuditedFile

LINUX, WINDOWS = "manylinux_2_17_x86_64", "win_amd64"


def release(version, *platforms, pythons=("cp312", "cp313"), sdist=True, **attributes):
    """Return the files of a release with a wheel for each platform and Python."""
    names = [f"sample-{version}-{python}-{python}-{tag}.whl" for tag in platforms for python in pythons]
    names += [f"sample-{version}.tar.gz"] if sdist else []
    return [replace(dist_file(name), **attributes) for name in names]


def audit(*releases, **options):
    """Return the issues of a project with these releases, as check, version and message."""
    files = [file for files in releases for file in files]
    return [
        (issue.check, issue.version, issue.message)
        for issue in issues_of(AuditedProject("sample", files, **options))
    ]


def checks(*releases, **options):
    return [(check, version) for check, version, _ in audit(*releases, **options)]


class TestIncomplete:
    def test_release_without_a_wheel_that_its_neighbours_have_is_incomplete(self):
        [(check, version, message)] = audit(
            release("1.0", LINUX, WINDOWS), release("1.1", LINUX), release("1.2", LINUX, WINDOWS)
        )
        assert (check, version) == ("incomplete", "1.1")
        assert message == "No wheel for CPython 3.12 and 3.13 on Windows amd64. 1.0 and 1.2 have them."

    def test_platform_that_was_dropped_for_good_is_not_reported(self):
        assert audit(release("1.0", LINUX, WINDOWS), release("1.1", LINUX), release("1.2", LINUX)) == []

    def test_loss_in_the_newest_release_is_a_warning(self):
        files = [*release("1.0", LINUX, WINDOWS), *release("1.1", LINUX)]
        [issue] = issues_of(AuditedProject("sample", files))
        assert (issue.check, issue.version, issue.severity) == ("incomplete", "1.1", Severity.WARNING)

    def test_first_release_has_no_earlier_one(self):
        assert audit(release("1.0", LINUX), release("1.1", LINUX, WINDOWS)) == []

    def test_missing_sdist_is_reported(self):
        [(_, version, message)] = audit(
            release("1.0", LINUX), release("1.1", LINUX, sdist=False), release("1.2", LINUX)
        )
        assert (version, message) == ("1.1", "No sdist. 1.0 and 1.2 have one.")

    def test_other_tags_for_the_same_environment_are_no_loss(self):
        assert (
            audit(release("1.0", LINUX), release("1.1", "manylinux_2_28_x86_64"), release("1.2", LINUX)) == []
        )

    def test_yanked_releases_and_pre_releases_are_not_compared(self):
        found = checks(
            release("1.0", LINUX, WINDOWS),
            release("1.1rc1", LINUX),
            release("1.1", LINUX, yanked="broken"),
            release("1.2", LINUX, WINDOWS),
        )
        assert found == [("yanked", "1.1")]

    def test_only_the_newest_releases_are_audited(self):
        releases = [release("1.0", LINUX, WINDOWS), release("1.1", LINUX), release("1.2", LINUX, WINDOWS)]
        assert checks(*releases, newest=2) == [("incomplete", "1.1")]
        assert checks(*releases, newest=1) == []

    def test_finds_a_release_that_was_published_half(self):
        files = [file for found in published_releases("pydantic-core") for file in found.files]
        issues = issues_of(AuditedProject("pydantic-core", files, newest=30))
        assert ("incomplete", "2.50.3") in [(issue.check, issue.version) for issue in issues]

    @pytest.mark.parametrize("project", ["numpy", "scipy"])
    def test_finds_nothing_in_complete_releases(self, project):
        files = [file for found in published_releases(project) for file in found.files]
        issues = issues_of(AuditedProject(project, files, newest=10))
        assert [issue for issue in issues if issue.severity is Severity.ERROR] == []


def test_yanked_files_are_a_warning_with_their_reasons():
    files = release("1.0", LINUX, sdist=False)
    assert audit(files[:1], [replace(files[1], yanked="It crashes.")]) == [
        ("yanked", "1.0", "1 of 2 files are yanked: It crashes.")
    ]
    assert audit(release("1.0", LINUX, yanked="")) == [("yanked", "1.0", "All files are yanked.")]


class TestAttestations:
    def test_files_without_attestations_are_reported_if_the_release_before_had_more(self):
        attested = release("1.0", LINUX, provenance="https://example.org/provenance")
        files = release("1.1", LINUX)
        [(check, version, message)] = audit(attested, files)
        assert (check, version) == ("unattested", "1.1")
        assert message == "3 of 3 files have no attestation; 1.0 has attestations of all of its files."

    def test_attestations_of_containers_are_companions(self):
        attested = release("1.0", LINUX, companions=(".publish.attestation",))
        assert checks(attested, release("1.1", LINUX, companions=(".asc",))) == [("unattested", "1.1")]

    def test_project_without_attestations_has_no_issue(self):
        assert audit(release("1.0", LINUX), release("1.1", LINUX)) == []

    def test_later_releases_without_attestations_are_not_reported_again(self):
        attested = release("1.0", LINUX, provenance="https://example.org/provenance")
        assert checks(attested, release("1.1", LINUX), release("1.2", LINUX)) == [("unattested", "1.1")]


class TestOtherIndexes:
    def test_other_digests_are_reported(self):
        own = release("1.0", LINUX, digests=Digests(sha256="a" * 64))
        other = release("1.0", LINUX, digests=Digests(sha256="b" * 64))
        [(check, _, message)] = audit(own, other_name="mirror", other_files=other)
        assert (check, message) == ("differs", "3 files are at mirror with another sha256.")
        assert audit(own, other_name="mirror", other_files=own) == []

    def test_files_without_digests_are_not_compared(self):
        own = release("1.0", LINUX, digests=Digests(sha256="a" * 64))
        assert audit(own, other_name="mirror", other_files=release("1.0", LINUX)) == []

    def test_files_that_only_the_other_index_has_are_reported(self):
        other = [*release("1.0", LINUX, WINDOWS), *release("1.1", LINUX)]
        [(check, version, message)] = audit(release("1.0", LINUX), other_name="pypi", other_files=other)
        assert (check, version, message) == ("missing", "1.0", "2 files are at pypi and not here.")


class TestEarlierAudits:
    FILE = AuditedFile("sample-1.0.tar.gz", "sample", "1.0", "a" * 64)

    def test_file_that_vanished_is_reported(self):
        [(check, version, message)] = audit(release("1.1", LINUX), earlier=[self.FILE])
        assert (check, version, message) == ("vanished", "1.0", "1 file has vanished.")

    def test_project_that_vanished_is_reported(self):
        assert checks(earlier=[self.FILE]) == [("vanished", "1.0")]

    def test_file_with_another_digest_is_reported(self):
        files = [replace(dist_file(self.FILE.filename), digests=Digests(sha256="b" * 64))]
        assert checks(files, earlier=[self.FILE]) == [("changed", "1.0")]

    def test_file_that_stayed_is_not_reported(self):
        files = [replace(dist_file(self.FILE.filename), digests=Digests(sha256="a" * 64))]
        assert checks(files, earlier=[self.FILE]) == []


def test_project_without_files_is_an_error():
    assert audit() == [("absent", None, "The remote has no files of this project.")]

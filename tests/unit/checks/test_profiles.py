"""The three profiles: how severe a finding is where a file is published, and where it is only stored."""

import pytest

from wheelrelay.backends.index import IndexConfig, PyPIConfig
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.checks import Check, ChecksConfig, Profile, all_checks, check_files
from wheelrelay.config import Remote, SinkConfig
from wheelrelay.records import Severity
from wheelrelay.testing.broken import BROKEN

UNSAFE_OR_FALSE = {
    "archive-corrupt",
    "archive-limits",
    "archive-unreadable",
    "filename",
    "filename-metadata",
    "member-path",
    "metadata-unreadable",
    "record-hash",
    "sdist-link",
    "sdist-special-file",
    "sdist-two-metadata",
    "wheel-one-dist-info",
    "zip-also-tar",
    "zip-headers-differ",
    "zip-two-contents",
}
"""Checks of what makes a file unsafe, or another file than it claims to be."""

METADATA = sorted(
    check for check in BROKEN if check.startswith("metadata-") and check != "metadata-unreadable"
)


def severities(check, profile, folder):
    findings = check_files([BROKEN[check].broken(folder)], ChecksConfig(profile=profile).policy())
    return {finding.check: finding.severity for finding in findings}


def test_stored_files_are_refused_only_where_they_are_unsafe_or_false(tmp_path):
    refused = {
        check
        for check in BROKEN
        if Severity.ERROR in severities(check, Profile.STORAGE, tmp_path / check).values()
    }
    assert refused == UNSAFE_OR_FALSE


@pytest.mark.parametrize("check", METADATA)
def test_no_complaint_about_metadata_keeps_a_file_from_being_stored(check, tmp_path):
    assert Severity.ERROR not in severities(check, Profile.STORAGE, tmp_path).values()


def test_an_invalid_field_is_an_error_for_pypi_and_a_warning_elsewhere(tmp_path):
    found = {profile: severities("metadata-field", profile, tmp_path) for profile in Profile}
    assert found == {
        Profile.PYPI: {"metadata-field": Severity.ERROR},
        Profile.INDEX: {"metadata-field": Severity.WARNING},
        Profile.STORAGE: {"metadata-field": Severity.WARNING},
    }


def test_a_stricter_profile_is_never_milder():
    order = [None, Severity.WARNING, Severity.ERROR]
    for check in all_checks():
        levels = [order.index(check.severity_in(profile)) for profile in Profile]
        assert levels == sorted(levels, reverse=True), check.id


def test_a_check_of_another_package_is_not_in_the_profile_storage_unless_it_says_so():
    check = Check("icon-size", "Icons are small.", hint="Make them smaller.")
    assert check.severity_in(Profile.INDEX) is Severity.ERROR
    assert check.severity_in(Profile.STORAGE) is None


class TestWhichProfileARemoteHas:
    INDEX = Remote(
        "company", IndexConfig(url="https://example.org/simple/", upload_url="https://example.org/")
    )
    PYPI = Remote("pypi", PyPIConfig())

    def test_pypi(self):
        assert self.PYPI.checks.profile is Profile.PYPI

    def test_an_index(self):
        assert self.INDEX.checks.profile is Profile.INDEX

    def test_a_directory(self, tmp_path):
        assert Remote("d", DirectoryConfig(path=tmp_path)).checks.profile is Profile.STORAGE

    def test_a_sink_of_another_package(self):
        assert SinkConfig(type="shelf").check_policy().profile is Profile.STORAGE

    def test_a_mirror_of_published_files(self):
        assert self.INDEX.checks_for(mirror=True).profile is Profile.STORAGE
        assert self.PYPI.checks_for(mirror=True).profile is Profile.PYPI

    def test_the_one_that_is_configured(self, tmp_path):
        config = DirectoryConfig(path=tmp_path, checks={"profile": "pypi"})
        assert Remote("d", config).checks_for(mirror=True).profile is Profile.PYPI

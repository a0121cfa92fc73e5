"""The severities in the three profiles."""

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
"""Checks of unsafe files and of files that differ from what their name claims."""

METADATA = sorted(
    check for check in BROKEN if check.startswith("metadata-") and check != "metadata-unreadable"
)


def severities(check, profile, folder):
    findings = check_files([BROKEN[check].broken(folder)], ChecksConfig(profile=profile).policy())
    return {finding.check: finding.severity for finding in findings}


def test_profile_storage_refuses_only_unsafe_and_false_files(tmp_path):
    refused = {
        check
        for check in BROKEN
        if Severity.ERROR in severities(check, Profile.STORAGE, tmp_path / check).values()
    }
    assert refused == UNSAFE_OR_FALSE


@pytest.mark.parametrize("check", METADATA)
def test_profile_storage_has_no_errors_about_metadata(check, tmp_path):
    assert Severity.ERROR not in severities(check, Profile.STORAGE, tmp_path).values()


def test_invalid_field_is_an_error_in_profile_pypi_only(tmp_path):
    by_profile = {profile: severities("metadata-field", profile, tmp_path) for profile in Profile}
    assert by_profile == {
        Profile.PYPI: {"metadata-field": Severity.ERROR},
        Profile.INDEX: {"metadata-field": Severity.WARNING},
        Profile.STORAGE: {"metadata-field": Severity.WARNING},
    }


def test_stricter_profile_never_has_a_lower_severity():
    order = [None, Severity.WARNING, Severity.ERROR]
    for check in all_checks():
        levels = [order.index(check.severity_in(profile)) for profile in Profile]
        assert levels == sorted(levels, reverse=True), check.id


def test_check_is_not_in_profile_storage_by_default():
    check = Check("icon-size", "Icons are small.", hint="Make them smaller.")
    assert check.severity_in(Profile.INDEX) is Severity.ERROR
    assert check.severity_in(Profile.STORAGE) is None


class TestProfileOfRemote:
    INDEX = Remote(
        "company", IndexConfig(url="https://example.org/simple/", upload_url="https://example.org/")
    )
    PYPI = Remote("pypi", PyPIConfig())

    def test_pypi_has_profile_pypi(self):
        assert self.PYPI.checks.profile is Profile.PYPI

    def test_index_has_profile_index(self):
        assert self.INDEX.checks.profile is Profile.INDEX

    def test_directory_has_profile_storage(self, tmp_path):
        assert Remote("d", DirectoryConfig(path=tmp_path)).checks.profile is Profile.STORAGE

    def test_sink_of_another_package_has_profile_storage(self):
        assert SinkConfig(type="shelf").check_policy().profile is Profile.STORAGE

    def test_mirror_has_profile_storage_except_at_pypi(self):
        assert self.INDEX.checks_for(mirror=True).profile is Profile.STORAGE
        assert self.PYPI.checks_for(mirror=True).profile is Profile.PYPI

    def test_configured_profile_overrides_the_default(self, tmp_path):
        config = DirectoryConfig(path=tmp_path, checks={"profile": "pypi"})
        assert Remote("d", config).checks_for(mirror=True).profile is Profile.PYPI

"""Filenames, also against the metadata."""

import pytest

from wheelrelay.testing.broken import renamed, wheel
from wheelrelay.testing.samples import make_sdist, make_wheel


def test_wheel_name_must_be_normalized(tmp_path, check_ids):
    path = make_wheel(tmp_path, "foo.bar", filename="foo.bar-1.0-py3-none-any.whl")
    assert check_ids(path) == {"filename-normalized", "wheel-dist-info-name"}


@pytest.mark.parametrize("version", ["1.0", "1.0rc1", "1!2.0", "2.0.post1", "1.0.dev3"])
def test_accepts_all_kinds_of_public_versions(version, tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, version=version)) == set()
    assert check_ids(make_sdist(tmp_path, version=version)) == set()


def test_sdist_version_must_be_normalized(tmp_path, findings):
    (finding,) = findings(make_sdist(tmp_path, version="1.0.rc1"))
    assert finding.check == "filename-normalized"
    assert "sample-1.0rc1.tar.gz" in finding.message


def test_version_in_filename_must_match_metadata(tmp_path, findings):
    (finding,) = findings(make_wheel(tmp_path, metadata={"Version": "1.1"}))
    assert finding.check == "filename-metadata"
    assert "1.0" in finding.message
    assert "1.1" in finding.message


def test_equal_versions_in_two_spellings_match(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, version="1.0", metadata={"Version": "1.0.0"})) == set()


def test_project_names_match_after_normalization(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, "Foo.Bar")) == set()


@pytest.mark.parametrize("name", ["sample.whl", "sample-1.0.exe", "sample-one-py3-none-any.whl", "-.tar.gz"])
def test_refuses_names_that_are_not_distribution_filenames(name, tmp_path, check_ids):
    assert "filename" in check_ids(renamed(wheel(), name)(tmp_path))


def test_legacy_sdist_format_is_read_and_refused(tmp_path, check_ids):
    path = make_sdist(tmp_path, filename="sample-1.0.tgz")
    assert check_ids(path) == {"sdist-format"}

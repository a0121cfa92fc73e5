"""The configuration of checks."""

import pytest
from pydantic import ValidationError

from wheelrelay.checks import Check, ChecksConfig, FileChecks, Profile, inspect
from wheelrelay.testing.broken import BROKEN


def selected(config, path):
    return {finding.check for finding in config.policy().select(inspect(path).findings)}


def test_profile_index_has_fewer_checks_than_pypi(tmp_path):
    path = BROKEN["platform-tag"].broken(tmp_path)
    assert selected(ChecksConfig(profile="pypi"), path) == {"platform-tag"}
    assert selected(ChecksConfig(profile="index"), path) == set()
    corrupt = BROKEN["archive-corrupt"].broken(tmp_path)
    assert selected(ChecksConfig(profile="index"), corrupt) == {"archive-corrupt"}


@pytest.mark.parametrize(
    "ignore", [["platform-tag"], [{"check": "platform-tag", "reason": "a local mirror"}]]
)
def test_check_is_ignored_with_or_without_a_reason(ignore, tmp_path):
    assert selected(ChecksConfig(ignore=ignore), BROKEN["platform-tag"].broken(tmp_path)) == set()


def test_ignoring_a_check_keeps_the_others(tmp_path):
    config = ChecksConfig(ignore=["platform-tag"])
    assert selected(config, BROKEN["local-version"].broken(tmp_path)) == {"local-version"}


def test_unknown_check_is_an_error_that_suggests_a_similar_one():
    with pytest.raises(ValidationError, match="did you mean 'platform-tag'"):
        ChecksConfig(ignore=["platform-tags"])


def test_unknown_check_without_a_similar_one_is_an_error_without_suggestion():
    with pytest.raises(ValidationError) as refused:
        ChecksConfig(ignore=["qqqqqq"])
    assert "unknown check 'qqqqqq'" in str(refused.value)
    assert "zip-records" not in str(refused.value)


def test_default_profile_applies_unless_one_is_configured():
    assert ChecksConfig().policy(Profile.INDEX).profile is Profile.INDEX
    assert ChecksConfig(profile="pypi").policy(Profile.INDEX).profile is Profile.PYPI


def test_pypi_has_size_limits_that_can_be_raised():
    assert ChecksConfig().policy(Profile.PYPI).max_file_size == 100 << 20
    assert ChecksConfig(max_file_size="1 GiB").policy(Profile.PYPI).max_file_size == 1 << 30
    assert ChecksConfig().policy(Profile.INDEX).max_file_size is None


def test_schema_accepts_sizes_and_checks_as_strings():
    schema = ChecksConfig.model_json_schema()["properties"]
    assert {"type": "string"} in schema["ignore"]["items"]["anyOf"]
    assert "string" in str(schema["max_file_size"])


def test_check_of_another_package_applies_in_profile_index(tmp_path):
    extra = Check("no-samples", "A project is not a sample.", hint="Write real code.")
    family = FileChecks((extra,), lambda distribution: [extra.violation("The project is a sample.")])
    findings = inspect(BROKEN["wheel-tags"].repaired(tmp_path), families={"extra": family}).findings
    assert [finding.check for finding in ChecksConfig(profile="index").policy().select(findings)] == [
        "no-samples"
    ]

"""Every listed rule of PyPI has a check that refuses a violation and accepts a similar valid file."""

import importlib.util
import tomllib
from pathlib import Path

import pytest
from tests.unit.checks.pypi_cases import CASES, case

from wheelrelay.checks import ChecksConfig, Profile, all_checks, inspect
from wheelrelay.records import Severity
from wheelrelay.testing.broken_releases import BROKEN_RELEASES

ROOT = Path(__file__).parents[3]
SOURCES = tomllib.loads((ROOT / "docs" / "pypi_rules.toml").read_text())["source"]
RULES = [rule for source in SOURCES for rule in source["rules"] if rule.get("checkable", True)]
OF_FILES = [(rule["id"], rule["check"]) for rule in RULES if rule["check"] not in BROKEN_RELEASES]


def errors(path):
    findings = ChecksConfig(profile=Profile.PYPI).policy().select(inspect(path).findings)
    return {finding.check for finding in findings if finding.severity is Severity.ERROR}


@pytest.mark.parametrize(("rule", "check"), OF_FILES)
def test_refuses_rule_violation_and_accepts_similar_file(rule, check, tmp_path):
    sample = case(rule, check)
    assert check in errors(sample.broken(tmp_path / "broken"))
    assert errors(sample.repaired(tmp_path / "repaired")) == set()


def test_every_rule_has_a_unique_id_and_an_existing_check():
    ids = [rule["id"] for source in SOURCES for rule in source["rules"]]
    assert len(ids) == len(set(ids))
    assert {rule["check"] for rule in RULES} <= {check.id for check in all_checks()}
    assert set(CASES) <= set(ids)


def test_every_error_of_profile_pypi_alone_is_a_rule_of_pypi():
    """The exception follows the documentation of classifiers, not the source of PyPI."""
    only = {
        check.id
        for check in all_checks()
        if check.profile is Profile.PYPI
        and check.severity is Severity.ERROR
        and check.lenient_severity is None
    }
    assert only - {rule["check"] for rule in RULES} <= {"classifier-private"}


def test_compares_data_with_the_newest_version():
    spec = importlib.util.spec_from_file_location("compare_data", ROOT / "docs" / "compare_data.py")
    compare_data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compare_data)
    current = compare_data.data("")
    assert compare_data.differences(current, current) == []
    newer = {**current, "SPDX licenses": [*current["SPDX licenses"][1:], "new-1.0"]}
    assert compare_data.differences(current, newer) == [
        "SPDX licenses: new: new-1.0",
        f"SPDX licenses: removed: {current['SPDX licenses'][0]}",
    ]

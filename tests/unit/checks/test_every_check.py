"""Every check has a sample that violates only this check, and a repaired sample without findings."""

import pytest

from wheelrelay.archives import ProblemKind
from wheelrelay.checks import ChecksConfig, Profile, all_checks, archive, inspect, run_release_checks
from wheelrelay.testing.broken import BROKEN
from wheelrelay.testing.broken_releases import BROKEN_RELEASES

PYPI = ChecksConfig(profile=Profile.PYPI).policy()

TESTED_ELSEWHERE = {"check-failed", "binary-abi3", "binary-linux", "binary-macos"}
"""See test_run.py and test_binaries.py."""


def found_in_file(path):
    return {finding.check for finding in PYPI.select(inspect(path).findings)}


def found_in_release(situation, folder):
    inspections = [inspect(build(folder)) for build in situation.files]
    findings = run_release_checks(inspections, situation.context, policy=situation.policy)
    return {finding.check for finding in findings}


@pytest.mark.parametrize("check", sorted(BROKEN))
def test_broken_file_violates_exactly_one_check(check, tmp_path):
    assert found_in_file(BROKEN[check].broken(tmp_path / "broken")) == {check}
    assert found_in_file(BROKEN[check].repaired(tmp_path / "repaired")) == set()


@pytest.mark.parametrize("check", sorted(BROKEN_RELEASES))
def test_broken_release_violates_exactly_one_check(check, tmp_path):
    sample = BROKEN_RELEASES[check]
    assert found_in_release(sample.broken, tmp_path / "broken") == {check}
    assert found_in_release(sample.repaired, tmp_path / "repaired") == set()


def test_every_check_has_a_broken_sample():
    assert {check.id for check in all_checks()} == {*BROKEN, *BROKEN_RELEASES, *TESTED_ELSEWHERE}


def test_every_text_and_hint_is_a_sentence():
    for check in all_checks():
        assert check.text.endswith((".", ")."))
        assert check.hint.endswith(".")


def test_every_problem_of_an_archive_is_reported_by_a_check():
    assert {kind.value for kind in ProblemKind} == {check.id for check in archive.CHECKS.checks}

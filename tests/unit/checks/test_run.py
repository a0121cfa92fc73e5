"""Running the checks: all findings are reported, also if a check fails."""

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from wheelrelay.checks import (
    Check,
    ChecksConfig,
    FileChecks,
    ReleaseChecks,
    check_files,
    inspect,
    run_release_checks,
)
from wheelrelay.checks.registry import check_failed, families
from wheelrelay.errors import PluginLoadError
from wheelrelay.filenames import dist_file
from wheelrelay.plugins import CHECK_GROUP
from wheelrelay.records import Severity
from wheelrelay.staged import FileIdentity, StagedFile
from wheelrelay.testing.broken import BROKEN
from wheelrelay.testing.samples import make_sdist, make_wheel

RULE = Check("rule", "Files follow the rule.", hint="Follow it.")


def failing(*arguments):
    yield RULE.violation("It is broken.")
    raise ZeroDivisionError("nothing goes into nothing")


def test_reports_all_findings_sorted_by_file(tmp_path):
    paths = [
        make_wheel(tmp_path, "b", metadata={"Summary": "x" * 600, "Home-page": "nowhere"}),
        make_wheel(tmp_path, "a", tag="cp311-cp311-linux_x86_64"),
    ]
    reported = [(finding.filename, finding.check) for finding in check_files(paths)]
    assert reported == [
        ("a-1.0-cp311-cp311-linux_x86_64.whl", "platform-tag"),
        ("b-1.0-py3-none-any.whl", "metadata-summary"),
        ("b-1.0-py3-none-any.whl", "metadata-url"),
    ]


def test_checks_local_files_as_a_release(tmp_path):
    paths = [make_wheel(tmp_path), make_wheel(tmp_path, filename="sample-1.0-py2.py3-none-any.whl")]
    assert "release-same-content" in {finding.check for finding in check_files(paths)}


def test_policy_selects_findings(tmp_path):
    path = BROKEN["platform-tag"].broken(tmp_path)
    assert check_files([path], ChecksConfig(profile="index").policy()) == []


def test_failing_check_is_a_finding_and_others_continue(tmp_path):
    other = Check("other", "Files follow the other rule.", hint="Follow it.")
    chosen = {
        "failing": FileChecks((RULE,), failing),
        "other": FileChecks((other,), lambda distribution: [other.violation("It is broken.")]),
    }
    findings = inspect(make_wheel(tmp_path), families=chosen).findings
    assert [finding.check for finding in findings] == ["rule", "check-failed", "other"]
    assert "'failing' failed: ZeroDivisionError: nothing goes into nothing." in findings[1].message
    assert findings[1].severity is Severity.ERROR


def test_failing_release_check_is_a_finding(tmp_path):
    findings = run_release_checks(
        [inspect(make_wheel(tmp_path))], families={"failing": ReleaseChecks((RULE,), failing)}
    )
    assert [finding.check for finding in findings] == ["rule", "check-failed"]


def test_exit_in_a_check_is_a_finding(tmp_path):
    families = {"exiting": FileChecks((), lambda distribution: sys.exit(0))}
    (finding,) = inspect(make_wheel(tmp_path), families=families).findings
    assert (finding.check, finding.severity) == ("check-failed", Severity.ERROR)


def test_failing_check_is_a_warning_in_profile_storage(tmp_path):
    findings = inspect(make_wheel(tmp_path), families={"failing": FileChecks((), failing)}).findings
    for profile, severity in (("index", Severity.ERROR), ("storage", Severity.WARNING)):
        selected = ChecksConfig(profile=profile).policy().select(findings)
        assert {finding.check: finding.severity for finding in selected}["check-failed"] is severity


class TestHintAboutFailingCheck:
    @pytest.fixture
    def _no_check_fails(self):
        """These tests make a check fail on purpose."""

    def test_names_wheelrelay_for_a_built_in_check(self):
        assert "bug in wheelrelay" in check_failed("wheel", ValueError("no")).finding().hint

    def test_names_the_maintainers_for_a_check_of_another_package(self):
        assert "maintainers of the check" in check_failed("icons", ValueError("no")).finding().hint


def test_checks_are_available_if_their_module_is_installed():
    assert FileChecks((RULE,), failing, required_module="json").is_available
    assert not FileChecks((RULE,), failing, required_module="no_such_module_here").is_available


def test_broken_plugin_is_an_error(tmp_path, monkeypatch):
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{CHECK_GROUP}]\nstrange = stranger:CHECKS\n")
    monkeypatch.syspath_prepend(tmp_path)
    clear()
    try:
        with pytest.raises(PluginLoadError, match="stranger"):
            inspect(make_wheel(tmp_path))
        (tmp_path / "stranger.py").write_text("CHECKS = 'not a family of checks'\n")
        with pytest.raises(PluginLoadError, match="is not a FileChecks"):
            inspect(make_wheel(tmp_path))
        (tmp_path / "stranger.py").write_text(PLUGIN)
        monkeypatch.delitem(__import__("sys").modules, "stranger")
        assert [finding.check for finding in check_files([make_wheel(tmp_path)])] == ["no-samples"]
        assert ChecksConfig(ignore=["no-samples"]).ignore[0].check == "no-samples"
    finally:
        monkeypatch.undo()
        clear()


PLUGIN = """
from wheelrelay.checks import Check, FileChecks

EXTRA = Check("no-samples", "A project is not a sample.", hint="Write real code.")
CHECKS = FileChecks((EXTRA,), lambda distribution: [EXTRA.violation("The project is a sample.")])
"""


def clear():
    from wheelrelay import plugins

    families.cache_clear()
    plugins._scan.cache_clear()
    plugins._distributions.cache_clear()


def test_staged_file_is_checked_under_its_published_name(tmp_path):
    path = make_wheel(tmp_path).rename(tmp_path / "incoming.part")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    file = dist_file("sample-1.0-py3-none-any.whl", size=path.stat().st_size)
    staged = StagedFile(file, path, path.stat().st_size, sha256, FileIdentity.of(path.stat()))
    inspection = inspect(staged)
    assert inspection.filename == "sample-1.0-py3-none-any.whl"
    assert inspection.sha256 == sha256
    assert inspection.findings == ()


def test_inspection_has_the_metadata_for_release_checks(tmp_path):
    metadata = {"Requires-Dist": ["a", "b"], "Requires-Python": ">=3", "Dynamic": "Requires-Dist"}
    inspection = inspect(make_sdist(tmp_path, metadata=metadata))
    assert inspection.requires_dist == ("a", "b")
    assert inspection.requires_python == ">=3"
    assert inspection.dynamic == {"requires-dist"}


def test_parallel_inspections_are_independent(tmp_path):
    metadata = {"Description-Content-Type": "text/x-rst"}
    good = [
        make_wheel(tmp_path / "good", build=str(n), metadata={**metadata, "Description": f"Fine {n}.\n"})
        for n in range(20)
    ]
    bad = [
        make_wheel(tmp_path / "bad", build=str(n), metadata={**metadata, "Description": f"`{n} <x\n"})
        for n in range(20)
    ]

    def run(path):
        return [finding.check for finding in inspect(path).findings]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, [path for pair in zip(good, bad, strict=True) for path in pair]))
    assert results == [[], ["metadata-description"]] * 20


def test_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "sample-1.0-py3-none-any.whl")


def test_unexpected_error_of_a_reader_is_a_finding(tmp_path):
    def fail(*_):
        raise TypeError

    (finding,) = inspect(
        make_wheel(tmp_path, files={"sample/data": b"x" * (2 << 20)}), map_function=fail
    ).findings
    assert (finding.check, finding.message) == ("archive-unreadable", "The file cannot be read: TypeError.")
    assert "may be a bug in wheelrelay" in finding.hint

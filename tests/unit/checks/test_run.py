"""Running the checks: all findings at once, whatever a file or a check does."""

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

RULE = Check("rule", "There is a rule.", hint="Follow it.")


def failing(*given):
    yield RULE.violation("It is broken.")
    raise ZeroDivisionError("nothing goes into nothing")


def test_all_findings_of_all_files_come_at_once_sorted_by_file(tmp_path):
    paths = [
        make_wheel(tmp_path, "b", metadata={"Summary": "x" * 600, "Home-page": "nowhere"}),
        make_wheel(tmp_path, "a", tag="cp311-cp311-linux_x86_64"),
    ]
    found = [(finding.filename, finding.check) for finding in check_files(paths)]
    assert found == [
        ("a-1.0-cp311-cp311-linux_x86_64.whl", "platform-tag"),
        ("b-1.0-py3-none-any.whl", "metadata-summary"),
        ("b-1.0-py3-none-any.whl", "metadata-url"),
    ]


def test_local_files_are_checked_as_a_release_too(tmp_path):
    paths = [make_wheel(tmp_path), make_wheel(tmp_path, filename="sample-1.0-py2.py3-none-any.whl")]
    assert "release-same-content" in {finding.check for finding in check_files(paths)}


def test_the_configuration_decides_what_counts(tmp_path):
    path = BROKEN["platform-tag"].broken(tmp_path)
    assert check_files([path], ChecksConfig(profile="index").policy()) == []


def test_a_check_that_fails_is_a_finding_and_the_others_go_on(tmp_path):
    other = Check("other", "There is another rule.", hint="Follow it.")
    chosen = {
        "failing": FileChecks((RULE,), failing),
        "other": FileChecks((other,), lambda distribution: [other.violation("It is broken.")]),
    }
    findings = inspect(make_wheel(tmp_path), families=chosen).findings
    assert [finding.check for finding in findings] == ["rule", "check-failed", "other"]
    assert "'failing' failed: ZeroDivisionError: nothing goes into nothing." in findings[1].message
    assert findings[1].severity is Severity.ERROR


def test_a_check_of_releases_that_fails_is_a_finding(tmp_path):
    findings = run_release_checks(
        [inspect(make_wheel(tmp_path))], families={"failing": ReleaseChecks((RULE,), failing)}
    )
    assert [finding.check for finding in findings] == ["rule", "check-failed"]


def test_a_check_that_exits_does_not_pass_the_file(tmp_path):
    families = {"exiting": FileChecks((), lambda distribution: sys.exit(0))}
    (finding,) = inspect(make_wheel(tmp_path), families=families).findings
    assert (finding.check, finding.severity) == ("check-failed", Severity.ERROR)


def test_a_failing_check_keeps_no_file_from_being_stored(tmp_path):
    findings = inspect(make_wheel(tmp_path), families={"failing": FileChecks((), failing)}).findings
    for profile, severity in (("index", Severity.ERROR), ("storage", Severity.WARNING)):
        selected = ChecksConfig(profile=profile).policy().select(findings)
        assert {one.check: one.severity for one in selected}["check-failed"] is severity


class TestWhoseFaultItIs:
    @pytest.fixture
    def _no_check_fails(self):
        """Here one fails on purpose."""

    def test_a_check_of_ours_says_that_it_is_ours(self):
        assert "bug in wheelrelay" in check_failed("wheel", ValueError("no")).finding().hint

    def test_a_check_of_another_package_says_that_it_is_theirs(self):
        assert "maintainers of the check" in check_failed("icons", ValueError("no")).finding().hint


def test_checks_whose_needs_are_not_installed_are_not_run():
    assert FileChecks((RULE,), failing, required_module="json").is_available
    assert not FileChecks((RULE,), failing, required_module="no_such_module_here").is_available


def test_a_broken_plugin_is_an_error_and_not_a_pass(tmp_path, monkeypatch):
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{CHECK_GROUP}]\nstrange = stranger:CHECKS\n")
    monkeypatch.syspath_prepend(tmp_path)
    clear()
    try:
        with pytest.raises(PluginLoadError, match="stranger"):
            inspect(make_wheel(tmp_path))
        (tmp_path / "stranger.py").write_text("CHECKS = 'these are no checks'\n")
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

EXTRA = Check("no-samples", "There are no samples.", hint="Write real code.")
CHECKS = FileChecks((EXTRA,), lambda distribution: [EXTRA.violation("It is a sample.")])
"""


def clear():
    from wheelrelay import plugins

    families.cache_clear()
    plugins._scan.cache_clear()
    plugins._distributions.cache_clear()


def test_a_staged_file_is_checked_under_its_own_name(tmp_path):
    path = make_wheel(tmp_path).rename(tmp_path / "incoming.part")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    file = dist_file("sample-1.0-py3-none-any.whl", size=path.stat().st_size)
    staged = StagedFile(file, path, path.stat().st_size, sha256, FileIdentity.of(path.stat()))
    inspection = inspect(staged)
    assert inspection.filename == "sample-1.0-py3-none-any.whl"
    assert inspection.sha256 == sha256
    assert inspection.findings == ()


def test_an_inspection_knows_what_the_release_checks_need(tmp_path):
    metadata = {"Requires-Dist": ["a", "b"], "Requires-Python": ">=3", "Dynamic": "Requires-Dist"}
    inspection = inspect(make_sdist(tmp_path, metadata=metadata))
    assert inspection.requires_dist == ("a", "b")
    assert inspection.requires_python == ">=3"
    assert inspection.dynamic == {"requires-dist"}


def test_threads_do_not_disturb_one_another(tmp_path):
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


def test_a_file_that_is_not_there_is_the_callers_problem(tmp_path):
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "sample-1.0-py3-none-any.whl")


def test_a_reader_that_fails_says_that_this_may_be_our_fault(tmp_path):
    def fail(*_):
        raise TypeError

    (finding,) = inspect(
        make_wheel(tmp_path, files={"sample/data": b"x" * (2 << 20)}), map_function=fail
    ).findings
    assert (finding.check, finding.message) == ("archive-unreadable", "The file cannot be read: TypeError.")
    assert "may be a bug in wheelrelay" in finding.hint

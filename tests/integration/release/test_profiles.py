"""The profile of a sink decides which errors block publishing."""

import pytest
from tests.integration.release.conftest import SDIST, WHEELS, index_table

from wheelrelay.testing import make_sdist, make_wheel
from wheelrelay.testing.broken import BROKEN

WARNINGS = {("metadata-field", "warning"), ("release-metadata-differ", "warning")}
OLD = {"Metadata-Version": "2.0", "Requires-Python": ">=3.6.*", "License-Expression": "MIT"}


def findings_of(document):
    return {(finding["check"], finding["severity"]) for finding in document["findings"]}


@pytest.fixture
def old(project, pypi):
    """A release with old metadata in a wheel and the sdist; the sink is a private index."""
    make_wheel(project.dist, tag="cp312-cp312-manylinux_2_17_x86_64", metadata=OLD)
    make_sdist(project.dist, metadata=OLD)
    project.configure("warehouse", remotes=index_table(pypi, profile="index"))
    return project


def test_private_index_gets_invalid_fields_with_a_warning(old, relay):
    done = relay("--json")
    assert findings_of(done.json()) == WARNINGS
    # The test index applies PyPI's rules, so its refusal shows that the file was sent.
    assert "2.0" in done.err


def test_refuses_file_without_upload_form_despite_ignored_checks(project, pypi, relay):
    nameless = {"Name": None}
    make_wheel(project.dist, tag="cp312-cp312-manylinux_2_17_x86_64", metadata=nameless)
    make_sdist(project.dist, metadata=nameless)
    ignored = '[remotes.warehouse.checks]\nignore = ["metadata-required", "filename-metadata"]'
    project.configure("warehouse", remotes=index_table(pypi, profile="index", keys=ignored))
    done = relay("--json")
    assert done.code == 3
    refused = {
        (finding["filename"], finding["check"])
        for finding in done.json()["findings"]
        if finding["severity"] == "error"
    }
    assert refused == {(WHEELS[0], "upload-form"), (SDIST, "upload-form")}
    assert pypi.uploads == []


class TestCopies:
    def test_directory_accepts_old_metadata_with_one_summary_line(self, old, run):
        done = run("relay", "--from", "./dist", "--to", "./wheelhouse", "sample")
        assert done.code == 0
        assert done.out.count("warning") == 1
        rules = "metadata-field, release-metadata-differ"
        assert f"A stricter index would refuse 2 files: {rules}." in done.out
        assert "findings; use `--json` to see all." in done.out
        assert len(list((old.folder / "wheelhouse").iterdir())) == 5

    def test_mirror_accepts_old_metadata(self, old, run):
        old.configure("copy", remotes='[remotes.copy]\ntype = "directory"\npath = "copy"\npages = true')
        done = run("relay", "release", "--mode", "mirror", "--json")
        assert done.code == 0
        assert findings_of(done.json()) == {("metadata-field", "warning")}

    @pytest.mark.parametrize("check", ["filename-metadata", "record-hash", "archive-corrupt", "member-path"])
    def test_directory_refuses_unsafe_or_mislabelled_file(self, check, project, run):
        path = BROKEN[check].broken(project.folder / "bad")
        done = run("push", str(path), "--to", "./wheelhouse", "--json")
        assert done.code == 3
        assert f"[{check}]" in done.err


class TestPush:
    MISNAMED = ("sample-1.0-noavx.whl", "sample-1.0-py3-none-any.WHL", "sample-1.0.linux-x86_64.tar.gz")

    @pytest.fixture
    def mixed(self, project):
        """Misnamed files, a dangling link, and a file with a wrong digest in RECORD."""
        BROKEN["record-hash"].broken(project.dist)
        for name in self.MISNAMED:
            built = make_wheel(project.folder / "built", payload=name.encode())
            (project.dist / name).write_bytes(built.read_bytes())
        (project.dist / "sample-1.0-cp39-none-any.whl").symlink_to("gone.whl")
        return {(name, "filename") for name in self.MISNAMED} | {
            ("sample-1.0-py3-none-any.whl", "record-hash"),
            ("sample-1.0-cp39-none-any.whl", "dangling-link"),
        }

    @pytest.mark.parametrize("command", [["check", "dist"], ["push", "dist", "--to", "./staging"]])
    def test_reports_all_errors_together(self, command, project, run, mixed):
        done = run(*command, "--json")
        assert done.code == 3
        document = done.json()
        findings = document if isinstance(document, list) else document["findings"]
        errors = {
            (finding["filename"], finding["check"]) for finding in findings if finding["severity"] == "error"
        }
        assert errors - {(self.MISNAMED[2], "archive-unreadable")} == mixed

    def test_reports_misnamed_files_without_any_distribution(self, project, run):
        (project.folder / "bad").mkdir()
        (project.folder / "bad" / self.MISNAMED[0]).write_bytes(b"PK")
        done = run("push", "bad", "--to", "./staging")
        assert done.code == 3
        assert "[filename]" in done.err

    def test_profile_pypi_refuses_build_before_storing_it(self, project, run):
        path = BROKEN["platform-tag"].broken(project.folder / "bad")
        assert run("push", str(path), "--to", "./staging", "--profile", "pypi").code == 3
        assert not (project.folder / "staging").exists() or not list((project.folder / "staging").iterdir())
        assert run("push", str(path), "--to", "./staging").code == 0


def test_error_at_one_sink_hides_warning_of_another(old, pypi, run):
    remotes = index_table(pypi) + '[remotes.copy]\ntype = "directory"\npath = "copy"'
    old.configure("copy", "warehouse", remotes=remotes)
    done = run("relay", "release", "--yes", "--json")
    assert done.code == 3
    assert {level for check, level in findings_of(done.json()) if check == "metadata-field"} == {"error"}

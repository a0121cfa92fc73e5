"""Profiles at work: what is ignored is sent, what cannot be sent is refused first, copies are not held up."""

import pytest
from tests.integration.release.conftest import SDIST, WHEELS, index_table

from wheelrelay.testing import make_sdist, make_wheel
from wheelrelay.testing.broken import BROKEN

WARNINGS = {("metadata-field", "warning"), ("release-metadata-differ", "warning")}
OLD = {"Metadata-Version": "2.0", "Requires-Python": ">=3.6.*", "License-Expression": "MIT"}


def findings_of(document):
    return {(found["check"], found["severity"]) for found in document["findings"]}


@pytest.fixture
def old(project, pypi):
    """One of the wheels, and the sdist, have metadata as they once were; the sink is a private index."""
    make_wheel(project.dist, tag="cp312-cp312-manylinux_2_17_x86_64", metadata=OLD)
    make_sdist(project.dist, metadata=OLD)
    project.configure("warehouse", remotes=index_table(pypi, profile="index"))
    return project


def test_invalid_fields_are_sent_to_a_private_index_with_a_warning(old, relay):
    done = relay("--json")
    assert findings_of(done.json()) == WARNINGS
    # The test index applies PyPI's rules to what it is sent: the refusal shows that the file was sent.
    assert "2.0" in done.err


def test_ignored_checks_do_not_let_a_file_through_that_cannot_be_sent(project, pypi, relay):
    nameless = {"Name": None}
    make_wheel(project.dist, tag="cp312-cp312-manylinux_2_17_x86_64", metadata=nameless)
    make_sdist(project.dist, metadata=nameless)
    ignored = '[remotes.warehouse.checks]\nignore = ["metadata-required", "filename-metadata"]'
    project.configure("warehouse", remotes=index_table(pypi, profile="index", keys=ignored))
    done = relay("--json")
    assert done.code == 3
    refused = {
        (found["filename"], found["check"])
        for found in done.json()["findings"]
        if found["severity"] == "error"
    }
    assert refused == {(WHEELS[0], "upload-form"), (SDIST, "upload-form")}
    assert pypi.uploads == []


class TestCopies:
    def test_a_directory_takes_old_metadata_and_counts_them_in_one_line(self, old, run):
        done = run("relay", "--from", "./dist", "--to", "./wheelhouse", "sample")
        assert done.code == 0
        assert done.out.count("warning") == 1
        rules = "metadata-field, release-metadata-differ"
        assert f"A stricter index would refuse 2 files: {rules}." in done.out
        assert "findings; use `--json` to see all." in done.out
        assert len(list((old.folder / "wheelhouse").iterdir())) == 5

    def test_a_mirror_of_a_private_index_takes_what_a_directory_takes(self, old, run):
        old.configure("copy", remotes='[remotes.copy]\ntype = "directory"\npath = "copy"\npages = true')
        done = run("relay", "release", "--mode", "mirror", "--json")
        assert done.code == 0
        assert findings_of(done.json()) == {("metadata-field", "warning")}

    @pytest.mark.parametrize("check", ["filename-metadata", "record-hash", "archive-corrupt", "member-path"])
    def test_a_directory_refuses_a_file_that_is_unsafe_or_another(self, check, project, run):
        path = BROKEN[check].broken(project.folder / "bad")
        done = run("push", str(path), "--to", "./wheelhouse", "--json")
        assert done.code == 3
        assert f"[{check}]" in done.err


class TestPush:
    MISNAMED = ("sample-1.0-noavx.whl", "sample-1.0-py3-none-any.WHL", "sample-1.0.linux-x86_64.tar.gz")

    @pytest.fixture
    def mixed(self, project):
        """Misnamed files, links to nothing, and a file with a fault of another kind."""
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
    def test_everything_is_reported_at_once(self, command, project, run, mixed):
        done = run(*command, "--json")
        assert done.code == 3
        document = done.json()
        findings = document if isinstance(document, list) else document["findings"]
        errors = {(found["filename"], found["check"]) for found in findings if found["severity"] == "error"}
        assert errors - {(self.MISNAMED[2], "archive-unreadable")} == mixed

    def test_misnamed_files_alone_are_reported_too(self, project, run):
        (project.folder / "bad").mkdir()
        (project.folder / "bad" / self.MISNAMED[0]).write_bytes(b"PK")
        done = run("push", "bad", "--to", "./staging")
        assert done.code == 3
        assert "[filename]" in done.err

    def test_the_profile_pypi_refuses_a_build_before_it_is_stored(self, project, run):
        path = BROKEN["platform-tag"].broken(project.folder / "bad")
        assert run("push", str(path), "--to", "./staging", "--profile", "pypi").code == 3
        assert not (project.folder / "staging").exists() or not list((project.folder / "staging").iterdir())
        assert run("push", str(path), "--to", "./staging").code == 0


def test_one_refusal_is_not_shown_as_a_warning_too(old, pypi, run):
    remotes = index_table(pypi) + '[remotes.copy]\ntype = "directory"\npath = "copy"'
    old.configure("copy", "warehouse", remotes=remotes)
    done = run("relay", "release", "--yes", "--json")
    assert done.code == 3
    assert {level for check, level in findings_of(done.json()) if check == "metadata-field"} == {"error"}

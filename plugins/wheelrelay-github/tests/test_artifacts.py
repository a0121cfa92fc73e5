"""Artifacts of workflow runs: which run, which artifact, and how little of it is transferred."""

import os

import pytest
from tests.servers.web import Reply

from wheelrelay.errors import ConfigError, IntegrityError, NotFound, PermissionDenied
from wheelrelay_github.config import GitHubArtifactsConfig

WHEEL = "sample-1.0-py3-none-any.whl"
SDIST = "sample-1.0.tar.gz"
LARGE = os.urandom(3 << 20)


def names(config):
    with config.open() as source:
        return [file.filename for file in source.iter_files(None)]


def content(source, file):
    with source.open(file) as stream:
        return b"".join(iter(lambda: stream.read(1 << 16), b""))


class TestChoiceOfTheRun:
    def test_by_its_id(self, github, artifacts_config):
        runs = [github.add_run() for _ in range(2)]
        for run, name in zip(runs, (WHEEL, SDIST), strict=True):
            github.add_artifact(run, "wheels", {name: b"bytes"})
        assert names(artifacts_config(run=runs[0].id)) == [WHEEL]

    def test_this_run_of_github_actions(self, github, artifacts_config, monkeypatch):
        run = github.add_run()
        github.add_artifact(run, "wheels", {WHEEL: b"bytes"})
        monkeypatch.setenv("GITHUB_RUN_ID", str(run.id))
        assert names(artifacts_config(run="this")) == [WHEEL]

    def test_this_run_elsewhere_is_an_error(self, artifacts_config):
        with pytest.raises(ConfigError, match="only in a job of GitHub Actions"):
            names(artifacts_config(run="this"))

    @pytest.mark.parametrize(
        ("found_by", "expected"),
        [
            ({"branch": "main"}, "main-1.0.tar.gz"),
            ({"branch": "dev"}, "dev-1.0.tar.gz"),
            ({"commit": 40 * "a"}, "dev-1.0.tar.gz"),
            ({"workflow": "wheels.yml"}, "main-1.0.tar.gz"),
            ({"workflow": "wheels.yml", "branch": "dev"}, "dev-1.0.tar.gz"),
        ],
    )
    def test_the_newest_successful_one(self, github, artifacts_config, found_by, expected):
        for run, name in (
            (github.add_run(branch="old"), "old-1.0.tar.gz"),
            (github.add_run(branch="dev", commit=40 * "a"), "dev-1.0.tar.gz"),
            (github.add_run(), "main-1.0.tar.gz"),
            (github.add_run(conclusion="failure"), "failed-1.0.tar.gz"),
            (github.add_run(workflow="docs.yml", branch="docs"), "docs-1.0.tar.gz"),
        ):
            github.add_artifact(run, "wheels", {name: b"bytes"})
        assert names(artifacts_config(**found_by)) == [expected]

    def test_none_is_an_error_that_names_the_choice(self, github, artifacts_config):
        github.add_run(conclusion="failure")
        with pytest.raises(NotFound, match=r"no successful run of workflow wheels\.yml and branch main"):
            names(artifacts_config(workflow="wheels.yml", branch="main"))


class TestChoiceOfArtifacts:
    def test_by_patterns(self, github, artifacts_config):
        run = github.add_run()
        for number, name in enumerate(("wheels-linux", "wheels-macos", "docs")):
            github.add_artifact(run, name, {f"sample-1.{number}.tar.gz": b"bytes"})
        chosen = artifacts_config(run=run.id, artifacts=["wheels-*"])
        assert names(chosen) == ["sample-1.0.tar.gz", "sample-1.1.tar.gz"]

    def test_a_pattern_that_matches_none_names_those_that_exist(self, github, artifacts_config):
        run = github.add_run()
        github.add_artifact(run, "docs", {"index.html": b"bytes"})
        with pytest.raises(NotFound, match=r"no artifact wheels-\*\. It has docs\."):
            names(artifacts_config(run=run.id, artifacts=["wheels-*"]))

    def test_the_newest_of_one_name_counts(self, github, artifacts_config):
        run = github.add_run()
        github.add_artifact(run, "wheels", {WHEEL: b"of the first attempt"})
        github.add_artifact(run, "wheels", {WHEEL: b"of the second attempt"})
        with artifacts_config(run=run.id).open() as source:
            [file] = source.iter_files(None)
            assert content(source, file) == b"of the second attempt"

    def test_an_expired_one_is_an_error(self, github, artifacts_config):
        run = github.add_run()
        github.add_artifact(run, "wheels", {WHEEL: b"bytes"}, expired=True)
        with pytest.raises(NotFound, match="'wheels' of run 1 expired") as caught:
            names(artifacts_config(run=run.id))
        assert "retention-days" in caught.value.hint

    def test_different_files_of_one_name_are_an_error(self, github, artifacts_config):
        run = github.add_run()
        github.add_artifact(run, "one", {f"dist/{WHEEL}": b"bytes"})
        github.add_artifact(run, "two", {WHEEL: b"other"})
        with pytest.raises(IntegrityError, match=f"different files named {WHEEL}"):
            names(artifacts_config(run=run.id))

    def test_the_same_file_twice_counts_once(self, github, artifacts_config):
        run = github.add_run()
        for name in ("one", "two"):
            github.add_artifact(run, name, {f"dist/{WHEEL}": b"bytes"})
        assert names(artifacts_config(run=run.id)) == [WHEEL]


def test_a_public_repository_needs_a_token_too(github, artifacts_config):
    run = github.add_run()
    github.add_artifact(run, "wheels", {WHEEL: b"bytes"})
    with pytest.raises(PermissionDenied, match="without a token"):
        names(artifacts_config(run=run.id, token=None))


def test_files_carry_the_commit_and_the_run_that_built_them(github, artifacts_config):
    run = github.add_run()
    github.add_artifact(run, "wheels", {WHEEL: b"bytes"})
    with artifacts_config(run=run.id).open() as source:
        [file] = source.iter_files("sample")
    assert file.build["commit"] == run.commit
    assert file.build["run"].endswith(f"/actions/runs/{run.id}")


class TestTransfer:
    @pytest.fixture
    def source(self, github, artifacts_config):
        run = github.add_run()
        files = {"sample-1.0.tar.gz": LARGE, "sample-2.0.tar.gz": os.urandom(3 << 20), "notes.txt": b""}
        github.add_artifact(run, "wheels", files)
        with artifacts_config(run=run.id).open() as source:
            yield source

    def test_a_listing_reads_only_the_end_of_the_archive(self, github, source):
        list(source.iter_files(None))
        asked = [request for request in github.requests if request.path.startswith("/blobs/")]
        assert [request.headers["range"] for request in asked] == ["bytes=-1048576"]

    def test_a_file_is_read_by_one_request_for_a_part(self, github, source):
        [file] = [file for file in source.iter_files(None) if str(file.version) == "1.0"]
        github.requests.clear()
        assert content(source, file) == LARGE
        asked = [request for request in github.requests if request.path.startswith("/blobs/")]
        assert len(asked) == 1

    def test_a_storage_without_ranges_serves_all_the_same(self, github, source):
        github.ranges = False
        files = list(source.iter_files(None))
        assert content(source, files[0]) == LARGE
        assert len(content(source, files[1])) == len(LARGE)

    def test_a_damaged_archive_is_an_integrity_error(self, github, source):
        [file] = [file for file in source.iter_files(None) if str(file.version) == "1.0"]
        [artifact] = github.state.artifacts
        damaged = bytearray(artifact.content)
        damaged[1000] ^= 1
        artifact.content = bytes(damaged)
        with pytest.raises(IntegrityError, match=r"sample-1\.0\.tar\.gz in artifact 'wheels' is damaged"):
            content(source, file)

    def test_anything_but_a_zip_archive_is_an_integrity_error(self, github, source):
        github.state.artifacts[0].content = b"<html>"
        with pytest.raises(IntegrityError, match="'wheels' is not a zip archive"):
            list(source.iter_files(None))

    def test_an_artifact_that_expired_since_is_not_found(self, github, source):
        [file, *_] = source.iter_files(None)
        github.state.artifacts[0].expired = True
        with pytest.raises(NotFound):
            content(source, file)

    def test_a_signed_address_that_expired_is_renewed_for_each_file(self, github, source):
        files = list(source.iter_files(None))
        github.fail(f"/blobs/{github.state.artifacts[0].id}-wheels", Reply(b"", 403))
        with pytest.raises(PermissionDenied):
            content(source, files[0])
        assert len(content(source, files[0])) == len(LARGE)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "which run"),
        ({"run": 1, "branch": "main"}, "either run"),
        ({"run": 1, "artifacts": []}, "artifacts"),
        ({"commit": "1f2e3d"}, "commit"),
        ({"run": 1, "repository": "sample"}, "owner/name"),
        ({"run": 1, "app": {"id": 1, "private_key": {"env": "KEY"}}, "token": {"env": "T"}}, "only one"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(keys, message):
    with pytest.raises(ValueError, match=message):
        GitHubArtifactsConfig(**{"repository": "example/sample", **keys})

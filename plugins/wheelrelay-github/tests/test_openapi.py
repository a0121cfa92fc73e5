"""The GitHub of the tests answers as GitHub's own description says, and gets requests that it allows."""

import shutil

import pytest
from tests.servers.openapi import Description, download_description

from wheelrelay.testing import make_sdist, make_wheel, stage_path

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def description(request):
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    return Description(download_description(request.config.cache.mkdir("github-openapi")))


@pytest.fixture
def exchanges(github):
    """The requests and replies of the API."""
    seen = []
    reply_to = github.reply_to

    def recorded(request):
        reply = reply_to(request)
        if not request.path.startswith("/blobs/"):
            seen.append((request, reply))
        return reply

    github.reply_to = recorded
    return seen


def problems(description, exchanges):
    assert exchanges
    for request, reply in exchanges:
        prefix = "/api/uploads" if request.path.startswith("/api/uploads") else "/api/v3"
        yield from description.problems(request, reply, prefix)


def test_releases(github, release_config, description, exchanges, tmp_path):
    wheel = make_wheel(tmp_path, "sample", "1.0")
    with release_config(create=True).open() as store:
        store.put(stage_path(wheel))
        store.put(stage_path(make_sdist(tmp_path, "sample", "1.0")))
        store.replace(stage_path(make_wheel(tmp_path / "other", "sample", "1.0", payload=b"other")))
        files = list(store.iter_files("sample"))
        with store.open(files[0]) as stream:
            stream.read(10)
        store.delete(files)
    with release_config(tag="v1.0").open() as store:
        assert list(store.iter_files(None)) == []
    methods = {request.method for request, _ in exchanges}
    assert methods == {"GET", "POST", "PATCH", "DELETE"}
    assert list(problems(description, exchanges)) == []


def test_artifacts(github, artifacts_config, description, exchanges):
    run = github.add_run()
    github.add_artifact(run, "wheels", {"sample-1.0.tar.gz": b"bytes"})
    for keys in ({"run": run.id}, {"branch": "main"}, {"workflow": "wheels.yml", "commit": run.commit}):
        with artifacts_config(**keys).open() as source:
            [file] = source.iter_files(None)
            with source.open(file) as stream:
                assert stream.read(10) == b"bytes"
    assert list(problems(description, exchanges)) == []

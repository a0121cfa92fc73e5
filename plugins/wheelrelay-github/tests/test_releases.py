"""Assets of releases: uploads that fail, drafts, immutable releases, replacing, and downloads."""

from dataclasses import replace

import pytest
from tests.servers.web import run_web

from wheelrelay.errors import AlreadyExists, BackendError, NotFound, Rejected, Unavailable
from wheelrelay.model import Companion
from wheelrelay.testing import make_sdist, make_wheel, stage_path


@pytest.fixture
def store(release_config):
    with release_config().open() as store:
        yield store


@pytest.fixture
def wheel(tmp_path):
    return stage_path(make_wheel(tmp_path, "sample", "1.0"))


def signed_wheel(folder):
    staged = stage_path(make_wheel(folder, "sample", "1.0"))
    return replace(staged, companions=(Companion(".asc", b"signed"),))


def names(store):
    return [file.filename for file in store.iter_files(None)]


class TestTags:
    def test_only_releases_with_such_a_tag_are_read(self, github, release_config):
        for tag, version in (("v1.0", "1.0"), ("other-2.0", "2.0"), ("v3.0", "3.0")):
            github.add_asset(github.add_release(tag), f"sample-{version}.tar.gz", b"bytes")
        with release_config().open() as store:
            assert sorted(names(store)) == ["sample-1.0.tar.gz", "sample-3.0.tar.gz"]
        with release_config(tag="other-2.0").open() as store:
            assert names(store) == ["sample-2.0.tar.gz"]
        with release_config(tag="{project}-{version}").open() as store:
            assert names(store) == ["sample-2.0.tar.gz"]
        with release_config(tag="v9").open() as store:
            assert names(store) == []

    def test_latest_is_the_newest_release_that_is_final(self, github, release_config):
        github.add_asset(github.add_release("v1.0"), "sample-1.0.tar.gz", b"bytes")
        github.add_asset(github.add_release("v2.0rc1", prerelease=True), "sample-2.0rc1.tar.gz", b"bytes")
        with release_config(tag="latest").open() as store:
            assert names(store) == ["sample-1.0.tar.gz"]

    def test_files_go_to_the_releases_of_their_versions(self, github, store, tmp_path):
        for version in ("1.0", "2.0"):
            github.add_release(f"v{version}")
            store.put(stage_path(make_sdist(tmp_path, "sample", version)))
        assert {asset.release: asset.name for asset in github.state.assets.values()} == {
            1: "sample-1.0.tar.gz",
            3: "sample-2.0.tar.gz",
        }


class TestMissingReleases:
    def test_are_an_error_by_default(self, store, wheel):
        with pytest.raises(NotFound, match=r"no release 'v1.0'") as caught:
            store.put(wheel)
        assert "create = true" in caught.value.hint

    def test_are_created_once_for_all_files(self, github, release_config, tmp_path):
        with release_config(create=True, draft=True, prerelease=True).open() as store:
            store.put(stage_path(make_wheel(tmp_path, "sample", "1.0")))
            store.put(stage_path(make_sdist(tmp_path, "sample", "1.0")))
            assert sorted(names(store)) == ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]
        [release] = github.state.releases
        assert (release.tag, release.draft, release.prerelease) == ("v1.0", True, True)


class TestIncompleteUploads:
    def test_are_not_listed(self, github, store):
        github.add_asset(github.add_release("v1.0"), "sample-1.0.tar.gz", b"", state="starter", digest=None)
        assert names(store) == []

    def test_are_deleted_by_the_next_attempt(self, github, store, wheel):
        github.add_release("v1.0")
        github.loses = [wheel.filename]
        with pytest.raises(Unavailable, match="502"):
            store.put(wheel)
        assert [asset.state for asset in github.state.assets.values()] == ["starter"]
        store.put(wheel)
        assert names(store) == [wheel.filename]

    def test_leave_no_companion_behind(self, github, store, tmp_path):
        github.add_release("v1.0")
        signed = signed_wheel(tmp_path)
        github.loses = [signed.filename]
        with pytest.raises(Unavailable):
            store.put(signed)
        assert github.names() == []


def test_an_immutable_release_takes_no_more_files(github, store, wheel):
    github.add_release("v1.0", immutable=True)
    with pytest.raises(Rejected, match="immutable") as caught:
        store.put(wheel)
    assert "draft" in caught.value.hint


def test_a_draft_is_found_and_takes_files(github, store, wheel):
    github.add_release("v1.0", draft=True)
    store.put(wheel)
    assert names(store) == [wheel.filename]


class TestAssetsWithoutDigest:
    """Assets that were uploaded before GitHub computed digests."""

    def test_with_the_same_bytes_are_left_alone(self, github, store, wheel):
        content = wheel.path.read_bytes()
        github.add_asset(github.add_release("v1.0"), wheel.filename, content, digest=None)
        store.put(wheel)
        assert github.names() == [wheel.filename]

    def test_with_other_bytes_of_the_same_size_are_a_conflict(self, github, store, wheel):
        content = bytes(wheel.size)
        github.add_asset(github.add_release("v1.0"), wheel.filename, content, digest=None)
        with pytest.raises(AlreadyExists, match="other bytes"):
            store.put(wheel)


class TestReplacing:
    def test_exchanges_the_bytes_and_removes_old_companions(self, github, store, wheel):
        release = github.add_release("v1.0")
        github.add_asset(release, wheel.filename, b"old")
        github.add_asset(release, f"{wheel.filename}.asc", b"old signature")
        store.replace(wheel)
        [file] = store.iter_files(None)
        assert (file.sha256, file.companions) == (wheel.sha256, ())
        assert github.names() == [wheel.filename]

    def test_keeps_the_old_bytes_if_the_upload_fails(self, github, store, wheel):
        github.add_asset(github.add_release("v1.0"), wheel.filename, b"old")
        github.loses = [f"{wheel.filename}.wheelrelay-incoming"]
        with pytest.raises(Unavailable):
            store.replace(wheel)
        assert next(iter(github.state.assets.values())).content == b"old"
        store.replace(wheel)
        assert github.names() == [wheel.filename]

    def test_of_the_same_bytes_does_nothing(self, github, store, wheel):
        github.add_release("v1.0")
        store.put(wheel)
        github.requests.clear()
        store.replace(wheel)
        assert {request.method for request in github.requests} == {"GET"}


def test_the_storage_gets_no_token(github, store):
    with run_web() as storage:
        github.storage = storage.url
        asset = github.add_asset(github.add_release("v1.0"), "sample-1.0.tar.gz", b"the bytes")
        storage.serve(f"/blobs/{asset.id}-sample-1.0.tar.gz", b"the bytes")
        [file] = store.iter_files(None)
        with store.open(file) as stream:
            assert stream.read(100) == b"the bytes"
    assert ["authorization" in request.headers for request in storage.requests] == [False]


def test_an_upload_address_at_another_host_gets_nothing(github, store, wheel):
    github.add_release("v1.0")
    description = github._release

    def elsewhere(release):
        return {**description(release), "upload_url": "http://127.0.0.2:1/assets{?name}"}

    github._release = elsewhere
    with pytest.raises(BackendError, match="refers to another host"):
        store.put(wheel)


def test_deletes_files_with_their_companions(github, store, tmp_path):
    github.add_release("v1.0")
    signed = signed_wheel(tmp_path)
    store.put(signed)
    store.put(stage_path(make_sdist(tmp_path, "sample", "1.0")))
    store.delete([file for file in store.iter_files(None) if file.filename == signed.filename])
    assert github.names() == ["sample-1.0.tar.gz"]


def test_names_that_github_would_change_are_refused_before_the_upload(github, store, tmp_path):
    github.add_release("v1!1.0")
    with pytest.raises(Rejected, match="change the name"):
        store.put(stage_path(make_sdist(tmp_path, "sample", "1!1.0")))
    assert github.names() == []

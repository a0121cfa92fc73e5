"""Packages, releases and labels: creating, conflicts, replacing, deleting and retention."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.servers.anaconda import OWNER
from tests.servers.web import Reply, run_web

import wheelrelay
from wheelrelay.errors import AlreadyExists, NotFound, Rejected, Unavailable
from wheelrelay.model import Companion
from wheelrelay.testing import make_sdist, make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"


@pytest.fixture
def wheel(tmp_path):
    return stage_path(make_wheel(tmp_path, "sample", "1.0"))


@pytest.fixture
def other_bytes(tmp_path):
    return stage_path(make_wheel(tmp_path / "other", "sample", "1.0", payload=b"other"))


def names(store):
    return [file.filename for file in store.iter_files(None)]


class TestCreatedPackages:
    def test_have_the_summary_of_the_metadata_and_are_public(self, anaconda, store, wheel):
        metadata = (
            b"Metadata-Version: 2.4\nName: sample\nVersion: 1.0\nSummary: A sample.\nLicense: MIT\n\nLong."
        )
        store.put(replace(wheel, metadata=metadata))
        package = anaconda.packages["sample"]
        assert (package.public, package.attrs["summary"], package.attrs["license"]["name"]) == (
            True,
            "A sample.",
            "MIT",
        )
        assert package.releases["1.0"]["description"] == "Long."

    def test_are_private_if_configured(self, anaconda, config, wheel):
        with config(public=False).open() as store:
            store.put(wheel)
            assert names(store) == [WHEEL]
        with config(token=None).open() as anonymous:
            assert names(anonymous) == []

    def test_are_refused_if_configured(self, anaconda, config, wheel):
        with config(create=False).open() as store, pytest.raises(NotFound, match="has no package") as caught:
            store.put(wheel)
        assert "create = true" in caught.value.hint
        assert anaconda.packages == {}

    def test_are_created_once_for_all_files(self, anaconda, store, tmp_path):
        for name in ("py3-none-any", "cp312-cp312-win_amd64"):
            store.put(stage_path(make_wheel(tmp_path, "sample", "1.0", name)))
        created = [request.path for request in anaconda.requests if request.method == "POST"]
        assert [path for path in created if "/package/" in path or "/release/" in path] == [
            f"/api/package/{OWNER}/sample",
            f"/api/release/{OWNER}/sample/1.0",
        ]

    def test_that_another_job_created_meanwhile_are_used(self, anaconda, store, wheel):
        missing = Reply(b'{"error": "not found"}', 404, "application/json")
        anaconda.add("sample", "0.9", "sample-0.9.tar.gz", b"bytes")
        anaconda.fail(f"/api/package/{OWNER}/sample", missing)
        store.put(wheel)
        assert set(anaconda.names()) == {WHEEL, "sample-0.9.tar.gz"}


def test_attributes_are_those_of_the_filename(anaconda, store, tmp_path):
    store.put(stage_path(make_wheel(tmp_path, "sample", "1.0", "cp312-abi3-win_amd64", build="2")))
    store.put(stage_path(make_sdist(tmp_path, "sample", "1.0")))
    assert [file.attrs for file in anaconda.packages["sample"].files] == [
        {"packagetype": "bdist_wheel", "python_version": "cp312", "abi": "abi3", "build_no": "2"},
        {"packagetype": "sdist", "python_version": "source"},
    ]


def test_packages_are_found_by_the_name_that_another_client_used(anaconda, store, tmp_path):
    anaconda.add("Sample.Name", "1.0", "sample_name-1.0.tar.gz", b"bytes")
    store.put(stage_path(make_wheel(tmp_path, "sample_name", "1.0")))
    assert list(anaconda.packages) == ["Sample.Name"]
    assert len(list(store.iter_files("sample-name"))) == 2


def test_files_that_are_no_distributions_are_ignored(anaconda, store):
    anaconda.add("sample", "1.0", "linux-64/sample-1.0-0.tar.bz2", b"conda", type="conda")
    anaconda.add("sample", "1.0", "sample-1.0-py3.12.egg", b"egg")
    anaconda.add("sample", "1.0", WHEEL, b"wheel")
    assert names(store) == [WHEEL]


def test_sizes_times_and_digests_are_those_of_the_api(anaconda, store):
    anaconda.add("sample", "1.0", WHEEL, b"wheel")
    anaconda.add(
        "sample", "0.9", "sample-0.9.tar.gz", b"old", has_sha256=False, uploaded="2019-01-01T00:00:00"
    )
    new, old = store.iter_files("sample")
    assert new.size == 5
    assert new.upload_time == datetime(2026, 11, 1, 12, 0, 0, 123000, tzinfo=UTC)
    assert set(new.digests.known()) == {"sha256", "md5"}
    assert set(old.digests.known()) == {"md5"}
    assert old.upload_time.tzinfo


def test_old_files_without_sha256_are_compared_by_md5(anaconda, store, wheel, other_bytes):
    anaconda.add("sample", "1.0", WHEEL, wheel.path.read_bytes(), has_sha256=False)
    store.put(wheel)
    with pytest.raises(AlreadyExists):
        store.put(other_bytes)


class TestLabels:
    def test_uploads_get_all_and_reading_needs_all(self, config, wheel):
        with config(labels=["dev", "nightly"]).open() as store:
            store.put(wheel)
            assert names(store) == [WHEEL]
        for labels, expected in ((["dev"], [WHEEL]), (["dev", "main"], []), (["main"], [])):
            with config(labels=labels).open() as store:
                assert names(store) == expected

    def test_are_added_to_a_file_that_exists_under_others(self, anaconda, config, store, wheel, other_bytes):
        with config(labels=["dev"]).open() as dev:
            dev.put(wheel)
        with pytest.raises(AlreadyExists, match="labels dev"):
            store.put(other_bytes)
        store.put(wheel)
        assert anaconda.packages["sample"].files[0].labels == {"dev", "main"}

    def test_deleting_removes_only_ours_if_there_are_others(self, anaconda, config, store, wheel):
        with config(labels=["dev", "main"]).open() as both:
            both.put(wheel)
        store.delete(list(store.iter_files(None)))
        assert anaconda.packages["sample"].files[0].labels == {"dev"}


class TestTheOnlyFileOfAPackage:
    def test_is_not_deleted(self, anaconda, store, wheel):
        store.put(wheel)
        with pytest.raises(Rejected, match="deletes packages without files") as caught:
            store.delete(list(store.iter_files(None)))
        assert "delete_packages" in caught.value.hint
        assert anaconda.names() == [WHEEL]

    def test_is_not_replaced(self, anaconda, store, wheel, other_bytes):
        store.put(wheel)
        with pytest.raises(Rejected, match="cannot be replaced"):
            store.replace(other_bytes)
        assert next(store.iter_files(None)).sha256 == wheel.sha256

    def test_is_replaced_and_deleted_if_configured(self, anaconda, config, wheel, other_bytes):
        with config(delete_packages=True).open() as store:
            store.put(wheel)
            store.replace(other_bytes)
            assert next(store.iter_files(None)).sha256 == other_bytes.sha256
            store.delete(list(store.iter_files(None)))
        assert anaconda.packages == {}

    def test_counts_conda_packages_as_others(self, anaconda, store, wheel):
        store.put(wheel)
        anaconda.add("sample", "1.0", "noarch/sample-1.0-0.conda", b"conda", type="conda")
        store.delete(list(store.iter_files(None)))
        assert anaconda.names() == ["noarch/sample-1.0-0.conda"]


def test_nothing_is_deleted_if_one_package_would_be_empty(anaconda, store, tmp_path):
    for name, version in (("first", "1.0"), ("first", "2.0"), ("second", "1.0")):
        store.put(stage_path(make_sdist(tmp_path, name, version)))
    files = [file for file in store.iter_files(None) if str(file.version) == "1.0"]
    with pytest.raises(Rejected):
        store.delete(files)
    assert len(anaconda.names()) == 3


class TestReplacing:
    @pytest.fixture(autouse=True)
    def published(self, store, wheel, tmp_path):
        store.put(stage_path(make_sdist(tmp_path, "sample", "0.9")))
        store.put(wheel)

    def test_exchanges_the_bytes(self, anaconda, store, other_bytes):
        store.replace(other_bytes)
        assert {file.sha256 for file in store.iter_files(None)} >= {other_bytes.sha256}
        assert len(anaconda.names()) == 2

    def test_of_the_same_bytes_sends_nothing(self, anaconda, store, wheel):
        anaconda.requests.clear()
        store.replace(wheel)
        assert {request.method for request in anaconda.requests} == {"GET"}

    def test_keeps_other_labels(self, anaconda, store, other_bytes):
        anaconda.packages["sample"].files[1].labels.add("dev")
        store.replace(other_bytes)
        assert anaconda.packages["sample"].files[1].labels == {"main", "dev"}

    def test_of_all_files_at_once_never_deletes_the_package(self, anaconda, store, other_bytes, tmp_path):
        other_sdist = stage_path(make_sdist(tmp_path / "other", "sample", "0.9", payload=b"other"))
        anaconda.requests.clear()
        with ThreadPoolExecutor() as threads:
            list(threads.map(store.replace, [other_bytes, other_sdist]))
        assert {file.sha256 for file in store.iter_files(None)} == {other_bytes.sha256, other_sdist.sha256}
        assert [
            request.path
            for request in anaconda.requests
            if "/api/package/" in request.path and request.method == "POST"
        ] == []

    def test_is_completed_by_a_second_attempt(self, anaconda, store, other_bytes):
        anaconda.refuses_uploads = [Reply(b"", 503)]
        with pytest.raises(Unavailable):
            store.replace(other_bytes)
        assert anaconda.names() == ["sample-0.9.tar.gz"]
        store.replace(other_bytes)
        assert len(anaconda.names()) == 2


class TestRetention:
    def test_keeps_the_newest_versions_and_young_files(self, anaconda, config):
        today = datetime.now(UTC)
        for number in range(1, 8):
            uploaded = str(today - timedelta(days=30 if number < 4 else 3))
            name = f"sample-1.0.dev{number}-py3-none-any.whl"
            anaconda.add("sample", f"1.0.dev{number}", name, b"bytes", uploaded=uploaded)
        nightlies = config(retention={"keep": 3, "max_age": "14d"})
        assert len(wheelrelay.prune(nightlies, dry_run=True)) == 3
        assert len(wheelrelay.prune(nightlies)) == 3
        assert anaconda.names() == [f"sample-1.0.dev{number}-py3-none-any.whl" for number in range(4, 8)]
        assert list(anaconda.packages["sample"].releases) == [f"1.0.dev{number}" for number in range(4, 8)]


class TestTheStorage:
    def test_gets_no_token(self, anaconda, store, wheel):
        with run_web() as storage:
            anaconda.storage = storage.url
            storage.serve("/storage", b"", status=403)
            with pytest.raises(Rejected):
                store.put(wheel)
            file = anaconda.add("sample", "0.9", "sample-0.9.tar.gz", b"the bytes")
            storage.serve(f"/blobs/{file.id}/sample-0.9.tar.gz", b"the bytes")
            with store.open(next(store.iter_files(None))) as stream:
                assert stream.read(100) == b"the bytes"
        assert ["authorization" in request.headers for request in storage.requests] == [False, False]

    @pytest.mark.parametrize(
        ("status", "code", "error"),
        [
            (400, "EntityTooLarge", Rejected),
            (403, "AccessDenied", Rejected),
            (400, "RequestTimeout", Unavailable),
            (503, "SlowDown", Unavailable),
        ],
    )
    def test_explains_what_it_refuses(self, anaconda, store, wheel, status, code, error):
        body = f"<Error><Code>{code}</Code><Message>It was refused.</Message></Error>".encode()
        anaconda.refuses_uploads = [Reply(body, status, "application/xml")]
        with pytest.raises(error, match=f"refused {WHEEL} with {status}: {code}: It was refused"):
            store.put(wheel)
        assert names(store) == []
        store.put(wheel)
        assert names(store) == [WHEEL]


def test_companions_are_not_uploaded(anaconda, store, wheel, caplog):
    store.put(replace(wheel, companions=(Companion(".asc", b"signed"),)))
    assert anaconda.names() == [WHEEL]
    assert f"{WHEEL}.asc is not uploaded" in caplog.text

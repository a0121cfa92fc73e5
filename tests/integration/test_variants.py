"""Variant wheels and the list of a release's variants (PEP 825) are copied together."""

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.servers.installers import pip_download, pip_install, uv_install
from tests.servers.moto import run_moto
from tests.servers.shared import shared

import wheelrelay
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.checks import ChecksConfig, Profile, check_files
from wheelrelay.config import load_config
from wheelrelay.errors import CheckFailed, Conflict, RelayFailed
from wheelrelay.records import Outcome, Severity
from wheelrelay.testing.samples import make_sdist, make_variants, make_wheel

PLAIN = "sample-1.0-py3-none-any.whl"
LABELS = ("cu130", "null")
VARIANTS = tuple(f"sample-1.0-py3-none-any-{label}.whl" for label in LABELS)
LIST = "sample-1.0-variants.json"
SDIST = "sample-1.0.tar.gz"
ALL = sorted([PLAIN, *VARIANTS, LIST, SDIST])


@pytest.fixture
def dist(tmp_path):
    """A release with two variant wheels, a plain wheel, an sdist, and the list."""
    folder = tmp_path / "dist"
    make_wheel(folder)
    for number, name in enumerate(VARIANTS):
        make_wheel(folder, filename=name, payload=bytes([number]))
    make_sdist(folder)
    make_variants(folder, labels=LABELS)
    return folder


@pytest.fixture(scope="module")
def moto(request):
    """An S3 server."""
    return shared(request, run_moto)


@pytest.fixture
def bucket(moto, tmp_path, monkeypatch):
    """A bucket, as the remote ``bucket``."""
    monkeypatch.setenv("S3_KEY", moto.secret_access_key)
    path = tmp_path / "wheelrelay.toml"
    path.write_text(f"""
[remotes.bucket]
type = "s3"
bucket = "{moto.new_bucket()}"
region = "{moto.region}"
endpoint_url = "{moto.url}"
access_key_id = "{moto.access_key_id}"
secret_access_key = {{ env = "S3_KEY" }}
""")
    return load_config(path)


def mirror(source, sink, *, mode="mirror", **options):
    """Mirror or relay everything."""
    return wheelrelay.relay(wheelrelay.Route(source=source, sinks=[sink], mode=mode), **options)


def with_pages(folder):
    """Return a directory that has index pages."""
    return DirectoryConfig(path=folder, pages=True)


def names(folder):
    """Return the distribution files in a folder."""
    return sorted(path.name for path in folder.iterdir() if path.name in ALL)


@pytest.fixture
def served(dist, tmp_path):
    """The URL of a directory with index pages that the release was mirrored to."""
    folder = tmp_path / "served"
    mirror(str(dist), with_pages(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


class TestDirectory:
    @pytest.mark.parametrize("mode", ["mirror", "release"])
    def test_all_files_arrive_unchanged(self, dist, tmp_path, mode):
        target = tmp_path / "target"
        receipt = mirror(str(dist), with_pages(target), mode=mode)
        assert receipt.is_complete
        assert receipt.findings == ()
        assert names(target) == ALL
        assert (target / LIST).read_bytes() == (dist / LIST).read_bytes()

    def test_pages_link_the_list(self, dist, tmp_path):
        target = tmp_path / "target"
        mirror(str(dist), with_pages(target))
        page = json.loads((target / "simple" / "sample" / "index.json").read_bytes())
        entries = {entry["filename"]: entry for entry in page["files"]}
        assert sorted(entries) == ALL
        assert entries[LIST]["url"] == f"../../{LIST}"
        assert len(entries[LIST]["hashes"]["sha256"]) == 64
        assert "core-metadata" not in entries[LIST]
        for html in (target / "index.html", target / "simple" / "sample" / "index.html"):
            assert f'{LIST}#sha256={entries[LIST]["hashes"]["sha256"]}"' in html.read_text()

    def test_second_run_skips_everything(self, dist, tmp_path):
        target = with_pages(tmp_path / "target")
        mirror(str(dist), target)
        page = (tmp_path / "target" / "simple" / "sample" / "index.json").read_bytes()
        receipt = mirror(str(dist), target)
        outcomes = {delivery.outcome for file in receipt.files for delivery in file.sinks.values()}
        assert outcomes == {Outcome.SKIPPED}
        assert (tmp_path / "target" / "simple" / "sample" / "index.json").read_bytes() == page
        with target.open() as store:
            assert store.check_pages() == []

    def test_changed_list_is_a_conflict_unless_replaced(self, dist, tmp_path):
        target = with_pages(tmp_path / "target")
        mirror(str(dist), target)
        before = (dist / LIST).read_bytes()
        make_variants(dist, labels=[*LABELS, "cu131"])
        with pytest.raises(Conflict):
            mirror(str(dist), target, mode="release")
        assert (tmp_path / "target" / LIST).read_bytes() == before
        wheelrelay.push([dist], target, options=wheelrelay.PublishOptions(replace=True))
        assert (tmp_path / "target" / LIST).read_bytes() == (dist / LIST).read_bytes()
        assert '"cu131"' in (tmp_path / "target" / LIST).read_text()
        with target.open() as store:
            assert store.check_pages() == []

    def test_refuses_list_that_is_not_json(self, dist, tmp_path):
        (dist / LIST).write_text("<html>Please log in.</html>")
        with pytest.raises(CheckFailed):
            mirror(str(dist), with_pages(tmp_path / "target"), mode="release")
        assert not (tmp_path / "target").exists()


class TestServedDirectory:
    def test_listing_and_index_contain_the_list(self, served, tmp_path):
        for number, address in enumerate((f"listing+{served}index.html", f"listing+{served}")):
            target = tmp_path / f"target-{number}"
            mirror(address, str(target))
            assert names(target) == ALL
        target = tmp_path / "from-index"
        wheelrelay.relay(
            wheelrelay.Route(source=f"index+{served}simple/", sinks=[str(target)], mode="mirror"), ["sample"]
        )
        assert names(target) == ALL

    def test_installers_without_variants_install_the_plain_wheel(self, served, tmp_path):
        index = f"{served}simple/"
        assert pip_install(tmp_path / "pip", "--index-url", index, "sample") == ["sample-1.0"]
        assert uv_install(tmp_path / "uv", "--index-url", index, "sample") == ["sample-1.0"]
        assert pip_download(tmp_path / "got", "--index-url", index, "sample") == [PLAIN]
        links = f"{served}index.html"
        assert pip_download(tmp_path / "flat", "--no-index", "--find-links", links, "sample") == [PLAIN]


class TestObjectStore:
    def test_all_files_are_mirrored_to_and_from_a_bucket(self, dist, bucket, tmp_path):
        receipt = mirror(str(dist), bucket.remote("bucket"))
        assert receipt.is_complete
        with bucket.remote("bucket").open() as store:
            assert sorted(file.filename for file in store.iter_files(None)) == ALL
            assert store.check_pages() == []
        target = tmp_path / "target"
        assert mirror(bucket.remote("bucket"), with_pages(target)).is_complete
        assert names(target) == ALL
        assert (target / LIST).read_bytes() == (dist / LIST).read_bytes()

    def test_removing_a_release_removes_its_list(self, dist, bucket):
        mirror(str(dist), bucket.remote("bucket"))
        with bucket.remote("bucket").open() as store:
            store.delete(list(store.iter_files("sample")))
            assert list(store.iter_files(None)) == []
            assert store.check_pages() == []


class TestIndex:
    def index(self, server, **keys):
        return IndexConfig(url=server.simple_url, upload_url=server.upload_url, **keys)

    def test_release_is_refused_before_anything_is_sent(self, dist, open_pypiserver):
        with pytest.raises(CheckFailed) as refused:
            mirror(str(dist), self.index(open_pypiserver), mode="release")
        found = {(finding.check, finding.filename) for finding in refused.value.findings}
        assert ("variants-file", LIST) in found
        assert {("wheel-variant", name) for name in VARIANTS} <= found
        assert all("directory or bucket" in (finding.hint or "") for finding in refused.value.findings)

    def test_mirror_uploads_the_rest_and_reports_variants(self, dist, open_pypiserver):
        with pytest.raises(RelayFailed) as failed:
            mirror(str(dist), self.index(open_pypiserver))
        assert failed.value.receipt is not None
        (entry,) = [file for file in failed.value.receipt.files if file.filename == LIST]
        (delivery,) = entry.sinks.values()
        assert delivery.outcome is Outcome.FAILED
        assert "lists of variants" in (delivery.reason or "")


class TestVariantWheelsWithoutList:
    @pytest.fixture(autouse=True)
    def _without(self, dist):
        (dist / LIST).unlink()

    @pytest.mark.parametrize("mode", ["mirror", "release"])
    def test_relay_warns(self, dist, tmp_path, mode):
        (finding,) = mirror(str(dist), str(tmp_path / "target"), mode=mode).findings
        assert (finding.check, finding.severity) == ("variants-missing", Severity.WARNING)
        assert LIST in finding.message

    def test_push_warns(self, dist, tmp_path):
        receipt = wheelrelay.push([dist], str(tmp_path / "target"))
        assert "variants-missing" in {finding.check for finding in receipt.findings}

    def test_plan_warns(self, dist, tmp_path):
        plan = wheelrelay.plan(wheelrelay.Route(source=str(dist), sinks=[str(tmp_path / "target")]))
        assert {finding.check for finding in plan.findings} == {"variants-missing"}

    def test_list_at_the_sink_is_enough(self, dist, tmp_path):
        make_variants(tmp_path / "target", labels=LABELS)
        assert mirror(str(dist), str(tmp_path / "target")).findings == ()


def test_warns_of_list_without_the_label_of_a_wheel(dist, tmp_path):
    make_variants(dist, labels=["null"])
    (finding,) = mirror(str(dist), str(tmp_path / "target"), mode="release").findings
    assert (finding.check, finding.severity) == ("variants-unlisted", Severity.WARNING)
    assert "cu130" in finding.message


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"variants": []}', b"\xff", b"[" * 100_000, b" " * (17 << 20)]
)
def test_reports_file_that_is_not_a_list(tmp_path, content):
    path = tmp_path / LIST
    path.write_bytes(content)
    found = {finding.check for finding in check_files([path], ChecksConfig(profile=Profile.STORAGE).policy())}
    assert found == {"archive-unreadable"}


def test_names_list_with_a_misspelled_filename(tmp_path):
    make_wheel(tmp_path / "dist")
    (tmp_path / "dist" / "foo-bar-1.0-variants.json").write_text("{}")
    with pytest.raises(CheckFailed) as refused:
        wheelrelay.push([tmp_path / "dist"], str(tmp_path / "target"))
    assert [finding.filename for finding in refused.value.findings] == ["foo-bar-1.0-variants.json"]


@pytest.mark.parametrize(
    ("wheels", "picked"),
    [
        (["py3-none-any"], ALL),
        (["cp313-*-*"], [SDIST]),
        ([], [SDIST]),
    ],
)
def test_list_is_selected_with_its_variant_wheels(dist, tmp_path, wheels, picked):
    wheelrelay.relay(wheelrelay.Route(source=str(dist), sinks=[str(tmp_path / "target")], wheels=wheels))
    assert names(tmp_path / "target") == picked


def test_list_does_not_count_for_expectations(dist, tmp_path):
    expect = {"wheels": ["py3-none-any"], "sdist": True, "count": len(ALL) - 1}
    route = wheelrelay.Route(source=str(dist), sinks=[str(tmp_path / "target")], expect=expect)
    assert wheelrelay.relay(route).is_complete

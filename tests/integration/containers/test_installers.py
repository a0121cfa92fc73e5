"""pip and uv install from a directory that any web server serves, below any prefix."""

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.servers.installers import pip_download, pip_install, pip_resolve, uv_install

from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.testing import make_wheel, stage_path

SAMPLE = "sample-1!2.0+local.1-py3-none-any.whl"


class Handler(SimpleHTTPRequestHandler):
    """Serves files as they lie, and notes what is asked for."""

    def log_message(self, *_):
        self.server.paths.append(self.path)


@pytest.fixture
def served(tmp_path):
    """The address of a directory that holds a few wheels and their pages, and what was asked for."""
    folder = tmp_path / "served" / "some" / "prefix"
    with DirectoryConfig(path=folder, pages=True).open() as store:
        for staged in (
            make_wheel(tmp_path / "made", "sample", "1!2.0+local.1", metadata={"Requires-Dist": "needed"}),
            make_wheel(tmp_path / "made", "needed", "1.0"),
            make_wheel(tmp_path / "made", "needed", "2.0", metadata={"Requires-Python": ">=99"}),
        ):
            store.put(stage_path(staged))
        store.finalize({"sample", "needed"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "served")))
    server.paths = []
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/some/prefix/", server.paths
    server.shutdown()
    thread.join()
    server.server_close()


INSTALLED = ["needed-1.0", "sample-1!2.0+local.1"]


def test_pip_installs_from_it_as_an_index(served, tmp_path):
    address, _ = served
    assert pip_install(tmp_path / "there", "--index-url", f"{address}simple/", "sample") == INSTALLED


def test_uv_installs_from_it_as_an_index(served, tmp_path):
    address, _ = served
    assert uv_install(tmp_path / "there", "--index-url", f"{address}simple/", "sample") == INSTALLED


def test_pip_and_uv_install_from_its_flat_page(served, tmp_path):
    address, _ = served
    for install, target in ((pip_install, tmp_path / "pip"), (uv_install, tmp_path / "uv")):
        assert install(target, "--no-index", "--find-links", f"{address}index.html", "sample") == INSTALLED


def test_pip_reads_the_flat_page_from_disk(served, tmp_path):
    page = tmp_path / "served" / "some" / "prefix" / "index.html"
    assert pip_install(tmp_path / "there", "--no-index", "--find-links", str(page), "sample") == INSTALLED


def test_pip_downloads_files_with_their_names(served, tmp_path):
    address, _ = served
    names = pip_download(tmp_path / "there", "--index-url", f"{address}simple/", "sample")
    assert names == ["needed-1.0-py3-none-any.whl", SAMPLE]


def test_pip_fetches_metadata_alone_when_it_only_resolves(served):
    address, paths = served
    report = json.loads(pip_resolve("--index-url", f"{address}simple/", "sample"))
    assert {item["metadata"]["name"] for item in report["install"]} == {"sample", "needed"}
    assert [path for path in paths if path.endswith(".metadata")] == [
        "/some/prefix/sample-1%212.0%2Blocal.1-py3-none-any.whl.metadata",
        "/some/prefix/needed-1.0-py3-none-any.whl.metadata",
    ]
    assert [path for path in paths if path.endswith(".whl")] == []


def test_pip_refuses_bytes_with_another_digest(served, tmp_path):
    address, _ = served
    needed = tmp_path / "served" / "some" / "prefix" / "needed-1.0-py3-none-any.whl"
    needed.write_bytes(needed.read_bytes() + b"x")
    with pytest.raises(RuntimeError, match="HASH"):
        pip_install(tmp_path / "there", "--index-url", f"{address}simple/", "needed")

"""What an index shows that is not its own: GitLab's and Pulp's redirects, devpi's base indexes."""

import hashlib
import json
import logging
from contextlib import closing, contextmanager

import pytest
from tests.servers.web import run_web

from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.index.backend import Index, IndexReader
from wheelrelay.backends.index.foreign_files import is_own_page
from wheelrelay.backends.index.simple_api import JSON_TYPE, SimpleApi
from wheelrelay.config.secrets import FileSecret
from wheelrelay.errors import Rejected
from wheelrelay.http import BasicAuth, HttpClient
from wheelrelay.testing import make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"


@pytest.fixture
def content_host():
    """A server on another port."""
    with run_web() as server:
        yield server


def page(url):
    """A page of one file."""
    files = [{"filename": WHEEL, "url": url, "hashes": {"sha256": hashlib.sha256(b"x").hexdigest()}}]
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "sample", "files": files}).encode()


def test_page_on_another_host_is_read_without_credentials(web, content_host):
    there = content_host.serve(
        "/pulp/content/company/simple/sample/", page(f"../../{WHEEL}"), content_type=JSON_TYPE
    )
    web.redirect("/pypi/company/simple/sample/", there)
    with closing(HttpClient(auth=BasicAuth("me", "secret"), origins=(web.url,))) as http:
        [file] = SimpleApi(http, f"{web.url}pypi/company/simple/").files("sample", fresh=True)
    assert file.url == f"{content_host.url}pulp/content/company/{WHEEL}"
    assert "authorization" in web.requests[0].headers
    assert "authorization" not in content_host.requests[0].headers


@pytest.mark.parametrize("host", ["https://pypi.org", "https://test.pypi.org", "https://PyPI.org:443"])
def test_project_that_redirects_to_pypi_is_absent(web, host, caplog):
    project = f"sample{len(host)}"
    web.redirect(f"/api/v4/projects/7/packages/pypi/simple/{project}/", f"{host}/simple/{project}/")
    with closing(HttpClient()) as http:
        api = SimpleApi(http, f"{web.url}api/v4/projects/7/packages/pypi/simple/")
        assert list(api.own_files(project)) == []
        assert list(api.files(project, fresh=False)) == []
    [warning] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "Settings > Packages and registries" in warning
    assert host.lower() in warning.lower()


def test_error_about_redirect_to_another_port_has_the_port(web, content_host):
    web.redirect("/simple/sample/", f"{content_host.url}simple/sample/")
    with closing(HttpClient()) as http, pytest.raises(Rejected, match=content_host.url.rstrip("/")):
        list(SimpleApi(http, f"{web.url}simple/").files("sample", fresh=True))


@pytest.mark.parametrize(
    ("here", "there", "own"),
    [
        ("/pypi/company/simple/sample/", "/pulp/content/company/simple/sample/", True),
        ("/company/simple/sample", "/company/simple/sample/", True),
        ("/simple/sample/", "/simple/sample/", False),
        ("/pypi/simple/sample/", "/pypi/simple/sample/", False),
        ("/pypi/company/simple/sample/", "/pypi/public/simple/sample/", False),
        ("/company/simple/sample/", "/login", False),
        ("/company/simple/sample/", "/", False),
    ],
)
def test_page_on_another_host_can_be_of_the_same_index(here, there, own):
    assert is_own_page(f"https://a.example.org{here}", f"https://b.example.org{there}") is own


@contextmanager
def opened(server, folder):
    """An index, with its credentials in a file."""
    secret = folder / f"password-of-{server.username}"
    secret.write_text(server.password)
    config = IndexConfig(
        url=server.simple_url,
        upload_url=server.upload_url,
        username=server.username,
        password=FileSecret(file=secret),
    )
    with config.open() as index:
        assert isinstance(index, Index)
        yield index


def test_file_that_devpi_inherits_is_absent(devpi_server, tmp_path):
    base = devpi_server.new_index()
    top = devpi_server.new_index(bases=[base])
    staged = stage_path(make_wheel(tmp_path / "dist"))
    with opened(base, tmp_path) as index:
        index.put(staged)
        assert [file.sha256 for file in index.inventory("sample")] == [staged.sha256]
    with opened(top, tmp_path) as index:
        assert [file.filename for file in index.iter_files("sample")] == [staged.filename]
        assert list(index.inventory("sample")) == []
        index.put(staged)
        assert [file.sha256 for file in index.inventory("sample")] == [staged.sha256]


def test_wheel_served_as_html_is_accepted_with_matching_digest(web):
    web.serve(f"/{WHEEL}", b"x", content_type="text/html")
    web.serve("/simple/sample/", page(f"/{WHEEL}"), content_type=JSON_TYPE)
    with IndexConfig(url=f"{web.url}simple/").open() as index:
        assert isinstance(index, IndexReader)
        [file] = index.iter_files("sample")
        with index.open(file) as stream:
            assert stream.read(10) == b"x"

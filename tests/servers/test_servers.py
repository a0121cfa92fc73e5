"""Tests of the test servers."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.servers.process import running
from tests.servers.web import Reply, read


def upload(index, path, *, password=None):
    """The exit code of an upload with twine."""
    command = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
    who = ["-u", index.username or "nobody", "-p", index.password if password is None else password or "-"]
    done = subprocess.run(
        [*command, "--repository-url", index.upload_url, *who, str(path)], capture_output=True, check=False
    )
    return done.returncode


@pytest.fixture
def wheel(tmp_path):
    """A wheel that twine accepts."""
    from zipfile import ZipFile

    path = tmp_path / "sample-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        archive.writestr("sample.py", "")
        archive.writestr(
            "sample-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n"
        )
        archive.writestr("sample-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("sample-1.0.dist-info/RECORD", "")
    return path


@pytest.mark.parametrize("name", ["pypiserver", "open_pypiserver", "devpi"])
def test_an_index_takes_an_upload_and_shows_it(name, wheel, request):
    index = request.getfixturevalue(name)
    assert upload(index, wheel) == 0
    assert wheel.name in read(index.simple_url + "sample/").decode()


@pytest.mark.parametrize("name", ["pypiserver", "devpi"])
def test_an_index_wants_the_right_password(name, wheel, request):
    assert upload(request.getfixturevalue(name), wheel, password="wrong") == 1


def test_every_test_finds_a_pypiserver_empty(pypiserver):
    assert pypiserver.folder is not None
    assert list(pypiserver.folder.iterdir()) == []


def test_every_devpi_index_is_another_one(devpi_server):
    assert devpi_server.new_index().upload_url != devpi_server.new_index().upload_url


def test_failed_start_reports_the_output_of_the_server(tmp_path):
    with (
        pytest.raises(RuntimeError, match="no such luck"),
        running(["sh", "-c", "echo no such luck"], log=tmp_path / "log", ready=lambda: False),
    ):
        pass


def test_a_server_ends_with_its_context_even_if_it_will_not(tmp_path):
    stubborn = ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"]
    log = tmp_path / "log"
    with running(stubborn, log=log, ready=lambda: "up" in log.read_text(), grace=0.2) as process:
        assert process.poll() is None
    assert process.poll() is not None


def test_a_cut_body_is_shorter_than_its_declared_length(web):
    page = web.serve("/cut", b"x" * 1000, cut_after=10)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="10 bytes read"):
        requests.get(page, timeout=5)


def test_a_fault_is_answered_once_and_then_the_file_again(web):
    page = web.serve("/file", b"content")
    web.fail("/file", Reply(b"busy", 503, headers={"Retry-After": "7"}))
    busy = requests.get(page, timeout=5)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "7")
    assert read(page) == b"content"


def test_a_protected_file_wants_its_credentials(web):
    page = web.serve("/secret", b"content", credentials=("me", "pw"))
    assert requests.get(page, timeout=5).status_code == 401
    assert requests.get(page, auth=("me", "pw"), timeout=5).content == b"content"


def test_requests_and_how_many_came_at_once_are_noted(web, tmp_path):
    (tmp_path / "a b.txt").write_bytes(b"ab")
    root = web.serve_folder(tmp_path)
    web.latency = 0.2
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, [root + "a%20b.txt"] * 4)) == [b"ab"] * 4
    assert time.monotonic() - started >= 0.2
    assert web.most_at_once == 4
    assert web.paths() == ["/a%20b.txt"] * 4


def test_requests_one_after_the_other_never_count_as_two_at_once(web):
    pages = [web.serve("/empty"), web.serve("/small", b"content"), web.serve("/large", b"x" * 1_000_000)]
    for page in pages * 100:
        read(page)
    assert web.most_at_once == 1


def test_a_redirect_leads_on(web):
    page = web.serve("/there", b"found")
    assert read(web.redirect("/here", page)) == b"found"


def test_tls_is_spoken_with_the_private_authority(tls_web, ca_bundle):
    page = tls_web.serve("/file", b"content")
    assert requests.get(page, verify=str(ca_bundle), timeout=5).content == b"content"
